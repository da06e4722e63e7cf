//! What merchants were told, and what is shown beside a charge: e-mail, metadata, whether its order id is in conflict.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_charge::{Announcement, Event, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::bulk::Bulk;
use super::journal::logs_as_they_are;
use super::{Readers, Session, fixed, unsigned};
use crate::rows::BesideRow;
use crate::{StoreError, Told};

/// Whether the order id of the charge `c` has charges of other prices, or more than one with money (R21). Each part is one
/// step into an index, however many charges there are.
macro_rules! order_conflict {
    () => {
        "(c.order_id IS NOT NULL AND (EXISTS (SELECT 1 FROM charges o WHERE o.merchant = c.merchant AND \
         o.order_id = c.order_id AND o.order_id IS NOT NULL AND o.price < c.price) OR EXISTS (SELECT 1 FROM charges o \
         WHERE o.merchant = c.merchant AND o.order_id = c.order_id AND o.order_id IS NOT NULL AND o.price > c.price) OR \
         (SELECT COUNT(*) FROM (SELECT 1 FROM charges o WHERE o.is_paid = 1 AND o.order_id IS NOT NULL AND \
         o.merchant = c.merchant AND o.order_id = c.order_id LIMIT 2) paid) > 1))"
    };
}
pub(super) use order_conflict;

static BESIDE: Bulk = Bulk::new(
    concat!(
        "SELECT c.num, p.buyer_email, p.metadata, p.notes, ",
        order_conflict!(),
        " AS order_conflict FROM charges c LEFT JOIN personal p ON p.charge = c.num WHERE c.num IN (",
    ),
    "?",
    ")",
);
static OUTBOX: Bulk = Bulk::new(
    "SELECT num, id, charge, sequence, announcement, at, order_conflict FROM outbox WHERE num IN (",
    "?",
    ")",
);

/// What is shown beside these charges, by row.
pub(crate) async fn beside(
    connection: &mut SqliteConnection,
    nums: &[i64],
) -> Result<HashMap<i64, BesideRow>, StoreError> {
    let rows = BESIDE
        .fetch(connection, nums, |values, num| {
            values.add(*num);
        })
        .await?;
    beside_from(&rows)
}

/// Rows of a number, e-mail, metadata, notes and whether the order is in conflict, by that number.
pub(super) fn beside_from(rows: &[SqliteRow]) -> Result<HashMap<i64, BesideRow>, StoreError> {
    rows.iter()
        .map(|row| {
            let beside = BesideRow {
                personal: [
                    row.try_get("buyer_email")?,
                    row.try_get("metadata")?,
                    row.try_get("notes")?,
                ],
                order_conflict: row.try_get("order_conflict")?,
            };
            Ok((row.try_get("num")?, beside))
        })
        .collect()
}

impl Readers {
    pub(crate) async fn told(&self, nums: &[i64]) -> Result<Vec<Told>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = OUTBOX
            .fetch(connection, nums, |values, num| {
                values.add(*num);
            })
            .await?;
        // A chunk that is filled up with its last key finds it once only.
        rows.iter().map(told_from).collect()
    }

    pub(crate) async fn told_after(
        &self,
        merchant: bitpro_charge::MerchantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Told>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let Some(merchant) = merchant_num(connection, merchant).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(
            "SELECT num, id, charge, sequence, announcement, at, order_conflict FROM outbox \
         WHERE merchant = ? AND num > ? ORDER BY num LIMIT ?",
        )
        .bind(merchant)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        rows.iter().map(told_from).collect()
    }

    pub(crate) async fn logs(&self, nums: &[i64]) -> Result<HashMap<i64, Vec<Event>>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let logs = logs_as_they_are(connection, nums).await?.into_iter();
        let whole = logs.map(|(num, log)| Ok((num, log.map_err(StoreError::Damaged)?)));
        whole.collect()
    }
}

/// The row of a merchant.
pub(crate) async fn merchant_num(
    connection: &mut SqliteConnection,
    merchant: bitpro_charge::MerchantId,
) -> Result<Option<i64>, StoreError> {
    let num = sqlx::query_scalar("SELECT num FROM merchants WHERE id = ?")
        .bind(&merchant.0[..])
        .fetch_optional(connection)
        .await?;
    Ok(num)
}

fn told_from(row: &SqliteRow) -> Result<Told, StoreError> {
    Ok(Told {
        num: row.try_get("num")?,
        id: fixed(row.try_get("id")?)?,
        charge: row.try_get("charge")?,
        sequence: unsigned(row.try_get("sequence")?)?,
        announcement: announcement_from(row.try_get("announcement")?)?,
        at: Timestamp(row.try_get("at")?),
        order_conflict: row.try_get("order_conflict")?,
    })
}

// What was cancelled before it was ever sent was not told. What was given up may have arrived all the same.
static TOLD_URLS: Bulk = Bulk::new(
    "SELECT o.charge, w.url, o.announcement FROM outbox o JOIN deliveries d ON d.outbox = o.num \
     JOIN webhooks w ON w.num = d.webhook WHERE o.charge IN (",
    "?",
    ") AND NOT (d.state = 'cancelled' AND d.attempts = 0) ORDER BY o.num, d.num",
);

impl Session {
    pub(crate) async fn told_urls(
        &mut self,
        charges: &[i64],
    ) -> Result<Vec<(i64, Arc<str>, Announcement)>, StoreError> {
        let rows = TOLD_URLS
            .fetch(&mut self.connection, charges, |values, num| {
                values.add(*num);
            })
            .await?;
        rows.iter()
            .map(|row| {
                let url: String = row.try_get("url")?;
                Ok((
                    row.try_get("charge")?,
                    url.into(),
                    announcement_from(row.try_get("announcement")?)?,
                ))
            })
            .collect()
    }
}

/// The announcement that is called `word`.
pub(super) fn announcement_from(word: &str) -> Result<Announcement, StoreError> {
    Announcement::ALL
        .into_iter()
        .find(|announcement| announcement.as_str() == word)
        .ok_or_else(|| StoreError::Damaged(format!("{word:?} is not an announcement")))
}
