//! Fiat money: euro cents, as integers.

use std::fmt;

/// An amount in the smallest unit of the fiat currency: euro cents, the only currency so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cents(pub u64);

/// Why a text is not a price (R38). The price is never guessed at: it is strict, and wrong input makes no charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceError {
    /// Not a whole number of cents in plain digits.
    NotWhole,
    /// Zero, which nobody can pay.
    Zero,
    /// Below zero.
    Negative,
    /// Above the merchant's limit, given here in cents.
    AboveLimit(u64),
}

impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWhole => f.write_str("the price is not a whole number of cents"),
            Self::Zero => f.write_str("the price is zero"),
            Self::Negative => f.write_str("the price is negative"),
            Self::AboveLimit(cents) => {
                write!(f, "the price is above the limit of {}", Cents(*cents))
            }
        }
    }
}

impl std::error::Error for PriceError {}

impl Cents {
    /// Reads a price from a link, as whole cents in plain ASCII digits.
    ///
    /// # Errors
    /// [`PriceError`], naming what is wrong; `limit` is the highest price allowed.
    pub fn parse_price(text: &str, limit: Self) -> Result<Self, PriceError> {
        if let Some(rest) = text.strip_prefix('-')
            && !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        {
            return Err(PriceError::Negative);
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PriceError::NotWhole);
        }
        // Digits only, so the one way to fail is a number too large for 64 bits.
        let cents = text.parse::<u64>().map_err(|_| PriceError::AboveLimit(limit.0))?;
        Self(cents).checked_as_price(limit)
    }

    /// Checks a number of cents against the bounds of a price.
    ///
    /// # Errors
    /// [`PriceError::Zero`] or [`PriceError::AboveLimit`].
    pub const fn checked_as_price(self, limit: Self) -> Result<Self, PriceError> {
        if self.0 == 0 {
            return Err(PriceError::Zero);
        }
        if self.0 > limit.0 {
            return Err(PriceError::AboveLimit(limit.0));
        }
        Ok(self)
    }
}

impl fmt::Display for Cents {
    /// As in `EUR 42.00`: the language-neutral form for logs and command lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EUR {}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Cents = Cents(10_000_000);

    #[test]
    fn r38_a_price_is_a_whole_positive_number_of_cents_below_the_limit() {
        assert_eq!(Cents::parse_price("4200", LIMIT), Ok(Cents(4200)));
        assert_eq!(Cents::parse_price("10000000", LIMIT), Ok(LIMIT));
        for (text, error) in [
            ("", PriceError::NotWhole),
            ("-", PriceError::NotWhole),
            ("42.00", PriceError::NotWhole),
            ("+42", PriceError::NotWhole),
            (" 42", PriceError::NotWhole),
            ("4e3", PriceError::NotWhole),
            ("٤٢", PriceError::NotWhole),
            ("-42", PriceError::Negative),
            ("-0.5", PriceError::Negative),
            ("0", PriceError::Zero),
            ("000", PriceError::Zero),
            ("10000001", PriceError::AboveLimit(10_000_000)),
            ("99999999999999999999999999", PriceError::AboveLimit(10_000_000)),
        ] {
            assert_eq!(Cents::parse_price(text, LIMIT), Err(error), "{text}");
        }
    }
}
