//! Rows of people: accounts, sessions, teams, and the log of what they changed.

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::{Language, Role};

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its row.
    pub num: i64,
    /// Its public id.
    pub id: [u8; 16],
    /// In lower case.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// The name of the merchant that was asked for.
    pub company: String,
    /// The site of that merchant; may be empty.
    pub site: String,
    /// The language of letters and pages, by its code.
    pub language: String,
    /// When the operator approved it; `None` while it waits.
    pub approved_at: Option<Timestamp>,
    /// In PHC form.
    pub password: Option<String>,
    /// Sealed.
    pub totp: Option<Vec<u8>>,
    /// The last step of a one-time code that was taken: none counts twice.
    pub totp_step: Option<i64>,
    /// Whether it has at least one passkey; not written with the rest.
    pub has_passkey: bool,
    /// Counts up when the browsers that have logged in are to be known no more.
    pub device_epoch: i64,
    /// Whether the merchant that was asked for is made with the first password.
    pub wants_merchant: bool,
    /// When the operator blocked it.
    pub disabled_at: Option<Timestamp>,
    /// When it was asked for.
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
    /// Its public id.
    pub id: [u8; 16],
    /// The row of its account.
    pub account: i64,
    /// What its owner calls it.
    pub name: String,
    /// The id that the authenticator gave it.
    pub credential_id: Vec<u8>,
    /// The public key and what belongs to it, in JSON.
    pub credential: String,
    /// The authenticator's counter at the last use.
    pub sign_count: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// The most sessions that an account has at a time.
pub(crate) const MOST_SESSIONS: u32 = 50;

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of what the cookie holds.
    pub hash: [u8; 32],
    /// Its public id, by which its owner ends it.
    pub id: [u8; 16],
    /// The row of its account.
    pub account: i64,
    /// When the log-in began.
    pub created_at: Timestamp,
    /// When it was last used, to a few minutes.
    pub seen_at: Timestamp,
    /// When its owner last showed who they are: by password, or by passkey.
    pub confirmed_at: Timestamp,
    /// When the second factor was last given; `None` until it is.
    pub factor_at: Option<Timestamp>,
    /// The client's address when it began.
    pub client: String,
    /// The browser as it calls itself.
    pub agent: String,
}

/// A session with whose it is.
#[derive(Debug, Clone)]
pub struct Login {
    /// The session.
    pub session: SessionRow,
    /// Its account.
    pub account: AccountRow,
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The row of the account.
    pub account: i64,
    /// The account's public id.
    pub id: [u8; 16],
    /// Their e-mail address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The language of their letters, by its code.
    pub language: String,
    /// What they may do.
    pub role: Role,
    /// When they joined.
    pub since: Timestamp,
    /// Whether they have a second factor.
    pub has_factor: bool,
    /// Whether the operator has blocked their account.
    pub is_disabled: bool,
}

/// An account's part in one merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Which merchant.
    pub merchant: MerchantId,
    /// What the account may do there.
    pub role: Role,
    /// Whether the merchant's owners require a second factor of the whole team.
    pub needs_factor: bool,
}

/// Somebody who was invited and has not come yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its public id.
    pub id: [u8; 16],
    /// Into whose team.
    pub merchant: MerchantId,
    /// Who was invited.
    pub email: String,
    /// What they will be allowed to do.
    pub role: Role,
    /// From when on it is no longer valid.
    pub expires_at: Timestamp,
}

/// A change that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The merchant's row.
    pub merchant: Option<i64>,
    /// The account's row; `None` when somebody acted who has none.
    pub account: Option<i64>,
    /// Who acts: an e-mail address, or the operator.
    pub who: String,
    /// What is done: the path of the form, or the name of the command.
    pub action: String,
    /// What it is done to.
    pub detail: String,
    /// The client's address.
    pub client: String,
    /// When it began.
    pub at: Timestamp,
    /// How it went, if that is known already.
    pub outcome: Option<String>,
}

/// A line of the log as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its row; grows with time.
    pub num: i64,
    /// Who acted: an e-mail address, or the operator.
    pub who: String,
    /// What was done: the path of the form, or the name of the command.
    pub action: String,
    /// What it was done to.
    pub detail: String,
    /// The client's address.
    pub client: String,
    /// When it began.
    pub at: Timestamp,
    /// How it went; `None` when the server ended before it was known.
    pub outcome: Option<String>,
}

/// A wallet that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingWallet {
    /// Whose wallet.
    pub merchant: MerchantId,
    /// The receive descriptor in its normal form.
    pub receive: String,
    /// Shows that this row was written by a server with our key.
    pub mac: Vec<u8>,
    /// The e-mail address of who asked for it.
    pub asked_by: String,
    /// The client's address.
    pub client: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it takes effect.
    pub due_at: Timestamp,
}
