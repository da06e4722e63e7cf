//! Who belongs to a merchant, and who is invited.

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::Role;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::People;
use crate::StoreError;
use crate::people::{Invitation, MemberRow, Membership};
use crate::sqlite::fixed;

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
    pub(crate) async fn members(&mut self, merchant: MerchantId) -> Result<Vec<MemberRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.num, a.id, a.email, a.name, a.language, e.role, e.since, \
             a.totp IS NOT NULL OR EXISTS (SELECT 1 FROM passkeys p WHERE p.account = a.num) AS has_factor, \
             a.disabled_at IS NOT NULL AS is_disabled \
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
                    account: row.try_get("num")?,
                    id: fixed(row.try_get("id")?)?,
                    email: row.try_get("email")?,
                    name: row.try_get("name")?,
                    language: row.try_get("language")?,
                    role: role(row.try_get("role")?)?,
                    since: Timestamp(row.try_get("since")?),
                    has_factor: row.try_get("has_factor")?,
                    is_disabled: row.try_get("is_disabled")?,
                })
            })
            .collect()
    }

    pub(crate) async fn memberships(&mut self, account: i64) -> Result<Vec<Membership>, StoreError> {
        let rows = sqlx::query(
            "SELECT m.id, e.role, EXISTS (SELECT 1 FROM factor_rules f WHERE f.merchant = m.num) AS needs_factor FROM members e \
             JOIN merchants m ON m.num = e.merchant WHERE e.account = ? \
             ORDER BY e.since, m.num",
        )
        .bind(account)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Membership {
                    merchant: MerchantId(fixed(row.try_get("id")?)?),
                    role: role(row.try_get("role")?)?,
                    needs_factor: row.try_get("needs_factor")?,
                })
            })
            .collect()
    }

    pub(crate) async fn has_factor_rule(&mut self, merchant: MerchantId) -> Result<bool, StoreError> {
        let has = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM factor_rules f JOIN merchants m ON m.num = f.merchant WHERE m.id = ?)",
        )
        .bind(&merchant.0[..])
        .fetch_one(&mut *self.connection)
        .await?;
        Ok(has)
    }

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

    pub(crate) async fn drop_member(&mut self, merchant: i64, account: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM members WHERE merchant = ? AND account = ?")
            .bind(merchant)
            .bind(account)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

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

    pub(crate) async fn drop_invitation(&mut self, merchant: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM invitations WHERE merchant = ? AND id = ?")
            .bind(merchant)
            .bind(&id[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
