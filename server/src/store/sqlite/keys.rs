//! Keys of the merchant API, the nonces they used, and the answers that are kept for them.

use bitpro_charge::{MerchantId, Timestamp};
use sqlx::{Row as _, SqliteConnection};

use super::bulk::Bulk;
use super::{Session, fixed};
use crate::store::{BesideRow, KeptAnswer, StoreError};

/// A key's row, without its secrets.
pub(in crate::store) struct KeyRow {
    pub(in crate::store) num: i64,
    pub(in crate::store) id: [u8; 16],
    pub(in crate::store) merchant: MerchantId,
    pub(in crate::store) name: String,
    pub(in crate::store) scopes: String,
    pub(in crate::store) created_at: Timestamp,
    pub(in crate::store) last_used_at: Option<Timestamp>,
    pub(in crate::store) revoked_at: Option<Timestamp>,
}

/// A secret's row.
pub(in crate::store) struct KeySecretRow {
    pub(in crate::store) id: [u8; 16],
    pub(in crate::store) key: i64,
    pub(in crate::store) sealed: Vec<u8>,
    pub(in crate::store) created_at: Timestamp,
    pub(in crate::store) expires_at: Option<Timestamp>,
}

static NOTE_USED: Bulk = Bulk::new(
    "WITH used (num, at) AS (VALUES ",
    "(?,?)",
    ") UPDATE api_keys SET last_used_at = used.at FROM used WHERE api_keys.num = used.num",
);

impl Session {
    /// All keys.
    pub(in crate::store) async fn api_keys(&mut self) -> Result<Vec<KeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT k.num, k.id, m.id, k.name, k.scopes, k.created_at, k.last_used_at, k.revoked_at FROM api_keys k \
             JOIN merchants m ON m.num = k.merchant ORDER BY k.num",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KeyRow {
                    num: row.try_get(0)?,
                    id: fixed(row.try_get(1)?)?,
                    merchant: MerchantId(fixed(row.try_get(2)?)?),
                    name: row.try_get(3)?,
                    scopes: row.try_get(4)?,
                    created_at: Timestamp(row.try_get(5)?),
                    last_used_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp),
                    revoked_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp),
                })
            })
            .collect()
    }

    /// All secrets, the newest of each key first.
    pub(in crate::store) async fn api_key_secrets(&mut self) -> Result<Vec<KeySecretRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, api_key, sealed, created_at, expires_at FROM api_key_secrets ORDER BY api_key, \
             CASE WHEN expires_at IS NULL THEN 0 ELSE 1 END, created_at DESC",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KeySecretRow {
                    id: fixed(row.try_get(0)?)?,
                    key: row.try_get(1)?,
                    sealed: row.try_get(2)?,
                    created_at: Timestamp(row.try_get(3)?),
                    expires_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp),
                })
            })
            .collect()
    }

    /// Stores a key as it is now, and exactly these secrets of it.
    pub(in crate::store) async fn put_api_key(
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

    /// Notes when keys were last used: row and time.
    pub(in crate::store) async fn note_keys_used(&mut self, used: &[(i64, Timestamp)]) -> Result<(), StoreError> {
        NOTE_USED
            .execute(&mut self.connection, used, |values, (key, at)| {
                values.add(*key).add(at.0);
            })
            .await?;
        Ok(())
    }

    /// Stores a nonce; whether the key had not used it before.
    pub(in crate::store) async fn insert_nonce(
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

    /// What was answered to the request of this name: the request's hash, and the answer.
    pub(in crate::store) async fn kept_answer(
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
            status: super::unsigned(row.try_get(1)?)?,
            body: row.try_get::<Vec<u8>, _>(2)?.into(),
        };
        Ok(Some((fixed(row.try_get(0)?)?, answer)))
    }

    /// Keeps an answer, in the place of one that is too old to count.
    pub(in crate::store) async fn keep_answer(
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

    /// Forgets nonces that expired by `now`, and answers made by `answers_until`.
    pub(in crate::store) async fn forget_requests(
        &mut self,
        now: Timestamp,
        answers_until: Timestamp,
    ) -> Result<(), StoreError> {
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

    /// What is shown beside the charge in row `num`.
    pub(in crate::store) async fn beside(&mut self, num: i64) -> Result<Option<BesideRow>, StoreError> {
        Ok(super::beside(&mut self.connection, &[num]).await?.remove(&num))
    }

    /// Stores where the page of a charge leads once it is paid.
    pub(in crate::store) async fn insert_success_url(&mut self, charge: i64, url: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO success_urls (charge, url) VALUES (?, ?)")
            .bind(charge)
            .bind(url)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

/// The stored nonces: key, nonce, when it expires.
pub(in crate::store) async fn nonces(
    connection: &mut SqliteConnection,
) -> Result<Vec<(i64, [u8; 16], Timestamp)>, StoreError> {
    let rows = sqlx::query("SELECT api_key, nonce, expires_at FROM nonces")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, fixed(row.try_get(1)?)?, Timestamp(row.try_get(2)?))))
        .collect()
}

/// Where the page of a charge leads once it is paid, if it was said.
pub(in crate::store) async fn success_url(
    connection: &mut SqliteConnection,
    charge: i64,
) -> Result<Option<String>, StoreError> {
    let url = sqlx::query_scalar("SELECT url FROM success_urls WHERE charge = ?")
        .bind(charge)
        .fetch_optional(connection)
        .await?;
    Ok(url)
}
