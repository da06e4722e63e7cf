//! SQLite: everything that is peculiar to the engine.

mod audit;
mod bulk;
mod chain;
mod charges;
mod clock;
mod copy;
mod journal;
mod keys;
mod link_keys;
mod mails;
mod notes;
mod open;
pub(crate) mod people;
mod personal;
mod sealed;
mod search;
mod session;
mod told;
mod wallets;
mod webhooks;

pub(super) use audit::{
    audited, blocks_at, charge_nums_after, charges_paid_by, charges_sharing_scripts, oldest, orphans, readable_charges,
    scripts_after, scripts_that_are, stored_descriptors, stored_tip, stored_wallets, wrong_counts,
};
#[cfg(test)]
pub(super) use bulk::counted::taken as statements;
pub(super) use chain::{block_at, followed_txs, outputs_without_bytes, paying_tx};
pub(super) use charges::{NewRow, charge, charges_by_num, list, state_counts};
pub(super) use copy::copy_into;
pub(crate) use copy::{Unfit, adopt, settle};
pub(super) use journal::{Decided, OutboxRow, events_before, history};
pub(super) use keys::{KeyRow, KeySecretRow, nonces, success_url};
pub(crate) use mails::MailRow;
pub(super) use mails::{mails_due, mails_waiting};
pub(super) use notes::{deliveries_of_charge, note};
pub(super) use open::connect;
pub(in crate::store) use people::DOORS_OPEN;
pub(crate) use people::People;
pub(super) use personal::{outdated_personal, personal};
pub(super) use sealed::SEALED;
pub(super) use search::{search, tallies};
pub(super) use session::Session;
pub(crate) use told::BesideRow;
pub(super) use told::{beside, logs, merchant_num, told, told_after};
pub(super) use wallets::{DescriptorRow, MerchantRow, ScriptRow};
#[cfg(test)]
pub(super) use webhooks::count_webhook_rows;
pub(super) use webhooks::{count_pending, deliveries, deliveries_ended, pending, sent_beside};

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
