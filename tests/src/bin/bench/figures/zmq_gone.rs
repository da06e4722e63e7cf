//! How late a payment is noticed when the node's notifications are cut off.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bitpro_tests::Relay;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::chain::Chain;
use crate::row::{Row, at_most};
use crate::samples::Samples;
use crate::stage::{CENTS, Stage};
use crate::stopwatch::millis;

/// The rows.
pub const ROWS: [&str; 1] = ["zmq-gone"];

const ROUNDS: usize = 20;
const SEED: u64 = 0x0b17_0720;

/// Measures it.
pub async fn measure() -> Result<Vec<Row>> {
    let chain = Chain::start(4 * ROUNDS).await?;
    let [rawtx, sequence] = chain.node.zmq_ports();
    let (rawtx, sequence) = (Relay::to(rawtx).await?, Relay::to(sequence).await?);
    let endpoints = format!("tcp://127.0.0.1:{}, tcp://127.0.0.1:{}", rawtx.port(), sequence.port());
    let mut stage = Stage::on(chain, 1, &[("BITPRO_NODE_ZMQ", &endpoints)]).await?;

    // A row for comparison through the same relays, before they are cut.
    let mut with = Vec::new();
    for _ in 0..ROUNDS {
        with.push(delay(&mut stage).await?);
    }
    rawtx.cut();
    sequence.cut();
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut without = Vec::new();
    for _ in 0..ROUNDS {
        // A poll has its own beat; payments must not fall into step with it.
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..1_000))).await;
        without.push(delay(&mut stage).await?);
    }
    let with = Samples::of(with).context("nothing was measured")?;
    let without = Samples::of(without).context("nothing was measured")?;
    let row = Row::new("zmq-gone", "notifications cut: delay to the stream", "ms")
        .rounds(&without)
        .beside("with notifications", with.median())
        .bars([at_most("max", 5_000.0)], [at_most("max", 1_000.0)])
        .note("the poll's interval is the setting node_poll_ms, here at its default");
    Ok(vec![row])
}

async fn delay(stage: &mut Stage) -> Result<f64> {
    let charge = stage.charge(CENTS).await?;
    let mut events = stage.listen(&charge).await?;
    let payment = stage.chain.payment(&charge.script, charge.sats)?;
    let (called, came) = tokio::join!(stage.chain.caller().send(&payment), events.until(b"\"state\":\"seen\""));
    Ok(millis(came?.saturating_duration_since(called?)))
}
