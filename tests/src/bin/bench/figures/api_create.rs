//! Charges created by the merchant API: signed, each durable before its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use bitpro_tests::Api;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::probe;
use crate::row::{Row, at_least};
use crate::samples::Samples;
use crate::stage::{CENTS, Stage};
use crate::stopwatch::{now, since};

/// The rows.
pub const ROWS: [&str; 2] = ["api-create", "api-create-64"];

const ROUNDS: usize = 9;
const CLIENTS: usize = 64;
const TOGETHER: usize = 1_000;
const ONE_BY_ONE: usize = 30;

/// Measures them.
pub async fn measure() -> Result<Vec<Row>> {
    let stage = Stage::start(10, 1).await?;
    let api = Api::add(&stage.app, &stage.merchants[0], "charges:write").await?;
    let body = json!({ "fiat_price_cents": CENTS }).to_string();
    let (mut one, mut many, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.extend(one_by_one(&stage, signed(&stage, &api, &body, ONE_BY_ONE)?).await?);
        many.push(together(&stage, signed(&stage, &api, &body, TOGETHER)?).await?);
        written.extend(probe::durable_writes(stage.app.folder(), ONE_BY_ONE).await?);
    }
    let one = Samples::of(one).context("nothing was measured")?;
    let many = Samples::of(many).context("nothing was measured")?;
    let write = Samples::of(written).context("nothing was measured")?.median();
    Ok(vec![
        Row::new("api-create", "a charge created by the API, 1 client", "ms")
            .latency(&one)
            .beside("one fdatasync", write),
        Row::new(
            "api-create-64",
            "charges created by the API per second, 64 clients, durable",
            "1/s",
        )
        .rates(&many)
        .beside("fdatasyncs per second", 1_000.0 / write)
        .bars([at_least("p50", 3_000.0)], [at_least("p50", 15_000.0)])
        .note("requests are signed ahead, answers while the clock runs; the bars are those of payment links"),
    ])
}

/// Milliseconds of each.
async fn one_by_one(stage: &Stage, requests: Vec<Vec<u8>>) -> Result<Vec<f64>> {
    let mut connection = stage.connect().await?;
    let mut taken = Vec::with_capacity(requests.len());
    for request in requests {
        let start = now();
        connection.exchange(&request).await?.expect(201)?;
        taken.push(since(start));
    }
    Ok(taken)
}

/// Whole requests, each with a nonce of its own.
fn signed(stage: &Stage, api: &Api, body: &str, count: usize) -> Result<Vec<Vec<u8>>> {
    let mut requests = Vec::with_capacity(count);
    for _ in 0..count {
        let signed = api.sign(Method::POST, "/mapi/charges", body, stage.app.now_secs())?;
        let mut request = format!("POST /mapi/charges HTTP/1.1\r\nhost: {}\r\n", api.host());
        for (name, value) in &signed.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        requests.push(request.into_bytes());
    }
    Ok(requests)
}

/// How many a second are made.
async fn together(stage: &Stage, requests: Vec<Vec<u8>>) -> Result<f64> {
    let count = f64::from(u32::try_from(requests.len())?);
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        connections.push(stage.connect().await?);
    }
    let start = now();
    let mut at_work = JoinSet::new();
    for mut connection in connections {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        at_work.spawn(async move {
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                connection.exchange(request).await?.expect(201)?;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(done) = at_work.join_next().await {
        done??;
    }
    Ok(count / (since(start) / 1_000.0))
}
