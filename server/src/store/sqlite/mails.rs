//! Letters that are still to be sent.

use bitpro_charge::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{Session, fixed, unsigned};
use crate::store::StoreError;

/// A letter that is still to be sent.
#[derive(Debug, Clone)]
pub(crate) struct MailRow {
    pub(crate) num: i64,
    pub(crate) id: [u8; 16],
    pub(crate) sealed: Vec<u8>,
    /// How often it was tried in vain.
    pub(crate) attempts: u32,
    /// When it was first tried.
    pub(crate) first_at: Option<Timestamp>,
}

impl Session {
    /// Puts a letter into the outbox, to be sent at once.
    pub(in crate::store) async fn insert_mail(&mut self, id: [u8; 16], sealed: &[u8]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO mails (id, sealed) VALUES (?, ?)")
            .bind(&id[..])
            .bind(sealed)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Takes a letter out of the outbox.
    pub(in crate::store) async fn delete_mail(&mut self, num: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM mails WHERE num = ?")
            .bind(num)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Notes an attempt in vain.
    pub(in crate::store) async fn put_off_mail(
        &mut self,
        num: i64,
        attempts: u32,
        first_at: Timestamp,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE mails SET attempts = ?, first_at = ?, next_at = ? WHERE num = ?")
            .bind(i64::from(attempts))
            .bind(first_at.0)
            .bind(next_at.0)
            .bind(num)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

/// Letters whose time has come by `now`, those that waited longest first.
pub(in crate::store) async fn mails_due(
    connection: &mut SqliteConnection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<MailRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT num, id, sealed, attempts, first_at FROM mails WHERE next_at <= ? ORDER BY next_at, num LIMIT ?",
    )
    .bind(now.0)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(MailRow {
                num: row.try_get(0)?,
                id: fixed(row.try_get(1)?)?,
                sealed: row.try_get(2)?,
                attempts: unsigned(row.try_get(3)?)?,
                first_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp),
            })
        })
        .collect()
}

/// How many letters wait, and when the next one's time comes.
pub(in crate::store) async fn mails_waiting(
    connection: &mut SqliteConnection,
) -> Result<(u64, Option<Timestamp>), StoreError> {
    let row = sqlx::query("SELECT COUNT(*), MIN(next_at) FROM mails")
        .fetch_one(connection)
        .await?;
    Ok((
        unsigned(row.try_get(0)?)?,
        row.try_get::<Option<i64>, _>(1)?.map(Timestamp),
    ))
}
