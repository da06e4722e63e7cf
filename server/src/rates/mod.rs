//! Exchange rates: where they come from, and whether they are fresh enough to promise an amount by.

mod fixed;

use bitpro_charge::{Quote, Timestamp};

pub use fixed::FixedRate;

/// A source of the price of one bitcoin in euro.
pub trait RateSource: Send + Sync + 'static {
    /// The rate now; `None` when what is known is too old or too uncertain to promise an amount by.
    ///
    /// It is asked for at each charge and each payment, and so answers from memory.
    fn fresh(&self, now: Timestamp) -> Option<Quote>;

    /// Whether it follows no market: such a source serves play money only (R42).
    fn is_fixed(&self) -> bool;
}
