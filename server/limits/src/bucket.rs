//! A budget per key that refills steadily: the generic cell rate algorithm, which keeps one number a key.

use std::hash::Hash;
use std::marker::PhantomData;

use bitpro_charge::Timestamp;
use parking_lot::Mutex;

use super::bounded::{Bounded, MOST_KEYS};

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

/// Budgets by key, of which at most [`MOST_KEYS`] are remembered.
#[derive(Debug)]
pub struct Buckets<K> {
    /// Microseconds after which one unit has come back.
    interval: i64,
    /// Microseconds by which a key may be ahead of the steady rate.
    ahead: i64,
    /// For each key the instant, in microseconds, at which its budget is full again. A key whose instant has passed carries
    /// nothing.
    full_at: Mutex<Bounded<i64>>,
    name: &'static str,
    keys: PhantomData<fn(K)>,
}

impl<K: Hash> Buckets<K> {
    /// Budgets that refill by `per_minute` and hold `burst`; both at least 1. `name` is what metrics call them.
    #[must_use]
    pub fn new(name: &'static str, per_minute: u32, burst: u32) -> Self {
        Self::per_hour(name, u64::from(per_minute) * 60, burst)
    }

    /// The same for what is so seldom that minutes are too short.
    #[must_use]
    pub fn per_hour(name: &'static str, per_hour: u64, burst: u32) -> Self {
        let interval = 3_600_000_000 / i64::try_from(per_hour).unwrap_or(i64::MAX).clamp(1, 3_600_000_000);
        Self {
            interval,
            ahead: interval * i64::from(burst.max(1)),
            full_at: Mutex::new(Bounded::new(name, MOST_KEYS)),
            name,
            keys: PhantomData,
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
        let mut keys = self.full_at.lock();
        let full_at = keys.get(&key).copied().unwrap_or(now).max(now);
        let next = full_at + self.interval;
        let too_early = next - self.ahead - now;
        if too_early > 0 {
            metrics::counter!("bitpro_limits_refused_total", "limit" => self.name).increment(1);
            let secs = u32::try_from((too_early + 999_999) / 1_000_000).unwrap_or(u32::MAX);
            return Err(RetryAfter(secs));
        }
        keys.put(&key, next, now);
        let until_full = next - now;
        Ok(Standing {
            left: u32::try_from((self.ahead - until_full) / self.interval).unwrap_or(0),
            full_in_secs: u32::try_from((until_full + 999_999) / 1_000_000).unwrap_or(u32::MAX),
        })
    }

    /// Gives back one unit that was taken.
    pub fn give_back(&self, key: K) {
        if let Some(full_at) = self.full_at.lock().get_mut(&key) {
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
        let buckets = Buckets::new("test", 10, 20);
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
        let buckets = Buckets::new("test", 60, 1);
        assert!(buckets.take("a", Timestamp(START)).is_ok());
        for _ in 0..100 {
            assert!(buckets.take("a", Timestamp(START)).is_err());
        }
        assert!(buckets.take("b", Timestamp(START)).is_ok());
        assert!(buckets.take("a", Timestamp(START + 1_000)).is_ok());
    }

    #[test]
    fn what_is_left_is_told() {
        let buckets = Buckets::new("test", 60, 3);
        let told = |left, full_in_secs| Ok(Standing { left, full_in_secs });
        assert_eq!(buckets.take_and_tell("a", Timestamp(START)), told(2, 1));
        assert_eq!(buckets.take_and_tell("a", Timestamp(START)), told(1, 2));
        assert_eq!(buckets.take_and_tell("a", Timestamp(START + 500)), told(0, 3));
        assert_eq!(buckets.take_and_tell("a", Timestamp(START + 500)), Err(RetryAfter(1)));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let buckets = Buckets::new("test", 10, 1);
        assert!(buckets.take("a", Timestamp(START)).is_ok());
        buckets.give_back("a");
        assert!(buckets.take("a", Timestamp(START)).is_ok());
        assert!(buckets.take("a", Timestamp(START)).is_err());
        buckets.give_back("b");
        assert!(buckets.take("b", Timestamp(START)).is_ok());
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let buckets = Buckets::new("test", 10, 20);
        for key in 0..10_000_i64 {
            assert!(buckets.take(key, Timestamp(START + key * 1_000)).is_ok());
        }
        assert!(buckets.full_at.lock().len() <= 2 * 1_024, "those of the last minutes");
        let buckets = Buckets::new("test", 10, 20);
        for key in 0..100_000_i64 {
            assert!(buckets.take(key, Timestamp(START)).is_ok());
        }
        assert!(buckets.full_at.lock().len() <= MOST_KEYS);
    }

    #[test]
    fn who_has_nothing_left_is_not_forgotten_for_strangers() {
        let buckets = Buckets::new("test", 10, 20);
        while buckets.take(-1, Timestamp(START)).is_ok() {}
        for key in 0..200_000_i64 {
            assert!(buckets.take(key, Timestamp(START)).is_ok());
        }
        assert!(buckets.take(-1, Timestamp(START)).is_err());
    }

    #[test]
    fn what_is_seldom_is_counted_by_the_hour() {
        let buckets = Buckets::per_hour("test", 2, 3);
        let taken = |secs: i64| {
            let all = (0..10).filter(|_| buckets.take("a", Timestamp(START + secs * 1_000)).is_ok());
            all.count()
        };
        assert_eq!((taken(0), taken(1_799), taken(1_800), taken(2 * 3_600)), (3, 0, 1, 3));
    }
}
