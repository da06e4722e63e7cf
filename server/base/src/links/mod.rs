//! Signed links: a merchant's server vouches for the price, the order and the shopper of a payment link, so that nobody can
//! edit them on the way (R21). Pure: keys and the time come in.

mod claim;
mod key;
mod message;
#[cfg(test)]
mod tests;

pub use claim::{Claim, ClaimError, Expiry};
pub use key::{KeyError, LinkKey, SealedLinkKey, Signature};
pub use message::{Covered, message};
