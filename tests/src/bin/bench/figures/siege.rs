//! Ten thousand addresses at every public door, one after the other, and what honest people see meanwhile.

mod honest;
mod people;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bitpro_tests::App;
use tokio::sync::watch;

use super::Conditions;
use crate::attack::{Attack, DOORS, Door, Outcome, Plan};
use crate::probe;
use crate::row::{Row, at_least, at_most};
use crate::stage::Stage;
use crate::stopwatch::now;
use honest::{Seen, World};

/// The rows, one for each door.
pub const ROWS: [&str; DOORS.len()] = {
    let mut rows = [""; DOORS.len()];
    let mut at = 0;
    while at < DOORS.len() {
        rows[at] = DOORS[at].1;
        at += 1;
    }
    rows
};

/// What was out of the way for the preparations, and is as it is shipped for the siege.
const SHIPPED: [&str; 10] = [
    "BITPRO_CREATE_PER_MINUTE",
    "BITPRO_CREATE_BURST",
    "BITPRO_MERCHANT_CREATE_PER_MINUTE",
    "BITPRO_INSTANCE_CREATE_PER_MINUTE",
    "BITPRO_API_PER_MINUTE",
    "BITPRO_API_BURST",
    "BITPRO_STREAMS_PER_ADDRESS",
    "BITPRO_STREAMS_PER_CHARGE",
    "BITPRO_MAX_STREAMS",
    "BITPRO_MAX_CONNECTIONS",
];
const SOURCES: u32 = 10_000;
/// Requests, or new connections, of all strangers together in a second.
const PACE: u32 = 1_000;
/// Enough that each stranger may have a stream of one (R25: ten streams a charge).
const CHARGES: usize = 1_200;
const LOOK_EVERY: Duration = Duration::from_millis(200);
const MIB: f64 = 1_048_576.0;

/// Measures them.
pub async fn measure(conditions: Conditions) -> Result<Vec<Row>> {
    let mut stage = Stage::start(10, 1).await?;
    let charges = stage.create_many(CHARGES, 16).await?;
    reopen_as_shipped(&mut stage.app).await?;
    let world = Arc::new(World::prepare(&stage, &charges).await?);
    let duration = Duration::from_secs(conditions.siege_seconds);
    let (calm, memory) = watched(stage.pid()?, world.go_on(duration)).await?;
    let calm = calm?;
    crate::say(&format!("siege: nobody there, {}", told(&calm, memory)));
    let mut rows = Vec::new();
    for (door, name, what) in DOORS {
        if !conditions.wants("siege", name) {
            continue;
        }
        // What one door has cost must not show at the next.
        stage.app.stop().await?;
        stage.app.start().await?;
        let pid = stage.pid()?;
        let plan = Plan {
            door,
            port: stage.port(),
            seconds: conditions.siege_seconds,
            pace: PACE,
            sources: SOURCES,
            merchant: stage.merchants[0].clone(),
            charges: charges.clone(),
            email: people::EMAIL.to_owned(),
            key: world.key().to_owned(),
            files: world.files().to_vec(),
        };
        let attack = Attack::begin(&plan)?;
        let (seen, memory) = watched(pid, world.go_on(duration)).await?;
        let seen = seen?;
        let outcome = attack.ended().await?;
        crate::say(&format!("siege: {name}, {}; {}", told(&seen, memory), ends(&outcome)));
        rows.push(row(name, what, &calm, &seen, memory, door, &outcome)?);
    }
    Ok(rows)
}

/// Takes away what made room for the preparations, and starts again.
async fn reopen_as_shipped(app: &mut App) -> Result<()> {
    app.stop().await?;
    for name in SHIPPED {
        app.unset(name);
    }
    app.set("BITPRO_TRUSTED_PROXIES", "127.0.0.1");
    app.set("BITPRO_SIGNUP", "open");
    app.start().await
}

/// Does `work`, and looks at the most that the process takes of memory meanwhile, in bytes.
async fn watched<T>(pid: u32, work: impl Future<Output = T>) -> Result<(T, f64)> {
    let (done, mut is_done) = watch::channel(false);
    let looking = async {
        let mut most = probe::resident(pid)?;
        while tokio::time::timeout(LOOK_EVERY, is_done.changed()).await.is_err() {
            most = most.max(probe::resident(pid)?);
        }
        anyhow::Ok(most)
    };
    let working = async {
        let result = work.await;
        // Whoever looks is there until they are told.
        let _ = done.send(true);
        result
    };
    let (result, most) = tokio::join!(working, looking);
    Ok((result, most?))
}

fn row(
    name: &'static str,
    what: &'static str,
    calm: &[Seen; 3],
    seen: &[Seen; 3],
    memory: f64,
    door: Door,
    outcome: &Outcome,
) -> Result<Row> {
    let worst = |all: &[Seen; 3]| {
        let each = all.iter().map(|seen| seen.p99());
        each.collect::<Option<Vec<f64>>>()
            .and_then(|each| each.into_iter().reduce(f64::max))
            .context("nothing was asked")
    };
    let served = seen.iter().map(Seen::served).fold(100.0, f64::min);
    let mut row = Row::new(name, what, "")
        .number("p99 ms", worst(seen)?)
        .number("served %", served)
        .number("RSS MiB", memory / MIB)
        .out_of(seen.iter().map(Seen::asked).sum())
        .beside("p99 with nobody there", worst(calm)?)
        .bars(
            [
                at_most("p99 ms", 1_000.0),
                at_least("served %", 99.0),
                at_most("RSS MiB", 400.0),
            ],
            [
                at_most("p99 ms", 250.0),
                at_least("served %", 100.0),
                at_most("RSS MiB", 200.0),
            ],
        )
        .note("the worst of shopper, merchant and owner");
    for seen in seen {
        row = row.note(seen.told());
    }
    if door.is_held() {
        row = row.note(format!("strangers held {} at once", outcome.most_held));
    }
    Ok(row.note(ends(outcome)))
}

fn told(seen: &[Seen; 3], memory: f64) -> String {
    let each: Vec<String> = seen.iter().map(Seen::told).collect();
    format!("{}; RSS {:.0} MiB", each.join("; "), memory / MIB)
}

fn ends(outcome: &Outcome) -> String {
    let ends: Vec<String> = outcome
        .ends
        .iter()
        .map(|(how, count)| format!("{how}: {count}"))
        .collect();
    let begun = f64::from(u32::try_from(outcome.begun).unwrap_or(u32::MAX));
    format!("strangers {:.0}/s, {}", begun / outcome.seconds, ends.join(", "))
}

/// Until when people go on.
fn end_of(duration: Duration) -> std::time::Instant {
    now() + duration
}
