//! What a signed link claims, and whether that is true.

use std::fmt;
use std::str::FromStr;

use bitpro_charge::{MerchantId, Timestamp};

use super::{Covered, LinkKey, Signature, message};

/// When a signed link runs out: Unix seconds, in the one way of writing them (digits, no sign, no leading zero).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry(u64);

/// A signature in a link, and all that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What it covers beside the merchant and the expiry.
    pub covered: Covered,
    /// `exp`
    pub expires: Expiry,
    /// `sig`
    pub signature: Signature,
}

/// Why a link is not the merchant's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimError {
    /// No live key of the merchant made this signature for this link.
    WrongSignature,
    /// It is theirs, and has expired.
    Expired,
}

impl Expiry {
    /// The highest, in seconds: 12 digits, some 31,000 years from now.
    const MOST: u64 = 999_999_999_999;

    /// The expiry at `secs` after the epoch; `None` beyond 12 digits.
    #[must_use]
    pub fn from_secs(secs: u64) -> Option<Self> {
        (secs <= Self::MOST).then_some(Self(secs))
    }

    /// Whether a link with it has run out at `now`: it is good until the instant that it names.
    #[must_use]
    pub fn is_past(self, now: Timestamp) -> bool {
        let ends_at = i64::try_from(self.0).map_or(i64::MAX, |secs| secs.saturating_mul(1_000));
        now.0 >= ends_at
    }
}

impl FromStr for Expiry {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let secs = text.parse().map_err(|_| ())?;
        let expires = Self::from_secs(secs).ok_or(())?;
        // A signature covers the text: there must not be two texts for one instant.
        if expires.to_string() == text {
            Ok(expires)
        } else {
            Err(())
        }
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Claim {
    /// Checks the claim for a link of `merchant` against their live `keys`.
    ///
    /// # Errors
    /// [`ClaimError`]. A signature that was never right is told before one that has run out.
    pub fn check<'k>(
        &self,
        merchant: MerchantId,
        keys: impl IntoIterator<Item = &'k LinkKey>,
        now: Timestamp,
    ) -> Result<(), ClaimError> {
        let message = message(merchant, &self.covered, self.expires);
        if !keys.into_iter().any(|key| key.verifies(&message, &self.signature)) {
            return Err(ClaimError::WrongSignature);
        }
        if self.expires.is_past(now) {
            return Err(ClaimError::Expired);
        }
        Ok(())
    }
}
