//! People: accounts, sessions, second factors, teams, and the log of what they changed.
//!
//! An account is asked for, let in, and gets a letter with a link to choose a password. Every secret that travels is kept as
//! a hash. Whether an address has an account is told to nobody but its mailbox.

mod audit;
mod budgets;
mod codes;
mod devices;
mod email;
mod error;
mod factor;
mod leaving;
mod login;
mod notices;
mod operator;
pub mod passkeys;
mod password;
mod pending_wallets;
mod profile;
mod secret;
mod signup;
mod streaks;
mod team;
mod wallet;

use std::sync::Arc;
use std::time::Duration;

use bitpro_charge::{MerchantId, Timestamp};

pub use audit::Begun;
pub use budgets::Budgets;
pub use codes::CodeSecret;
pub use devices::MARK_SECS;
pub use email::Email;
pub use error::AccountError;
pub use factor::{AppOffer, Factor};
pub use login::{Entered, Visitor};
pub use notices::KeyChange;
pub use password::{FEWEST_CHARS, MOST_CHARS, Passwords, Weakness, check as check_password};
pub use secret::Token;
pub use signup::{Application, Listed};
pub use team::{Invitee, Joining, Newcomer};
pub use wallet::{Given, WALLET_SECS};

use bitpro_config::{Ceilings, Signup};
use bitpro_limits::RetryAfter;
use bitpro_merchant::Language;
use bitpro_store::people::AccountRow;
pub use bitpro_store::people::{
    AuditLine, Invitation, Login, MemberRow, Membership, PasskeyRow, PendingWallet, SessionRow,
};
use bitpro_store::{Store, StoreError};

use crate::charges::Charges;

/// A session that is not used for so long ends, in seconds: 12 hours.
pub const IDLE_SECS: u32 = 12 * 60 * 60;
/// A session ends after so long however much it is used, in seconds: 14 days.
pub const SESSION_SECS: u32 = 14 * 24 * 60 * 60;
/// How long a password or code that was given counts for sensitive changes, in seconds.
pub const FRESH_SECS: u32 = 15 * 60;
/// How long the link of a letter counts, in hours.
pub const LINK_HOURS: u32 = 48;
/// How many links to choose a password an account has at a time: they stay good until one is used. A stranger has no more sent
/// then; who is known gets one in the place of the oldest.
pub const MOST_LINKS: u32 = 10;
/// How long an invitation counts, in days.
pub const INVITATION_DAYS: u32 = 14;

/// The accounts. A cheap handle.
#[derive(Clone)]
pub struct Accounts {
    charges: Charges,
    store: Arc<Store>,
    passwords: Passwords,
    budgets: Arc<Budgets>,
    /// `None` where browsers allow none: at an address that is no name.
    passkeys: Option<Arc<passkeys::Passkeys>>,
    /// Whether an account that is asked for needs the operator.
    signup: Signup,
    /// Where the dashboard is, for links in letters.
    origin: Arc<str>,
    /// Who is told of requests.
    operator: Option<Email>,
    /// Lines that a merchant's log keeps.
    audit_lines: u32,
    /// How many merchants somebody belongs to, at the most, who adds one.
    merchants_per_account: u32,
    /// Which wallets wait.
    waiting: Arc<pending_wallets::Waiting>,
}

impl Accounts {
    /// The accounts in the store of `charges`. `origin` is the dashboard's address without a slash at the end.
    #[must_use]
    pub fn new(charges: Charges, signup: Signup, origin: &str, operator: Option<Email>) -> Self {
        Self {
            store: Arc::clone(charges.store()),
            charges,
            passwords: Passwords::default(),
            budgets: Arc::default(),
            passkeys: passkeys::Passkeys::at(origin).map(Arc::new),
            signup,
            origin: origin.into(),
            operator,
            waiting: Arc::default(),
            audit_lines: Ceilings::default().audit_lines,
            merchants_per_account: Ceilings::default().merchants_per_account,
        }
    }

    /// The same within other ceilings, all untouched.
    #[must_use]
    pub fn within(self, ceilings: &Ceilings) -> Self {
        Self {
            budgets: Arc::new(Budgets::within(ceilings)),
            audit_lines: ceilings.audit_lines,
            merchants_per_account: ceilings.merchants_per_account,
            ..self
        }
    }

    /// The charges beside which the accounts are stored.
    #[must_use]
    pub const fn charges(&self) -> &Charges {
        &self.charges
    }

    /// Whether accounts can be asked for here, and whether the operator is asked.
    #[must_use]
    pub const fn signup(&self) -> Signup {
        self.signup
    }

    /// Takes a test of a webhook from a merchant's budget.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn test_of(&self, merchant: MerchantId) -> Result<(), RetryAfter> {
        self.budgets.test(merchant, self.charges.now())
    }

    /// Takes a line of a merchant's log from the account of whoever is about to change something.
    ///
    /// # Errors
    /// [`AccountError::TooMany`].
    pub fn change_by(&self, account: i64) -> Result<(), AccountError> {
        Ok(self.budgets.change(account, self.charges.now())?)
    }

    /// Keeps strangers' passwords from being checked until what is returned is dropped.
    #[cfg(any(test, feature = "testing"))]
    pub async fn keep_strangers_waiting(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.passwords.keep_strangers_waiting().await
    }

    /// How many strangers wait for their password to be checked.
    #[cfg(any(test, feature = "testing"))]
    pub fn strangers_present(&self) -> usize {
        self.passwords.strangers_present()
    }

    /// The account at an address.
    async fn account_at(&self, email: &str) -> Result<Option<AccountRow>, StoreError> {
        let Some(email) = Email::read(email) else {
            return Ok(None);
        };
        let mut reader = self.store.people().await?;
        reader.account_of(email.as_str()).await
    }

    fn link(&self, path: &str, token: &Token) -> String {
        format!("{}{path}?token={}", self.origin, token.as_str())
    }
}

/// The least time of an answer that must not tell what it found.
const EVEN_TIME: Duration = Duration::from_millis(250);

/// Waits for `work`, and for [`EVEN_TIME`] at least: an address with an account makes more work than one without.
async fn evenly<T>(work: impl Future<Output = T>) -> T {
    let (done, ()) = tokio::join!(work, tokio::time::sleep(EVEN_TIME));
    done
}

/// The language of an account's letters and pages.
pub fn language_of(text: &str) -> Language {
    text.parse().unwrap_or(Language::En)
}

/// The instant `secs` before `now`.
pub const fn before(now: Timestamp, secs: u32) -> Timestamp {
    Timestamp(now.0 - secs as i64 * 1_000)
}
