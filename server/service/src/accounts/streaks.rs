//! Waits that grow with every wrong attempt in a row: a budget alone lets a patient guesser go on for ever.

use std::hash::Hash;
use std::marker::PhantomData;

use bitpro_charge::Timestamp;
use bitpro_limits::bounded::{Bounded, Ends, MOST_KEYS};
use bitpro_limits::{RetryAfter, refused};
use parking_lot::Mutex;

/// Wrong attempts in a row after which nobody waits: people mistype.
const FREE: u32 = 5;
/// The longest wait, in seconds.
const LONGEST_SECS: u32 = 15 * 60;
/// A streak that rests so long is forgotten, in seconds.
const REST_SECS: u32 = 60 * 60;

/// Attempts in a row by key, of which at most [`MOST_KEYS`] are remembered: those who wait longest are forgotten last.
#[derive(Debug)]
pub(super) struct Streaks<K> {
    streaks: Mutex<Bounded<Streak>>,
    name: &'static str,
    keys: PhantomData<fn(K)>,
}

#[derive(Debug, Clone, Copy)]
struct Streak {
    attempts: u32,
    free_at: Timestamp,
}

impl Ends for Streak {
    fn ends_at(&self) -> i64 {
        self.free_at.plus_secs(REST_SECS).0
    }
}

impl<K: Hash> Streaks<K> {
    /// Nobody has tried yet. `name` is what metrics call them.
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            streaks: Mutex::new(Bounded::new(name, MOST_KEYS)),
            name,
            keys: PhantomData,
        }
    }

    /// Counts an attempt, which is wrong until [`Self::ended`] says otherwise: so attempts that run beside each other count, too.
    /// How many there were in a row.
    ///
    /// # Errors
    /// [`RetryAfter`] while the wait after the one before lasts; it counts nothing then.
    pub(super) fn attempt(&self, key: &K, now: Timestamp) -> Result<u32, RetryAfter> {
        let mut streaks = self.streaks.lock();
        let mut streak = Streak {
            attempts: 0,
            free_at: now,
        };
        if let Some(former) = streaks.get(key).filter(|former| former.ends_at() > now.0) {
            streak = *former;
        }
        if streak.free_at > now {
            refused(self.name);
            let millis = streak.free_at.0 - now.0;
            return Err(RetryAfter(
                u32::try_from((millis + 999) / 1_000).unwrap_or(LONGEST_SECS),
            ));
        }
        streak.attempts = streak.attempts.saturating_add(1);
        streak.free_at = now.plus_secs(wait(streak.attempts));
        streaks.put(key, streak, now.0);
        Ok(streak.attempts)
    }

    /// An attempt was right.
    pub(super) fn ended(&self, key: &K) {
        self.streaks.lock().take(key);
    }
}

/// The wait after so many attempts, in seconds: none, then 2, 4, 8 …
fn wait(attempts: u32) -> u32 {
    match attempts.saturating_sub(FREE) {
        0 => 0,
        beyond => 1_u32
            .checked_shl(beyond)
            .map_or(LONGEST_SECS, |secs| secs.min(LONGEST_SECS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000;

    fn at(secs: i64) -> Timestamp {
        Timestamp(START + secs * 1_000)
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<u32> = (1..=18).map(wait).collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]
        );
        assert_eq!(wait(u32::MAX), LONGEST_SECS);
    }

    #[test]
    fn a_guesser_waits_longer_each_time_and_a_right_attempt_ends_it() {
        let streaks = Streaks::new("test");
        for n in 1..=6 {
            assert_eq!(streaks.attempt(&"ada", at(0)), Ok(n));
        }
        assert_eq!(streaks.attempt(&"ada", at(0)), Err(RetryAfter(2)));
        assert_eq!(streaks.attempt(&"eve", at(0)), Ok(1), "nobody else waits");
        assert_eq!(streaks.attempt(&"ada", at(2)), Ok(7));
        assert_eq!(streaks.attempt(&"ada", at(3)), Err(RetryAfter(3)));
        assert_eq!(streaks.attempt(&"ada", at(6)), Ok(8));
        streaks.ended(&"ada");
        assert_eq!(streaks.attempt(&"ada", at(6)), Ok(1));
    }

    #[test]
    fn what_rests_for_an_hour_is_forgotten() {
        let streaks = Streaks::new("test");
        for _ in 0..6 {
            let _ = streaks.attempt(&0, at(0));
        }
        assert_eq!(streaks.attempt(&0, at(2 + i64::from(REST_SECS))), Ok(1));
        for key in 1..5_000 {
            let _ = streaks.attempt(&key, at(i64::from(key) * i64::from(REST_SECS)));
        }
        assert!(streaks.streaks.lock().len() <= 1_024);
    }

    #[test]
    fn strangers_without_number_take_no_more_memory_and_let_no_guesser_off() {
        let streaks = Streaks::new("test");
        let guesser = "guesser".to_owned();
        for _ in 0..8 {
            let _ = streaks.attempt(&guesser, at(0));
        }
        for n in 0..100_000 {
            let _ = streaks.attempt(&format!("{n}{}", "x".repeat(200)), at(0));
        }
        assert!(streaks.streaks.lock().len() <= MOST_KEYS);
        assert!(streaks.attempt(&guesser, at(0)).is_err());
    }
}
