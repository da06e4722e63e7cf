//! Runs faults one after the other, each followed by the invariants, on as few worlds as will do.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::Instant;

use crate::arguments::Arguments;
use crate::faults::{Fault, Stage};
use crate::world::World;

/// A world grows with each fault, and so does the time that looking at all of it takes.
const FAULTS_OF_A_WORLD: usize = 20;
/// A run that goes on after so many failures tells nothing more.
const MOST_FAILURES: usize = 5;

/// Runs what is asked for and says what was done; whether nothing failed.
pub async fn run(arguments: &Arguments) -> bool {
    eprintln!("faults: seed {}", arguments.seed);
    let mut run = Run {
        seed: arguments.seed,
        rng: StdRng::seed_from_u64(arguments.seed),
        world: None,
        done: 0,
        failed: Vec::new(),
    };
    match arguments.minutes {
        None => {
            for fault in &arguments.chosen {
                run.one(fault).await;
            }
        }
        Some(minutes) => {
            let end = Instant::now() + Duration::from_secs(minutes * 60);
            while Instant::now() < end && run.failed.len() < MOST_FAILURES {
                let Some(fault) = arguments.chosen.choose(&mut run.rng).copied() else {
                    break;
                };
                // What needs a world of its own costs as much as several others.
                if fault.stage == Stage::Usual || run.rng.random_bool(0.2) {
                    run.one(fault).await;
                }
            }
        }
    }
    eprintln!(
        "faults: {} done, {} failed, seed {}",
        run.done,
        run.failed.len(),
        run.seed
    );
    for failed in &run.failed {
        eprintln!("  failed: {failed}");
    }
    run.failed.is_empty()
}

/// How long it took to hurt the world, to bring it to rest and to look at it, in milliseconds: for whoever wonders where the time goes.
type Laps = [u128; 3];

/// A run under way.
struct Run {
    seed: u64,
    rng: StdRng,
    /// The usual world, with the number of faults that it went through.
    world: Option<(World, usize)>,
    done: usize,
    failed: Vec<String>,
}

impl Run {
    async fn one(&mut self, fault: &Fault) {
        let seed = self.rng.random::<u32>();
        let ended = match fault.stage {
            Stage::Usual => self.on_usual_world(fault, seed).await,
            Stage::Pruned => on_own_world(fault, seed).await,
        };
        self.done += 1;
        match ended {
            Ok([hurting, settling, looking]) => eprintln!(
                "faults: {:<40} ok      {hurting:>6} ms, at rest in {settling} ms, looked at in {looking} ms (instants {seed})",
                fault.name
            ),
            Err(error) => {
                eprintln!("faults: {:<40} FAILED  (instants {seed})\n{error:?}", fault.name);
                self.failed.push(fault.name.to_owned());
            }
        }
    }

    /// A world in which something failed is not used again.
    async fn on_usual_world(&mut self, fault: &Fault, seed: u32) -> Result<Laps> {
        let (mut world, before) = match self.world.take() {
            Some((world, before)) if before < FAULTS_OF_A_WORLD => (world, before),
            older => {
                drop(older);
                (World::start(fault.stage).await?, 0)
            }
        };
        let ended = suffer(&mut world, fault, seed).await;
        if ended.is_ok() {
            self.world = Some((world, before + 1));
        }
        ended
    }
}

async fn on_own_world(fault: &Fault, seed: u32) -> Result<Laps> {
    let mut world = World::start(fault.stage).await?;
    suffer(&mut world, fault, seed).await
}

/// Hurts the world, and looks at all of it. What was logged meanwhile is part of an error.
async fn suffer(world: &mut World, fault: &Fault, seed: u32) -> Result<Laps> {
    world.rng = StdRng::seed_from_u64(u64::from(seed));
    let logged = world.app.log().len();
    let ended = async {
        let mut lap = Instant::now();
        let mut laps = [0; 3];
        (fault.run)(world).await.context("in the fault itself")?;
        laps[0] = next_lap(&mut lap);
        world
            .settle()
            .await
            .context("the world does not become healthy again")?;
        laps[1] = next_lap(&mut lap);
        world.check_invariants().await.context("an invariant is broken")?;
        laps[2] = next_lap(&mut lap);
        anyhow::Ok(laps)
    };
    let ended = ended.await;
    ended.with_context(|| {
        let log = world.app.log().split_off(logged);
        let lines: Vec<&str> = log.lines().collect();
        let kept = world.keep_log(fault.name);
        format!(
            "{}\nthe whole log: {kept}",
            lines[lines.len().saturating_sub(30)..].join("\n")
        )
    })
}

fn next_lap(since: &mut Instant) -> u128 {
    let before = std::mem::replace(since, Instant::now());
    before.elapsed().as_millis()
}
