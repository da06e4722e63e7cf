//! What the product does: charges, accounts, letters, webhooks, and the comparison of all of it with the chain.

#![warn(missing_docs)]

pub mod accounts;
pub mod charges;
pub mod mail;
pub mod reconcile;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod webhooks;
pub mod wire;
