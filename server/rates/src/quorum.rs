//! Which offers are believed, and whether they are enough to promise an amount by (R29). Pure: all that it needs comes in.

#[cfg(test)]
mod tests;

use bitpro_charge::{Rate, Timestamp};

use super::exchange::Exchange;
use super::offer::Offer;
use super::price::Price;

/// The age up to which an offer counts, in seconds.
pub const FRESH_SECS: u32 = 120;
/// How far from the median an offer may lie, in hundredths of a percent.
pub const OUTLIER_BPS: u32 = 300;
/// The exchanges that it takes.
pub const QUORUM: usize = 2;
/// How far the two may lie apart when it is just two, in hundredths of a percent.
pub const PAIR_BPS: u32 = 100;
/// The movement within [`JUMP_SECS`] that two exchanges are not believed, in hundredths of a percent.
pub const JUMP_BPS: u32 = 500;
/// The time within which such a movement is a jump, in seconds.
pub const JUMP_SECS: u32 = 60;
/// The exchanges that are believed even a jump.
pub const JUMP_QUORUM: usize = 3;

/// What a bitcoin can cost at all; anything else is a mistake, however many make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub least: Rate,
    /// The most.
    pub most: Rate,
}

/// What becomes of one offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is believed.
    Taken,
    /// It is too old.
    Stale,
    /// It is out of bounds.
    OutOfBounds,
    /// It lies too far from the median of the others.
    Outlier,
}

/// A price that enough exchanges agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The median of the offers taken, rounded down.
    pub price: Price,
    /// The offers taken, in the order of [`Exchange::ALL`].
    pub taken: Vec<Offer>,
}

/// Why there is no price. None is better than a bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoQuorum {
    /// Not enough exchanges have a fresh and possible price.
    #[error("exchanges with a fresh price: {0}; {QUORUM} are needed")]
    TooFew(usize),
    /// Those that lie away from the median are not fewer than those beside it.
    #[error("the exchanges contradict each other")]
    Scattered,
    /// Two are left, and they do not agree.
    #[error("two exchanges are left, and they are more than 1 % apart")]
    Apart,
    /// The price has leapt, and too few say so.
    #[error("the price moved by more than 5 % within a minute, and fewer than {JUMP_QUORUM} exchanges say so")]
    Jump,
}

/// All that was decided about a set of offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// What became of each offer, in the order in which they came.
    pub standings: Vec<(Offer, Standing)>,
    /// The price, if there is one.
    pub outcome: Result<Agreement, NoQuorum>,
}

/// Decides at `now` about `offers`, one per exchange, after the prices in `recent` were agreed on at their times.
#[must_use]
pub fn quorum(offers: &[Offer], recent: &[(Timestamp, Price)], bounds: Bounds, now: Timestamp) -> Quorum {
    let mut standings: Vec<(Offer, Standing)> = offers
        .iter()
        .map(|offer| (*offer, standing_alone(offer, bounds, now)))
        .collect();
    let outcome = decided(&mut standings, recent, now);
    Quorum { standings, outcome }
}

/// What an offer is by itself, before it is compared with the others.
fn standing_alone(offer: &Offer, bounds: Bounds, now: Timestamp) -> Standing {
    if now > offer.at.plus_secs(FRESH_SECS) {
        Standing::Stale
    } else if offer.mid < bounds.least.into() || offer.mid > bounds.most.into() {
        Standing::OutOfBounds
    } else {
        Standing::Taken
    }
}

fn decided(
    standings: &mut [(Offer, Standing)],
    recent: &[(Timestamp, Price)],
    now: Timestamp,
) -> Result<Agreement, NoQuorum> {
    let candidates = taken(standings);
    let Some(first_median) = median(&candidates).filter(|_| candidates.len() >= QUORUM) else {
        return Err(NoQuorum::TooFew(candidates.len()));
    };
    for (offer, standing) in standings.iter_mut() {
        if *standing == Standing::Taken && first_median.is_further_than(OUTLIER_BPS, offer.mid) {
            *standing = Standing::Outlier;
        }
    }
    let taken = taken(standings);
    let outliers = candidates.len() - taken.len();
    let Some(price) = median(&taken).filter(|_| taken.len() >= QUORUM && taken.len() > outliers) else {
        return Err(NoQuorum::Scattered);
    };
    if let [one, other] = taken.as_slice()
        && one.mid.min(other.mid).is_further_than(PAIR_BPS, one.mid.max(other.mid))
    {
        return Err(NoQuorum::Apart);
    }
    let is_jump = recent
        .iter()
        .any(|(at, before)| now <= at.plus_secs(JUMP_SECS) && before.is_further_than(JUMP_BPS, price));
    if is_jump && taken.len() < JUMP_QUORUM {
        return Err(NoQuorum::Jump);
    }
    Ok(Agreement { price, taken })
}

fn taken(standings: &[(Offer, Standing)]) -> Vec<Offer> {
    standings
        .iter()
        .filter(|(_, standing)| *standing == Standing::Taken)
        .map(|(offer, _)| *offer)
        .collect()
}

/// The middle one, or the middle of the middle two.
fn median(offers: &[Offer]) -> Option<Price> {
    let mut prices: Vec<Price> = offers.iter().map(|offer| offer.mid).collect();
    prices.sort_unstable();
    let upper = prices.get(prices.len() / 2)?;
    let lower = prices.get(prices.len().saturating_sub(1) / 2)?;
    Some(lower.middle(*upper))
}

impl Agreement {
    /// The time that the price can be vouched for: that of the oldest offer taken.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        self.taken.iter().map(|offer| offer.at).min()
    }

    /// The exchanges taken.
    pub fn exchanges(&self) -> impl Iterator<Item = Exchange> {
        self.taken.iter().map(|offer| offer.exchange)
    }

    /// How far the highest offer taken lies above the lowest, in hundredths of a percent.
    #[must_use]
    pub fn width_bps(&self) -> u32 {
        let prices = || self.taken.iter().map(|offer| offer.mid);
        match (prices().min(), prices().max()) {
            (Some(lowest), Some(highest)) => lowest.distance_bps(highest),
            _ => 0,
        }
    }
}
