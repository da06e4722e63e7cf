//! What the writer keeps in memory of what is stored: everything that can still move, so that deciding needs no reading.
//!
//! Only the writer sees it. Each change leaves its inverse in a journal, so that a failed unit or a failed commit takes its
//! changes back (R30).

mod change;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use bitpro_charge::{ChargeId, Interval, MerchantId, Outpoint, State, Timestamp, Txid, Whereabouts};
use bitpro_merchant::MerchantMap;
use bitpro_merchant::keys::KeyMap;
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::{Hole, ScriptId, Tip};

use super::issuer::{Ahead, Issuer};
use super::{Snapshot, WebhookMap};

/// A transaction that pays us and can still be lost or come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxPlace {
    /// Its id.
    pub txid: Txid,
    /// What it spends.
    pub inputs: Vec<Outpoint>,
    /// What its unconfirmed ancestors spent when it was first seen.
    pub ancestor_inputs: Vec<Outpoint>,
    /// Whether it is a coinbase transaction.
    pub coinbase: bool,
    /// In the mempool, in a block, or gone.
    pub whereabouts: Whereabouts,
    /// The height of the tip when it was lost.
    pub lost_at: Option<u32>,
    /// What took its place.
    pub replaced_by: Option<Txid>,
    /// When it was first seen (R5).
    pub first_seen: Interval,
    /// Its payments: output and charge.
    pub pays: Vec<(u32, i64)>,
}

impl TxPlace {
    /// What it spends; nothing for a coinbase transaction, whose one input names no output.
    fn spent(&self) -> &[Outpoint] {
        if self.coinbase { &[] } else { &self.inputs }
    }
}

/// Row numbers already taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rows {
    pub(super) charge: i64,
    pub(super) batch: i64,
    pub(super) outbox: i64,
    pub(super) script: i64,
    pub(super) merchant: i64,
    pub(super) descriptor: i64,
    pub(super) webhook: i64,
    pub(super) delivery: i64,
}

/// Two orders may meet in one hash: then one is looked up in vain.
fn order_hash(merchant: i64, order_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (merchant, order_id).hash(&mut hasher);
    hasher.finish()
}

/// Takes the next row number.
pub(super) const fn next(last: &mut i64) -> i64 {
    *last += 1;
    *last
}

/// How many charges there are in each state, in the order of `State::ALL`.
pub(super) type Counts = [i64; State::ALL.len()];

/// A charge that can still move, with the answers that its place in the indexes follows from.
#[derive(Clone)]
struct Open {
    snapshot: Arc<Snapshot>,
    due: Option<Timestamp>,
    is_shallow: bool,
    is_waiting_link: bool,
}

/// The inverse of a change.
enum Undo {
    Charge(i64, Option<Open>),
    Tx(Txid, Option<Arc<TxPlace>>),
    Tip(Option<Tip>, Timestamp, Timestamp),
    FirstMade,
    Hole(Option<Hole>),
    Issued {
        descriptor: DescriptorId,
        ahead: Arc<Ahead>,
        next_index: u32,
    },
    Used(DescriptorId, Option<u32>, u32),
    Issuer(DescriptorId, Option<Box<Issuer>>),
    Merchants(Arc<MerchantMap>, MerchantId, Option<i64>),
    Keys(Arc<KeyMap>),
    Webhooks(Arc<WebhookMap>),
}

/// A point to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    undo: usize,
    counts: Counts,
}

/// The writer's memory.
pub struct Memory {
    tip: Option<Tip>,
    observed_until: Timestamp,
    /// What of `observed_until` is stored: it may lag, for it is read from the node again.
    stored_until: Timestamp,
    first_made: Option<Timestamp>,
    hole: Option<Hole>,
    pub(super) rows: Rows,
    issuers: HashMap<DescriptorId, Issuer>,
    merchants: Arc<MerchantMap>,
    merchant_rows: HashMap<MerchantId, i64>,
    keys: Arc<KeyMap>,
    webhooks: Arc<WebhookMap>,
    charges: HashMap<i64, Open>,
    by_script: HashMap<ScriptId, i64>,
    by_id: HashMap<ChargeId, i64>,
    due: BTreeSet<(Timestamp, i64)>,
    shallow: HashSet<i64>,
    waiting_links: HashMap<MerchantId, HashMap<String, Vec<i64>>>,
    /// Hashes of orders that were ever paid something: nearly every link is spared a look into the database by it.
    paid_orders: HashSet<u64>,
    followed: HashMap<Txid, Arc<TxPlace>>,
    spends: HashMap<Outpoint, Vec<Txid>>,
    pub(super) counts: Counts,
    undo: Vec<Undo>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            tip: None,
            observed_until: Timestamp(0),
            stored_until: Timestamp(0),
            first_made: None,
            hole: None,
            rows: Rows::default(),
            issuers: HashMap::new(),
            merchants: Arc::default(),
            merchant_rows: HashMap::new(),
            keys: Arc::default(),
            webhooks: Arc::default(),
            charges: HashMap::new(),
            by_script: HashMap::new(),
            by_id: HashMap::new(),
            due: BTreeSet::new(),
            shallow: HashSet::new(),
            waiting_links: HashMap::new(),
            paid_orders: HashSet::new(),
            followed: HashMap::new(),
            spends: HashMap::new(),
            counts: Counts::default(),
            undo: Vec::new(),
        }
    }
}

impl Memory {
    /// The number of the last event that was told.
    pub const fn last_told(&self) -> i64 {
        self.rows.outbox
    }

    /// The tip that the charges stand on.
    pub const fn tip(&self) -> Option<Tip> {
        self.tip
    }

    /// The tip's height; zero before there is one.
    pub fn tip_height(&self) -> u32 {
        self.tip.map_or(0, |tip| tip.block.height)
    }

    /// How far chain and mempool were read (R4).
    pub const fn observed_until(&self) -> Timestamp {
        self.observed_until
    }

    /// How far chain and mempool were read when it was last stored.
    pub const fn stored_until(&self) -> Timestamp {
        self.stored_until
    }

    /// The open charge in row `num`.
    pub fn charge(&self, num: i64) -> Option<&Arc<Snapshot>> {
        self.charges.get(&num).map(|open| &open.snapshot)
    }

    /// The open charge called `id`.
    pub(crate) fn charge_called(&self, id: ChargeId) -> Option<&Arc<Snapshot>> {
        self.charge(*self.by_id.get(&id)?)
    }

    /// The open charge that `script` was given out for.
    pub fn charge_of_script(&self, script: ScriptId) -> Option<&Arc<Snapshot>> {
        self.charge(*self.by_script.get(&script)?)
    }

    /// Unpaid link charges of an order that a shopper may still be looking at (R22, R25).
    pub fn waiting_links(&self, merchant: MerchantId, order_id: &str) -> impl Iterator<Item = &Arc<Snapshot>> {
        let nums = self
            .waiting_links
            .get(&merchant)
            .and_then(|orders| orders.get(order_id));
        nums.into_iter().flatten().filter_map(|&num| self.charge(num))
    }

    /// Whether an order may have been paid something; where this says no, it was not.
    pub(super) fn may_be_paid(&self, merchant: i64, order_id: &str) -> bool {
        self.paid_orders.contains(&order_hash(merchant, order_id))
    }

    /// Charges with live money that more blocks can move.
    pub fn shallow(&self) -> impl Iterator<Item = i64> {
        self.shallow.iter().copied()
    }

    /// Charges whose time comes by `instant`.
    pub fn due_by(&self, instant: Timestamp) -> impl Iterator<Item = i64> {
        self.due.range(..=(instant, i64::MAX)).map(|&(_, num)| num)
    }

    /// The earliest instant at which time alone moves a charge.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|&(instant, _)| instant)
    }

    /// When the first charge was made.
    pub(super) const fn first_made(&self) -> Option<Timestamp> {
        self.first_made
    }

    /// Blocks that could not be read and that nobody has vouched for (R6).
    pub const fn hole(&self) -> Option<Hole> {
        self.hole
    }

    /// The open charges about which nothing is concluded because of the hole, in the order in which they were made.
    pub fn held_by_hole(&self) -> Vec<Arc<Snapshot>> {
        let Some(hole) = self.hole else {
            return Vec::new();
        };
        let open = self.charges.values().map(|open| &open.snapshot);
        let mut held: Vec<Arc<Snapshot>> = open
            .filter(|snapshot| hole.may_concern(snapshot.charge.terms.created_at))
            // Whoever was paid needs nobody's word.
            .filter(|snapshot| snapshot.charge.state != State::Confirmed)
            .cloned()
            .collect();
        held.sort_unstable_by_key(|snapshot| snapshot.num);
        held
    }

    /// A followed transaction.
    pub fn followed(&self, txid: Txid) -> Option<&Arc<TxPlace>> {
        self.followed.get(&txid)
    }

    /// All followed transactions.
    pub fn all_followed(&self) -> impl Iterator<Item = &Arc<TxPlace>> {
        self.followed.values()
    }

    /// The followed transactions that spend `outpoint`.
    pub fn spenders(&self, outpoint: Outpoint) -> &[Txid] {
        self.spends.get(&outpoint).map_or(&[], Vec::as_slice)
    }

    /// A descriptor's counter.
    pub fn issuer(&self, descriptor: DescriptorId) -> Option<&Issuer> {
        self.issuers.get(&descriptor)
    }

    /// All counters.
    pub fn issuers(&self) -> impl Iterator<Item = (DescriptorId, &Issuer)> {
        self.issuers.iter().map(|(&id, issuer)| (id, issuer))
    }

    /// All merchants.
    pub const fn merchants(&self) -> &Arc<MerchantMap> {
        &self.merchants
    }

    /// All keys of the merchant API.
    pub const fn keys(&self) -> &Arc<KeyMap> {
        &self.keys
    }

    /// All webhooks that are not removed.
    pub const fn webhooks(&self) -> &Arc<WebhookMap> {
        &self.webhooks
    }

    /// A merchant's row.
    pub fn merchant_row(&self, id: MerchantId) -> Option<i64> {
        self.merchant_rows.get(&id).copied()
    }
}

#[cfg(any(test, feature = "testing"))]
impl Memory {
    /// Everything in it as comparable text: what is read from the database must be what was kept along.
    pub fn describe(&self) -> String {
        use std::collections::BTreeMap;
        let charges: BTreeMap<i64, String> = self
            .charges
            .iter()
            .map(|(num, open)| {
                let kept = (
                    &open.snapshot.charge,
                    &open.snapshot.order_id,
                    open.snapshot.email_key,
                    open.due,
                    open.is_shallow,
                    open.is_waiting_link,
                );
                (*num, format!("{kept:?}"))
            })
            .collect();
        let followed: BTreeMap<Txid, &Arc<TxPlace>> = self.followed.iter().map(|(txid, tx)| (*txid, tx)).collect();
        let issuers: BTreeMap<DescriptorId, String> = self
            .issuers
            .iter()
            .map(|(id, issuer)| {
                let ahead: Vec<u32> = issuer.ahead.iter().map(|ahead| ahead.derived.index).collect();
                let row = &issuer.row;
                (
                    *id,
                    format!(
                        "{:?}",
                        (row.next_index, row.highest_used, row.longest_gap, row.scanned, ahead)
                    ),
                )
            })
            .collect();
        let spends: usize = self.spends.values().map(Vec::len).sum();
        format!(
            "{:#?}",
            (
                self.tip,
                &self.due,
                self.counts,
                self.first_made,
                self.hole,
                spends,
                charges,
                followed,
                issuers
            )
        )
    }
}
