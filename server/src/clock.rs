//! Where time comes from: a parameter, so that a test can hold it still.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitpro_charge::Timestamp;

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The time since some instant that stays the same, by a clock that nobody sets: for pauses, never for what is stored.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock, which never runs backwards here: the highest time seen is kept (R32).
#[derive(Debug)]
pub struct SystemClock {
    highest: AtomicI64,
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the machine's clock is read"
        )]
        let started = Instant::now();
        Self {
            highest: AtomicI64::default(),
            started,
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the machine's clock is read"
        )]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.highest.fetch_max(millis, Ordering::Relaxed).max(millis))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub const fn new(start: Timestamp) -> Self {
        Self {
            millis: AtomicI64::new(start.0),
        }
    }

    /// Sets the time.
    pub fn set(&self, now: Timestamp) {
        self.millis.store(now.0, Ordering::Relaxed);
    }

    /// Moves the time forward.
    pub fn advance_secs(&self, secs: u32) {
        self.millis.fetch_add(i64::from(secs) * 1000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.millis.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.now().0).unwrap_or_default())
    }
}
