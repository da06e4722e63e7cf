//! Rows of people: accounts, sessions, teams, and the log of what they changed.

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::{Language, Role};

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub num: i64,
    pub id: [u8; 16],
    /// In lower case.
    pub email: String,
    pub name: String,
    pub company: String,
    pub site: String,
    pub language: String,
    pub approved_at: Option<Timestamp>,
    /// In PHC form.
    pub password: Option<String>,
    /// Sealed.
    pub totp: Option<Vec<u8>>,
    pub totp_step: Option<i64>,
    /// Whether it has at least one passkey; not written with the rest.
    pub has_passkey: bool,
    /// Counts up when the browsers that have logged in are to be known no more.
    pub device_epoch: i64,
    /// Whether the merchant that was asked for is made with the first password.
    pub wants_merchant: bool,
    /// When the operator blocked it.
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl AccountRow {
    /// An account of which nothing but its address is known, and which nobody has let in.
    pub fn new(id: [u8; 16], email: String, created_at: Timestamp) -> Self {
        Self {
            num: 0,
            id,
            email,
            name: String::new(),
            company: String::new(),
            site: String::new(),
            language: Language::En.as_str().to_owned(),
            approved_at: None,
            password: None,
            totp: None,
            totp_step: None,
            has_passkey: false,
            device_epoch: 0,
            wants_merchant: false,
            disabled_at: None,
            created_at,
        }
    }

    /// Whether its person may get in: the operator has let them in, and has not blocked them since.
    pub const fn is_open(&self) -> bool {
        self.approved_at.is_some() && self.disabled_at.is_none()
    }

    /// Whether the password alone opens nothing: there is an authenticator app, or a passkey.
    pub const fn has_factor(&self) -> bool {
        self.totp.is_some() || self.has_passkey
    }
}

/// What a link in a letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPurpose {
    /// To choose a password.
    Password,
    /// To show that a new address is one's own.
    Email,
}

impl TokenPurpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
        }
    }
}

/// A passkey as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    pub id: [u8; 16],
    pub account: i64,
    pub name: String,
    pub credential_id: Vec<u8>,
    /// The public key and what belongs to it, in JSON.
    pub credential: String,
    pub sign_count: u32,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// The most sessions that an account has at a time.
pub(crate) const MOST_SESSIONS: u32 = 50;

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of what the cookie holds.
    pub hash: [u8; 32],
    pub id: [u8; 16],
    pub account: i64,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub confirmed_at: Timestamp,
    pub factor_at: Option<Timestamp>,
    pub client: String,
    pub agent: String,
}

/// A session with whose it is.
#[derive(Debug, Clone)]
pub struct Login {
    pub session: SessionRow,
    pub account: AccountRow,
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    pub account: i64,
    pub id: [u8; 16],
    pub email: String,
    pub name: String,
    pub language: String,
    pub role: Role,
    pub since: Timestamp,
    /// Whether they have a second factor.
    pub has_factor: bool,
    /// Whether the operator has blocked their account.
    pub is_disabled: bool,
}

/// An account's part in one merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    pub merchant: MerchantId,
    pub role: Role,
    /// Whether the merchant's owners require a second factor of the whole team.
    pub needs_factor: bool,
}

/// Somebody who was invited and has not come yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: [u8; 16],
    pub merchant: MerchantId,
    pub email: String,
    pub role: Role,
    pub expires_at: Timestamp,
}

/// A change that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The merchant's row.
    pub merchant: Option<i64>,
    /// The account's row; `None` when somebody acted who has none.
    pub account: Option<i64>,
    pub who: String,
    pub action: String,
    pub detail: String,
    pub client: String,
    pub at: Timestamp,
    /// How it went, if that is known already.
    pub outcome: Option<String>,
}

/// A line of the log as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    pub num: i64,
    pub who: String,
    pub action: String,
    pub detail: String,
    pub client: String,
    pub at: Timestamp,
    pub outcome: Option<String>,
}

/// A wallet that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingWallet {
    pub merchant: MerchantId,
    /// The receive descriptor in its normal form.
    pub receive: String,
    pub mac: Vec<u8>,
    pub asked_by: String,
    pub client: String,
    pub asked_at: Timestamp,
    pub due_at: Timestamp,
}
