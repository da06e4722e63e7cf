//! Link keys: what a merchant's links are signed with, and how a key is kept.

use std::fmt;
use std::str::FromStr;

use bitpro_charge::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A key of 256 bits. It is never printed by accident; [`LinkKey::reveal`] is for the one time when it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; 32]);

/// An HMAC-SHA256 (RFC 2104) of a link's message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 32]);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a link key has 64 hexadecimal digits, as `bitpro link key rotate` shows it")]
pub struct KeyError;

/// A key as it is stored: sealed, with its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedLinkKey {
    /// Its name, for the list of keys.
    pub id: [u8; 16],
    /// The key, sealed for [`crate::seal::Purpose::LinkKey`] in the row of `id`.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it counts no more; `None` is the key that signs now.
    pub ends_at: Option<Timestamp>,
}

impl LinkKey {
    /// The key made of random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, to be sealed.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as the merchant gets it: 64 hexadecimal digits.
    #[must_use]
    pub fn reveal(&self) -> String {
        hex::encode(self.0)
    }

    /// The signature of `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.mac(message).finalize().into_bytes().into())
    }

    /// Whether `signature` is that of `message`, in a time that does not tell how much of it is right.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.mac(message).verify_slice(&signature.0).is_ok()
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(message);
        mac
    }
}

impl FromStr for LinkKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

impl FromStr for Signature {
    type Err = ();

    /// Reads 64 hexadecimal digits, of either case.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ())?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl SealedLinkKey {
    /// Whether its signatures count at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|ends_at| now < ends_at)
    }
}
