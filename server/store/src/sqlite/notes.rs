//! What stands beside one charge for its merchant: their own words, and what became of what they were told.

use bitpro_charge::Timestamp;
use sqlx::Row as _;

use super::webhooks::{DELIVERY_COLUMNS, delivery, with_attempts};
use super::{Readers, Session, fixed};
use crate::StoreError;
use crate::search::Note;
use crate::webhook::ChargeDelivery;

impl Session {
    pub(crate) async fn put_note(&mut self, charge: i64, note: Option<&Note>) -> Result<(), StoreError> {
        let statement = match note {
            Some(note) => sqlx::query(
                "INSERT INTO charge_notes (charge, text, written_at) VALUES (?, ?, ?) ON CONFLICT (charge) \
                 DO UPDATE SET text = excluded.text, written_at = excluded.written_at",
            )
            .bind(charge)
            .bind(&note.text)
            .bind(note.written_at.0),
            None => sqlx::query("DELETE FROM charge_notes WHERE charge = ?").bind(charge),
        };
        statement.execute(&mut self.connection).await?;
        Ok(())
    }
}

impl Readers {
    pub(crate) async fn note(&self, charge: i64) -> Result<Option<Note>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let row = sqlx::query("SELECT text, written_at FROM charge_notes WHERE charge = ?")
            .bind(charge)
            .fetch_optional(connection)
            .await?;
        row.map(|row| {
            Ok(Note {
                text: row.try_get("text")?,
                written_at: Timestamp(row.try_get("written_at")?),
            })
        })
        .transpose()
    }

    pub(crate) async fn deliveries_of_charge(
        &self,
        charge: i64,
        limit: u32,
    ) -> Result<Vec<ChargeDelivery>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let mut query = sqlx::QueryBuilder::new(DELIVERY_COLUMNS);
        query.push(
        ", w.id AS webhook_id, w.url, w.removed_at IS NOT NULL AS is_removed FROM outbox o JOIN deliveries d ON d.outbox = o.num \
         JOIN webhooks w ON w.num = d.webhook WHERE o.charge = ",
    );
        query
            .push_bind(charge)
            .push(" ORDER BY d.num DESC LIMIT ")
            .push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&mut *connection).await?;
        let found = rows.iter().map(delivery).collect::<Result<_, StoreError>>()?;
        let found = with_attempts(connection, found).await?;
        rows.iter()
            .zip(found)
            .map(|(row, delivery)| {
                Ok(ChargeDelivery {
                    delivery,
                    webhook: fixed(row.try_get("webhook_id")?)?,
                    url: row.try_get("url")?,
                    is_removed: row.try_get("is_removed")?,
                })
            })
            .collect()
    }
}
