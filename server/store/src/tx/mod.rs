//! What a unit can do inside the group's transaction: typed operations, and no SQL.

mod chain;
mod clock;
mod derived;
mod issue;
mod keys;
mod link_keys;
mod mails;
mod mark;
mod merchants;
mod people;
mod proofs;
mod receipts;
mod record;
mod standing;
mod webhooks;

use std::collections::BTreeSet;
use std::sync::Arc;

use bitpro_base::rng::Rng;
use bitpro_base::seal::Seal;
use bitpro_charge::{BlockHash, ChargeId, MerchantId, Network, State, Timestamp, Txid};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::ScriptId;

use super::engine::Session;
use super::memory::{self, Memory};
use super::news::{self, Low, News, Unscanned};
use super::numbering::Numbering;
use super::rows::NewRow;
use super::secret::Secret;
use super::{Snapshot, StoreError, StoreOptions};
use crate::mark::IssuanceMark;

pub use issue::Draft;
pub(super) use mark::TOLD;
pub use merchants::MerchantDraft;
pub use people::WrittenBy;
pub use record::{Batch, CHARGES_A_TURN};

/// The group's transaction.
pub struct Tx {
    pub(super) session: Session,
    pub(super) memory: Memory,
    pub(super) news: News,
    pub(super) network: Network,
    pub(super) secret: Secret,
    pub(super) seal: Seal,
    pub(super) rng: Arc<dyn Rng>,
    /// Held where addresses are given out (R28).
    pub(super) mark: Option<Arc<IssuanceMark>>,
    /// Whether the mark was missed once, and so may not know of every descriptor.
    is_mark_lost: bool,
    /// Where numbers of events go on after a restore (R17); `None` where there was none.
    pub(super) numbering: Option<Numbering>,
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
    /// The latest instant that this group writes into a charge or its log.
    latest: Option<Timestamp>,
    #[cfg(any(test, feature = "testing"))]
    broken: Option<StoreError>,
    #[cfg(any(test, feature = "testing"))]
    lost_answer: Option<StoreError>,
}

/// A point to go back to when a unit fails.
pub(super) struct Mark {
    memory: memory::Mark,
    news: news::Mark,
}

// Reading, and facts.
impl Tx {
    pub(super) fn new(session: Session, options: &StoreOptions, mark: Option<Arc<IssuanceMark>>) -> Self {
        Self {
            session,
            memory: Memory::default(),
            news: News::default(),
            network: options.network,
            secret: options.secret.clone(),
            seal: options.seal.clone(),
            rng: Arc::clone(&options.rng),
            mark,
            is_mark_lost: false,
            numbering: None,
            made: Vec::new(),
            made_before: 0,
            has_savepoint: false,
            moved_counters: BTreeSet::new(),
            stored_counts: memory::Counts::default(),
            latest: None,
            #[cfg(any(test, feature = "testing"))]
            broken: None,
            #[cfg(any(test, feature = "testing"))]
            lost_answer: None,
        }
    }

    /// What is in memory, this transaction's changes included.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The charge called `id`.
    pub async fn charge(&mut self, id: ChargeId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        if let Some(open) = self.memory.charge_called(id) {
            return Ok(Some(Arc::clone(open)));
        }
        Ok(self.session.charge(id).await?.map(Arc::new))
    }

    /// The charges in these rows. None is in two places: what is not in memory is settled, and so is not changed by a unit
    /// without being put back into memory first.
    pub async fn charges(&mut self, nums: &[i64]) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let mut charges = Vec::with_capacity(nums.len());
        let mut missing = Vec::new();
        for &num in nums {
            match self.memory.charge(num) {
                Some(open) => charges.push(Arc::clone(open)),
                None => missing.push(num),
            }
        }
        let stored = self.session.charges_by_num(&missing).await?;
        charges.extend(stored.into_iter().map(Arc::new));
        Ok(charges)
    }

    /// The charges that these scripts, none of which an open charge has, were given out for.
    pub async fn settled_charges_of(&mut self, scripts: &[ScriptId]) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let stored = self.session.charges_by_script(scripts).await?;
        Ok(stored.into_iter().map(Arc::new).collect())
    }

    /// The paid charges of an order, newest first.
    pub async fn paid_charges(
        &mut self,
        merchant: MerchantId,
        order_id: &str,
    ) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let Some(row) = self.memory.merchant_row(merchant) else {
            return Ok(Vec::new());
        };
        if !self.memory.may_be_paid(row, order_id) {
            return Ok(Vec::new());
        }
        let stored = self.session.paid_charges(row, order_id).await?;
        Ok(stored.into_iter().map(Arc::new).collect())
    }

    /// The hash of the stored chain at `height`.
    pub async fn block_at(&mut self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        self.session.block_at(height).await
    }

    /// Scripts by row: descriptor, index, bytes.
    pub async fn scripts(
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
    pub async fn script(&mut self, script: &[u8]) -> Result<Option<ScriptId>, StoreError> {
        Ok(self.session.script(script).await?.map(|row| row.id))
    }

    /// The payments of a transaction: output and charge.
    pub async fn pays(&mut self, txid: Txid) -> Result<Vec<(u32, i64)>, StoreError> {
        match self.memory.followed(txid) {
            Some(place) => Ok(place.pays.clone()),
            None => self.session.payments_of(txid).await,
        }
    }

    /// Makes the group's commit fail, as a disk would.
    #[cfg(any(test, feature = "testing"))]
    pub fn break_commit(&mut self, error: StoreError) {
        self.broken = Some(error);
    }

    /// Makes the group's commit succeed, and be answered with an error nevertheless.
    #[cfg(any(test, feature = "testing"))]
    pub fn lose_answer(&mut self, error: StoreError) {
        self.lost_answer = Some(error);
    }

    /// What the commit is answered with in a test.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn answer(&mut self) -> Result<(), StoreError> {
        self.lost_answer.take().map_or(Ok(()), Err)
    }

    /// Runs a statement of a test's own.
    #[cfg(any(test, feature = "testing"))]
    pub async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.writing().await?.execute(statement).await
    }

    /// Records a fact about the database.
    pub async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
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
        self.news.go_back(
            mark.news,
            self.memory.merchants(),
            self.memory.keys(),
            self.memory.webhooks(),
        );
        self.made.truncate(self.made_before);
        if std::mem::take(&mut self.has_savepoint) {
            self.session.rollback_to_savepoint().await?;
        }
        Ok(())
    }

    /// Writes what was put off to the end of the group.
    pub(super) async fn write_rest(&mut self) -> Result<(), StoreError> {
        #[cfg(any(test, feature = "testing"))]
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
            let counts = State::ALL.into_iter().zip(self.memory.counts).zip(self.stored_counts);
            let moved = counts.filter(|((_, count), stored)| count != stored);
            let moved: Vec<(State, i64)> = moved.map(|(count, _)| count).collect();
            self.session.set_state_counts(&moved).await?;
        }
        if let Some(latest) = self.latest.take() {
            self.raise_time(latest).await?;
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
        self.latest = None;
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
