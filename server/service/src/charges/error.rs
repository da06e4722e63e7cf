//! Why the charges refuse, in variants that every surface maps in one place.

use bitpro_charge::{PriceError, Refusal, TermsError};
use bitpro_merchant::SettingError;
use bitpro_merchant::wallet::DescriptorError;
use bitpro_store::StoreError;

/// Why no charge was made. Nothing is half made: no row, no index, no event.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CreateError {
    /// There is no such merchant (404).
    #[error("there is no such merchant")]
    UnknownMerchant,
    /// The price is out of bounds (422).
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The price cannot be paid in bitcoin (422).
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// No fresh rate (503).
    #[error("there is no fresh exchange rate")]
    NoRate,
    /// The merchant has given no descriptor yet (503: theirs to mend).
    #[error("no wallet is set for this merchant yet")]
    NoDescriptor,
    /// Addresses are held back until it is certain which were given out (R28; 503).
    #[error("no address can be issued: {0}")]
    IssuanceBlocked(IssuanceBlock),
    /// The database failed (503).
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no address may be given out (R27, R28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuanceBlock {
    /// A descriptor that is new here, or whose issuance mark is missing, waits for a scan of the chain by a synced node.
    #[error("waiting for the node to check whether the wallet's addresses were used before")]
    AwaitsScan,
    /// This process does not hold the issuance mark: only the server makes charges.
    #[error("only the running server issues addresses")]
    NotTheServer,
    /// The descriptor has no further addresses.
    #[error("the descriptor is exhausted")]
    Exhausted,
}

/// Why a merchant's command on a charge is not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommandError {
    /// There is no such charge (404).
    #[error("there is no such charge")]
    UnknownCharge,
    /// The node's chain is not followed at present, or has not been looked at since the start (R6), so nothing is concluded about any
    /// charge (409).
    #[error(
        "no charge is accepted or cancelled until the server has found the node on the chain that the charges stand on: try again when \
         /readyz shows the node in step"
    )]
    ChainHeld,
    /// The charge is not what the merchant thought (409).
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed (503).
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a view was not applied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObserveError {
    /// The view does not continue the stored tip: read the stored tip again and compare anew.
    #[error("the view does not continue the stored tip")]
    NotContinuing,
    /// The view's chain has less work than the stored one (R6).
    #[error("the view's chain has less work than the stored one")]
    LessWork,
    /// The database failed; nothing was applied.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a merchant is not added or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MerchantError {
    /// There is no such merchant.
    #[error("there is no such merchant")]
    Unknown,
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The descriptor or extended key is wrong.
    #[error("descriptor: {0}")]
    Descriptor(#[from] DescriptorError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
