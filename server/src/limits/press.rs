//! The button that works after a few seconds: proof that somebody waited, without anything kept here (R25, R26).
//!
//! The page carries a token of the time it was made, for one merchant; a press with a token that is too young or too old
//! gets the page again. A spammer can wait too, but the limit by address goes on counting for him.

use bitpro_charge::{MerchantId, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long a shopper waits before the button works, in milliseconds.
const DELAY_MS: i64 = 2_000;
/// How long a page with the button may lie open, in milliseconds.
const LIFETIME_MS: i64 = 60 * 60 * 1_000;
/// Bytes of the authenticator that are sent: 128 bits.
const TAG: usize = 16;

/// The key of the tokens: random at each start, for they need not outlive it.
pub struct PressKey([u8; 32]);

/// What a token proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Somebody waited long enough.
    Waited,
    /// Too early.
    Early,
    /// No token, a forged one, or one from yesterday.
    Nothing,
}

impl PressKey {
    /// A key from random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A token for the page of `merchant` that is made now.
    #[must_use]
    pub fn token(&self, merchant: MerchantId, now: Timestamp) -> String {
        let tag = self.mac(merchant, now.0).finalize().into_bytes();
        format!("{:x}-{}", now.0, hex::encode(&tag[..TAG]))
    }

    /// What `token` proves about a press on the page of `merchant`.
    #[must_use]
    pub fn check(&self, token: Option<&str>, merchant: MerchantId, now: Timestamp) -> Press {
        let read = token.and_then(|token| {
            let (made_at, tag) = token.split_once('-')?;
            let made_at = i64::from_str_radix(made_at, 16).ok()?;
            let mut bytes = [0; TAG];
            hex::decode_to_slice(tag, &mut bytes).ok()?;
            self.mac(merchant, made_at).verify_truncated_left(&bytes).ok()?;
            Some(made_at)
        });
        match read.map(|made_at| now.0.saturating_sub(made_at)) {
            Some(age) if age > LIFETIME_MS => Press::Nothing,
            Some(age) if age >= DELAY_MS => Press::Waited,
            Some(_) => Press::Early,
            None => Press::Nothing,
        }
    }

    fn mac(&self, merchant: MerchantId, made_at: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&merchant.0);
        mac.update(&made_at.to_be_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const SHOP: MerchantId = MerchantId([1; 16]);

    #[test]
    fn r25_a_press_counts_after_the_delay_and_not_for_ever() {
        let key = PressKey::new([7; 32]);
        let token = key.token(SHOP, NOW);
        let at = |ms: i64| key.check(Some(&token), SHOP, Timestamp(NOW.0 + ms));
        assert_eq!(at(0), Press::Early);
        assert_eq!(at(DELAY_MS - 1), Press::Early);
        assert_eq!(at(DELAY_MS), Press::Waited);
        assert_eq!(at(LIFETIME_MS), Press::Waited);
        assert_eq!(at(LIFETIME_MS + 1), Press::Nothing);
    }

    #[test]
    fn a_token_of_another_merchant_key_or_time_proves_nothing() {
        let key = PressKey::new([7; 32]);
        let token = key.token(SHOP, NOW);
        let later = Timestamp(NOW.0 + DELAY_MS);
        assert_eq!(key.check(Some(&token), MerchantId([2; 16]), later), Press::Nothing);
        assert_eq!(PressKey::new([8; 32]).check(Some(&token), SHOP, later), Press::Nothing);
        let older = format!("{:x}-{}", NOW.0 - 10_000, token.split_once('-').unwrap().1);
        for bad in [Some(older.as_str()), Some(""), Some("-"), Some("zz-00"), None] {
            assert_eq!(key.check(bad, SHOP, later), Press::Nothing, "{bad:?}");
        }
    }
}
