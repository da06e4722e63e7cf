//! From a full block in the node to a thousand pages that say so, among a hundred thousand watched scripts.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;

use crate::probe;
use crate::row::{Row, at_most};
use crate::samples::Samples;
use crate::stage::{CHARGES_PER_MERCHANT, Charge, Stage};
use crate::stopwatch::{millis, now, since};

/// The rows.
pub const ROWS: [&str; 1] = ["block"];

const SCRIPTS: usize = 100_000;
const PAID: usize = 1_000;
const ROUNDS: usize = 9;
/// A full block takes about 6,500 coins.
const COINS: usize = 7_000;
const CLIENTS: usize = 64;
/// Charges are made for so long at most, in milliseconds; then there are fewer, and the row says so.
const FILLING: f64 = 150_000.0;
const STEP: usize = 5_000;

/// Measures it.
pub async fn measure() -> Result<Vec<Row>> {
    let mut stage = Stage::start(COINS, SCRIPTS.div_ceil(CHARGES_PER_MERCHANT)).await?;
    let mut paths = Vec::new();
    let filling = now();
    while paths.len() < SCRIPTS && since(filling) < FILLING {
        paths.extend(stage.create_many(STEP, CLIENTS).await?);
    }
    let watched = paths.len();
    ensure!(watched >= ROUNDS * PAID, "only {watched} charges in {FILLING} ms");
    let folder = stage.app.folder().to_path_buf();
    let (mut streamed, mut whole, mut fetched, mut written) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut bytes, mut weight) = (0, 0);
    for _ in 0..ROUNDS {
        let charges = stage.read_many(paths.split_off(paths.len() - PAID)).await?;
        let listening = listen(&stage, &charges).await?;
        let payments: Vec<_> = charges
            .iter()
            .map(|charge| (charge.script.clone(), charge.sats))
            .collect();
        let block = stage.chain.full_block(&payments).await?;
        let last = last(listening).await?;
        streamed.push(millis(last.saturating_duration_since(block.answered)));
        whole.push(millis(last.saturating_duration_since(block.called)));
        (bytes, weight) = (block.bytes, block.weight);
        fetched.push(stage.chain.fetch_tip().await?);
        written.extend(probe::durable_writes(&folder, 10).await?);
    }
    let streamed = Samples::of(streamed).context("nothing was measured")?;
    let whole = Samples::of(whole).context("nothing was measured")?;
    let fetched = Samples::of(fetched).context("nothing was measured")?;
    let written = Samples::of(written).context("nothing was measured")?;
    let row = Row::new("block", "a full block to 1,000 charges updated and streamed", "ms")
        .rounds(&streamed)
        .beside(
            "the block by REST and one fdatasync",
            fetched.median() + written.median(),
        )
        .bars([at_most("p50", 250.0)], [at_most("p50", 25.0)])
        .note(format!(
            "{weight} weight units, {bytes} B; {watched} scripts of open charges watched"
        ))
        .note(format!(
            "from the node's answer to submitblock; from the call itself p50 {:.0} ms, the node's own check included",
            whole.median()
        ))
        .note(format!(
            "the block by REST {:.1} ms, fdatasync {:.2} ms",
            fetched.median(),
            written.median()
        ));
    Ok(vec![row])
}

type Listening = JoinSet<Result<std::time::Instant>>;

async fn listen(stage: &Stage, charges: &[Charge]) -> Result<Listening> {
    let mut listening = JoinSet::new();
    for charge in charges {
        let mut events = stage.listen(charge).await?;
        listening.spawn(async move { events.until(b"\"state\":\"confirmed\"").await });
    }
    Ok(listening)
}

async fn last(mut listening: Listening) -> Result<std::time::Instant> {
    let mut last = None;
    let all = async {
        while let Some(came) = listening.join_next().await {
            last = last.max(Some(came??));
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(Duration::from_secs(60), all)
        .await
        .context("the block did not reach every stream within 60 s")??;
    last.context("nobody listened")
}
