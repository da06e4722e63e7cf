//! The wallet and miner's JSON API: what the buttons of its page press, and browser tests too.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bitcoin::{Amount, Txid};
use bitpro_tests::rpc::RpcError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ledger::Sent;
use crate::stage::Stage;

/// Why a press did nothing.
struct Refused(anyhow::Error);

type Answer = Result<Json<Value>, Refused>;

#[derive(Deserialize)]
struct Pay {
    /// An address, or a `bitcoin:` link with an amount.
    to: String,
    /// How much of what is asked for.
    share: Option<Share>,
    /// How much in satoshis; goes before `share`.
    sats: Option<u64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Share {
    All,
    Half,
    TooMuch,
}

#[derive(Deserialize)]
struct OfPayment {
    txid: Txid,
}

#[derive(Deserialize)]
struct Blocks {
    blocks: Option<u32>,
}

#[derive(Deserialize)]
struct Time {
    secs: u64,
}

/// A link that the shop's server would sign.
#[derive(Deserialize)]
struct Link {
    merchant: String,
    cents: u64,
    order: String,
}

#[derive(Deserialize)]
struct NodeSwitch {
    running: bool,
}

/// A charge that waits for money.
#[derive(Serialize)]
struct OpenCharge {
    id: String,
    order: Option<String>,
    price: String,
    state: String,
    address: String,
    remaining_sat: u64,
}

/// The API under `/api`; `for_tests` adds what a person has no button for.
pub fn api(stage: Arc<Stage>, for_tests: bool) -> Router {
    let mut api = Router::new()
        .route("/api/state", get(state))
        .route("/api/pay", post(pay))
        .route("/api/replace", post(replace))
        .route("/api/double-spend", post(double_spend))
        .route("/api/mine", post(mine))
        .route("/api/undo", post(undo));
    if for_tests {
        api = api
            .route("/api/advance", post(advance))
            .route("/api/node", post(switch_node))
            .route("/api/sign", post(sign));
    }
    api.with_state(stage)
}

impl Stage {
    async fn status(&self, sent: &Sent) -> Result<(String, bool)> {
        if sent.taken_back {
            return Ok(("taken back".to_owned(), false));
        }
        let known: Value = self
            .pair
            .read()
            .await
            .wallet
            .rpc()
            .call("gettransaction", json!([sent.txid]))
            .await?;
        Ok(match known["confirmations"].as_i64() {
            Some(0) => ("waiting for a block".to_owned(), true),
            Some(1) => ("1 confirmation".to_owned(), false),
            Some(depth) if depth > 0 => (format!("{depth} confirmations"), false),
            _ => ("lost to a conflicting transaction".to_owned(), false),
        })
    }

    /// Where to pay, and how much is asked for, of an address or a link.
    async fn asked(&self, to: &str) -> Result<(String, Option<u64>)> {
        let to = to.trim();
        let Some((scheme, rest)) = to.split_once(':') else {
            let charges = self.charges().await?;
            let open: Vec<OpenCharge> = charges.iter().filter_map(OpenCharge::read).collect();
            let charge = open.iter().find(|charge| charge.address == to);
            return Ok((to.to_owned(), charge.map(|charge| charge.remaining_sat)));
        };
        if !scheme.eq_ignore_ascii_case("bitcoin") {
            bail!("{scheme}: is no link to pay bitcoin");
        }
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let amount = query.split('&').find_map(|pair| pair.strip_prefix("amount="));
        let sats = match amount {
            Some(text) => Some(Amount::from_str_in(text, bitcoin::Denomination::Bitcoin)?.to_sat()),
            None => None,
        };
        Ok((address.to_owned(), sats))
    }
}

impl OpenCharge {
    fn read(charge: &Value) -> Option<Self> {
        let text = |name: &str| charge[name].as_str().map(str::to_owned);
        let state = text("state")?;
        let remaining_sat = charge["remaining_sat"].as_u64()?;
        (matches!(state.as_str(), "pending" | "seen") && remaining_sat > 0).then_some(Self {
            id: text("id")?,
            order: text("order_id"),
            price: charge["fiat_price_cents"]
                .as_u64()
                .map(|cents| format!("€{}.{:02}", cents / 100, cents % 100))?,
            state,
            address: text("address")?,
            remaining_sat,
        })
    }
}

async fn state(State(stage): State<Arc<Stage>>) -> Answer {
    let pair = stage.pair.read().await;
    let tip = pair.shopper.tip().await?;
    let mempool = pair.shopper.mempool().await?.len();
    let balance = pair.wallet.balance().await?;
    drop(pair);
    let listed = stage.charges().await?;
    let mut charges: Vec<OpenCharge> = listed.iter().filter_map(OpenCharge::read).collect();
    charges.retain(|charge| !stage.examples.plays(&charge.id));
    let examples = stage.examples.shown(&listed);
    let mut payments = Vec::new();
    for sent in stage.ledger.list() {
        let (status, open) = stage.status(&sent).await?;
        payments.push(json!({
            "txid": sent.txid, "address": sent.address, "sats": sent.sats, "status": status, "open": open,
        }));
    }
    Ok(Json(json!({
        "height": tip.height, "mempool": mempool, "balance_sat": balance.to_sat(), "charges": charges, "payments": payments, "examples": examples,
    })))
}

async fn pay(State(stage): State<Arc<Stage>>, Json(order): Json<Pay>) -> Answer {
    let (address, asked) = stage.asked(&order.to).await?;
    let sats = match (order.sats, asked, order.share.unwrap_or(Share::All)) {
        (Some(sats), _, _) => sats,
        (None, Some(asked), Share::All) => asked,
        (None, Some(asked), Share::Half) => asked / 2,
        (None, Some(asked), Share::TooMuch) => asked.saturating_add(asked / 2),
        (None, None, _) => {
            return Err(anyhow::anyhow!(
                "nothing is asked for at this address: paste the whole bitcoin: link, or open a charge first"
            )
            .into());
        }
    };
    let txid = stage.pay(&address, sats).await?;
    Ok(Json(
        json!({ "said": format!("Sent {sats} sat."), "txid": txid, "sats": sats }),
    ))
}

async fn replace(State(stage): State<Arc<Stage>>, Json(OfPayment { txid }): Json<OfPayment>) -> Answer {
    let new = stage.pair.read().await.wallet.bump_fee(txid).await?;
    stage.ledger.replace(txid, new);
    Ok(Json(
        json!({ "said": format!("Replaced by {new}, with a higher fee."), "txid": new }),
    ))
}

async fn double_spend(State(stage): State<Arc<Stage>>, Json(OfPayment { txid }): Json<OfPayment>) -> Answer {
    let conflict = stage.take_back(txid).await?;
    Ok(Json(
        json!({ "said": format!("Taken back by {conflict}."), "txid": conflict }),
    ))
}

async fn mine(State(stage): State<Arc<Stage>>, Json(order): Json<Blocks>) -> Answer {
    let blocks = order.blocks.unwrap_or(1);
    let pair = stage.pair.read().await;
    pair.mine(blocks).await?;
    let tip = pair.server.tip().await?;
    Ok(Json(
        json!({ "said": format!("Mined; the height is {}.", tip.height), "height": tip.height }),
    ))
}

async fn undo(State(stage): State<Arc<Stage>>, Json(order): Json<Blocks>) -> Answer {
    let blocks = order.blocks.unwrap_or(1);
    let pair = stage.pair.read().await;
    let tip = pair.server.undo(blocks).await?;
    pair.agree().await?;
    Ok(Json(
        json!({ "said": format!("A longer branch has taken over; its tip is {tip}."), "tip": tip }),
    ))
}

async fn advance(State(stage): State<Arc<Stage>>, Json(Time { secs }): Json<Time>) -> Answer {
    stage.pair.read().await.advance_secs(secs).await?;
    Ok(Json(json!({ "said": format!("It is {secs} seconds later.") })))
}

/// The signature and the expiry of a link, for the attributes of a trigger.
async fn sign(State(stage): State<Arc<Stage>>, Json(link): Json<Link>) -> Answer {
    let cents = link.cents.to_string();
    let arguments = [
        "link",
        "sign",
        &link.merchant,
        "--fiat-price-cents",
        &cents,
        "--external-order-id",
        &link.order,
        "--json",
    ];
    let said = stage.app.read().await.run(&arguments).await?;
    let signed: Value = serde_json::from_str(&said).context("the link is not signed as JSON")?;
    Ok(Json(json!({ "sig": signed["sig"], "exp": signed["exp"] })))
}

async fn switch_node(State(stage): State<Arc<Stage>>, Json(order): Json<NodeSwitch>) -> Answer {
    let mut pair = stage.pair.write().await;
    if order.running {
        pair.server.start_again().await?;
        pair.join().await?;
    } else {
        pair.server.stop().await?;
    }
    Ok(Json(
        json!({ "said": if order.running { "The node runs." } else { "The node is stopped." } }),
    ))
}

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // What the node itself said is what a person can act on.
        let said = match self.0.downcast_ref::<RpcError>() {
            Some(refusal) => refusal.message.clone(),
            None => format!("{:#}", self.0),
        };
        (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": said }))).into_response()
    }
}
