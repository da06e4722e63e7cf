//! Keys of the merchant API: who may ask what, and which requests were seen before.

mod nonces;
mod scope;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bitpro_charge::{ChargeId, IdError, MerchantId, Timestamp};

pub use nonces::{NonceError, Nonces, NoncesError};
pub use scope::{Scope, Scopes};

/// Bytes of a secret that is made here; the specification wants 256 to 512 bits.
pub const SECRET_LEN: usize = 32;

/// How far a request's timestamp may be from our clock, either way, in seconds (http-hmac-spec 2.0).
pub const SKEW_SECS: u32 = 900;
/// How long a nonce is remembered, in seconds: as long as any request that carries it can be fresh.
pub const NONCE_SECS: u32 = 2 * SKEW_SECS;

/// The name of a key: a UUID. That of a merchant's first key is the merchant's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ChargeId(self.0).fmt(f)
    }
}

impl FromStr for KeyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(|ChargeId(bytes)| Self(bytes))
    }
}

/// A key as it is now.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its row.
    pub num: i64,
    /// Its name on the wire.
    pub id: KeyId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Its secrets, newest first: two while it is rotated.
    pub secrets: Vec<KeySecret>,
    /// When it last signed a request, in milliseconds; 0 before it ever did. Shared by all copies of the key.
    pub last_used: Arc<AtomicI64>,
}

/// One secret of a key.
#[derive(Clone)]
pub struct KeySecret {
    /// Its row.
    pub id: [u8; 16],
    /// What requests are signed with.
    pub bytes: Arc<[u8]>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// `None` until a newer one takes its place.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySecret")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl ApiKey {
    /// The secrets that count at `now`, newest first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &KeySecret> {
        let is_live = move |secret: &&KeySecret| secret.expires_at.is_none_or(|end| now < end);
        self.secrets
            .iter()
            .filter(|_| self.revoked_at.is_none())
            .filter(is_live)
    }

    /// Its id and its name, for the audit log.
    pub fn named(&self) -> String {
        format!("{} {}", self.id, self.name)
    }

    /// When it last signed a request, if ever.
    #[must_use]
    pub fn last_used_at(&self) -> Option<Timestamp> {
        let millis = self.last_used.load(Ordering::Relaxed);
        (millis > 0).then_some(Timestamp(millis))
    }

    /// Notes that it signed a request.
    pub fn note_used(&self, now: Timestamp) {
        self.last_used.fetch_max(now.0, Ordering::Relaxed);
    }
}

/// Keys by id, shared and never half updated.
pub type KeyMap = HashMap<KeyId, Arc<ApiKey>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_counts_until_its_end_and_never_after_a_revocation() {
        let secret = |byte, expires_at| KeySecret {
            id: [byte; 16],
            bytes: [byte; SECRET_LEN].into(),
            created_at: Timestamp(0),
            expires_at,
        };
        let mut key = ApiKey {
            num: 1,
            id: KeyId([1; 16]),
            merchant: MerchantId([1; 16]),
            name: String::new(),
            scopes: Scopes::default(),
            created_at: Timestamp(0),
            revoked_at: None,
            secrets: vec![secret(2, None), secret(1, Some(Timestamp(10)))],
            last_used: Arc::default(),
        };
        let live = |key: &ApiKey, now| {
            key.live_secrets(Timestamp(now))
                .map(|live| live.id[0])
                .collect::<Vec<_>>()
        };
        assert_eq!(live(&key, 9), [2, 1]);
        assert_eq!(live(&key, 10), [2]);
        key.revoked_at = Some(Timestamp(9));
        assert!(live(&key, 9).is_empty());
        assert!(!format!("{key:?}").contains("2, 2"));
    }
}
