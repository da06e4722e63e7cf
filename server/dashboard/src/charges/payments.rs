//! The payments of a charge: value, depth, when, what they were worth.

use bitpro_charge::{Charge, Judgement, Payment, Whereabouts};
use bitpro_merchant::Language;
use bitpro_merchant::times::{self, Times};
use bitpro_merchant::words::{Words, words};
use bitpro_web::app::App;
use maud::{Markup, html};

use super::wording::loss_word;
use crate::money;

const PAYMENTS: Words = words("Payments", "Paiements");
const MORE: Words = words(
    "{} more payments are not shown here. The totals above include them.",
    "{} autres paiements ne sont pas affichés ici. Les totaux ci-dessus les comprennent.",
);
const NONE: Words = words("No payments.", "Aucun paiement.");
const TRANSACTION: Words = words("Transaction", "Transaction");
const VALUE: Words = words("Value", "Valeur");
const DEPTH: Words = words("Confirmations", "Confirmations");
const SEEN: Words = words("First seen", "Première observation");
const WORTH: Words = words("Value at payment", "Valeur au paiement");
const NEW_TAB: Words = words("(in the explorer, new tab)", "(dans l’explorateur, nouvel onglet)");
const NO_RATE: Words = words("no rate at that time", "aucun cours à ce moment");
const OF: Words = words("{} of {}", "{} sur {}");
const GONE: Words = words("gone: {}", "perdu\u{a0}: {}");
const LATE_TAKEN: Words = words("late, accepted by your policy", "en retard, accepté par votre règle");
const BY_HAND: Words = words("accepted manually", "accepté manuellement");
const NOT_TAKEN: Words = words("late, not accepted", "en retard, pas accepté");
const EARLIER: Words = words(
    "seen before the charge was created: not counted",
    "observé avant la création de l’encaissement\u{a0}: non compté",
);

/// So many payments are shown: nobody but who plays with us pays in more pieces.
const SHOWN: usize = 200;

/// The section of payments, with confirmations under a tip at height `tip`.
pub(super) fn section(app: &App, charge: &Charge, tip: u32, times: Times<'_>, language: Language) -> Markup {
    html! {
        section.panel aria-labelledby="payments" {
            h2 #payments { (PAYMENTS.of(language)) }
            @if charge.payments.is_empty() {
                p { (NONE.of(language)) }
            } @else {
                div.scroll tabindex="0" role="group" aria-labelledby="payments" {
                    table.stack role="table" {
                        thead role="rowgroup" {
                            tr role="row" {
                                th scope="col" role="columnheader" { (TRANSACTION.of(language)) }
                                th.number scope="col" role="columnheader" { (VALUE.of(language)) }
                                th scope="col" role="columnheader" { (DEPTH.of(language)) }
                                th scope="col" role="columnheader" { (SEEN.of(language)) }
                                th.number scope="col" role="columnheader" { (WORTH.of(language)) }
                            }
                        }
                        tbody role="rowgroup" {
                            @for payment in charge.payments.iter().take(SHOWN) {
                                (row(app, charge, payment, tip, times, language))
                            }
                        }
                    }
                }
                @if let Some(more) = charge.payments.len().checked_sub(SHOWN).filter(|&more| more > 0) {
                    p { (filled(MORE, language, &[&more.to_string()])) }
                }
            }
        }
    }
}

fn row(app: &App, charge: &Charge, payment: &Payment, tip: u32, times: Times<'_>, language: Language) -> Markup {
    let seen = payment.first_seen.latest;
    html! {
        tr role="row" {
            td.url role="cell" { (transaction(app, payment, language)) }
            td.number role="cell" data-label=(VALUE.of(language)) { (money::btc(payment.value, language)) }
            td role="cell" data-label=(DEPTH.of(language)) {
                (depth(charge, payment, tip, language))
                @if let Some(remark) = remark(charge, payment) {
                    br; span.hint { (remark.of(language)) }
                }
            }
            td role="cell" data-label=(SEEN.of(language)) { time datetime=(times::machine(seen)) { (times.second(seen)) } }
            td.number role="cell" data-label=(WORTH.of(language)) {
                @match &payment.rate {
                    Some(quote) => (money::euros(money::worth(payment.value, quote.rate), language)),
                    None => span.hint { (NO_RATE.of(language)) },
                }
            }
        }
    }
}

/// The transaction, linked to the explorer where there is one.
pub(super) fn transaction(app: &App, payment: &Payment, language: Language) -> Markup {
    let txid = payment.outpoint.txid.to_string();
    html! {
        @match &app.explorer {
            Some(explorer) => a.mono href=(explorer.replace("{txid}", &txid)) target="_blank" rel="noopener noreferrer" {
                (txid) span.unseen { " " (NEW_TAB.of(language)) }
            },
            None => span.mono { (txid) },
        }
        span.hint { " :" (payment.outpoint.vout) }
    }
}

/// How deep it is, of how deep it must be; or how it was lost.
pub(super) fn depth(charge: &Charge, payment: &Payment, tip: u32, language: Language) -> String {
    match payment.whereabouts {
        Whereabouts::Gone(loss) => filled(GONE, language, &[loss_word(loss).of(language)]),
        Whereabouts::Live(_) => {
            let (have, required) = (payment.confirmations(tip), charge.required_of(payment));
            filled(OF, language, &[&have.to_string(), &required.to_string()])
        }
    }
}

/// What is to be said of it beside its depth.
fn remark(charge: &Charge, payment: &Payment) -> Option<Words> {
    if !charge.is_own(payment) {
        return Some(EARLIER);
    }
    Some(match payment.judgement? {
        Judgement::Provisional | Judgement::Taken => LATE_TAKEN,
        Judgement::ByHand => BY_HAND,
        Judgement::Refused => NOT_TAKEN,
    })
}

/// The text with each of its places filled, in their order.
pub(super) fn filled(text: Words, language: Language, parts: &[&str]) -> String {
    let mut pieces = text.of(language).split("{}");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for (piece, part) in pieces.zip(parts) {
        filled.push_str(part);
        filled.push_str(piece);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_a_text_is_not_filled_itself() {
        assert_eq!(filled(OF, Language::En, &["{}", "3"]), "{} of 3");
    }
}
