//! The public view of a charge: what the page, its stream and its poll show to whoever holds the link (R23).
//!
//! No e-mail, no metadata, nothing of another charge stands here.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Amount, Charge, Network, Payment, Timestamp, Whereabouts, bip21};

/// At most this many payments are listed, live and gone each; totals cover all (R11).
const LISTED: usize = 100;

/// A charge as the shopper sees it. Instants are Unix milliseconds, amounts satoshis, prices cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeView {
    /// The charge's id.
    pub id: String,
    /// The number of the last event; also the id of the stream's frame.
    pub sequence: u64,
    /// `pending`, `seen`, `confirmed`, `timedout`, `failed`.
    pub state: String,
    /// `exact`, `underpaid`, `overpaid`, `late`, `replaced`, `dropped`, `reorged`, `manual`, `cancelled`, `stuck`.
    pub reason: Option<String>,
    /// `mainnet`, `testnet4`, `signet`, `regtest`.
    pub network: String,
    /// The server's clock when the view was made: the page's countdown runs by it, not by the shopper's clock.
    pub now: i64,
    /// When the charge was made.
    pub created_at: i64,
    /// The current deadline.
    pub expires_at: i64,
    /// The price in cents.
    pub fiat_price_cents: u64,
    /// `eur`.
    pub fiat_currency: String,
    /// What was asked for.
    pub amount_sat: u64,
    /// What live payments sum to.
    pub received_sat: u64,
    /// Of this, what is confirmed: all that a receipt may name.
    pub confirmed_sat: u64,
    /// What is still asked for; zero when nothing is.
    pub remaining_sat: u64,
    /// Where to pay.
    pub address: String,
    /// The BIP-21 link for what is still asked for; `None` when nothing should be sent any more.
    pub uri: Option<String>,
    /// Confirmations of the payment that completes the charge, once it is complete.
    pub progress: Option<ProgressView>,
    /// Live payments.
    pub payments: Vec<PaymentView>,
    /// Lost payments.
    pub gone_payments: Vec<GoneView>,
    /// The rate of the quote.
    pub quote: QuoteView,
    /// Whether our node is there to notice a payment.
    pub node: NodeView,
    /// The merchant's own order id, to quote to them.
    pub order_id: Option<String>,
}

/// "n of m confirmations".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressView {
    /// Confirmations so far.
    pub have: u32,
    /// Confirmations needed.
    pub required: u32,
}

/// A live payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    /// Transaction id.
    pub txid: String,
    /// Output index.
    pub vout: u32,
    /// Value.
    pub value_sat: u64,
    /// Confirmations so far; 0 in the mempool.
    pub confirmations: u32,
    /// When it was first seen, at the latest (R5): the date on the shopper's receipt.
    pub seen_at: i64,
}

/// A lost payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneView {
    /// Transaction id.
    pub txid: String,
    /// Output index.
    pub vout: u32,
    /// Value.
    pub value_sat: u64,
    /// `replaced`, `dropped`, `reorged`.
    pub loss: String,
}

/// The rate that made the amount of the price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteView {
    /// Cents for one bitcoin.
    pub cents_per_btc: u64,
    /// Who said so.
    pub source: String,
    /// When.
    pub at: i64,
}

/// The node, as far as the shopper is concerned (R39).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeView {
    /// In step with the chain.
    Ready,
    /// Catching up: payments will be noticed when it has.
    Syncing,
    /// Not reachable: payments will be noticed when it is back.
    Away,
}

/// What a view depends on beside the charge.
pub struct Surroundings<'a> {
    /// The time now.
    pub now: Timestamp,
    /// Height of the tip.
    pub tip: u32,
    /// The instance's network.
    pub network: Network,
    /// The node's condition.
    pub node: NodeView,
    /// The merchant's name, for the wallet's own display.
    pub merchant_name: &'a str,
    /// The merchant's order id.
    pub order_id: Option<&'a str>,
}

impl ChargeView {
    /// The view of `charge` in its `surroundings`.
    #[must_use]
    pub fn of(charge: &Charge, surroundings: &Surroundings<'_>) -> Self {
        let Surroundings {
            now,
            tip,
            network,
            node,
            merchant_name,
            order_id,
        } = *surroundings;
        let remaining = charge.remaining();
        // Of others' money, and of dust that came and went, the shopper is told nothing: it is as if it had never been.
        let is_untouched = charge.is_untouched();
        let shown = charge
            .payments
            .iter()
            .filter(|payment| charge.is_own(payment) && !is_untouched);
        let (live, gone): (Vec<&Arc<Payment>>, Vec<&Arc<Payment>>) = shown.partition(|payment| payment.is_live());
        Self {
            id: charge.id.to_string(),
            sequence: charge.sequence,
            state: charge.state.as_str().to_owned(),
            reason: charge.reason.map(|reason| reason.as_str().to_owned()),
            network: network.as_str().to_owned(),
            now: now.0,
            created_at: charge.terms.created_at.0,
            expires_at: charge.deadline.0,
            fiat_price_cents: charge.terms.price.0,
            fiat_currency: "eur".to_owned(),
            amount_sat: charge.terms.amount.to_sat(),
            received_sat: charge.received().to_sat(),
            confirmed_sat: charge.confirmed(tip).to_sat(),
            remaining_sat: remaining.to_sat(),
            address: charge.address.clone(),
            uri: charge
                .is_payable(now)
                .then(|| bip21::uri(&charge.address, remaining, merchant_name)),
            progress: charge.progress(tip).map(|progress| ProgressView {
                have: progress.have,
                required: progress.required,
            }),
            payments: live
                .into_iter()
                .take(LISTED)
                .map(|payment| PaymentView::of(payment, tip))
                .collect(),
            gone_payments: gone
                .into_iter()
                .filter_map(|payment| GoneView::of(payment))
                .take(LISTED)
                .collect(),
            quote: QuoteView {
                cents_per_btc: charge.terms.quote.rate.cents_per_btc(),
                source: charge.terms.quote.source.clone(),
                at: charge.terms.quote.at.0,
            },
            node,
            order_id: order_id.map(str::to_owned),
        }
    }
}

impl Charge {
    /// Whether a shopper should still send something: the charge is open, not complete, and its deadline not reached.
    #[must_use]
    pub fn is_payable(&self, now: Timestamp) -> bool {
        !self.deadline_observed && !self.cancelled && now < self.deadline && self.remaining() > Amount::ZERO
    }
}

impl PaymentView {
    fn of(payment: &Payment, tip: u32) -> Self {
        Self {
            txid: payment.outpoint.txid.to_string(),
            vout: payment.outpoint.vout,
            value_sat: payment.value.to_sat(),
            confirmations: payment.confirmations(tip),
            seen_at: payment.first_seen.latest.0,
        }
    }
}

impl GoneView {
    fn of(payment: &Payment) -> Option<Self> {
        let Whereabouts::Gone(loss) = payment.whereabouts else {
            return None;
        };
        Some(Self {
            txid: payment.outpoint.txid.to_string(),
            vout: payment.outpoint.vout,
            value_sat: payment.value.to_sat(),
            loss: loss.as_str().to_owned(),
        })
    }
}
