//! Webhooks: from a payment to the shop that is told of it, how many a second, and what one dead shop costs the others.

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::chain::Chain;
use crate::probe;
use crate::row::{Row, at_least, at_most};
use crate::samples::Samples;
use crate::sink::Sink;
use crate::stage::{CENTS, Charge, Stage, create};
use crate::stopwatch::{millis, now, since};

/// The rows.
pub const ROWS: [&str; 3] = ["webhook", "webhook-rate", "webhook-dead"];

const PAYMENTS: usize = 200;
const PROBES: usize = 100;
/// On each of two merchants: a merchant may have no more.
const RECEIVERS: usize = 50;
const ROUNDS: usize = 9;
const PAID_IN_A_ROUND: usize = 50;
/// Of ten receivers.
const LIVING: usize = 9;
/// Webhooks of the receiver that dies, and charges that all of them are told of: 100,000 deliveries.
const DEAD: usize = 40;
const BACKLOG: usize = 2_500;
const COINS: usize = 11_000;

/// Measures them, each on a merchant of its own.
pub async fn measure() -> Result<Vec<Row>> {
    let settings = [
        ("BITPRO_WEBHOOK_ALLOW_HTTP", "true"),
        ("BITPRO_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1"),
    ];
    let mut stage = Stage::on(Chain::start(COINS).await?, 4, &settings).await?;
    Ok(vec![
        latency(&mut stage).await?,
        rate(&mut stage).await?,
        dead(&mut stage).await?,
    ])
}

async fn latency(stage: &mut Stage) -> Result<Row> {
    let mut sink = Sink::start().await?;
    add(stage, 0, "charge:seen", &sink.url("/")).await?;
    let (mut taken, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..PAYMENTS {
        let charge = charge(stage, 0).await?;
        taken.extend(told(stage, &charge, std::slice::from_mut(&mut sink)).await?);
    }
    for _ in 0..PROBES {
        let (called, _) = stage.chain.caller().timed("getblockcount", json!([])).await?;
        calls.push(since(called));
    }
    let taken = Samples::of(taken).context("nothing was measured")?;
    let call = Samples::of(calls).context("nothing was measured")?.median();
    let written = probe::durable_writes(stage.app.folder(), PROBES).await?;
    let write = Samples::of(written).context("nothing was measured")?.median();
    Ok(Row::new("webhook", "sendrawtransaction called to the webhook at its receiver", "ms")
        .latency(&taken)
        .beside("one RPC call and one fdatasync", call + write)
        .bars([at_most("p99", 100.0)], [at_most("p99", 10.0)])
        .note("the bars are for the way from the commit; this is longer by the node's and the watcher's part, the figure `socket`"))
}

async fn rate(stage: &mut Stage) -> Result<Row> {
    let mut sinks = Vec::new();
    for merchant in [1, 2] {
        for _ in 0..RECEIVERS {
            let sink = Sink::start().await?;
            add(stage, merchant, "charge:confirmed", &sink.url("/")).await?;
            sinks.push(sink);
        }
    }
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        for index in 0..2 * PAID_IN_A_ROUND {
            let charge = charge(stage, 1 + index % 2).await?;
            let payment = stage.chain.payment(&charge.script, charge.sats)?;
            stage.chain.caller().send(&payment).await?;
        }
        stage.chain.node.mine(1).await?;
        let (mut first, mut last) = (None, None);
        for sink in &mut sinks {
            for _ in 0..PAID_IN_A_ROUND {
                let came = Some(sink.next().await?);
                first = first.map_or(came, |first| Some(first).min(came));
                last = last.max(came);
            }
        }
        let (first, last) = first.zip(last).context("nobody was told")?;
        let told = f64::from(u32::try_from(sinks.len() * PAID_IN_A_ROUND)?);
        rates.push(told / (millis(last.saturating_duration_since(first)) / 1_000.0));
    }
    let rates = Samples::of(rates).context("nothing was measured")?;
    let written = probe::durable_writes(stage.app.folder(), PROBES).await?;
    let write = Samples::of(written).context("nothing was measured")?.median();
    Ok(Row::new(
        "webhook-rate",
        "webhooks delivered per second, each attempt recorded",
        "1/s",
    )
    .rates(&rates)
    .beside("fdatasyncs per second", 1_000.0 / write)
    .bars([at_least("p50", 2_000.0)], [at_least("p50", 10_000.0)])
    .note(format!(
        "{} receivers, {PAID_IN_A_ROUND} charges for each confirmed by one block; from the first arrival to the last",
        sinks.len()
    )))
}

async fn dead(stage: &mut Stage) -> Result<Row> {
    let mut sinks = Vec::new();
    for _ in 0..LIVING {
        let sink = Sink::start().await?;
        add(stage, 3, "charge:seen", &sink.url("/")).await?;
        sinks.push(sink);
    }
    let tenth = Sink::start().await?;
    for index in 0..DEAD {
        add(stage, 3, "charge:seen", &tenth.url(&format!("/{index}"))).await?;
    }
    // As many payments go before both, so that nothing but the dead receiver is between them.
    fill(stage, &mut sinks).await?;
    let before = living(stage, &mut sinks).await?;
    tenth.die();
    let filling = now();
    fill(stage, &mut sinks).await?;
    let filled = since(filling) / 1_000.0;
    let after = living(stage, &mut sinks).await?;
    let (worst_before, worst_after) = (median_of_p99(&before)?, median_of_p99(&after)?);
    Ok(Row::new(
        "webhook-dead",
        "the same to nine receivers beside one dead with a backlog",
        "ms",
    )
    .number("p99", worst_after)
    .number("p50", median_of_p50(&after)?)
    .beside("p99 while the tenth lived", worst_before)
    .bars([at_most("p99", 1.1 * worst_before)], [at_most("p99", worst_before)])
    .note(format!(
        "medians of {ROUNDS} rounds; {} deliveries wait for the dead one, made in {filled:.0} s; p50 while it lived {:.2} ms",
        DEAD * BACKLOG,
        median_of_p50(&before)?
    )))
}

/// As many payments as the backlog is made of, told to every one of `sinks`.
async fn fill(stage: &mut Stage, sinks: &mut [Sink]) -> Result<()> {
    for _ in 0..BACKLOG {
        let charge = charge(stage, 3).await?;
        let payment = stage.chain.payment(&charge.script, charge.sats)?;
        stage.chain.caller().send(&payment).await?;
    }
    for sink in sinks {
        for _ in 0..BACKLOG {
            sink.next().await?;
        }
    }
    Ok(())
}

/// One round that the machine disturbed says nothing of the receivers.
fn median_of_p99(rounds: &[Samples]) -> Result<f64> {
    let all = Samples::of(rounds.iter().map(Samples::p99).collect()).context("nothing was measured")?;
    Ok(all.median())
}

fn median_of_p50(rounds: &[Samples]) -> Result<f64> {
    let all = Samples::of(rounds.iter().map(Samples::median).collect()).context("nothing was measured")?;
    Ok(all.median())
}

/// Payments one after the other, each told to every receiver. What was paid before is in a block by then: a mempool full of
/// payments would cost more than a dead receiver.
async fn living(stage: &mut Stage, sinks: &mut [Sink]) -> Result<Vec<Samples>> {
    stage.chain.node.mine(1).await?;
    let first = charge(stage, 3).await?;
    told(stage, &first, sinks).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut taken = Vec::new();
        for _ in 0..PAID_IN_A_ROUND {
            let charge = charge(stage, 3).await?;
            taken.extend(told(stage, &charge, sinks).await?);
        }
        rounds.push(Samples::of(taken).context("nothing was measured")?);
    }
    Ok(rounds)
}

/// Milliseconds from the call of the node until each of `sinks` is told.
async fn told(stage: &mut Stage, charge: &Charge, sinks: &mut [Sink]) -> Result<Vec<f64>> {
    let payment = stage.chain.payment(&charge.script, charge.sats)?;
    let called = stage.chain.caller().send(&payment).await?;
    let mut taken = Vec::with_capacity(sinks.len());
    for sink in sinks {
        taken.push(millis(sink.next().await?.saturating_duration_since(called)));
    }
    Ok(taken)
}

async fn charge(stage: &Stage, merchant: usize) -> Result<Charge> {
    let mut connection = stage.connect().await?;
    let path = create(&mut connection, &stage.link(merchant, CENTS)).await?;
    crate::stage::read(&mut connection, path).await
}

async fn add(stage: &Stage, merchant: usize, state: &str, url: &str) -> Result<()> {
    stage
        .app
        .run(&["webhook", "add", &stage.merchants[merchant], state, url])
        .await?;
    Ok(())
}
