//! The merchant's wallet, as far as the server knows it: public keys, and the addresses that follow from them (R27, R28).

mod descriptor;
mod error;
mod slip132;

pub use descriptor::{Derived, Receive, address_of};
pub use error::DescriptorError;

/// Where a merchant's addresses come from, as they write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletText {
    /// An output descriptor, or an extended public key (`xpub…`, `tpub…`, `zpub…`).
    pub text: String,
    /// For an extended public key: `wpkh`, `tr`, `sh-wpkh`, `pkh`.
    pub script_type: Option<String>,
}

/// The row of a receive descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DescriptorId(pub i64);
