//! How soon the server is there, and what it takes when there is nothing to do.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::chain::Chain;
use crate::http::Connection;
use crate::peer::{Kind, Peer};
use crate::probe;
use crate::row::{Row, at_most};
use crate::samples::Samples;
use crate::stage::Stage;
use crate::stopwatch::{millis, now, since};

/// The rows.
pub const ROWS: [&str; 4] = ["start", "start-10000", "memory-idle", "memory-10000"];

const ROUNDS: usize = 9;
const OPEN: usize = 10_000;
const CLIENTS: usize = 64;
const MIB: f64 = 1_048_576.0;
const ASKED_EVERY: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures them.
pub async fn measure() -> Result<Vec<Row>> {
    // Two merchants, for one may have no more than ten thousand unpaid addresses.
    let mut stage = Stage::prepared(Chain::start(10).await?, 2, &[]).await?;
    let (ready, idle) = starts(&mut stage).await?;
    let peer = peer_starts().await?;

    stage.app.start().await?;
    stage.await_scans().await?;
    stage.create_many(OPEN, CLIENTS).await?;
    let busy = settled(&mut stage).await?;
    stage.app.stop().await?;
    let (ready_open, idle_open) = starts(&mut stage).await?;

    let peer_word = "axum's empty server";
    Ok(vec![
        Row::new("start", "start to ready, empty database", "ms")
            .rounds(&ready)
            .beside(peer_word, peer.time)
            .bars([at_most("p50", 1_000.0)], [at_most("p50", 150.0)]),
        Row::new("start-10000", "start to ready, 10,000 open charges", "ms")
            .rounds(&ready_open)
            .beside(peer_word, peer.time)
            .bars([at_most("p50", 1_000.0)], [at_most("p50", 150.0)]),
        Row::new("memory-idle", "resident memory, idle", "MiB")
            .rounds(&idle)
            .beside(peer_word, peer.memory)
            .bars([at_most("p50", 60.0)], [at_most("p50", 25.0)]),
        Row::new("memory-10000", "resident memory, 10,000 open charges", "MiB")
            .number("made", busy)
            .number("restarted", idle_open.median())
            .beside(peer_word, peer.memory)
            .bars(
                [at_most("made", 120.0), at_most("restarted", 120.0)],
                [at_most("made", 50.0), at_most("restarted", 50.0)],
            )
            .note("after 10,000 charges were made over 64 connections, and after a restart with them"),
    ])
}

/// Milliseconds to ready and MiB at rest, of several starts on the same data.
async fn starts(stage: &mut Stage) -> Result<(Samples, Samples)> {
    let port = stage.port();
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = now();
        let (up, ready) = tokio::join!(stage.app.start(), answers(port, "/readyz"));
        up?;
        times.push(millis(ready?.duration_since(started)));
        memory.push(settled(stage).await?);
        stage.app.stop().await?;
    }
    Ok((
        Samples::of(times).context("nothing was measured")?,
        Samples::of(memory).context("nothing was measured")?,
    ))
}

async fn settled(stage: &mut Stage) -> Result<f64> {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    Ok(probe::resident(stage.pid()?)? / MIB)
}

struct PeerFigures {
    time: f64,
    memory: f64,
}

async fn peer_starts() -> Result<PeerFigures> {
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = now();
        let peer = Peer::launch(Kind::Axum)?;
        answers(peer.port, "/").await?;
        times.push(since(started));
        memory.push(probe::resident(peer.pid())? / MIB);
    }
    Ok(PeerFigures {
        time: Samples::of(times).context("nothing was measured")?.median(),
        memory: Samples::of(memory).context("nothing was measured")?.median(),
    })
}

/// When `path` is first answered with 200.
async fn answers(port: u16, path: &str) -> Result<std::time::Instant> {
    let asking = async {
        loop {
            if let Ok(mut connection) = Connection::open(port).await
                && let Ok(answer) = connection.get(path, "").await
                && answer.status == 200
            {
                return now();
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .with_context(|| format!("{path} did not answer within {PATIENCE:?}"))
}
