//! The root of the charge's page.

use leptos::prelude::*;

use crate::components::{address, amount, banner, details, footer, shop, stage, state_line, step, time_left};
use crate::model::Model;

/// The page of one charge, the same on the server and in the browser.
pub fn app(model: Model) -> impl IntoView {
    view! {
        <main class="card" data-tone=model.text(|shown| shown.screen.phase.tone().as_str().to_owned())>
            {shop(model)}
            {amount(model)}
            {state_line(model)}
            {step(model)}
            {stage(model)}
            {address(model)}
            {time_left(model)}
            {banner(model)}
            <div class="more">{details(model)} {footer(model)}</div>
        </main>
    }
}
