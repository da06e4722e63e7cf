//! Running histories: one, many, until something is broken.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::dice::Dice;
use super::plot::{Plot, plot};
use super::shrink::shrink;
use super::world::World;
use super::{Broken, Seed, broken};

/// What came of a history.
#[derive(Debug)]
pub struct Outcome {
    /// What is broken, if anything.
    pub broken: Option<Broken>,
    /// How many charges were made.
    pub charges: u64,
    /// How often things happened.
    pub tally: BTreeMap<String, u64>,
}

/// What came of many.
#[derive(Debug, Default)]
pub struct Report {
    /// Histories.
    pub histories: u64,
    /// Charges in them.
    pub charges: u64,
    /// How often things happened.
    pub tally: BTreeMap<String, u64>,
    /// What was broken: the shrunk seed, and what.
    pub found: Vec<(Seed, Broken)>,
}

/// The plot of a seed, with only what it keeps.
#[must_use]
pub fn plot_of(seed: &Seed) -> Plot {
    let whole = plot(seed.number);
    let Some(kept) = &seed.kept else { return whole };
    let steps = whole.steps.iter().enumerate();
    let steps = steps
        .filter(|(n, _)| kept.binary_search(n).is_ok())
        .map(|(_, step)| step.clone());
    Plot {
        steps: steps.collect(),
        ..whole
    }
}

/// Runs one history to its end.
#[must_use]
pub fn run(seed: &Seed) -> Outcome {
    let mut tally = BTreeMap::new();
    let mut charges = 0;
    let played = catch_unwind(AssertUnwindSafe(|| play(seed, &mut tally, &mut charges)));
    let broken = match played {
        Ok(Ok(())) => None,
        Ok(Err(broken)) => Some(broken),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(Broken {
                what: "a panic",
                how: text.unwrap_or_default(),
            })
        }
    };
    Outcome { broken, charges, tally }
}

fn play(seed: &Seed, tally: &mut BTreeMap<String, u64>, charges: &mut u64) -> Result<(), Broken> {
    let numbers: Vec<usize> = match &seed.kept {
        Some(kept) => kept.clone(),
        None => (0..usize::MAX).take(plot(seed.number).steps.len()).collect(),
    };
    let plot = plot_of(seed);
    let steps = plot.steps.clone();
    let mut world = World::new(plot, seed.number)?;
    let mut played = Ok(());
    for (number, step) in numbers.into_iter().zip(&steps) {
        // Each step has chance of its own, so that leaving one out changes no other.
        let salt = 1_000 + u64::try_from(number).expect("few steps");
        played = world.step(step, Dice::new(seed.number, salt));
        if played.is_err() {
            break;
        }
        if world.dice.chance(10) {
            played = world.check_all();
            if played.is_err() {
                break;
            }
        }
    }
    let ended = played.and_then(|()| world.finish());
    *charges = u64::try_from(world.charges.len()).expect("few charges");
    *tally = std::mem::take(&mut world.tally);
    ended
}

/// The smallest part of a failing history that fails in the same way.
#[must_use]
pub fn shrunk(seed: &Seed, broken: &Broken) -> Seed {
    let count = plot(seed.number).steps.len();
    let fails = |part: &Seed| run(part).broken.is_some_and(|other| other.what == broken.what);
    shrink(seed.number, count, fails)
}

/// Runs histories from `first` on in `threads` threads while `goes_on` says so, and stops at the first that fails.
///
/// # Panics
/// When a thread cannot be had.
#[must_use]
pub fn campaign(first: u64, threads: usize, stops_at: usize, goes_on: &(dyn Fn() -> bool + Sync)) -> Report {
    let next = AtomicU64::new(first);
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (next, report) = (&next, &report);
            scope.spawn(move || {
                stay_on(thread);
                while goes_on() && lock(report).found.len() < stops_at {
                    let seed = Seed::whole(next.fetch_add(1, Ordering::Relaxed));
                    let outcome = run(&seed);
                    let mut report = lock(report);
                    report.histories += 1;
                    report.charges += outcome.charges;
                    for (what, count) in outcome.tally {
                        *report.tally.entry(what).or_default() += count;
                    }
                    if let Some(broken) = outcome.broken
                        && !report.found.iter().any(|(_, known)| known.what == broken.what)
                    {
                        report.found.push((seed, broken));
                    }
                }
            });
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps this thread, and those that it will begin, on one processor. A history and its database take turns: woken on another
/// processor, the one would cost more than what it does.
fn stay_on(thread: usize) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut allowed = CpuSet::new();
    if let Ok(all) = sched_getaffinity(None) {
        let mut mine = (0..CpuSet::MAX_CPU).filter(|&processor| all.is_set(processor));
        if let Some(processor) = mine.nth(thread % processors) {
            allowed.set(processor);
            // Where that is not allowed, it only takes longer.
            let _ = sched_setaffinity(None, &allowed);
        }
    }
}

fn lock(report: &Mutex<Report>) -> std::sync::MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Everything heals, everything is observed, time goes on beyond every deadline; then all must be right.
    ///
    /// # Errors
    /// What is broken.
    pub fn finish(&mut self) -> Result<(), Broken> {
        self.heal()?;
        let mut truth = self.around.clock.truth();
        for pause in [61, 120, 1_900, 1_900, 4_000, 90_000, 90_000, 400_000, 1_500_000] {
            truth += pause * 1_000;
            self.go_to(truth);
            self.tick()?;
            self.tick()?;
            if self.awaits_the_operator() {
                self.vouch()?;
                self.tick()?;
                self.tick()?;
            }
            if !self.is_in_step() {
                let status = self.server.as_ref().map(|server| server.watcher.status());
                return broken("the watcher does not get in step again", format!("{status:?}"));
            }
            self.check_list()?;
        }
        self.mine_out();
        self.tick()?;
        self.check_all()?;
        self.tell_all()?;
        self.check_told()?;
        self.check_gaps()?;
        self.check_logs()
    }
}
