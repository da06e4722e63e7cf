//! The middle of the page: a code to scan, or a figure and what it means. Both share one room, so that nothing moves.

use leptos::prelude::*;

use super::rows::escaped;
use crate::icons;
use crate::model::{Model, Shown};

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
            <div class="told" inner_html=model.text(told)></div>
        </div>
    }
}

/// The figure is hidden from screen readers: the state line says the same in words.
fn told(shown: &Shown) -> String {
    let screen = &shown.screen;
    if screen.meaning.is_empty() {
        return String::new();
    }
    let figure = icons::figure(screen.phase, screen.progress);
    [
        "<div aria-hidden=\"true\">",
        &figure,
        "</div><p>",
        &escaped(screen.meaning),
        "</p>",
    ]
    .concat()
}
