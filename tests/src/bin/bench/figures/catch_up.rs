//! How long the server takes for each block that came while it was away.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bitpro_charge::wire::{ChargeView, NodeView};

use crate::http::Connection;
use crate::row::{Row, at_most};
use crate::samples::Samples;
use crate::stage::{CENTS, Charge, Stage};
use crate::stopwatch::{millis, now};

/// The rows.
pub const ROWS: [&str; 1] = ["catch-up"];

const BLOCKS: usize = 60;
const ROUNDS: usize = 9;
/// A full block takes about 6,500 coins.
const COINS: usize = 7_000;
const ASKED_EVERY: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures it.
pub async fn measure() -> Result<Vec<Row>> {
    let mut stage = Stage::start(COINS, 1).await?;
    let charge = stage.charge(CENTS).await?;
    stage.app.stop().await?;
    let copy = tempfile::Builder::new().prefix("bitpro-copy-").tempdir()?;
    copy_files(stage.app.folder(), copy.path())?;

    let mut alone = Vec::new();
    for _ in 0..ROUNDS {
        alone.push(start(&mut stage, &charge, "pending").await?);
        restore(copy.path(), stage.app.folder())?;
    }
    let mut bytes = 0;
    for index in 0..BLOCKS {
        let payment = [(charge.script.clone(), charge.sats)];
        let paid = if index + 1 == BLOCKS { &payment[..] } else { &[] };
        bytes = stage.chain.full_block(paid).await?.bytes;
    }
    let mut fetched = Vec::new();
    for _ in 0..ROUNDS {
        fetched.push(stage.chain.fetch_tip().await?);
    }
    let mut behind = Vec::new();
    for _ in 0..ROUNDS {
        behind.push(start(&mut stage, &charge, "confirmed").await?);
        restore(copy.path(), stage.app.folder())?;
    }
    let alone = Samples::of(alone).context("nothing was measured")?;
    let fetched = Samples::of(fetched).context("nothing was measured")?;
    let blocks = f64::from(u32::try_from(BLOCKS)?);
    let each = behind.iter().map(|whole| (whole - alone.median()) / blocks).collect();
    let each = Samples::of(each).context("nothing was measured")?;
    let row = Row::new("catch-up", "catching up, for each block of 1.6 MB", "ms")
        .rounds(&each)
        .beside("fetching the block by REST", fetched.median())
        .bars([at_most("p50", 20.0)], [at_most("p50", 5.0)])
        .note(format!(
            "{BLOCKS} blocks of {bytes} B, less the start with nothing to catch up: {:.0} ms",
            alone.median()
        ));
    Ok(vec![row])
}

/// Starts the server, gives the time until it shows `charge` in `state` and its node in step, and stops it.
async fn start(stage: &mut Stage, charge: &Charge, state: &str) -> Result<f64> {
    let port = stage.port();
    let path = format!("{}/status", charge.path);
    let started = now();
    let (up, reached) = tokio::join!(stage.app.start(), shows(port, &path, state));
    up?;
    let taken = millis(reached?.duration_since(started));
    stage.app.stop().await?;
    Ok(taken)
}

/// When the charge is first shown in `state`.
async fn shows(port: u16, path: &str, state: &str) -> Result<Instant> {
    let asking = async {
        let mut connection = None;
        loop {
            let asked = match &mut connection {
                Some(connection) => view(connection, path).await,
                none => match Connection::open(port).await {
                    Ok(opened) => view(none.insert(opened), path).await,
                    Err(error) => Err(error),
                },
            };
            match asked {
                Ok(view) if view.state == state && view.node == NodeView::Ready => return now(),
                Ok(_) => {}
                Err(_) => connection = None,
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .with_context(|| format!("the charge was not {state} within {PATIENCE:?}"))
}

async fn view(connection: &mut Connection, path: &str) -> Result<ChargeView> {
    let answer = connection.get(path, "").await?.expect(200)?;
    Ok(serde_json::from_slice(&answer.body)?)
}

/// Everything but sockets and the log.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.path().extension().is_none_or(|kind| kind != "log") {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Makes the folder again what it was when it was copied.
fn restore(copy: &Path, folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        ensure!(!entry.file_type()?.is_dir(), "the server's folder has folders");
        if entry.path().extension().is_none_or(|kind| kind != "log") {
            std::fs::remove_file(entry.path())?;
        }
    }
    copy_files(copy, folder)
}
