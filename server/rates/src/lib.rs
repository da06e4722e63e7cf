//! Exchange rates: where they come from, and whether they are fresh enough to promise an amount by.

#![warn(missing_docs)]

mod board;
mod client;
mod exchange;
mod fixed;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod live;
mod offer;
mod price;
mod quorum;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use bitpro_charge::{Quote, Rate, Timestamp};

pub use exchange::Exchange;
pub use fixed::FixedRate;
pub use live::{Failure, LiveConfig, LiveRates, NoTrust};
pub use offer::Offer;
pub use quorum::{Agreement, Bounds, FRESH_SECS, NoQuorum, Quorum, Standing};

/// Where the operator wants rates to come from.
#[derive(Debug, Clone)]
pub struct RatesConfig {
    /// Whether `fixed` counts, and not the market.
    pub is_fixed: bool,
    /// The price that the operator wrote down.
    pub fixed: Rate,
    /// How the market is asked.
    pub live: LiveConfig,
}

/// A source of the price of one bitcoin in euro.
pub trait RateSource: Send + Sync + 'static {
    /// The rate now; `None` when what is known is too old or too uncertain to promise an amount by.
    ///
    /// It is asked for at each charge and each payment, and so answers from memory.
    fn fresh(&self, now: Timestamp) -> Option<Quote>;

    /// Whether it follows no market: such a source serves play money only (R42).
    fn is_fixed(&self) -> bool;

    /// Brings its figures in the metrics up to `now`; a source without any leaves them out.
    fn record_metrics(&self, now: Timestamp) {
        let _ = now;
    }
}
