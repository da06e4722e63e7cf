//! Everything else that can be known, behind one disclosure, and the banner of a network for tests.

use leptos::prelude::*;

use super::rows::rows;
use crate::model::Model;

/// The banner of a network whose coins are worth nothing.
pub fn banner(model: Model) -> impl IntoView {
    view! {
        <p class="network" hidden=model.is(|shown| shown.screen.banner.is_empty())>
            {model.text(|shown| shown.screen.banner.clone())}
        </p>
    }
}

/// The details.
pub fn details(model: Model) -> impl IntoView {
    view! {
        <details>
            <summary>{model.text(|shown| shown.words().details.to_owned())}</summary>
            <dl class="rows" inner_html=model.text(|shown| rows(&shown.screen.details))></dl>
        </details>
    }
}
