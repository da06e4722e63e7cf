//! Backups: one file with everything that a new machine needs, and the way back from it.
//!
//! A backup is a tar archive: `manifest.json` first, then `bitpro.db`, and, when the operator asks for them, the two key files. With
//! a passphrase the archive is sealed as a whole. The issuance mark is **not** in it (R28): the mark says which addresses were
//! handed out until *now*, and one of yesterday would claim that today's were not. A restore leaves the present mark where it is; where
//! there is none, nothing is handed out before the chain was scanned, and the index jumps past what may have been given out since.

mod archive;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub mod leftovers;
mod restore;
mod sealed;
pub mod target;

use std::io::ErrorKind;
use std::path::Path;

use bitpro_charge::Timestamp;
use serde::{Deserialize, Serialize};

pub use archive::{Contents, pack};
pub use restore::{Restored, restore};

/// The archive's shape. A later shape has a higher number, and an older program says so instead of guessing.
const FORMAT: u32 = 1;
/// The database in the archive.
const DATABASE: &str = "bitpro.db";
/// The two key files in the archive.
const SECRET_KEY: &str = "secret.key";
const SEAL_KEYS: &str = "seal.keys";
/// The manifest in the archive.
const MANIFEST: &str = "manifest.json";
/// The longest manifest and the longest key file: anything beyond was not written by us.
const LONGEST_TEXT: u64 = 64 * 1024;

/// The keys of an instance, as its key files hold them.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Under which descriptors are authenticated.
    pub secret: String,
    /// Under which secrets are sealed.
    pub seals: String,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The archive's shape.
    pub format: u32,
    /// The program that made it.
    pub version: String,
    /// The network that its charges live on (R42).
    pub network: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub taken_at: i64,
    /// What follows, in this order.
    pub files: Vec<FileEntry>,
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// When the backup was made.
    pub const fn taken_at(&self) -> Timestamp {
        Timestamp(self.taken_at)
    }
}

/// Why a backup was not made or not restored. Nothing has changed then, unless the text says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file system refused.
    #[error("{path}: {cause}")]
    File {
        /// Where.
        path: String,
        /// What it said.
        cause: std::io::Error,
    },
    /// There is no room left. What was read or written is as good as before.
    #[error("{path}: the disk is full; nothing was changed: make room and try again")]
    DiskFull {
        /// What could not be written.
        path: String,
    },
    /// The file to write is one that the instance lives on.
    #[error(
        "target-in-use: {0} belongs to the instance or to this command, and a backup would destroy it: name another file"
    )]
    TargetInUse(String),
    /// The file to write is there, and was not written by us.
    #[error(
        "target-is-no-backup: {0} is there already and is no earlier backup: only a regular file that `bitpro backup` wrote is \
         replaced"
    )]
    TargetIsNoBackup(String),
    /// The name is one of those that backups have while they are written, and what has it is removed by the next one.
    #[error(
        "target-is-unfinished: {0} would go with the next backup, for its name ends as that of a file that is being written: name another one"
    )]
    TargetIsUnfinished(String),
    /// Another backup is being written to the same file.
    #[error("another backup is being written to {0}")]
    TargetBusy(String),
    /// The name to write to is one of a folder.
    #[error("target-is-a-folder: {0} names a folder: name a file in it")]
    TargetIsFolder(String),
    /// What is to be restored is not a file: a pipe or a device may never end, or never begin.
    #[error("backup-is-no-file: {0} is not a regular file, and nothing else is read: write it to a file first")]
    NoFile(String),
    /// The file is no backup, or is damaged.
    #[error("{0} is not a whole backup: {1}")]
    Damaged(String, String),
    /// The file was made by a later version.
    #[error(
        "the backup has format {0}, but this version reads formats up to {FORMAT}: install the version that made it"
    )]
    Newer(u32),
    /// The file is sealed, and no passphrase was given.
    #[error("the backup is encrypted: name the file with its passphrase with --passphrase-file")]
    PassphraseWanted,
    /// A passphrase was given, and the file is not sealed: it need not be the one that was sealed with it.
    #[error(
        "backup-not-sealed: {0} is not sealed, and so whoever can write to where it comes from can have put it there; nothing was \
         changed: leave --passphrase-file out if you are sure of it"
    )]
    NotSealed(String),
    /// The file holds keys in the open: nobody knows whose.
    #[error(
        "backup-keys-not-sealed: {0} holds keys and is not sealed, so `bitpro backup` did not make it; nothing was changed"
    )]
    KeysNotSealed(String),
    /// The passphrase does not open it, or somebody changed it.
    #[error("the passphrase does not open the backup, or the file was changed")]
    DoesNotOpen,
    /// A passphrase that could be guessed.
    #[error("the passphrase needs at least {least} characters")]
    WeakPassphrase {
        /// The least number.
        least: usize,
    },
    /// Keys would lie in the open.
    #[error("only an encrypted backup can include keys: add --passphrase-file")]
    KeysInTheOpen,
    /// Another network's (R42).
    #[error("the backup belongs to {stored}, the configuration says {configured}")]
    WrongNetwork {
        /// The backup's.
        stored: String,
        /// The configuration's.
        configured: String,
    },
    /// Something is there already.
    #[error(
        "{0} already exists: with --replace, it is kept next to the restored one, with `.before-restore` in its name"
    )]
    Occupied(String),
    /// A server, or another command, uses the database.
    #[error("{0} is in use: first stop the server, and Litestream if it runs")]
    InUse(String),
    /// The keys here are others than those of the backup.
    #[error("{0} differs from the backup's: move it away, or configure the backup's keys")]
    OtherKeys(String),
    /// The keys that the database was made under are nowhere.
    #[error(
        "the backup contains no keys, and {0} is missing: put it back first, because the database does not open without it"
    )]
    MissingKeys(String),
    /// A later program wrote the database in it.
    #[error(
        "the database of the backup was written by a later version of bitpro (its shape is {stored}, this version knows {known}); \
         nothing was changed: install that version, or a later one"
    )]
    NewerDatabase {
        /// The number of the last change of its shape.
        stored: i64,
        /// The last one that is known here.
        known: i64,
    },
    /// The database in it cannot be used.
    #[error("the database of the backup cannot be used: {0}")]
    Database(String),
}

impl BackupError {
    fn at(path: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |cause| {
            let path = path.display().to_string();
            match cause.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
                _ => Self::File { path, cause },
            }
        }
    }
}

#[cfg(test)]
mod tests;
