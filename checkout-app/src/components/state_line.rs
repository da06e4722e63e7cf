//! Where the payment stands, in one sentence.

use leptos::prelude::*;

use super::rows::escaped;
use crate::icons;
use crate::model::Model;

/// The state line; a change is read out once, when the shopper is not busy otherwise. A new sentence is a new text node in a
/// box that keeps its place, so that nothing on the page moves.
pub fn state_line(model: Model) -> impl IntoView {
    let icon = model.text(|shown| icons::of_phase(shown.screen.phase).to_owned());
    view! {
        <p class="state" role="status" aria-live="polite">
            <span class="icon" aria-hidden="true" inner_html=icon></span>
            <span class="sentence" inner_html=model.text(|shown| escaped(&shown.screen.sentence))></span>
        </p>
    }
}
