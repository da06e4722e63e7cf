//! The second factor of an account: set up, asked for, taken away.

use std::net::IpAddr;

use bitpro_base::seal::Purpose;
use bitpro_charge::Timestamp;
use bitpro_merchant::letters::Notice;
use bitpro_store::people::AccountRow;
use bitpro_store::{StoreError, Tx};

use super::budgets::{Lane, Trial};
use super::codes::{recovery_codes, recovery_hash};
use super::{AccountError, Accounts, CodeSecret, Entered, Login, PasskeyRow, SessionRow, Token, Visitor};

/// So many wrong second factors in a row are no longer typos: we e-mail the owner.
const SUSPICIOUS_TRIES: u32 = 8;

/// How long a secret for an authenticator app may be taken after it was shown, in seconds.
const OFFER_SECS: u32 = 60 * 60;

/// A secret for an authenticator app that is shown.
#[derive(Clone)]
pub struct AppOffer {
    /// For the app.
    pub secret: CodeSecret,
    /// For the form: the same, sealed for the session.
    pub text: String,
}

/// What an account has besides its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Whether an authenticator app is set up.
    pub has_app: bool,
    /// Its passkeys, the oldest first.
    pub passkeys: Vec<PasskeyRow>,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

impl Accounts {
    /// What an account has besides its password.
    pub async fn factor(&self, account: &AccountRow) -> Result<Factor, AccountError> {
        let mut reader = self.store.people().await?;
        Ok(Factor {
            has_app: account.totp.is_some(),
            passkeys: reader.passkeys(account.num).await?,
            recovery_codes: reader.count_recovery_codes(account.num).await?,
        })
    }

    /// A fresh secret for an authenticator app, to be shown. Nothing is stored until a code of it is given.
    pub fn offer_app(&self, login: &Login) -> AppOffer {
        let secret = CodeSecret::new(self.charges.rng());
        let content = [secret.bytes(), &self.charges.now().0.to_be_bytes()].concat();
        let seal = self.charges.seal();
        let sealed = seal.seal(self.charges.rng(), Purpose::TotpOffer, &login.session.hash, &content);
        AppOffer {
            secret,
            text: hex::encode(sealed),
        }
    }

    /// The offer that a form brings back: one that was made here, for this session, lately. A secret that somebody else has
    /// chosen, and knows, is not taken.
    pub fn offered_app(&self, login: &Login, text: &str) -> Result<AppOffer, AccountError> {
        let sealed = hex::decode(text).map_err(|_| AccountError::StaleOffer)?;
        let seal = self.charges.seal();
        let content = seal.open(Purpose::TotpOffer, &login.session.hash, &sealed);
        let content = content.map_err(|_| AccountError::StaleOffer)?;
        let (bytes, made_at) = content.split_last_chunk().ok_or(AccountError::StaleOffer)?;
        let made_at = Timestamp(i64::from_be_bytes(*made_at));
        if made_at.plus_secs(OFFER_SECS) <= self.charges.now() {
            return Err(AccountError::StaleOffer);
        }
        Ok(AppOffer {
            secret: CodeSecret::of(bytes.to_vec()),
            text: text.to_owned(),
        })
    }

    /// Takes `secret` for the account once `code` shows that the app has it. The recovery codes, which are shown once, if it is
    /// the first factor; none otherwise. Other sessions end.
    pub async fn add_factor(
        &self,
        login: &Login,
        secret: CodeSecret,
        code: &str,
        client: IpAddr,
    ) -> Result<Vec<String>, AccountError> {
        let now = self.charges.now();
        let step = self.step_of(&secret, code, None).ok_or(AccountError::WrongCode)?;
        let (this, num, hash) = (self.clone(), login.account.num, login.session.hash);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut account = present(tx, num).await?;
                    let codes = this.first_codes(tx, &account).await?;
                    let seal = this.charges.seal();
                    account.totp = Some(seal.seal(this.charges.rng(), Purpose::Totp, &account.id, secret.bytes()));
                    account.totp_step = Some(step);
                    let mut people = tx.people().await?;
                    people.put_account(&account).await?;
                    people.end_other_sessions(num, hash).await?;
                    people.note_factor(hash, now).await?;
                    this.note(tx, Some(num), &account.email, "factor added", client, now)
                        .await?;
                    this.tell(tx, &account, Notice::SecondFactorAdded, client, now).await?;
                    Ok(codes)
                })
            })
            .await
    }

    /// The recovery codes that an account gets with its first second factor.
    pub(super) async fn first_codes(&self, tx: &mut Tx, account: &AccountRow) -> Result<Vec<String>, StoreError> {
        if account.has_factor() {
            return Ok(Vec::new());
        }
        let codes = recovery_codes(self.charges.rng());
        let hashes: Vec<[u8; 32]> = codes.iter().map(|code| recovery_hash(code)).collect();
        tx.people().await?.put_recovery_codes(account.num, &hashes).await?;
        Ok(codes)
    }

    /// Fresh recovery codes in the place of all others.
    pub async fn renew_recovery_codes(&self, login: &Login, client: IpAddr) -> Result<Vec<String>, AccountError> {
        let codes = recovery_codes(self.charges.rng());
        let hashes: Vec<[u8; 32]> = codes.iter().map(|code| recovery_hash(code)).collect();
        let (this, num, now) = (self.clone(), login.account.num, self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let account = present(tx, num).await?;
                    tx.people().await?.put_recovery_codes(num, &hashes).await?;
                    this.note(tx, Some(num), &account.email, "recovery codes", client, now)
                        .await?;
                    this.tell(tx, &account, Notice::RecoveryCodesMade, client, now).await?;
                    Ok::<_, AccountError>(())
                })
            })
            .await?;
        Ok(codes)
    }

    /// Takes the authenticator app away, and the recovery codes if it was the last second factor.
    pub async fn remove_factor(&self, login: &Login, client: IpAddr) -> Result<(), AccountError> {
        let (this, num, now) = (self.clone(), login.account.num, self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut account = present(tx, num).await?;
                    account.totp = None;
                    account.totp_step = None;
                    let mut people = tx.people().await?;
                    people.put_account(&account).await?;
                    if !account.has_factor() {
                        people.put_recovery_codes(num, &[]).await?;
                    }
                    this.note(tx, Some(num), &account.email, "factor removed", client, now)
                        .await?;
                    Ok(this
                        .tell(tx, &account, Notice::SecondFactorRemoved, client, now)
                        .await?)
                })
            })
            .await
    }

    /// Ends the asking for a code: a session with the factor begins in the place of `token`'s, which had only the password.
    pub async fn enter_code(&self, login: &Login, code: &str, visitor: Visitor) -> Result<Entered, AccountError> {
        let now = self.charges.now();
        let token = Token::new(self.charges.rng());
        let session = self.whole_session(login, &token, &visitor, now);
        let former = login.session.hash;
        let lane = self.lane_to(Some(&login.account), &visitor);
        let marks = Some(self.marked(&login.account, &visitor));
        let (this, account, client) = (self.clone(), login.account.clone(), visitor.client);
        self.with_code(login, code, lane, client, move |tx| {
            Box::pin(async move {
                let mut people = tx.people().await?;
                people.end_session(former).await?;
                people.add_session(&session).await?;
                this.arrived(tx, &account, &visitor, now).await
            })
        })
        .await?;
        Ok(Entered {
            token,
            needs_code: false,
            marks,
        })
    }

    /// Notes that the password, and the code if the account has a second factor, were given again.
    pub async fn confirm(
        &self,
        login: &Login,
        password: String,
        code: &str,
        client: IpAddr,
    ) -> Result<(), AccountError> {
        let now = self.charges.now();
        // Counted by session: whatever strangers do, whoever is logged in can show who they are.
        let (hash, email) = (login.session.hash, &login.account.email);
        let lane = Lane::Session(hash);
        self.budgets.attempt(lane, Trial::Password, email, now)?;
        let stored = login.account.password.clone();
        if !self.passwords.is_right(lane, password, stored).await? {
            return Err(AccountError::WrongPassword);
        }
        self.budgets.was_right(lane, Trial::Password, email);
        if login.account.has_factor() {
            return self
                .with_code(login, code, lane, client, move |tx| {
                    Box::pin(async move {
                        let mut people = tx.people().await?;
                        people.note_confirmed(hash, now).await?;
                        people.note_factor(hash, now).await
                    })
                })
                .await;
        }
        self.store
            .write(move |tx| Box::pin(async move { tx.people().await?.note_confirmed(hash, now).await }))
            .await
            .map_err(AccountError::Store)
    }

    /// The session that takes the place of `login`'s, which had only the password, once the second factor was given.
    pub(super) fn whole_session(&self, login: &Login, token: &Token, visitor: &Visitor, now: Timestamp) -> SessionRow {
        SessionRow {
            confirmed_at: login.session.confirmed_at,
            factor_at: Some(now),
            ..self.session_row(&login.account, token, visitor, now)
        }
    }

    /// Takes a code of the app, or a recovery code, and does `work` in the same unit.
    async fn with_code<F>(
        &self,
        login: &Login,
        code: &str,
        lane: Lane,
        client: IpAddr,
        work: F,
    ) -> Result<(), AccountError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> futures::future::BoxFuture<'t, Result<(), StoreError>> + Send + 'static,
    {
        let now = self.charges.now();
        let tries = self.attempt_factor(login, lane, now)?;
        let (this, num, code) = (self.clone(), login.account.num, code.to_owned());
        let taken = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    this.take_code(tx, num, &code, client, now).await?;
                    work(tx).await.map_err(AccountError::Store)
                })
            })
            .await;
        self.factor_tried(login, lane, client, tries, taken.is_ok()).await?;
        taken
    }

    /// Takes an attempt to give the second factor; how many there were in a row.
    pub(super) fn attempt_factor(&self, login: &Login, lane: Lane, now: Timestamp) -> Result<u32, AccountError> {
        let email = &login.account.email;
        Ok(self.budgets.attempt(lane, Trial::Factor, email, now)?)
    }

    /// Ends the row of attempts, or tells the mailbox that somebody who knows the password is guessing.
    pub(super) async fn factor_tried(
        &self,
        login: &Login,
        lane: Lane,
        client: IpAddr,
        tries: u32,
        is_right: bool,
    ) -> Result<(), AccountError> {
        if is_right {
            let email = &login.account.email;
            self.budgets.was_right(lane, Trial::Factor, email);
        } else if tries == SUSPICIOUS_TRIES {
            let (this, num, now) = (self.clone(), login.account.num, self.charges.now());
            let told = self.store.write(move |tx| {
                Box::pin(async move {
                    let account = present(tx, num).await?;
                    this.tell(tx, &account, Notice::FactorGuessed, client, now).await?;
                    Ok::<_, AccountError>(())
                })
            });
            told.await?;
        }
        Ok(())
    }

    /// The step that a code stands for. The phone goes by a clock of its own: ours may have run ahead (R32).
    fn step_of(&self, secret: &CodeSecret, code: &str, last: Option<i64>) -> Option<i64> {
        let moment = self.charges.moment();
        let at = [moment.outside, moment.now];
        at.into_iter().find_map(|at| secret.step_of(code, at, last))
    }

    async fn take_code(
        &self,
        tx: &mut Tx,
        num: i64,
        code: &str,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let mut account = present(tx, num).await?;
        if let Some(sealed) = &account.totp {
            let secret = CodeSecret::of(self.charges.seal().open(Purpose::Totp, &account.id, sealed)?.to_vec());
            if let Some(step) = self.step_of(&secret, code, account.totp_step) {
                account.totp_step = Some(step);
                tx.people().await?.put_account(&account).await?;
                return Ok(());
            }
        }
        if tx.people().await?.take_recovery_code(num, recovery_hash(code)).await? {
            return Ok(self.tell(tx, &account, Notice::RecoveryCodeUsed, client, now).await?);
        }
        Err(AccountError::WrongCode)
    }
}

/// The account as it is in this unit.
pub(super) async fn present(tx: &mut Tx, num: i64) -> Result<AccountRow, AccountError> {
    let account = tx.people().await?.account(num).await?;
    account.ok_or(AccountError::UnknownAccount)
}
