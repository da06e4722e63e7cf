//! SQLite: everything that is peculiar to the engine.

mod audit;
mod bulk;
mod chain;
mod charges;
mod clock;
mod copy;
mod file;
mod journal;
mod keys;
mod link_keys;
mod mails;
mod notes;
mod open;
mod people;
mod personal;
mod readers;
mod sealed;
mod search;
mod session;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod told;
mod wallets;
mod webhooks;

#[cfg(any(test, feature = "testing"))]
pub(crate) use bulk::counted::taken as statements;
pub use copy::{Unfit, adopt, settle};
pub use file::{ASIDE, folder_of, forget_second_names};
pub(crate) use file::{refuse_cut_off, refuse_second_name};
pub(crate) use open::connect;
pub(crate) use people::People;
pub(crate) use readers::Readers;
pub(crate) use session::Session;

use super::StoreError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_failed_sync(&error) {
            return Self::SyncFailed(error.to_string());
        }
        if is_damaged(&error) {
            return Self::Damaged(error.to_string());
        }
        match error {
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Closed,
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) => {
                Self::Damaged(error.to_string())
            }
            _ if is_without_room(&error) => Self::Unavailable(format!("{error}: the disk is full")),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// The small file in memory beside the journal cannot grow (`SQLITE_IOERR_SHMSIZE`), of which the engine says no more than of a broken
/// disk: a database that is opened on a full one fails so before anything is written.
fn is_without_room(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("4874")
}

/// After a failed sync nobody knows what the disk holds (`SQLITE_IOERR_FSYNC`, `SQLITE_IOERR_DIR_FSYNC`).
fn is_failed_sync(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("1034" | "1290"))
}

/// The file is not what SQLite wrote (`SQLITE_CORRUPT`, `SQLITE_NOTADB`); the upper bits only say where it was noticed.
fn is_damaged(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code: Option<u32> = code.and_then(|code| code.parse().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Columns hold signed integers. What counts up from zero never gets near the end of them.
fn column(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// An unsigned number out of a column.
fn unsigned<T: TryFrom<i64>>(n: i64) -> Result<T, StoreError> {
    T::try_from(n).map_err(|_| StoreError::Damaged(format!("the number {n} is out of bounds")))
}

/// Bytes of a fixed length out of a column.
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Damaged(format!("{} bytes instead of {N}", bytes.len())))
}
