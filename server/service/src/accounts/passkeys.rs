//! Passkeys (WebAuthn): a second factor that a false page cannot ask for, since the browser signs for our address only.

mod answers;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;

use std::net::IpAddr;
use std::time::Duration;

use bitpro_charge::Timestamp;
use bitpro_limits::bounded::{Bounded, Ends};
use bitpro_merchant::letters::Notice;
use bitpro_store::{StoreError, Tx};
use parking_lot::Mutex;
use serde::Serialize;
use url::{Host, Url};
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::proto::{AuthenticationState, Credential, RegistrationState, UserVerificationPolicy};

use self::answers::{Signed, refused};
use super::budgets::Lane;
use super::factor::present;
use super::{AccountError, Accounts, Entered, Login, PasskeyRow, Token, Visitor};

/// How long an answer to a challenge is waited for, in seconds.
pub(crate) const CEREMONY_SECS: u32 = 5 * 60;
/// The most passkeys that an account has.
pub(super) const MOST_PASSKEYS: usize = 10;

/// The most challenges that wait at a time, of everybody who has given a password.
const MOST_CHALLENGES: usize = 1_024;

/// What checks passkeys, and the challenges that wait for an answer.
pub(super) struct Passkeys {
    core: WebauthnCore,
    /// By the session's hash, one challenge a session.
    open: Mutex<Bounded<Open>>,
}

/// A challenge that waits for its answer.
struct Open {
    until: Timestamp,
    what: Ceremony,
}

impl Ends for Open {
    fn ends_at(&self) -> i64 {
        self.until.0
    }
}

/// What is asked for.
enum Ceremony {
    /// A new passkey.
    Register(Box<RegistrationState>),
    /// A signature of one that is known.
    Authenticate(Box<AuthenticationState>),
}

impl Passkeys {
    /// For pages at `origin`; `None` if its host is no name, for which browsers make no passkeys.
    pub(super) fn at(origin: &str) -> Option<Self> {
        let url = Url::parse(origin).ok()?;
        let Some(Host::Domain(host)) = url.host() else {
            return None;
        };
        let host = host.to_owned();
        let wait = Duration::from_secs(CEREMONY_SECS.into());
        // The name warns of what the crate leaves to its user. Here the account is known beforehand, each challenge counts
        // once for one session, and the sign count is compared again where it is stored.
        let core = WebauthnCore::new_unsafe_experts_only("Bitpro", &host, vec![url], wait, Some(false), Some(false));
        Some(Self {
            core,
            open: Mutex::new(Bounded::new("passkey_challenge", MOST_CHALLENGES)),
        })
    }

    fn wait(&self, session: [u8; 32], what: Ceremony, now: Timestamp) {
        let until = now.plus_secs(CEREMONY_SECS);
        self.open.lock().put(&session, Open { until, what }, now.0);
    }

    /// The challenge of a session, which is taken with the first answer, whatever that is worth.
    fn take(&self, session: [u8; 32], now: Timestamp) -> Result<Ceremony, AccountError> {
        let taken = self.open.lock().take(&session);
        let taken = taken
            .filter(|open| open.until > now)
            .ok_or(AccountError::WrongPasskey)?;
        Ok(taken.what)
    }
}

/// A signature that was checked, to be noted.
struct Proof {
    account: i64,
    signed: Signed,
}

impl Proof {
    /// Notes that the passkey has signed; not if it has signed something else meanwhile, or is there no more.
    async fn note(self, tx: &mut Tx, now: Timestamp) -> Result<(), AccountError> {
        let mut people = tx.people().await?;
        let Signed {
            credential_id,
            former,
            sign_count,
            ..
        } = self.signed;
        let is_noted = people
            .note_passkey(self.account, &credential_id, former, sign_count, now)
            .await?;
        is_noted.then_some(()).ok_or(AccountError::WrongPasskey)
    }
}

impl Accounts {
    /// Whether browsers make passkeys for this address.
    #[must_use]
    pub const fn has_passkeys(&self) -> bool {
        self.passkeys.is_some()
    }

    fn passkeys(&self) -> Result<&Passkeys, AccountError> {
        self.passkeys.as_deref().ok_or(AccountError::WrongPasskey)
    }

    /// What a browser needs to make a passkey for the account, in JSON.
    pub async fn begin_passkey(&self, login: &Login) -> Result<String, AccountError> {
        let passkeys = self.passkeys()?;
        let account = &login.account;
        let known = self.credentials(account.num).await?;
        if known.len() >= MOST_PASSKEYS {
            return Err(AccountError::ManyPasskeys);
        }
        let shown = if account.name.is_empty() {
            &account.email
        } else {
            &account.name
        };
        let builder = passkeys
            .core
            .new_challenge_register_builder(&account.id, &account.email, shown);
        let builder = builder
            .map_err(refused)?
            .exclude_credentials(Some(known.into_iter().map(|credential| credential.cred_id).collect()))
            // It will stand for the password, too: whoever holds the phone must show that they may.
            .user_verification_policy(UserVerificationPolicy::Required);
        let (options, state) = passkeys.core.generate_challenge_register(builder).map_err(refused)?;
        passkeys.wait(
            login.session.hash,
            Ceremony::Register(Box::new(state)),
            self.charges.now(),
        );
        json(&options)
    }

    /// Takes the passkey that a browser made. Recovery codes, if it is the first second factor; none otherwise. Other
    /// sessions end.
    pub async fn add_passkey(
        &self,
        login: &Login,
        name: &str,
        answer: &str,
        client: IpAddr,
    ) -> Result<Vec<String>, AccountError> {
        let (passkeys, now) = (self.passkeys()?, self.charges.now());
        let Ceremony::Register(state) = passkeys.take(login.session.hash, now)? else {
            return Err(AccountError::WrongPasskey);
        };
        let made = passkeys.made(answer, &state)?;
        let row = PasskeyRow {
            id: self.charges.random(),
            account: login.account.num,
            name: name.to_owned(),
            credential_id: made.cred_id.clone(),
            credential: json(&made)?,
            sign_count: made.counter,
            created_at: now,
            last_used_at: None,
        };
        let (this, num, hash) = (self.clone(), login.account.num, login.session.hash);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let account = present(tx, num).await?;
                    let mut people = tx.people().await?;
                    if people.passkeys(num).await?.len() >= MOST_PASSKEYS {
                        return Err(AccountError::ManyPasskeys);
                    }
                    if !people.add_passkey(&row).await? {
                        return Err(AccountError::WrongPasskey);
                    }
                    let codes = this.first_codes(tx, &account).await?;
                    let mut people = tx.people().await?;
                    people.end_other_sessions(num, hash).await?;
                    people.note_factor(hash, now).await?;
                    this.note(tx, Some(num), &account.email, "passkey added", client, now)
                        .await?;
                    this.tell(tx, &account, Notice::SecondFactorAdded, client, now).await?;
                    Ok(codes)
                })
            })
            .await
    }

    /// Takes a passkey away, and the recovery codes if it was the last second factor; whether it was there.
    pub async fn remove_passkey(&self, login: &Login, id: [u8; 16], client: IpAddr) -> Result<bool, AccountError> {
        let (this, num, now) = (self.clone(), login.account.num, self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.people().await?.drop_passkey(num, id).await? {
                        return Ok(false);
                    }
                    let account = present(tx, num).await?;
                    if !account.has_factor() {
                        tx.people().await?.put_recovery_codes(num, &[]).await?;
                    }
                    this.note(tx, Some(num), &account.email, "passkey removed", client, now)
                        .await?;
                    this.tell(tx, &account, Notice::SecondFactorRemoved, client, now)
                        .await?;
                    Ok(true)
                })
            })
            .await
    }

    /// What a browser needs to sign by one of the account's passkeys, in JSON. Beside the password that was just given, the thing
    /// itself is enough; where it stands for the password, its person has to be recognised (WebAuthn, section 1.3.3).
    pub async fn ask_passkey(&self, login: &Login) -> Result<String, AccountError> {
        let passkeys = self.passkeys()?;
        let known = self.credentials(login.account.num).await?;
        // The crate would take an empty list for "any passkey of anybody".
        if known.is_empty() {
            return Err(AccountError::WrongPasskey);
        }
        let policy = match login.session.factor_at {
            None => UserVerificationPolicy::Preferred,
            Some(_) => UserVerificationPolicy::Required,
        };
        let builder = passkeys
            .core
            .new_challenge_authenticate_builder(known, Some(policy))
            .map_err(refused)?;
        let (options, state) = passkeys
            .core
            .generate_challenge_authenticate(builder)
            .map_err(refused)?;
        passkeys.wait(
            login.session.hash,
            Ceremony::Authenticate(Box::new(state)),
            self.charges.now(),
        );
        json(&options)
    }

    /// Ends the asking for a second factor: a session with it begins in the place of the one that had only the password.
    pub async fn enter_passkey(&self, login: &Login, answer: &str, visitor: Visitor) -> Result<Entered, AccountError> {
        let now = self.charges.now();
        let lane = self.lane_to(Some(&login.account), &visitor);
        let proof = self.proof(login, answer, lane, visitor.client, now).await?;
        let token = Token::new(self.charges.rng());
        let session = self.whole_session(login, &token, &visitor, now);
        let former = login.session.hash;
        let marks = Some(self.marked(&login.account, &visitor));
        let (this, account) = (self.clone(), login.account.clone());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    proof.note(tx, now).await?;
                    let mut people = tx.people().await?;
                    people.end_session(former).await?;
                    people.add_session(&session).await?;
                    this.arrived(tx, &account, &visitor, now).await?;
                    Ok::<_, AccountError>(())
                })
            })
            .await?;
        Ok(Entered {
            token,
            needs_code: false,
            marks,
        })
    }

    /// Notes that it is the person: a passkey stands for password and code.
    pub async fn confirm_passkey(&self, login: &Login, answer: &str, client: IpAddr) -> Result<(), AccountError> {
        let now = self.charges.now();
        let hash = login.session.hash;
        let proof = self.proof(login, answer, Lane::Session(hash), client, now).await?;
        if !proof.signed.is_verified {
            return Err(AccountError::WrongPasskey);
        }
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    proof.note(tx, now).await?;
                    let mut people = tx.people().await?;
                    people.note_confirmed(hash, now).await?;
                    people.note_factor(hash, now).await?;
                    Ok::<_, AccountError>(())
                })
            })
            .await
    }

    /// Checks a signature over the session's challenge.
    async fn proof(
        &self,
        login: &Login,
        answer: &str,
        lane: Lane,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<Proof, AccountError> {
        let tries = self.attempt_factor(login, lane, now)?;
        let proof = self.checked(login, answer, now).await;
        self.factor_tried(login, lane, client, tries, proof.is_ok()).await?;
        proof
    }

    async fn checked(&self, login: &Login, answer: &str, now: Timestamp) -> Result<Proof, AccountError> {
        let passkeys = self.passkeys()?;
        let Ceremony::Authenticate(state) = passkeys.take(login.session.hash, now)? else {
            return Err(AccountError::WrongPasskey);
        };
        // As they are now: another session may have used one meanwhile, or taken it away.
        let known = self.credentials(login.account.num).await?;
        let signed = passkeys.signed(answer, *state, login.account.id, known)?;
        Ok(Proof {
            account: login.account.num,
            signed,
        })
    }

    /// The account's passkeys as the crate knows them.
    async fn credentials(&self, account: i64) -> Result<Vec<Credential>, AccountError> {
        let mut reader = self.store.people().await?;
        let rows = reader.passkeys(account).await?;
        let credential = |row: &PasskeyRow| {
            let mut credential: Credential = serde_json::from_str(&row.credential)
                .map_err(|error| StoreError::Damaged(format!("a passkey: {error}")))?;
            credential.counter = row.sign_count;
            Ok(credential)
        };
        rows.iter().map(credential).collect()
    }
}

fn json(value: &impl Serialize) -> Result<String, AccountError> {
    serde_json::to_string(value).map_err(|_| AccountError::WrongPasskey)
}
