//! Who listens to what: one light channel for each charge, or merchant, that anyone looks at.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bitpro_charge::ChargeId;
use parking_lot::Mutex;
use tokio::sync::watch;

/// Listeners come and go on every thread; a shard is locked for the length of a look-up.
const SHARDS: usize = 16;

/// News about a charge: not what is new, only that there is something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frame {
    /// The charge's sequence now.
    pub sequence: u64,
    /// Its sequence before this batch: a reader that has not seen that one must catch up with `Charges::frames_after`.
    /// Equal to `sequence` when only the depth has changed (R31).
    pub previous: u64,
    /// The height of the tip.
    pub tip: u32,
}

/// All listeners to things called `K`, whose news are `F`.
pub(super) struct Hub<K = ChargeId, F = Frame> {
    shards: [Mutex<HashMap<K, watch::Sender<F>>>; SHARDS],
    is_closed: AtomicBool,
}

/// A listener to one charge, or to whatever `K` names.
pub struct Subscription<K: Copy + Eq + Hash = ChargeId, F: Copy + Default = Frame> {
    hub: Arc<Hub<K, F>>,
    id: K,
    frames: watch::Receiver<F>,
}

impl<K, F> Default for Hub<K, F> {
    fn default() -> Self {
        Self {
            shards: Default::default(),
            is_closed: AtomicBool::default(),
        }
    }
}

impl<K: Copy + Eq + Hash, F: Copy + Default> Subscription<K, F> {
    /// Waits for news that was not delivered yet; a slow reader gets only the latest. `None` when the server is closing.
    pub async fn next(&mut self) -> Option<F> {
        self.frames.changed().await.ok()?;
        Some(*self.frames.borrow_and_update())
    }
}

impl<K: Copy + Eq + Hash, F: Copy + Default> Drop for Subscription<K, F> {
    fn drop(&mut self) {
        let mut shard = self.hub.shard(self.id).lock();
        // This receiver still counts.
        if shard.get(&self.id).is_some_and(|frames| frames.receiver_count() <= 1) {
            shard.remove(&self.id);
        }
    }
}

impl<K: Copy + Eq + Hash, F: Copy + Default> Hub<K, F> {
    /// Listens to what is called `id`.
    pub(super) fn subscribe(self: &Arc<Self>, id: K) -> Subscription<K, F> {
        let mut shard = self.shard(id).lock();
        let nothing_yet = F::default();
        let frames = if self.is_closed.load(Ordering::Acquire) {
            // The sender is dropped at once, which is how a listener learns of the end.
            watch::channel(nothing_yet).1
        } else {
            shard
                .entry(id)
                .or_insert_with(|| watch::channel(nothing_yet).0)
                .subscribe()
        };
        Subscription {
            hub: Arc::clone(self),
            id,
            frames,
        }
    }

    /// Tells whoever listens to what is called `id`.
    pub(super) fn publish(&self, id: K, frame: F) {
        if let Some(frames) = self.shard(id).lock().get(&id) {
            frames.send_replace(frame);
        }
    }

    /// Wakes everybody: nobody knows what has changed.
    pub(super) fn wake_all(&self) {
        for shard in &self.shards {
            for frames in shard.lock().values() {
                frames.send_modify(|_| {});
            }
        }
    }

    /// How many listeners there are.
    pub(super) fn listeners(&self) -> usize {
        let count = |shard: &Mutex<HashMap<K, watch::Sender<F>>>| {
            shard.lock().values().map(watch::Sender::receiver_count).sum::<usize>()
        };
        self.shards.iter().map(count).sum()
    }

    /// Ends every subscription, and every later one at once.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        for shard in &self.shards {
            shard.lock().clear();
        }
    }

    fn shard(&self, id: K) -> &Mutex<HashMap<K, watch::Sender<F>>> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let shard = hasher.finish() % (SHARDS as u64);
        &self.shards[usize::try_from(shard).expect("a number below 16 fits")]
    }
}

impl Hub {
    /// Tells whoever listens to any charge that its surroundings have changed: no event, as with depth (R31).
    pub(super) fn publish_surroundings(&self) {
        for shard in &self.shards {
            for frames in shard.lock().values() {
                // News that was not delivered yet may be lost by this; the reader finds the gap by its own count.
                frames.send_modify(|frame| frame.previous = frame.sequence);
            }
        }
    }

    /// The charges that anyone listens to.
    pub(super) fn listened_to(&self) -> Vec<ChargeId> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| shard.lock().keys().copied().collect::<Vec<_>>())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(sequence: u64) -> Frame {
        Frame {
            sequence,
            previous: sequence - 1,
            tip: 7,
        }
    }

    #[tokio::test]
    async fn a_listener_hears_of_its_own_charge_and_gets_the_latest() {
        let hub = Arc::new(Hub::<ChargeId, Frame>::default());
        let id = ChargeId([1; 16]);
        let mut listener = hub.subscribe(id);
        hub.publish(ChargeId([2; 16]), frame(9));
        hub.publish(id, frame(1));
        hub.publish(id, frame(2));
        assert_eq!(listener.next().await, Some(frame(2)));
    }

    #[tokio::test]
    async fn everybody_hears_of_changed_surroundings_and_nobody_takes_them_for_an_event() {
        let hub = Arc::new(Hub::<ChargeId, Frame>::default());
        let (mut one, mut other) = (hub.subscribe(ChargeId([1; 16])), hub.subscribe(ChargeId([2; 16])));
        hub.publish(ChargeId([1; 16]), frame(3));
        hub.publish_surroundings();
        for listener in [&mut one, &mut other] {
            let heard = listener.next().await.unwrap();
            assert_eq!(heard.previous, heard.sequence);
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_for_a_charge_that_nobody_looks_at() {
        let hub = Arc::new(Hub::<ChargeId, Frame>::default());
        let id = ChargeId([1; 16]);
        let one = hub.subscribe(id);
        let other = hub.subscribe(id);
        assert_eq!(hub.listeners(), 2);
        drop(one);
        assert_eq!(hub.listened_to(), [id]);
        drop(other);
        assert!(hub.listened_to().is_empty());
    }

    #[tokio::test]
    async fn closing_ends_what_listens_and_whatever_comes_after() {
        let hub = Arc::new(Hub::<ChargeId, Frame>::default());
        let mut before = hub.subscribe(ChargeId([1; 16]));
        hub.close();
        assert_eq!(before.next().await, None);
        assert_eq!(hub.subscribe(ChargeId([1; 16])).next().await, None);
    }
}
