//! What is looked for among a merchant's charges, and the figures over them.

use bitpro_charge::{Cents, ChargeId, MerchantId, State, Timestamp, Txid};

/// Which of a merchant's charges are wanted; what is `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Whose: a search never leaves a merchant.
    pub merchant: MerchantId,
    /// What was typed.
    pub needle: Option<Needle>,
    /// In this state only.
    pub state: Option<State>,
    /// Made at this instant or later.
    pub from: Option<Timestamp>,
    /// Made before this instant.
    pub to: Option<Timestamp>,
}

/// What was typed, as everything that it can mean; a charge is found by any of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needle {
    /// Order ids that begin so.
    pub order_id: String,
    /// The charge's own id.
    pub charge: Option<ChargeId>,
    /// A transaction that pays it.
    pub txid: Option<Txid>,
    /// The script of its address.
    pub script: Option<Vec<u8>>,
    /// The shopper's e-mail, in its normal form.
    pub email: Option<String>,
}

/// A place in the list of a merchant's charges, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When the charge there was made.
    pub created_at: Timestamp,
    /// Its row, which decides among those of one instant.
    pub num: i64,
}

/// The charges made in one span of time that are in one state now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Which of the spans that were asked for, from 0.
    pub span: usize,
    /// The state.
    pub state: State,
    /// How many.
    pub charges: u64,
    /// Their prices together.
    pub price: Cents,
}

/// A merchant's own words about a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The words.
    pub text: String,
    /// When they were last changed.
    pub written_at: Timestamp,
}
