//! What the writer keeps in memory of what is stored: everything that can still move, so that deciding needs no reading.
//!
//! Only the writer sees it. Each change leaves its inverse in a journal, so that a failed unit or a failed commit takes its
//! changes back (R30).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{ChargeId, Interval, MerchantId, Outpoint, State, Timestamp, Txid, Whereabouts};

use super::issuer::{Ahead, Issuer};
use super::{DescriptorId, Snapshot};
use crate::merchant::MerchantMap;
use crate::node::view::{Hole, ScriptId, Tip};

/// A transaction that pays us and can still be lost or come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TxPlace {
    pub(crate) txid: Txid,
    pub(crate) inputs: Vec<Outpoint>,
    pub(crate) ancestor_inputs: Vec<Outpoint>,
    pub(crate) coinbase: bool,
    pub(crate) whereabouts: Whereabouts,
    /// The height of the tip when it was lost.
    pub(crate) lost_at: Option<u32>,
    pub(crate) replaced_by: Option<Txid>,
    pub(crate) first_seen: Interval,
    /// Its payments: output and charge.
    pub(crate) pays: Vec<(u32, i64)>,
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
    Used(DescriptorId, Option<u32>),
    Issuer(DescriptorId, Option<Box<Issuer>>),
    Merchants(Arc<MerchantMap>, MerchantId, Option<i64>),
}

/// A point to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    undo: usize,
    counts: Counts,
}

/// The writer's memory.
pub(crate) struct Memory {
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
    charges: HashMap<i64, Open>,
    by_script: HashMap<ScriptId, i64>,
    by_id: HashMap<ChargeId, i64>,
    due: BTreeSet<(Timestamp, i64)>,
    shallow: HashSet<i64>,
    waiting_links: HashMap<MerchantId, HashMap<String, Vec<i64>>>,
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
            charges: HashMap::new(),
            by_script: HashMap::new(),
            by_id: HashMap::new(),
            due: BTreeSet::new(),
            shallow: HashSet::new(),
            waiting_links: HashMap::new(),
            followed: HashMap::new(),
            spends: HashMap::new(),
            counts: Counts::default(),
            undo: Vec::new(),
        }
    }
}

// Reading.
impl Memory {
    /// The tip that the charges stand on.
    pub(crate) const fn tip(&self) -> Option<Tip> {
        self.tip
    }

    /// The tip's height; zero before there is one.
    pub(crate) fn tip_height(&self) -> u32 {
        self.tip.map_or(0, |tip| tip.block.height)
    }

    /// How far chain and mempool were read (R4).
    pub(crate) const fn observed_until(&self) -> Timestamp {
        self.observed_until
    }

    /// How far chain and mempool were read when it was last stored.
    pub(crate) const fn stored_until(&self) -> Timestamp {
        self.stored_until
    }

    /// The open charge in row `num`.
    pub(crate) fn charge(&self, num: i64) -> Option<&Arc<Snapshot>> {
        self.charges.get(&num).map(|open| &open.snapshot)
    }

    /// The open charge called `id`.
    pub(crate) fn charge_called(&self, id: ChargeId) -> Option<&Arc<Snapshot>> {
        self.charge(*self.by_id.get(&id)?)
    }

    /// The open charge that `script` was given out for.
    pub(crate) fn charge_of_script(&self, script: ScriptId) -> Option<&Arc<Snapshot>> {
        self.charge(*self.by_script.get(&script)?)
    }

    /// Unpaid link charges of an order that a shopper may still be looking at (R22, R25).
    pub(crate) fn waiting_links(&self, merchant: MerchantId, order_id: &str) -> impl Iterator<Item = &Arc<Snapshot>> {
        let nums = self
            .waiting_links
            .get(&merchant)
            .and_then(|orders| orders.get(order_id));
        nums.into_iter().flatten().filter_map(|&num| self.charge(num))
    }

    /// Charges with live money that more blocks can move.
    pub(crate) fn shallow(&self) -> impl Iterator<Item = i64> {
        self.shallow.iter().copied()
    }

    /// Charges whose time comes by `instant`.
    pub(crate) fn due_by(&self, instant: Timestamp) -> impl Iterator<Item = i64> {
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
    pub(crate) const fn hole(&self) -> Option<Hole> {
        self.hole
    }

    /// A followed transaction.
    pub(crate) fn followed(&self, txid: Txid) -> Option<&Arc<TxPlace>> {
        self.followed.get(&txid)
    }

    /// All followed transactions.
    pub(crate) fn all_followed(&self) -> impl Iterator<Item = &Arc<TxPlace>> {
        self.followed.values()
    }

    /// The followed transactions that spend `outpoint`.
    pub(crate) fn spenders(&self, outpoint: Outpoint) -> &[Txid] {
        self.spends.get(&outpoint).map_or(&[], Vec::as_slice)
    }

    /// A descriptor's counter.
    pub(crate) fn issuer(&self, descriptor: DescriptorId) -> Option<&Issuer> {
        self.issuers.get(&descriptor)
    }

    /// All counters.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = (DescriptorId, &Issuer)> {
        self.issuers.iter().map(|(&id, issuer)| (id, issuer))
    }

    /// All merchants.
    pub(crate) const fn merchants(&self) -> &Arc<MerchantMap> {
        &self.merchants
    }

    /// A merchant's row.
    pub(crate) fn merchant_row(&self, id: MerchantId) -> Option<i64> {
        self.merchant_rows.get(&id).copied()
    }
}

// Changing; each with its inverse.
impl Memory {
    /// Takes in a charge as it is now; one that nothing can move any more is forgotten.
    pub(super) fn put_charge(&mut self, snapshot: &Arc<Snapshot>) {
        let tip = self.tip_height();
        let open = snapshot.is_open(tip).then(|| Open {
            due: snapshot.due(tip),
            is_shallow: snapshot.is_shallow(tip),
            is_waiting_link: snapshot.is_waiting_link(),
            snapshot: Arc::clone(snapshot),
        });
        let before = self.place_charge(snapshot.num, open);
        self.undo.push(Undo::Charge(snapshot.num, before));
    }

    /// Takes in a followed transaction.
    pub(super) fn follow(&mut self, tx: Arc<TxPlace>) {
        let txid = tx.txid;
        let before = self.place_tx(txid, Some(tx));
        self.undo.push(Undo::Tx(txid, before));
    }

    /// Ends the following of a transaction.
    pub(super) fn leave(&mut self, txid: Txid) {
        let before = self.place_tx(txid, None);
        self.undo.push(Undo::Tx(txid, before));
    }

    /// Moves the tip, and how far chain and mempool were read. `stored` says whether the row in the database follows.
    pub(super) fn move_tip(&mut self, tip: Tip, observed_until: Timestamp, stored: bool) {
        self.undo
            .push(Undo::Tip(self.tip, self.observed_until, self.stored_until));
        self.tip = Some(tip);
        self.observed_until = observed_until;
        if stored {
            self.stored_until = observed_until;
        }
    }

    /// Notes when the first charge was made.
    pub(super) fn note_made(&mut self, at: Timestamp) {
        if self.first_made.is_none() {
            self.first_made = Some(at);
            self.undo.push(Undo::FirstMade);
        }
    }

    /// Remembers a hole, or that it is closed.
    pub(super) fn set_hole(&mut self, hole: Option<Hole>) {
        let before = std::mem::replace(&mut self.hole, hole);
        self.undo.push(Undo::Hole(before));
    }

    /// Takes the next address of a descriptor; `None` when none is ready.
    pub(super) fn take_ahead(&mut self, descriptor: DescriptorId) -> Option<Arc<Ahead>> {
        let issuer = self.issuers.get_mut(&descriptor)?;
        let ahead = issuer.ahead.pop_front()?;
        self.undo.push(Undo::Issued {
            descriptor,
            ahead: Arc::clone(&ahead),
            next_index: issuer.row.next_index,
        });
        issuer.row.next_index = ahead.derived.index + 1;
        Some(ahead)
    }

    /// Notes that an index of a descriptor is used; whether that is news.
    pub(super) fn note_used(&mut self, descriptor: DescriptorId, index: u32) -> bool {
        let Some(issuer) = self.issuers.get_mut(&descriptor) else {
            return false;
        };
        if issuer.row.highest_used.is_some_and(|highest| highest >= index) {
            return false;
        }
        self.undo.push(Undo::Used(descriptor, issuer.row.highest_used));
        issuer.row.highest_used = Some(index);
        true
    }

    /// Takes in a counter as it is now.
    pub(super) fn put_issuer(&mut self, descriptor: DescriptorId, issuer: Issuer) {
        let before = self.issuers.insert(descriptor, issuer).map(Box::new);
        self.undo.push(Undo::Issuer(descriptor, before));
    }

    /// Takes in the merchants as they were read.
    pub(super) fn load_merchants(&mut self, merchants: MerchantMap, rows: HashMap<MerchantId, i64>) {
        self.merchants = Arc::new(merchants);
        self.merchant_rows = rows;
    }

    /// Takes in the merchants as they are now; `changed` stands in row `num`.
    pub(super) fn put_merchants(&mut self, merchants: MerchantMap, changed: MerchantId, num: i64) {
        let before = std::mem::replace(&mut self.merchants, Arc::new(merchants));
        let row = self.merchant_rows.insert(changed, num);
        self.undo.push(Undo::Merchants(before, changed, row));
    }

    /// A charge went from one state to another; a new one came from none.
    pub(super) fn count(&mut self, before: Option<State>, after: State) {
        let position = |state| State::ALL.iter().position(|&known| known == state);
        if let Some(position) = before.and_then(position) {
            self.counts[position] -= 1;
        }
        if let Some(position) = position(after) {
            self.counts[position] += 1;
        }
    }

    /// A point to go back to.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            undo: self.undo.len(),
            counts: self.counts,
        }
    }

    /// Takes back every change since `mark`.
    pub(super) fn go_back(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            if let Some(undo) = self.undo.pop() {
                self.take_back(undo);
            }
        }
        self.counts = mark.counts;
    }

    /// Everything so far is committed.
    pub(super) fn forget_inverses(&mut self) {
        self.undo.clear();
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Charge(num, before) => {
                self.place_charge(num, before);
            }
            Undo::Tx(txid, before) => {
                self.place_tx(txid, before);
            }
            Undo::Tip(tip, observed_until, stored_until) => {
                self.tip = tip;
                self.observed_until = observed_until;
                self.stored_until = stored_until;
            }
            Undo::FirstMade => self.first_made = None,
            Undo::Hole(before) => self.hole = before,
            Undo::Issued {
                descriptor,
                ahead,
                next_index,
            } => {
                if let Some(issuer) = self.issuers.get_mut(&descriptor) {
                    issuer.ahead.push_front(ahead);
                    issuer.row.next_index = next_index;
                }
            }
            Undo::Used(descriptor, highest_used) => {
                if let Some(issuer) = self.issuers.get_mut(&descriptor) {
                    issuer.row.highest_used = highest_used;
                }
            }
            Undo::Issuer(descriptor, issuer) => {
                match issuer {
                    Some(issuer) => self.issuers.insert(descriptor, *issuer),
                    None => self.issuers.remove(&descriptor),
                };
            }
            Undo::Merchants(merchants, changed, row) => {
                self.merchants = merchants;
                match row {
                    Some(num) => self.merchant_rows.insert(changed, num),
                    None => self.merchant_rows.remove(&changed),
                };
            }
        }
    }

    fn place_charge(&mut self, num: i64, open: Option<Open>) -> Option<Open> {
        let before = self.charges.remove(&num);
        if let Some(before) = &before {
            self.unlist(num, before);
        }
        if let Some(open) = open {
            self.list(num, &open);
            self.charges.insert(num, open);
        }
        before
    }

    fn list(&mut self, num: i64, open: &Open) {
        let snapshot = &open.snapshot;
        self.by_script.insert(snapshot.script, num);
        self.by_id.insert(snapshot.charge.id, num);
        if let Some(due) = open.due {
            self.due.insert((due, num));
        }
        if open.is_shallow {
            self.shallow.insert(num);
        }
        if let Some(order_id) = snapshot.order_id.as_ref().filter(|_| open.is_waiting_link) {
            let orders = self.waiting_links.entry(snapshot.charge.merchant).or_default();
            orders.entry(order_id.clone()).or_default().push(num);
        }
    }

    fn unlist(&mut self, num: i64, open: &Open) {
        let snapshot = &open.snapshot;
        self.by_script.remove(&snapshot.script);
        self.by_id.remove(&snapshot.charge.id);
        if let Some(due) = open.due {
            self.due.remove(&(due, num));
        }
        self.shallow.remove(&num);
        if let Some(order_id) = snapshot.order_id.as_ref().filter(|_| open.is_waiting_link)
            && let Some(orders) = self.waiting_links.get_mut(&snapshot.charge.merchant)
            && let Some(nums) = orders.get_mut(order_id)
        {
            nums.retain(|&other| other != num);
            if nums.is_empty() {
                orders.remove(order_id);
            }
        }
    }

    fn place_tx(&mut self, txid: Txid, tx: Option<Arc<TxPlace>>) -> Option<Arc<TxPlace>> {
        let before = self.followed.remove(&txid);
        if let Some(before) = &before {
            for input in before.spent() {
                if let Some(spenders) = self.spends.get_mut(input) {
                    spenders.retain(|&spender| spender != txid);
                    if spenders.is_empty() {
                        self.spends.remove(input);
                    }
                }
            }
        }
        if let Some(tx) = tx {
            for &input in tx.spent() {
                self.spends.entry(input).or_default().push(txid);
            }
            self.followed.insert(txid, tx);
        }
        before
    }
}
