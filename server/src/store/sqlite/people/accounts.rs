//! Accounts, their second factor, and links in letters.

use bitpro_charge::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::People;
use crate::merchant::Language;
use crate::store::StoreError;
use crate::store::sqlite::fixed;

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountRow {
    pub(crate) num: i64,
    pub(crate) id: [u8; 16],
    /// In lower case.
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) company: String,
    pub(crate) site: String,
    pub(crate) language: String,
    pub(crate) approved_at: Option<Timestamp>,
    /// In PHC form.
    pub(crate) password: Option<String>,
    /// Sealed.
    pub(crate) totp: Option<Vec<u8>>,
    pub(crate) totp_step: Option<i64>,
    /// Whether it has at least one passkey; not written with the rest.
    pub(crate) has_passkey: bool,
    /// Counts up when the browsers that have logged in are to be known no more.
    pub(crate) device_epoch: i64,
    /// Whether the merchant that was asked for is made with the first password.
    pub(crate) wants_merchant: bool,
    /// When the operator blocked it.
    pub(crate) disabled_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

impl AccountRow {
    /// An account of which nothing but its address is known, and which nobody has let in.
    pub(crate) fn new(id: [u8; 16], email: String, created_at: Timestamp) -> Self {
        Self {
            num: 0,
            id,
            email,
            name: String::new(),
            company: String::new(),
            site: String::new(),
            language: Language::En.as_str().to_owned(),
            approved_at: None,
            password: None,
            totp: None,
            totp_step: None,
            has_passkey: false,
            device_epoch: 0,
            wants_merchant: false,
            disabled_at: None,
            created_at,
        }
    }

    /// Whether its person may get in: the operator has let them in, and has not blocked them since.
    pub(crate) const fn is_open(&self) -> bool {
        self.approved_at.is_some() && self.disabled_at.is_none()
    }

    /// Whether the password alone opens nothing: there is an authenticator app, or a passkey.
    pub(crate) const fn has_factor(&self) -> bool {
        self.totp.is_some() || self.has_passkey
    }
}

/// What a link in a letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenPurpose {
    /// To choose a password.
    Password,
    /// To show that a new address is one's own.
    Email,
}

impl TokenPurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
        }
    }
}

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
    /// The account with this address.
    pub(crate) async fn account_of(&mut self, email: &str) -> Result<Option<AccountRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {ACCOUNT} FROM accounts a WHERE a.email = ?"
        )))
        .bind(email)
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(account).transpose()
    }

    /// The account in this row.
    pub(crate) async fn account(&mut self, num: i64) -> Result<Option<AccountRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {ACCOUNT} FROM accounts a WHERE a.num = ?"
        )))
        .bind(num)
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(account).transpose()
    }

    /// All accounts, the oldest first.
    pub(crate) async fn accounts(&mut self) -> Result<Vec<AccountRow>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {ACCOUNT} FROM accounts a ORDER BY a.num"
        )))
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(account).collect()
    }

    /// Adds an account, whatever `num` says; its row.
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

    /// How many accounts wait to be approved, or for the password that shows that their mailbox was opened.
    pub(crate) async fn count_requests(&mut self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM accounts WHERE password IS NULL AND (approved_at IS NULL OR wants_merchant)",
        )
        .fetch_one(&mut *self.connection)
        .await?;
        Ok(count)
    }

    /// Those that were asked for by `asked_by` and not approved since, and those that were let in by themselves by `opened_by`
    /// and belong to nobody who has shown who they are.
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

    /// How many requests the operator was not told of, and the `limit` oldest of them.
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

    /// When the operator was last told of requests.
    pub(crate) async fn last_told(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar("SELECT MAX(told_at) FROM accounts")
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(at.map(Timestamp))
    }

    /// Notes that the operator was told of all requests.
    pub(crate) async fn note_told(&mut self, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE accounts SET told_at = ? WHERE approved_at IS NULL AND told_at IS NULL")
            .bind(at.0)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Removes an account with all that is its own. What it did stays in the log, where it is named.
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

    /// Takes all second factors from an account.
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

    /// Stores what can change of an account.
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

    /// Stores a link of a letter beside those for the same purpose that were sent before, of which the `kept` newest stay.
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

    /// How many links of letters count for a purpose.
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

    /// Takes back the links of letters for a purpose.
    pub(crate) async fn drop_tokens(&mut self, account: i64, purpose: TokenPurpose) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM account_tokens WHERE account = ? AND purpose = ?")
            .bind(account)
            .bind(purpose.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Whose link this is, and its detail, while it counts; none counts for somebody who is blocked.
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
        let detail = row.try_get(1)?;
        let account = self.account(row.try_get(0)?).await?;
        let account = account.filter(|account| account.disabled_at.is_none());
        Ok(account.map(|account| (account, detail)))
    }

    /// Exactly these codes count from now on.
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

    /// Takes a recovery code; whether it counted.
    pub(crate) async fn take_recovery_code(&mut self, account: i64, hash: [u8; 32]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM recovery_codes WHERE hash = ? AND account = ?")
            .bind(&hash[..])
            .bind(account)
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// How many recovery codes still count.
    pub(crate) async fn count_recovery_codes(&mut self, account: i64) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM recovery_codes WHERE account = ?")
            .bind(account)
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(count)
    }
}
