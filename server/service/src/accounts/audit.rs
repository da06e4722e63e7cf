//! The audit log: who changed what, from where.
//!
//! The line is committed before the change is begun: a change that nobody can be asked about cannot be, not even when the
//! server is killed in between. How it went is added afterwards; a change that was refused leaves no line.

use std::net::IpAddr;

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::letters::{self, Notice, Occasion};
use bitpro_store::people::{AccountRow, AuditRow};
use bitpro_store::{StoreError, Tx};

use super::{Accounts, AuditLine};

/// A line whose outcome is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun(i64);

/// The longest description of a change, in characters.
const DETAIL_CHARS: usize = 500;

impl Accounts {
    /// Notes that `who` is about to do `action`.
    pub async fn begin_change(
        &self,
        merchant: Option<MerchantId>,
        account: Option<i64>,
        who: &str,
        action: &str,
        client: &str,
    ) -> Result<Begun, StoreError> {
        let now = self.charges.now();
        let (who, action, client) = (who.to_owned(), action.to_owned(), client.to_owned());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let row = AuditRow {
                        merchant: merchant.and_then(|id| tx.memory().merchant_row(id)),
                        account,
                        who,
                        action,
                        detail: String::new(),
                        client,
                        at: now,
                        outcome: None,
                    };
                    Ok(Begun(tx.people().await?.add_audit(&row).await?))
                })
            })
            .await
    }

    /// Notes how it went: `Some` says what was changed, `None` that nothing was, unless the change itself has noted it.
    pub async fn end_change(&self, begun: Begun, detail: Option<String>) -> Result<(), StoreError> {
        self.store
            .write(move |tx| Box::pin(async move { end(tx, begun, detail.as_deref()).await }))
            .await
    }

    /// The log of a merchant before the line `before`, the newest first.
    pub async fn changes(
        &self,
        merchant: MerchantId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let mut reader = self.store.people().await?;
        reader.audit_of(merchant, before.unwrap_or(i64::MAX), limit).await
    }

    /// Notes in a unit what a person did to their own account.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        account: Option<i64>,
        who: &str,
        action: &str,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = AuditRow {
            merchant: None,
            account,
            who: who.to_owned(),
            action: action.to_owned(),
            detail: String::new(),
            client: client.to_string(),
            at: now,
            outcome: Some("done".to_owned()),
        };
        tx.people().await?.add_audit(&row).await?;
        Ok(())
    }

    /// Tells a mailbox of a sensitive change.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx,
        account: &AccountRow,
        notice: Notice<'_>,
        client: impl ToString,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let language = super::language_of(&account.language);
        let memberships = tx.people().await?.memberships(account.num).await?;
        let occasion = Occasion {
            when: now,
            zone: &self.own_zone(&memberships),
            client: &client.to_string(),
        };
        let letter = letters::notice(language, &account.email, &account.name, notice, occasion);
        tx.post(&letter).await
    }
}

/// Notes in a unit how a change went.
pub(super) async fn end(tx: &mut Tx, begun: Begun, detail: Option<&str>) -> Result<(), StoreError> {
    let mut people = tx.people().await?;
    match detail {
        Some(detail) => {
            let detail: String = detail.chars().take(DETAIL_CHARS).collect();
            people.end_audit(begun.0, &detail, "done").await
        }
        None => people.drop_audit(begun.0).await,
    }
}
