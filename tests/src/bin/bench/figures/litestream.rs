//! How fast charges are made while Litestream copies the database, and what a lost disk would take along.

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{Litestream, eventually};

use crate::row::{Row, at_least, at_most};
use crate::samples::Samples;
use crate::stage::{CENTS, CHARGES_PER_MERCHANT, Stage, create};
use crate::stopwatch::{now, since};

/// The rows.
pub const ROWS: [&str; 2] = ["litestream-create-64", "litestream-behind"];

const ROUNDS: usize = 5;
const CLIENTS: usize = 64;
const TOGETHER: usize = 2_500;
/// How often it is looked how far the replica is behind.
const LOOKS: usize = 10;

/// Measures them.
pub async fn measure() -> Result<Vec<Row>> {
    let merchants = (2 * ROUNDS * TOGETHER).div_ceil(CHARGES_PER_MERCHANT) + 1;
    let stage = Stage::start(10, merchants).await?;
    let without = rates(&stage).await?;
    let mut litestream = Litestream::beside(&stage.app)?;
    litestream.start()?;
    reaches_replica(&stage, &litestream).await?;
    let with = rates(&stage).await?;
    let mut behind = Vec::new();
    for _ in 0..LOOKS {
        stage.create_many(TOGETHER / 10, CLIENTS).await?;
        let start = now();
        reaches_replica(&stage, &litestream).await?;
        behind.push(since(start));
    }
    let behind = Samples::of(behind).context("nothing was measured")?;
    Ok(vec![
        Row::new(
            "litestream-create-64",
            "charges made per second, 64 clients, replicated",
            "1/s",
        )
        .rates(&with)
        .beside("without Litestream", without.median())
        .bars([at_least("p50", 500.0)], [at_least("p50", 0.8 * without.median())]),
        Row::new(
            "litestream-behind",
            "until the last of 250 charges can be read back, reading included",
            "ms",
        )
        .latency(&behind)
        .bars([at_most("p50", 2_000.0)], [at_most("p99", 1_000.0)]),
    ])
}

async fn rates(stage: &Stage) -> Result<Samples> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let start = now();
        let made = stage.create_many(TOGETHER, CLIENTS).await?;
        rates.push(f64::from(u32::try_from(made.len())?) / (since(start) / 1_000.0));
    }
    Samples::of(rates).context("nothing was measured")
}

/// Makes a charge, and waits until the replica knows it.
async fn reaches_replica(stage: &Stage, litestream: &Litestream) -> Result<()> {
    let path = create(&mut stage.connect().await?, &stage.link(0, CENTS)).await?;
    let id = path.rsplit('/').next().unwrap_or_default().replace('-', "");
    let id = u128::from_str_radix(&id, 16)?.to_be_bytes();
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("copy.db");
    eventually("the charge in the replica", async || {
        let _ = std::fs::remove_file(&copy);
        litestream.read_back(&copy).await?;
        let bytes = std::fs::read(&copy)?;
        ensure!(bytes.windows(16).any(|window| window == id), "it is not there");
        Ok(())
    })
    .await
}
