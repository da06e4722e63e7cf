//! Many open streams: what each costs, and how fast one event reaches all.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::crowd::{Crowd, Spread};
use crate::peer::{Kind, Peer};
use crate::probe;
use crate::row::{Row, at_least, at_most};
use crate::samples::Samples;
use crate::stage::{Charge, Stage};
use crate::stopwatch::millis;

/// The rows.
pub const ROWS: [&str; 2] = ["stream-memory", "fan-out"];

const STREAMS: usize = 15_000;
/// Opened before memory is first looked at, so that what one stream or a thousand need once is not counted.
const WARM: usize = 500;
/// Files that server and client need beside the streams.
const SPARE_FILES: usize = 1_000;
const PEER_STREAMS: usize = 5_000;
const EVENTS: usize = 11;
/// EUR 5,000.00: eleven payments of two percent each are partial, and none is dust (R8).
const CENTS: u64 = 500_000;
const QUIET: Duration = Duration::from_millis(400);

/// Measures them.
pub async fn measure() -> Result<Vec<Row>> {
    let count = STREAMS.min(probe::open_files_limit()?.saturating_sub(SPARE_FILES));
    ensure!(count > 2 * WARM, "the limit of open files leaves only {count} streams");
    // One after the other: this program's own open files are limited, too.
    let peer = peer_memory().await?;
    let mut stage = Stage::start(EVENTS + 10, 1).await?;
    let charge = stage.charge(CENTS).await?;
    let pid = stage.pid()?;
    let events = format!("{}/events", charge.path);

    let mut crowd = Crowd::new()?;
    crowd.open(stage.port(), Some(&events), WARM).await?;
    let before = settled(pid).await?;
    crowd.open(stage.port(), Some(&events), count - WARM).await?;
    let each = (settled(pid).await? - before) / number(count - WARM)?;
    let memory = Row::new("stream-memory", "resident memory for each open stream", "KiB")
        .number("mean", each / 1_024.0)
        .out_of(count - WARM)
        .beside("axum's Sse and a broadcast channel", peer)
        .bars([at_most("mean", 20.0)], [at_most("mean", 4.0)]);

    let (mut rates, mut wholes) = (Vec::new(), Vec::new());
    for _ in 0..EVENTS {
        let (spread, whole) = one_event(&mut stage, &charge, &mut crowd).await?;
        rates.push(rate(spread, count)?);
        wholes.push(whole);
    }
    crowd.leave().await?;
    let frame = frame_bytes(&stage, &charge).await?;
    drop(stage);
    let wholes = Samples::of(wholes).context("nothing was measured")?;
    let rates = Samples::of(rates).context("nothing was measured")?;
    let bare = bare_writes(count, frame).await?;
    let fan_out = Row::new("fan-out", "one event to all open streams, streams per second", "1/s")
        .rates(&rates)
        .beside("a loop that writes the same bytes", bare.median())
        .bars([at_least("p50", 60_000.0)], [at_least("p50", 120_000.0)])
        .note(format!(
            "{count} streams, events of {frame} B, from the first byte on any to the event on all"
        ))
        .note(format!(
            "from sendrawtransaction to the event on all: p50 {:.0} ms",
            wholes.median()
        ));
    Ok(vec![memory, fan_out])
}

/// Pays two percent, and waits until everybody was told. Also gives the milliseconds since the call.
async fn one_event(stage: &mut Stage, charge: &Charge, crowd: &mut Crowd) -> Result<(Spread, f64)> {
    let payment = stage.chain.payment(&charge.script, charge.sats / 50)?;
    let called = stage.chain.caller().send(&payment).await?;
    let spread = crowd.next().await?;
    // What follows of itself, as a longer window after the first partial payment, is not measured.
    crowd.settle(QUIET).await;
    Ok((spread, millis(spread.last.duration_since(called))))
}

async fn frame_bytes(stage: &Stage, charge: &Charge) -> Result<usize> {
    let mut connection = stage.connect().await?;
    let status = connection
        .get(&format!("{}/status", charge.path), "")
        .await?
        .expect(200)?;
    // Around the view stand the event's fields and the chunk's own length.
    Ok(status.body.len() + 80)
}

async fn bare_writes(count: usize, frame: usize) -> Result<Samples> {
    let peer = Peer::start(Kind::Writer).await?;
    let mut commands = TcpStream::connect(("127.0.0.1", peer.port)).await?;
    let mut answer = [0];
    commands.write_all(&u32::try_from(count)?.to_le_bytes()).await?;
    let mut crowd = Crowd::new()?;
    crowd.open(peer.port, None, count).await?;
    commands.read_exact(&mut answer).await?;
    let mut rates = Vec::new();
    for _ in 0..EVENTS {
        commands.write_all(&u32::try_from(frame)?.to_le_bytes()).await?;
        rates.push(rate(crowd.next().await?, count)?);
        commands.read_exact(&mut answer).await?;
    }
    crowd.leave().await?;
    Samples::of(rates).context("nothing was measured")
}

/// KiB for each stream of the peer.
async fn peer_memory() -> Result<f64> {
    let peer = Peer::start(Kind::Axum).await?;
    let crowd = Crowd::new()?;
    crowd.open(peer.port, Some("/events"), WARM).await?;
    let before = settled(peer.pid()).await?;
    crowd.open(peer.port, Some("/events"), PEER_STREAMS).await?;
    ensure!(
        crowd.members() == WARM + PEER_STREAMS,
        "the peer's streams are not open"
    );
    let each = (settled(peer.pid()).await? - before) / number(PEER_STREAMS)?;
    crowd.leave().await?;
    Ok(each / 1_024.0)
}

/// The memory of a process that has nothing to do any more.
async fn settled(pid: u32) -> Result<f64> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    probe::resident(pid)
}

fn rate(spread: Spread, count: usize) -> Result<f64> {
    Ok(number(count)? / spread.last.duration_since(spread.first).as_secs_f64())
}

fn number(count: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(count)?))
}
