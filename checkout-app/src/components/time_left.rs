//! How long the amount holds, and whether the page updates itself. Quiet on purpose.

use leptos::prelude::*;

use crate::model::{Model, Shown};

/// A thin bar and a few words.
pub fn time_left(model: Model) -> impl IntoView {
    view! {
        <div class="time">
            <progress
                max="1000"
                value=model.text(permille)
                hidden=model.is(|shown| shown.screen.time.is_none())
                aria-hidden="true"
            ></progress>
            <span role="timer" hidden=model.is(|shown| shown.screen.time.is_none())>
                {model.text(text)}
            </span>
            <span class="live" data-live=model.text(|shown| mark(shown).to_owned())>
                {model.text(|shown| words(shown).to_owned())}
            </span>
        </div>
    }
}

fn permille(shown: &Shown) -> String {
    let time = shown.screen.time.as_ref();
    time.map(|time| time.permille.to_string()).unwrap_or_default()
}

fn text(shown: &Shown) -> String {
    let time = shown.screen.time.as_ref();
    time.map(|time| time.text.clone()).unwrap_or_default()
}

const fn mark(shown: &Shown) -> &'static str {
    match shown.live {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}

const fn words(shown: &Shown) -> &'static str {
    match shown.live {
        Some(true) => shown.words().live,
        Some(false) => shown.words().reconnecting,
        None => "",
    }
}
