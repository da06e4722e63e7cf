//! A rate that never moves: for regtest and demonstrations.

use bitpro_charge::{Quote, Rate, Timestamp};

use super::RateSource;

/// The rate that the operator wrote down. Always fresh, and so never fit for real money (R42).
#[derive(Debug, Clone, Copy)]
pub struct FixedRate(pub Rate);

impl FixedRate {
    /// What its quotes name as their source.
    pub const SOURCE: &'static str = "fixed";
}

impl RateSource for FixedRate {
    fn fresh(&self, now: Timestamp) -> Option<Quote> {
        Some(Quote {
            rate: self.0,
            source: Self::SOURCE.to_owned(),
            at: now,
        })
    }

    fn is_fixed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r42_the_fixed_rate_is_fresh_for_ever_and_says_that_it_is_fixed() {
        let source = FixedRate(Rate::from_cents_per_btc(5_000_000).unwrap());
        let later = Timestamp::from_secs(4_000_000_000);
        let quote = source.fresh(later).unwrap();
        assert_eq!(quote.at, later);
        assert_eq!(quote.source, "fixed");
        assert!(source.is_fixed());
    }
}
