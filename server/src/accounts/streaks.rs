//! Waits that grow with every wrong attempt in a row: a budget alone lets a patient guesser go on for ever.

use std::collections::HashMap;
use std::hash::Hash;

use bitpro_charge::Timestamp;
use parking_lot::Mutex;

use crate::limits::RetryAfter;

/// Wrong attempts in a row after which nobody waits: people mistype.
const FREE: u32 = 5;
/// The longest wait, in seconds.
const LONGEST_SECS: u32 = 15 * 60;
/// A streak that rests so long is forgotten, in seconds.
const REST_SECS: u32 = 60 * 60;
/// How many keys are kept before those that rest are looked for.
const FIRST_SWEEP: usize = 1_024;

/// Attempts in a row by key. Memory follows the keys of the last hour, whose number and length others bound.
#[derive(Debug)]
pub(super) struct Streaks<K> {
    keys: Mutex<(HashMap<K, Streak>, usize)>,
}

#[derive(Debug, Clone, Copy)]
struct Streak {
    attempts: u32,
    free_at: Timestamp,
}

impl<K> Default for Streaks<K> {
    fn default() -> Self {
        Self {
            keys: Mutex::new((HashMap::new(), FIRST_SWEEP)),
        }
    }
}

impl<K: Eq + Hash> Streaks<K> {
    /// Counts an attempt, which is wrong until [`Self::ended`] says otherwise: so attempts that run beside each other count, too.
    /// How many there were in a row.
    ///
    /// # Errors
    /// [`RetryAfter`] while the wait after the one before lasts; it counts nothing then.
    pub(super) fn attempt(&self, key: K, now: Timestamp) -> Result<u32, RetryAfter> {
        let mut guarded = self.keys.lock();
        let (keys, sweep_at) = &mut *guarded;
        if keys.len() >= *sweep_at {
            keys.retain(|_, streak| streak.free_at.plus_secs(REST_SECS) > now);
            *sweep_at = FIRST_SWEEP.max(keys.len() * 2);
        }
        let new = Streak {
            attempts: 0,
            free_at: now,
        };
        let streak = keys.entry(key).or_insert(new);
        if streak.free_at > now {
            let millis = streak.free_at.0 - now.0;
            return Err(RetryAfter(
                u32::try_from((millis + 999) / 1_000).unwrap_or(LONGEST_SECS),
            ));
        }
        if streak.free_at.plus_secs(REST_SECS) <= now {
            *streak = new;
        }
        streak.attempts = streak.attempts.saturating_add(1);
        streak.free_at = now.plus_secs(wait(streak.attempts));
        Ok(streak.attempts)
    }

    /// An attempt was right.
    pub(super) fn ended(&self, key: &K) {
        self.keys.lock().0.remove(key);
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
        let streaks = Streaks::default();
        for n in 1..=6 {
            assert_eq!(streaks.attempt("ada", at(0)), Ok(n));
        }
        assert_eq!(streaks.attempt("ada", at(0)), Err(RetryAfter(2)));
        assert_eq!(streaks.attempt("eve", at(0)), Ok(1), "nobody else waits");
        assert_eq!(streaks.attempt("ada", at(2)), Ok(7));
        assert_eq!(streaks.attempt("ada", at(3)), Err(RetryAfter(3)));
        assert_eq!(streaks.attempt("ada", at(6)), Ok(8));
        streaks.ended(&"ada");
        assert_eq!(streaks.attempt("ada", at(6)), Ok(1));
    }

    #[test]
    fn what_rests_for_an_hour_is_forgotten() {
        let streaks = Streaks::default();
        for _ in 0..6 {
            let _ = streaks.attempt(0, at(0));
        }
        assert_eq!(streaks.attempt(0, at(2 + i64::from(REST_SECS))), Ok(1));
        for key in 1..5_000 {
            let _ = streaks.attempt(key, at(i64::from(key) * i64::from(REST_SECS)));
        }
        assert!(streaks.keys.lock().0.len() <= FIRST_SWEEP);
    }
}
