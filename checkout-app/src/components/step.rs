//! The one next step.

use leptos::prelude::*;

use crate::model::{Model, Shown, Target};
use crate::screen::Step;

/// A link where the step leads somewhere, a button where something happens here. Both are always there, so that the focus
/// stays on the link when opening the wallet becomes going back to the shop.
pub fn step(model: Model) -> impl IntoView {
    view! {
        <p class="step">
            <a
                class="button"
                href=model.text(href)
                target=model.text(|shown| target(&shown.screen.step).to_owned())
                rel="noopener noreferrer"
                data-step=model.text(|shown| name(&shown.screen.step).to_owned())
                hidden=model.is(|shown| !is_link(&shown.screen.step))
            >
                {model.text(label)}
            </a>
            <button
                type="button"
                class="button needs-script"
                hidden=model.is(|shown| is_link(&shown.screen.step))
                data-press=Target::Step.as_str()
            >
                {model.text(label)}
            </button>
        </p>
    }
}

fn label(shown: &Shown) -> String {
    let words = shown.words();
    match &shown.screen.step {
        _ if shown.copied == Some((Target::Step, true)) => words.copied,
        Step::Wallet(_) => words.open_wallet,
        Step::StartAgain(_) => words.start_again,
        Step::Shop(Some(_)) => words.back_to_shop,
        Step::Shop(None) => words.close,
        Step::Print => words.print_receipt,
        Step::Quote(_) => words.copy_reference,
    }
    .to_owned()
}

const fn is_link(step: &Step) -> bool {
    matches!(step, Step::Wallet(_) | Step::StartAgain(_) | Step::Shop(_))
}

fn href(shown: &Shown) -> String {
    match &shown.screen.step {
        Step::Wallet(url) | Step::StartAgain(url) | Step::Shop(Some(url)) => url.clone(),
        Step::Shop(None) | Step::Print | Step::Quote(_) => "#".to_owned(),
    }
}

/// Only a new charge belongs into the frame.
const fn target(step: &Step) -> &'static str {
    match step {
        Step::StartAgain(_) => "_self",
        _ => "_top",
    }
}

/// What the small script of frames looks for.
const fn name(step: &Step) -> &'static str {
    match step {
        Step::Wallet(_) => "wallet",
        Step::StartAgain(_) => "again",
        Step::Shop(_) => "shop",
        Step::Print => "print",
        Step::Quote(_) => "quote",
    }
}
