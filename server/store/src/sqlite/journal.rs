//! What was decided: batches of events, and everything that follows from them in the same transaction.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_charge::{ChargeId, Event, Payment, Place, Recorded, Timestamp, Txid, Whereabouts};
use futures::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection};

use super::bulk::Bulk;
use super::told::order_conflict;
use super::{Readers, Session, column, fixed, unsigned};
use crate::StoreError;
use crate::documents::{events_from, events_to, payment_to, snapshot_to};
use crate::rows::{Decided, OutboxRow};

static INSERT_BATCHES: Bulk = Bulk::new(
    "INSERT INTO events (num, charge, first_sequence, last_sequence, at, body) VALUES ",
    "(?,?,?,?,?,?)",
    "",
);
static LOGS: Bulk = Bulk::new(
    "SELECT charge, first_sequence, body FROM events WHERE charge IN (",
    "?",
    ") ORDER BY charge, last_sequence",
);
static UPDATE_CHARGES: Bulk = Bulk::new(
    "WITH decided (num, state, reason, sequence, is_open, is_paid, snapshot) AS (VALUES ",
    "(?,?,?,?,?,?,?)",
    ") UPDATE charges SET state = decided.state, reason = decided.reason, sequence = decided.sequence, \
     is_open = decided.is_open, is_paid = decided.is_paid, snapshot = decided.snapshot FROM decided \
     WHERE charges.num = decided.num",
);
static UPSERT_PAYMENTS: Bulk = Bulk::new(
    "INSERT INTO payments (txid, vout, charge, value, height, loss, first_seen_earliest, first_seen_latest, \
     rate_cents, rate_source, rate_at, body) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?)",
    " ON CONFLICT (txid, vout) DO UPDATE SET height = excluded.height, loss = excluded.loss, \
     first_seen_earliest = excluded.first_seen_earliest, first_seen_latest = excluded.first_seen_latest, \
     body = excluded.body",
);
// What is asked of each row stands once in the statement: written for each of 512 rows, its preparation took longer than all else.
static INSERT_OUTBOX: Bulk = Bulk::new(
    "WITH told (num, id, merchant, charge, sequence, announcement, at) AS (VALUES ",
    "(?,?,?,?,?,?,?)",
    concat!(
        ") INSERT INTO outbox (num, id, merchant, charge, sequence, announcement, at, order_conflict) \
         SELECT told.num, told.id, told.merchant, told.charge, told.sequence, told.announcement, told.at, ",
        order_conflict!(),
        " FROM told LEFT JOIN charges c ON c.num = told.charge"
    ),
);

impl Session {
    pub(crate) async fn append(&mut self, decided: &[Decided], at: Timestamp) -> Result<(), StoreError> {
        INSERT_BATCHES
            .execute(&mut self.connection, decided, |values, batch| {
                values
                    .add(batch.num)
                    .add(batch.after.num)
                    .add(column(batch.before.charge.sequence + 1))
                    .add(column(batch.after.charge.sequence))
                    .add(at.0)
                    .add(events_to(&batch.events));
            })
            .await?;
        UPDATE_CHARGES
            .execute(&mut self.connection, decided, |values, batch| {
                let charge = &batch.after.charge;
                values
                    .add(batch.after.num)
                    .add(charge.state.as_str())
                    .add(charge.reason.map(bitpro_charge::Reason::as_str))
                    .add(column(charge.sequence))
                    .add(batch.is_open)
                    .add(batch.is_paid)
                    .add(snapshot_to(charge));
            })
            .await?;
        let changed: Vec<(i64, &Payment)> = decided.iter().flat_map(payments_to_write).collect();
        UPSERT_PAYMENTS
            .execute(&mut self.connection, &changed, |values, (charge, payment)| {
                let (height, loss) = match payment.whereabouts {
                    Whereabouts::Live(Place::Block(block)) => (Some(i64::from(block.height)), None),
                    Whereabouts::Live(Place::Mempool) => (None, None),
                    Whereabouts::Gone(loss) => (None, Some(loss.as_str())),
                };
                let rate = payment.rate.as_ref();
                values
                    .add(&payment.outpoint.txid.0[..])
                    .add(i64::from(payment.outpoint.vout))
                    .add(*charge)
                    .add(column(payment.value.to_sat()))
                    .add(height)
                    .add(loss)
                    .add(payment.first_seen.earliest.0)
                    .add(payment.first_seen.latest.0)
                    .add(rate.map(|quote| column(quote.rate.cents_per_btc())))
                    .add(rate.map(|quote| quote.source.as_str()))
                    .add(rate.map(|quote| quote.at.0))
                    .add(payment_to(payment));
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn announce(&mut self, rows: &[OutboxRow], at: Timestamp) -> Result<(), StoreError> {
        INSERT_OUTBOX
            .execute(&mut self.connection, rows, |values, row| {
                values
                    .add(row.num)
                    .add(&row.id[..])
                    .add(row.merchant)
                    .add(row.charge)
                    .add(column(row.sequence))
                    .add(row.announcement.as_str())
                    .add(at.0);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn followed_payments(&mut self) -> Result<Vec<(Txid, u32, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT p.txid, p.vout, p.charge FROM payment_txs t JOIN payments p ON p.txid = t.txid WHERE t.followed = 1",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    Txid(fixed(row.try_get("txid")?)?),
                    unsigned(row.try_get("vout")?)?,
                    row.try_get("charge")?,
                ))
            })
            .collect()
    }

    pub(crate) async fn payments_of(&mut self, txid: Txid) -> Result<Vec<(u32, i64)>, StoreError> {
        let rows = sqlx::query("SELECT vout, charge FROM payments WHERE txid = ?")
            .bind(&txid.0[..])
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter()
            .map(|row| Ok((unsigned(row.try_get("vout")?)?, row.try_get("charge")?)))
            .collect()
    }
}

impl Readers {
    pub(crate) async fn history(&self, id: ChargeId) -> Result<Option<Vec<Vec<Recorded>>>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let num: Option<i64> = sqlx::query_scalar("SELECT num FROM charges WHERE id = ?")
            .bind(&id.0[..])
            .fetch_optional(&mut *connection)
            .await?;
        let Some(num) = num else { return Ok(None) };
        let rows = sqlx::query("SELECT first_sequence, at, body FROM events WHERE charge = ? ORDER BY last_sequence")
            .bind(num)
            .fetch_all(connection)
            .await?;
        let batches: Result<Vec<Vec<Recorded>>, StoreError> = rows
            .iter()
            .map(|row| {
                let first: u64 = unsigned(row.try_get("first_sequence")?)?;
                let at = Timestamp(row.try_get("at")?);
                let events = events_from(row.try_get("body")?)?;
                let mut sequence = first.saturating_sub(1);
                let recorded = events.into_iter().map(|event| {
                    sequence = event.number_after(sequence);
                    Recorded { sequence, at, event }
                });
                Ok(recorded.collect())
            })
            .collect();
        batches.map(Some)
    }

    pub(crate) async fn events_before(
        &self,
        id: ChargeId,
        before: u64,
        limit: u32,
    ) -> Result<Option<Vec<Recorded>>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let num: Option<i64> = sqlx::query_scalar("SELECT num FROM charges WHERE id = ?")
            .bind(&id.0[..])
            .fetch_optional(&mut *connection)
            .await?;
        let Some(num) = num else { return Ok(None) };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // A batch holds one event or more: the one that holds `before`, and as many before it, hold enough.
        let mut rows = sqlx::query(
            "SELECT first_sequence, at, body FROM events WHERE charge = ?1 AND last_sequence <= \
         COALESCE((SELECT MIN(last_sequence) FROM events WHERE charge = ?1 AND last_sequence >= ?2), ?2) \
         ORDER BY last_sequence DESC",
        )
        .bind(num)
        .bind(column(before))
        .fetch(connection);
        let mut newest_first: Vec<Recorded> = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let first: u64 = unsigned(row.try_get("first_sequence")?)?;
            let at = Timestamp(row.try_get("at")?);
            let mut sequence = first.saturating_sub(1);
            let recorded = events_from(row.try_get("body")?)?.into_iter().map(|event| {
                sequence = event.number_after(sequence);
                Recorded { sequence, at, event }
            });
            let batch: Vec<Recorded> = recorded.take_while(|recorded| recorded.sequence < before).collect();
            newest_first.extend(batch.into_iter().rev());
            if newest_first.len() >= limit {
                break;
            }
        }
        newest_first.truncate(limit);
        newest_first.reverse();
        Ok(Some(newest_first))
    }
}

/// The logs of these charges by row, each from its first event on, or why it cannot be followed: where one batch ends the next goes
/// on, by the numbers of the events, which a restore moves ahead.
pub(crate) async fn logs_as_they_are(
    connection: &mut SqliteConnection,
    nums: &[i64],
) -> Result<HashMap<i64, Result<Vec<Event>, String>>, StoreError> {
    let by_num = |values: &mut super::bulk::Values, num: &i64| {
        values.add(*num);
    };
    let mut logs: HashMap<i64, Result<Vec<Event>, String>> = HashMap::new();
    let mut last_numbers: HashMap<i64, u64> = HashMap::new();
    for row in LOGS.fetch(connection, nums, by_num).await? {
        let charge: i64 = row.try_get("charge")?;
        let log = logs.entry(charge).or_insert_with(|| Ok(Vec::new()));
        let Ok(events) = log else { continue };
        let first: i64 = row.try_get("first_sequence")?;
        let last = last_numbers.entry(charge).or_default();
        if u64::try_from(first) != Ok(*last + 1) {
            *log = Err(format!("the log goes on with event {first} after {last}"));
            continue;
        }
        match events_from(row.try_get("body")?) {
            Ok(more) => {
                *last = more.iter().fold(*last, |last, event| event.number_after(last));
                events.extend(more);
            }
            Err(error) => *log = Err(error.to_string()),
        }
    }
    Ok(logs)
}

/// The payments that were changed; all of them where they stood in the charge's document until now.
fn payments_to_write(batch: &Decided) -> Vec<(i64, &Payment)> {
    let (before, after) = (&batch.before, &batch.after.charge);
    let changed: Vec<&Arc<Payment>> = if before.has_payments_apart {
        after.payments_changed_since(&before.charge).collect()
    } else {
        after.payments.iter().collect()
    };
    changed
        .into_iter()
        .map(|payment| (batch.after.num, &**payment))
        .collect()
}
