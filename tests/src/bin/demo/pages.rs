//! The demo's own pages: the shop, and the page that plays wallet and miner.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::response::IntoResponse;
use axum::routing::get;

const SHOP: &str = include_str!("shop.html");
const SHOP_SCRIPT: &str = include_str!("shop.js");
const WALLET: &str = include_str!("wallet.html");
const WALLET_SCRIPT: &str = include_str!("wallet.js");
const STYLE: &str = include_str!("demo.css");

/// The script tag that a shop puts into its page. The demo says what became of it, for the loader may still be under way.
const LOADER: &str =
    r#"<script data-loader src="{{SERVER}}/libs/iframeBuilderV1.min.js" onerror="this.dataset.missing = ''"></script>"#;

/// The addresses that the pages link to. All are made by the demo itself, so they need no escaping.
#[derive(Debug, Clone)]
pub struct Places {
    /// The checkout server.
    pub server: String,
    /// The shop.
    pub shop: String,
    /// The wallet.
    pub wallet: String,
    /// The direct link.
    pub checkout: String,
    /// The demo's merchant.
    pub merchant_id: String,
}

/// The shop's pages.
pub fn shop(places: Places) -> Router {
    let places = Arc::new(places);
    let orders = Arc::new(AtomicU32::new(1001));
    let page = move |headers: HeaderMap| {
        // Each visit is an order of its own: a paid one would only show its outcome (R22).
        let order = format!("A-{}", orders.fetch_add(1, Ordering::Relaxed));
        // A shop without TLS may frame the checkout on this machine only; elsewhere its buttons are links.
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default();
        let loader = if host.starts_with("127.0.0.1:") { LOADER } else { "" };
        let html = places
            .fill(&SHOP.replace("{{LOADER}}", loader))
            .replace("{{ORDER}}", &order);
        async { sent("text/html; charset=utf-8", html) }
    };
    Router::new()
        .route("/", get(page))
        .route("/shop.js", get(|| async { sent("text/javascript", SHOP_SCRIPT) }))
        .route("/demo.css", get(|| async { sent("text/css", STYLE) }))
}

/// The wallet's page, without what its buttons do.
pub fn wallet(places: Places) -> Router {
    let html = places.fill(WALLET);
    Router::new()
        .route("/", get(move || async { sent("text/html; charset=utf-8", html) }))
        .route("/wallet.js", get(|| async { sent("text/javascript", WALLET_SCRIPT) }))
        .route("/demo.css", get(|| async { sent("text/css", STYLE) }))
}

impl Places {
    fn fill(&self, page: &str) -> String {
        [
            ("{{SERVER}}", &self.server),
            ("{{SHOP}}", &self.shop),
            ("{{WALLET}}", &self.wallet),
            ("{{CHECKOUT}}", &self.checkout),
            ("{{MERCHANT}}", &self.merchant_id),
        ]
        .iter()
        .fold(page.to_owned(), |page, (mark, address)| page.replace(mark, address))
    }
}

fn sent(kind: &'static str, body: impl IntoResponse) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], body)
}
