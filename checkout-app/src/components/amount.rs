//! What it costs: in euros, large, and in bitcoin.

use leptos::prelude::*;

use super::copy_target::copy_target;
use crate::model::{Model, Shown, Target};

/// Both amounts; once a part is paid, the amount in bitcoin is the rest.
pub fn amount(model: Model) -> impl IntoView {
    view! {
        <section class="amount" aria-label=model.text(|shown| shown.words().amount.to_owned())>
            {copy_target(model, Target::Fiat, "fiat", |shown| shown.screen.fiat.clone(), |shown| shown.words().copy_fiat.to_owned())}
            {copy_target(model, Target::Btc, "btc", btc, |shown| shown.words().copy_btc.to_owned())}
        </section>
    }
}

fn btc(shown: &Shown) -> String {
    let before = if shown.screen.is_rest {
        [shown.words().still_to_pay, " "].concat()
    } else {
        String::new()
    };
    [&before, &shown.screen.btc, "\u{a0}BTC"].concat()
}
