//! What the operator's machines ask: whether the process lives, whether it can sell, and figures.
//!
//! Strangers are told no more than a load balancer needs. Details and figures are served on a listener of their own, which no
//! proxy leads to.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, middleware};
use bitpro_base::client::is_proxied;
use bitpro_charge::State as ChargeState;
use bitpro_config::host_of;
use bitpro_node::{ChargesPort as _, Condition};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::app::App;
use crate::edge::authority;
use crate::{Peer, Problem, RequestId};

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// What `/readyz` knows.
#[derive(Debug, Serialize)]
struct Readiness {
    /// `ready`, `degraded`, `unavailable`.
    status: &'static str,
    /// Only inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<Part>>,
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
    answered(&app, false).await
}

async fn ready_in_detail(State(app): State<App>) -> Response {
    answered(&app, true).await
}

async fn answered(app: &App, in_detail: bool) -> Response {
    let stores = app.probe.stores(&app.charges, app.clock.as_ref()).await && !app.closing.is_cancelled();
    let mut parts = parts(app, stores);
    parts.extend(differences(app));
    parts.extend(forged_wallets(app));
    let has_hole = app.node.borrow().hole.is_some();
    if in_detail && has_hole {
        parts.extend(hole(app).await);
    }
    let status = match (stores, !has_hole && parts.iter().all(|part| part.ok)) {
        (false, _) => "unavailable",
        (true, false) => "degraded",
        (true, true) => "ready",
    };
    let code = if stores {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let told = Readiness {
        status,
        parts: in_detail.then_some(parts),
    };
    let body = serde_json::to_vec(&told).expect("texts and flags always serialize");
    let json = HeaderValue::from_static("application/json");
    (code, [(header::CONTENT_TYPE, json)], body).into_response()
}

/// What is served at `metrics_listen`.
pub fn inside(app: App) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready_in_detail))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .with_state(app)
}

/// Lets in who is in `metrics_allow` and came by themselves. A request that was passed on, or is for the name that shoppers know, says
/// that somebody has led a proxy here by mistake; one for a name that nobody told us of says that a page in a browser of this
/// machine has led its own name here, to read what comes.
async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.0.ip().to_canonical());
    let is_allowed = peer.is_some_and(|peer| app.metrics_allow.iter().any(|network| network.contains(&peer)));
    let authority = authority(&request);
    let mut public = std::iter::once(&app.public_url).chain(&app.dashboard_url);
    let is_public = authority.is_some_and(|authority| public.any(|url| url.is_named_by(authority)));
    let (status, code, title) = if !is_allowed || is_public || is_proxied(request.headers()) {
        let title = "Only networks in metrics_allow can read this, without a proxy and not under a public name.";
        (StatusCode::FORBIDDEN, "forbidden", title)
    } else if !authority.is_some_and(|authority| is_named_inside(host_of(authority), &app.metrics_hosts)) {
        let title = "This is served only under an IP address, localhost and the names in metrics_hosts.";
        (StatusCode::MISDIRECTED_REQUEST, "unknown-host", title)
    } else {
        return next.run(request).await;
    };
    let problem = Problem {
        status,
        code,
        title: title.to_owned(),
        retry_after: None,
        request: RequestId(0),
    };
    problem.into_response()
}

/// Whether nobody else can have a browser take this host for theirs: an address belongs to no name.
fn is_named_inside(host: &str, names: &[String]) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    address.parse::<IpAddr>().is_ok()
        || std::iter::once("localhost")
            .chain(names.iter().map(String::as_str))
            .any(|name| host.eq_ignore_ascii_case(name))
}

fn parts(app: &App, stores: bool) -> Vec<Part> {
    let node = app.node.borrow();
    let fresh = app.rates.fresh(app.clock.now());
    let part = |name, ok, says: String| Part { name, ok, says };
    let is_hearing = node.hearing == bitpro_node::Hearing::Everything;
    let stale = node.stale_secs(app.clock.moment().outside).filter(|_| is_hearing);
    let yes_or = |ok: bool, no: &str| if ok { "ok".to_owned() } else { no.to_owned() };
    let unscanned = app.charges.scans_wanted().len();
    let awaited =
        format!("{unscanned} descriptors wait for the node to check whether their addresses were used before");
    let clock = app.charges.clock_report();
    let is_clock_right = !app.charges.moment().is_far_ahead();
    let ahead = format!(
        "the latest stored time is {} s ahead of the machine's clock: see `bitpro clock show`",
        clock.ahead_secs
    );
    vec![
        part("store", stores, yes_or(stores, "charges cannot be stored")),
        // A hole is a part of its own: the node may be in step all the same.
        part("node", node.condition == Condition::Ready, node.condition.to_string()),
        part(
            "relay",
            is_hearing && stale.is_none(),
            stale.map_or_else(|| node.hearing.to_string(), bitpro_node::stale),
        ),
        part("zmq", node.zmq != bitpro_node::ZmqState::Silent, node.zmq.to_string()),
        part("clock", is_clock_right, yes_or(is_clock_right, &ahead)),
        part("wallets", unscanned == 0, yes_or(unscanned == 0, &awaited)),
        part(
            "rate",
            fresh.is_some(),
            yes_or(fresh.is_some(), "there is no fresh exchange rate"),
        ),
    ]
}

/// What the last comparison of everything with everything has left, if anything.
fn differences(app: &App) -> Option<Part> {
    let outcome = app.reconciler.last().filter(|outcome| outcome.left > 0)?;
    let says = format!(
        "{} differences between stored data and what it should be: see `bitpro reconcile`",
        outcome.left
    );
    Some(Part {
        name: "reconcile",
        ok: false,
        says,
    })
}

/// Changes of wallets that another hand wrote into the database, if there were any since the start.
fn forged_wallets(app: &App) -> Option<Part> {
    let count = app.accounts.forged_wallets();
    (count > 0).then(|| Part {
        name: "wallet-changes",
        ok: false,
        says: format!(
            "{count} wallet changes were not written by this server and were cancelled: someone changed the database"
        ),
    })
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
async fn metrics(State(app): State<App>) -> Response {
    let Some(prometheus) = &app.metrics else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match app.charges.count_by_state().await {
        Ok(counts) => record_charges(&counts),
        Err(error) => tracing::warn!(%error, "cannot count charges for the metrics"),
    }
    record_gauges(&app);
    app.rates.record_metrics(app.clock.now());
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, text)], prometheus.render()).into_response()
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
    metrics::gauge!("bitpro_connections_open").set(f64::from(app.connections.total()));
    if let Some(tip) = node.tip {
        metrics::gauge!("bitpro_tip_height").set(f64::from(tip.height));
        let behind = node.node_height.map_or(0, |height| height.saturating_sub(tip.height));
        metrics::gauge!("bitpro_watcher_blocks_behind").set(f64::from(behind));
    }
    let lead = app.charges.moment().lead_ms().max(0);
    metrics::gauge!("bitpro_clock_lead_seconds").set(Duration::from_millis(lead.unsigned_abs()).as_secs_f64());
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use bitpro_service::reconcile;
    use bitpro_store::testing::meddle;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::testing::{START, TestApp};

    /// What the listener for the operator answers about readiness.
    async fn readiness(app: &TestApp) -> (StatusCode, serde_json::Value) {
        let request = Request::builder()
            .uri("/readyz")
            .header(header::HOST, "127.0.0.1:9464")
            .extension(Peer("127.0.0.1:40000".parse().unwrap()));
        let request = request.body(Body::empty()).unwrap();
        let answer = inside(app.app.clone()).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn figures_are_told_under_addresses_and_names_that_are_configured_only() {
        let app = TestApp::with_merchant(&[]).await;
        for (hosts, status) in [
            (&["127.0.0.1:9464"][..], 200),
            (&["[::1]:9464"], 200),
            (&["localhost:9464"], 200),
            (&["LOCALHOST."], 200),
            (&["bitpro:9464"], 200),
            (&["evil.example"], 421),
            (&["evil.example.."], 421),
            (&["bitpro.evil.example:9464"], 421),
            (&["127.0.0.1.evil.example"], 421),
            (&["localhost..:9464"], 421),
            (&["localhost", "evil.example"], 421),
            (&[], 421),
        ] {
            for path in ["/metrics", "/readyz", "/healthz"] {
                let mut request = Request::builder()
                    .uri(path)
                    .extension(Peer("127.0.0.1:40000".parse().unwrap()));
                for host in hosts {
                    request = request.header(header::HOST, *host);
                }
                let request = request.body(Body::empty()).unwrap();
                let answer = inside(app.app.clone()).oneshot(request).await.unwrap();
                // Nobody collects metrics in this test.
                let status = if (path, status) == ("/metrics", 200) {
                    404
                } else {
                    status
                };
                assert_eq!(answer.status(), status, "{path} of {hosts:?}");
                if status == 421 {
                    let problem = answer.into_body().collect().await.unwrap().to_bytes();
                    let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
                    assert!(problem["code"] == "unknown-host", "{problem}");
                }
            }
        }
    }

    #[tokio::test]
    async fn r32_readiness_tells_of_a_time_that_ran_ahead_and_charges_are_made_all_the_same() {
        let app = TestApp::with_merchant(&[]).await;
        for (secs, is_right) in [(60, true), (61, false)] {
            app.clock.turn_to(START.plus_secs(secs));
            assert_eq!(app.charges.now(), START.plus_secs(secs));
            app.clock.turn_to(START);
            let (status, told) = readiness(&app).await;
            assert_eq!(status, StatusCode::OK);
            let parts = told["parts"].as_array().unwrap();
            let clock = parts.iter().find(|part| part["name"] == "clock").unwrap();
            assert_eq!(clock["ok"], is_right, "{clock}");
            assert_eq!(
                clock["says"].as_str().unwrap().contains("61 s ahead"),
                !is_right,
                "{clock}"
            );
        }
        app.open("fiat_price_cents=4200").await;
    }

    #[tokio::test]
    async fn r06_a_hole_is_a_part_of_its_own_beside_a_node_that_is_in_step() {
        let app = TestApp::with_merchant(&[]).await;
        let told = async || readiness(&app).await.1;
        let part = |told: &serde_json::Value, name: &str| {
            let parts = told["parts"].as_array().unwrap();
            parts
                .iter()
                .find(|part| part["name"] == name)
                .map(|part| part["ok"].clone())
        };
        let hole = bitpro_node::view::Hole {
            from: 5,
            to: 9,
            since: START,
            until: START,
        };
        app.node.send_modify(|status| {
            status.condition = Condition::Ready;
            status.hole = Some(hole);
        });
        let with_hole = told().await;
        assert_eq!(part(&with_hole, "node"), Some(true.into()), "{with_hole}");
        assert_eq!(part(&with_hole, "hole"), Some(false.into()), "{with_hole}");
        assert_eq!(with_hole["status"], "degraded");
        app.node.send_modify(|status| status.hole = None);
        assert_eq!(part(&told().await, "hole"), None);
    }

    #[tokio::test]
    async fn however_many_ask_the_disk_is_asked_once_in_five_seconds() {
        let app = TestApp::with_merchant(&[]).await;
        let before = app.charges.commits();
        let answers = futures::future::join_all((0..100).map(|_| app.get("/readyz"))).await;
        assert!(answers.iter().all(|answer| answer.status.is_success()));
        assert_eq!(app.charges.commits() - before, 1);
        app.clock.advance_secs(4);
        app.get("/readyz").await;
        assert_eq!(app.charges.commits() - before, 1);
        app.clock.advance_secs(1);
        app.get("/readyz").await;
        assert_eq!(app.charges.commits() - before, 2);
    }

    #[tokio::test]
    async fn readyz_is_degraded_while_a_difference_is_left() {
        let app = TestApp::with_merchant(&[]).await;
        let paid = app.open("fiat_price_cents=4200&order_id=1").await;
        app.pay(&paid).await;
        app.open("fiat_price_cents=100").await;
        let compare = async || app.reconciler.run(reconcile::Request::default()).await.unwrap();
        let reasons = async || readiness(&app).await.1.to_string();
        compare().await;
        assert!(!reasons().await.contains("reconcile"));
        meddle(&app.database(), "UPDATE charges SET is_paid = 0").await;
        compare().await;
        let told = reasons().await;
        assert!(told.contains("1 difference"), "{told}");
        meddle(
            &app.database(),
            "UPDATE charges SET is_paid = 1 WHERE num IN (SELECT charge FROM payments)",
        )
        .await;
        compare().await;
        assert!(!reasons().await.contains("reconcile"));
    }
}
