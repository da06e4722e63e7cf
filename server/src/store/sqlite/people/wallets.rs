//! Wallets that are to take a merchant's money, and wait.

use bitpro_charge::{MerchantId, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::People;
use crate::store::StoreError;
use crate::store::sqlite::fixed;

/// A wallet that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PendingWallet {
    pub(crate) merchant: MerchantId,
    /// The receive descriptor in its normal form.
    pub(crate) receive: String,
    pub(crate) mac: Vec<u8>,
    pub(crate) asked_by: String,
    pub(crate) client: String,
    pub(crate) asked_at: Timestamp,
    pub(crate) due_at: Timestamp,
}

const PENDING: &str = "SELECT m.id, p.receive, p.mac, p.asked_by, p.client, p.asked_at, p.due_at FROM pending_wallets p \
                       JOIN merchants m ON m.num = p.merchant";

fn pending(row: &SqliteRow) -> Result<PendingWallet, StoreError> {
    Ok(PendingWallet {
        merchant: MerchantId(fixed(row.try_get(0)?)?),
        receive: row.try_get(1)?,
        mac: row.try_get(2)?,
        asked_by: row.try_get(3)?,
        client: row.try_get(4)?,
        asked_at: Timestamp(row.try_get(5)?),
        due_at: Timestamp(row.try_get(6)?),
    })
}

impl People<'_> {
    /// Lets a wallet wait for the merchant in row `merchant`, in the place of another.
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

    /// The wallet that waits for a merchant.
    pub(crate) async fn pending_wallet(&mut self, merchant: MerchantId) -> Result<Option<PendingWallet>, StoreError> {
        let found = sqlx::query(sqlx::AssertSqlSafe(format!("{PENDING} WHERE m.id = ?")))
            .bind(&merchant.0[..])
            .fetch_optional(&mut *self.connection)
            .await?;
        found.as_ref().map(pending).transpose()
    }

    /// Whether a merchant ever had a charge, and so a wallet, whatever its own row says.
    pub(crate) async fn has_sold(&mut self, merchant: MerchantId) -> Result<bool, StoreError> {
        let statement = "SELECT EXISTS (SELECT 1 FROM charges c JOIN merchants m ON m.num = c.merchant WHERE m.id = ?)";
        let has = sqlx::query_scalar(statement)
            .bind(&merchant.0[..])
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(has)
    }

    /// All wallets that wait, those that are due first.
    pub(crate) async fn pending_wallets(&mut self) -> Result<Vec<PendingWallet>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{PENDING} ORDER BY p.due_at, p.merchant")))
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(pending).collect()
    }

    /// Lets no wallet wait any more for the merchant in row `merchant`; whether there was one.
    pub(crate) async fn drop_pending_wallet(&mut self, merchant: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM pending_wallets WHERE merchant = ?")
            .bind(merchant)
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
