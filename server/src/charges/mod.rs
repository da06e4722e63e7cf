//! The application service: makes charges, shows them, tells them what was observed. The only place that calls `decide`.

mod error;

use std::path::PathBuf;
use std::sync::Arc;

use bitpro_charge::wire::NodeView;
use bitpro_charge::{
    BlockHash, Cents, Charge, ChargeId, Interval, Loss, MerchantId, Network, Outpoint, Place, Recorded, State,
    Timestamp, Txid,
};
use bytes::Bytes;

pub use error::{CommandError, CreateError, IssuanceBlock, ObserveError, OpenError};

use crate::clock::Clock;
use crate::merchant::{Language, Logo, Merchant, SettingError, Settings};
use crate::node::view::{ScriptId, Tip, View};
use crate::rates::RateSource;
use crate::rng::Rng;
use crate::store::{DescriptorId, StoreError};

/// What the charges need to start.
pub struct Opening {
    /// The database file; the issuance mark stands beside it (R28).
    pub database: PathBuf,
    /// The instance's network; a database belongs to one.
    pub network: Network,
    /// The configuration's key, under which descriptors are authenticated.
    pub secret: [u8; 32],
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Exchange rates.
    pub rates: Arc<dyn RateSource>,
    /// Whether this process serves shoppers.
    pub role: Role,
}

/// What a process may do with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one server: holds the issuance mark and makes charges.
    Server,
    /// A command-line tool beside it: reads, accepts, cancels, changes merchants, makes no charges.
    Tool,
}

/// The charges. A cheap handle; clones share everything.
#[derive(Clone)]
pub struct Charges {
    _inner: Arc<()>,
}

/// A charge with what stands beside it. Never shown to shoppers as it is: see `ChargeView`.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The charge.
    pub charge: Charge,
    /// The merchant's own order id.
    pub order_id: Option<String>,
    /// Who asked for it.
    pub origin: ChargeOrigin,
    /// The language that the link asked for (R40).
    pub language: Option<Language>,
}

/// Who asked for a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChargeOrigin {
    /// A payment link or the widget; anyone can write one.
    Link,
    /// A link signed by the merchant: its price is his.
    SignedLink,
    /// The merchant's server.
    Api,
}

/// A charge to be made, for the merchant's server.
#[derive(Debug, Clone)]
pub struct NewCharge {
    /// Whose.
    pub merchant: MerchantId,
    /// The price.
    pub price: Cents,
    /// The merchant's own order id; an empty one is none.
    pub order_id: Option<String>,
    /// The shopper's e-mail; kept apart from the log (R31).
    pub buyer_email: Option<String>,
    /// The merchant's own notes on it, as JSON; kept apart from the log (R31).
    pub metadata: Option<String>,
    /// The page's language.
    pub language: Option<Language>,
}

/// A charge asked for by a payment link.
#[derive(Debug, Clone)]
pub struct LinkRequest {
    /// Whose.
    pub merchant: MerchantId,
    /// The price.
    pub price: Cents,
    /// The merchant's own order id; without one nothing is reused (R22).
    pub order_id: Option<String>,
    /// The shopper's e-mail.
    pub buyer_email: Option<String>,
    /// The page's language.
    pub language: Option<Language>,
    /// Whether the link carries the merchant's signature.
    pub signed: bool,
    /// Whether a person pressed the button (R26).
    pub pressed: bool,
    /// Optional fields that were ignored, to be noted for the merchant (R38).
    pub notes: Vec<String>,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOutcome {
    /// A new charge.
    Made(ChargeId),
    /// An open charge of the same order, price and shopper (R22).
    Reused(ChargeId),
    /// The order has a payment: show the outcome without address and QR (R22).
    Paid(ChargeId),
    /// Too many unpaid addresses in a row: ask for a press of the button (R26).
    NeedsButton,
}

/// News about a charge: not what is new, only that there is something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The charge's sequence now.
    pub sequence: u64,
    /// Its sequence before this batch: a reader that has not seen that one must catch up with [`Charges::frames_after`].
    /// Equal to `sequence` when only the depth has changed (R31).
    pub previous: u64,
    /// The height of the tip.
    pub tip: u32,
}

/// A listener to one charge.
pub struct Subscription {
    frames: tokio::sync::watch::Receiver<Frame>,
}

impl Subscription {
    /// Waits for news that was not delivered yet; a slow reader gets only the latest. `None` when the server is closing.
    pub async fn next(&mut self) -> Option<Frame> {
        self.frames.changed().await.ok()?;
        Some(*self.frames.borrow_and_update())
    }
}

/// Which charges to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this merchant only.
    pub merchant: Option<MerchantId>,
    /// In this state only.
    pub state: Option<State>,
    /// With this order id only.
    pub order_id: Option<String>,
}

/// A page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The charges.
    pub charges: Vec<Snapshot>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

/// A place in the list of charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub i64);

/// A known transaction that must be followed: it can still be lost, or come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTx {
    /// Its id.
    pub txid: Txid,
    /// Consensus-encoded, for resubmission (R3).
    pub raw: Vec<u8>,
    /// The outpoints that it spends.
    pub inputs: Vec<Outpoint>,
    /// The outpoints that its unconfirmed ancestors spent at first sight.
    pub ancestor_inputs: Vec<Outpoint>,
    /// Where it is, or how it was lost.
    pub whereabouts: Result<Place, Loss>,
    /// When it was first seen.
    pub first_seen: Interval,
    /// Whether it is a coinbase transaction.
    pub coinbase: bool,
}

/// The map of watched scripts: a shared handle, which sees additions as they are committed.
#[derive(Clone)]
pub struct WatchMap {
    _inner: Arc<()>,
}

impl WatchMap {
    /// The row of `script_pubkey`, if it is watched. A hit is verified when the view is applied (R34).
    #[must_use]
    pub fn lookup(&self, script_pubkey: &[u8]) -> Option<ScriptId> {
        let _ = script_pubkey;
        None
    }

    /// How many scripts are watched.
    #[must_use]
    pub fn len(&self) -> usize {
        0
    }

    /// Whether no script is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }
}

/// A descriptor that waits for a scan of the UTXO set (R27, R28).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanWanted {
    /// Its row.
    pub descriptor: DescriptorId,
    /// The normalised receive descriptor, as `scantxoutset` takes it (`{"desc": …, "range": n}`).
    pub text: String,
    /// The highest index to look at.
    pub range: u32,
}

/// A merchant as the command line shows him.
#[derive(Debug, Clone)]
pub struct MerchantReport {
    /// The merchant.
    pub merchant: Arc<Merchant>,
    /// The normalised receive descriptor, if he has given one.
    pub receive: Option<String>,
    /// The index that the next charge gets.
    pub next_index: Option<u32>,
    /// How many of the latest addresses in a row are unpaid (R26).
    pub unpaid_run: u32,
    /// The gap limit to set in the wallet, so that it finds every payment.
    pub gap_limit: u32,
    /// Why no address may be given out, if so.
    pub blocked: Option<IssuanceBlock>,
}

/// Why a merchant is not added or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MerchantError {
    /// There is no such merchant.
    #[error("there is no such merchant")]
    Unknown,
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a merchant's addresses come from, as he writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletText {
    /// An output descriptor, or an extended public key (`xpub…`, `tpub…`, `zpub…`).
    pub text: String,
    /// For an extended public key: `wpkh`, `tr`, `sh-wpkh`, `pkh`.
    pub script_type: Option<String>,
}

/// A merchant to be added, or what is to be changed of one. Everything is optional but the name of a new one.
#[derive(Debug, Clone, Default)]
pub struct MerchantChanges {
    /// Settings by name and text; see [`crate::merchant::SETTINGS`].
    pub settings: Vec<(String, String)>,
    /// A new descriptor: new charges only (R27).
    pub wallet: Option<WalletText>,
    /// A new logo; `Some(None)` removes it.
    pub logo: Option<Option<Logo>>,
}

impl Charges {
    /// Opens the database, brings it to the current shape and loads what is open.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed then, beyond migrations.
    pub async fn open(opening: Opening) -> Result<Self, OpenError> {
        let _ = opening;
        Err(StoreError::Closed.into())
    }

    /// Ends all subscriptions, commits what was taken in, and closes the database.
    pub async fn close(&self) {}

    /// The instance's network.
    #[must_use]
    pub fn network(&self) -> Network {
        Network::Regtest
    }

    /// Random per database, and new after a restore: cursors of another epoch mean nothing here (R31).
    #[must_use]
    pub fn epoch(&self) -> String {
        String::new()
    }

    /// Whether charges can be stored: for `/readyz` (R39).
    pub async fn is_writable(&self) -> bool {
        false
    }

    /// How many charges there are in each state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_by_state(&self) -> Result<Vec<(State, u64)>, StoreError> {
        Err(StoreError::Closed)
    }

    // Merchants.

    /// The merchant called `id`, from memory.
    #[must_use]
    pub fn merchant(&self, id: MerchantId) -> Option<Arc<Merchant>> {
        let _ = id;
        None
    }

    /// All merchants, in the order in which they were added.
    #[must_use]
    pub fn merchants(&self) -> Vec<Arc<Merchant>> {
        Vec::new()
    }

    /// Adds a merchant.
    ///
    /// # Errors
    /// [`MerchantError`].
    pub async fn add_merchant(&self, changes: MerchantChanges) -> Result<MerchantId, MerchantError> {
        let _ = changes;
        Err(StoreError::Closed.into())
    }

    /// Changes a merchant.
    ///
    /// # Errors
    /// [`MerchantError`]; nothing is changed then.
    pub async fn change_merchant(&self, id: MerchantId, changes: MerchantChanges) -> Result<(), MerchantError> {
        let _ = (id, changes);
        Err(StoreError::Closed.into())
    }

    /// What the merchant, or whoever helps him, needs to see.
    ///
    /// # Errors
    /// [`MerchantError`].
    pub async fn merchant_report(&self, id: MerchantId) -> Result<MerchantReport, MerchantError> {
        let _ = id;
        Err(MerchantError::Unknown)
    }

    // Charges.

    /// Makes a charge for the merchant's server.
    ///
    /// # Errors
    /// [`CreateError`]; no charge is half made.
    pub async fn create(&self, new: NewCharge) -> Result<ChargeId, CreateError> {
        let _ = new;
        Err(StoreError::Closed.into())
    }

    /// What a payment link leads to: a new charge, an open one, or the outcome of a paid one (R22, R25, R26).
    ///
    /// # Errors
    /// [`CreateError`]; no charge is half made.
    pub async fn for_link(&self, request: LinkRequest) -> Result<LinkOutcome, CreateError> {
        let _ = request;
        Err(StoreError::Closed.into())
    }

    /// The charge as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn snapshot(&self, id: ChargeId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let _ = id;
        Err(StoreError::Closed)
    }

    /// The public view of the charge as JSON, mostly made ahead: the answer to a status read, and a frame of the stream.
    #[must_use]
    pub fn view_json(&self, snapshot: &Snapshot) -> Bytes {
        let _ = snapshot;
        Bytes::new()
    }

    /// The public view of the charge, for the first response.
    #[must_use]
    pub fn view(&self, snapshot: &Snapshot) -> Option<bitpro_charge::wire::ChargeView> {
        let _ = snapshot;
        None
    }

    /// Listens to a charge. Subscribe first, then take the snapshot: nothing falls between.
    #[must_use]
    pub fn subscribe(&self, id: ChargeId) -> Subscription {
        let _ = id;
        Subscription {
            frames: tokio::sync::watch::channel(Frame {
                sequence: 0,
                previous: 0,
                tip: 0,
            })
            .1,
        }
    }

    /// How many listeners there are, over all charges.
    #[must_use]
    pub fn listeners(&self) -> usize {
        0
    }

    /// The charge as it stood after each batch later than `sequence`, oldest first: exact resume. Empty when there is
    /// nothing later; `None` when there is no such charge, or no batch ended at `sequence`: then a snapshot is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn frames_after(&self, id: ChargeId, sequence: u64) -> Result<Option<Vec<Snapshot>>, StoreError> {
        let _ = (id, sequence);
        Err(StoreError::Closed)
    }

    /// Takes what is there, whatever its amount and time (R14).
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn accept(
        &self,
        id: ChargeId,
        outpoints: Vec<Outpoint>,
        sequence: u64,
    ) -> Result<Arc<Snapshot>, CommandError> {
        let _ = (id, outpoints, sequence);
        Err(CommandError::UnknownCharge)
    }

    /// Withdraws a charge (R15).
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn cancel(&self, id: ChargeId, sequence: u64) -> Result<Arc<Snapshot>, CommandError> {
        let _ = (id, sequence);
        Err(CommandError::UnknownCharge)
    }

    /// Lists charges, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, filter: Filter, after: Option<Cursor>, limit: u32) -> Result<Page, StoreError> {
        let _ = (filter, after, limit);
        Err(StoreError::Closed)
    }

    /// Every event of a charge, oldest first; `None` when there is no such charge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history(&self, id: ChargeId) -> Result<Option<Vec<Recorded>>, StoreError> {
        let _ = id;
        Err(StoreError::Closed)
    }

    // For the watcher.

    /// The tip that the charges stand on; `None` in a fresh database.
    #[must_use]
    pub fn stored_tip(&self) -> Option<Tip> {
        None
    }

    /// The hash of the stored chain at `height`, as far back as it is kept (R6).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stored_hash(&self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        let _ = height;
        Err(StoreError::Closed)
    }

    /// Starts a fresh database at the node's present tip: what is older cannot pay a charge that was not made yet.
    ///
    /// # Errors
    /// [`ObserveError::NotContinuing`] when there is a tip already.
    pub async fn set_first_tip(&self, tip: Tip) -> Result<(), ObserveError> {
        let _ = tip;
        Err(StoreError::Closed.into())
    }

    /// The scripts to look for.
    #[must_use]
    pub fn watch_map(&self) -> WatchMap {
        WatchMap { _inner: Arc::new(()) }
    }

    /// The known transactions that must be followed: those in the mempool, lost, or less than 144 blocks deep (R34).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known_txs(&self) -> Result<Vec<KnownTx>, StoreError> {
        Err(StoreError::Closed)
    }

    /// Applies a whole change of view in one transaction (R2), and tells whoever listens.
    ///
    /// # Errors
    /// [`ObserveError`]; nothing was applied then.
    pub async fn observe(&self, view: View) -> Result<(), ObserveError> {
        let _ = view;
        Err(StoreError::Closed.into())
    }

    /// The instant up to which chain and mempool were fully read (R4).
    #[must_use]
    pub fn observed_until(&self) -> Option<Timestamp> {
        None
    }

    /// Descriptors that wait for a scan by a synced node.
    #[must_use]
    pub fn scans_wanted(&self) -> Vec<ScanWanted> {
        Vec::new()
    }

    /// Ends a scan: `highest_used` is the highest index with money in the UTXO set. Issuance starts above it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish_scan(&self, descriptor: DescriptorId, highest_used: Option<u32>) -> Result<(), StoreError> {
        let _ = (descriptor, highest_used);
        Err(StoreError::Closed)
    }

    /// Sets the node's condition, as the page shows it.
    pub fn set_node_condition(&self, condition: NodeView) {
        let _ = condition;
    }

    /// The node's condition.
    #[must_use]
    pub fn node_condition(&self) -> NodeView {
        NodeView::Away
    }
}

/// Settings of a new merchant, from changes that name him.
#[allow(dead_code)]
fn settings_of(changes: &MerchantChanges) -> Result<Settings, SettingError> {
    let pairs: Vec<(&str, &str)> = changes
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Settings::default().with(&pairs)
}
