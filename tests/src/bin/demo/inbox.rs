//! What the shop's server is told by webhooks: verified, compared with its own orders, and shown on the shop's page.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use bitpro_charge::Announcement;
use bitpro_service::webhooks::is_genuine;
use bitpro_tests::{App, Merchant};
use serde::Serialize;
use serde_json::Value;

use crate::examples;

/// The shop's own prices, by the end of an order id.
const PRICES: [(&str, u64); 3] = [("-1", 4_200), ("-2", 125_000), ("-3", 6_500)];
/// Deliveries on the page.
const SHOWN: usize = 20;

/// A delivery that came in with a true signature.
#[derive(Debug, Clone, Serialize)]
struct Told {
    id: String,
    kind: String,
    order: Option<String>,
    price_cents: u64,
    /// What the shop makes of it.
    says: &'static str,
}

/// The inbox. A cheap handle.
#[derive(Clone, Default)]
pub struct Inbox(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    secrets: Vec<String>,
    /// The latest first.
    told: Vec<Told>,
}

impl Inbox {
    /// Has the server tell everything to the shop at `shop`.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn subscribe(&self, app: &App, merchant: &Merchant, shop: &str) -> Result<()> {
        let url = format!("{shop}/hooks");
        for state in Announcement::ALL.map(Announcement::as_str) {
            let said = app
                .run(&["webhook", "add", &merchant.id, state, &url, "--json"])
                .await?;
            let made: Value = serde_json::from_str(&said)?;
            let secret = made["secret"].as_str().context("a webhook without a secret")?;
            self.locked().secrets.push(secret.to_owned());
        }
        Ok(())
    }

    /// Where deliveries come in, and where the page reads them.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/hooks", post(take))
            .route("/hooks", get(list))
            .with_state(self.clone())
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Nothing that holds the lock can leave the lists half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn list(State(inbox): State<Inbox>) -> Json<Vec<Told>> {
    Json(inbox.locked().told.clone())
}

async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let id = header("webhook-id").to_owned();
    let (timestamp, signature) = (header("webhook-timestamp"), header("webhook-signature"));
    let mut kept = inbox.locked();
    let is_ours = |secret: &String| is_genuine(secret, &id, timestamp, &body, signature);
    if !kept.secrets.iter().any(is_ours) {
        return StatusCode::UNAUTHORIZED;
    }
    // An event comes at least once.
    if !kept.told.iter().any(|told| told.id == id) {
        let delivery: Value = serde_json::from_slice(&body).unwrap_or_default();
        kept.told.insert(0, Told::of(id, &delivery));
        kept.told.truncate(SHOWN);
    }
    StatusCode::OK
}

impl Told {
    fn of(id: String, delivery: &Value) -> Self {
        let charge = &delivery["event"]["data"];
        let order = charge["external_order_id"].as_str().map(str::to_owned);
        let price_cents = charge["fiat_price_cents"].as_u64().unwrap_or_default();
        let own = order.as_deref().and_then(|order| {
            let sold = PRICES.iter().find(|(end, _)| order.ends_with(end));
            sold.map(|(_, price)| *price).or_else(|| examples::price_of(order))
        });
        let says = match own {
            _ if delivery["test"] == true => "a test",
            None => "no order of ours: nothing to ship",
            Some(price) if price != price_cents => "refused: the price is not our order's",
            Some(_) if charge["state"] == "confirmed" => "ship it",
            Some(_) => "noted",
        };
        Self {
            id,
            kind: delivery["event"]["type"].as_str().unwrap_or_default().to_owned(),
            order,
            price_cents,
            says,
        }
    }
}
