//! The charge object: the `data` of every webhook, and what the merchant API lists.

use bitpro_base::instants::instant;
use bitpro_charge::{Charge, Payment, Whereabouts};
use bitpro_merchant::urls;
use bitpro_store::{ChargeOrigin, Personal};
use serde::Serialize;
use serde_json::value::RawValue;

use super::text::{bitcoin, price};

/// At most this many payments are listed, live and gone each; the totals cover all (R11).
const LISTED: usize = 100;

/// What a charge object shows that the charge itself does not know.
#[derive(Debug, Clone, Copy)]
pub struct ObjectContext<'a> {
    /// The merchant's own order id.
    pub order_id: Option<&'a str>,
    /// Who asked for the charge.
    pub origin: ChargeOrigin,
    /// E-mail and metadata; empty once they were erased (R31).
    pub personal: &'a Personal,
    /// Whether the order id has charges of other prices, or more than one with money (R21).
    pub order_conflict: bool,
    /// The height of the tip that confirmations count under.
    pub tip: u32,
    /// The server's own address, as in `https://pay.example`.
    pub public_url: &'a str,
}

/// A charge as merchants are shown it. Amounts are satoshis where the name says so, prices cents where it says so.
#[derive(Debug, Serialize)]
pub struct ChargeObject {
    fiat_price: Box<RawValue>,
    expires_at: String,
    created_at: String,
    addresses: Vec<AddressObject>,
    payments: Vec<PaymentObject>,
    id: String,
    state: &'static str,
    reason: Option<&'static str>,
    sequence: u64,
    round: u32,
    external_order_id: Option<String>,
    buyer_email: Option<String>,
    fiat_currency: &'static str,
    fiat_price_cents: u64,
    amount_sat: u64,
    received_sat: u64,
    remaining_sat: u64,
    /// Confirmations of the payment that completes the need, at most `confirmations_required`; 0 before there is one (R9).
    confirmations: u32,
    confirmations_required: u32,
    price_verified: bool,
    order_conflict: bool,
    origin: &'static str,
    rate: RateObject,
    payments_total: usize,
    gone_payments: Vec<GoneObject>,
    gone_payments_total: usize,
    /// Money that was seen before the charge was made (R27): somebody else's, which counts for nothing.
    earlier_payments: Vec<PaymentObject>,
    metadata: Option<Box<RawValue>>,
    url: String,
}

#[derive(Debug, Serialize)]
struct AddressObject {
    address: String,
}

#[derive(Debug, Serialize)]
struct PaymentObject {
    txid: String,
    value: String,
    state: &'static str,
    vout: u32,
    value_sat: u64,
    confirmations: u32,
    first_seen_at: String,
    /// What a bitcoin cost when the payment was first seen; nothing when there was no fresh rate (R44).
    rate_cents_per_btc: Option<u64>,
}

#[derive(Debug, Serialize)]
struct GoneObject {
    txid: String,
    value: String,
    /// `replaced`, `dropped`, `reorged`.
    state: &'static str,
    vout: u32,
    value_sat: u64,
}

#[derive(Debug, Serialize)]
struct RateObject {
    cents_per_btc: u64,
    source: String,
    at: String,
    spread_bps: u32,
}

impl ChargeObject {
    /// The object of `charge` in its `context`.
    #[must_use]
    pub fn of(charge: &Charge, context: &ObjectContext<'_>) -> Self {
        let terms = &charge.terms;
        let payments = || charge.payments.iter().map(|payment| &**payment);
        let (live, gone): (Vec<&Payment>, Vec<&Payment>) = payments()
            .filter(|payment| charge.is_own(payment))
            .partition(|payment| payment.is_live());
        let earlier = payments().filter(|payment| payment.is_live() && !charge.is_own(payment));
        let progress = charge.progress(context.tip);
        Self {
            fiat_price: price(terms.price),
            expires_at: instant(charge.deadline),
            created_at: instant(terms.created_at),
            addresses: vec![AddressObject {
                address: charge.address.clone(),
            }],
            payments: live
                .iter()
                .take(LISTED)
                .map(|payment| PaymentObject::of(charge, payment, context.tip))
                .collect(),
            id: charge.id.to_string(),
            state: charge.state.as_str(),
            reason: charge.reason.map(bitpro_charge::Reason::as_str),
            sequence: charge.sequence,
            round: charge.round,
            external_order_id: context.order_id.map(str::to_owned),
            buyer_email: context.personal.buyer_email.clone(),
            fiat_currency: "eur",
            fiat_price_cents: terms.price.0,
            amount_sat: terms.amount.to_sat(),
            received_sat: charge.received().to_sat(),
            remaining_sat: charge.remaining().to_sat(),
            confirmations: progress.map_or(0, |progress| progress.have),
            confirmations_required: progress.map_or(charge.required, |progress| progress.required),
            price_verified: context.origin.is_price_verified(),
            order_conflict: context.order_conflict,
            origin: context.origin.as_str(),
            rate: RateObject {
                cents_per_btc: terms.quote.rate.cents_per_btc(),
                source: terms.quote.source.clone(),
                at: instant(terms.quote.at),
                spread_bps: terms.spread_bps,
            },
            payments_total: live.len(),
            gone_payments: gone
                .iter()
                .take(LISTED)
                .filter_map(|gone| GoneObject::of(gone))
                .collect(),
            gone_payments_total: gone.len(),
            earlier_payments: earlier
                .take(LISTED)
                .map(|payment| PaymentObject::of(charge, payment, context.tip))
                .collect(),
            metadata: context.personal.metadata.as_deref().and_then(json),
            url: format!("{}{}", context.public_url, urls::charge(charge.merchant, charge.id)),
        }
    }

    /// The object of a test delivery: every field is there, and none of them means anything.
    pub(super) fn of_nothing(at: bitpro_charge::Timestamp) -> Self {
        let nil = "00000000-0000-0000-0000-000000000000".to_owned();
        Self {
            fiat_price: price(bitpro_charge::Cents(0)),
            expires_at: instant(at),
            created_at: instant(at),
            addresses: Vec::new(),
            payments: Vec::new(),
            id: nil,
            state: "pending",
            reason: None,
            sequence: 0,
            round: 0,
            external_order_id: None,
            buyer_email: None,
            fiat_currency: "eur",
            fiat_price_cents: 0,
            amount_sat: 0,
            received_sat: 0,
            remaining_sat: 0,
            confirmations: 0,
            confirmations_required: 1,
            price_verified: false,
            order_conflict: false,
            origin: "test",
            rate: RateObject {
                cents_per_btc: 1,
                source: "test".to_owned(),
                at: instant(at),
                spread_bps: 0,
            },
            payments_total: 0,
            gone_payments: Vec::new(),
            gone_payments_total: 0,
            earlier_payments: Vec::new(),
            metadata: None,
            url: String::new(),
        }
    }
}

impl PaymentObject {
    fn of(charge: &Charge, payment: &Payment, tip: u32) -> Self {
        let confirmations = payment.confirmations(tip);
        Self {
            txid: payment.outpoint.txid.to_string(),
            value: bitcoin(payment.value),
            state: if confirmations >= charge.required_of(payment) {
                "confirmed"
            } else {
                "seen"
            },
            vout: payment.outpoint.vout,
            value_sat: payment.value.to_sat(),
            confirmations,
            first_seen_at: instant(payment.first_seen.latest),
            rate_cents_per_btc: payment.rate.as_ref().map(|quote| quote.rate.cents_per_btc()),
        }
    }
}

impl GoneObject {
    fn of(payment: &Payment) -> Option<Self> {
        let Whereabouts::Gone(loss) = payment.whereabouts else {
            return None;
        };
        Some(Self {
            txid: payment.outpoint.txid.to_string(),
            value: bitcoin(payment.value),
            state: loss.as_str(),
            vout: payment.outpoint.vout,
            value_sat: payment.value.to_sat(),
        })
    }
}

/// Stored JSON as it is; what is none is left out rather than breaking the whole object.
fn json(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}
