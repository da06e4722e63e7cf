//! The connections that read.

use std::collections::HashMap;

use bitpro_charge::{BlockHash, ChargeId, State, Txid};
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqlitePool, SqliteTransaction};

use super::{chain, charges, told};
use crate::rows::BesideRow;
use crate::secret::Identity;
use crate::{Snapshot, StoreError, StoredTx};

/// The connections that read.
pub(crate) struct Readers {
    pool: SqlitePool,
    pub(super) identity: Identity,
}

impl Readers {
    /// Readers on the connections of `pool`.
    pub(super) const fn new(pool: SqlitePool, identity: Identity) -> Self {
        Self { pool, identity }
    }

    /// One of them.
    pub(super) async fn acquire(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.pool.acquire().await?)
    }

    /// One of them, on which all that is read is of one moment.
    pub(super) async fn begin(&self) -> Result<SqliteTransaction<'static>, StoreError> {
        Ok(self.pool.begin().await?)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

// What is read in a unit as well.
impl Readers {
    pub(crate) async fn charge(&self, id: ChargeId) -> Result<Option<Snapshot>, StoreError> {
        charges::charge(&mut *self.acquire().await?, id, &self.identity).await
    }

    pub(crate) async fn charges(&self, nums: &[i64]) -> Result<Vec<Snapshot>, StoreError> {
        charges::charges_by_num(&mut *self.acquire().await?, nums, &self.identity).await
    }

    pub(crate) async fn state_counts(&self) -> Result<Vec<(State, i64)>, StoreError> {
        charges::state_counts(&mut *self.acquire().await?).await
    }

    pub(crate) async fn beside(&self, nums: &[i64]) -> Result<HashMap<i64, BesideRow>, StoreError> {
        told::beside(&mut *self.acquire().await?, nums).await
    }

    pub(crate) async fn block_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        chain::block_at(&mut *self.acquire().await?, height).await
    }

    pub(crate) async fn paying_tx(&self, txid: Txid) -> Result<Option<StoredTx>, StoreError> {
        chain::paying_tx(&mut *self.acquire().await?, txid).await
    }
}
