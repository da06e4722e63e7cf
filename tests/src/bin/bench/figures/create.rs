//! How fast charges are made, each durable before its answer.

use anyhow::{Context as _, Result};

use crate::probe;
use crate::row::{Row, at_least, at_most};
use crate::samples::Samples;
use crate::stage::{CENTS, CHARGES_PER_MERCHANT, Stage, create};
use crate::stopwatch::{now, since};

/// The rows.
pub const ROWS: [&str; 2] = ["create", "create-64"];

const ROUNDS: usize = 10;
const ONE_BY_ONE: usize = 30;
const CLIENTS: usize = 64;
const TOGETHER: usize = 2_500;

/// Measures them.
pub async fn measure() -> Result<Vec<Row>> {
    let merchants = (ROUNDS * (ONE_BY_ONE + TOGETHER)).div_ceil(CHARGES_PER_MERCHANT) + 1;
    let stage = Stage::start(10, merchants).await?;
    Ok(vec![one_client(&stage).await?, many_clients(&stage).await?])
}

async fn one_client(stage: &Stage) -> Result<Row> {
    let mut connection = stage.connect().await?;
    let link = stage.link(0, CENTS);
    let (mut made, mut written) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for _ in 0..ONE_BY_ONE {
            let start = now();
            create(&mut connection, &link).await?;
            made.push(since(start));
        }
        // In turns, for the disk of one second is not that of the next.
        written.extend(probe::durable_writes(stage.app.folder(), ONE_BY_ONE).await?);
    }
    let made = Samples::of(made).context("nothing was measured")?;
    let written = Samples::of(written).context("nothing was measured")?;
    let write = written.median();
    Ok(Row::new("create", "a charge made, 1 client", "ms")
        .latency(&made)
        .beside("one fdatasync", write)
        .bars([at_most("p50", 2.0 * write + 1.0)], [at_most("p50", 1.3 * write + 0.3)])
        .note(format!("fdatasync p99 {:.2} ms", written.p99())))
}

async fn many_clients(stage: &Stage) -> Result<Row> {
    let (mut rates, mut written) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = now();
        let made = stage.create_many(TOGETHER, CLIENTS).await?;
        let seconds = since(start) / 1_000.0;
        rates.push(f64::from(u32::try_from(made.len())?) / seconds);
        written.extend(probe::durable_writes(stage.app.folder(), 20).await?);
    }
    let rates = Samples::of(rates).context("nothing was measured")?;
    let written = Samples::of(written).context("nothing was measured")?;
    Ok(
        Row::new("create-64", "charges made per second, 64 clients, durable", "1/s")
            .rates(&rates)
            .beside("fdatasyncs per second", 1_000.0 / written.median())
            .bars([at_least("p50", 3_000.0)], [at_least("p50", 15_000.0)]),
    )
}
