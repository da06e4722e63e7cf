//! What an engine brings to the story: a place for one database that is there when the server comes back, and can be put back to
//! what it was.

use std::path::PathBuf;

use bitpro_charge::Timestamp;
use tempfile::TempDir;

use crate::{Store, adopt, mark_path, settle};

/// An engine with one database, which outlives every store that is opened on it.
pub(super) trait Ground {
    /// Where nothing is yet.
    fn fresh() -> Self;

    /// Where the database lies.
    fn database(&self) -> PathBuf;

    /// Keeps a copy of everything committed, while the writer goes on.
    async fn back_up(&self, store: &Store);

    /// Puts the copy in the place of the database, which nobody uses, as one that was restored at `now`.
    async fn put_back(&self, epoch: &str, now: Timestamp);
}

/// SQLite, in a folder of its own.
pub(super) struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy.db")
    }
}

impl Ground for Sqlite {
    fn fresh() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("bitpro.db")
    }

    async fn back_up(&self, store: &Store) {
        store.copy_into(&self.copy()).await.unwrap();
    }

    async fn put_back(&self, epoch: &str, now: Timestamp) {
        assert!(
            mark_path(&self.database()).exists(),
            "the mark stays when a database goes"
        );
        settle(&self.database()).await.unwrap();
        adopt(&self.copy(), epoch, now).await.unwrap();
        std::fs::rename(self.copy(), self.database()).unwrap();
    }
}
