//! What the server keeps, read from its file in one transaction, with no code of the server's.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bitcoin::hashes::Hash as _;
use bitcoin::{Address, Network, ScriptBuf, Txid};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{Connection as _, Row as _, SqliteConnection};

/// Everything that the invariants are about.
#[derive(Debug, Default)]
pub struct Kept {
    /// Charges by their ids, as the API writes them.
    pub charges: BTreeMap<String, ChargeRow>,
    /// What merchants are to be told, in its order.
    pub outbox: Vec<OutboxRow>,
    /// Deliveries that have not reached their end.
    pub pending: i64,
}

/// A charge.
#[derive(Debug, Default)]
pub struct ChargeRow {
    /// The script of its address.
    pub script: ScriptBuf,
    /// Its state.
    pub state: String,
    /// The state's reason.
    pub reason: Option<String>,
    /// The number of its last event.
    pub sequence: i64,
    /// Its terms.
    pub terms: Value,
    /// What its log folds to; nothing: as it was made.
    pub snapshot: Option<Value>,
    /// The rows of its payments, by `txid:vout`.
    pub payments: BTreeMap<String, PaymentRow>,
    /// Its log: first and last sequence of each batch, and the events.
    pub log: Vec<(i64, i64, Vec<Value>)>,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Its transaction.
    pub txid: Txid,
    /// What it is worth.
    pub sats: u64,
    /// The block's height; `None` outside the chain.
    pub height: Option<u32>,
    /// How it was lost.
    pub loss: Option<String>,
    /// Its document.
    pub document: Value,
}

/// Something that the merchant is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The event's id, as the API writes it.
    pub id: String,
    /// The charge's.
    pub charge: String,
    /// Where the charge stood.
    pub sequence: i64,
    /// What they are told.
    pub announcement: String,
}

impl ChargeRow {
    /// The address that belongs to its script.
    ///
    /// # Errors
    /// When the script has none.
    pub fn address(&self) -> Result<String> {
        Ok(Address::from_script(&self.script, Network::Regtest)?.to_string())
    }

    /// What was asked for.
    pub fn amount(&self) -> u64 {
        self.terms["amount_sat"].as_u64().unwrap_or(u64::MAX)
    }
}

/// Opens the database at `path` like another program on the same machine.
///
/// # Errors
/// When it is not there.
pub async fn connect(path: &Path, may_write: bool) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(!may_write)
        .busy_timeout(Duration::from_secs(20));
    SqliteConnection::connect_with(&options)
        .await
        .with_context(|| format!("cannot open {}", path.display()))
}

impl Kept {
    /// Reads the database at `path`, as one commit left it.
    ///
    /// # Errors
    /// When it cannot be read, or is not of the shape that is known here.
    pub async fn read(path: &Path) -> Result<Self> {
        let mut connection = connect(path, false).await?;
        let mut tx = connection.begin().await?;
        let mut ids: HashMap<i64, String> = HashMap::new();
        let mut kept = Self::default();
        let charges = "SELECT c.num, c.id, s.script, c.state, c.reason, c.sequence, c.terms, c.snapshot \
                       FROM charges c JOIN scripts s ON s.id = c.script";
        for row in sqlx::query(charges).fetch_all(&mut *tx).await? {
            let id = id_of(&row, 1)?;
            ids.insert(row.try_get(0)?, id.clone());
            kept.charges.insert(id, charge_of(&row)?);
        }
        let payments = "SELECT charge, txid, vout, value, height, loss, body FROM payments";
        for row in sqlx::query(payments).fetch_all(&mut *tx).await? {
            let charge = of_charge(&mut kept, &ids, &row, 0)?;
            let txid = Txid::from_slice(row.try_get(1)?)?;
            let outpoint = format!("{txid}:{}", row.try_get::<i64, _>(2)?);
            let payment = PaymentRow {
                txid,
                sats: u64::try_from(row.try_get::<i64, _>(3)?)?,
                height: row.try_get::<Option<i64>, _>(4)?.map(u32::try_from).transpose()?,
                loss: row.try_get(5)?,
                document: match row.try_get::<Option<&str>, _>(6)? {
                    Some(body) => serde_json::from_str(body)?,
                    None => within_snapshot(charge, &outpoint)?,
                },
            };
            charge.payments.insert(outpoint, payment);
        }
        let log = "SELECT charge, first_sequence, last_sequence, body FROM events ORDER BY num";
        for row in sqlx::query(log).fetch_all(&mut *tx).await? {
            let batch = serde_json::from_str(row.try_get(3)?)?;
            let (first, last) = (row.try_get(1)?, row.try_get(2)?);
            of_charge(&mut kept, &ids, &row, 0)?.log.push((first, last, batch));
        }
        let outbox = "SELECT id, charge, sequence, announcement FROM outbox ORDER BY num";
        for row in sqlx::query(outbox).fetch_all(&mut *tx).await? {
            kept.outbox.push(OutboxRow {
                id: id_of(&row, 0)?,
                charge: charge_id(&ids, &row, 1)?,
                sequence: row.try_get(2)?,
                announcement: row.try_get(3)?,
            });
        }
        let pending = sqlx::query("SELECT count(*) FROM deliveries WHERE state = 'pending'");
        kept.pending = pending.fetch_one(&mut *tx).await?.try_get(0)?;
        tx.rollback().await?;
        connection.close().await?;
        Ok(kept)
    }
}

fn charge_of(row: &SqliteRow) -> Result<ChargeRow> {
    let snapshot: Option<String> = row.try_get(7)?;
    Ok(ChargeRow {
        script: ScriptBuf::from_bytes(row.try_get(2)?),
        state: row.try_get(3)?,
        reason: row.try_get(4)?,
        sequence: row.try_get(5)?,
        terms: serde_json::from_str(row.try_get(6)?)?,
        snapshot: snapshot.map(|text| serde_json::from_str(&text)).transpose()?,
        ..ChargeRow::default()
    })
}

/// A charge of an earlier release that nothing has moved since holds its payments in its snapshot.
fn within_snapshot(charge: &ChargeRow, outpoint: &str) -> Result<Value> {
    let snapshot = charge
        .snapshot
        .as_ref()
        .context("a payment of a charge without a snapshot")?;
    let payments = snapshot["payments"].as_array();
    let found = payments.and_then(|all| all.iter().find(|one| one["outpoint"] == outpoint));
    found
        .cloned()
        .with_context(|| format!("{outpoint} has no document: {snapshot}"))
}

fn of_charge<'k>(
    kept: &'k mut Kept,
    ids: &HashMap<i64, String>,
    row: &SqliteRow,
    column: usize,
) -> Result<&'k mut ChargeRow> {
    let id = charge_id(ids, row, column)?;
    kept.charges.get_mut(&id).context("a row of no charge")
}

fn charge_id(ids: &HashMap<i64, String>, row: &SqliteRow, column: usize) -> Result<String> {
    let num: i64 = row.try_get(column)?;
    ids.get(&num)
        .cloned()
        .with_context(|| format!("there is no charge {num}"))
}

/// 16 bytes as the wire writes them.
fn id_of(row: &SqliteRow, column: usize) -> Result<String> {
    let bytes: [u8; 16] = row.try_get::<Vec<u8>, _>(column)?.as_slice().try_into()?;
    Ok(bitpro_charge::ChargeId(bytes).to_string())
}
