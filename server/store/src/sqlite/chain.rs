//! The chain that the charges stand on, and the transactions that are followed on it.

use std::collections::HashMap;

use bitcoin::ScriptBuf;
use bitpro_charge::{Amount, BlockHash, BlockRef, Interval, Loss, Outpoint, Place, Timestamp, Txid, Whereabouts};
use bitpro_node::view::{PayingOutput, ScriptId, Tip};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::bulk::Bulk;
use super::{Readers, Session, fixed, unsigned};
use crate::{StoreError, StoredTx, TxPlace};

/// As many blocks as a retargeting period has, plus as many as a reorg may take away while this many are still kept (R6).
const KEPT_BLOCKS: u32 = 2_016 + 144;

static INSERT_BLOCKS: Bulk = Bulk::new(
    "INSERT INTO chain (height, hash) VALUES ",
    "(?,?)",
    " ON CONFLICT (height) DO UPDATE SET hash = excluded.hash",
);
static INSERT_TXS: Bulk = Bulk::new(
    "INSERT INTO payment_txs (txid, raw, inputs, ancestor_inputs, coinbase, height, block, first_seen_earliest, \
     first_seen_latest, followed) VALUES ",
    "(?,?,?,?,?,?,?,?,?,1)",
    // One that was not followed any more comes back after a very deep reorg; what was recorded at first sight stays. One that
    // was found in a deleted block gets its bytes once they are known.
    " ON CONFLICT (txid) DO UPDATE SET height = excluded.height, block = excluded.block, loss = NULL, lost_at = NULL, \
     replaced_by = NULL, followed = 1, coinbase = excluded.coinbase, \
     raw = CASE WHEN excluded.raw = x'' THEN payment_txs.raw ELSE excluded.raw END, \
     inputs = CASE WHEN excluded.raw = x'' THEN payment_txs.inputs ELSE excluded.inputs END",
);
static MOVE_TXS: Bulk = Bulk::new(
    "WITH moved (txid, height, block, loss, lost_at, replaced_by, earliest, latest) AS (VALUES ",
    "(?,?,?,?,?,?,?,?)",
    ") UPDATE payment_txs SET height = moved.height, block = moved.block, loss = moved.loss, lost_at = moved.lost_at, \
     replaced_by = moved.replaced_by, first_seen_earliest = moved.earliest, first_seen_latest = moved.latest, \
     followed = 1 FROM moved WHERE payment_txs.txid = moved.txid",
);
static LEAVE_TXS: Bulk = Bulk::new("UPDATE payment_txs SET followed = 0 WHERE txid IN (", "?", ")");
impl Session {
    pub(crate) async fn tip(&mut self) -> Result<Option<(Tip, Timestamp)>, StoreError> {
        let row = sqlx::query("SELECT height, hash, work, observed_until FROM tip WHERE id = 1")
            .fetch_optional(&mut self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let tip = Tip {
            block: BlockRef {
                height: unsigned(row.try_get("height")?)?,
                hash: BlockHash(fixed(row.try_get("hash")?)?),
            },
            work: fixed(row.try_get("work")?)?,
        };
        Ok(Some((tip, Timestamp(row.try_get("observed_until")?))))
    }

    pub(crate) async fn set_tip(&mut self, tip: &Tip, observed_until: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tip (id, height, hash, work, observed_until) VALUES (1, ?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET height = excluded.height, hash = excluded.hash, work = excluded.work, \
             observed_until = excluded.observed_until",
        )
        .bind(i64::from(tip.block.height))
        .bind(&tip.block.hash.0[..])
        .bind(&tip.work[..])
        .bind(observed_until.0)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn move_chain(&mut self, fork_height: u32, connected: &[BlockRef]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM chain WHERE height > ?")
            .bind(i64::from(fork_height))
            .execute(&mut self.connection)
            .await?;
        INSERT_BLOCKS
            .execute(&mut self.connection, connected, |values, block| {
                values.add(i64::from(block.height)).add(&block.hash.0[..]);
            })
            .await?;
        if let Some(tip) = connected.last() {
            sqlx::query("DELETE FROM chain WHERE height <= ?")
                .bind(i64::from(tip.height) - i64::from(KEPT_BLOCKS))
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn block_at(&mut self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        block_at(&mut self.connection, height).await
    }

    pub(crate) async fn insert_txs(&mut self, txs: &[StoredTx]) -> Result<(), StoreError> {
        INSERT_TXS
            .execute(&mut self.connection, txs, |values, tx| {
                let (height, block) = block_columns(tx.place.whereabouts);
                values
                    .add(&tx.place.txid.0[..])
                    .add(&tx.raw[..])
                    .add(outpoints_to(&tx.place.inputs))
                    .add(outpoints_to(&tx.place.ancestor_inputs))
                    .add(tx.place.coinbase)
                    .add(height)
                    .add(block)
                    .add(tx.place.first_seen.earliest.0)
                    .add(tx.place.first_seen.latest.0);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn paying_tx(&mut self, txid: Txid) -> Result<Option<StoredTx>, StoreError> {
        paying_tx(&mut self.connection, txid).await
    }

    pub(crate) async fn move_txs(&mut self, txs: &[std::sync::Arc<TxPlace>]) -> Result<(), StoreError> {
        MOVE_TXS
            .execute(&mut self.connection, txs, |values, tx| {
                let (height, block) = block_columns(tx.whereabouts);
                let loss = match tx.whereabouts {
                    Whereabouts::Gone(loss) => Some(loss.as_str()),
                    Whereabouts::Live(_) => None,
                };
                values
                    .add(&tx.txid.0[..])
                    .add(height)
                    .add(block)
                    .add(loss)
                    .add(tx.lost_at.map(i64::from))
                    .add(tx.replaced_by.map(|txid| txid.0.to_vec()))
                    .add(tx.first_seen.earliest.0)
                    .add(tx.first_seen.latest.0);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn leave_txs(&mut self, txids: &[Txid]) -> Result<(), StoreError> {
        LEAVE_TXS
            .execute(&mut self.connection, txids, |values, txid| {
                values.add(&txid.0[..]);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn followed_txs(&mut self) -> Result<Vec<TxPlace>, StoreError> {
        let rows = sqlx::query(
            "SELECT txid, inputs, ancestor_inputs, coinbase, height, block, loss, lost_at, replaced_by, \
             first_seen_earliest, first_seen_latest FROM payment_txs WHERE followed = 1",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter().map(tx_place).collect()
    }
}

/// The hash of the stored chain at `height`.
pub(crate) async fn block_at(connection: &mut SqliteConnection, height: u32) -> Result<Option<BlockHash>, StoreError> {
    let hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM chain WHERE height = ?")
        .bind(i64::from(height))
        .fetch_optional(connection)
        .await?;
    hash.map(|hash| fixed(&hash).map(BlockHash)).transpose()
}

impl Readers {
    pub(crate) async fn followed_txs(&self) -> Result<Vec<StoredTx>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = sqlx::query(
            "SELECT txid, inputs, ancestor_inputs, coinbase, height, block, loss, lost_at, replaced_by, \
         first_seen_earliest, first_seen_latest, raw FROM payment_txs WHERE followed = 1",
        )
        .fetch_all(connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredTx {
                    place: tx_place(row)?,
                    raw: row.try_get("raw")?,
                })
            })
            .collect()
    }

    pub(crate) async fn outputs_without_bytes(&self) -> Result<HashMap<Txid, Vec<PayingOutput>>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = sqlx::query(
        "SELECT payments.txid, payments.vout, payments.value, scripts.id AS script_id, scripts.script FROM payment_txs \
         JOIN payments ON payments.txid = payment_txs.txid JOIN charges ON charges.num = payments.charge \
         JOIN scripts ON scripts.id = charges.script WHERE payment_txs.followed = 1 AND payment_txs.raw = x'' \
         ORDER BY payments.txid, payments.vout",
    )
    .fetch_all(connection)
    .await?;
        let mut outputs: HashMap<Txid, Vec<PayingOutput>> = HashMap::new();
        for row in rows {
            outputs
                .entry(Txid(fixed(row.try_get("txid")?)?))
                .or_default()
                .push(PayingOutput {
                    vout: unsigned(row.try_get("vout")?)?,
                    value: Amount::from_sat(unsigned(row.try_get("value")?)?),
                    script: ScriptId(row.try_get("script_id")?),
                    script_pubkey: ScriptBuf::from_bytes(row.try_get("script")?),
                });
        }
        Ok(outputs)
    }
}

/// A transaction that pays us, with its bytes, followed or not.
pub(crate) async fn paying_tx(connection: &mut SqliteConnection, txid: Txid) -> Result<Option<StoredTx>, StoreError> {
    let row = sqlx::query(
        "SELECT txid, inputs, ancestor_inputs, coinbase, height, block, loss, lost_at, replaced_by, \
         first_seen_earliest, first_seen_latest, raw FROM payment_txs WHERE txid = ?",
    )
    .bind(&txid.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(StoredTx {
            place: tx_place(&row)?,
            raw: row.try_get("raw")?,
        })
    })
    .transpose()
}

fn tx_place(row: &SqliteRow) -> Result<TxPlace, StoreError> {
    let height: Option<i64> = row.try_get("height")?;
    let block: Option<Vec<u8>> = row.try_get("block")?;
    let loss: Option<String> = row.try_get("loss")?;
    let whereabouts = match (height, block, loss) {
        (_, _, Some(loss)) => Whereabouts::Gone(loss_from(&loss)?),
        (Some(height), Some(hash), None) => Whereabouts::Live(Place::Block(BlockRef {
            height: unsigned(height)?,
            hash: BlockHash(fixed(&hash)?),
        })),
        _ => Whereabouts::Live(Place::Mempool),
    };
    let replaced_by: Option<Vec<u8>> = row.try_get("replaced_by")?;
    Ok(TxPlace {
        txid: Txid(fixed(row.try_get("txid")?)?),
        inputs: outpoints_from(row.try_get("inputs")?)?,
        ancestor_inputs: outpoints_from(row.try_get("ancestor_inputs")?)?,
        coinbase: row.try_get("coinbase")?,
        whereabouts,
        lost_at: row.try_get::<Option<i64>, _>("lost_at")?.map(unsigned).transpose()?,
        replaced_by: replaced_by.map(|txid| fixed(&txid).map(Txid)).transpose()?,
        first_seen: Interval {
            earliest: Timestamp(row.try_get("first_seen_earliest")?),
            latest: Timestamp(row.try_get("first_seen_latest")?),
        },
        pays: Vec::new(),
    })
}

pub(super) fn loss_from(text: &str) -> Result<Loss, StoreError> {
    [Loss::Replaced, Loss::Dropped, Loss::Reorged]
        .into_iter()
        .find(|loss| loss.as_str() == text)
        .ok_or_else(|| StoreError::Damaged(format!("{text:?} is not a loss")))
}

fn block_columns(whereabouts: Whereabouts) -> (Option<i64>, Option<Vec<u8>>) {
    match whereabouts {
        Whereabouts::Live(Place::Block(block)) => (Some(i64::from(block.height)), Some(block.hash.0.to_vec())),
        Whereabouts::Live(Place::Mempool) | Whereabouts::Gone(_) => (None, None),
    }
}

/// 36 bytes each: the transaction id in the protocol's order, then the index, little-endian, as transactions have it.
fn outpoints_to(outpoints: &[Outpoint]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(outpoints.len() * 36);
    for outpoint in outpoints {
        bytes.extend_from_slice(&outpoint.txid.0);
        bytes.extend_from_slice(&outpoint.vout.to_le_bytes());
    }
    bytes
}

pub(super) fn outpoints_from(bytes: &[u8]) -> Result<Vec<Outpoint>, StoreError> {
    let chunks = bytes.chunks_exact(36);
    if !chunks.remainder().is_empty() {
        return Err(StoreError::Damaged("a list of outpoints is cut off".to_owned()));
    }
    chunks
        .map(|chunk| {
            Ok(Outpoint {
                txid: Txid(fixed(&chunk[..32])?),
                vout: u32::from_le_bytes(fixed(&chunk[32..])?),
            })
        })
        .collect()
}
