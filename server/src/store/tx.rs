//! What a unit can do inside the group's transaction: typed operations, and no SQL.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use bitpro_charge::{
    Announcement, BlockRef, Charge, ChargeId, Event, MerchantId, Network, Outpoint, State, Timestamp, Txid,
};

use super::documents::hole_to;
use super::issuer::{Ahead, LEAST_AHEAD};
use super::memory::{self, Memory, TxPlace, next};
use super::news::{self, Low, News, Touched, Unscanned};
use super::secret::Secret;
use super::sqlite::{Decided, MerchantRow, NewRow, OutboxRow, ScriptRow, Session};
use super::{DescriptorId, Issuer, Snapshot, StoreError, StoredTx};
use crate::merchant::{Logo, Merchant, MerchantMap, Settings, stored};
use crate::node::view::{Hole, ScriptId, Tip};
use crate::rng::{Rng, uuid};
use crate::wallet::{Derived, Receive};

/// The group's transaction.
pub(crate) struct Tx {
    pub(super) session: Session,
    pub(super) memory: Memory,
    pub(super) news: News,
    pub(super) network: Network,
    pub(super) secret: Secret,
    pub(super) rng: Arc<dyn Rng>,
    /// New charges that are not in the database yet: they go there together, for a statement over many rows costs little
    /// more than one over a single row.
    made: Vec<NewRow>,
    /// How many of them were made before the running unit.
    made_before: usize,
    /// Whether the running unit has written, and so has a savepoint to go back to.
    has_savepoint: bool,
    /// Counters that have moved and are not stored yet.
    moved_counters: BTreeSet<DescriptorId>,
    stored_counts: memory::Counts,
    #[cfg(test)]
    broken: Option<StoreError>,
}

/// A point to go back to when a unit fails.
pub(super) struct Mark {
    memory: memory::Mark,
    news: news::Mark,
}

/// What one batch made of one charge.
pub(crate) struct Batch {
    /// The charge before.
    pub(crate) before: Arc<Snapshot>,
    /// What was decided; an empty one leaves no trace.
    pub(crate) events: Vec<Event>,
}

/// A charge to be made, but for what only the writer knows.
pub(crate) struct Draft {
    pub(crate) id: ChargeId,
    pub(crate) merchant: MerchantId,
    pub(crate) merchant_row: i64,
    pub(crate) terms: bitpro_charge::Terms,
    pub(crate) order_id: Option<String>,
    pub(crate) origin: super::ChargeOrigin,
    pub(crate) language: Option<crate::merchant::Language>,
    pub(crate) email_key: Option<[u8; 8]>,
    /// E-mail, metadata, notes.
    pub(crate) personal: [Option<String>; 3],
}

/// A merchant to be stored.
pub(crate) struct MerchantDraft {
    pub(crate) id: MerchantId,
    pub(crate) settings: Settings,
    pub(crate) logo: Option<Logo>,
    /// A new descriptor; `None` keeps the present one.
    pub(crate) receive: Option<Arc<Receive>>,
    pub(crate) created_at: Timestamp,
}

// Reading.
impl Tx {
    pub(super) fn new(session: Session, network: Network, secret: Secret, rng: Arc<dyn Rng>) -> Self {
        Self {
            session,
            memory: Memory::default(),
            news: News::default(),
            network,
            secret,
            rng,
            made: Vec::new(),
            made_before: 0,
            has_savepoint: false,
            moved_counters: BTreeSet::new(),
            stored_counts: memory::Counts::default(),
            #[cfg(test)]
            broken: None,
        }
    }

    /// What is in memory, this transaction's changes included.
    pub(crate) const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The charge called `id`.
    pub(crate) async fn charge(&mut self, id: ChargeId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        if let Some(open) = self.memory.charge_called(id) {
            return Ok(Some(Arc::clone(open)));
        }
        Ok(self.session.charge(id, self.network).await?.map(Arc::new))
    }

    /// The charges in these rows. None is in two places: what is not in memory is settled, and so is not changed by a unit
    /// without being put back into memory first.
    pub(crate) async fn charges(&mut self, nums: &[i64]) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let mut charges = Vec::with_capacity(nums.len());
        let mut missing = Vec::new();
        for &num in nums {
            match self.memory.charge(num) {
                Some(open) => charges.push(Arc::clone(open)),
                None => missing.push(num),
            }
        }
        let stored = self.session.charges_by_num(&missing, self.network).await?;
        charges.extend(stored.into_iter().map(Arc::new));
        Ok(charges)
    }

    /// The charges that these scripts, none of which an open charge has, were given out for.
    pub(crate) async fn settled_charges_of(&mut self, scripts: &[ScriptId]) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let stored = self.session.charges_by_script(scripts, self.network).await?;
        Ok(stored.into_iter().map(Arc::new).collect())
    }

    /// The paid charges of an order, newest first.
    pub(crate) async fn paid_charges(
        &mut self,
        merchant: MerchantId,
        order_id: &str,
    ) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let Some(row) = self.memory.merchant_row(merchant) else {
            return Ok(Vec::new());
        };
        let stored = self.session.paid_charges(row, order_id, self.network).await?;
        Ok(stored.into_iter().map(Arc::new).collect())
    }

    /// The hash of the stored chain at `height`.
    pub(crate) async fn block_at(&mut self, height: u32) -> Result<Option<bitpro_charge::BlockHash>, StoreError> {
        self.session.block_at(height).await
    }

    /// Scripts by row: descriptor, index, bytes.
    pub(crate) async fn scripts(
        &mut self,
        ids: &[ScriptId],
    ) -> Result<Vec<(ScriptId, DescriptorId, u32, Vec<u8>)>, StoreError> {
        let rows = self.session.scripts(ids).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, row.descriptor, row.index, row.script))
            .collect())
    }

    /// The row of `script`.
    pub(crate) async fn script(&mut self, script: &[u8]) -> Result<Option<ScriptId>, StoreError> {
        Ok(self.session.script(script).await?.map(|row| row.id))
    }

    /// The payments of a transaction: output and charge.
    pub(crate) async fn pays(&mut self, txid: Txid) -> Result<Vec<(u32, i64)>, StoreError> {
        match self.memory.followed(txid) {
            Some(place) => Ok(place.pays.clone()),
            None => self.session.payments_of(txid).await,
        }
    }
}

// Making charges.
impl Tx {
    /// Takes the next address of a descriptor, deriving more when none is ready; `None` at the end of the descriptor.
    pub(crate) async fn take_address(&mut self, descriptor: DescriptorId) -> Result<Option<Arc<Ahead>>, StoreError> {
        loop {
            if let Some(ahead) = self.memory.take_ahead(descriptor) {
                self.moved_counters.insert(descriptor);
                return Ok(Some(ahead));
            }
            self.learn(descriptor);
            if !self.derive_ahead(descriptor, LEAST_AHEAD).await? {
                return Ok(None);
            }
        }
    }

    /// Keeps more addresses ahead from now on, if they went faster than they were prepared.
    pub(crate) fn learn(&mut self, descriptor: DescriptorId) {
        if let Some(issuer) = self.memory.issuer(descriptor)
            && let Some(target) = issuer.better_target()
        {
            let issuer = Issuer {
                target,
                ..issuer.clone()
            };
            self.memory.put_issuer(descriptor, issuer);
        }
    }

    /// Derives and watches further addresses here and now; whether there were any.
    async fn derive_ahead(&mut self, descriptor: DescriptorId, count: u32) -> Result<bool, StoreError> {
        let Some(issuer) = self.memory.issuer(descriptor) else {
            return Ok(false);
        };
        let (receive, from) = (Arc::clone(&issuer.receive), issuer.end);
        let derived: Vec<Derived> = (from..from.saturating_add(count))
            .map_while(|index| receive.derive(index))
            .collect();
        let has_any = !derived.is_empty();
        self.extend(descriptor, from, derived).await?;
        Ok(has_any)
    }

    /// Makes a charge at `address`, which belongs to `descriptor`.
    pub(crate) fn make(&mut self, draft: Draft, descriptor: DescriptorId, address: &Ahead) -> Arc<Snapshot> {
        let Derived {
            index,
            script,
            address: text,
        } = &address.derived;
        let snapshot = Arc::new(Snapshot {
            charge: Charge::new(draft.id, draft.merchant, text.clone(), draft.terms),
            order_id: draft.order_id,
            origin: draft.origin,
            language: draft.language,
            num: next(&mut self.memory.rows.charge),
            script: address.script,
            script_pubkey: script.as_slice().into(),
            descriptor,
            index: *index,
            email_key: draft.email_key,
            verified: true.into(),
            rendered: super::Rendered::default(),
        });
        self.memory.note_made(snapshot.charge.terms.created_at);
        self.memory.put_charge(&snapshot);
        self.memory.count(None, State::Pending);
        self.news.touched.push(Touched {
            previous: 0,
            snapshot: Arc::clone(&snapshot),
        });
        self.made.push(NewRow {
            snapshot: Arc::clone(&snapshot),
            merchant: draft.merchant_row,
            personal: draft.personal,
        });
        snapshot
    }

    /// Watches further addresses of a descriptor, derived from index `from` on. Nothing happens when others were faster.
    pub(crate) async fn extend(
        &mut self,
        descriptor: DescriptorId,
        from: u32,
        derived: Vec<Derived>,
    ) -> Result<(), StoreError> {
        let Some(mut issuer) = self.memory.issuer(descriptor).cloned() else {
            return Ok(());
        };
        if issuer.end != from || derived.is_empty() {
            return Ok(());
        }
        let rows: Vec<ScriptRow> = derived
            .iter()
            .map(|derived| ScriptRow {
                id: ScriptId(next(&mut self.memory.rows.script)),
                descriptor,
                index: derived.index,
                script: derived.script.clone(),
            })
            .collect();
        let session = self.writing().await?;
        session.insert_scripts(&rows).await?;
        // An index whose script another descriptor has already got no row: it is never given out (R27).
        let taken: HashSet<i64> = session
            .look_ahead(descriptor, from)
            .await?
            .iter()
            .map(|row| row.id.0)
            .collect();
        issuer.end = from.saturating_add(u32::try_from(derived.len()).unwrap_or(u32::MAX));
        for (row, derived) in rows.iter().zip(derived) {
            if taken.contains(&row.id.0) {
                let ahead = Arc::new(Ahead {
                    script: row.id,
                    derived,
                });
                self.news.watched.push(Arc::clone(&ahead));
                issuer.ahead.push_back(ahead);
            }
        }
        self.memory.put_issuer(descriptor, issuer);
        Ok(())
    }

    /// Never gives out these addresses of a look-ahead, for they received money before they were given out (R27).
    pub(crate) async fn skip(&mut self, descriptor: DescriptorId, scripts: &[ScriptId]) -> Result<(), StoreError> {
        self.writing().await?.skip_scripts(scripts).await?;
        if let Some(mut issuer) = self.memory.issuer(descriptor).cloned() {
            issuer.ahead.retain(|ahead| !scripts.contains(&ahead.script));
            self.memory.put_issuer(descriptor, issuer);
        }
        Ok(())
    }

    /// Notes that an address of a descriptor received money.
    pub(crate) fn note_used(&mut self, descriptor: DescriptorId, index: u32) {
        if self.memory.note_used(descriptor, index) {
            self.moved_counters.insert(descriptor);
        }
    }

    /// Stores a counter that was set anew.
    pub(super) fn put_issuer(&mut self, issuer: Issuer) {
        let descriptor = issuer.row.id;
        self.news.receives.push((descriptor, Arc::clone(&issuer.receive)));
        self.memory.put_issuer(descriptor, issuer);
        self.moved_counters.insert(descriptor);
    }
}

// Merchants and their descriptors.
impl Tx {
    /// Stores a merchant as he is now. A descriptor that was never met gets a counter, which waits for a scan; one that was
    /// goes on with its own (R27).
    pub(crate) async fn put_merchant(&mut self, draft: MerchantDraft) -> Result<(), StoreError> {
        let given = match &draft.receive {
            Some(receive) => Some(self.counter_of(receive).await?),
            None => self
                .memory
                .merchants()
                .get(&draft.id)
                .and_then(|merchant| merchant.descriptor),
        };
        let text = given
            .and_then(|id| self.memory.issuer(id))
            .map(|issuer| issuer.text().to_owned());
        let num = match self.memory.merchant_row(draft.id) {
            Some(num) => num,
            None => next(&mut self.memory.rows.merchant),
        };
        let row = MerchantRow {
            num,
            id: draft.id,
            settings: stored::to_document(&draft.settings),
            logo: draft.logo.as_ref().map(|logo| logo.bytes.to_vec()),
            descriptor: given.zip(text.map(|text| self.secret.of_merchant(draft.id, &text))),
            created_at: draft.created_at,
        };
        self.writing().await?.put_merchant(&row).await?;
        let mut merchants = MerchantMap::clone(self.memory.merchants());
        merchants.insert(
            draft.id,
            Arc::new(Merchant {
                id: draft.id,
                settings: draft.settings,
                logo: draft.logo,
                descriptor: given,
                created_at: draft.created_at,
            }),
        );
        self.memory.put_merchants(merchants, draft.id, num);
        self.news.merchants = Some(Arc::clone(self.memory.merchants()));
        Ok(())
    }

    async fn counter_of(&mut self, receive: &Arc<Receive>) -> Result<DescriptorId, StoreError> {
        let known = self
            .memory
            .issuers()
            .find(|(_, issuer)| issuer.text() == receive.text());
        if let Some((id, _)) = known {
            return Ok(id);
        }
        let id = DescriptorId(next(&mut self.memory.rows.descriptor));
        let issuer = Issuer::new(id, Arc::clone(receive), &self.secret);
        self.writing().await?.put_descriptor(&issuer.row).await?;
        self.put_issuer(issuer);
        Ok(id)
    }

    /// Ends the scan of a descriptor: its counter goes on above what was used (R27), and past what may have been given out
    /// when that is not known (R28). The look-ahead is watched from here on, before any address is given out.
    pub(crate) async fn finish_scan(
        &mut self,
        descriptor: DescriptorId,
        highest_used: Option<u32>,
    ) -> Result<(), StoreError> {
        let Some(issuer) = self.memory.issuer(descriptor) else {
            return Ok(());
        };
        let mut issuer = issuer.clone();
        issuer.finish_scan(highest_used);
        let wanted = issuer.wanted();
        self.put_issuer(issuer);
        if let Some(count) = wanted {
            self.derive_ahead(descriptor, count).await?;
        }
        Ok(())
    }
}

// Deciding.
impl Tx {
    /// Appends batches, and brings everything that follows from them along: rows, outbox, memory, news.
    pub(crate) async fn record(
        &mut self,
        batches: Vec<Batch>,
        at: Timestamp,
    ) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let tip = self.memory.tip_height();
        let mut decided = Vec::with_capacity(batches.len());
        let mut outbox = Vec::new();
        for Batch { before, events } in batches {
            if events.is_empty() {
                continue;
            }
            let mut charge = before.charge.clone();
            for event in &events {
                charge.apply(event);
                if let Event::Announced { announcement, .. } = event {
                    outbox.push(self.outbox_row(&before, charge.sequence, *announcement));
                }
            }
            let after = Arc::new(before.with_charge(charge));
            decided.push(Decided {
                num: next(&mut self.memory.rows.batch),
                is_open: after.is_open(tip),
                before,
                after,
                events,
            });
        }
        if decided.is_empty() {
            return Ok(Vec::new());
        }
        let session = self.writing().await?;
        session.append(&decided, at).await?;
        session.announce(&outbox, at).await?;
        let mut recorded = Vec::with_capacity(decided.len());
        for Decided { before, after, .. } in decided {
            self.memory.put_charge(&after);
            self.memory.count(Some(before.charge.state), after.charge.state);
            self.news.touched.push(Touched {
                previous: before.charge.sequence,
                snapshot: Arc::clone(&after),
            });
            recorded.push(after);
        }
        Ok(recorded)
    }

    /// Looks anew at a charge that nothing was decided about: it may have become settled, or only deeper.
    pub(crate) fn deepen(&mut self, snapshot: &Arc<Snapshot>) {
        self.memory.put_charge(snapshot);
        self.news.deeper.push(Arc::clone(snapshot));
    }

    fn outbox_row(&mut self, snapshot: &Snapshot, sequence: u64, announcement: Announcement) -> OutboxRow {
        OutboxRow {
            num: next(&mut self.memory.rows.outbox),
            id: uuid(&*self.rng),
            merchant: self
                .memory
                .merchant_row(snapshot.charge.merchant)
                .expect("every charge has a merchant, and merchants are never removed"),
            charge: snapshot.num,
            sequence,
            announcement,
        }
    }
}

// Chain and transactions.
impl Tx {
    /// Moves the chain, its tip, and how far chain and mempool were read.
    pub(crate) async fn move_chain(
        &mut self,
        fork_height: u32,
        connected: &[BlockRef],
        tip: Tip,
        observed_until: Timestamp,
    ) -> Result<(), StoreError> {
        let session = self.writing().await?;
        session.move_chain(fork_height, connected).await?;
        session.set_tip(&tip, observed_until).await?;
        self.move_tip(tip, observed_until, true);
        Ok(())
    }

    /// Moves how far chain and mempool were read, in the database too when `store` is set.
    pub(crate) async fn observe_until(
        &mut self,
        tip: Tip,
        observed_until: Timestamp,
        store: bool,
    ) -> Result<(), StoreError> {
        if store {
            self.writing().await?.set_tip(&tip, observed_until).await?;
        }
        self.move_tip(tip, observed_until, store);
        Ok(())
    }

    fn move_tip(&mut self, tip: Tip, observed_until: Timestamp, stored: bool) {
        self.memory.move_tip(tip, observed_until, stored);
        self.news.tip = Some((tip, observed_until));
    }

    /// Follows new transactions.
    pub(crate) async fn insert_txs(&mut self, txs: Vec<StoredTx>) -> Result<(), StoreError> {
        self.writing().await?.insert_txs(&txs).await?;
        for tx in txs {
            self.memory.follow(Arc::new(tx.place));
        }
        Ok(())
    }

    /// Notes where known transactions are now.
    pub(crate) async fn move_txs(&mut self, txs: Vec<Arc<TxPlace>>) -> Result<(), StoreError> {
        self.writing().await?.move_txs(&txs).await?;
        for tx in txs {
            self.memory.follow(tx);
        }
        Ok(())
    }

    /// Ends the following of transactions (R34).
    pub(crate) async fn leave_txs(&mut self, txids: &[Txid]) -> Result<(), StoreError> {
        self.writing().await?.leave_txs(txids).await?;
        for &txid in txids {
            self.memory.leave(txid);
        }
        Ok(())
    }

    /// The payments of followed transactions that spend what `inputs` spend, `txid` itself aside.
    pub(crate) fn conflicts(&self, txid: Txid, inputs: &[Outpoint]) -> Vec<Outpoint> {
        let mut conflicts = Vec::new();
        for &input in inputs {
            for &spender in self.memory.spenders(input) {
                if let Some(tx) = self.memory.followed(spender).filter(|_| spender != txid) {
                    conflicts.extend(tx.pays.iter().map(|&(vout, _)| Outpoint { txid: spender, vout }));
                }
            }
        }
        conflicts.sort_unstable();
        conflicts.dedup();
        conflicts
    }

    /// Remembers blocks that could not be read, or that somebody has vouched for them (R6).
    pub(crate) async fn set_hole(&mut self, hole: Option<Hole>) -> Result<(), StoreError> {
        self.writing().await?.set_meta("hole", &hole_to(hole)).await?;
        self.memory.set_hole(hole);
        Ok(())
    }

    /// Makes the group's commit fail, as a disk would.
    #[cfg(test)]
    pub(crate) fn break_commit(&mut self, error: StoreError) {
        self.broken = Some(error);
    }

    /// Runs a statement of a test's own.
    #[cfg(test)]
    pub(crate) async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.writing().await?.execute(statement).await
    }

    /// Records a fact about the database.
    pub(crate) async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.writing().await?.set_meta(name, value).await
    }
}

// The group.
impl Tx {
    /// The connection, for statements that write: what was put off is written first, and the unit gets its savepoint.
    pub(super) async fn writing(&mut self) -> Result<&mut Session, StoreError> {
        if !self.has_savepoint {
            // The unit's own charges wait on, for they are to go with it if it fails.
            self.write_made(self.made_before).await?;
            self.made_before = 0;
            self.session.savepoint().await?;
            self.has_savepoint = true;
        }
        Ok(&mut self.session)
    }

    /// Begins a unit.
    pub(super) fn begin_unit(&mut self) -> Mark {
        self.made_before = self.made.len();
        Mark {
            memory: self.memory.mark(),
            news: self.news.mark(),
        }
    }

    /// Ends a unit that went well.
    pub(super) async fn end_unit(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.has_savepoint) {
            self.session.release_savepoint().await?;
        }
        Ok(())
    }

    /// Takes back what a failed unit did.
    pub(super) async fn take_back(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.memory.go_back(mark.memory);
        self.news.go_back(mark.news, self.memory.merchants());
        self.made.truncate(self.made_before);
        if std::mem::take(&mut self.has_savepoint) {
            self.session.rollback_to_savepoint().await?;
        }
        Ok(())
    }

    /// Writes what was put off to the end of the group.
    pub(super) async fn write_rest(&mut self) -> Result<(), StoreError> {
        #[cfg(test)]
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        self.write_made(self.made.len()).await?;
        for descriptor in &self.moved_counters {
            if let Some(issuer) = self.memory.issuer(*descriptor) {
                self.session.put_descriptor(&issuer.row).await?;
            }
        }
        if self.memory.counts != self.stored_counts {
            let counts: Vec<(State, i64)> = State::ALL.into_iter().zip(self.memory.counts).collect();
            self.session.set_state_counts(&counts).await?;
        }
        Ok(())
    }

    /// The counters that moved in this group: the name of each, and the highest index given out.
    pub(super) fn issued(&self) -> Vec<([u8; 16], u32)> {
        let issuers = self.moved_counters.iter().filter_map(|&id| self.memory.issuer(id));
        issuers
            .filter_map(|issuer| Some((issuer.receive.key(), issuer.row.next_index.checked_sub(1)?)))
            .collect()
    }

    /// Everything is committed: what has changed.
    pub(super) fn committed(&mut self) -> News {
        self.memory.forget_inverses();
        self.stored_counts = self.memory.counts;
        self.moved_counters.clear();
        let mut news = std::mem::take(&mut self.news);
        news.next_due = self.memory.next_due();
        news.first_made = self.memory.first_made();
        news.hole = self.memory.hole();
        for (id, issuer) in self.memory.issuers() {
            if let Some(count) = issuer.wanted() {
                news.low.push(Low {
                    descriptor: id,
                    receive: Arc::clone(&issuer.receive),
                    from: issuer.end,
                    count,
                });
            } else if !issuer.is_scanned() {
                news.unscanned.push(Unscanned {
                    descriptor: id,
                    text: issuer.text().to_owned(),
                    next_index: issuer.row.next_index,
                });
            }
        }
        news
    }

    /// Nothing is committed: memory is as it was at `mark`.
    pub(super) fn discarded(&mut self, mark: Mark) {
        self.memory.go_back(mark.memory);
        self.news = News::default();
        self.made.clear();
        self.moved_counters.clear();
        self.has_savepoint = false;
    }

    /// Memory as it was just read.
    pub(super) fn loaded(&mut self, memory: Memory) -> Memory {
        self.stored_counts = memory.counts;
        std::mem::replace(&mut self.memory, memory)
    }

    async fn write_made(&mut self, first: usize) -> Result<(), StoreError> {
        if first > 0 {
            self.session.insert_charges(&self.made[..first]).await?;
            self.made.drain(..first);
        }
        Ok(())
    }
}
