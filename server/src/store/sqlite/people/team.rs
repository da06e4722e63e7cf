//! Who belongs to a merchant, and who is invited.

use bitpro_charge::{MerchantId, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::People;
use crate::merchant::Role;
use crate::store::StoreError;
use crate::store::sqlite::fixed;

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberRow {
    pub(crate) account: i64,
    pub(crate) id: [u8; 16],
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) role: Role,
    pub(crate) since: Timestamp,
    /// Whether they have a second factor.
    pub(crate) has_factor: bool,
    /// Whether the operator has blocked their account.
    pub(crate) is_disabled: bool,
}

/// An account's part in one merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) merchant: MerchantId,
    pub(crate) role: Role,
    /// Whether the merchant's owners require a second factor of the whole team.
    pub(crate) needs_factor: bool,
}

/// Somebody who was invited and has not come yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invitation {
    pub(crate) id: [u8; 16],
    pub(crate) merchant: MerchantId,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) expires_at: Timestamp,
}

fn role(text: &str) -> Result<Role, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Damaged(format!("the role {text:?} is unknown")))
}

fn invitation(row: &SqliteRow) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: fixed(row.try_get("id")?)?,
        merchant: MerchantId(fixed(row.try_get("merchant_id")?)?),
        email: row.try_get("email")?,
        role: role(row.try_get("role")?)?,
        expires_at: Timestamp(row.try_get("expires_at")?),
    })
}

/// An invitation counts as long as who sent it may invite: it must not outlive their part in the team.
const INVITATION: &str = "SELECT i.id, m.id AS merchant_id, i.email, i.role, i.expires_at FROM invitations i \
                          JOIN merchants m ON m.num = i.merchant \
                          JOIN members e ON e.merchant = i.merchant AND e.account = i.invited_by AND e.role = 'owner' \
                          JOIN accounts a ON a.num = i.invited_by AND a.disabled_at IS NULL";

impl People<'_> {
    /// The team of a merchant, owners first.
    pub(crate) async fn members(&mut self, merchant: MerchantId) -> Result<Vec<MemberRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.num, a.id, a.email, a.name, a.language, e.role, e.since, \
             a.totp IS NOT NULL OR EXISTS (SELECT 1 FROM passkeys p WHERE p.account = a.num), a.disabled_at IS NOT NULL \
             FROM members e \
             JOIN accounts a ON a.num = e.account JOIN merchants m ON m.num = e.merchant WHERE m.id = ? \
             ORDER BY e.role <> 'owner', e.since, a.num",
        )
        .bind(&merchant.0[..])
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(MemberRow {
                    account: row.try_get(0)?,
                    id: fixed(row.try_get(1)?)?,
                    email: row.try_get(2)?,
                    name: row.try_get(3)?,
                    language: row.try_get(4)?,
                    role: role(row.try_get(5)?)?,
                    since: Timestamp(row.try_get(6)?),
                    has_factor: row.try_get(7)?,
                    is_disabled: row.try_get(8)?,
                })
            })
            .collect()
    }

    /// The merchants that an account belongs to, the oldest part first.
    pub(crate) async fn memberships(&mut self, account: i64) -> Result<Vec<Membership>, StoreError> {
        let rows = sqlx::query(
            "SELECT m.id, e.role, EXISTS (SELECT 1 FROM factor_rules f WHERE f.merchant = m.num) FROM members e \
             JOIN merchants m ON m.num = e.merchant WHERE e.account = ? \
             ORDER BY e.since, m.num",
        )
        .bind(account)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Membership {
                    merchant: MerchantId(fixed(row.try_get(0)?)?),
                    role: role(row.try_get(1)?)?,
                    needs_factor: row.try_get(2)?,
                })
            })
            .collect()
    }

    /// Whether a merchant's owners require a second factor of the whole team.
    pub(crate) async fn has_factor_rule(&mut self, merchant: MerchantId) -> Result<bool, StoreError> {
        let has = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM factor_rules f JOIN merchants m ON m.num = f.merchant WHERE m.id = ?)",
        )
        .bind(&merchant.0[..])
        .fetch_one(&mut *self.connection)
        .await?;
        Ok(has)
    }

    /// Makes that so from `since` on, or no more.
    pub(crate) async fn put_factor_rule(&mut self, merchant: i64, since: Option<Timestamp>) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM factor_rules WHERE merchant = ?")
            .bind(merchant)
            .execute(&mut *self.connection)
            .await?;
        if let Some(since) = since {
            sqlx::query("INSERT INTO factor_rules (merchant, since) VALUES (?, ?)")
                .bind(merchant)
                .bind(since.0)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// Makes an account a member, or gives it another role.
    pub(crate) async fn put_member(
        &mut self,
        merchant: i64,
        account: i64,
        role: Role,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO members (merchant, account, role, since) VALUES (?, ?, ?, ?) \
             ON CONFLICT (merchant, account) DO UPDATE SET role = excluded.role",
        )
        .bind(merchant)
        .bind(account)
        .bind(role.as_str())
        .bind(since.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Takes an account out of a team.
    pub(crate) async fn drop_member(&mut self, merchant: i64, account: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM members WHERE merchant = ? AND account = ?")
            .bind(merchant)
            .bind(account)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Those who are invited to a merchant and have not come yet.
    pub(crate) async fn invitations(
        &mut self,
        merchant: MerchantId,
        now: Timestamp,
    ) -> Result<Vec<Invitation>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{INVITATION} WHERE m.id = ? AND i.expires_at > ? ORDER BY i.email"
        )))
        .bind(&merchant.0[..])
        .bind(now.0)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(invitation).collect()
    }

    /// The invitation whose link has this hash, while it counts.
    pub(crate) async fn invitation(
        &mut self,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{INVITATION} WHERE i.hash = ? AND i.expires_at > ?"
        )))
        .bind(&hash[..])
        .bind(now.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(invitation).transpose()
    }

    /// Stores an invitation in the place of one of the same address.
    pub(crate) async fn put_invitation(
        &mut self,
        merchant: i64,
        invitation: &Invitation,
        hash: [u8; 32],
        invited_by: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM invitations WHERE merchant = ? AND email = ?")
            .bind(merchant)
            .bind(&invitation.email)
            .execute(&mut *self.connection)
            .await?;
        sqlx::query(
            "INSERT INTO invitations (id, hash, merchant, email, role, invited_by, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&invitation.id[..])
        .bind(&hash[..])
        .bind(merchant)
        .bind(&invitation.email)
        .bind(invitation.role.as_str())
        .bind(invited_by)
        .bind(invitation.expires_at.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Takes back what an account has sent of a merchant's invitations; the addresses that were invited.
    pub(crate) async fn drop_invitations_by(&mut self, merchant: i64, account: i64) -> Result<Vec<String>, StoreError> {
        let mut emails: Vec<String> =
            sqlx::query_scalar("DELETE FROM invitations WHERE merchant = ? AND invited_by = ? RETURNING email")
                .bind(merchant)
                .bind(account)
                .fetch_all(&mut *self.connection)
                .await?;
        emails.sort_unstable();
        Ok(emails)
    }

    /// Takes an invitation back, or ends one that was accepted; whether there was one.
    pub(crate) async fn drop_invitation(&mut self, merchant: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM invitations WHERE merchant = ? AND id = ?")
            .bind(merchant)
            .bind(&id[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
