//! What must not outlive somebody's part in a team: a wallet that they asked for, and people whom they invited. Keys that they made go
//! on working, for the shop's programs use them; the owners are told which.

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::{Permission, Role};
use bitpro_store::people::AuditRow;
use bitpro_store::{StoreError, Tx};

use super::notices::Whence;
use super::operator::WHO;
use super::signup::merchant_row;
use super::{Accounts, MemberRow};

/// Who loses a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaver<'a> {
    pub(super) account: i64,
    pub(super) email: &'a str,
    /// What they may be from now on; `None` when they can act no more.
    pub(super) stays: Option<Role>,
}

impl<'a> Leaver<'a> {
    /// A member whose part becomes `stays`.
    pub(super) fn of(member: &'a MemberRow, stays: Option<Role>) -> Self {
        Self {
            account: member.account,
            email: &member.email,
            stays,
        }
    }
}

/// What ended with somebody's part, and what did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loss {
    /// The addresses that they had invited; the invitations are withdrawn.
    pub(super) invitations: String,
    /// The keys that they know, and that still work.
    pub(super) keys: String,
}

impl Accounts {
    /// Ends what must not outlive somebody's part in one team. Their part is what it will be already.
    pub(super) async fn end_with_part(
        &self,
        tx: &mut Tx,
        merchant: MerchantId,
        leaver: Leaver<'_>,
        whence: Whence,
        now: Timestamp,
    ) -> Result<Loss, StoreError> {
        let may = |permission| leaver.stays.is_some_and(|role| role.may(permission));
        let row = merchant_row(tx, merchant)?;
        let mut loss = Loss::default();
        self.withdraw_if_asker_gone(tx, merchant, whence).await?;
        if !may(Permission::Team) {
            let emails = tx.people().await?.drop_invitations_by(row, leaver.account).await?;
            loss.invitations = emails.join(", ");
        }
        if !loss.invitations.is_empty() {
            // Whom the operator took the account from did not do it.
            let (who, detail) = match whence {
                Whence::CommandLine => (WHO, format!("{}: {}", leaver.email, loss.invitations)),
                Whence::Client(_) | Whence::Server => (leaver.email, loss.invitations.clone()),
            };
            let line = AuditRow {
                merchant: Some(row),
                account: None,
                who: who.to_owned(),
                action: "team/invitations/withdrawn".to_owned(),
                detail,
                client: whence.noted(),
                at: now,
                outcome: Some("done".to_owned()),
            };
            tx.people().await?.add_audit(&line).await?;
        }
        if !may(Permission::Keys) {
            let made = tx.people().await?.keys_made_by(row, leaver.account).await?;
            let keys = tx.memory().keys().values();
            let alive = keys.filter(|key| key.merchant == merchant && key.revoked_at.is_none());
            let theirs = alive.filter(|key| {
                let id = key.id.to_string();
                made.iter().any(|named| named.starts_with(&id))
            });
            let mut names: Vec<&str> = theirs.map(|key| key.name.as_str()).collect();
            names.sort_unstable();
            loss.keys = names.join(", ");
        }
        Ok(loss)
    }
}
