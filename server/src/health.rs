//! What the operator's machines ask: whether the process lives, whether it can sell, and figures.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bitpro_charge::State as ChargeState;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::app::App;
use crate::limits::is_proxied;
use crate::node::ChargesPort as _;
use crate::web::{Context, Problem};

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The answer of `/readyz`.
#[derive(Debug, Serialize)]
struct Readiness {
    /// `ready`, `degraded`, `unavailable`.
    status: &'static str,
    parts: Vec<Part>,
}

/// One part that the server depends on.
#[derive(Debug, Serialize)]
struct Part {
    name: &'static str,
    ok: bool,
    says: String,
}

/// `GET /readyz`: 503 only when charges cannot be stored; a node that is away is no reason to send shoppers away (R39).
pub async fn ready(State(app): State<App>) -> Response {
    let stores = app.charges.is_writable().await && !app.closing.is_cancelled();
    let mut parts = parts(&app, stores);
    parts.extend(hole(&app).await);
    let status = match (stores, parts.iter().all(|part| part.ok)) {
        (false, _) => "unavailable",
        (true, false) => "degraded",
        (true, true) => "ready",
    };
    let code = if stores {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = serde_json::to_vec(&Readiness { status, parts }).expect("texts and flags always serialize");
    let json = HeaderValue::from_static("application/json");
    (code, [(header::CONTENT_TYPE, json)], body).into_response()
}

fn parts(app: &App, stores: bool) -> Vec<Part> {
    let node = app.node.borrow();
    let fresh = app.rates.fresh(app.clock.now());
    let part = |name, ok, says: String| Part { name, ok, says };
    let yes_or = |ok: bool, no: &str| if ok { "ok".to_owned() } else { no.to_owned() };
    let unscanned = app.charges.scans_wanted().len();
    let awaited = format!("{unscanned} descriptors wait for the node to look for addresses that were used already");
    vec![
        part("store", stores, yes_or(stores, "charges cannot be stored")),
        part("node", node.is_well(), node.condition.to_string()),
        part("zmq", node.zmq != crate::node::ZmqState::Silent, node.zmq.to_string()),
        part("wallets", unscanned == 0, yes_or(unscanned == 0, &awaited)),
        part(
            "rate",
            fresh.is_some(),
            yes_or(fresh.is_some(), "there is no fresh exchange rate"),
        ),
    ]
}

/// Blocks that could not be read, if there are any. A charge's id is its shopper's capability (R23), so here they are counted only.
async fn hole(app: &App) -> Option<Part> {
    let hole = app.node.borrow().hole?;
    let charges = match app.charges.unread().await {
        Ok(unread) => unread.map_or(0, |unread| unread.charges.len()).to_string(),
        Err(_) => "an unknown number of".to_owned(),
    };
    let says = format!(
        "blocks {} to {} could not be read and were not vouched for; {charges} charges were open meanwhile and are not judged: \
         `bitpro charge unread` lists them",
        hole.from, hole.to
    );
    Some(Part {
        name: "hole",
        ok: false,
        says,
    })
}

/// `GET /metrics`, for Prometheus.
pub async fn metrics(State(app): State<App>, context: Context, request: Request) -> Response {
    if !may_read(&app, context.client, &request) {
        let problem = Problem {
            status: StatusCode::FORBIDDEN,
            code: "forbidden",
            title: "The metrics are for the networks of metrics_allow.".to_owned(),
            retry_after: None,
            request: context.id,
        };
        return problem.into_response();
    }
    let Some(prometheus) = &app.metrics else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match app.charges.count_by_state().await {
        Ok(counts) => record_charges(&counts),
        Err(error) => tracing::warn!(%error, "charges could not be counted for the metrics"),
    }
    record_gauges(&app);
    app.rates.record_metrics(app.clock.now());
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, text)], prometheus.render()).into_response()
}

/// A request that a proxy passed on comes from the proxy's client, who is known only when the proxy is trusted.
fn may_read(app: &App, client: IpAddr, request: &Request) -> bool {
    let peer = request.extensions().get::<crate::web::Peer>();
    let is_direct = peer.is_none_or(|peer| peer.0.ip().to_canonical() == client);
    let hides_somebody = is_direct && is_proxied(request.headers());
    !hides_somebody && app.metrics_allow.iter().any(|network| network.contains(&client))
}

fn record_charges(counts: &[(ChargeState, u64)]) {
    for state in ChargeState::ALL {
        let count = counts
            .iter()
            .find(|(counted, _)| *counted == state)
            .map_or(0, |(_, count)| *count);
        metrics::gauge!("bitpro_charges", "state" => state.as_str()).set(as_float(count));
    }
}

fn record_gauges(app: &App) {
    let node = app.node.borrow();
    let streams = u64::try_from(app.limits.streams.total()).unwrap_or(u64::MAX);
    metrics::gauge!("bitpro_streams_open").set(as_float(streams));
    if let Some(tip) = node.tip {
        metrics::gauge!("bitpro_tip_height").set(f64::from(tip.height));
        let behind = node.node_height.map_or(0, |height| height.saturating_sub(tip.height));
        metrics::gauge!("bitpro_watcher_blocks_behind").set(f64::from(behind));
    }
    if let Some(until) = node.observed_until {
        let lag = app.clock.now().0.saturating_sub(until.0).max(0);
        let lag = Duration::from_millis(lag.unsigned_abs());
        metrics::gauge!("bitpro_watcher_lag_seconds").set(lag.as_secs_f64());
    }
}

/// Prometheus knows only floats; figures beyond 2^53 are not to be expected.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a figure for a chart")]
const fn as_float(count: u64) -> f64 {
    count as f64
}
