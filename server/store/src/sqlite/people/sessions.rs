//! Sessions of people who have logged in.

use bitpro_charge::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::People;
use super::accounts::{ACCOUNT, account};
use crate::StoreError;
use crate::people::{Login, MOST_SESSIONS, SessionRow};
use crate::sqlite::fixed;

fn session(row: &SqliteRow) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        hash: fixed(row.try_get("hash")?)?,
        id: fixed(row.try_get("session_id")?)?,
        account: row.try_get("account")?,
        created_at: Timestamp(row.try_get("begun_at")?),
        seen_at: Timestamp(row.try_get("seen_at")?),
        confirmed_at: Timestamp(row.try_get("confirmed_at")?),
        factor_at: row.try_get::<Option<i64>, _>("factor_at")?.map(Timestamp),
        client: row.try_get("client")?,
        agent: row.try_get("agent")?,
    })
}

const SESSION: &str = "s.hash, s.id AS session_id, s.account, s.created_at AS begun_at, s.seen_at, s.confirmed_at, s.factor_at, \
                       s.client, s.agent";

impl People<'_> {
    pub(crate) async fn session(
        &mut self,
        hash: [u8; 32],
        begun_after: Timestamp,
        seen_after: Timestamp,
    ) -> Result<Option<Login>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {SESSION}, {ACCOUNT} FROM sessions s JOIN accounts a ON a.num = s.account \
             WHERE s.hash = ? AND s.created_at > ? AND s.seen_at > ? AND a.disabled_at IS NULL"
        )))
        .bind(&hash[..])
        .bind(begun_after.0)
        .bind(seen_after.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Login {
            session: session(&row)?,
            account: account(&row)?,
        }))
    }

    pub(crate) async fn sessions_of(
        &mut self,
        account: i64,
        seen_after: Timestamp,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {SESSION} FROM sessions s WHERE s.account = ? AND s.seen_at > ? ORDER BY s.seen_at DESC"
        )))
        .bind(account)
        .bind(seen_after.0)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(session).collect()
    }

    pub(crate) async fn add_session(&mut self, session: &SessionRow) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM sessions WHERE account = ?1 AND hash NOT IN (SELECT hash FROM sessions WHERE account = ?1 \
             ORDER BY factor_at IS NULL, seen_at DESC, created_at DESC LIMIT ?2)",
        )
        .bind(session.account)
        .bind(MOST_SESSIONS - 1)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query(
            "INSERT INTO sessions (hash, id, account, created_at, seen_at, confirmed_at, factor_at, client, agent) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&session.hash[..])
        .bind(&session.id[..])
        .bind(session.account)
        .bind(session.created_at.0)
        .bind(session.seen_at.0)
        .bind(session.confirmed_at.0)
        .bind(session.factor_at.map(|at| at.0))
        .bind(&session.client)
        .bind(&session.agent)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn note_seen(&mut self, hash: [u8; 32], at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET seen_at = ? WHERE hash = ?")
            .bind(at.0)
            .bind(&hash[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn note_confirmed(&mut self, hash: [u8; 32], at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET confirmed_at = ? WHERE hash = ?")
            .bind(at.0)
            .bind(&hash[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn note_factor(&mut self, hash: [u8; 32], at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET factor_at = ? WHERE hash = ?")
            .bind(at.0)
            .bind(&hash[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn end_session(&mut self, hash: [u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE hash = ?")
            .bind(&hash[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn revoke_session(&mut self, account: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM sessions WHERE account = ? AND id = ?")
            .bind(account)
            .bind(&id[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn end_sessions(&mut self, account: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE account = ?")
            .bind(account)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn end_other_sessions(&mut self, account: i64, kept: [u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE account = ? AND hash <> ?")
            .bind(account)
            .bind(&kept[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn forget(
        &mut self,
        now: Timestamp,
        seen_by: Timestamp,
        audit_by: Timestamp,
    ) -> Result<(), StoreError> {
        for (statement, until) in [
            ("DELETE FROM sessions WHERE seen_at <= ?", seen_by),
            ("DELETE FROM account_tokens WHERE expires_at <= ?", now),
            ("DELETE FROM invitations WHERE expires_at <= ?", now),
            ("DELETE FROM audit WHERE merchant IS NULL AND at <= ?", audit_by),
        ] {
            sqlx::query(statement)
                .bind(until.0)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }
}
