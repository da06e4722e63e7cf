//! Passkeys of accounts.

use bitpro_charge::Timestamp;
use sqlx::Row as _;

use super::People;
use crate::store::StoreError;
use crate::store::sqlite::{fixed, unsigned};

/// A passkey as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PasskeyRow {
    pub(crate) id: [u8; 16],
    pub(crate) account: i64,
    pub(crate) name: String,
    pub(crate) credential_id: Vec<u8>,
    /// The public key and what belongs to it, in JSON.
    pub(crate) credential: String,
    pub(crate) sign_count: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
}

impl People<'_> {
    /// The passkeys of an account, the oldest first.
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
                    id: fixed(row.try_get(0)?)?,
                    account: row.try_get(1)?,
                    name: row.try_get(2)?,
                    credential_id: row.try_get(3)?,
                    credential: row.try_get(4)?,
                    sign_count: unsigned(row.try_get(5)?)?,
                    created_at: Timestamp(row.try_get(6)?),
                    last_used_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp),
                })
            })
            .collect()
    }

    /// Adds a passkey; whether nobody had it before.
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

    /// Notes that a passkey signed for the `sign_count`th time; whether it is still there and counted `former` until now.
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

    /// Takes a passkey from an account; whether it was there.
    pub(crate) async fn drop_passkey(&mut self, account: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM passkeys WHERE account = ? AND id = ?")
            .bind(account)
            .bind(&id[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
