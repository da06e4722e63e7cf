//! Where the payment stands, in one sentence.

use leptos::prelude::*;

use crate::icons;
use crate::model::Model;

/// The state line; a change is read out once, when the shopper is not busy otherwise.
pub fn state_line(model: Model) -> impl IntoView {
    let icon = model.text(|shown| icons::of_phase(shown.screen.phase).to_owned());
    view! {
        <p class="state" role="status" aria-live="polite">
            <span class="icon" aria-hidden="true" inner_html=icon></span>
            <span>{model.text(|shown| shown.screen.sentence.clone())}</span>
        </p>
    }
}
