//! Where time comes from: a parameter, so that a test can hold it still.
//!
//! Our time never steps back: from the highest time ever seen it goes on with the monotonic clock (R32). So one wrong moment of the
//! machine's clock moves it ahead, and nothing stands still: what was promised for twenty minutes ends after twenty minutes. Those
//! outside do not share our time. What they say of theirs (a request's timestamp, an exchange's) is compared with the machine's
//! clock as well, but for such a clock that has stepped behind what it steadily showed: that would open a door to old requests.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitpro_charge::Timestamp;
use parking_lot::Mutex;

/// From this lead of our time on, somebody has to look: a minute, in milliseconds.
pub const LEAD_LIMIT_MS: i64 = 60_000;
/// So long the machine's clock must go on without a step before it counts as steady: five minutes, in milliseconds.
const STEADY_MS: i64 = 300_000;
/// A smaller change against the monotonic clock is no step, in milliseconds.
const STEP_MS: i64 = 1_000;

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// Our time now. It never steps back (R32).
    fn now(&self) -> Timestamp;

    /// The time since some instant that stays the same, by a clock that nobody sets: for pauses, never for what is stored.
    fn monotonic(&self) -> Duration;

    /// The same, but it goes on while the machine is suspended.
    fn with_sleep(&self) -> Duration {
        self.monotonic()
    }

    /// Everything that the clocks say now.
    fn moment(&self) -> Moment {
        let now = self.now();
        Moment {
            now,
            outside: now,
            shown: now,
            aligned_from: Timestamp(i64::MIN),
            running: self.monotonic(),
        }
    }

    /// Goes on from what was stored: never before the highest time seen.
    fn resume(&self, kept: Kept) {
        let _ = kept;
    }

    /// What is to be stored now.
    fn kept(&self) -> Kept {
        Kept {
            seen: Some(self.now()),
            steady: None,
        }
    }

    /// Takes the machine's clock as right, although our time is ahead of it: the operator says so.
    fn accept(&self) {}
}

/// What the clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Our time, which never steps back.
    pub now: Timestamp,
    /// The machine's clock, but never behind what it steadily showed: what those outside most likely take the time to be. It is
    /// never ahead of our time.
    pub outside: Timestamp,
    /// The machine's clock as it is.
    pub shown: Timestamp,
    /// From this instant of our time on, it went on with all other clocks. Before, it was ahead of them and stood still while no process
    /// ran: what they say of an earlier instant may have been as late as this one.
    pub aligned_from: Timestamp,
    /// How long this process has run. It stands still while the machine is suspended.
    pub running: Duration,
}

impl Moment {
    /// How far our time is ahead of the machine's clock, in milliseconds.
    #[must_use]
    pub const fn lead_ms(&self) -> i64 {
        self.now.0 - self.shown.0
    }

    /// Whether somebody has to look at the clock.
    #[must_use]
    pub const fn is_far_ahead(&self) -> bool {
        self.lead_ms() > LEAD_LIMIT_MS
    }

    /// The reading that is closest to an instant by another clock.
    #[must_use]
    pub const fn closest(&self, theirs: Timestamp) -> Timestamp {
        let (to_now, to_outside) = (theirs.0.abs_diff(self.now.0), theirs.0.abs_diff(self.outside.0));
        if to_outside < to_now { self.outside } else { self.now }
    }

    /// An instant by another clock in our time: as it is, or moved by our lead, whichever is closer to now.
    #[must_use]
    pub const fn ours(&self, theirs: Timestamp) -> Timestamp {
        Timestamp(theirs.0.saturating_add(self.now.0 - self.closest(theirs).0))
    }
}

/// What of the time outlives the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Our time: the highest ever seen.
    pub seen: Option<Timestamp>,
    /// What the machine's clock steadily showed.
    pub steady: Option<Timestamp>,
}

/// What a machine has: a clock that can be set, and one that cannot.
pub trait Machine: Send + Sync + 'static {
    /// The clock that can be set, in Unix milliseconds.
    fn shown(&self) -> i64;

    /// How long it runs.
    fn running(&self) -> Duration;

    /// How long it runs and sleeps.
    fn with_sleep(&self) -> Duration {
        self.running()
    }
}

/// Our time on a machine.
#[derive(Debug)]
pub struct OurClock<M> {
    machine: M,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Our time at an instant of the monotonic clock.
    line: (i64, i64),
    /// Our time at the end of a process that was ahead of the machine's clock, or may have been.
    aligned_from: Option<i64>,
    /// How far the machine's clock is from the monotonic one, and since when.
    offset: Option<(i64, i64)>,
    /// The highest offset that was steady.
    steady: Option<i64>,
}

impl<M: Machine> OurClock<M> {
    fn read(&self) -> (i64, i64, Duration) {
        let running = self.machine.running();
        let monotonic = i64::try_from(running.as_millis()).unwrap_or(i64::MAX);
        (self.machine.shown(), monotonic, running)
    }
}

impl State {
    const fn now(&self, monotonic: i64) -> i64 {
        let (time, at) = self.line;
        time.saturating_add(monotonic - at)
    }

    fn take_in(&mut self, shown: i64, monotonic: i64) {
        if shown >= self.now(monotonic) {
            self.line = (shown, monotonic);
        }
        let offset = shown.saturating_sub(monotonic);
        match self.offset {
            Some((known, since)) if offset.abs_diff(known) <= STEP_MS.unsigned_abs() => {
                if monotonic - since >= STEADY_MS {
                    self.steady = self.steady.max(Some(offset));
                }
            }
            _ => self.offset = Some((offset, monotonic)),
        }
    }

    fn outside(&self, shown: i64, monotonic: i64) -> i64 {
        self.steady
            .map_or(shown, |steady| shown.max(steady.saturating_add(monotonic)))
    }
}

impl<M: Machine> Clock for OurClock<M> {
    fn now(&self) -> Timestamp {
        self.moment().now
    }

    fn monotonic(&self) -> Duration {
        self.machine.running()
    }

    fn with_sleep(&self) -> Duration {
        self.machine.with_sleep()
    }

    fn moment(&self) -> Moment {
        let mut state = self.state.lock();
        // Read under the lock: of two readings the later one is taken in later.
        let (shown, monotonic, running) = self.read();
        state.take_in(shown, monotonic);
        Moment {
            now: Timestamp(state.now(monotonic)),
            outside: Timestamp(state.outside(shown, monotonic)),
            shown: Timestamp(shown),
            aligned_from: Timestamp(state.aligned_from.unwrap_or(i64::MIN)),
            running,
        }
    }

    fn resume(&self, kept: Kept) {
        let mut state = self.state.lock();
        let (shown, monotonic, _) = self.read();
        state.take_in(shown, monotonic);
        if let Some(seen) = kept.seen.map(|seen| seen.0) {
            let was_ahead = kept.steady.is_none_or(|steady| seen.saturating_sub(steady.0) > STEP_MS);
            if was_ahead || seen > state.now(monotonic) {
                state.aligned_from = Some(seen);
            }
            state.line = (state.now(monotonic).max(seen), monotonic);
        }
        let steady = kept.steady.map(|steady| steady.0.saturating_sub(monotonic));
        state.steady = state.steady.max(steady);
    }

    fn kept(&self) -> Kept {
        let now = self.moment().now;
        let state = self.state.lock();
        let (_, monotonic, _) = self.read();
        Kept {
            seen: Some(now),
            steady: state.steady.map(|steady| Timestamp(steady.saturating_add(monotonic))),
        }
    }

    fn accept(&self) {
        let mut state = self.state.lock();
        let (shown, monotonic, _) = self.read();
        *state = State {
            line: (shown, monotonic),
            ..State::default()
        };
    }
}

/// The clock of the machine that we run on.
pub type SystemClock = OurClock<ThisMachine>;

/// The machine that we run on.
#[derive(Debug)]
pub struct ThisMachine {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the monotonic clock is read"
        )]
        let started = Instant::now();
        Self {
            machine: ThisMachine { started },
            state: Mutex::default(),
        }
    }
}

impl Machine for ThisMachine {
    fn shown(&self) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the machine's clock is read"
        )]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    fn running(&self) -> Duration {
        self.started.elapsed()
    }

    #[cfg(target_os = "linux")]
    fn with_sleep(&self) -> Duration {
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(since_boot).unwrap_or_default()
    }
}

/// A clock that moves only when it is told to.
pub type ManualClock = OurClock<ManualMachine>;

/// A machine whose clocks are held.
#[derive(Debug)]
pub struct ManualMachine {
    shown: AtomicI64,
    running: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            machine: ManualMachine {
                shown: AtomicI64::new(start.0),
                running: AtomicI64::new(0),
            },
            state: Mutex::default(),
        }
    }

    /// Lets time pass until the machine's clock shows `now`. One that is past it already is turned back.
    pub fn set(&self, now: Timestamp) {
        let before = self.machine.shown.swap(now.0, Ordering::Relaxed);
        self.machine
            .running
            .fetch_add((now.0 - before).max(0), Ordering::Relaxed);
    }

    /// Turns the hands of the machine's clock; no time passes.
    pub fn turn_to(&self, now: Timestamp) {
        self.machine.shown.store(now.0, Ordering::Relaxed);
    }

    /// Lets time pass.
    pub fn advance_secs(&self, secs: u32) {
        let millis = i64::from(secs) * 1000;
        self.machine.shown.fetch_add(millis, Ordering::Relaxed);
        self.machine.running.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Machine for ManualMachine {
    fn shown(&self) -> i64 {
        self.shown.load(Ordering::Relaxed)
    }

    fn running(&self) -> Duration {
        Duration::from_millis(self.running.load(Ordering::Relaxed).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_800_000_000_000);
    const HOUR: i64 = 3_600_000;

    fn after(millis: i64) -> Timestamp {
        Timestamp(START.0 + millis)
    }

    #[test]
    fn r32_after_a_wrong_moment_time_goes_on_and_does_not_stand() {
        let clock = ManualClock::new(START);
        assert_eq!(clock.now(), START);
        clock.turn_to(after(2 * HOUR));
        assert_eq!(clock.now(), after(2 * HOUR));
        clock.turn_to(START);
        clock.advance_secs(60);
        let moment = clock.moment();
        assert_eq!(moment.now, after(2 * HOUR + 60_000), "a minute is a minute");
        assert_eq!((moment.shown, moment.outside), (after(60_000), after(60_000)));
        assert!(moment.is_far_ahead());
        // Once the machine's clock has caught up, it leads again.
        clock.turn_to(after(3 * HOUR));
        assert_eq!(clock.moment().lead_ms(), 0);
    }

    #[test]
    fn r32_a_clock_that_steps_back_is_not_followed_inside_or_outside() {
        let clock = ManualClock::new(START);
        clock.moment();
        clock.advance_secs(600);
        clock.moment();
        clock.turn_to(after(600_000 - HOUR));
        let moment = clock.moment();
        assert_eq!((moment.now, moment.outside), (after(600_000), after(600_000)));
        clock.advance_secs(900);
        let moment = clock.moment();
        assert_eq!((moment.now, moment.outside), (after(1_500_000), after(1_500_000)));
        assert_eq!(moment.lead_ms(), HOUR);
    }

    #[test]
    fn r32_a_time_that_was_stored_is_where_the_next_process_goes_on() {
        let kept = Kept {
            seen: Some(after(10 * 365 * 24 * HOUR)),
            steady: Some(START),
        };
        let clock = ManualClock::new(START);
        clock.resume(kept);
        clock.advance_secs(30);
        let moment = clock.moment();
        assert_eq!(moment.now, after(10 * 365 * 24 * HOUR + 30_000));
        assert_eq!(moment.outside, after(30_000));
        // Time stood still meanwhile, and how long is not known.
        assert_eq!(moment.aligned_from, after(10 * 365 * 24 * HOUR));
        assert_eq!(clock.kept().seen, Some(moment.now));
        clock.accept();
        assert_eq!(clock.moment().now, after(30_000));
        assert_eq!(clock.moment().lead_ms(), 0);
    }

    #[test]
    fn r32_a_process_that_was_in_step_leaves_nothing_uncertain() {
        let clock = ManualClock::new(after(HOUR));
        clock.resume(Kept {
            seen: Some(START),
            steady: Some(START),
        });
        assert_eq!(clock.moment().aligned_from, Timestamp(i64::MIN));
        // One that was ahead until the machine's clock caught up with it.
        let clock = ManualClock::new(after(HOUR));
        clock.resume(Kept {
            seen: Some(after(HOUR / 2)),
            steady: Some(START),
        });
        assert_eq!(clock.moment().aligned_from, after(HOUR / 2));
    }

    #[test]
    fn r32_a_machine_that_slept_is_followed() {
        let clock = ManualClock::new(START);
        clock.moment();
        // The monotonic clock stood still meanwhile.
        clock.turn_to(after(8 * HOUR));
        assert_eq!(clock.moment().now, after(8 * HOUR));
        assert_eq!(clock.moment().lead_ms(), 0);
    }

    #[test]
    fn r32_what_right_clocks_say_is_understood_whichever_of_the_two_is_wrong() {
        let clock = ManualClock::new(START);
        clock.turn_to(after(2 * HOUR));
        clock.moment();
        clock.turn_to(START);
        let moment = clock.moment();
        assert_eq!(moment.closest(after(5_000)), START);
        assert_eq!(moment.ours(after(5_000)), after(2 * HOUR + 5_000));
        // A clock that goes by ours is understood as well.
        assert_eq!(moment.ours(after(2 * HOUR - 5_000)), after(2 * HOUR - 5_000));
    }

    #[test]
    fn r32_many_looks_within_a_millisecond_do_not_hold_time_back() {
        let clock = SystemClock::default();
        let first = clock.moment();
        clock.resume(Kept {
            seen: Some(Timestamp(first.now.0 + HOUR)),
            steady: None,
        });
        let last = loop {
            let moment = clock.moment();
            if moment.running >= first.running + Duration::from_millis(20) {
                break moment;
            }
        };
        assert!(last.now.0 >= first.now.0 + HOUR + 19, "{first:?} {last:?}");
    }
}
