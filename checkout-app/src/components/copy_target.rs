//! Something that one press copies.

use leptos::prelude::*;

use crate::icons;
use crate::model::{Model, Shown, Target};

/// What can be copied: the text to look at can be pressed and selected, the button is for keyboards and screen readers.
pub fn copy_target(
    model: Model,
    target: Target,
    class: &'static str,
    value: fn(&Shown) -> String,
    label: fn(&Shown) -> String,
) -> impl IntoView {
    view! {
        <div
            class=class
            data-copied=model.text_of(target, |shown, target| mark(shown, target).to_owned())
            data-press=target.as_str()
        >
            <span class="value" translate="no" inner_html=model.text(value)></span>
            <span class="said" role="status">
                {model.text_of(target, |shown, target| feedback(shown, target).to_owned())}
            </span>
            <button type="button" class="copy needs-script">
                <span class="vh">{model.text(label)}</span>
                <span aria-hidden="true" inner_html=icons::COPY></span>
            </button>
        </div>
    }
}

fn mark(shown: &Shown, target: Target) -> &'static str {
    match shown.copied {
        Some((copied, true)) if copied == target => "yes",
        Some((copied, false)) if copied == target => "no",
        _ => "",
    }
}

fn feedback(shown: &Shown, target: Target) -> &'static str {
    match mark(shown, target) {
        "yes" => shown.words().copied,
        "no" => shown.words().copy_by_hand,
        _ => "",
    }
}
