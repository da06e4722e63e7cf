//! The page of a transaction, where the checkout's links to an explorer lead: what the shopper's node knows of it.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use bitcoin::Txid;
use serde_json::{Value, json};

use crate::stage::Stage;

const PAGE: &str = include_str!("explorer.html");

/// `/tx/{txid}`.
pub fn pages(stage: Arc<Stage>) -> Router {
    Router::new().route("/tx/{txid}", get(show)).with_state(stage)
}

async fn show(State(stage): State<Arc<Stage>>, Path(txid): Path<Txid>) -> Response {
    match page(&stage, txid).await {
        Ok(page) => Html(page).into_response(),
        Err(_) => (StatusCode::NOT_FOUND, "The shopper's node knows no such transaction.").into_response(),
    }
}

/// All that stands in it was made by the node: numbers, hexadecimal digits and addresses, which need no escaping.
async fn page(stage: &Stage, txid: Txid) -> Result<String> {
    let pair = stage.pair.read().await;
    let known: Value = pair
        .wallet
        .rpc()
        .call("gettransaction", json!([txid, null, true]))
        .await?;
    let outputs = known["decoded"]["vout"]
        .as_array()
        .context("a transaction without outputs")?;
    let mut rows = String::new();
    for output in outputs {
        let address = output["scriptPubKey"]["address"].as_str().unwrap_or("no address");
        write!(
            rows,
            "<li><p>{} BTC</p><p class=\"mono\">to {address}</p></li>",
            output["value"]
        )?;
    }
    let status = match known["confirmations"].as_i64().unwrap_or_default() {
        0 => "It is in no block yet.".to_owned(),
        1 => "It has 1 confirmation.".to_owned(),
        depth if depth > 0 => format!("It has {depth} confirmations."),
        _ => "A conflicting transaction has taken its place.".to_owned(),
    };
    let block = known["blockhash"].as_str().unwrap_or("none");
    Ok(PAGE
        .replace("{{TXID}}", &txid.to_string())
        .replace("{{STATUS}}", &status)
        .replace("{{BLOCK}}", block)
        .replace("{{OUTPUTS}}", &rows))
}
