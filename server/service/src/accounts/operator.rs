//! What an operator does to accounts. Each action is in the audit log, and the person gets a letter.

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::Role;
use bitpro_merchant::letters::{self, Notice};
use bitpro_store::people::{AccountRow, AuditRow};
use bitpro_store::{StoreError, Tx};

use super::leaving::Leaver;
use super::notices::{Part, Whence};
use super::signup::merchant_row;
use super::team::{is_other_owner, name_of};
use super::{AccountError, Accounts, Email, LINK_HOURS, MemberRow, language_of};

/// What stands in the log in the place of a person's address.
pub(super) const WHO: &str = "bitpro";
/// What stands in the place of a client's address.
const FROM: &str = "command line";

impl Accounts {
    /// Takes all second factors and recovery codes from an account, and ends its sessions.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::NoFactor`], or the database's.
    pub async fn reset_factor(&self, email: &Email) -> Result<(), AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut account = known(tx, &email).await?;
                    // They would be told that something was taken from them which they never had.
                    if !account.has_factor() {
                        return Err(AccountError::NoFactor);
                    }
                    account.totp = None;
                    account.totp_step = None;
                    this.shut(tx, account.clone()).await?;
                    tx.people().await?.drop_factors(account.num).await?;
                    this.operated(tx, &account, "account/reset-factor", now).await?;
                    this.tell_of_operator(tx, &account, Notice::FactorReset, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// A new link to choose a password, which is sent as well.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::NotApproved`], [`AccountError::Blocked`], or the database's.
    pub async fn new_link(&self, email: &Email) -> Result<String, AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let account = known(tx, &email).await?;
                    if account.approved_at.is_none() {
                        return Err(AccountError::NotApproved);
                    }
                    if account.disabled_at.is_some() {
                        return Err(AccountError::Blocked);
                    }
                    let url = this.password_link(tx, &account, true, now).await?;
                    let url = url.ok_or(AccountError::UnknownLink)?;
                    let language = language_of(&account.language);
                    let letter = match account.password {
                        Some(_) => letters::link_of_operator(language, &account.email, &account.name, &url, LINK_HOURS),
                        None => letters::choose_password(language, &account.email, &account.name, &url, LINK_HOURS),
                    };
                    tx.post(&letter).await?;
                    this.operated(tx, &account, "account/link", now).await?;
                    Ok(url)
                })
            })
            .await
    }

    /// Blocks an account: its sessions end, and nobody gets in with it. `even_only_owner` leaves merchants without an owner who
    /// can.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::NotApproved`], [`AccountError::Blocked`],
    /// [`AccountError::OnlyOwnerBlocked`], or the database's.
    pub async fn disable(&self, email: &Email, even_only_owner: bool) -> Result<(), AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut account = known(tx, &email).await?;
                    if account.approved_at.is_none() {
                        return Err(AccountError::NotApproved);
                    }
                    if account.disabled_at.is_some() {
                        return Err(AccountError::Blocked);
                    }
                    if !even_only_owner {
                        spared(tx, &account).await.map_err(|error| match error {
                            AccountError::OnlyOwner(orphans) => AccountError::OnlyOwnerBlocked(orphans),
                            error => error,
                        })?;
                    }
                    account.disabled_at = Some(now);
                    this.shut(tx, account.clone()).await?;
                    this.operated(tx, &account, "account/disable", now).await?;
                    this.end_with_account(tx, &account, now).await?;
                    this.tell_of_operator(tx, &account, Notice::Disabled, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Blocks an account no more.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::NotBlocked`], or the database's.
    pub async fn enable(&self, email: &Email) -> Result<(), AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut account = known(tx, &email).await?;
                    if account.disabled_at.take().is_none() {
                        return Err(AccountError::NotBlocked);
                    }
                    tx.people().await?.put_account(&account).await?;
                    this.operated(tx, &account, "account/enable", now).await?;
                    for part in tx.people().await?.memberships(account.num).await? {
                        let merchant = &name_of(tx, part.merchant);
                        let member = account.email.as_str();
                        let notice = Notice::MemberEnabled { merchant, member };
                        this.tell_other_owners(tx, part.merchant, member, notice, now).await?;
                    }
                    this.tell_of_operator(tx, &account, Notice::Enabled, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Refuses a request for an account, which is deleted.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::Approved`], or the database's.
    pub async fn reject(&self, email: &Email) -> Result<(), AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let account = known(tx, &email).await?;
                    if account.approved_at.is_some() {
                        return Err(AccountError::Approved);
                    }
                    this.operated(tx, &account, "account/reject", now).await?;
                    let language = language_of(&account.language);
                    let letter = letters::rejected(language, &account.email, &account.name);
                    tx.post(&letter).await?;
                    Ok(tx.people().await?.remove_account(account.num).await?)
                })
            })
            .await
    }

    /// Removes an account from all teams and from here. The merchants stay.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::NotApproved`], [`AccountError::OnlyOwner`], or the database's.
    pub async fn remove_account(&self, email: &Email) -> Result<(), AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let account = known(tx, &email).await?;
                    if account.approved_at.is_none() {
                        return Err(AccountError::NotApproved);
                    }
                    spared(tx, &account).await?;
                    this.operated(tx, &account, "account/remove", now).await?;
                    this.tell_of_operator(tx, &account, Notice::AccountRemoved, now).await?;
                    let parts = tx.people().await?.memberships(account.num).await?;
                    for part in &parts {
                        let team = tx.people().await?.members(part.merchant).await?;
                        let (merchant, whence) = (part.merchant, Whence::CommandLine);
                        let row = merchant_row(tx, merchant)?;
                        tx.people().await?.drop_member(row, account.num).await?;
                        let loss = this.end_with_part(tx, merchant, gone(&account), whence, now).await?;
                        let part = Part::of(merchant, None).with(&loss);
                        this.tell_owners(tx, part, &team, &account.email, whence, now).await?;
                    }
                    Ok(tx.people().await?.remove_account(account.num).await?)
                })
            })
            .await
    }

    /// Ends what must not outlive somebody's part in every team, for somebody who can get in no more, and tells the owners.
    async fn end_with_account(&self, tx: &mut Tx, account: &AccountRow, now: Timestamp) -> Result<(), StoreError> {
        let whence = Whence::CommandLine;
        for part in tx.people().await?.memberships(account.num).await? {
            let loss = self
                .end_with_part(tx, part.merchant, gone(account), whence, now)
                .await?;
            let notice = Notice::MemberDisabled {
                merchant: &name_of(tx, part.merchant),
                member: &account.email,
                invitations: &loss.invitations,
                keys: &loss.keys,
            };
            self.tell_other_owners(tx, part.merchant, &account.email, notice, now)
                .await?;
        }
        Ok(())
    }

    /// Tells a merchant's owners what the operator did to the account of `member`, who is told by a letter of their own.
    async fn tell_other_owners(
        &self,
        tx: &mut Tx,
        merchant: MerchantId,
        member: &str,
        notice: Notice<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let team = tx.people().await?.members(merchant).await?;
        let others = team
            .iter()
            .filter(|other| other.role == Role::Owner && other.email != member);
        let others: Vec<&MemberRow> = others.collect();
        self.notify(tx, merchant, &others, notice, Whence::CommandLine, now)
            .await
    }

    /// Stores an account whose sessions, links and known browsers count no more.
    async fn shut(&self, tx: &mut Tx, mut account: AccountRow) -> Result<(), StoreError> {
        use bitpro_store::people::TokenPurpose::{Email, Password};
        account.device_epoch += 1;
        let mut people = tx.people().await?;
        people.put_account(&account).await?;
        people.drop_tokens(account.num, Password).await?;
        people.drop_tokens(account.num, Email).await?;
        people.end_sessions(account.num).await
    }

    /// Notes what was done: once for the account, and in the log of each merchant to whose team it belongs.
    async fn operated(
        &self,
        tx: &mut Tx,
        account: &AccountRow,
        action: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let parts = tx.people().await?.memberships(account.num).await?;
        let mut merchants: Vec<Option<i64>> = vec![None];
        for part in &parts {
            merchants.push(Some(merchant_row(tx, part.merchant)?));
        }
        for merchant in merchants {
            let line = AuditRow {
                merchant,
                account: Some(account.num),
                who: WHO.to_owned(),
                action: action.to_owned(),
                detail: account.email.clone(),
                client: FROM.to_owned(),
                at: now,
                outcome: Some("done".to_owned()),
            };
            tx.people().await?.add_audit(&line).await?;
        }
        Ok(())
    }

    async fn tell_of_operator(
        &self,
        tx: &mut Tx,
        account: &AccountRow,
        notice: Notice<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let place = Whence::CommandLine.said(language_of(&account.language));
        self.tell(tx, account, notice, place, now).await
    }
}

/// Somebody who can act in no team any more.
fn gone(account: &AccountRow) -> Leaver<'_> {
    Leaver {
        account: account.num,
        email: &account.email,
        stays: None,
    }
}

async fn known(tx: &mut Tx, email: &Email) -> Result<AccountRow, AccountError> {
    let account = tx.people().await?.account_of(email.as_str()).await?;
    account.ok_or(AccountError::UnknownAccount)
}

/// An error that names the merchants that would be left without an owner who can get in.
async fn spared(tx: &mut Tx, account: &AccountRow) -> Result<(), AccountError> {
    let parts = tx.people().await?.memberships(account.num).await?;
    let mut orphans: Vec<MerchantId> = Vec::new();
    for part in parts.iter().filter(|part| part.role == Role::Owner) {
        let team = tx.people().await?.members(part.merchant).await?;
        if !team.iter().any(|member| is_other_owner(member, account.num)) {
            orphans.push(part.merchant);
        }
    }
    match orphans.is_empty() {
        true => Ok(()),
        false => Err(AccountError::OnlyOwner(orphans)),
    }
}
