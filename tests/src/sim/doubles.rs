//! What stands in the place of the machine: clock, chance, rates, faults.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bitpro_base::clock::{self, Clock, Kept, ManualClock};
use bitpro_base::rng::Rng;
use bitpro_charge::{Quote, Rate, Timestamp};
use bitpro_rates::RateSource;
use bitpro_service::charges::{CommitPoint, Faults};

use super::dice::Dice;

/// The server's clock, on a machine whose hands may be turned, over true time.
#[derive(Debug)]
pub struct SimClock {
    truth: AtomicI64,
    ahead: AtomicI64,
    process: Mutex<ManualClock>,
}

impl SimClock {
    /// A clock that is right.
    #[must_use]
    pub fn new(truth: i64) -> Self {
        Self {
            truth: AtomicI64::new(truth),
            ahead: AtomicI64::new(0),
            process: Mutex::new(ManualClock::new(Timestamp(truth))),
        }
    }

    fn process(&self) -> MutexGuard<'_, ManualClock> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> Timestamp {
        Timestamp(self.truth() + self.ahead.load(Ordering::Relaxed))
    }

    /// True time.
    pub fn truth(&self) -> i64 {
        self.truth.load(Ordering::Relaxed)
    }

    /// How far the machine's clock is ahead of it, in milliseconds.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Lets true time go on.
    pub fn go_to(&self, truth: i64) {
        self.truth.store(truth, Ordering::Relaxed);
        self.process().set(self.shown());
    }

    /// Sets the machine's clock so far ahead of the truth, in milliseconds.
    pub fn set_ahead(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
        self.process().turn_to(self.shown());
    }

    /// A new process remembers nothing.
    pub fn forget(&self) {
        *self.process() = ManualClock::new(self.shown());
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.process().now()
    }

    fn monotonic(&self) -> Duration {
        self.process().monotonic()
    }

    fn moment(&self) -> clock::Moment {
        self.process().moment()
    }

    fn resume(&self, kept: Kept) {
        self.process().resume(kept);
    }

    fn kept(&self) -> Kept {
        self.process().kept()
    }

    fn accept(&self) {
        self.process().accept();
    }
}

/// Chance, from the seed.
#[derive(Debug)]
pub struct SimRng(Mutex<Dice>);

impl SimRng {
    /// Chance from these dice.
    #[must_use]
    pub const fn new(dice: Dice) -> Self {
        Self(Mutex::new(dice))
    }
}

impl Rng for SimRng {
    fn bytes(&self) -> [u8; 16] {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&dice.any().to_be_bytes());
        bytes[8..].copy_from_slice(&dice.any().to_be_bytes());
        bytes
    }
}

/// A market with one price, or none.
#[derive(Debug)]
pub struct SimRates {
    /// Cents a bitcoin; zero when there is no rate.
    cents: AtomicU64,
}

impl SimRates {
    /// A market at this price.
    #[must_use]
    pub const fn new(cents: u64) -> Self {
        Self {
            cents: AtomicU64::new(cents),
        }
    }

    /// The price; `None` when there is none.
    pub fn cents(&self) -> Option<u64> {
        Some(self.cents.load(Ordering::Relaxed)).filter(|cents| *cents > 0)
    }

    /// Sets the price; zero takes it away.
    pub fn set(&self, cents: u64) {
        self.cents.store(cents, Ordering::Relaxed);
    }
}

impl RateSource for SimRates {
    fn fresh(&self, now: Timestamp) -> Option<Quote> {
        let rate = Rate::from_cents_per_btc(self.cents()?).ok()?;
        Some(Quote {
            rate,
            source: "market".to_owned(),
            at: now,
        })
    }

    fn is_fixed(&self) -> bool {
        false
    }
}

/// What is to befall the next commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doom {
    /// When.
    pub moment: CommitPoint,
    /// Whether the process ends there: then what the disk holds is copied to this place.
    pub grave: Option<PathBuf>,
}

/// Commits, and what befalls them.
#[derive(Debug, Default)]
pub struct SimFaults {
    database: Mutex<PathBuf>,
    doom: Mutex<Option<Doom>>,
    grave: Mutex<Option<PathBuf>>,
    commits: AtomicU64,
}

impl SimFaults {
    /// Watches over this database.
    #[must_use]
    pub fn new(database: &Path) -> Self {
        Self {
            database: Mutex::new(database.to_owned()),
            ..Self::default()
        }
    }

    /// Lets this befall the next commit.
    pub fn arm(&self, doom: Option<Doom>) {
        *self.doom.lock().unwrap_or_else(PoisonError::into_inner) = doom;
    }

    /// What the disk held when the process died, if it did.
    pub fn buried(&self) -> Option<PathBuf> {
        self.grave.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether something is still to come.
    pub fn is_armed(&self) -> bool {
        self.doom.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// How many commits there were.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

impl Faults for SimFaults {
    fn at(&self, moment: CommitPoint) -> Result<(), String> {
        if moment == CommitPoint::BeforeCommit {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        let mut doom = self.doom.lock().unwrap_or_else(PoisonError::into_inner);
        match doom.take_if(|doom| doom.moment == moment) {
            None => Ok(()),
            Some(Doom { grave, .. }) => {
                if let Some(grave) = grave {
                    let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
                    copy_database(&database, &grave);
                    *self.grave.lock().unwrap_or_else(PoisonError::into_inner) = Some(grave);
                }
                Err(format!("a fault {moment:?}"))
            }
        }
    }
}

/// Copies a database as a machine that dies now would leave it.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_database(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        if name(from).exists() {
            std::fs::copy(name(from), name(to)).expect("the temporary folder has room");
        }
    }
}

/// Copies the issuance mark beside a database.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_mark(from: &Path, to: &Path) {
    if mark_of(from).exists() {
        std::fs::copy(mark_of(from), mark_of(to)).expect("the temporary folder has room");
    }
}

/// The issuance mark of a database.
#[must_use]
pub fn mark_of(database: &Path) -> PathBuf {
    PathBuf::from(format!("{}.issued", database.display()))
}
