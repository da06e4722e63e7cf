//! The middle of the page: a code to scan, or a figure and what it means. Both have the same room, so that nothing moves.

use leptos::prelude::*;

use crate::icons;
use crate::model::Model;

/// The stage.
pub fn stage(model: Model) -> impl IntoView {
    view! {
        <div class="stage">
            <div
                class="code"
                role="img"
                aria-label=model.text(|shown| shown.words().qr_code.to_owned())
                hidden=model.is(|shown| shown.screen.way.is_none())
                data-text=model.text(|shown| shown.screen.qr_text().to_owned())
                inner_html=model.text(|shown| shown.svg().to_owned())
            ></div>
            <div class="figure" aria-hidden="true" inner_html=model.text(|shown| icons::figure(shown.screen.phase, shown.screen.progress))></div>
            <p class="meaning">{model.text(|shown| shown.screen.meaning.to_owned())}</p>
        </div>
    }
}
