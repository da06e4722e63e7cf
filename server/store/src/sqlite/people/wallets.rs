//! Wallets that are to take a merchant's money, and wait.

use bitpro_charge::{MerchantId, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::People;
use crate::StoreError;
use crate::people::PendingWallet;
use crate::sqlite::fixed;

const PENDING: &str = "SELECT m.id, p.receive, p.mac, p.asked_by, p.client, p.asked_at, p.due_at FROM pending_wallets p \
                       JOIN merchants m ON m.num = p.merchant";

fn pending(row: &SqliteRow) -> Result<PendingWallet, StoreError> {
    Ok(PendingWallet {
        merchant: MerchantId(fixed(row.try_get("id")?)?),
        receive: row.try_get("receive")?,
        mac: row.try_get("mac")?,
        asked_by: row.try_get("asked_by")?,
        client: row.try_get("client")?,
        asked_at: Timestamp(row.try_get("asked_at")?),
        due_at: Timestamp(row.try_get("due_at")?),
    })
}

impl People<'_> {
    pub(crate) async fn put_pending_wallet(&mut self, merchant: i64, wallet: &PendingWallet) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR REPLACE INTO pending_wallets (merchant, receive, mac, asked_by, client, asked_at, due_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(merchant)
        .bind(&wallet.receive)
        .bind(&wallet.mac[..])
        .bind(&wallet.asked_by)
        .bind(&wallet.client)
        .bind(wallet.asked_at.0)
        .bind(wallet.due_at.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn pending_wallet(&mut self, merchant: MerchantId) -> Result<Option<PendingWallet>, StoreError> {
        let found = sqlx::query(sqlx::AssertSqlSafe(format!("{PENDING} WHERE m.id = ?")))
            .bind(&merchant.0[..])
            .fetch_optional(&mut *self.connection)
            .await?;
        found.as_ref().map(pending).transpose()
    }

    pub(crate) async fn has_sold(&mut self, merchant: MerchantId) -> Result<bool, StoreError> {
        let statement = "SELECT EXISTS (SELECT 1 FROM charges c JOIN merchants m ON m.num = c.merchant WHERE m.id = ?)";
        let has = sqlx::query_scalar(statement)
            .bind(&merchant.0[..])
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(has)
    }

    pub(crate) async fn pending_wallets(&mut self) -> Result<Vec<PendingWallet>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{PENDING} ORDER BY p.due_at, p.merchant")))
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(pending).collect()
    }

    pub(crate) async fn drop_pending_wallet(&mut self, merchant: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM pending_wallets WHERE merchant = ?")
            .bind(merchant)
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
