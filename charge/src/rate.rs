//! Exchange rates: what one bitcoin costs, who said so and when; conversion in integers, rounded for the merchant.

use std::fmt;

use bitcoin_units::Amount;

use crate::{Cents, Timestamp};

const SATS_PER_BTC: u128 = 100_000_000;

/// The price of one bitcoin, in euro cents; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

/// Why a conversion is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateError {
    /// A rate of zero would sell anything for nothing.
    Zero,
    /// The price converts to more than the 21 million bitcoins that there will ever be.
    TooLarge,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "the exchange rate is zero",
            Self::TooLarge => "the price is worth more bitcoin than exists",
        })
    }
}

impl std::error::Error for RateError {}

impl Rate {
    /// A rate from the cents that one bitcoin costs.
    ///
    /// # Errors
    /// [`RateError::Zero`].
    pub const fn from_cents_per_btc(cents: u64) -> Result<Self, RateError> {
        if cents == 0 {
            Err(RateError::Zero)
        } else {
            Ok(Self(cents))
        }
    }

    /// Euro cents for one bitcoin.
    #[must_use]
    pub const fn cents_per_btc(self) -> u64 {
        self.0
    }

    /// The amount to pay for `price`: what this rate gives and `spread_bps` hundredths of a percent more, rounded **up** to the
    /// satoshi (R29), so that rounding is never against the merchant.
    ///
    /// # Errors
    /// [`RateError::TooLarge`] beyond 21 million bitcoin.
    pub fn amount_for(self, price: Cents, spread_bps: u32) -> Result<Amount, RateError> {
        let with_spread = 10_000 + u128::from(spread_bps);
        let sats = (u128::from(price.0) * SATS_PER_BTC * with_spread).div_ceil(u128::from(self.0) * 10_000);
        let sats = u64::try_from(sats).map_err(|_| RateError::TooLarge)?;
        if sats > Amount::MAX_MONEY.to_sat() {
            return Err(RateError::TooLarge);
        }
        Ok(Amount::from_sat(sats))
    }

    /// The worth of `amount` in cents, rounded up, saturating.
    #[must_use]
    pub fn worth(self, amount: Amount) -> Cents {
        let cents = (u128::from(amount.to_sat()) * u128::from(self.0)).div_ceil(SATS_PER_BTC);
        Cents(u64::try_from(cents).unwrap_or(u64::MAX))
    }

    /// How far `now` lies **below** this rate, in basis points rounded up; zero when bitcoin has become dearer.
    ///
    /// Only a fall hurts the merchant (R13): the promised satoshis are worth less than when they were promised.
    #[must_use]
    pub fn fallen_bps(self, now: Self) -> u32 {
        let fall = u128::from(self.0.saturating_sub(now.0));
        let bps = (fall * 10_000).div_ceil(u128::from(self.0));
        u32::try_from(bps).expect("a fall is at most the whole rate, 10,000 basis points")
    }
}

/// A rate with its origin: stored on the charge when it is quoted and with each payment when it is seen (R44).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// What a bitcoin cost on the market, without the merchant's spread.
    pub rate: Rate,
    /// The sources it was made from, each with its time, as in `kraken 09:15:04Z, bitstamp 09:15:06Z`; or `fixed`.
    pub source: String,
    /// The time that the rate can be vouched for: that of the oldest source.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(cents: u64) -> Rate {
        Rate::from_cents_per_btc(cents).unwrap()
    }

    #[test]
    fn r29_the_amount_is_rounded_up_to_the_satoshi() {
        // EUR 1 at EUR 30,000: 3333.33… sat.
        assert_eq!(rate(3_000_000).amount_for(Cents(100), 0), Ok(Amount::from_sat(3334)));
        assert_eq!(rate(100_000_000).amount_for(Cents(1), 0), Ok(Amount::from_sat(1)));
        assert_eq!(rate(u64::MAX).amount_for(Cents(1), 0), Ok(Amount::from_sat(1)));
    }

    #[test]
    fn r29_the_spread_asks_for_more_and_is_rounded_up_only_once() {
        // EUR 50 at EUR 50,000 is 100,000 sat.
        assert_eq!(
            rate(5_000_000).amount_for(Cents(5_000), 100),
            Ok(Amount::from_sat(101_000))
        );
        assert_eq!(
            rate(5_000_000).amount_for(Cents(5_000), 1),
            Ok(Amount::from_sat(100_010))
        );
        // 3333.33… sat and half a percent are 3350 sat exactly, not the 3350.67 of half a percent on 3334 sat.
        assert_eq!(rate(3_000_000).amount_for(Cents(100), 50), Ok(Amount::from_sat(3_350)));
    }

    #[test]
    fn nobody_is_asked_for_more_bitcoin_than_exists_or_given_a_rate_of_zero() {
        assert_eq!(rate(1).amount_for(Cents(21_000_001), 0), Err(RateError::TooLarge));
        assert_eq!(rate(1).amount_for(Cents(21_000_000), 0), Ok(Amount::MAX_MONEY));
        assert_eq!(rate(1).amount_for(Cents(u64::MAX), u32::MAX), Err(RateError::TooLarge));
        assert_eq!(Rate::from_cents_per_btc(0), Err(RateError::Zero));
    }

    #[test]
    fn r13_only_a_fall_counts() {
        assert_eq!(rate(10_000).fallen_bps(rate(9_800)), 200);
        assert_eq!(rate(10_000).fallen_bps(rate(20_000)), 0);
        assert_eq!(rate(3).fallen_bps(rate(2)), 3334);
        assert_eq!(rate(u64::MAX).fallen_bps(rate(1)), 10_000);
    }

    #[test]
    fn worth_is_rounded_up_and_saturates() {
        assert_eq!(rate(3_000_000).worth(Amount::from_sat(3334)), Cents(101));
        assert_eq!(rate(u64::MAX).worth(Amount::MAX_MONEY), Cents(u64::MAX));
    }
}
