//! Changes of the memory, each with its inverse.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_charge::{MerchantId, State, Timestamp, Txid};
use bitpro_merchant::MerchantMap;
use bitpro_merchant::keys::KeyMap;
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::{Hole, Tip};

use super::{Mark, Memory, Open, TxPlace, Undo, order_hash};
use crate::issuer::{Ahead, Issuer};
use crate::{Snapshot, WebhookMap};

impl Memory {
    /// Takes in a charge as it is now; one that nothing can move any more is forgotten.
    pub(crate) fn put_charge(&mut self, snapshot: &Arc<Snapshot>) {
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
    pub(crate) fn follow(&mut self, tx: Arc<TxPlace>) {
        let txid = tx.txid;
        let before = self.place_tx(txid, Some(tx));
        self.undo.push(Undo::Tx(txid, before));
    }

    /// Ends the following of a transaction.
    pub(crate) fn leave(&mut self, txid: Txid) {
        let before = self.place_tx(txid, None);
        self.undo.push(Undo::Tx(txid, before));
    }

    /// Moves the tip, and how far chain and mempool were read. `stored` says whether the row in the database follows.
    pub(crate) fn move_tip(&mut self, tip: Tip, observed_until: Timestamp, stored: bool) {
        self.undo
            .push(Undo::Tip(self.tip, self.observed_until, self.stored_until));
        self.tip = Some(tip);
        self.observed_until = observed_until;
        if stored {
            self.stored_until = observed_until;
        }
    }

    /// Notes when the first charge was made.
    pub(crate) fn note_made(&mut self, at: Timestamp) {
        if self.first_made.is_none() {
            self.first_made = Some(at);
            self.undo.push(Undo::FirstMade);
        }
    }

    /// Remembers a hole, or that it is closed.
    pub(crate) fn set_hole(&mut self, hole: Option<Hole>) {
        let before = std::mem::replace(&mut self.hole, hole);
        self.undo.push(Undo::Hole(before));
    }

    /// Notes that an order was paid something. It is not taken back with the unit: a hash too many only costs a look.
    pub(crate) fn note_paid(&mut self, merchant: i64, order_id: &str) {
        self.paid_orders.insert(order_hash(merchant, order_id));
    }

    /// Takes the next address of a descriptor; `None` when none is ready.
    pub(crate) fn take_ahead(&mut self, descriptor: DescriptorId) -> Option<Arc<Ahead>> {
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
    pub(crate) fn note_used(&mut self, descriptor: DescriptorId, index: u32) -> bool {
        let Some(issuer) = self.issuers.get_mut(&descriptor) else {
            return false;
        };
        if issuer.row.highest_used.is_some_and(|highest| highest >= index) {
            return false;
        }
        self.undo
            .push(Undo::Used(descriptor, issuer.row.highest_used, issuer.row.longest_gap));
        issuer.note_used(index);
        true
    }

    /// Notes that no block pays an index any more, between the nearest ones that blocks do pay.
    pub(crate) fn note_unpaid(&mut self, descriptor: DescriptorId, index: u32, between: (Option<u32>, Option<u32>)) {
        if let Some(issuer) = self.issuers.get_mut(&descriptor) {
            self.undo
                .push(Undo::Used(descriptor, issuer.row.highest_used, issuer.row.longest_gap));
            issuer.note_unpaid(index, between.0, between.1);
        }
    }

    /// Takes in a counter as it is now.
    pub(crate) fn put_issuer(&mut self, descriptor: DescriptorId, issuer: Issuer) {
        let before = self.issuers.insert(descriptor, issuer).map(Box::new);
        self.undo.push(Undo::Issuer(descriptor, before));
    }

    /// Takes in the merchants as they were read.
    pub(crate) fn load_merchants(&mut self, merchants: MerchantMap, rows: HashMap<MerchantId, i64>) {
        self.merchants = Arc::new(merchants);
        self.merchant_rows = rows;
    }

    /// Takes in the merchants as they are now; `changed` stands in row `num`.
    pub(crate) fn put_merchants(&mut self, merchants: MerchantMap, changed: MerchantId, num: i64) {
        let before = std::mem::replace(&mut self.merchants, Arc::new(merchants));
        let row = self.merchant_rows.insert(changed, num);
        self.undo.push(Undo::Merchants(before, changed, row));
    }

    /// Takes in the keys as they were read.
    pub(crate) fn load_keys(&mut self, keys: KeyMap) {
        self.keys = Arc::new(keys);
    }

    /// Takes in the keys as they are now.
    pub(crate) fn put_keys(&mut self, keys: KeyMap) {
        let before = std::mem::replace(&mut self.keys, Arc::new(keys));
        self.undo.push(Undo::Keys(before));
    }

    /// Takes in the webhooks as they are now.
    pub(crate) fn put_webhooks(&mut self, webhooks: WebhookMap) {
        let before = std::mem::replace(&mut self.webhooks, Arc::new(webhooks));
        self.undo.push(Undo::Webhooks(before));
    }

    /// A charge went from one state to another; a new one came from none.
    pub(crate) fn count(&mut self, before: Option<State>, after: State) {
        let position = |state| State::ALL.iter().position(|&known| known == state);
        if let Some(position) = before.and_then(position) {
            self.counts[position] -= 1;
        }
        if let Some(position) = position(after) {
            self.counts[position] += 1;
        }
    }

    /// A point to go back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            undo: self.undo.len(),
            counts: self.counts,
        }
    }

    /// Takes back every change since `mark`.
    pub(crate) fn go_back(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            if let Some(undo) = self.undo.pop() {
                self.take_back(undo);
            }
        }
        self.counts = mark.counts;
    }

    /// Everything so far is committed.
    pub(crate) fn forget_inverses(&mut self) {
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
            Undo::Used(descriptor, highest_used, longest_gap) => {
                if let Some(issuer) = self.issuers.get_mut(&descriptor) {
                    issuer.row.highest_used = highest_used;
                    issuer.row.longest_gap = longest_gap;
                }
            }
            Undo::Issuer(descriptor, issuer) => {
                match issuer {
                    Some(issuer) => self.issuers.insert(descriptor, *issuer),
                    None => self.issuers.remove(&descriptor),
                };
            }
            Undo::Keys(keys) => self.keys = keys,
            Undo::Merchants(merchants, changed, row) => {
                self.merchants = merchants;
                match row {
                    Some(num) => self.merchant_rows.insert(changed, num),
                    None => self.merchant_rows.remove(&changed),
                };
            }
            Undo::Webhooks(before) => self.webhooks = before,
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
