//! What was agreed when a charge was made. Frozen in the creation event (R1): later settings never reach back.

use std::fmt;

use bitcoin_units::Amount;

use crate::{Cents, Quote, RateError, Timestamp};

/// What a merchant forgives when too little arrives (R10): a share of the amount, capped in euro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Basis points of the amount; 0 forgives nothing.
    pub bps: u32,
    /// The most that is ever forgiven, whatever the share comes to.
    pub cap: Cents,
}

/// Confirmations by amount (R9). Zero confirmations are not offered: an unconfirmed payment can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiers {
    /// Up to this worth, `small` confirmations suffice.
    pub small_limit: Cents,
    /// Up to this worth, `medium` confirmations suffice; above, `large`.
    pub medium_limit: Cents,
    /// Confirmations of the lowest tier, at least 1.
    pub small: u32,
    /// Confirmations of the middle tier.
    pub medium: u32,
    /// Confirmations of the highest tier.
    pub large: u32,
}

impl Tiers {
    /// Confirmations for something worth `worth`.
    #[must_use]
    pub fn required_for(&self, worth: Cents) -> u32 {
        if worth <= self.small_limit {
            self.small
        } else if worth <= self.medium_limit {
            self.medium
        } else {
            self.large
        }
    }
}

impl Default for Tiers {
    /// 1 up to EUR 1,000, 3 up to EUR 10,000, 6 above.
    fn default() -> Self {
        Self {
            small_limit: Cents(100_000),
            medium_limit: Cents(1_000_000),
            small: 1,
            medium: 3,
            large: 6,
        }
    }
}

/// What becomes of money that comes too late (R13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatePolicy {
    /// The merchant is asked: the charge fails as `late` and can be accepted by hand.
    Ask,
    /// Taken by itself when the rate has not moved by more than the limit against the merchant.
    Accept,
}

/// The frozen conditions of one charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The price in cents.
    pub price: Cents,
    /// The price in bitcoin, by `quote` and `spread_bps`: what the page asks for.
    pub amount: Amount,
    /// How much may be missing (R10), already resolved to satoshis.
    pub forgiven: Amount,
    /// The rate that made `amount` of `price`.
    pub quote: Quote,
    /// How much more than `quote` gives the merchant asks for, in basis points (R29).
    pub spread_bps: u32,
    /// When the charge was made.
    pub created_at: Timestamp,
    /// The end of the window. A payment is in time when it is *seen* by then.
    pub expires_at: Timestamp,
    /// How long after the deadline the chain must be known before the deadline counts as passed (R4), in seconds.
    pub grace_secs: u32,
    /// How long after `expires_at` a payment may take to become deep before it is judged like a late one (R12), in seconds.
    pub settle_within_secs: u32,
    /// By how much a partial payment in time extends the deadline, once (R16), in seconds; 0 never does.
    pub extension_secs: u32,
    /// Confirmations by amount.
    pub tiers: Tiers,
    /// What becomes of late money.
    pub late_policy: LatePolicy,
    /// The fall of the rate, in basis points, from which nothing late is taken without asking (the rules' "x %").
    pub rate_move_limit_bps: u32,
    /// The dust limit of the charge's script: nothing below it can be sent or is asked for (R8).
    pub dust_limit: Amount,
}

/// Why terms cannot be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermsError {
    /// The conversion failed.
    Rate(RateError),
    /// The amount is below what the network relays, in satoshis.
    Dust {
        /// What the price converts to.
        amount: Amount,
        /// The least that can be sent to the charge's script.
        limit: Amount,
    },
}

impl fmt::Display for TermsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(error) => error.fmt(f),
            Self::Dust { amount, limit } => write!(
                f,
                "the amount of {} sat is too small to be sent: the least is {} sat",
                amount.to_sat(),
                limit.to_sat()
            ),
        }
    }
}

impl std::error::Error for TermsError {}

impl Terms {
    /// The amount for `price` at `quote` with the merchant's spread, refused where it cannot be paid.
    ///
    /// # Errors
    /// [`TermsError`]: an amount beyond the money supply, or below `dust_limit`.
    pub fn amount_for(price: Cents, quote: &Quote, spread_bps: u32, dust_limit: Amount) -> Result<Amount, TermsError> {
        let amount = quote.rate.amount_for(price, spread_bps).map_err(TermsError::Rate)?;
        if amount < dust_limit {
            return Err(TermsError::Dust {
                amount,
                limit: dust_limit,
            });
        }
        Ok(amount)
    }

    /// The satoshis that `tolerance` forgives of `amount` at `quote` (R10).
    #[must_use]
    pub fn forgiven_of(amount: Amount, tolerance: Tolerance, quote: &Quote) -> Amount {
        let share = u128::from(amount.to_sat()) * u128::from(tolerance.bps.min(10_000)) / 10_000;
        let share = u64::try_from(share).expect("a share of at most 100 % fits where the whole fits");
        // The cap is rounded down: forgiving less is the safe side.
        let cap = u128::from(tolerance.cap.0) * 100_000_000 / u128::from(quote.rate.cents_per_btc());
        Amount::from_sat(share.min(u64::try_from(cap).unwrap_or(u64::MAX)))
    }

    /// The least that pays the charge: the amount less what is forgiven; never zero.
    #[must_use]
    pub fn need(&self) -> Amount {
        self.amount
            .checked_sub(self.forgiven)
            .unwrap_or(Amount::ZERO)
            .max(Amount::from_sat(1))
    }

    /// Payments below this move no state by themselves: the larger of the dust limit and 1 % of the need (R8).
    #[must_use]
    pub fn significant(&self) -> Amount {
        self.dust_limit
            .max(Amount::from_sat(self.need().to_sat().div_ceil(100)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rate;

    fn quote(cents: u64) -> Quote {
        Quote {
            rate: Rate::from_cents_per_btc(cents).unwrap(),
            source: "fixed".into(),
            at: Timestamp(0),
        }
    }

    #[test]
    fn r08_an_amount_below_the_dust_limit_is_refused() {
        let limit = Amount::from_sat(294);
        let refused = Terms::amount_for(Cents(1), &quote(10_000_000), 0, limit);
        assert_eq!(
            refused,
            Err(TermsError::Dust {
                amount: Amount::from_sat(10),
                limit
            })
        );
        assert_eq!(
            Terms::amount_for(Cents(100), &quote(10_000_000), 0, Amount::from_sat(1_000)),
            Ok(Amount::from_sat(1_000))
        );
        assert_eq!(
            Terms::amount_for(Cents(100), &quote(10_000_000), 0, limit),
            Ok(Amount::from_sat(1_000))
        );
    }

    #[test]
    fn r10_tolerance_is_capped_in_euro_as_well_as_in_percent() {
        let amount = Amount::from_sat(1_000_000);
        // EUR 100,000 a bitcoin: one cent is ten satoshis.
        let quote = quote(10_000_000);
        let forgiven = |bps, cap| Terms::forgiven_of(amount, Tolerance { bps, cap: Cents(cap) }, &quote).to_sat();
        assert_eq!(forgiven(0, 1_000), 0);
        assert_eq!(forgiven(100, 1_000), 10_000);
        assert_eq!(forgiven(100, 500), 5_000);
        assert_eq!(forgiven(u32::MAX, u64::MAX), 1_000_000);
    }

    #[test]
    fn r09_tiers_are_inclusive_at_their_limit() {
        let tiers = Tiers::default();
        assert_eq!(tiers.required_for(Cents(100_000)), 1);
        assert_eq!(tiers.required_for(Cents(100_001)), 3);
        assert_eq!(tiers.required_for(Cents(1_000_000)), 3);
        assert_eq!(tiers.required_for(Cents(1_000_001)), 6);
    }
}
