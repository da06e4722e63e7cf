//! The log of what people changed.

use bitpro_charge::{MerchantId, Timestamp};
use sqlx::Row as _;

use super::People;
use crate::StoreError;
use crate::people::{AuditLine, AuditRow};

impl People<'_> {
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn count_personal_lines(&mut self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE merchant IS NULL")
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(count)
    }

    pub(crate) async fn add_audit(&mut self, audit: &AuditRow) -> Result<i64, StoreError> {
        let done = sqlx::query(
            "INSERT INTO audit (merchant, account, who, action, detail, client, at, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(audit.merchant)
        .bind(audit.account)
        .bind(&audit.who)
        .bind(&audit.action)
        .bind(&audit.detail)
        .bind(&audit.client)
        .bind(audit.at.0)
        .bind(&audit.outcome)
        .execute(&mut *self.connection)
        .await?;
        Ok(done.last_insert_rowid())
    }

    pub(crate) async fn end_audit(&mut self, num: i64, detail: &str, outcome: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE audit SET detail = ?, outcome = ? WHERE num = ?")
            .bind(detail)
            .bind(outcome)
            .bind(num)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn drop_audit(&mut self, num: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM audit WHERE num = ? AND outcome IS NULL")
            .bind(num)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn forget_lines_beyond(&mut self, most: u32) -> Result<u64, StoreError> {
        let full: Vec<i64> = sqlx::query_scalar(
            "SELECT merchant FROM audit WHERE merchant IS NOT NULL GROUP BY merchant HAVING COUNT(*) > ?",
        )
        .bind(most)
        .fetch_all(&mut *self.connection)
        .await?;
        let mut forgotten = 0;
        for merchant in full {
            let done = sqlx::query(
                "DELETE FROM audit WHERE merchant = ?1 AND num <= (SELECT num FROM audit WHERE merchant = ?1 ORDER BY num DESC \
                 LIMIT 1 OFFSET ?2)",
            )
            .bind(merchant)
            .bind(most)
            .execute(&mut *self.connection)
            .await?;
            forgotten += done.rows_affected();
        }
        Ok(forgotten)
    }

    pub(crate) async fn keys_made_by(&mut self, merchant: i64, account: i64) -> Result<Vec<String>, StoreError> {
        let named = sqlx::query_scalar(
            "SELECT detail FROM audit WHERE merchant = ? AND account = ? AND outcome = 'done' \
             AND action IN ('settings/keys', 'settings/keys/{key}/rotate')",
        )
        .bind(merchant)
        .bind(account)
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(named)
    }

    pub(crate) async fn audit_of(
        &mut self,
        merchant: MerchantId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.num, a.who, a.action, a.detail, a.client, a.at, a.outcome FROM audit a \
             JOIN merchants m ON m.num = a.merchant WHERE m.id = ? AND a.num < ? ORDER BY a.num DESC LIMIT ?",
        )
        .bind(&merchant.0[..])
        .bind(before)
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    num: row.try_get("num")?,
                    who: row.try_get("who")?,
                    action: row.try_get("action")?,
                    detail: row.try_get("detail")?,
                    client: row.try_get("client")?,
                    at: Timestamp(row.try_get("at")?),
                    outcome: row.try_get("outcome")?,
                })
            })
            .collect()
    }
}
