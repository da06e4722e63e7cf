//! The front door: what this instance is. Whoever looks for a shop's checkout has come to the wrong place.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};

use crate::app::App;
use crate::web::headers::{Framing, Nonce, page_policy};

/// `GET /`
pub async fn show(State(app): State<App>) -> Response {
    let network = app.charges.network();
    let kind = if network.is_sandbox() {
        format!("This is a sandbox: it runs on {network}, where coins are worth nothing.")
    } else {
        "It runs on the Bitcoin main network.".to_owned()
    };
    let nonce = Nonce::new(app.rng.bytes());
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>Bitpro Checkout</title><style nonce=\"{}\">{STYLES}</style></head>\
         <body><main><h1>Bitpro Checkout</h1><p>A self-hosted Bitcoin checkout. {kind}</p>\
         <p>Shoppers come here by the button of a shop. If you were sent here to pay, go back to the shop and press it \
         again.</p></main></body></html>",
        nonce.as_str()
    );
    let mut response = html.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        page_policy(&nonce, &Framing::nobody(), false),
    );
    response
}

const STYLES: &str = ":root{color-scheme:light dark;font-family:system-ui,sans-serif;line-height:1.5}\
                      body{margin:0}main{max-width:32rem;margin:12vh auto;padding:0 1.25rem}h1{font-size:1.5rem}";
