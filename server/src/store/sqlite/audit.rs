//! Reading what is stored without believing it: see `store::audit`.

use std::collections::{BTreeSet, HashMap};

use bitpro_charge::{Amount, BlockHash, BlockRef, ChargeId, Interval, MerchantId, Network, Outpoint, Timestamp, Txid};
use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::bulk::Bulk;
use super::chain::outpoints_from;
use super::charges::{charges_by_num, state_from};
use super::journal::logs_as_they_are;
use super::{fixed, unsigned};
use crate::node::view::{ScriptId, Tip};
use crate::store::audit::{
    StoredCharge, StoredColumns, StoredDescriptor, StoredPayment, StoredScript, StoredTransaction, StoredWallet,
};
use crate::store::{Snapshot, StoreError};
use crate::wallet::DescriptorId;

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
    "SELECT s.id, s.descriptor, s.idx, s.script, s.skipped, c.num, c.id, s.idx >= d.next_index FROM scripts s \
     JOIN descriptors d ON d.id = s.descriptor LEFT JOIN charges c ON c.script = s.id WHERE s.script IN (",
    "?",
    ")",
);
static PAID_BY: Bulk = Bulk::new("SELECT charge FROM payments WHERE txid IN (", "?", ")");
static BLOCKS_AT: Bulk = Bulk::new("SELECT height, hash FROM chain WHERE height IN (", "?", ")");

/// The tables whose rows belong to others.
const DEPENDENT: [&str; 6] = ["charges", "scripts", "events", "payments", "outbox", "deliveries"];

/// The rows of charges after the row `after`.
pub(in crate::store) async fn charge_nums_after(
    connection: &mut SqliteConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let nums = sqlx::query_scalar("SELECT num FROM charges WHERE num > ? ORDER BY num LIMIT ?")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    Ok(nums)
}

/// The tip that the charges stand on.
pub(in crate::store) async fn stored_tip(connection: &mut SqliteConnection) -> Result<Option<Tip>, StoreError> {
    let row = sqlx::query("SELECT height, hash, work FROM tip WHERE id = 1")
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Tip {
            block: BlockRef {
                height: unsigned(row.try_get(0)?)?,
                hash: BlockHash(fixed(row.try_get(1)?)?),
            },
            work: fixed(row.try_get(2)?)?,
        })
    })
    .transpose()
}

/// The charges in these rows, with all that is stored of them.
pub(in crate::store) async fn audited(
    connection: &mut SqliteConnection,
    nums: &[i64],
    network: Network,
) -> Result<Vec<StoredCharge>, StoreError> {
    let by_num = |values: &mut super::bulk::Values, num: &i64| {
        values.add(*num);
    };
    let mut logs = logs_as_they_are(connection, nums).await?;
    let mut payments = HashMap::<i64, Vec<StoredPayment>>::new();
    for row in PAYMENTS.fetch(connection, nums, by_num).await? {
        let (num, payment) = (row.try_get(0)?, payment_from(&row)?);
        payments.entry(num).or_default().push(payment);
    }
    let txids = payments.values().flatten().map(|payment| payment.outpoint.txid);
    let txids: Vec<Txid> = txids.collect::<BTreeSet<_>>().into_iter().collect();
    let mut transactions = HashMap::new();
    let by_txid = |values: &mut super::bulk::Values, txid: &Txid| {
        values.add(&txid.0[..]);
    };
    for row in TRANSACTIONS.fetch(connection, &txids, by_txid).await? {
        transactions.insert(Txid(fixed(row.try_get(0)?)?), transaction_from(&row)?);
    }
    let mut outbox = HashMap::<i64, Vec<(i64, String)>>::new();
    for row in OUTBOX.fetch(connection, nums, by_num).await? {
        let told = (row.try_get(1)?, row.try_get(2)?);
        outbox.entry(row.try_get(0)?).or_default().push(told);
    }
    let mut snapshots = each_charge(connection, nums, network).await?;
    let rows = COLUMNS.fetch(connection, nums, by_num).await?;
    rows.iter()
        .map(|row| {
            let num: i64 = row.try_get(0)?;
            let payments = payments.remove(&num).unwrap_or_default();
            let its_txids: BTreeSet<Txid> = payments.iter().map(|payment| payment.outpoint.txid).collect();
            let its = its_txids
                .into_iter()
                .filter_map(|txid| Some((txid, transactions.get(&txid)?.clone())));
            let missing = || Err("its merchant or its script is not there".to_owned());
            Ok(StoredCharge {
                num,
                id: ChargeId(fixed(row.try_get(1)?)?),
                row: snapshots.remove(&num).unwrap_or_else(missing),
                columns: StoredColumns {
                    state: row.try_get(2)?,
                    reason: row.try_get(3)?,
                    sequence: row.try_get(4)?,
                    is_paid: row.try_get(5)?,
                    is_open: row.try_get(6)?,
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
pub(in crate::store) async fn readable_charges(
    connection: &mut SqliteConnection,
    nums: &[i64],
    network: Network,
) -> Result<Vec<Snapshot>, StoreError> {
    let charges = each_charge(connection, nums, network).await?;
    Ok(charges.into_values().filter_map(Result::ok).collect())
}

/// The rows of the charges that these transactions pay.
pub(in crate::store) async fn charges_paid_by(
    connection: &mut SqliteConnection,
    txids: &[Txid],
) -> Result<Vec<i64>, StoreError> {
    let rows = PAID_BY
        .fetch(connection, txids, |values, txid| {
            values.add(&txid.0[..]);
        })
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The stored chain at these heights.
pub(in crate::store) async fn blocks_at(
    connection: &mut SqliteConnection,
    heights: &[u32],
) -> Result<HashMap<u32, BlockHash>, StoreError> {
    let rows = BLOCKS_AT
        .fetch(connection, heights, |values, height| {
            values.add(i64::from(*height));
        })
        .await?;
    rows.iter()
        .map(|row| Ok((unsigned(row.try_get(0)?)?, BlockHash(fixed(row.try_get(1)?)?))))
        .collect()
}

/// The watched scripts among these.
pub(in crate::store) async fn scripts_that_are(
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

/// Watched scripts after the row `after`.
pub(in crate::store) async fn scripts_after(
    connection: &mut SqliteConnection,
    after: ScriptId,
    limit: u32,
) -> Result<Vec<StoredScript>, StoreError> {
    let rows = sqlx::query(
        "SELECT s.id, s.descriptor, s.idx, s.script, s.skipped, c.num, c.id, s.idx >= d.next_index FROM scripts s \
         JOIN descriptors d ON d.id = s.descriptor LEFT JOIN charges c ON c.script = s.id WHERE s.id > ? ORDER BY s.id \
         LIMIT ?",
    )
    .bind(after.0)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(script_from).collect()
}

/// Every descriptor's counter.
pub(in crate::store) async fn stored_descriptors(
    connection: &mut SqliteConnection,
) -> Result<Vec<StoredDescriptor>, StoreError> {
    let rows = sqlx::query("SELECT id, text, mac, next_index FROM descriptors ORDER BY id")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(StoredDescriptor {
                id: DescriptorId(row.try_get(0)?),
                text: row.try_get(1)?,
                mac: row.try_get(2)?,
                next_index: unsigned(row.try_get(3)?)?,
            })
        })
        .collect()
}

/// Every merchant's wallet.
pub(in crate::store) async fn stored_wallets(
    connection: &mut SqliteConnection,
) -> Result<Vec<StoredWallet>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, descriptor, COALESCE(descriptor_mac, x'') FROM merchants WHERE descriptor IS NOT NULL ORDER BY num",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(StoredWallet {
                merchant: MerchantId(fixed(row.try_get(0)?)?),
                descriptor: DescriptorId(row.try_get(1)?),
                mac: row.try_get(2)?,
            })
        })
        .collect()
}

/// Charges that share their script with another one, which only a damaged index lets happen: so none is used here.
pub(in crate::store) async fn charges_sharing_scripts(
    connection: &mut SqliteConnection,
    limit: u32,
) -> Result<Vec<ChargeId>, StoreError> {
    let ids: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT id FROM charges NOT INDEXED WHERE script IN (SELECT +script FROM charges NOT INDEXED GROUP BY +script \
         HAVING COUNT(*) > 1) LIMIT ?",
    )
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    ids.iter().map(|id| Ok(ChargeId(fixed(id)?))).collect()
}

/// The states in which there are not as many charges as were counted, with both numbers, and what is no state. One statement, so that both are of one moment.
pub(in crate::store) async fn wrong_counts(
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, i64, i64)>, StoreError> {
    let rows: Vec<(Vec<u8>, i64, i64)> = sqlx::query_as(
        "SELECT CAST(state AS BLOB), SUM(counted), SUM(there) FROM (SELECT state, CAST(charges AS INTEGER) AS counted, \
         0 AS there FROM state_counts UNION ALL SELECT state, 0, COUNT(*) FROM charges GROUP BY state) GROUP BY state",
    )
    .fetch_all(connection)
    .await?;
    let in_words =
        |(state, counted, there): (Vec<u8>, i64, i64)| (String::from_utf8_lossy(&state).into_owned(), counted, there);
    let mut rows: Vec<(String, i64, i64)> = rows.into_iter().map(in_words).collect();
    rows.retain(|(state, counted, there)| counted != there || state_from(state).is_err());
    Ok(rows)
}

/// Rows that belong to rows which are not there.
pub(in crate::store) async fn orphans(
    connection: &mut SqliteConnection,
    limit: usize,
) -> Result<Vec<(String, Option<i64>, String)>, StoreError> {
    let mut found = Vec::new();
    for table in DEPENDENT {
        let check = "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check(?)";
        let mut rows = sqlx::query(check).bind(table).fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            if found.len() == limit {
                return Ok(found);
            }
            found.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        }
    }
    Ok(found)
}

/// When the oldest charge was made that chain or clock can still move; and the oldest of all.
pub(in crate::store) async fn oldest(
    connection: &mut SqliteConnection,
) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
    let row = sqlx::query(
        "SELECT (SELECT MIN(at) FROM (SELECT MIN(created_at) AS at FROM charges WHERE is_open = 1 UNION ALL \
         SELECT MIN(c.created_at) FROM payment_txs t JOIN payments p ON p.txid = t.txid JOIN charges c ON c.num = p.charge \
         WHERE t.followed = 1)), (SELECT created_at FROM charges ORDER BY num LIMIT 1)",
    )
    .fetch_one(connection)
    .await?;
    let moving: Option<i64> = row.try_get(0)?;
    let first: Option<i64> = row.try_get(1)?;
    Ok((moving.map(Timestamp), first.map(Timestamp)))
}

/// The charges in these rows, or why one cannot be read. Only when one cannot are they read one by one.
async fn each_charge(
    connection: &mut SqliteConnection,
    nums: &[i64],
    network: Network,
) -> Result<HashMap<i64, Result<Snapshot, String>>, StoreError> {
    let by_num = |charge: Snapshot| (charge.num, Ok(charge));
    match charges_by_num(connection, nums, network).await {
        Ok(charges) => return Ok(charges.into_iter().map(by_num).collect()),
        Err(StoreError::Damaged(_)) => {}
        Err(error) => return Err(error),
    }
    let mut charges = HashMap::new();
    for &num in nums {
        match charges_by_num(connection, &[num], network).await {
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
            txid: Txid(fixed(row.try_get(1)?)?),
            vout: unsigned(row.try_get(2)?)?,
        },
        value: Amount::from_sat(unsigned(row.try_get(3)?)?),
        height: row.try_get::<Option<i64>, _>(4)?.map(unsigned).transpose()?,
        loss: row.try_get(5)?,
        first_seen: Interval {
            earliest: Timestamp(row.try_get(6)?),
            latest: Timestamp(row.try_get(7)?),
        },
    })
}

fn transaction_from(row: &SqliteRow) -> Result<StoredTransaction, StoreError> {
    Ok(StoredTransaction {
        raw: row.try_get(1)?,
        inputs: outpoints_from(row.try_get(2)?).ok(),
        coinbase: row.try_get(3)?,
        block: (row.try_get(4)?, row.try_get(5)?),
        loss: row.try_get(6)?,
        lost_at: row.try_get::<Option<i64>, _>(7)?.map(unsigned).transpose()?,
        followed: row.try_get(8)?,
    })
}

fn script_from(row: &SqliteRow) -> Result<StoredScript, StoreError> {
    let charge: Option<i64> = row.try_get(5)?;
    let id: Option<Vec<u8>> = row.try_get(6)?;
    let id = id.map(|id| fixed(&id).map(ChargeId)).transpose()?;
    Ok(StoredScript {
        id: ScriptId(row.try_get(0)?),
        descriptor: DescriptorId(row.try_get(1)?),
        index: unsigned(row.try_get(2)?)?,
        script_pubkey: row.try_get(3)?,
        is_ahead: row.try_get(7)?,
        is_skipped: row.try_get(4)?,
        charge: charge.zip(id),
    })
}
