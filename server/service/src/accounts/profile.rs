//! What people do to their own account: password, address, name, language, sessions.

use std::net::IpAddr;

use bitpro_charge::MerchantId;
use bitpro_merchant::letters::{self, Notice};
use bitpro_merchant::{Language, Zone};
use bitpro_store::StoreError;
use bitpro_store::people::TokenPurpose;

use super::factor::present;
use super::{
    AccountError, Accounts, Email, Entered, IDLE_SECS, LINK_HOURS, Login, Membership, SessionRow, Token, Visitor,
    before, check_password, evenly, language_of,
};

impl Accounts {
    /// Changes the password of somebody who is logged in. Every session ends, and one begins.
    pub async fn change_password(
        &self,
        login: &Login,
        password: String,
        visitor: Visitor,
    ) -> Result<Entered, AccountError> {
        let account = &login.account;
        check_password(&password, &[&account.email, &account.name, &account.company])?;
        self.budgets.password(account.num, self.charges.now())?;
        let hash = self.passwords.hash(password, self.charges.random()).await?;
        let (this, num, now) = (self.clone(), account.num, self.charges.now());
        let token = Token::new(self.charges.rng());
        let mut session = self.session_row(account, &token, &visitor, now);
        session.factor_at = login.session.factor_at;
        let here = visitor.clone();
        let account = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let account = present(tx, num).await?;
                    this.set_password(tx, account, hash, &session, visitor.client, now)
                        .await
                })
            })
            .await?;
        Ok(Entered {
            token,
            needs_code: false,
            marks: Some(self.marked(&account, &here)),
        })
    }

    /// Changes name and language.
    pub async fn change_name(&self, login: &Login, name: String, language: Language) -> Result<(), AccountError> {
        let num = login.account.num;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut account = present(tx, num).await?;
                    account.name = name;
                    account.language = language.as_str().to_owned();
                    Ok(tx.people().await?.put_account(&account).await?)
                })
            })
            .await
    }

    /// Sends a link to a new address: the account moves there when the link is opened.
    pub async fn ask_email(&self, login: &Login, email: &Email, client: IpAddr) -> Result<(), AccountError> {
        let now = self.charges.now();
        self.budgets.sent(login.account.num, email, now)?;
        let (this, num, email) = (self.clone(), login.account.num, email.clone());
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                let account = present(tx, num).await?;
                let language = language_of(&account.language);
                // The old mailbox hears of it while something can be done about it.
                let notice = Notice::EmailAsked { new: email.as_str() };
                this.tell(tx, &account, notice, client, now).await?;
                let mut people = tx.people().await?;
                // Whoever asks learns nothing: the mailbox of an address that is taken is told, and no other.
                if people.account_of(email.as_str()).await?.is_some() {
                    let login = format!("{}/login", this.origin);
                    let letter = letters::already_here(language, email.as_str(), &account.name, &login);
                    return Ok(tx.post(&letter).await?);
                }
                let token = Token::new(this.charges.rng());
                let end = now.plus_secs(LINK_HOURS * 60 * 60);
                people
                    .put_token(num, TokenPurpose::Email, token.hash(), email.as_str(), end, 0)
                    .await?;
                let url = this.link("/email", &token);
                let letter = letters::confirm_email(language, email.as_str(), &account.name, &url, LINK_HOURS);
                Ok(tx.post(&letter).await?)
            })
        });
        evenly(work).await
    }

    /// Moves an account to the address that the link of a letter was sent to. The new address.
    ///
    /// # Errors
    /// [`AccountError::UnknownLink`], [`AccountError::Taken`], or the database's.
    pub async fn change_email(&self, link: Token, client: IpAddr) -> Result<String, AccountError> {
        let (this, now) = (self.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut people = tx.people().await?;
                    let found = people.token(link.hash(), TokenPurpose::Email, now).await?;
                    let (mut account, email) = found.ok_or(AccountError::UnknownLink)?;
                    if people.account_of(&email).await?.is_some() {
                        return Err(AccountError::Taken);
                    }
                    let former = account.clone();
                    account.email.clone_from(&email);
                    people.put_account(&account).await?;
                    people.drop_tokens(account.num, TokenPurpose::Email).await?;
                    people.drop_tokens(account.num, TokenPurpose::Password).await?;
                    this.rename_asker(tx, account.num, &former.email, &email).await?;
                    this.note(tx, Some(account.num), &former.email, "email", client, now)
                        .await?;
                    let notice = Notice::EmailChanged { new: &email };
                    this.tell(tx, &former, notice, client, now).await?;
                    Ok(email)
                })
            })
            .await
    }

    /// The address that the link of a letter would move an account to.
    ///
    /// # Errors
    /// [`AccountError::UnknownLink`], or the database's.
    pub async fn email_of(&self, link: &Token) -> Result<String, AccountError> {
        let now = self.charges.now();
        let mut reader = self.store.people().await?;
        let found = reader.token(link.hash(), TokenPurpose::Email, now).await?;
        Ok(found.ok_or(AccountError::UnknownLink)?.1)
    }

    /// The account's sessions, the latest used first.
    pub async fn sessions(&self, login: &Login) -> Result<Vec<SessionRow>, StoreError> {
        let seen = before(self.charges.now(), IDLE_SECS);
        let mut reader = self.store.people().await?;
        reader.sessions_of(login.account.num, seen).await
    }

    /// Ends one of the account's sessions.
    pub async fn end_session(&self, login: &Login, id: [u8; 16]) -> Result<bool, StoreError> {
        let num = login.account.num;
        self.store
            .write(move |tx| Box::pin(async move { tx.people().await?.revoke_session(num, id).await }))
            .await
    }

    /// Ends all of the account's sessions but this one; all other browsers that were known are so no more. What the cookie of
    /// this one is to hold.
    pub async fn end_other_sessions(&self, login: &Login, visitor: &Visitor) -> Result<String, AccountError> {
        let (num, hash) = (login.account.num, login.session.hash);
        let account = self.store.write(move |tx| {
            Box::pin(async move {
                let mut account = present(tx, num).await?;
                account.device_epoch += 1;
                let mut people = tx.people().await?;
                people.put_account(&account).await?;
                people.end_other_sessions(num, hash).await?;
                Ok::<_, AccountError>(account)
            })
        });
        Ok(self.marked(&account.await?, visitor))
    }

    /// The merchants that an account belongs to.
    pub async fn memberships(&self, account: i64) -> Result<Vec<Membership>, StoreError> {
        let mut reader = self.store.people().await?;
        reader.memberships(account).await
    }

    /// The zone of a merchant's clock.
    pub(super) fn zone_of(&self, merchant: MerchantId) -> Zone {
        let merchant = self.charges.merchant(merchant);
        merchant
            .map(|merchant| merchant.settings.time_zone.clone())
            .unwrap_or_default()
    }

    /// The zone in which pages tell somebody of their own account.
    pub async fn account_zone(&self, account: i64) -> Result<Zone, StoreError> {
        Ok(self.own_zone(&self.memberships(account).await?))
    }

    /// The same of known memberships: that of the merchant to whom they have belonged longest.
    pub(super) fn own_zone(&self, memberships: &[Membership]) -> Zone {
        let first = memberships.first();
        first.map(|first| self.zone_of(first.merchant)).unwrap_or_default()
    }
}
