//! Signing up: accounts that are asked for, approved and opened.

use bitpro_base::client::Client;
use bitpro_base::rng::uuid;
use bitpro_charge::{MerchantId, Timestamp};
use bitpro_config::Signup;
use bitpro_limits::refused;
use bitpro_merchant::letters;
use bitpro_merchant::{Language, Role, Settings};
use bitpro_store::people::{AccountRow, TokenPurpose};
use bitpro_store::{MerchantDraft, StoreError, Tx};

use super::notices::{Part, Whence};
use super::{AccountError, Accounts, Email, LINK_HOURS, MOST_LINKS, MemberRow, Token, evenly, language_of};

/// The most accounts that wait: for the operator, or for their first password.
pub(crate) const MOST_REQUESTS: i64 = 2_000;
/// When to come back while so many wait, in seconds.
const REQUESTS_WAIT_SECS: u32 = 60 * 60;
/// A request that the operator does not approve is forgotten after so many days.
pub(super) const REQUEST_DAYS: u32 = 30;
/// An account that needs nobody's approval and for which no password is chosen is forgotten after so many days.
pub(super) const UNOPENED_DAYS: u32 = 7;
/// The operator is told of requests this often at most, in seconds.
const DIGEST_SECS: u32 = 60 * 60;
/// How many requests the operator's letter names.
const DIGEST_LINES: u32 = 20;

/// Who asks for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The address that the letter goes to.
    pub email: Email,
    /// The person's name.
    pub name: String,
    /// The merchant's name, which shoppers will see.
    pub company: String,
    /// The merchant's site; may be empty.
    pub site: String,
    /// The language of letters and pages.
    pub language: Language,
}

/// An account as the command line lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The address.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// What was asked for: the merchant's name.
    pub company: String,
    /// The merchant's site.
    pub site: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Whether the person was let in.
    pub is_approved: bool,
    /// Whether a password was chosen.
    pub is_active: bool,
    /// Whether the operator has blocked the account.
    pub is_disabled: bool,
    /// The merchants and the person's part in each.
    pub merchants: Vec<(MerchantId, Role)>,
}

impl Accounts {
    /// Asks for an account. The answer is the same whether the address has one: its mailbox is told.
    ///
    /// # Errors
    /// [`AccountError::Closed`], [`AccountError::TooMany`], or the database's.
    pub async fn ask(&self, application: Application, client: std::net::IpAddr) -> Result<(), AccountError> {
        if self.signup == Signup::Closed {
            return Err(AccountError::Closed);
        }
        let now = self.charges.now();
        self.budgets.signup(Client::from(client), &application.email, now)?;
        let this = self.clone();
        let work = self
            .store
            .write(move |tx| Box::pin(async move { this.asked(tx, application, client, now).await }));
        evenly(work).await
    }

    async fn asked(
        &self,
        tx: &mut Tx,
        application: Application,
        client: std::net::IpAddr,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let mut people = tx.people().await?;
        // Before anything is looked up, so that it tells nothing of the address.
        if people.count_requests().await? >= MOST_REQUESTS {
            refused("signup_requests");
            return Err(AccountError::TooMany(REQUESTS_WAIT_SECS));
        }
        let known = people.account_of(application.email.as_str()).await?;
        if let Some(account) = known {
            return Ok(self.remind(tx, &account, now).await?);
        }
        let mut account = AccountRow {
            name: application.name,
            company: application.company,
            site: application.site,
            language: application.language.as_str().to_owned(),
            ..AccountRow::new(uuid(self.charges.rng()), application.email.to_string(), now)
        };
        let is_open = self.signup == Signup::Open;
        if is_open {
            account.approved_at = Some(now);
            // The merchant is made when the first password shows that the mailbox was opened.
            account.wants_merchant = true;
        }
        account.num = people.add_account(&account).await?;
        self.note(tx, None, &account.email, "ask", client, now).await?;
        if is_open {
            return Ok(self.send_choice(tx, &account, false, now).await?);
        }
        let letter = letters::asked(application.language, &account.email, &account.name);
        tx.post(&letter).await?;
        self.tell_operator(tx, now).await?;
        tracing::info!("an account was requested: see `bitpro account list`");
        Ok(())
    }

    /// Tells the operator of requests that they were not told of, in one letter, unless the one before was sent lately.
    async fn tell_operator(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        let Some(operator) = &self.operator else { return Ok(()) };
        let mut people = tx.people().await?;
        let last = people.last_told().await?;
        if last.is_some_and(|at| at.plus_secs(DIGEST_SECS) > now) {
            return Ok(());
        }
        let (count, requests) = people.untold_requests(DIGEST_LINES).await?;
        if count == 0 {
            return Ok(());
        }
        people.note_told(now).await?;
        let asking: Vec<letters::Asking<'_>> = requests
            .iter()
            .map(|account| letters::Asking {
                name: &account.name,
                email: &account.email,
                company: &account.company,
                site: &account.site,
            })
            .collect();
        tx.post(&letters::operator_asked(operator.as_str(), count, &asking))
            .await
    }

    /// Tells the operator of requests that came since the last letter, if it is time.
    ///
    /// # Errors
    /// The database's.
    pub async fn tell_of_requests(&self) -> Result<(), StoreError> {
        let (this, now) = (self.clone(), self.charges.now());
        let waiting = {
            let mut reader = self.store.people().await?;
            reader.untold_requests(1).await?.0
        };
        if waiting == 0 || self.operator.is_none() {
            return Ok(());
        }
        self.store
            .write(move |tx| Box::pin(async move { this.tell_operator(tx, now).await }))
            .await
    }

    /// Tells a mailbox what stands about its account.
    async fn remind(&self, tx: &mut Tx, account: &AccountRow, now: Timestamp) -> Result<(), StoreError> {
        let language = language_of(&account.language);
        if account.approved_at.is_none() {
            return tx.post(&letters::asked(language, &account.email, &account.name)).await;
        }
        if account.password.is_none() {
            return self.send_choice(tx, account, false, now).await;
        }
        let login = format!("{}/login", self.origin);
        let letter = letters::already_here(language, &account.email, &account.name, &login);
        tx.post(&letter).await
    }

    /// Lets a person in: they get their letter, and the merchant they asked for.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::Approved`], or the database's.
    pub async fn approve(&self, email: &Email) -> Result<MerchantId, AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let account = tx.people().await?.account_of(email.as_str()).await?;
                    let account = account.ok_or(AccountError::UnknownAccount)?;
                    if account.approved_at.is_some() {
                        return Err(AccountError::Approved);
                    }
                    let account = AccountRow {
                        approved_at: Some(now),
                        ..account
                    };
                    tx.people().await?.put_account(&account).await?;
                    let merchant = this
                        .new_merchant(tx, account.num, &account.company, &account.site, now)
                        .await?;
                    this.send_choice(tx, &account, true, now).await?;
                    Ok(merchant)
                })
            })
            .await
    }

    /// Adds a merchant with this account as its owner.
    pub(super) async fn new_merchant(
        &self,
        tx: &mut Tx,
        owner: i64,
        name: &str,
        site: &str,
        now: Timestamp,
    ) -> Result<MerchantId, StoreError> {
        let id = MerchantId(uuid(self.charges.rng()));
        tx.put_merchant(MerchantDraft {
            id,
            settings: first_settings(name, site),
            logo: None,
            receive: None,
            created_at: now,
        })
        .await?;
        let row = merchant_row(tx, id)?;
        tx.people().await?.put_member(row, owner, Role::Owner, now).await?;
        Ok(id)
    }

    /// Adds another merchant for somebody who has an account.
    ///
    /// # Errors
    /// [`AccountError::ManyMerchants`], or the database's.
    pub async fn add_merchant(&self, owner: i64, name: String, site: String) -> Result<MerchantId, AccountError> {
        let (this, now) = (self.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // Counted in the unit that adds it: requests beside each other count, too.
                    let belongs_to = tx.people().await?.memberships(owner).await?.len();
                    if u32::try_from(belongs_to).unwrap_or(u32::MAX) >= this.merchants_per_account {
                        return Err(AccountError::ManyMerchants(this.merchants_per_account));
                    }
                    Ok(this.new_merchant(tx, owner, &name, &site, now).await?)
                })
            })
            .await
    }

    /// Gives a merchant an owner whom the command line names, who gets an account if they have none; the owners before them are told.
    /// Whether a letter with a link
    /// to choose a password is on its way.
    ///
    /// # Errors
    /// [`AccountError::UnknownMerchant`], or the database's.
    pub async fn adopt(&self, merchant: MerchantId, email: &Email) -> Result<bool, AccountError> {
        let (this, email, now) = (self.clone(), email.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let row = tx
                        .memory()
                        .merchant_row(merchant)
                        .ok_or(AccountError::UnknownMerchant)?;
                    let name = tx.memory().merchants().get(&merchant).map(|m| m.settings.name.clone());
                    let team = tx.people().await?.members(merchant).await?;
                    let mut people = tx.people().await?;
                    let was_owner = team
                        .iter()
                        .any(|member| member.role == Role::Owner && member.email == email.as_str());
                    let mut account = match people.account_of(email.as_str()).await? {
                        Some(account) => account,
                        None => {
                            let mut account = AccountRow {
                                company: name.unwrap_or_default(),
                                ..AccountRow::new(uuid(this.charges.rng()), email.to_string(), now)
                            };
                            account.num = people.add_account(&account).await?;
                            account
                        }
                    };
                    let is_new = account.password.is_none();
                    if was_owner && account.approved_at.is_some() && !is_new {
                        return Ok(false);
                    }
                    people.put_member(row, account.num, Role::Owner, now).await?;
                    account.approved_at = account.approved_at.or(Some(now));
                    people.put_account(&account).await?;
                    if is_new {
                        this.send_choice(tx, &account, true, now).await?;
                    }
                    this.tell_of_owner(tx, merchant, &team, &account, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Tells a team that the operator gave it an owner; and that owner, unless they have yet to choose a password, and hear of it so.
    async fn tell_of_owner(
        &self,
        tx: &mut Tx,
        merchant: MerchantId,
        team: &[MemberRow],
        owner: &AccountRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let was_owner = |member: &MemberRow| member.account == owner.num && member.role == Role::Owner;
        if team.iter().any(was_owner) {
            return Ok(());
        }
        let (part, whence) = (Part::of(merchant, Some(Role::Owner)), Whence::CommandLine);
        self.tell_owners(tx, part, team, &owner.email, whence, now).await?;
        if owner.password.is_none() {
            return Ok(());
        }
        let members = tx.people().await?.members(merchant).await?;
        for member in members.iter().filter(|member| member.account == owner.num) {
            self.tell_member(tx, part, member, whence, now).await?;
        }
        Ok(())
    }

    /// All accounts, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let mut people = self.store.people().await?;
        let mut listed = Vec::new();
        for account in people.accounts().await? {
            let merchants = people.memberships(account.num).await?;
            listed.push(Listed {
                email: account.email,
                name: account.name,
                company: account.company,
                site: account.site,
                created_at: account.created_at,
                is_approved: account.approved_at.is_some(),
                is_active: account.password.is_some(),
                is_disabled: account.disabled_at.is_some(),
                merchants: merchants.iter().map(|part| (part.merchant, part.role)).collect(),
            });
        }
        Ok(listed)
    }

    /// Sends the letter with the link to choose the first password; `is_known` as in [`Self::password_link`].
    async fn send_choice(
        &self,
        tx: &mut Tx,
        account: &AccountRow,
        is_known: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(url) = self.password_link(tx, account, is_known, now).await? else {
            return Ok(());
        };
        let language = language_of(&account.language);
        let letter = letters::choose_password(language, &account.email, &account.name, &url, LINK_HOURS);
        tx.post(&letter).await
    }

    /// A fresh link to choose a password, beside those that were sent before. Where there are [`MOST_LINKS`], there is none for
    /// somebody who is not known: otherwise strangers could push out the one that the owner is about to open.
    pub(super) async fn password_link(
        &self,
        tx: &mut Tx,
        account: &AccountRow,
        is_known: bool,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let (num, purpose) = (account.num, TokenPurpose::Password);
        let mut people = tx.people().await?;
        if !is_known && people.count_tokens(num, purpose, now).await? >= MOST_LINKS {
            return Ok(None);
        }
        let token = Token::new(self.charges.rng());
        let end = now.plus_secs(LINK_HOURS * 60 * 60);
        people
            .put_token(num, purpose, token.hash(), "", end, MOST_LINKS - 1)
            .await?;
        Ok(Some(self.link("/password", &token)))
    }
}

/// The row of a merchant that is there.
pub(super) fn merchant_row(tx: &Tx, id: MerchantId) -> Result<i64, StoreError> {
    tx.memory()
        .merchant_row(id)
        .ok_or_else(|| StoreError::Damaged("a merchant without a row".to_owned()))
}

/// What a new merchant begins with: their site, if it is one, may frame the checkout at once.
fn first_settings(name: &str, site: &str) -> Settings {
    let named = Settings::named(name)
        .or_else(|_| Settings::named("Shop"))
        .unwrap_or_default();
    let with_scheme = match site.contains("://") {
        true => site.to_owned(),
        false => format!("https://{site}"),
    };
    let Ok(with_site) = named.with(&[("site", &with_scheme)]) else {
        return named;
    };
    let origin = url::Url::parse(&with_scheme).map(|url| url.origin().ascii_serialization());
    let Ok(origin) = origin else { return with_site };
    with_site.with(&[("allowed_origins", &origin)]).unwrap_or(with_site)
}
