//! A budget per key that refills steadily: the generic cell rate algorithm, which keeps one number a key.

use std::collections::HashMap;
use std::hash::Hash;

use bitpro_charge::Timestamp;
use parking_lot::Mutex;

/// When to come back, in whole seconds; at least 1. The value of `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(pub u32);

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Units that can be taken at once.
    pub left: u32,
    /// When the budget is full again, in seconds.
    pub full_in_secs: u32,
}

/// Budgets by key.
#[derive(Debug)]
pub struct Buckets<K> {
    /// Microseconds after which one unit has come back.
    interval: i64,
    /// Microseconds by which a key may be ahead of the steady rate.
    ahead: i64,
    keys: Mutex<Keys<K>>,
}

/// For each key the instant, in microseconds, at which its budget is full again. Keys whose instant has passed carry nothing and go at the
/// next sweep, which comes when the map has doubled: memory follows the keys of the last few minutes.
#[derive(Debug)]
struct Keys<K> {
    full_at: HashMap<K, i64>,
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 1_024;

impl<K: Eq + Hash> Buckets<K> {
    /// Budgets that refill by `per_minute` and hold `burst`; both at least 1.
    #[must_use]
    pub fn new(per_minute: u32, burst: u32) -> Self {
        let interval = 60_000_000 / i64::from(per_minute.clamp(1, 60_000_000));
        Self {
            interval,
            ahead: interval * i64::from(burst.max(1)),
            keys: Mutex::new(Keys {
                full_at: HashMap::new(),
                sweep_at: FIRST_SWEEP,
            }),
        }
    }

    /// Takes one unit.
    ///
    /// # Errors
    /// [`RetryAfter`] when none is left; nothing is taken then.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), RetryAfter> {
        self.take_and_tell(key, now).map(|_| ())
    }

    /// Takes one unit, and tells what is left.
    ///
    /// # Errors
    /// [`RetryAfter`] when none is left; nothing is taken then.
    pub fn take_and_tell(&self, key: K, now: Timestamp) -> Result<Standing, RetryAfter> {
        let now = now.0.saturating_mul(1_000);
        let mut keys = self.keys.lock();
        if keys.full_at.len() >= keys.sweep_at {
            keys.full_at.retain(|_, full_at| *full_at > now);
            keys.sweep_at = FIRST_SWEEP.max(keys.full_at.len() * 2);
        }
        let full_at = keys.full_at.get(&key).copied().unwrap_or(now).max(now);
        let next = full_at + self.interval;
        let too_early = next - self.ahead - now;
        if too_early > 0 {
            let secs = u32::try_from((too_early + 999_999) / 1_000_000).unwrap_or(u32::MAX);
            return Err(RetryAfter(secs));
        }
        keys.full_at.insert(key, next);
        let until_full = next - now;
        Ok(Standing {
            left: u32::try_from((self.ahead - until_full) / self.interval).unwrap_or(0),
            full_in_secs: u32::try_from((until_full + 999_999) / 1_000_000).unwrap_or(u32::MAX),
        })
    }

    /// Gives back one unit that was taken.
    pub fn give_back(&self, key: K) {
        if let Some(full_at) = self.keys.lock().full_at.get_mut(&key) {
            *full_at -= self.interval;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000;

    #[test]
    fn r25_a_burst_of_20_is_taken_and_then_10_a_minute() {
        let buckets = Buckets::new(10, 20);
        for _ in 0..20 {
            assert_eq!(buckets.take("a", Timestamp(START)), Ok(()));
        }
        assert_eq!(buckets.take("a", Timestamp(START)), Err(RetryAfter(6)));
        assert_eq!(buckets.take("a", Timestamp(START + 5_999)), Err(RetryAfter(1)));
        assert_eq!(buckets.take("a", Timestamp(START + 6_000)), Ok(()));
        assert_eq!(buckets.take("a", Timestamp(START + 6_000)), Err(RetryAfter(6)));
        let taken = (0..100)
            .filter(|_| buckets.take("a", Timestamp(START + 66_000)).is_ok())
            .count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn a_refusal_takes_nothing_and_keys_do_not_share() {
        let buckets = Buckets::new(60, 1);
        assert!(buckets.take("a", Timestamp(START)).is_ok());
        for _ in 0..100 {
            assert!(buckets.take("a", Timestamp(START)).is_err());
        }
        assert!(buckets.take("b", Timestamp(START)).is_ok());
        assert!(buckets.take("a", Timestamp(START + 1_000)).is_ok());
    }

    #[test]
    fn what_is_left_is_told() {
        let buckets = Buckets::new(60, 3);
        let told = |left, full_in_secs| Ok(Standing { left, full_in_secs });
        assert_eq!(buckets.take_and_tell("a", Timestamp(START)), told(2, 1));
        assert_eq!(buckets.take_and_tell("a", Timestamp(START)), told(1, 2));
        assert_eq!(buckets.take_and_tell("a", Timestamp(START + 500)), told(0, 3));
        assert_eq!(buckets.take_and_tell("a", Timestamp(START + 500)), Err(RetryAfter(1)));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let buckets = Buckets::new(10, 1);
        assert!(buckets.take("a", Timestamp(START)).is_ok());
        buckets.give_back("a");
        assert!(buckets.take("a", Timestamp(START)).is_ok());
        assert!(buckets.take("a", Timestamp(START)).is_err());
        buckets.give_back("b");
        assert!(buckets.take("b", Timestamp(START)).is_ok());
    }

    #[test]
    fn memory_follows_the_keys_of_the_last_minutes() {
        let buckets = Buckets::new(10, 20);
        for key in 0..10_000_i64 {
            assert!(buckets.take(key, Timestamp(START + key * 1_000)).is_ok());
        }
        assert!(buckets.keys.lock().full_at.len() <= 2 * FIRST_SWEEP);
    }
}
