//! Where everything is kept: events, charges, scripts, chain position, outbox. Only this crate sees SQL.
//!
//! Whoever wants to write hands a unit of work to the one writer, which commits what is waiting together (R30). The
//! writer's memory holds what can still move; whatever others keep a copy of changes only after the commit.

#![warn(missing_docs)]

pub mod audit;
pub mod documents;
mod engine;
mod faults;
mod issuer;
mod load;
pub mod mark;
pub mod memory;
mod news;
mod numbering;
mod opening;
mod personal;
mod rendered;
mod rows;
mod search;
pub mod secret;
mod snapshot;
mod sqlite;
#[cfg(test)]
mod tests;
mod tx;
mod unit;
mod watch_map;
pub mod webhook;
mod writer;

use bitpro_charge::{Announcement, ChargeId, MerchantId, State, Timestamp};
use futures::future::BoxFuture;
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};

pub use engine::People;
pub use faults::{CommitPoint, Faults, NoFaults};
pub use issuer::Issuer;
pub use memory::TxPlace;
pub use news::{Low, News, Touched};
pub use opening::{OpenError, StoreOptions, mark_path, open};
pub use personal::Personal;
pub use rendered::RenderKey;
pub(crate) use rendered::Rendered;
pub use rows::{BesideRow, MailRow, people};
pub use search::{Needle, Note, Place, Search, Tally};
pub use snapshot::{ChargeOrigin, Snapshot};
#[cfg(any(test, feature = "testing"))]
pub use sqlite::testing;
pub use sqlite::{ASIDE, Unfit, adopt, folder_of, forget_second_names, settle};
pub use tx::{Batch, CHARGES_A_TURN, Draft, MerchantDraft, Tx, WrittenBy};
pub use watch_map::WatchMap;
pub use webhook::{Fresh, WebhookMap};
pub use writer::{Fatal, Listener, Writer};

use unit::{Unit, Work};

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
    Sealed(#[from] bitpro_base::seal::SealError),
}

impl StoreError {
    /// Whether there was no room on the disk.
    pub fn is_disk_full(&self) -> bool {
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
pub struct StoredTx {
    /// What is known of it.
    pub place: TxPlace,
    /// Consensus-encoded.
    pub raw: Vec<u8>,
}

/// Which charges to list, newest first.
#[derive(Debug, Default)]
pub struct Listing<'a> {
    /// Those of one merchant.
    pub merchant: Option<MerchantId>,
    /// Those in one state.
    pub state: Option<State>,
    /// Those of one order, by the whole id.
    pub order_id: Option<&'a str>,
    /// Made at this instant or later.
    pub created_from: Option<Timestamp>,
    /// Made before this instant.
    pub created_to: Option<Timestamp>,
    /// Only rows below this number.
    pub before: Option<i64>,
    /// Without so many of the newest.
    pub skip: u64,
    /// At most so many.
    pub limit: u32,
}

/// A charge of a list whose row another hand has changed, so that it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// Its row.
    pub num: i64,
    /// Its id.
    pub id: ChargeId,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A charge of a list, as far as it can be read.
pub type Listed = Result<Snapshot, Unreadable>;

/// Something that a merchant was told: a row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its place in the outbox; grows with time.
    pub num: i64,
    /// The event's id.
    pub id: [u8; 16],
    /// The charge's row.
    pub charge: i64,
    /// The sequence at which the charge stood (R35).
    pub sequence: u64,
    /// What was told.
    pub announcement: Announcement,
    /// When it was decided.
    pub at: Timestamp,
    /// R21, as it was then.
    pub order_conflict: bool,
}

/// The store: a handle to the writer, and readers.
pub struct Store {
    /// `None` once it is closing.
    units: RwLock<Option<mpsc::Sender<Box<dyn Unit>>>>,
    readers: engine::Readers,
    database: std::path::PathBuf,
}

impl Store {
    /// Hands a unit of work to the writer and waits for its commit. What the unit returns is answered only then; when it
    /// returns an error, what it did is taken back, and nobody else notices.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
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
    #[cfg(any(test, feature = "testing"))]
    pub fn room(&self) -> usize {
        self.units.read().as_ref().map_or(0, mpsc::Sender::capacity)
    }

    /// Takes no more units; the writer ends once it has committed those it has.
    pub fn stop(&self) {
        *self.units.write() = None;
    }

    /// Where the database lies.
    pub fn database(&self) -> &std::path::Path {
        &self.database
    }
}
