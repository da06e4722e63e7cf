//! A map that strangers write into and cannot make large: its keys are hashed, so that a long one costs as much as a short one,
//! and it holds so many entries and no more.
//!
//! When it is full, what says the least goes first: entries that have ended, then those that end soonest. Somebody who has
//! spent much of a budget is therefore remembered longer than the thousands who came once, and filling the map with fresh keys
//! does not make it forget them.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// How many entries a map holds that nobody has given another bound: about 2 MB when it is full.
pub const MOST_KEYS: usize = 32_768;
/// How many entries are kept before those that have ended are looked for.
const FIRST_SWEEP: usize = 1_024;

/// What an entry says ends at some time, after which it is worth nothing.
pub trait Ends {
    /// The instant from which on the entry may be forgotten without loss, in the unit that the map's user counts in.
    fn ends_at(&self) -> i64;
}

/// An instant says when something ends.
impl Ends for i64 {
    fn ends_at(&self) -> i64 {
        *self
    }
}

/// A key's hash under two secrets of this map: 128 bits that nobody outside can aim at.
type Hashed = [u64; 2];

/// At most so many entries by hashed keys.
#[derive(Debug)]
pub struct Bounded<V> {
    name: &'static str,
    secrets: [RandomState; 2],
    entries: HashMap<Hashed, V>,
    most: usize,
    sweep_at: usize,
}

impl<V: Ends> Bounded<V> {
    /// An empty map of at most `most` entries. `name` is what the metric of forgotten entries calls it.
    #[must_use]
    pub fn new(name: &'static str, most: usize) -> Self {
        metrics::counter!("bitpro_limits_forgotten_total", "limit" => name).increment(0);
        let most = most.max(8);
        Self {
            name,
            secrets: [RandomState::new(), RandomState::new()],
            entries: HashMap::new(),
            most,
            sweep_at: FIRST_SWEEP.min(most),
        }
    }

    fn hashed(&self, key: &impl Hash) -> Hashed {
        [self.secrets[0].hash_one(key), self.secrets[1].hash_one(key)]
    }

    /// The entry of a key.
    #[must_use]
    pub fn get(&self, key: &impl Hash) -> Option<&V> {
        self.entries.get(&self.hashed(key))
    }

    /// The entry of a key, to be changed.
    pub fn get_mut(&mut self, key: &impl Hash) -> Option<&mut V> {
        let hashed = self.hashed(key);
        self.entries.get_mut(&hashed)
    }

    /// Stores an entry, in the place of the one before, and of others if the map is full at `now`.
    pub fn put(&mut self, key: &impl Hash, value: V, now: i64) {
        let hashed = self.hashed(key);
        if self.entries.len() >= self.sweep_at && !self.entries.contains_key(&hashed) {
            self.sweep(now);
        }
        self.entries.insert(hashed, value);
    }

    /// Takes an entry out.
    pub fn take(&mut self, key: &impl Hash) -> Option<V> {
        let hashed = self.hashed(key);
        self.entries.remove(&hashed)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets what has ended; and, while more than seven eighths are left of a full map, what ends soonest. An eighth at a time
    /// is a few steps for each entry that is put in.
    fn sweep(&mut self, now: i64) {
        self.entries.retain(|_, value| value.ends_at() > now);
        let kept = self.most - self.most / 8;
        if self.entries.len() > kept {
            let surplus = self.entries.len() - kept;
            let mut ends: Vec<i64> = self.entries.values().map(Ends::ends_at).collect();
            let (_, last, _) = ends.select_nth_unstable(surplus - 1);
            let last = *last;
            let mut left = surplus;
            // Those that end before the last one all go; of those that end with it, as many as are still too many.
            self.entries.retain(|_, value| {
                let goes = left > 0 && value.ends_at() < last;
                left -= usize::from(goes);
                !goes
            });
            self.entries.retain(|_, value| {
                let goes = left > 0 && value.ends_at() == last;
                left -= usize::from(goes);
                !goes
            });
            let forgotten = u64::try_from(surplus).unwrap_or(u64::MAX);
            metrics::counter!("bitpro_limits_forgotten_total", "limit" => self.name).increment(forgotten);
        }
        self.sweep_at = (self.entries.len() * 2).clamp(FIRST_SWEEP.min(self.most), self.most);
        // What a storm has made large does not stay so.
        self.entries.shrink_to(self.sweep_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_takes_no_more_than_it_may_however_many_keys_come() {
        let mut map = Bounded::new("test", 1_000);
        for key in 0..50_000_i64 {
            map.put(&format!("{key}{}", "x".repeat(1_000)), i64::MAX - key, 0);
            assert!(map.len() <= 1_000);
        }
        assert!(map.len() > 800, "{}", map.len());
        assert!(map.entries.capacity() <= 2 * 1_000, "{}", map.entries.capacity());
    }

    #[test]
    fn who_has_spent_most_is_remembered_longest() {
        let mut map = Bounded::new("test", 1_000);
        map.put(&"guesser", 10_000, 0);
        for key in 0..100_000 {
            map.put(&key, 10, 0);
        }
        assert_eq!(map.get(&"guesser"), Some(&10_000));
    }

    #[test]
    fn entries_that_end_together_do_not_all_go_at_once() {
        let mut map = Bounded::new("test", 800);
        for key in 0..801 {
            map.put(&key, 5, 0);
        }
        assert_eq!(map.len(), 701);
    }

    #[test]
    fn what_has_ended_goes_before_the_map_is_full() {
        let mut map = Bounded::new("test", MOST_KEYS);
        for key in 0..20_000_i64 {
            map.put(&key, key + 100, key);
        }
        assert!(map.len() <= FIRST_SWEEP, "{}", map.len());
    }

    #[test]
    fn an_entry_is_found_changed_and_taken() {
        let mut map = Bounded::new("test", 10);
        map.put(&("a", 1), 7, 0);
        *map.get_mut(&("a", 1)).unwrap() += 1;
        assert_eq!((map.get(&("a", 1)), map.get(&("a", 2))), (Some(&8), None));
        assert_eq!((map.take(&("a", 1)), map.take(&("a", 1))), (Some(8), None));
        assert!(map.is_empty());
    }
}
