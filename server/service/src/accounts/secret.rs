//! Secrets that travel: what a cookie or a link in a letter holds. The database has their hash only, so that reading it
//! lets nobody in.

use std::fmt;

use bitpro_base::rng::{self, Rng};
use sha2::{Digest as _, Sha256};

/// 256 random bits, as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A fresh one.
    #[must_use]
    pub fn new(rng: &dyn Rng) -> Self {
        Self(hex::encode(rng::key(rng)))
    }

    /// The text, for the cookie or the link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the database knows it by.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }

    /// A second secret that follows from this one: what forms of the session carry against forged requests.
    #[must_use]
    pub fn csrf(&self) -> String {
        hex::encode(&hash(&format!("csrf:{}", self.0))[..16])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What came in its place; whether it is one, the database says.
impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// SHA-256 of a secret with enough entropy to need no salt.
#[must_use]
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use bitpro_base::rng::SystemRng;

    use super::*;

    #[test]
    fn tokens_differ_and_print_nothing() {
        let (one, other) = (Token::new(&SystemRng), Token::new(&SystemRng));
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.as_str().len(), 64);
        assert_eq!(Token::from(one.as_str()).hash(), one.hash());
        assert_ne!(one.csrf(), other.csrf());
        assert_eq!(format!("{one:?}"), "Token(…)");
    }
}
