//! Where everything is kept: events, charges, scripts, chain position, outbox. Only this module sees SQL.
//!
//! Whoever wants to write hands a unit of work to the one writer, which commits what is waiting together (R30). The
//! writer's memory holds what can still move; whatever others keep a copy of changes only after the commit.

pub(crate) mod audit;
pub(crate) mod documents;
mod faults;
mod issuer;
mod load;
pub(crate) mod mark;
pub(crate) mod memory;
mod news;
mod numbering;
mod opening;
mod people_reader;
mod personal;
mod rendered;
mod search;
pub(crate) mod secret;
mod snapshot;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
mod tx;
mod unit;
mod watch_map;
pub(crate) mod webhook;
mod writer;

use std::collections::HashMap;

use bitpro_charge::{Announcement, BlockHash, ChargeId, Event, MerchantId, Network, Recorded, State, Timestamp, Txid};
use futures::future::BoxFuture;
use parking_lot::RwLock;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};

pub(crate) use faults::NoFaults;
pub use faults::{CommitPoint, Faults};
pub(crate) use issuer::Issuer;
pub(crate) use memory::TxPlace;
pub(crate) use news::{Low, News, Touched};
pub use opening::OpenError;
pub(crate) use opening::{ASIDE, StoreOptions, folder_of, forget_second_names, mark_path, open};
pub(crate) use people_reader::PeopleReader;
pub use personal::Personal;
pub(crate) use rendered::{RenderKey, Rendered};
pub use search::{Needle, Note, Place, Search, Tally};
pub use snapshot::{ChargeOrigin, Snapshot};
pub(crate) use sqlite::{BesideRow, MailRow, Unfit, adopt, people, settle};
pub(crate) use tx::{Batch, CHARGES_A_TURN, Draft, MerchantDraft, Tx, WrittenBy};
pub use watch_map::WatchMap;
pub(crate) use webhook::{Fresh, WebhookMap};
pub(crate) use writer::{Fatal, Listener, Writer};

use crate::node::view::PayingOutput;
use unit::{Unit, Work};
use webhook::{ChargeDelivery, DeliveryRow, Due};

/// Why the store could not do what it was asked for. The cause is logged where it happens, never shown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed; nothing was changed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The disk did not confirm a write: nobody knows what it holds, and the process ends.
    #[error("the disk did not confirm a write: {0}")]
    SyncFailed(String),
    /// The server is shutting down.
    #[error("the store is closed")]
    Closed,
    /// What is stored contradicts itself, or was changed by another hand.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A sealed secret does not open.
    #[error(transparent)]
    Sealed(#[from] crate::seal::SealError),
}

impl StoreError {
    /// Whether there was no room on the disk.
    pub(crate) fn is_disk_full(&self) -> bool {
        // `SQLITE_FULL` in the engine's words, and what the system says of a file that cannot be made.
        matches!(self, Self::Unavailable(cause) if cause.contains("disk is full") || cause.contains("os error 28"))
    }
}

/// An answer that is given again to the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: bytes::Bytes,
}

/// A followed transaction with its bytes.
pub(crate) struct StoredTx {
    pub(crate) place: TxPlace,
    /// Consensus-encoded.
    pub(crate) raw: Vec<u8>,
}

/// Which charges to list, newest first.
#[derive(Debug, Default)]
pub(crate) struct Listing<'a> {
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) state: Option<State>,
    pub(crate) order_id: Option<&'a str>,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_to: Option<Timestamp>,
    /// Only rows below this number.
    pub(crate) before: Option<i64>,
    /// Without so many of the newest.
    pub(crate) skip: u64,
    pub(crate) limit: u32,
}

/// A charge of a list whose row another hand has changed, so that it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Its row.
    pub(crate) num: i64,
    pub(crate) id: ChargeId,
    pub(crate) created_at: Timestamp,
}

/// A charge of a list, as far as it can be read.
pub(crate) type Listed = Result<Snapshot, Unreadable>;

/// Something that a merchant was told: a row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// Its place in the outbox; grows with time.
    pub(crate) num: i64,
    /// The event's id.
    pub(crate) id: [u8; 16],
    /// The charge's row.
    pub(crate) charge: i64,
    /// The sequence at which the charge stood (R35).
    pub(crate) sequence: u64,
    pub(crate) announcement: Announcement,
    pub(crate) at: Timestamp,
    /// R21, as it was then.
    pub(crate) order_conflict: bool,
}

/// The store: a handle to the writer, and readers.
pub(crate) struct Store {
    /// `None` once it is closing.
    units: RwLock<Option<mpsc::Sender<Box<dyn Unit>>>>,
    readers: SqlitePool,
    network: Network,
    database: std::path::PathBuf,
}

impl Store {
    /// Hands a unit of work to the writer and waits for its commit. What the unit returns is answered only then; when it
    /// returns an error, what it did is taken back, and nobody else notices.
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let units = self.units.read().clone().ok_or(StoreError::Closed)?;
        units
            .send(Box::new(Work { work, answer }))
            .await
            .map_err(|_| StoreError::Closed)?;
        // The writer answers every unit that it takes, unless the unit panicked or the process is ending.
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// How many more units find room to wait.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.units.read().as_ref().map_or(0, mpsc::Sender::capacity)
    }

    /// How many webhooks have a row, removed ones included.
    #[cfg(test)]
    pub(crate) async fn count_webhook_rows(&self) -> Result<i64, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::count_webhook_rows(&mut reader).await
    }

    /// Takes no more units; the writer ends once it has committed those it has.
    pub(crate) fn stop(&self) {
        *self.units.write() = None;
    }

    /// People: accounts, sessions, teams.
    pub(crate) async fn people(&self) -> Result<PeopleReader, StoreError> {
        Ok(PeopleReader(self.readers.acquire().await?))
    }

    /// Where the database lies.
    pub(crate) fn database(&self) -> &std::path::Path {
        &self.database
    }

    /// Writes a consistent copy of everything committed to the file `to`, which must not be there, while the writer goes on.
    pub(crate) async fn copy_into(&self, to: &std::path::Path) -> Result<(), StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::copy_into(&mut reader, to).await
    }

    /// Closes the readers.
    pub(crate) async fn close_readers(&self) {
        self.readers.close().await;
    }

    /// The charge called `id`, as it was last committed.
    pub(crate) async fn charge(&self, id: ChargeId) -> Result<Option<Snapshot>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::charge(&mut reader, id, self.network).await
    }

    /// Charges, newest first.
    pub(crate) async fn list(&self, listing: &Listing<'_>) -> Result<Vec<Listed>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::list(&mut reader, listing, self.network).await
    }

    /// The charges that `search` means, newest first, after `after`.
    pub(crate) async fn search(
        &self,
        search: &Search,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::search(&mut reader, search, after, limit, self.network).await
    }

    /// How many of a merchant's charges made in each span are in which state now, and what they cost.
    pub(crate) async fn tallies(
        &self,
        merchant: MerchantId,
        spans: &[(Timestamp, Timestamp)],
    ) -> Result<Vec<Tally>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::tallies(&mut reader, merchant, spans).await
    }

    /// The merchant's own words about a charge.
    pub(crate) async fn note(&self, num: i64) -> Result<Option<Note>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::note(&mut reader, num).await
    }

    /// The deliveries of what was told about a charge, newest first, each with its attempts.
    pub(crate) async fn deliveries_of_charge(&self, num: i64, limit: u32) -> Result<Vec<ChargeDelivery>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::deliveries_of_charge(&mut reader, num, limit).await
    }

    /// What stands apart from the log about a charge (R31): e-mail, metadata, notes.
    pub(crate) async fn personal(&self, num: i64) -> Result<[Option<String>; 3], StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::personal(&mut reader, num).await
    }

    /// Charges of a merchant after the row `after` that have personal data still and to which nothing has happened since
    /// `until`, by row.
    pub(crate) async fn outdated_personal(
        &self,
        merchant: MerchantId,
        until: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, ChargeId)>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        match sqlite::merchant_num(&mut reader, merchant).await? {
            Some(num) => sqlite::outdated_personal(&mut reader, num, until, after, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// The log of a charge, batch by batch; `None` when there is no such charge.
    pub(crate) async fn history(&self, id: ChargeId) -> Result<Option<Vec<Vec<Recorded>>>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::history(&mut reader, id).await
    }

    /// The last events of a charge before the one numbered `before`, at most `limit`, oldest first; `None` when there is no such charge.
    pub(crate) async fn events_before(
        &self,
        id: ChargeId,
        before: u64,
        limit: u32,
    ) -> Result<Option<Vec<Recorded>>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::events_before(&mut reader, id, before, limit).await
    }

    /// The charges in these rows, in no order.
    pub(crate) async fn charges(&self, nums: &[i64]) -> Result<Vec<Snapshot>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::charges_by_num(&mut reader, nums, self.network).await
    }

    /// What is shown beside these charges, by row.
    pub(crate) async fn beside(&self, nums: &[i64]) -> Result<HashMap<i64, BesideRow>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::beside(&mut reader, nums).await
    }

    /// What was told, by row of the outbox, in no order.
    pub(crate) async fn told(&self, nums: &[i64]) -> Result<Vec<Told>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::told(&mut reader, nums).await
    }

    /// What a merchant was told after the row `after` of the outbox, oldest first.
    pub(crate) async fn told_after(
        &self,
        merchant: MerchantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Told>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        match sqlite::merchant_num(&mut reader, merchant).await? {
            Some(num) => sqlite::told_after(&mut reader, num, after, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// The logs of these charges by row, each from its first event on.
    pub(crate) async fn logs(&self, nums: &[i64]) -> Result<HashMap<i64, Vec<Event>>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::logs(&mut reader, nums).await
    }

    /// The stored nonces: key, nonce, when it expires.
    pub(crate) async fn nonces(&self) -> Result<Vec<(i64, [u8; 16], Timestamp)>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::nonces(&mut reader).await
    }

    /// Where the page of a charge leads once it is paid, if it was said.
    pub(crate) async fn success_url(&self, num: i64) -> Result<Option<String>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::success_url(&mut reader, num).await
    }

    /// Deliveries that are still to be made after the row `after`, by webhooks that are not paused, in their order.
    pub(crate) async fn pending_deliveries(&self, after: i64, limit: u32) -> Result<Vec<Due>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::pending(&mut reader, after, limit).await
    }

    /// What is sent beside the charge, by row of the outbox.
    pub(crate) async fn sent_beside(&self, outbox: &[i64]) -> Result<HashMap<i64, BesideRow>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::sent_beside(&mut reader, outbox).await
    }

    /// How many deliveries of a webhook are still to be made.
    pub(crate) async fn count_pending(&self, webhook: i64) -> Result<i64, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::count_pending(&mut reader, webhook).await
    }

    /// The deliveries of a webhook before the row `before`, newest first, each with its attempts.
    pub(crate) async fn deliveries(
        &self,
        webhook: i64,
        before: i64,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::deliveries(&mut reader, webhook, before, limit).await
    }

    /// Deliveries that ended before `until`, oldest first.
    pub(crate) async fn deliveries_ended(&self, until: Timestamp, limit: u32) -> Result<Vec<i64>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::deliveries_ended(&mut reader, until, limit).await
    }

    /// Letters whose time has come, those that waited longest first.
    pub(crate) async fn mails_due(&self, now: Timestamp, limit: u32) -> Result<Vec<MailRow>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::mails_due(&mut reader, now, limit).await
    }

    /// How many letters wait, and when the next one's time comes.
    pub(crate) async fn mails_waiting(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::mails_waiting(&mut reader).await
    }

    /// How many charges there are in each state.
    pub(crate) async fn state_counts(&self) -> Result<Vec<(State, i64)>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::state_counts(&mut reader).await
    }

    /// The hash of the stored chain at `height`.
    pub(crate) async fn block_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::block_at(&mut reader, height).await
    }

    /// The followed transactions with their bytes.
    pub(crate) async fn followed_txs(&self) -> Result<Vec<StoredTx>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::followed_txs(&mut reader).await
    }

    /// The outputs to charges of followed transactions whose bytes are not known (R6).
    pub(crate) async fn outputs_without_bytes(&self) -> Result<HashMap<Txid, Vec<PayingOutput>>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::outputs_without_bytes(&mut reader).await
    }
}
