//! Accounts, their second factor, and links in letters.

use bitpro_charge::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::People;
use crate::StoreError;
use crate::people::{AccountRow, TokenPurpose};
use crate::sqlite::fixed;

/// The columns of an account, whose table is called `a`.
pub(super) const ACCOUNT: &str = "a.num, a.id, a.email, a.name, a.company, a.site, a.language, a.approved_at, a.password, \
                                  a.totp, a.totp_step, a.created_at, a.device_epoch, a.wants_merchant, a.disabled_at, \
                                  EXISTS (SELECT 1 FROM passkeys p WHERE p.account = a.num) AS has_passkey";

pub(super) fn account(row: &SqliteRow) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        num: row.try_get("num")?,
        id: fixed(row.try_get("id")?)?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        company: row.try_get("company")?,
        site: row.try_get("site")?,
        language: row.try_get("language")?,
        approved_at: row.try_get::<Option<i64>, _>("approved_at")?.map(Timestamp),
        password: row.try_get("password")?,
        totp: row.try_get("totp")?,
        totp_step: row.try_get("totp_step")?,
        has_passkey: row.try_get("has_passkey")?,
        device_epoch: row.try_get("device_epoch")?,
        wants_merchant: row.try_get("wants_merchant")?,
        disabled_at: row.try_get::<Option<i64>, _>("disabled_at")?.map(Timestamp),
        created_at: Timestamp(row.try_get("created_at")?),
    })
}

impl People<'_> {
    pub(crate) async fn account_of(&mut self, email: &str) -> Result<Option<AccountRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {ACCOUNT} FROM accounts a WHERE a.email = ?"
        )))
        .bind(email)
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(account).transpose()
    }

    pub(crate) async fn account(&mut self, num: i64) -> Result<Option<AccountRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {ACCOUNT} FROM accounts a WHERE a.num = ?"
        )))
        .bind(num)
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(account).transpose()
    }

    pub(crate) async fn accounts(&mut self) -> Result<Vec<AccountRow>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {ACCOUNT} FROM accounts a ORDER BY a.num"
        )))
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(account).collect()
    }

    pub(crate) async fn add_account(&mut self, account: &AccountRow) -> Result<i64, StoreError> {
        let done = sqlx::query(
            "INSERT INTO accounts (id, email, name, company, site, language, approved_at, password, wants_merchant, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&account.id[..])
        .bind(&account.email)
        .bind(&account.name)
        .bind(&account.company)
        .bind(&account.site)
        .bind(&account.language)
        .bind(account.approved_at.map(|at| at.0))
        .bind(&account.password)
        .bind(account.wants_merchant)
        .bind(account.created_at.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(done.last_insert_rowid())
    }

    pub(crate) async fn count_requests(&mut self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM accounts WHERE password IS NULL AND (approved_at IS NULL OR wants_merchant)",
        )
        .fetch_one(&mut *self.connection)
        .await?;
        Ok(count)
    }

    pub(crate) async fn stale_requests(
        &mut self,
        asked_by: Timestamp,
        opened_by: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        let nums = sqlx::query_scalar(
            "SELECT num FROM accounts a WHERE password IS NULL AND NOT EXISTS (SELECT 1 FROM members e WHERE e.account = a.num) \
             AND ((approved_at IS NULL AND created_at <= ?) OR (wants_merchant AND created_at <= ?))",
        )
        .bind(asked_by.0)
        .bind(opened_by.0)
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(nums)
    }

    pub(crate) async fn untold_requests(&mut self, limit: u32) -> Result<(i64, Vec<AccountRow>), StoreError> {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM accounts WHERE approved_at IS NULL AND told_at IS NULL")
            .fetch_one(&mut *self.connection)
            .await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {ACCOUNT} FROM accounts a WHERE a.approved_at IS NULL AND a.told_at IS NULL ORDER BY a.num LIMIT ?"
        )))
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        let rows: Result<Vec<AccountRow>, StoreError> = rows.iter().map(account).collect();
        Ok((count, rows?))
    }

    pub(crate) async fn last_told(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar("SELECT MAX(told_at) FROM accounts")
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(at.map(Timestamp))
    }

    pub(crate) async fn note_told(&mut self, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE accounts SET told_at = ? WHERE approved_at IS NULL AND told_at IS NULL")
            .bind(at.0)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn remove_account(&mut self, num: i64) -> Result<(), StoreError> {
        for statement in [
            "UPDATE audit SET account = NULL WHERE account = ?",
            "DELETE FROM recovery_codes WHERE account = ?",
            "DELETE FROM account_tokens WHERE account = ?",
            "DELETE FROM sessions WHERE account = ?",
            "DELETE FROM passkeys WHERE account = ?",
            "DELETE FROM members WHERE account = ?",
            "DELETE FROM invitations WHERE invited_by = ?",
            "DELETE FROM accounts WHERE num = ?",
        ] {
            sqlx::query(statement).bind(num).execute(&mut *self.connection).await?;
        }
        Ok(())
    }

    pub(crate) async fn drop_factors(&mut self, num: i64) -> Result<(), StoreError> {
        for statement in [
            "UPDATE accounts SET totp = NULL, totp_step = NULL WHERE num = ?",
            "DELETE FROM passkeys WHERE account = ?",
            "DELETE FROM recovery_codes WHERE account = ?",
        ] {
            sqlx::query(statement).bind(num).execute(&mut *self.connection).await?;
        }
        Ok(())
    }

    pub(crate) async fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE accounts SET email = ?, name = ?, company = ?, site = ?, language = ?, approved_at = ?, password = ?, \
             totp = ?, totp_step = ?, device_epoch = ?, wants_merchant = ?, disabled_at = ? WHERE num = ?",
        )
        .bind(&account.email)
        .bind(&account.name)
        .bind(&account.company)
        .bind(&account.site)
        .bind(&account.language)
        .bind(account.approved_at.map(|at| at.0))
        .bind(&account.password)
        .bind(&account.totp)
        .bind(account.totp_step)
        .bind(account.device_epoch)
        .bind(account.wants_merchant)
        .bind(account.disabled_at.map(|at| at.0))
        .bind(account.num)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn put_token(
        &mut self,
        account: i64,
        purpose: TokenPurpose,
        hash: [u8; 32],
        detail: &str,
        expires_at: Timestamp,
        kept: u32,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM account_tokens WHERE account = ?1 AND purpose = ?2 AND hash NOT IN (SELECT hash FROM account_tokens \
             WHERE account = ?1 AND purpose = ?2 ORDER BY expires_at DESC LIMIT ?3)",
        )
        .bind(account)
        .bind(purpose.as_str())
        .bind(kept)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query("INSERT INTO account_tokens (hash, account, purpose, detail, expires_at) VALUES (?, ?, ?, ?, ?)")
            .bind(&hash[..])
            .bind(account)
            .bind(purpose.as_str())
            .bind(detail)
            .bind(expires_at.0)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn count_tokens(
        &mut self,
        account: i64,
        purpose: TokenPurpose,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM account_tokens WHERE account = ? AND purpose = ? AND expires_at > ?",
        )
        .bind(account)
        .bind(purpose.as_str())
        .bind(now.0)
        .fetch_one(&mut *self.connection)
        .await?;
        Ok(count)
    }

    pub(crate) async fn drop_tokens(&mut self, account: i64, purpose: TokenPurpose) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM account_tokens WHERE account = ? AND purpose = ?")
            .bind(account)
            .bind(purpose.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn token(
        &mut self,
        hash: [u8; 32],
        purpose: TokenPurpose,
        now: Timestamp,
    ) -> Result<Option<(AccountRow, String)>, StoreError> {
        let row =
            sqlx::query("SELECT account, detail FROM account_tokens WHERE hash = ? AND purpose = ? AND expires_at > ?")
                .bind(&hash[..])
                .bind(purpose.as_str())
                .bind(now.0)
                .fetch_optional(&mut *self.connection)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let detail = row.try_get("detail")?;
        let account = self.account(row.try_get("account")?).await?;
        let account = account.filter(|account| account.disabled_at.is_none());
        Ok(account.map(|account| (account, detail)))
    }

    pub(crate) async fn put_recovery_codes(&mut self, account: i64, hashes: &[[u8; 32]]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM recovery_codes WHERE account = ?")
            .bind(account)
            .execute(&mut *self.connection)
            .await?;
        for hash in hashes {
            sqlx::query("INSERT INTO recovery_codes (hash, account) VALUES (?, ?)")
                .bind(&hash[..])
                .bind(account)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn take_recovery_code(&mut self, account: i64, hash: [u8; 32]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM recovery_codes WHERE hash = ? AND account = ?")
            .bind(&hash[..])
            .bind(account)
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn count_recovery_codes(&mut self, account: i64) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM recovery_codes WHERE account = ?")
            .bind(account)
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(count)
    }
}
