//! Webhooks, their deliveries, and the attempts made.

use std::sync::Arc;

use bitpro_charge::{MerchantId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::bulk::Bulk;
use super::told::{announcement_from, beside_from};
use super::{Readers, Session, column, fixed, unsigned};
use crate::StoreError;
use crate::rows::BesideRow;
use crate::webhook::{AttemptRow, DeliveryRow, Due, Next, PastAttempt, Webhook};

static INSERT_DELIVERIES: Bulk = Bulk::new(
    "INSERT INTO deliveries (num, outbox, webhook, state, due_at) VALUES ",
    "(?,?,?,'pending',?)",
    "",
);
static INSERT_ATTEMPTS: Bulk = Bulk::new(
    "INSERT INTO attempts (delivery, attempt, at, took_ms, status, failure, excerpt) VALUES ",
    "(?,?,?,?,?,?,?)",
    " ON CONFLICT (delivery, attempt) DO NOTHING",
);
// What was cancelled meanwhile stays so.
static UPDATE_DELIVERIES: Bulk = Bulk::new(
    "WITH done (num, state, attempts, due_at, finished_at) AS (VALUES ",
    "(?,?,?,?,?)",
    ") UPDATE deliveries SET state = done.state, attempts = done.attempts, due_at = done.due_at, \
     finished_at = done.finished_at FROM done WHERE deliveries.num = done.num AND deliveries.state = 'pending'",
);
static SUPERSEDE: Bulk = Bulk::new(
    "WITH newer (num, event) AS (VALUES ",
    "(?,?)",
    ") UPDATE deliveries SET superseded_by = newer.event FROM newer WHERE deliveries.num = newer.num",
);
// What a URL heard while one of its webhooks was paused, or since an event was given up, overtook what waits (R19).
const SUPERSEDE_WHAT_WAITED: &str = "UPDATE deliveries SET superseded_by = COALESCE((\
     SELECT newer.id FROM outbox o JOIN outbox newer ON newer.charge = o.charge AND newer.num > o.num \
     JOIN deliveries d ON d.outbox = newer.num AND d.state = 'delivered' JOIN webhooks w ON w.num = d.webhook \
     WHERE o.num = deliveries.outbox AND w.url = (SELECT url FROM webhooks WHERE num = deliveries.webhook) \
     ORDER BY newer.num DESC LIMIT 1), superseded_by) \
     WHERE webhook = ? AND state = 'pending' AND due_at = ?";
static SENT: Bulk = Bulk::new(
    "SELECT o.num, p.buyer_email, p.metadata, p.notes, o.order_conflict FROM outbox o \
     LEFT JOIN personal p ON p.charge = o.charge WHERE o.num IN (",
    "?",
    ")",
);
static DELETE_ATTEMPTS: Bulk = Bulk::new("DELETE FROM attempts WHERE delivery IN (", "?", ")");
static DELETE_DELIVERIES: Bulk = Bulk::new("DELETE FROM deliveries WHERE num IN (", "?", ")");

/// What a delivery is made of.
pub(super) const DELIVERY_COLUMNS: &str =
    "SELECT d.num, o.id AS event, o.announcement, o.at, d.state, d.due_at, d.superseded_by";

const WEBHOOKS: &str = "SELECT w.num, w.id, m.id AS merchant_id, w.announcement, w.url, w.secret, w.former_secret, w.former_until, \
                        w.paused_at, w.created_at FROM webhooks w JOIN merchants m ON m.num = w.merchant \
                        WHERE w.removed_at IS NULL ORDER BY w.num";

impl Session {
    pub(crate) async fn webhooks(&mut self) -> Result<Vec<Webhook>, StoreError> {
        let rows = sqlx::query(WEBHOOKS).fetch_all(&mut self.connection).await?;
        rows.iter().map(webhook).collect()
    }

    pub(crate) async fn put_webhook(&mut self, webhook: &Webhook, merchant: i64) -> Result<(), StoreError> {
        let (former, until) = webhook.former.clone().unzip();
        sqlx::query(
            "INSERT INTO webhooks (num, id, merchant, announcement, url, secret, former_secret, former_until, paused_at, \
             created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (num) DO UPDATE SET secret = excluded.secret, \
             former_secret = excluded.former_secret, former_until = excluded.former_until, paused_at = excluded.paused_at",
        )
        .bind(webhook.num)
        .bind(&webhook.id[..])
        .bind(merchant)
        .bind(webhook.announcement.as_str())
        .bind(&*webhook.url)
        .bind(&webhook.secret)
        .bind(former)
        .bind(until.map(|until| until.0))
        .bind(webhook.paused_at.map(|at| at.0))
        .bind(webhook.created_at.0)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn remove_webhook(&mut self, num: i64, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE webhooks SET removed_at = ? WHERE num = ?")
            .bind(at.0)
            .bind(num)
            .execute(&mut self.connection)
            .await?;
        sqlx::query(
            "UPDATE deliveries SET state = 'cancelled', finished_at = ? WHERE webhook = ? AND state = 'pending'",
        )
        .bind(at.0)
        .bind(num)
        .execute(&mut self.connection)
        .await?;
        self.forget_removed_webhooks().await
    }

    /// Forgets webhooks that were removed and have no delivery any more, or never had one: whoever adds and removes them all day
    /// leaves nothing behind.
    async fn forget_removed_webhooks(&mut self) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM webhooks WHERE removed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook = \
             webhooks.num)",
        )
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn insert_deliveries(&mut self, due: &[Due]) -> Result<(), StoreError> {
        INSERT_DELIVERIES
            .execute(&mut self.connection, due, |values, due| {
                values.add(due.num).add(due.outbox).add(due.webhook).add(due.at.0);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn insert_attempts(&mut self, attempts: &[AttemptRow]) -> Result<(), StoreError> {
        INSERT_ATTEMPTS
            .execute(&mut self.connection, attempts, |values, row| {
                values
                    .add(row.delivery)
                    .add(i64::from(row.attempt))
                    .add(row.at.0)
                    .add(column(row.took_ms))
                    .add(row.status.map(i64::from))
                    .add(row.failure.as_deref())
                    .add(row.excerpt.as_deref());
            })
            .await?;
        UPDATE_DELIVERIES
            .execute(&mut self.connection, attempts, |values, row| {
                let (state, due, finished) = match row.next {
                    Next::Delivered => ("delivered", row.at, Some(row.at.0)),
                    Next::Retry(due) => ("pending", due, None),
                    Next::GivenUp => ("given_up", row.at, Some(row.at.0)),
                };
                values
                    .add(row.delivery)
                    .add(state)
                    .add(i64::from(row.attempt))
                    .add(due.0)
                    .add(finished);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn supersede(&mut self, overtaken: &[(i64, [u8; 16])]) -> Result<(), StoreError> {
        SUPERSEDE
            .execute(&mut self.connection, overtaken, |values, (num, event)| {
                values.add(*num).add(&event[..]);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn redeliver(
        &mut self,
        webhook: i64,
        event: Option<[u8; 16]>,
        at: Timestamp,
    ) -> Result<Vec<Due>, StoreError> {
        match event {
            Some(event) => {
                sqlx::query(
                    "UPDATE deliveries SET state = 'pending', due_at = ?, finished_at = NULL \
                     WHERE webhook = ? AND outbox = (SELECT num FROM outbox WHERE id = ?)",
                )
                .bind(at.0)
                .bind(webhook)
                .bind(event.to_vec())
                .execute(&mut self.connection)
                .await?
            }
            None => {
                sqlx::query(
                    "UPDATE deliveries SET state = 'pending', due_at = ?, finished_at = NULL \
                     WHERE webhook = ? AND state IN ('pending', 'given_up')",
                )
                .bind(at.0)
                .bind(webhook)
                .execute(&mut self.connection)
                .await?
            }
        };
        sqlx::query(SUPERSEDE_WHAT_WAITED)
            .bind(webhook)
            .bind(at.0)
            .execute(&mut self.connection)
            .await?;
        let rows = sqlx::query(
            "SELECT d.num, d.webhook, d.outbox, o.charge, o.id AS event, d.attempts, d.due_at, d.superseded_by FROM deliveries d \
             JOIN outbox o ON o.num = d.outbox WHERE d.webhook = ? AND d.state = 'pending' AND d.due_at = ? ORDER BY d.num",
        )
        .bind(webhook)
        .bind(at.0)
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter().map(due).collect()
    }

    pub(crate) async fn delete_deliveries(&mut self, nums: &[i64]) -> Result<(), StoreError> {
        for delete in [&DELETE_ATTEMPTS, &DELETE_DELIVERIES] {
            delete
                .execute(&mut self.connection, nums, |values, num| {
                    values.add(*num);
                })
                .await?;
        }
        self.forget_removed_webhooks().await
    }

    pub(crate) async fn last_webhook_rows(&mut self) -> Result<[i64; 2], StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COALESCE(MAX(num), 0) FROM webhooks) AS webhook, \
             (SELECT COALESCE(MAX(num), 0) FROM deliveries) AS delivery",
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok([row.try_get("webhook")?, row.try_get("delivery")?])
    }
}

impl Readers {
    pub(crate) async fn pending_deliveries(&self, after: i64, limit: u32) -> Result<Vec<Due>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = sqlx::query(
        "SELECT d.num, d.webhook, d.outbox, o.charge, o.id AS event, d.attempts, d.due_at, d.superseded_by FROM deliveries d \
         JOIN outbox o ON o.num = d.outbox JOIN webhooks w ON w.num = d.webhook \
         WHERE d.state = 'pending' AND d.num > ? AND w.paused_at IS NULL AND w.removed_at IS NULL ORDER BY d.num LIMIT ?",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
        rows.iter().map(due).collect()
    }

    pub(crate) async fn sent_beside(
        &self,
        outbox: &[i64],
    ) -> Result<std::collections::HashMap<i64, BesideRow>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = SENT
            .fetch(connection, outbox, |values, num| {
                values.add(*num);
            })
            .await?;
        beside_from(&rows)
    }

    pub(crate) async fn count_pending(&self, webhook: i64) -> Result<i64, StoreError> {
        let connection = &mut *self.acquire().await?;
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM deliveries WHERE webhook = ? AND state = 'pending'")
            .bind(webhook)
            .fetch_one(connection)
            .await?;
        Ok(count)
    }

    pub(crate) async fn deliveries(
        &self,
        webhook: i64,
        before: i64,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let mut query = sqlx::QueryBuilder::new(DELIVERY_COLUMNS);
        query
            .push(" FROM deliveries d JOIN outbox o ON o.num = d.outbox WHERE d.webhook = ")
            .push_bind(webhook);
        query.push(" AND d.num < ").push_bind(before);
        query.push(" ORDER BY d.num DESC LIMIT ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&mut *connection).await?;
        let found = rows.iter().map(delivery).collect::<Result<_, StoreError>>()?;
        with_attempts(connection, found).await
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn count_webhook_rows(&self) -> Result<i64, StoreError> {
        let connection = &mut *self.acquire().await?;
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM webhooks")
            .fetch_one(connection)
            .await?)
    }

    pub(crate) async fn deliveries_ended(&self, until: Timestamp, limit: u32) -> Result<Vec<i64>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let nums = sqlx::query_scalar(
            "SELECT num FROM deliveries WHERE state <> 'pending' AND finished_at < ? ORDER BY num LIMIT ?",
        )
        .bind(until.0)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        Ok(nums)
    }
}

/// A delivery of a row of [`DELIVERY_COLUMNS`], without its attempts.
pub(super) fn delivery(row: &SqliteRow) -> Result<DeliveryRow, StoreError> {
    let superseded_by: Option<Vec<u8>> = row.try_get("superseded_by")?;
    Ok(DeliveryRow {
        num: row.try_get("num")?,
        event: fixed(row.try_get("event")?)?,
        announcement: announcement_from(row.try_get("announcement")?)?,
        at: Timestamp(row.try_get("at")?),
        state: row.try_get("state")?,
        due_at: Timestamp(row.try_get("due_at")?),
        superseded_by: superseded_by.as_deref().map(fixed).transpose()?,
        attempts: Vec::new(),
    })
}

/// The deliveries with the attempts that were made.
pub(super) async fn with_attempts(
    connection: &mut SqliteConnection,
    mut found: Vec<DeliveryRow>,
) -> Result<Vec<DeliveryRow>, StoreError> {
    static ATTEMPTS: Bulk = Bulk::new(
        "SELECT delivery, attempt, at, took_ms, status, failure, excerpt FROM attempts WHERE delivery IN (",
        "?",
        ") ORDER BY delivery, attempt",
    );
    let nums: Vec<i64> = found.iter().map(|delivery| delivery.num).collect();
    let rows = ATTEMPTS
        .fetch(connection, &nums, |values, num| {
            values.add(*num);
        })
        .await?;
    for row in &rows {
        let delivery: i64 = row.try_get("delivery")?;
        if let Some(delivery) = found.iter_mut().find(|found| found.num == delivery) {
            delivery.attempts.push(past_attempt(row)?);
        }
    }
    Ok(found)
}

fn webhook(row: &SqliteRow) -> Result<Webhook, StoreError> {
    let url: String = row.try_get("url")?;
    let former: Option<Vec<u8>> = row.try_get("former_secret")?;
    let until: Option<i64> = row.try_get("former_until")?;
    Ok(Webhook {
        num: row.try_get("num")?,
        id: fixed(row.try_get("id")?)?,
        merchant: MerchantId(fixed(row.try_get("merchant_id")?)?),
        announcement: announcement_from(row.try_get("announcement")?)?,
        url: Arc::from(url),
        secret: row.try_get("secret")?,
        former: former.zip(until.map(Timestamp)),
        paused_at: row.try_get::<Option<i64>, _>("paused_at")?.map(Timestamp),
        created_at: Timestamp(row.try_get("created_at")?),
    })
}

fn due(row: &SqliteRow) -> Result<Due, StoreError> {
    let superseded_by: Option<Vec<u8>> = row.try_get("superseded_by")?;
    Ok(Due {
        num: row.try_get("num")?,
        webhook: row.try_get("webhook")?,
        outbox: row.try_get("outbox")?,
        charge: row.try_get("charge")?,
        event: fixed(row.try_get("event")?)?,
        attempts: unsigned(row.try_get("attempts")?)?,
        at: Timestamp(row.try_get("due_at")?),
        superseded_by: superseded_by.as_deref().map(fixed).transpose()?,
        fresh: None,
    })
}

fn past_attempt(row: &SqliteRow) -> Result<PastAttempt, StoreError> {
    Ok(PastAttempt {
        attempt: unsigned(row.try_get("attempt")?)?,
        at: Timestamp(row.try_get("at")?),
        took_ms: unsigned(row.try_get("took_ms")?)?,
        status: row.try_get::<Option<i64>, _>("status")?.map(unsigned).transpose()?,
        failure: row.try_get("failure")?,
        excerpt: row.try_get("excerpt")?,
    })
}
