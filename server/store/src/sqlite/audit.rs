//! Reading what is stored without believing it: see `store::audit`.

use std::collections::{BTreeSet, HashMap};

use bitpro_charge::{Amount, BlockHash, BlockRef, ChargeId, Interval, MerchantId, Outpoint, Timestamp, Txid};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::{ScriptId, Tip};
use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::bulk::Bulk;
use super::chain::outpoints_from;
use super::charges::{charges_by_num, state_from};
use super::journal::logs_as_they_are;
use super::{Readers, fixed, unsigned};
use crate::audit::{
    StoredAt, StoredCharge, StoredColumns, StoredDescriptor, StoredPage, StoredPayment, StoredScript,
    StoredTransaction, StoredWallet,
};
use crate::secret::Identity;
use crate::{Snapshot, StoreError};

static COLUMNS: Bulk = Bulk::new(
    "SELECT num, id, state, reason, sequence, is_paid, is_open FROM charges WHERE num IN (",
    "?",
    ") ORDER BY num",
);
static PAYMENTS: Bulk = Bulk::new(
    "SELECT charge, txid, vout, value, height, loss, first_seen_earliest, first_seen_latest FROM payments \
     WHERE charge IN (",
    "?",
    ") ORDER BY charge, txid, vout",
);
static TRANSACTIONS: Bulk = Bulk::new(
    "SELECT txid, raw, inputs, coinbase, height, block, loss, lost_at, followed FROM payment_txs WHERE txid IN (",
    "?",
    ")",
);
static OUTBOX: Bulk = Bulk::new(
    "SELECT charge, sequence, announcement FROM outbox WHERE charge IN (",
    "?",
    ") ORDER BY charge, sequence, num",
);
static SCRIPTS_THAT_ARE: Bulk = Bulk::new(
    "SELECT s.id, s.descriptor, s.idx, s.script, s.skipped, c.num AS charge, c.id AS charge_id, \
     s.idx >= d.next_index AS is_ahead FROM scripts s \
     JOIN descriptors d ON d.id = s.descriptor LEFT JOIN charges c ON c.script = s.id WHERE s.script IN (",
    "?",
    ")",
);
static PAID_BY: Bulk = Bulk::new("SELECT charge FROM payments WHERE txid IN (", "?", ")");
static BLOCKS_AT: Bulk = Bulk::new("SELECT height, hash FROM chain WHERE height IN (", "?", ")");

/// The tables whose rows belong to others.
const DEPENDENT: [&str; 6] = ["charges", "scripts", "events", "payments", "outbox", "deliveries"];

/// The rows of charges after the row `after`.
async fn charge_nums_after(connection: &mut SqliteConnection, after: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
    let nums = sqlx::query_scalar("SELECT num FROM charges WHERE num > ? ORDER BY num LIMIT ?")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    Ok(nums)
}

/// The tip that the charges stand on.
async fn stored_tip(connection: &mut SqliteConnection) -> Result<Option<Tip>, StoreError> {
    let row = sqlx::query("SELECT height, hash, work FROM tip WHERE id = 1")
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Tip {
            block: BlockRef {
                height: unsigned(row.try_get("height")?)?,
                hash: BlockHash(fixed(row.try_get("hash")?)?),
            },
            work: fixed(row.try_get("work")?)?,
        })
    })
    .transpose()
}

/// The charges in these rows, and the tip that they stand on.
async fn page(connection: &mut SqliteConnection, nums: &[i64], identity: &Identity) -> Result<StoredPage, StoreError> {
    let tip = stored_tip(connection).await?;
    let charges = whole_charges(connection, nums, identity).await?;
    let last = nums.last().copied();
    Ok(StoredPage { tip, last, charges })
}

/// The charges in these rows, with all that is stored of them.
async fn whole_charges(
    connection: &mut SqliteConnection,
    nums: &[i64],
    identity: &Identity,
) -> Result<Vec<StoredCharge>, StoreError> {
    let by_num = |values: &mut super::bulk::Values, num: &i64| {
        values.add(*num);
    };
    let mut logs = logs_as_they_are(connection, nums).await?;
    let mut payments = HashMap::<i64, Vec<StoredPayment>>::new();
    for row in PAYMENTS.fetch(connection, nums, by_num).await? {
        let (num, payment) = (row.try_get("charge")?, payment_from(&row)?);
        payments.entry(num).or_default().push(payment);
    }
    let txids = payments.values().flatten().map(|payment| payment.outpoint.txid);
    let txids: Vec<Txid> = txids.collect::<BTreeSet<_>>().into_iter().collect();
    let mut transactions = HashMap::new();
    let by_txid = |values: &mut super::bulk::Values, txid: &Txid| {
        values.add(&txid.0[..]);
    };
    for row in TRANSACTIONS.fetch(connection, &txids, by_txid).await? {
        transactions.insert(Txid(fixed(row.try_get("txid")?)?), transaction_from(&row)?);
    }
    let mut outbox = HashMap::<i64, Vec<(i64, String)>>::new();
    for row in OUTBOX.fetch(connection, nums, by_num).await? {
        let told = (row.try_get("sequence")?, row.try_get("announcement")?);
        outbox.entry(row.try_get("charge")?).or_default().push(told);
    }
    let mut snapshots = each_charge(connection, nums, identity).await?;
    let rows = COLUMNS.fetch(connection, nums, by_num).await?;
    rows.iter()
        .map(|row| {
            let num: i64 = row.try_get("num")?;
            let payments = payments.remove(&num).unwrap_or_default();
            let its_txids: BTreeSet<Txid> = payments.iter().map(|payment| payment.outpoint.txid).collect();
            let its = its_txids
                .into_iter()
                .filter_map(|txid| Some((txid, transactions.get(&txid)?.clone())));
            let missing = || Err("its merchant or its script is not there".to_owned());
            Ok(StoredCharge {
                num,
                id: ChargeId(fixed(row.try_get("id")?)?),
                row: snapshots.remove(&num).unwrap_or_else(missing),
                columns: StoredColumns {
                    state: row.try_get("state")?,
                    reason: row.try_get("reason")?,
                    sequence: row.try_get("sequence")?,
                    is_paid: row.try_get("is_paid")?,
                    is_open: row.try_get("is_open")?,
                },
                log: logs.remove(&num).unwrap_or_else(|| Ok(Vec::new())),
                payments,
                transactions: its.collect(),
                outbox: outbox.remove(&num).unwrap_or_default(),
            })
        })
        .collect()
}

/// The charges in these rows whose rows can be read.
async fn readable_charges(
    connection: &mut SqliteConnection,
    nums: &[i64],
    identity: &Identity,
) -> Result<Vec<Snapshot>, StoreError> {
    let charges = each_charge(connection, nums, identity).await?;
    Ok(charges.into_values().filter_map(Result::ok).collect())
}

/// The rows of the charges that these transactions pay.
async fn charges_paid_by(connection: &mut SqliteConnection, txids: &[Txid]) -> Result<Vec<i64>, StoreError> {
    let rows = PAID_BY
        .fetch(connection, txids, |values, txid| {
            values.add(&txid.0[..]);
        })
        .await?;
    rows.iter().map(|row| Ok(row.try_get("charge")?)).collect()
}

/// The stored chain at these heights.
async fn blocks_at(connection: &mut SqliteConnection, heights: &[u32]) -> Result<HashMap<u32, BlockHash>, StoreError> {
    let rows = BLOCKS_AT
        .fetch(connection, heights, |values, height| {
            values.add(i64::from(*height));
        })
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                unsigned(row.try_get("height")?)?,
                BlockHash(fixed(row.try_get("hash")?)?),
            ))
        })
        .collect()
}

/// The watched scripts among these.
async fn scripts_that_are(
    connection: &mut SqliteConnection,
    scripts: &[Vec<u8>],
) -> Result<Vec<StoredScript>, StoreError> {
    let rows = SCRIPTS_THAT_ARE
        .fetch(connection, scripts, |values, script| {
            values.add(&script[..]);
        })
        .await?;
    rows.iter().map(script_from).collect()
}

impl Readers {
    pub(crate) async fn audited_after(&self, after: i64, limit: u32) -> Result<StoredPage, StoreError> {
        let mut reader = self.begin().await?;
        let nums = charge_nums_after(&mut reader, after, limit).await?;
        page(&mut reader, &nums, &self.identity).await
    }

    pub(crate) async fn audited(&self, nums: &[i64]) -> Result<StoredPage, StoreError> {
        page(&mut *self.begin().await?, nums, &self.identity).await
    }

    pub(crate) async fn stored_at(
        &self,
        scripts: &[Vec<u8>],
        txids: &[Txid],
        heights: &[u32],
    ) -> Result<StoredAt, StoreError> {
        let mut reader = self.begin().await?;
        let blocks = blocks_at(&mut reader, heights).await?;
        let scripts = scripts_that_are(&mut reader, scripts).await?;
        let mut nums: Vec<i64> = scripts
            .iter()
            .filter_map(|script| script.charge.map(|(num, _)| num))
            .collect();
        nums.extend(charges_paid_by(&mut reader, txids).await?);
        nums.sort_unstable();
        nums.dedup();
        let charges = readable_charges(&mut reader, &nums, &self.identity).await?;
        Ok(StoredAt {
            blocks,
            scripts,
            charges,
        })
    }

    pub(crate) async fn wallets(&self) -> Result<(Vec<StoredDescriptor>, Vec<StoredWallet>), StoreError> {
        let mut reader = self.begin().await?;
        let descriptors = stored_descriptors(&mut reader).await?;
        let wallets = stored_wallets(&mut reader).await?;
        Ok((descriptors, wallets))
    }

    pub(crate) async fn scripts_after(&self, after: ScriptId, limit: u32) -> Result<Vec<StoredScript>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = sqlx::query(
            "SELECT s.id, s.descriptor, s.idx, s.script, s.skipped, c.num AS charge, c.id AS charge_id, \
     s.idx >= d.next_index AS is_ahead FROM scripts s \
         JOIN descriptors d ON d.id = s.descriptor LEFT JOIN charges c ON c.script = s.id WHERE s.id > ? ORDER BY s.id \
         LIMIT ?",
        )
        .bind(after.0)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        rows.iter().map(script_from).collect()
    }

    pub(crate) async fn charges_sharing_scripts(&self, limit: u32) -> Result<Vec<ChargeId>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT id FROM charges NOT INDEXED WHERE script IN (SELECT +script FROM charges NOT INDEXED GROUP BY +script \
         HAVING COUNT(*) > 1) LIMIT ?",
    )
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
        ids.iter().map(|id| Ok(ChargeId(fixed(id)?))).collect()
    }

    pub(crate) async fn wrong_counts(&self) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = sqlx::query(
        "SELECT CAST(state AS BLOB) AS state, SUM(counted) AS counted, SUM(there) AS there FROM (SELECT state, CAST(charges AS INTEGER) AS counted, \
         0 AS there FROM state_counts UNION ALL SELECT state, 0, COUNT(*) FROM charges GROUP BY state) GROUP BY state",
    )
    .fetch_all(connection)
    .await?;
        let mut counts = Vec::new();
        for row in rows {
            let state = String::from_utf8_lossy(row.try_get("state")?).into_owned();
            let (counted, there): (i64, i64) = (row.try_get("counted")?, row.try_get("there")?);
            if counted != there || state_from(&state).is_err() {
                counts.push((state, counted, there));
            }
        }
        Ok(counts)
    }

    pub(crate) async fn orphans(&self, limit: usize) -> Result<Vec<(String, Option<i64>, String)>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let mut found = Vec::new();
        for table in DEPENDENT {
            let check = "SELECT \"table\" AS child, rowid, parent FROM pragma_foreign_key_check(?)";
            let mut rows = sqlx::query(check).bind(table).fetch(&mut *connection);
            while let Some(row) = rows.try_next().await? {
                if found.len() == limit {
                    return Ok(found);
                }
                found.push((row.try_get("child")?, row.try_get("rowid")?, row.try_get("parent")?));
            }
        }
        Ok(found)
    }

    pub(crate) async fn oldest(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        let connection = &mut *self.acquire().await?;
        let row = sqlx::query(
        "SELECT (SELECT MIN(at) FROM (SELECT MIN(created_at) AS at FROM charges WHERE is_open = 1 UNION ALL \
         SELECT MIN(c.created_at) FROM payment_txs t JOIN payments p ON p.txid = t.txid JOIN charges c ON c.num = p.charge \
         WHERE t.followed = 1)) AS moving, (SELECT created_at FROM charges ORDER BY num LIMIT 1) AS first",
    )
    .fetch_one(connection)
    .await?;
        let moving: Option<i64> = row.try_get("moving")?;
        let first: Option<i64> = row.try_get("first")?;
        Ok((moving.map(Timestamp), first.map(Timestamp)))
    }
}

/// Every descriptor's counter.
async fn stored_descriptors(connection: &mut SqliteConnection) -> Result<Vec<StoredDescriptor>, StoreError> {
    let rows = sqlx::query("SELECT id, text, mac, next_index FROM descriptors ORDER BY id")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(StoredDescriptor {
                id: DescriptorId(row.try_get("id")?),
                text: row.try_get("text")?,
                mac: row.try_get("mac")?,
                next_index: unsigned(row.try_get("next_index")?)?,
            })
        })
        .collect()
}

/// Every merchant's wallet.
async fn stored_wallets(connection: &mut SqliteConnection) -> Result<Vec<StoredWallet>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, descriptor, COALESCE(descriptor_mac, x'') AS mac FROM merchants WHERE descriptor IS NOT NULL ORDER BY num",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(StoredWallet {
                merchant: MerchantId(fixed(row.try_get("id")?)?),
                descriptor: DescriptorId(row.try_get("descriptor")?),
                mac: row.try_get("mac")?,
            })
        })
        .collect()
}

/// The charges in these rows, or why one cannot be read. Only when one cannot are they read one by one.
async fn each_charge(
    connection: &mut SqliteConnection,
    nums: &[i64],
    identity: &Identity,
) -> Result<HashMap<i64, Result<Snapshot, String>>, StoreError> {
    let by_num = |charge: Snapshot| (charge.num, Ok(charge));
    match charges_by_num(connection, nums, identity).await {
        Ok(charges) => return Ok(charges.into_iter().map(by_num).collect()),
        Err(StoreError::Damaged(_)) => {}
        Err(error) => return Err(error),
    }
    let mut charges = HashMap::new();
    for &num in nums {
        match charges_by_num(connection, &[num], identity).await {
            Ok(read) => charges.extend(read.into_iter().map(by_num)),
            Err(StoreError::Damaged(why)) => {
                charges.insert(num, Err(why));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(charges)
}

/// The logs in these rows, each whole or with the reason why it cannot be read.
fn payment_from(row: &SqliteRow) -> Result<StoredPayment, StoreError> {
    Ok(StoredPayment {
        outpoint: Outpoint {
            txid: Txid(fixed(row.try_get("txid")?)?),
            vout: unsigned(row.try_get("vout")?)?,
        },
        value: Amount::from_sat(unsigned(row.try_get("value")?)?),
        height: row.try_get::<Option<i64>, _>("height")?.map(unsigned).transpose()?,
        loss: row.try_get("loss")?,
        first_seen: Interval {
            earliest: Timestamp(row.try_get("first_seen_earliest")?),
            latest: Timestamp(row.try_get("first_seen_latest")?),
        },
    })
}

fn transaction_from(row: &SqliteRow) -> Result<StoredTransaction, StoreError> {
    Ok(StoredTransaction {
        raw: row.try_get("raw")?,
        inputs: outpoints_from(row.try_get("inputs")?).ok(),
        coinbase: row.try_get("coinbase")?,
        block: (row.try_get("height")?, row.try_get("block")?),
        loss: row.try_get("loss")?,
        lost_at: row.try_get::<Option<i64>, _>("lost_at")?.map(unsigned).transpose()?,
        followed: row.try_get("followed")?,
    })
}

fn script_from(row: &SqliteRow) -> Result<StoredScript, StoreError> {
    let charge: Option<i64> = row.try_get("charge")?;
    let id: Option<Vec<u8>> = row.try_get("charge_id")?;
    let id = id.map(|id| fixed(&id).map(ChargeId)).transpose()?;
    Ok(StoredScript {
        id: ScriptId(row.try_get("id")?),
        descriptor: DescriptorId(row.try_get("descriptor")?),
        index: unsigned(row.try_get("idx")?)?,
        script_pubkey: row.try_get("script")?,
        is_ahead: row.try_get("is_ahead")?,
        is_skipped: row.try_get("skipped")?,
        charge: charge.zip(id),
    })
}
