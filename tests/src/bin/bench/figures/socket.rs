//! From a transaction that is handed to the node to bytes on an open stream.

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::probe;
use crate::row::{Row, at_most};
use crate::samples::Samples;
use crate::stage::{CENTS, Stage};
use crate::stopwatch::{millis, since};

/// The rows.
pub const ROWS: [&str; 1] = ["socket"];

const ROUNDS: usize = 300;
const PROBES: usize = 100;

/// Measures it.
pub async fn measure() -> Result<Vec<Row>> {
    let mut stage = Stage::start(ROUNDS + 10, 1).await?;
    let mut measured = Vec::with_capacity(ROUNDS);
    let (mut writes, mut calls) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        if round % (ROUNDS / 3) == 0 {
            writes.extend(probe::durable_writes(stage.app.folder(), PROBES).await?);
            for _ in 0..PROBES {
                let (called, _) = stage.chain.caller().timed("getblockcount", json!([])).await?;
                calls.push(since(called));
            }
        }
        let charge = stage.charge(CENTS).await?;
        let mut events = stage.listen(&charge).await?;
        let payment = stage.chain.payment(&charge.script, charge.sats)?;
        let (called, came) = tokio::join!(stage.chain.caller().send(&payment), events.until(b"\"state\":\"seen\""));
        measured.push(millis(came?.saturating_duration_since(called?)));
    }
    let samples = Samples::of(measured).context("nothing was measured")?;
    let write = Samples::of(writes).context("nothing was measured")?;
    let call = Samples::of(calls).context("nothing was measured")?;
    let row = Row::new("socket", "sendrawtransaction called to bytes on the stream", "ms")
        .latency(&samples)
        .beside("one RPC call and one fdatasync", call.median() + write.median())
        .bars([at_most("p99", 50.0)], [at_most("p50", 3.0), at_most("p99", 15.0)])
        .note(format!(
            "RPC call p50 {:.2} ms, p99 {:.2} ms; fdatasync p50 {:.2} ms, p99 {:.2} ms",
            call.median(),
            call.p99(),
            write.median(),
            write.p99()
        ));
    Ok(vec![row])
}
