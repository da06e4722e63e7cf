//! Logging in and out, sessions, and the links of letters that lead to a password.

use std::net::IpAddr;

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::Permission;
use bitpro_merchant::letters::{self, Notice};
use bitpro_store::people::{AccountRow, TokenPurpose};
use bitpro_store::{StoreError, Tx};

use super::budgets::{Lane, Trial};
use super::factor::present;
use super::signup::{REQUEST_DAYS, UNOPENED_DAYS};
use super::{
    AccountError, Accounts, Email, IDLE_SECS, LINK_HOURS, Login, SESSION_SECS, SessionRow, Token, before,
    check_password, email, evenly, language_of,
};

/// Where somebody comes from, for the list of sessions.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The address.
    pub client: IpAddr,
    /// The accounts to which their browser is known, as their cookie says it.
    pub marks: String,
    /// The browser as it calls itself.
    pub agent: String,
}

/// A session that was begun.
#[derive(Debug, Clone)]
pub struct Entered {
    /// For the cookie.
    pub token: Token,
    /// Whether a code is to be asked for before anything is shown.
    pub needs_code: bool,
    /// For the other cookie: that the browser is known from now on. Nothing before the log-in is complete.
    pub marks: Option<String>,
}

/// A session's use is written so seldom, in seconds.
const NOTE_EVERY_SECS: u32 = 5 * 60;
/// How long the lines of the log are kept that concern a person and no merchant, in days.
pub(crate) const AUDIT_DAYS: u32 = 400;
/// The longest name of a browser that is kept, in characters.
const AGENT_CHARS: usize = 200;

impl Accounts {
    /// Begins a session for whoever knows the password. `former` is the session that the browser had, which ends.
    ///
    /// # Errors
    /// [`AccountError::WrongPassword`], in the same time whether there is such an account; [`AccountError::TooMany`].
    pub async fn enter(
        &self,
        email: &str,
        password: String,
        former: Option<Token>,
        visitor: Visitor,
    ) -> Result<Entered, AccountError> {
        let now = self.charges.now();
        // It stays in memory for a while, whatever was typed.
        let address: String = email.trim().to_lowercase().chars().take(email::LONGEST).collect();
        let lane = self.lane_at(email, &visitor).await?;
        self.budgets.attempt(lane, Trial::Password, &address, now)?;
        let account = self.account_at(email).await?.filter(AccountRow::is_open);
        let stored = account.as_ref().and_then(|account| account.password.clone());
        let is_right = self.passwords.is_right(lane, password, stored).await?;
        let account = account.filter(|_| is_right).ok_or(AccountError::WrongPassword)?;
        self.budgets.was_right(lane, Trial::Password, &address);
        self.begin(account, former, visitor, now).await
    }

    async fn begin(
        &self,
        account: AccountRow,
        former: Option<Token>,
        visitor: Visitor,
        now: Timestamp,
    ) -> Result<Entered, AccountError> {
        let (this, token) = (self.clone(), Token::new(self.charges.rng()));
        let (begun, here) = (token.clone(), visitor.clone());
        let known = self.store.write(move |tx| {
            Box::pin(async move {
                let known = present(tx, account.num).await?;
                // It was looked at before the slow hash. A change of the password has ended all sessions since: none may begin
                // by the old one, nor with an account that was blocked.
                if known.password != account.password || !known.is_open() {
                    return Err(AccountError::WrongPassword);
                }
                let session = this.session_row(&known, &begun, &visitor, now);
                let mut people = tx.people().await?;
                if let Some(former) = former {
                    people.end_session(former.hash()).await?;
                }
                people.add_session(&session).await?;
                if !known.has_factor() {
                    this.arrived(tx, &known, &visitor, now).await?;
                }
                Ok::<_, AccountError>(known)
            })
        });
        let known = known.await?;
        let needs_code = known.has_factor();
        Ok(Entered {
            token,
            needs_code,
            marks: (!needs_code).then(|| self.marked(&known, &here)),
        })
    }

    /// Tells the mailbox of an account that somebody has logged in to it with a browser that was not there before.
    pub(super) async fn arrived(
        &self,
        tx: &mut Tx,
        account: &AccountRow,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.mark_of(account, visitor).is_some() || !self.budgets.new_device(account.num, now) {
            return Ok(());
        }
        let agent: String = visitor.agent.chars().take(AGENT_CHARS).collect();
        let place = match agent.is_empty() {
            true => visitor.client.to_string(),
            false => format!("{}, {agent}", visitor.client),
        };
        self.tell(tx, account, Notice::NewDevice, &place, now).await
    }

    pub(super) fn session_row(
        &self,
        account: &AccountRow,
        token: &Token,
        visitor: &Visitor,
        now: Timestamp,
    ) -> SessionRow {
        SessionRow {
            hash: token.hash(),
            id: self.charges.random(),
            account: account.num,
            created_at: now,
            seen_at: now,
            confirmed_at: now,
            factor_at: None,
            client: visitor.client.to_string(),
            agent: visitor.agent.chars().take(AGENT_CHARS).collect(),
        }
    }

    /// Whose session this is, while it counts.
    ///
    /// # Errors
    /// The database's.
    pub async fn session(&self, token: &Token) -> Result<Option<Login>, StoreError> {
        let now = self.charges.now();
        let (begun, seen) = (before(now, SESSION_SECS), before(now, IDLE_SECS));
        let mut reader = self.store.people().await?;
        let login = reader.session(token.hash(), begun, seen).await?;
        drop(reader);
        let Some(login) = login else { return Ok(None) };
        if login.session.seen_at < before(now, NOTE_EVERY_SECS) {
            let hash = login.session.hash;
            self.store
                .write(move |tx| Box::pin(async move { tx.people().await?.note_seen(hash, now).await }))
                .await?;
        }
        Ok(Some(login))
    }

    /// Whether a session that was let in to a merchant's pages would be now. It is no use of the session, and keeps it from no end.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_still_in(
        &self,
        token: &Token,
        merchant: MerchantId,
        permission: Permission,
    ) -> Result<bool, StoreError> {
        let now = self.charges.now();
        let (begun, seen) = (before(now, SESSION_SECS), before(now, IDLE_SECS));
        let mut people = self.store.people().await?;
        let Some(Login { session, account }) = people.session(token.hash(), begun, seen).await? else {
            return Ok(false);
        };
        let has_factor = account.has_factor();
        if has_factor && session.factor_at.is_none() {
            return Ok(false);
        }
        let parts = people.memberships(account.num).await?;
        let part = parts.iter().find(|part| part.merchant == merchant);
        Ok(part.is_some_and(|part| part.role.may(permission) && (has_factor || !part.needs_factor)))
    }

    /// Ends the session.
    ///
    /// # Errors
    /// The database's.
    pub async fn leave(&self, token: &Token) -> Result<(), StoreError> {
        let hash = token.hash();
        self.store
            .write(move |tx| Box::pin(async move { tx.people().await?.end_session(hash).await }))
            .await
    }

    /// Sends a letter with a link to choose another password, if the address has an account. The answer is the same, also when
    /// no more letters go there for now: those that went before have links that count.
    ///
    /// # Errors
    /// The database's.
    pub async fn forgot(&self, email: &Email, visitor: &Visitor) -> Result<(), AccountError> {
        evenly(self.forgotten(email, visitor)).await
    }

    async fn forgotten(&self, email: &Email, visitor: &Visitor) -> Result<(), AccountError> {
        let now = self.charges.now();
        let lane = self.lane_at(email.as_str(), visitor).await?;
        if self.budgets.forgot(lane, email, now).is_err() {
            return Ok(());
        }
        // Whoever asks for addresses that nobody has makes the database write nothing.
        if !self
            .account_at(email.as_str())
            .await?
            .is_some_and(|account| account.is_open())
        {
            return Ok(());
        }
        let is_known = !matches!(lane, Lane::Stranger(_));
        let (this, email, client) = (self.clone(), email.clone(), visitor.client);
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                let account = tx.people().await?.account_of(email.as_str()).await?;
                let Some(account) = account.filter(AccountRow::is_open) else {
                    return Ok(());
                };
                let Some(url) = this.password_link(tx, &account, is_known, now).await? else {
                    return Ok(());
                };
                this.note(tx, None, email.as_str(), "forgot", client, now).await?;
                let language = language_of(&account.language);
                let letter = letters::reset_password(language, &account.email, &account.name, &url, LINK_HOURS);
                tx.post(&letter).await
            })
        });
        work.await.map_err(AccountError::Store)
    }

    /// Whose password the link of a letter may choose.
    ///
    /// # Errors
    /// [`AccountError::UnknownLink`], or the database's.
    pub async fn chooser(&self, token: &Token) -> Result<AccountRow, AccountError> {
        let now = self.charges.now();
        let mut reader = self.store.people().await?;
        let found = reader.token(token.hash(), TokenPurpose::Password, now).await?;
        let (account, _) = found.ok_or(AccountError::UnknownLink)?;
        Ok(account)
    }

    /// Sets the password by the link of a letter, which counts once; all sessions end, and one begins.
    ///
    /// # Errors
    /// [`AccountError::UnknownLink`], [`AccountError::Weak`], or the database's.
    pub async fn choose(&self, link: Token, password: String, visitor: Visitor) -> Result<Entered, AccountError> {
        let account = self.chooser(&link).await?;
        check_password(&password, &[&account.email, &account.name, &account.company])?;
        let hash = self.passwords.hash(password, self.charges.random()).await?;
        let (this, now) = (self.clone(), self.charges.now());
        let token = Token::new(self.charges.rng());
        let begun = token.clone();
        let needs_code = account.has_factor();
        let here = visitor.clone();
        let account = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut people = tx.people().await?;
                    // It may have been used since it was looked at.
                    let found = people.token(link.hash(), TokenPurpose::Password, now).await?;
                    let (account, _) = found.ok_or(AccountError::UnknownLink)?;
                    // The mailbox's owner does not wait for what others have tried.
                    this.budgets
                        .was_right(Lane::Stranger(visitor.client.into()), Trial::Factor, &account.email);
                    let session = this.session_row(&account, &begun, &visitor, now);
                    this.set_password(tx, account, hash, &session, visitor.client, now)
                        .await
                })
            })
            .await?;
        let marks = (!needs_code).then(|| self.marked(&account, &here));
        Ok(Entered {
            token,
            needs_code,
            marks,
        })
    }

    /// Stores a password: all browsers that were known are so no more, every session but a new one ends, and so does every
    /// link that was sent before, lest whoever had the account move it to a mailbox of theirs. The mailbox is told when there was a
    /// password before. The account as it is then.
    pub(super) async fn set_password(
        &self,
        tx: &mut Tx,
        mut account: AccountRow,
        hash: String,
        session: &SessionRow,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<AccountRow, AccountError> {
        let had_one = account.password.replace(hash).is_some();
        account.device_epoch += 1;
        let wanted_merchant = std::mem::take(&mut account.wants_merchant);
        let mut people = tx.people().await?;
        people.put_account(&account).await?;
        people.drop_tokens(account.num, TokenPurpose::Password).await?;
        people.drop_tokens(account.num, TokenPurpose::Email).await?;
        people.end_other_sessions(account.num, session.hash).await?;
        people.add_session(session).await?;
        self.note(tx, Some(account.num), &account.email, "password", client, now)
            .await?;
        if wanted_merchant {
            self.new_merchant(tx, account.num, &account.company, &account.site, now)
                .await?;
        }
        if had_one {
            self.tell(tx, &account, Notice::PasswordChanged, client, now).await?;
        }
        Ok(account)
    }

    /// Forgets what has run out once an hour, until `closing` is cancelled.
    pub async fn forget(self, closing: tokio_util::sync::CancellationToken) {
        let mut every = tokio::time::interval(std::time::Duration::from_secs(60 * 60));
        let mut minutes = tokio::time::interval(std::time::Duration::from_secs(60));
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                _ = minutes.tick() => {
                    if let Err(error) = self.take_due_wallets().await {
                        tracing::warn!(%error, "wallet changes that are due were not applied; will retry");
                    }
                    if let Err(error) = self.tell_of_requests().await {
                        tracing::warn!(%error, "the operator was not notified of account requests; will retry");
                    }
                    continue;
                }
                _ = every.tick() => {}
            }
            if let Err(error) = self.tidy().await {
                tracing::warn!(%error, "expired sessions were not deleted");
            }
        }
    }

    /// Forgets sessions, links, entries and requests for accounts that have run out.
    ///
    /// # Errors
    /// The database's.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        const DAY_SECS: u32 = 24 * 60 * 60;
        let now = self.charges.now();
        let (seen_by, audit_by) = (before(now, IDLE_SECS), before(now, AUDIT_DAYS * DAY_SECS));
        let most = self.audit_lines;
        let forgotten = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut people = tx.people().await?;
                    people.forget(now, seen_by, audit_by).await?;
                    let (asked_by, opened_by) = (
                        before(now, REQUEST_DAYS * DAY_SECS),
                        before(now, UNOPENED_DAYS * DAY_SECS),
                    );
                    for num in people.stale_requests(asked_by, opened_by).await? {
                        people.remove_account(num).await?;
                    }
                    people.forget_lines_beyond(most).await
                })
            })
            .await?;
        if forgotten > 0 {
            metrics::counter!("bitpro_audit_lines_forgotten_total").increment(forgotten);
            tracing::warn!(forgotten, most, "audit logs were full: their oldest lines were deleted");
        }
        Ok(())
    }
}
