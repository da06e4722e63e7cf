//! The receipt, and the details: lines of a label and a value.

use bitpro_charge::wire::ChargeView;

use super::{Phase, Tone};
use crate::copy::{Lang, Words};
use crate::format;
use crate::page::ChargePage;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub label: &'static str,
    /// Its value.
    pub value: String,
    /// Where more of it can be seen.
    pub link: Option<String>,
}

/// What to quote to the merchant: their own order id if they gave one, else the charge's.
pub(super) fn to_quote(view: &ChargeView) -> &str {
    view.order_id.as_deref().unwrap_or(&view.id)
}

/// What stands where the address was: the number to quote first, then the money. At most three lines, for no more have room.
pub(super) fn facts(view: &ChargeView, phase: Phase, words: &Words, lang: Lang) -> Vec<Row> {
    if phase.is_payable() {
        return Vec::new();
    }
    let mut rows = vec![reference(view, words)];
    // What is called confirmed is a receipt: it names what is confirmed, and apart from that what may still vanish.
    let (received, rest) = if phase.tone() == Tone::Good {
        let rest = view.received_sat.saturating_sub(view.confirmed_sat);
        (view.confirmed_sat, rest)
    } else {
        (view.received_sat, 0)
    };
    if received > 0 {
        rows.push(row(words.received, amount(received, lang)));
    }
    match (phase, received.checked_sub(view.amount_sat)) {
        (Phase::Overpaid, Some(excess)) => rows.push(row(words.excess, amount(excess, lang))),
        _ if rest > 0 => rows.push(row(words.unconfirmed, amount(rest, lang))),
        _ => rows.extend(paid_on(view, words, lang)),
    }
    rows
}

/// Everything else that can be known, for those who want to.
pub(super) fn details(page: &ChargePage, view: &ChargeView, phase: Phase, words: &Words, lang: Lang) -> Vec<Row> {
    let mut rows = Vec::with_capacity(8);
    if phase.is_payable() {
        if view.order_id.is_some() {
            rows.push(reference(view, words));
        }
        rows.push(row(words.valid_until, format::date_time(view.expires_at, lang)));
        rows.push(row(words.fee, words.fee_hint.to_owned()));
    } else {
        rows.push(row(words.asked, amount(view.amount_sat, lang)));
        // To compare, where something was sent. Where nothing was, an address would only invite to pay too late.
        if !(view.payments.is_empty() && view.gone_payments.is_empty()) {
            rows.push(row(words.address, view.address.clone()));
        }
    }
    for payment in &view.payments {
        let mut value = format::shortened(&payment.txid);
        for part in [
            amount(payment.value_sat, lang),
            (words.confirmations)(payment.confirmations),
        ] {
            value.push_str(" · ");
            value.push_str(&part);
        }
        rows.push(Row {
            label: words.transaction,
            value,
            link: explored(page, &payment.txid),
        });
    }
    for payment in &view.gone_payments {
        let value = [
            &format::shortened(&payment.txid),
            " · ",
            &amount(payment.value_sat, lang),
        ]
        .concat();
        rows.push(Row {
            label: words.lost_transaction,
            value,
            link: explored(page, &payment.txid),
        });
    }
    let rate = ["1\u{a0}BTC = ", &format::euros(view.quote.cents_per_btc, lang)].concat();
    rows.push(row(words.rate, rate));
    let source = match view.quote.source.as_str() {
        "fixed" => words.fixed_rate,
        source => source,
    };
    rows.push(row(words.rate_source, source.to_owned()));
    rows.push(row(words.rate_time, format::date_time(view.quote.at, lang)));
    if view.order_id.is_some() {
        rows.push(row(words.reference, view.id.clone()));
    }
    rows
}

fn reference(view: &ChargeView, words: &Words) -> Row {
    let label = if view.order_id.is_some() {
        words.order
    } else {
        words.reference
    };
    row(label, to_quote(view).to_owned())
}

fn paid_on(view: &ChargeView, words: &Words, lang: Lang) -> Option<Row> {
    let first = view.payments.iter().map(|payment| payment.seen_at).min()?;
    Some(row(words.paid_on, format::date_time(first, lang)))
}

fn explored(page: &ChargePage, txid: &str) -> Option<String> {
    // Split at single characters: replacing a text would bring the whole search for texts into the bundle.
    let (before, rest) = page.explorer.as_ref()?.split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    Some([before, txid, after].concat())
}

fn amount(sat: u64, lang: Lang) -> String {
    [&format::btc(sat, lang), "\u{a0}BTC"].concat()
}

const fn row(label: &'static str, value: String) -> Row {
    Row {
        label,
        value,
        link: None,
    }
}
