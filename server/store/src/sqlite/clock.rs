//! A time that ran ahead, taken back in every row that waits for an instant.

use bitpro_charge::{ChargeId, Timestamp};
use sqlx::Row as _;

use super::{Session, fixed};
use crate::StoreError;

/// What ends, or begins, at an instant: it comes nearer, but not into the past. Terms of charges and the log are not among them,
/// which never change, nor are wallets that wait: what vouches for them has to be made anew.
const WAITING: [&str; 9] = [
    "UPDATE account_tokens SET expires_at = MAX(?1, expires_at - ?2) WHERE expires_at > ?1",
    "UPDATE invitations SET expires_at = MAX(?1, expires_at - ?2) WHERE expires_at > ?1",
    "UPDATE api_key_secrets SET expires_at = MAX(?1, expires_at - ?2) WHERE expires_at > ?1",
    "UPDATE link_keys SET ends_at = MAX(?1, ends_at - ?2) WHERE ends_at > ?1",
    "UPDATE webhooks SET former_until = MAX(?1, former_until - ?2) WHERE former_until > ?1",
    "UPDATE nonces SET expires_at = MAX(?1, expires_at - ?2) WHERE expires_at > ?1",
    "UPDATE kept_answers SET made_at = MAX(?1, made_at - ?2) WHERE made_at > ?1",
    "UPDATE deliveries SET due_at = MAX(?1, due_at - ?2) WHERE due_at > ?1 AND state = 'pending'",
    "UPDATE mails SET next_at = MAX(?1, next_at - ?2), first_at = MIN(?1, first_at) WHERE next_at > ?1",
];

impl Session {
    pub(crate) async fn charges_made_after(&mut self, instant: Timestamp) -> Result<Vec<ChargeId>, StoreError> {
        let rows = sqlx::query("SELECT id FROM charges WHERE created_at > ? ORDER BY num")
            .bind(instant.0)
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter()
            .map(|row| Ok(ChargeId(fixed(row.try_get("id")?)?)))
            .collect()
    }

    pub(crate) async fn step_back(&mut self, shown: Timestamp, millis: i64) -> Result<(), StoreError> {
        for statement in WAITING {
            sqlx::query(statement)
                .bind(shown.0)
                .bind(millis)
                .execute(&mut self.connection)
                .await?;
        }
        sqlx::query("DELETE FROM sessions WHERE MAX(created_at, seen_at, confirmed_at, COALESCE(factor_at, 0)) > ?")
            .bind(shown.0)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}
