//! Passkeys of accounts.

use bitpro_charge::Timestamp;
use sqlx::Row as _;

use super::People;
use crate::StoreError;
use crate::people::PasskeyRow;
use crate::sqlite::{fixed, unsigned};

impl People<'_> {
    pub(crate) async fn passkeys(&mut self, account: i64) -> Result<Vec<PasskeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, account, name, credential_id, credential, sign_count, created_at, last_used_at FROM passkeys \
             WHERE account = ? ORDER BY created_at, id",
        )
        .bind(account)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(PasskeyRow {
                    id: fixed(row.try_get("id")?)?,
                    account: row.try_get("account")?,
                    name: row.try_get("name")?,
                    credential_id: row.try_get("credential_id")?,
                    credential: row.try_get("credential")?,
                    sign_count: unsigned(row.try_get("sign_count")?)?,
                    created_at: Timestamp(row.try_get("created_at")?),
                    last_used_at: row.try_get::<Option<i64>, _>("last_used_at")?.map(Timestamp),
                })
            })
            .collect()
    }

    pub(crate) async fn add_passkey(&mut self, passkey: &PasskeyRow) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO passkeys (id, account, name, credential_id, credential, sign_count, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (credential_id) DO NOTHING",
        )
        .bind(&passkey.id[..])
        .bind(passkey.account)
        .bind(&passkey.name)
        .bind(&passkey.credential_id)
        .bind(&passkey.credential)
        .bind(i64::from(passkey.sign_count))
        .bind(passkey.created_at.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn note_passkey(
        &mut self,
        account: i64,
        credential_id: &[u8],
        former: u32,
        sign_count: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE passkeys SET sign_count = ?, last_used_at = ? WHERE account = ? AND credential_id = ? AND sign_count = ?",
        )
        .bind(i64::from(sign_count))
        .bind(at.0)
        .bind(account)
        .bind(credential_id)
        .bind(i64::from(former))
        .execute(&mut *self.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn drop_passkey(&mut self, account: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM passkeys WHERE account = ? AND id = ?")
            .bind(account)
            .bind(&id[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
