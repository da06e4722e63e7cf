//! Letters that are still to be sent.

use bitpro_charge::Timestamp;
use sqlx::Row as _;

use super::{Readers, Session, fixed, unsigned};
use crate::StoreError;
use crate::rows::MailRow;

impl Session {
    pub(crate) async fn insert_mail(&mut self, id: [u8; 16], sealed: &[u8]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO mails (id, sealed) VALUES (?, ?)")
            .bind(&id[..])
            .bind(sealed)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn delete_mail(&mut self, num: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM mails WHERE num = ?")
            .bind(num)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn put_off_mail(
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

impl Readers {
    pub(crate) async fn mails_due(&self, now: Timestamp, limit: u32) -> Result<Vec<MailRow>, StoreError> {
        let connection = &mut *self.acquire().await?;
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
                    num: row.try_get("num")?,
                    id: fixed(row.try_get("id")?)?,
                    sealed: row.try_get("sealed")?,
                    attempts: unsigned(row.try_get("attempts")?)?,
                    first_at: row.try_get::<Option<i64>, _>("first_at")?.map(Timestamp),
                })
            })
            .collect()
    }

    pub(crate) async fn mails_waiting(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let connection = &mut *self.acquire().await?;
        let row = sqlx::query("SELECT COUNT(*) AS waiting, MIN(next_at) AS next_at FROM mails")
            .fetch_one(connection)
            .await?;
        Ok((
            unsigned(row.try_get("waiting")?)?,
            row.try_get::<Option<i64>, _>("next_at")?.map(Timestamp),
        ))
    }
}
