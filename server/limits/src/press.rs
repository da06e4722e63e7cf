//! The button that works after a few seconds: proof that somebody waited (R25, R26).
//!
//! The page carries a token of the time it was made, for one merchant and one client. A press with a token that is too young or
//! too old gets the page again. A token makes one charge: pressed twice, as by a double click, it leads to the charge that it
//! made. A spammer can wait too, but gets a charge for each page that was fetched, and the budgets go on counting.

mod spent;
#[cfg(test)]
mod tests;

use bitpro_charge::{MerchantId, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use bitpro_base::client::Client;
pub use spent::{Spending, Spent};
use spent::{SpentTokens, TokenKey};

/// How long a shopper waits before the button works, in milliseconds.
const DELAY_MS: i64 = 2_000;
/// How long a page with the button may lie open, in milliseconds.
const LIFETIME_MS: i64 = 60 * 60 * 1_000;
/// Tokens that are remembered as spent. When there are more, the older half is forgotten, and every token that is as old is void:
/// its page is shown again, with a new one. So none is ever taken twice.
pub(crate) const SPENT_TOKENS: usize = 32_768;
/// Bytes of the authenticator that are sent: 128 bits.
const TAG: usize = 16;
/// Bytes that tell two pages of one millisecond apart.
const NONCE: usize = 8;

/// The tokens: their key, random at each start, for they need not outlive it, and those that were spent.
#[derive(Debug)]
pub struct Presses {
    key: [u8; 32],
    spent: SpentTokens,
}

/// What a token proves, as far as it says so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Somebody waited long enough.
    Waited(Token),
    /// Too early.
    Early(Token),
    /// No token, a forged one, another client's, or one from yesterday.
    Nothing,
}

/// A token of ours that is not too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    key: TokenKey,
    made_at: i64,
}

impl Press {
    /// The token, if it is one.
    #[must_use]
    pub const fn token(self) -> Option<Token> {
        match self {
            Self::Waited(token) | Self::Early(token) => Some(token),
            Self::Nothing => None,
        }
    }
}

impl Presses {
    /// Tokens under a key of random bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            spent: SpentTokens::new(SPENT_TOKENS),
        }
    }

    /// A token for the page of `merchant` that is made now for `client`.
    #[must_use]
    pub fn token(&self, merchant: MerchantId, client: Client, random: [u8; 16], now: Timestamp) -> String {
        let (nonce, _) = random.split_at(NONCE);
        let tag = self.mac(merchant, client, nonce, now.0).finalize().into_bytes();
        format!("{:x}-{}{}", now.0, hex::encode(nonce), hex::encode(&tag[..TAG]))
    }

    /// What `token` says about a press by `client` on the page of `merchant`.
    #[must_use]
    pub fn read(&self, token: Option<&str>, merchant: MerchantId, client: Client, now: Timestamp) -> Press {
        let read = token.and_then(|token| {
            let (made_at, rest) = token.split_once('-')?;
            let made_at = i64::from_str_radix(made_at, 16).ok()?;
            let mut bytes = [0; NONCE + TAG];
            hex::decode_to_slice(rest, &mut bytes).ok()?;
            let (nonce, tag) = bytes.split_at(NONCE);
            let mac = self.mac(merchant, client, nonce, made_at);
            mac.verify_truncated_left(tag).ok()?;
            let mut key = TokenKey::default();
            key.copy_from_slice(&tag[..size_of::<TokenKey>()]);
            Some(Token { key, made_at })
        });
        match read.map(|token| (token, now.0.saturating_sub(token.made_at))) {
            Some((_, age)) if age > LIFETIME_MS => Press::Nothing,
            Some((token, age)) if age >= DELAY_MS => Press::Waited(token),
            Some((token, _)) => Press::Early(token),
            None => Press::Nothing,
        }
    }

    /// Spends a token for a charge of these terms, and says whether that was done before. Whoever spends the same token for the
    /// same while the first charge is being made, waits for it.
    pub async fn spend(&self, token: Token, terms: &impl std::hash::Hash) -> Spent<'_> {
        self.spent.spend(token.key, token.made_at, terms).await
    }

    fn mac(&self, merchant: MerchantId, client: Client, nonce: &[u8], made_at: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&merchant.0);
        mac.update(&client.bytes());
        mac.update(nonce);
        mac.update(&made_at.to_be_bytes());
        mac
    }
}
