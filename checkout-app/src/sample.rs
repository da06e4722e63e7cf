//! A charge to try things with: regtest, EUR 42.00, ten minutes of twenty left.

use bitpro_charge::wire::{ChargeView, GoneView, NodeView, PaymentView, ProgressView, QuoteView};

use crate::copy::Lang;
use crate::page::{ChargePage, MerchantView};

/// 2026-05-14T12:12:35Z.
pub const CREATED: i64 = 1_778_760_755_000;
/// Twenty minutes later.
pub const EXPIRES: i64 = CREATED + 20 * 60_000;
/// The moment of the sample.
pub const NOW: i64 = CREATED + 8 * 60_000 + 30_000;

/// A charge that waits.
#[must_use]
pub fn view() -> ChargeView {
    ChargeView {
        id: "67c0e853-bb77-46ce-ae20-09011299cb22".to_owned(),
        sequence: 0,
        state: "pending".to_owned(),
        reason: None,
        network: "regtest".to_owned(),
        now: NOW,
        created_at: CREATED,
        expires_at: EXPIRES,
        fiat_price_cents: 4_200,
        fiat_currency: "eur".to_owned(),
        amount_sat: 67_372,
        received_sat: 0,
        confirmed_sat: 0,
        remaining_sat: 67_372,
        address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080".to_owned(),
        uri: Some(
            "bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080?amount=0.00067372&label=Maison%20Lumen".to_owned(),
        ),
        progress: None,
        payments: Vec::new(),
        gone_payments: Vec::new(),
        quote: QuoteView {
            cents_per_btc: 6_234_000,
            source: "kraken".to_owned(),
            at: CREATED - 4_000,
        },
        node: NodeView::Ready,
        order_id: Some("A-1001".to_owned()),
    }
}

/// The page of [`view`].
#[must_use]
pub fn page() -> ChargePage {
    ChargePage {
        view: view(),
        merchant: MerchantView {
            id: "0f3a1c52-9b1e-4d3c-8a77-5f2d3c4b5a69".to_owned(),
            name: "Maison Lumen".to_owned(),
            logo_url: None,
            colour: Some([0x3b, 0x5b, 0xdb]),
            site: Some("https://shop.example/".to_owned()),
        },
        lang: Lang::En,
        epoch: "9f2c".to_owned(),
        path: "/app/checkout/0f3a1c52-9b1e-4d3c-8a77-5f2d3c4b5a69/67c0e853-bb77-46ce-ae20-09011299cb22".to_owned(),
        start_again: Some("/app/checkout/0f3a1c52-9b1e-4d3c-8a77-5f2d3c4b5a69?fiat_price_cents=4200".to_owned()),
        explorer: Some("https://explorer.example/tx/{txid}".to_owned()),
        success_url: None,
        back_url: None,
        languages: Lang::ALL.to_vec(),
    }
}

/// A live payment.
#[must_use]
pub fn payment(value_sat: u64, confirmations: u32) -> PaymentView {
    PaymentView {
        txid: "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b".to_owned(),
        vout: 1,
        value_sat,
        confirmations,
        seen_at: CREATED + 3 * 60_000,
    }
}

/// A lost payment.
#[must_use]
pub fn gone(loss: &str) -> GoneView {
    GoneView {
        txid: "9b0fc92260312ce44e74ef369f5c66bb85b6c8a3f1d7e4c5b6a79880f1e2d3c4".to_owned(),
        vout: 0,
        value_sat: 67_372,
        loss: loss.to_owned(),
    }
}

/// Every situation that the page knows, by name.
#[must_use]
pub fn all() -> Vec<(&'static str, ChargeView)> {
    let with = |name, change: fn(&mut ChargeView)| {
        let mut view = view();
        change(&mut view);
        (name, view)
    };
    vec![
        with("waiting", |_| {}),
        with("last-minutes", |v| v.now = EXPIRES - 272_000),
        with("node-away", |v| v.node = NodeView::Away),
        with("node-syncing", |v| v.node = NodeView::Syncing),
        with("waiting-again", |v| v.gone_payments = vec![gone("replaced")]),
        with("partial", |v| {
            ended(v, "seen", Some("underpaid"), 20_000);
            v.remaining_sat = 47_372;
            v.uri = Some(format!("bitcoin:{}?amount=0.00047372&label=Maison%20Lumen", v.address));
        }),
        with("closing", |v| v.now = EXPIRES + 20_000),
        with("seen", |v| {
            ended(v, "seen", None, 67_372);
            v.progress = Some(ProgressView { have: 0, required: 1 });
        }),
        with("seen-1-of-3", |v| {
            ended(v, "seen", None, 67_372);
            v.payments[0].confirmations = 1;
            v.progress = Some(ProgressView { have: 1, required: 3 });
        }),
        with("seen-manual-12-of-100", |v| {
            ended(v, "seen", Some("manual"), 67_372);
            v.progress = Some(ProgressView {
                have: 12,
                required: 100,
            });
        }),
        with("seen-node-away", |v| {
            ended(v, "seen", None, 67_372);
            v.progress = Some(ProgressView { have: 0, required: 1 });
            v.node = NodeView::Away;
        }),
        with("stuck", |v| {
            ended(v, "seen", Some("stuck"), 67_372);
            v.progress = Some(ProgressView { have: 0, required: 1 });
        }),
        with("confirmed", |v| {
            ended(v, "confirmed", Some("exact"), 67_372);
            v.payments[0].confirmations = 1;
        }),
        with("overpaid", |v| {
            ended(v, "confirmed", Some("overpaid"), 87_372);
            v.payments[0].confirmations = 2;
        }),
        with("timedout", |v| {
            v.now = EXPIRES + 3_600_000;
            ended(v, "timedout", None, 0);
        }),
        with("late", |v| ended(v, "failed", Some("late"), 67_372)),
        with("underpaid", |v| {
            ended(v, "failed", Some("underpaid"), 20_000);
            v.remaining_sat = 47_372;
        }),
        with("replaced", |v| {
            ended(v, "failed", Some("replaced"), 0);
            v.gone_payments = vec![gone("replaced")];
        }),
        with("dropped", |v| {
            ended(v, "failed", Some("dropped"), 0);
            v.gone_payments = vec![gone("dropped")];
        }),
        with("reorged", |v| {
            ended(v, "failed", Some("reorged"), 0);
            v.gone_payments = vec![gone("reorged")];
        }),
        with("cancelled", |v| ended(v, "failed", Some("cancelled"), 0)),
        with("failed-unknown", |v| {
            ended(v, "failed", Some("newer-than-this-page"), 0)
        }),
    ]
}

fn ended(view: &mut ChargeView, state: &str, reason: Option<&str>, received_sat: u64) {
    view.sequence = 3;
    view.state = state.to_owned();
    view.reason = reason.map(str::to_owned);
    view.received_sat = received_sat;
    if state == "confirmed" {
        view.confirmed_sat = received_sat;
    }
    view.remaining_sat = view.amount_sat.saturating_sub(received_sat);
    view.uri = None;
    if received_sat > 0 {
        view.payments = vec![payment(received_sat, 0)];
    }
}
