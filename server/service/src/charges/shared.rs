//! What readers keep of the store: copies that change only after a commit, in the order watch map, copies, listeners (R30).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bitpro_charge::wire::NodeView;
use bitpro_charge::{ChargeId, MerchantId, Timestamp};
use bitpro_merchant::keys::{ApiKey, KeyId, KeyMap};
use bitpro_merchant::{Merchant, MerchantMap};
use bitpro_node::ScanRequest;
use bitpro_node::view::Tip;
use bitpro_store::webhook::Due;
use bitpro_store::{Listed, Listener, Low, News, Snapshot, StoreError, Touched, WatchMap, WebhookMap};
use bytes::Bytes;
use parking_lot::RwLock;
use quick_cache::sync::Cache;
use tokio::sync::{Notify, mpsc};

use super::copies::{Agenda, Copies};
use super::hub::{Frame, Hub};

/// Charges that are kept ready for status reads.
const CACHED_CHARGES: usize = 20_000;
/// Charges that are kept ready for the merchant API, some two kilobytes each.
const CACHED_OBJECTS: usize = 2_000;
/// What has to be done after a commit, by someone who can wait.
pub(super) enum Chore {
    /// Addresses are to be derived ahead.
    Derive(Low),
    /// Another process wrote: these charges are looked at, and may have changed.
    Reread(Vec<ChargeId>),
}

/// What the sender of webhooks is told.
pub(crate) enum Sending {
    /// The webhooks have changed.
    Webhooks(Arc<WebhookMap>),
    /// Deliveries are to be made.
    Due(Vec<Due>),
    /// Another process wrote: what is to be made is read again.
    Reload,
}

/// The JSON of a charge's object, and what it was made at.
#[derive(Clone)]
pub(super) struct KeptObject {
    pub(super) commits: u64,
    pub(super) sequence: u64,
    pub(super) json: Bytes,
}

/// The readers' copies.
pub(super) struct Shared {
    pub(super) hub: Arc<Hub>,
    /// Told of a merchant whenever one of their charges has news.
    pub(super) merchant_hub: Arc<Hub<MerchantId, ()>>,
    pub(super) watch_map: WatchMap,
    pub(super) cache: Cache<ChargeId, Arc<Snapshot>>,
    pub(super) objects: Cache<ChargeId, KeptObject>,
    copies: ArcSwap<Copies>,
    commits: AtomicU64,
    /// How often somebody else than the watcher may have told of payments.
    told_by_others: AtomicU64,
    sender: RwLock<Option<mpsc::UnboundedSender<Sending>>>,
    pub(super) mail_posted: Arc<Notify>,
    /// The watcher is asked for something that must not wait for its next poll.
    pub(super) asks: Arc<Notify>,
    node: AtomicU8,
    /// Whether the node's chain is not followed, since it was last in step (R6).
    chain_held: AtomicBool,
    chores: mpsc::UnboundedSender<Chore>,
}

impl Shared {
    pub(super) fn new(watch_map: WatchMap, chores: mpsc::UnboundedSender<Chore>) -> Self {
        Self {
            hub: Arc::default(),
            merchant_hub: Arc::default(),
            watch_map,
            cache: Cache::new(CACHED_CHARGES),
            objects: Cache::new(CACHED_OBJECTS),
            copies: ArcSwap::default(),
            commits: AtomicU64::new(0),
            told_by_others: AtomicU64::new(0),
            sender: RwLock::default(),
            mail_posted: Arc::default(),
            asks: Arc::default(),
            node: AtomicU8::new(condition_to(NodeView::Away)),
            chain_held: AtomicBool::new(false),
            chores,
        }
    }

    pub(super) fn merchants(&self) -> Arc<MerchantMap> {
        Arc::clone(&self.copies.load().merchants)
    }

    pub(super) fn merchant(&self, id: MerchantId) -> Option<Arc<Merchant>> {
        self.copies.load().merchants.get(&id).cloned()
    }

    pub(super) fn keys(&self) -> Arc<KeyMap> {
        Arc::clone(&self.copies.load().keys)
    }

    pub(super) fn key(&self, id: KeyId) -> Option<Arc<ApiKey>> {
        self.copies.load().keys.get(&id).cloned()
    }

    /// How many groups were committed. What is read after this was asked for is at least as new.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    pub(super) fn told_by_others(&self) -> u64 {
        self.told_by_others.load(Ordering::Acquire)
    }

    /// Somebody else than the watcher has told of payments.
    pub(super) fn note_told_by_others(&self) {
        self.told_by_others.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn merchants_version(&self) -> u64 {
        self.copies.load().merchants_version
    }

    pub(super) fn webhooks(&self) -> Arc<WebhookMap> {
        Arc::clone(&self.copies.load().webhooks)
    }

    pub(super) fn listen_to_deliveries(&self) -> mpsc::UnboundedReceiver<Sending> {
        let (sender, listener) = mpsc::unbounded_channel();
        *self.sender.write() = Some(sender);
        listener
    }

    pub(super) fn tip(&self) -> Option<(Tip, Timestamp)> {
        self.copies.load().tip
    }

    pub(super) fn tip_height(&self) -> u32 {
        self.copies.load().tip_height()
    }

    pub(super) fn node(&self) -> NodeView {
        condition_from(self.node.load(Ordering::Acquire))
    }

    /// Takes over the node's condition, and gives the one before.
    pub(super) fn set_node(&self, condition: NodeView) -> NodeView {
        condition_from(self.node.swap(condition_to(condition), Ordering::AcqRel))
    }

    /// Whether the node stands on a chain that is not followed (R6): what is stored as deep may stand on nothing.
    pub(super) fn is_chain_held(&self) -> bool {
        self.chain_held.load(Ordering::Acquire)
    }

    pub(super) fn set_chain_held(&self, is_held: bool) {
        self.chain_held.store(is_held, Ordering::Release);
    }

    pub(super) fn scans(&self) -> Arc<[ScanRequest]> {
        Arc::clone(&self.copies.load().scans)
    }

    pub(super) fn agenda(&self) -> Agenda {
        self.copies.load().agenda
    }

    /// Whether a charge is what it was created as, and its script follows from its descriptor and index: a row that another hand has
    /// changed is an error, not another price, and not a payment to a stranger.
    pub(super) fn verify(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        genuine(snapshot)?;
        if snapshot.verified.get() {
            return Ok(());
        }
        let receive = self.copies.load().receives.get(&snapshot.descriptor).cloned();
        let derived = receive.and_then(|receive| receive.derive(snapshot.index));
        if derived.is_some_and(|derived| derived.script[..] == *snapshot.script_pubkey) {
            snapshot.verified.set();
            return Ok(());
        }
        tracing::error!(charge = %snapshot.charge.id, "the address does not follow from the descriptor");
        Err(StoreError::Damaged(format!(
            "the address of charge {} does not follow from its descriptor",
            snapshot.charge.id
        )))
    }

    /// The charges of a list that can be shown, and the names of those that another hand has changed: one must not hide the others.
    pub(super) fn shown(&self, listed: Vec<Listed>) -> (Vec<Snapshot>, Vec<ChargeId>) {
        let (mut shown, mut unreadable) = (Vec::with_capacity(listed.len()), Vec::new());
        for one in listed {
            match one {
                Ok(snapshot) if self.verify(&snapshot).is_ok() => shown.push(snapshot),
                Ok(snapshot) => unreadable.push(snapshot.charge.id),
                Err(changed) => unreadable.push(changed.id),
            }
        }
        (shown, unreadable)
    }

    /// Takes the news over; whether there are descriptors among them that are to be looked for.
    fn take_in(&self, news: &News) -> bool {
        let before = self.copies.load_full();
        let copies = Arc::new(before.after(news));
        let has_new_scans = copies.wants_more_scans_than(&before);
        // Only here, and the listener is told of one commit after the other.
        self.copies.store(copies);
        if news.from_elsewhere {
            self.cache.clear();
            self.note_told_by_others();
        }
        for Touched { snapshot, .. } in &news.touched {
            self.cache.insert(snapshot.charge.id, Arc::clone(snapshot));
        }
        // The last of all: whoever sees the new number sees everything else of this group, too.
        self.commits.fetch_add(1, Ordering::AcqRel);
        has_new_scans
    }

    fn publish(&self, news: &News) {
        let tip = self.tip_height();
        for Touched { previous, snapshot } in &news.touched {
            let frame = Frame {
                sequence: snapshot.charge.sequence,
                previous: *previous,
                tip,
            };
            self.hub.publish(snapshot.charge.id, frame);
            self.merchant_hub.publish(snapshot.charge.merchant, ());
        }
        if news.from_elsewhere {
            self.merchant_hub.wake_all();
        }
        for snapshot in &news.deeper {
            self.publish_depth(snapshot);
        }
    }

    /// Where nobody listens, what is to be sent waits in the store.
    fn tell_sender(&self, webhooks: Option<Arc<WebhookMap>>, due: Vec<Due>, from_elsewhere: bool) {
        let sender = self.sender.read();
        let Some(sender) = sender.as_ref() else { return };
        // Whoever sends may have ended: then the server is closing.
        if let Some(webhooks) = webhooks {
            let _ = sender.send(Sending::Webhooks(webhooks));
        }
        if !due.is_empty() {
            let _ = sender.send(Sending::Due(due));
        }
        if from_elsewhere {
            let _ = sender.send(Sending::Reload);
        }
    }

    /// Tells listeners to look again, without a new sequence.
    pub(super) fn publish_depth(&self, snapshot: &Snapshot) {
        let sequence = snapshot.charge.sequence;
        let frame = Frame {
            sequence,
            previous: sequence,
            tip: self.tip_height(),
        };
        self.hub.publish(snapshot.charge.id, frame);
    }
}

impl Listener for Shared {
    fn committed(&self, news: News) {
        let watched = news.watched.iter();
        let has_new_scripts = self
            .watch_map
            .extend(watched.map(|ahead| (ahead.derived.script.as_slice(), ahead.script)));
        let has_new_scans = self.take_in(&news);
        if has_new_scripts || has_new_scans {
            self.asks.notify_one();
        }
        self.publish(&news);
        self.tell_sender(news.webhooks, news.due, news.from_elsewhere);
        if news.has_mail || news.from_elsewhere {
            self.mail_posted.notify_one();
        }
        // Whoever does the chores may be gone: then the server is closing.
        for low in news.low {
            let _ = self.chores.send(Chore::Derive(low));
        }
        if news.from_elsewhere {
            let _ = self.chores.send(Chore::Reread(self.hub.listened_to()));
        }
    }
}

const fn condition_to(condition: NodeView) -> u8 {
    match condition {
        NodeView::Ready => 0,
        NodeView::Syncing => 1,
        NodeView::Away => 2,
    }
}

const fn condition_from(condition: u8) -> NodeView {
    match condition {
        0 => NodeView::Ready,
        1 => NodeView::Syncing,
        _ => NodeView::Away,
    }
}

/// Refuses a charge whose row another hand has changed (R1).
pub(super) fn genuine(snapshot: &Snapshot) -> Result<(), StoreError> {
    if snapshot.is_genuine {
        return Ok(());
    }
    let id = snapshot.charge.id;
    tracing::error!(charge = %id, "what the charge was created with was changed by another hand");
    Err(StoreError::Damaged(format!(
        "what charge {id} was created with was changed"
    )))
}
