//! Keys of the merchant API, the nonces they used, and the answers that are kept for them.

use bitpro_charge::{MerchantId, Timestamp};
use sqlx::Row as _;

use super::bulk::Bulk;
use super::{Readers, Session, fixed};
use crate::rows::{BesideRow, KeyRow, KeySecretRow};
use crate::{KeptAnswer, StoreError};

static NOTE_USED: Bulk = Bulk::new(
    "WITH used (num, at) AS (VALUES ",
    "(?,?)",
    ") UPDATE api_keys SET last_used_at = used.at FROM used WHERE api_keys.num = used.num",
);

impl Session {
    pub(crate) async fn api_keys(&mut self) -> Result<Vec<KeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT k.num, k.id, m.id AS merchant_id, k.name, k.scopes, k.created_at, k.last_used_at, k.revoked_at FROM api_keys k \
             JOIN merchants m ON m.num = k.merchant ORDER BY k.num",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KeyRow {
                    num: row.try_get("num")?,
                    id: fixed(row.try_get("id")?)?,
                    merchant: MerchantId(fixed(row.try_get("merchant_id")?)?),
                    name: row.try_get("name")?,
                    scopes: row.try_get("scopes")?,
                    created_at: Timestamp(row.try_get("created_at")?),
                    last_used_at: row.try_get::<Option<i64>, _>("last_used_at")?.map(Timestamp),
                    revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp),
                })
            })
            .collect()
    }

    pub(crate) async fn api_key_secrets(&mut self) -> Result<Vec<KeySecretRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, api_key, sealed, created_at, expires_at FROM api_key_secrets ORDER BY api_key, \
             CASE WHEN expires_at IS NULL THEN 0 ELSE 1 END, created_at DESC",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KeySecretRow {
                    id: fixed(row.try_get("id")?)?,
                    key: row.try_get("api_key")?,
                    sealed: row.try_get("sealed")?,
                    created_at: Timestamp(row.try_get("created_at")?),
                    expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp),
                })
            })
            .collect()
    }

    pub(crate) async fn put_api_key(
        &mut self,
        key: &KeyRow,
        merchant: i64,
        secrets: &[KeySecretRow],
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO api_keys (num, id, merchant, name, scopes, created_at, last_used_at, revoked_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (num) DO UPDATE SET revoked_at = excluded.revoked_at, \
             last_used_at = excluded.last_used_at",
        )
        .bind(key.num)
        .bind(&key.id[..])
        .bind(merchant)
        .bind(&key.name)
        .bind(&key.scopes)
        .bind(key.created_at.0)
        .bind(key.last_used_at.map(|at| at.0))
        .bind(key.revoked_at.map(|at| at.0))
        .execute(&mut self.connection)
        .await?;
        sqlx::query("DELETE FROM api_key_secrets WHERE api_key = ?")
            .bind(key.num)
            .execute(&mut self.connection)
            .await?;
        for secret in secrets {
            sqlx::query(
                "INSERT INTO api_key_secrets (id, api_key, sealed, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(&secret.id[..])
            .bind(secret.key)
            .bind(&secret.sealed)
            .bind(secret.created_at.0)
            .bind(secret.expires_at.map(|at| at.0))
            .execute(&mut self.connection)
            .await?;
        }
        Ok(())
    }

    pub(crate) async fn note_keys_used(&mut self, used: &[(i64, Timestamp)]) -> Result<(), StoreError> {
        NOTE_USED
            .execute(&mut self.connection, used, |values, (key, at)| {
                values.add(*key).add(at.0);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn insert_nonce(
        &mut self,
        key: i64,
        nonce: [u8; 16],
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO nonces (api_key, nonce, expires_at) VALUES (?, ?, ?) ON CONFLICT (api_key, nonce) DO NOTHING",
        )
        .bind(key)
        .bind(&nonce[..])
        .bind(expires_at.0)
        .execute(&mut self.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn kept_answer(
        &mut self,
        key: i64,
        name: &str,
        since: Timestamp,
    ) -> Result<Option<([u8; 32], KeptAnswer)>, StoreError> {
        let row = sqlx::query(
            "SELECT request, status, body FROM kept_answers WHERE api_key = ? AND name = ? AND made_at > ?",
        )
        .bind(key)
        .bind(name)
        .bind(since.0)
        .fetch_optional(&mut self.connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let answer = KeptAnswer {
            status: super::unsigned(row.try_get("status")?)?,
            body: row.try_get::<Vec<u8>, _>("body")?.into(),
        };
        Ok(Some((fixed(row.try_get("request")?)?, answer)))
    }

    pub(crate) async fn keep_answer(
        &mut self,
        key: i64,
        name: &str,
        request: [u8; 32],
        answer: &KeptAnswer,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO kept_answers (api_key, name, request, status, body, made_at) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (api_key, name) DO UPDATE SET request = excluded.request, status = excluded.status, \
             body = excluded.body, made_at = excluded.made_at",
        )
        .bind(key)
        .bind(name)
        .bind(&request[..])
        .bind(i64::from(answer.status))
        .bind(&answer.body[..])
        .bind(at.0)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn forget_requests(&mut self, now: Timestamp, answers_until: Timestamp) -> Result<(), StoreError> {
        for (statement, until) in [
            ("DELETE FROM nonces WHERE expires_at <= ?", now),
            ("DELETE FROM kept_answers WHERE made_at <= ?", answers_until),
        ] {
            sqlx::query(statement)
                .bind(until.0)
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn beside(&mut self, num: i64) -> Result<Option<BesideRow>, StoreError> {
        Ok(super::told::beside(&mut self.connection, &[num]).await?.remove(&num))
    }

    pub(crate) async fn insert_success_url(&mut self, charge: i64, url: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO success_urls (charge, url) VALUES (?, ?)")
            .bind(charge)
            .bind(url)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

impl Readers {
    pub(crate) async fn nonces(&self) -> Result<Vec<(i64, [u8; 16], Timestamp)>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let rows = sqlx::query("SELECT api_key, nonce, expires_at FROM nonces")
            .fetch_all(connection)
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get("api_key")?,
                    fixed(row.try_get("nonce")?)?,
                    Timestamp(row.try_get("expires_at")?),
                ))
            })
            .collect()
    }

    pub(crate) async fn success_url(&self, charge: i64) -> Result<Option<String>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let url = sqlx::query_scalar("SELECT url FROM success_urls WHERE charge = ?")
            .bind(charge)
            .fetch_optional(connection)
            .await?;
        Ok(url)
    }
}
