//! The map from scripts to rows: about 20 bytes a script (R34), for every script ever given out.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use bitpro_node::view::{Fingerprint, ScriptId};
use parking_lot::{Mutex, RwLock};
use siphasher::sip::SipHasher13;

/// The map of watched scripts: a shared handle, which sees additions as they are committed.
#[derive(Clone)]
pub struct WatchMap {
    shared: Arc<Shared>,
}

struct Shared {
    /// Random, so that nobody can choose scripts that meet.
    key: [u8; 16],
    rows: RwLock<HashMap<Short, u32, BuildHasherDefault<Already>>>,
    /// Those that were added since somebody asked last.
    added: Mutex<Vec<Fingerprint>>,
}

/// A script's 64-bit hash, in halves so that an entry is 12 bytes and not 16.
#[derive(PartialEq, Eq)]
struct Short(u32, u32);

impl std::hash::Hash for Short {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0) << 32 | u64::from(self.1));
    }
}

/// What is a hash already needs no hashing.
#[derive(Default)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

impl WatchMap {
    /// An empty map under a random `key`.
    pub fn new(key: [u8; 16]) -> Self {
        Self {
            shared: Arc::new(Shared {
                key,
                rows: RwLock::default(),
                added: Mutex::default(),
            }),
        }
    }

    /// The row of `script_pubkey`, if it is watched. Two scripts may meet in one hash: a hit is verified against the whole
    /// script when the view is applied (R34).
    #[must_use]
    pub fn lookup(&self, script_pubkey: &[u8]) -> Option<ScriptId> {
        let row = *self.shared.rows.read().get(&self.short(script_pubkey))?;
        Some(ScriptId(i64::from(row)))
    }

    /// The short hash of a script.
    pub fn fingerprint(&self, script_pubkey: &[u8]) -> Fingerprint {
        let Short(high, low) = self.short(script_pubkey);
        Fingerprint(u64::from(high) << 32 | u64::from(low))
    }

    /// Whether a script with this short hash is watched.
    pub fn has(&self, fingerprint: Fingerprint) -> bool {
        self.shared.rows.read().contains_key(&Short::from(fingerprint))
    }

    /// The scripts that were added since this was asked last, those aside that it was filled with at first.
    pub fn take_added(&self) -> Vec<Fingerprint> {
        std::mem::take(&mut *self.shared.added.lock())
    }

    /// How many scripts are watched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.rows.read().len()
    }

    /// Whether no script is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the map with what was watched before anybody looked at any transaction.
    pub fn fill<'s>(&self, scripts: impl IntoIterator<Item = (&'s [u8], ScriptId)>) {
        let mut rows = self.shared.rows.write();
        for (script, id) in scripts {
            rows.insert(self.short(script), row_of(id));
        }
    }

    /// Adds scripts; whether any was new.
    pub fn extend<'s>(&self, scripts: impl IntoIterator<Item = (&'s [u8], ScriptId)>) -> bool {
        let mut rows = self.shared.rows.write();
        let mut added = self.shared.added.lock();
        let before = added.len();
        for (script, id) in scripts {
            if rows.insert(self.short(script), row_of(id)).is_none() {
                added.push(self.fingerprint(script));
            }
        }
        added.len() > before
    }

    fn short(&self, script: &[u8]) -> Short {
        Fingerprint(SipHasher13::new_with_key(&self.shared.key).hash(script)).into()
    }
}

impl From<Fingerprint> for Short {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::as_conversions,
        reason = "the two halves of 64 bits"
    )]
    fn from(Fingerprint(hash): Fingerprint) -> Self {
        Self((hash >> 32) as u32, hash as u32)
    }
}

/// Four thousand million scripts are more than fit into memory.
fn row_of(id: ScriptId) -> u32 {
    u32::try_from(id.0).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r34_a_script_costs_about_twenty_bytes() {
        // An entry and its control byte, at the worst and the best filling of the table (7/16 and 7/8).
        let entry = size_of::<(Short, u32)>() + 1;
        assert_eq!(entry, 13);
        assert!((entry * 16 / 7 + entry * 8 / 7) / 2 <= 22);
    }

    #[test]
    fn a_script_is_found_again_and_another_is_not() {
        let map = WatchMap::new([3; 16]);
        let handle = map.clone();
        let scripts: Vec<Vec<u8>> = (0..1000_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let ids = scripts.iter().map(Vec::as_slice).zip((0..).map(ScriptId));
        map.extend(ids);
        assert_eq!(handle.len(), 1000);
        assert_eq!(handle.lookup(&999_u32.to_be_bytes()), Some(ScriptId(999)));
        assert_eq!(handle.lookup(&1000_u32.to_be_bytes()), None);
    }

    #[test]
    fn r27_what_is_watched_later_is_told_once() {
        let map = WatchMap::new([3; 16]);
        map.fill([(b"early".as_slice(), ScriptId(1))]);
        assert!(!map.extend([(b"early".as_slice(), ScriptId(1))]));
        assert!(map.extend([(b"early".as_slice(), ScriptId(1)), (b"late".as_slice(), ScriptId(2))]));
        let late = map.fingerprint(b"late");
        assert!(map.has(late) && !map.has(map.fingerprint(b"never")));
        assert_eq!(map.take_added(), [late]);
        assert_eq!(map.take_added(), []);
    }
}
