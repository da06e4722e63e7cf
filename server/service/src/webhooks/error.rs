//! Why something is not done to a webhook, and how webhooks and events are named.

use std::fmt;
use std::str::FromStr;

use bitpro_base::policy::UrlError;
use bitpro_base::seal::SealError;
use bitpro_charge::{Announcement, ChargeId, IdError};
use bitpro_store::StoreError;

use super::service::MAX_WEBHOOKS;
use crate::charges::LONGEST_OVERLAP_SECS;

/// The id of a webhook or of an event: a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub [u8; 16]);

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ChargeId(self.0).fmt(f)
    }
}

impl FromStr for WebhookId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(|ChargeId(id)| Self(id))
    }
}

/// Why something is not done to a webhook. Nothing is changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WebhookError {
    /// There is no such merchant (404).
    #[error("there is no such merchant")]
    UnknownMerchant,
    /// There is no such webhook, or it is another merchant's (404).
    #[error("there is no such webhook")]
    Unknown,
    /// The webhook was never to be told of such an event (404).
    #[error("there is no such event for this webhook")]
    UnknownEvent,
    /// There is no such state (422).
    #[error("state = {state:?}: wanted one of {known}", state = .0, known = states())]
    State(String),
    /// The URL is not taken (422).
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The name leads to a forbidden address (422).
    #[error("the url is not allowed: {0}")]
    Resolved(String),
    /// The same state and URL are there already (409).
    #[error("there is already a webhook for this state and url: {0}")]
    Duplicate(WebhookId),
    /// There are too many (422).
    #[error("a merchant has at most {MAX_WEBHOOKS} webhooks: remove one first")]
    TooMany,
    /// The overlap is too long (422).
    #[error("the previous secret can sign for at most {LONGEST_OVERLAP_SECS} more seconds")]
    Overlap,
    /// A secret does not open (503).
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed (503).
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn states() -> String {
    Announcement::ALL.map(Announcement::as_str).join(", ")
}
