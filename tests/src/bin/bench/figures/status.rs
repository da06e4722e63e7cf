//! How many status reads a second, beside the emptiest answer that the same HTTP library gives.

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::peer::{Kind, Peer};
use crate::row::{Row, at_least};
use crate::samples::Samples;
use crate::stage::{CENTS, Stage};

/// The rows.
pub const ROWS: [&str; 1] = ["status"];

const ROUNDS: usize = 9;

/// Measures it.
pub async fn measure() -> Result<Vec<Row>> {
    let stage = Stage::start(10, 1).await?;
    let charge = stage.charge(CENTS).await?;
    let peer = Peer::start(Kind::Axum).await?;
    let status = format!("{}/status", charge.path);
    let (mut reads, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        empty.push(load(peer.port, "/", &[], &[]).await?);
        reads.push(load(stage.port(), &status, &[], &[]).await?);
    }
    let reads = Samples::of(reads).context("nothing was measured")?;
    let empty = Samples::of(empty).context("nothing was measured")?;
    let row = Row::new("status", "status reads per second", "1/s")
        .rates(&reads)
        .beside("axum's empty GET /", empty.median())
        .bars(
            [at_least("p50", 0.4 * empty.median())],
            [at_least("p50", 0.8 * empty.median())],
        )
        .note("wrk, 1 thread, 32 connections, 2 s a round, in turns");
    Ok(vec![row])
}

/// Requests per second that are answered well. `options` stand before the address, `arguments` behind it.
pub(super) async fn load(port: u16, path: &str, options: &[&str], arguments: &[&str]) -> Result<f64> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", "32", "--duration", "2s"])
        .args(["--header", &format!("Host: localhost:{port}")])
        .args(options)
        .arg(format!("http://127.0.0.1:{port}{path}"))
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run wrk: install Debian's package `wrk`")?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && !told.contains("Non-2xx") && !told.contains("Socket errors"),
        "wrk on {path}: {told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    told.lines()
        .find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok())
        .with_context(|| format!("wrk tells no rate: {told}"))
}
