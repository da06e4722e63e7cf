//! What stands apart from the log about a charge, and can be erased (R31): e-mail, metadata, notes.

use bitpro_charge::{ChargeId, MerchantId, Timestamp};
use sqlx::Row as _;

use super::told::merchant_num;
use super::{Readers, Session, fixed};
use crate::StoreError;

impl Session {
    pub(crate) async fn erase_personal(&mut self, num: i64) -> Result<(), StoreError> {
        for delete in [
            "DELETE FROM personal WHERE charge = ?",
            "DELETE FROM charge_notes WHERE charge = ?",
        ] {
            sqlx::query(delete).bind(num).execute(&mut self.connection).await?;
        }
        sqlx::query("UPDATE charges SET email_key = NULL WHERE num = ?")
            .bind(num)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn take_receipt(&mut self, num: i64, at: Timestamp) -> Result<Option<String>, StoreError> {
        let email = sqlx::query_scalar(
            "UPDATE personal SET receipt_at = ? WHERE charge = ? AND receipt_at IS NULL AND buyer_email IS NOT NULL \
             RETURNING buyer_email",
        )
        .bind(at.0)
        .bind(num)
        .fetch_optional(&mut self.connection)
        .await?;
        Ok(email)
    }
}

impl Readers {
    pub(crate) async fn personal(&self, num: i64) -> Result<[Option<String>; 3], StoreError> {
        let connection = &mut *self.acquire().await?;
        let row = sqlx::query("SELECT buyer_email, metadata, notes FROM personal WHERE charge = ?")
            .bind(num)
            .fetch_optional(connection)
            .await?;
        match row {
            Some(row) => Ok([
                row.try_get("buyer_email")?,
                row.try_get("metadata")?,
                row.try_get("notes")?,
            ]),
            None => Ok([None, None, None]),
        }
    }

    pub(crate) async fn outdated_personal(
        &self,
        merchant: MerchantId,
        until: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, ChargeId)>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let Some(merchant) = merchant_num(connection, merchant).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(
            "SELECT c.num, c.id FROM charges c WHERE (EXISTS (SELECT 1 FROM personal p WHERE p.charge = c.num) \
         OR EXISTS (SELECT 1 FROM charge_notes n WHERE n.charge = c.num)) \
         AND c.merchant = ? AND c.num > ? AND c.created_at < ? AND COALESCE((SELECT e.at FROM events e \
         WHERE e.charge = c.num ORDER BY e.last_sequence DESC LIMIT 1), c.created_at) < ? ORDER BY c.num LIMIT ?",
        )
        .bind(merchant)
        .bind(after)
        .bind(until.0)
        .bind(until.0)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("num")?, ChargeId(fixed(row.try_get("id")?)?))))
            .collect()
    }
}
