//! Secrets at rest: sealed under versioned keys of the configuration, so that a stolen database or backup opens nothing.
//!
//! A sealed secret is the key's version (4 bytes, big-endian), a random nonce (12 bytes) and what ChaCha20-Poly1305
//! (RFC 8439) makes of the secret. Purpose and row are authenticated with it: a sealed secret that somebody moves to another
//! row or column does not open.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::rng::Rng;

/// Bytes of the version in front.
const VERSION_LEN: usize = 4;

/// A key that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub [u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| ())?;
        // A key that somebody typed to get past this check authenticates nothing.
        if key.iter().all(|byte| *byte == key[0]) {
            return Err(());
        }
        Ok(Self(key))
    }
}

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A key of the merchant API; the row is the secret's own id.
    ApiKey,
    /// What a webhook is signed with; the row is the webhook's id.
    Webhook,
    /// What a merchant's links are signed with; the row is the link key's id.
    LinkKey,
    /// What a person's one-time codes are made of; the row is the account's id.
    Totp,
    /// What a person's one-time codes may be made of, in the form that asks for the first; the row is the session's hash.
    TotpOffer,
    /// A letter that is still to be sent; the row is the letter's id.
    Mail,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Webhook => "webhook",
            Self::LinkKey => "link-key",
            Self::Totp => "totp",
            Self::TotpOffer => "totp-offer",
            Self::Mail => "mail",
        }
    }
}

/// Why a secret does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The configuration has no key of this version.
    #[error("seal_keys has no key {0}, but secrets in the database are encrypted with it: add it again")]
    MissingKey(u32),
    /// The secret was changed, moved, or sealed under another key of the same version.
    #[error(
        "a sealed secret does not open: key {0} of seal_keys is another one, or the database was changed by another hand"
    )]
    Damaged(u32),
}

/// The configured keys, by version. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKeys(BTreeMap<u32, Secret>);

impl SealKeys {
    /// One key of version 1.
    #[must_use]
    pub fn first(key: Secret) -> Self {
        Self([(1, key)].into())
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealKeys").field(&self.0.keys()).finish()
    }
}

impl fmt::Display for SealKeys {
    /// As it is read, one key a line: for the file that keeps them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (version, Secret(key)) in &self.0 {
            writeln!(f, "{version}:{}", hex::encode(key))?;
        }
        Ok(())
    }
}

impl FromStr for SealKeys {
    type Err = ();

    /// Reads `version:key`, separated by commas or white space; a key has 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut keys = BTreeMap::new();
        for word in text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
            let (version, key) = word.split_once(':').ok_or(())?;
            let version: u32 = version.parse().map_err(|_| ())?;
            if version == 0 || keys.insert(version, key.parse()?).is_some() {
                return Err(());
            }
        }
        if keys.is_empty() { Err(()) } else { Ok(Self(keys)) }
    }
}

/// Seals and opens secrets. A cheap handle.
#[derive(Clone)]
pub struct Seal(Arc<Keys>);

struct Keys {
    by_version: BTreeMap<u32, LessSafeKey>,
    current: u32,
}

impl Seal {
    /// Seals under the highest version of `keys`.
    #[must_use]
    pub fn new(keys: &SealKeys) -> Self {
        let by_version: BTreeMap<u32, LessSafeKey> = keys
            .0
            .iter()
            .map(|(&version, Secret(key))| {
                let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the algorithm's keys have 32 bytes");
                (version, LessSafeKey::new(key))
            })
            .collect();
        let current = by_version.keys().next_back().copied();
        Self(Arc::new(Keys {
            by_version,
            current: current.expect("a list without a key is not read"),
        }))
    }

    /// The version under which secrets are sealed now.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.0.current
    }

    /// Seals `secret` for `purpose` in `row`, the id of the row it will stand in.
    #[must_use]
    pub fn seal(&self, rng: &dyn Rng, purpose: Purpose, row: &[u8], secret: &[u8]) -> Vec<u8> {
        let version = self.0.current;
        let key = &self.0.by_version[&version];
        // Random nonces of 96 bits are safe for far more secrets under one key than any instance will have.
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&rng.bytes()[16 - NONCE_LEN..]);
        let mut sealed = version.to_be_bytes().to_vec();
        sealed.extend_from_slice(&nonce);
        let mut body = secret.to_vec();
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context(version, purpose, row)),
                &mut body,
            )
            .expect("a secret is far below the algorithm's 256 GiB");
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what was sealed for `purpose` in `row`.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, purpose: Purpose, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let Some((version, rest)) = sealed.split_first_chunk::<VERSION_LEN>() else {
            return Err(SealError::Damaged(0));
        };
        let version = u32::from_be_bytes(*version);
        let damaged = SealError::Damaged(version);
        let key = self.0.by_version.get(&version).ok_or(SealError::MissingKey(version))?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(damaged)?;
        let mut body = body.to_vec();
        let opened = key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(context(version, purpose, row)),
                &mut body,
            )
            .map_err(|_| damaged)?
            .len();
        body.truncate(opened);
        Ok(body)
    }

    /// Whether `sealed` stands under the key of now.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.starts_with(&self.0.current.to_be_bytes())
    }
}

/// What is authenticated beside the secret. The purpose's length goes first, so that no two contexts are the same bytes.
fn context(version: u32, purpose: Purpose, row: &[u8]) -> Vec<u8> {
    let purpose = purpose.as_str().as_bytes();
    let mut context = version.to_be_bytes().to_vec();
    context.push(u8::try_from(purpose.len()).expect("the words above are short"));
    context.extend_from_slice(purpose);
    context.extend_from_slice(row);
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed_and_never_trivial() {
        let secret: Secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
            .parse()
            .unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!("0".repeat(64).parse::<Secret>().is_err());
        assert!("abcd".parse::<Secret>().is_err());
    }
    use crate::rng::SystemRng;

    const ONE: &str = "1:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const TWO: &str = "2:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const OTHER_ONE: &str = "1:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn seal(keys: &str) -> Seal {
        Seal::new(&keys.parse().unwrap())
    }

    #[test]
    fn what_was_sealed_opens_in_its_row_for_its_purpose_only() {
        let seal = seal(ONE);
        let sealed = seal.seal(&SystemRng, Purpose::ApiKey, b"row", b"secret");
        assert_eq!(seal.open(Purpose::ApiKey, b"row", &sealed).unwrap(), b"secret");
        let damaged = Err(SealError::Damaged(1));
        assert_eq!(seal.open(Purpose::ApiKey, b"other", &sealed), damaged);
        assert_eq!(seal.open(Purpose::Webhook, b"row", &sealed), damaged);
        for i in VERSION_LEN..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(seal.open(Purpose::ApiKey, b"row", &changed), damaged, "byte {i}");
        }
        assert_eq!(seal.open(Purpose::ApiKey, b"row", &sealed[..10]), damaged);
        assert_eq!(seal.open(Purpose::ApiKey, b"row", &[]), Err(SealError::Damaged(0)));
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let seal = seal(ONE);
        let sealed = || seal.seal(&SystemRng, Purpose::ApiKey, b"row", b"secret");
        assert_ne!(sealed(), sealed());
    }

    #[test]
    fn the_highest_key_seals_and_the_others_go_on_opening() {
        let old = seal(ONE).seal(&SystemRng, Purpose::LinkKey, b"row", b"secret");
        let both = seal(&format!("{TWO}, {ONE}"));
        assert_eq!(both.current(), 2);
        assert!(!both.is_current(&old));
        assert_eq!(both.open(Purpose::LinkKey, b"row", &old).unwrap(), b"secret");
        let new = both.seal(&SystemRng, Purpose::LinkKey, b"row", b"secret");
        assert!(both.is_current(&new));
        assert_eq!(
            seal(ONE).open(Purpose::LinkKey, b"row", &new),
            Err(SealError::MissingKey(2))
        );
        assert_eq!(
            seal(OTHER_ONE).open(Purpose::LinkKey, b"row", &old),
            Err(SealError::Damaged(1))
        );
    }

    #[test]
    fn keys_are_read_as_they_are_written_and_never_printed() {
        let keys: SealKeys = format!("{ONE}\n{TWO}\n").parse().unwrap();
        assert_eq!(keys.to_string().parse(), Ok(keys.clone()));
        assert!(!format!("{keys:?}").contains("2233"));
        for bad in [
            "",
            "1",
            "1:",
            "x:00",
            &ONE.replace("1:", "0:"),
            &format!("{ONE},{OTHER_ONE}"),
        ] {
            assert!(bad.parse::<SealKeys>().is_err(), "{bad}");
        }
    }
}
