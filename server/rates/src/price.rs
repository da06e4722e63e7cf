//! What a bitcoin costs, finer than a cent and without floats.

use std::fmt;

use bitpro_charge::Rate;

/// The price of one bitcoin in millionths of a euro: exchanges quote finer than cents, and the middle of two prices is finer still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(u64);

const PLACES: usize = 6;
const UNITS_PER_CENT: u64 = 10_000;

impl Price {
    /// Reads a decimal number of euros in plain digits, as in `52523.10000`. Places after the sixth are cut off: they are worth
    /// less than a ten-thousandth of a cent.
    ///
    /// `None` for zero, signs, exponents, more than 18 trillion euros, and everything else that is no such number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (text, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let kept = &fraction[..fraction.len().min(PLACES)];
        let units = format!("{whole}{kept:0<PLACES$}").parse().ok()?;
        (units > 0).then_some(Self(units))
    }

    /// The middle of two prices, rounded down: a lower rate asks for more satoshis, so that rounding is never against the merchant.
    #[must_use]
    pub const fn middle(self, other: Self) -> Self {
        Self(u64::midpoint(self.0, other.0))
    }

    /// Whether `other` lies more than `bps` hundredths of a percent of this price away from it.
    #[must_use]
    pub fn is_further_than(self, bps: u32, other: Self) -> bool {
        u128::from(self.0.abs_diff(other.0)) * 10_000 > u128::from(self.0) * u128::from(bps)
    }

    /// The distance to `other` in hundredths of a percent of this price, rounded up and saturating.
    #[must_use]
    pub fn distance_bps(self, other: Self) -> u32 {
        let bps = (u128::from(self.0.abs_diff(other.0)) * 10_000).div_ceil(u128::from(self.0));
        u32::try_from(bps).unwrap_or(u32::MAX)
    }

    /// As a rate in whole cents, rounded down; `None` below one cent.
    #[must_use]
    pub fn rate(self) -> Option<Rate> {
        Rate::from_cents_per_btc(self.0 / UNITS_PER_CENT).ok()
    }
}

impl From<Rate> for Price {
    /// Saturates far above every price that a configuration allows.
    fn from(rate: Rate) -> Self {
        Self(rate.cents_per_btc().saturating_mul(UNITS_PER_CENT))
    }
}

impl fmt::Display for Price {
    /// In euros with cents, rounded down: for the command line and logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0 / UNITS_PER_CENT;
        write!(f, "{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    #[test]
    fn r29_decimals_are_read_without_floats() {
        for (text, units) in [
            ("52523.10000", 52_523_100_000),
            ("52523", 52_523_000_000),
            ("0.000001", 1),
            ("007.5", 7_500_000),
            ("1.23456789", 1_234_567),
            ("18446744073709.551615", u64::MAX),
        ] {
            assert_eq!(Price::parse(text), Some(Price(units)), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_positive_number_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e5",
            "1,5",
            "1 ",
            "NaN",
            "0",
            "0.0000009",
            "١",
            "18446744073709.551616",
            "99999999999999999999999",
        ] {
            assert_eq!(Price::parse(text), None, "{text}");
        }
    }

    #[test]
    fn r29_the_middle_and_the_rate_are_rounded_down() {
        assert_eq!(price("0.000001").middle(price("0.000002")), price("0.000001"));
        assert_eq!(Price(u64::MAX).middle(Price(u64::MAX)), Price(u64::MAX));
        assert_eq!(price("50000.019999").rate().unwrap().cents_per_btc(), 5_000_001);
        assert_eq!(price("0.009999").rate(), None);
    }

    #[test]
    fn distances_are_shares_of_the_price_that_is_asked() {
        assert!(!price("100").is_further_than(100, price("101")));
        assert!(price("100").is_further_than(100, price("101.000001")));
        assert!(price("100").is_further_than(100, price("98.999999")));
        assert_eq!(price("100").distance_bps(price("101")), 100);
        assert_eq!(price("100").distance_bps(price("100.000001")), 1);
        assert_eq!(Price(1).distance_bps(Price(u64::MAX)), u32::MAX);
    }

    #[test]
    fn a_price_is_shown_with_cents() {
        assert_eq!(price("52523.019").to_string(), "52523.01");
    }
}
