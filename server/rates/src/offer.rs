//! What one exchange's answer is worth: the middle of its prices, or a reason not to listen to it.

use bitpro_charge::Timestamp;

use super::exchange::{Exchange, Ticker};
use super::price::Price;

/// How far an exchange's clock may be ahead of ours, in seconds: beyond, one of the two is wrong, and no age can be told.
pub const LEAD_LIMIT_SECS: u32 = 120;

/// The most between the two prices of one exchange, in hundredths of a percent: beyond, its market is too thin for its middle to
/// mean anything.
pub const WIDTH_LIMIT_BPS: u32 = 300;

/// The price that one exchange offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Who says so.
    pub exchange: Exchange,
    /// The middle of bid and ask.
    pub mid: Price,
    /// The exchange's own time for it, but never later than our receipt.
    pub at: Timestamp,
}

/// Why an exchange's prices make no offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoOffer {
    /// The best bid is above the best ask: the book is in disorder.
    #[error("the bid of {bid} is above the ask of {ask}")]
    Crossed {
        /// The highest price to buy.
        bid: Price,
        /// The lowest price to sell.
        ask: Price,
    },
    /// The market is too thin.
    #[error("bid {bid} and ask {ask} are more than 3 % apart")]
    Wide {
        /// The highest price to buy.
        bid: Price,
        /// The lowest price to sell.
        ask: Price,
    },
    /// Its clock and ours contradict each other.
    #[error("its clock is {0} s ahead of ours: is this machine's clock correct?")]
    Ahead(u32),
}

impl Offer {
    /// What `exchange` offers by `ticker`, which came in at `received`. The time of an answer without one of its own is `generated`,
    /// when the answer was made, or else the receipt.
    ///
    /// # Errors
    /// `NoOffer`.
    pub fn new(
        exchange: Exchange,
        ticker: Ticker,
        generated: Option<Timestamp>,
        received: Timestamp,
    ) -> Result<Self, NoOffer> {
        let Ticker { bid, ask, at } = ticker;
        if bid > ask {
            return Err(NoOffer::Crossed { bid, ask });
        }
        if bid.is_further_than(WIDTH_LIMIT_BPS, ask) {
            return Err(NoOffer::Wide { bid, ask });
        }
        let told = at.or(generated).unwrap_or(received);
        let lead = received.secs_until(told);
        if lead > LEAD_LIMIT_SECS {
            return Err(NoOffer::Ahead(lead));
        }
        Ok(Self {
            exchange,
            mid: bid.middle(ask),
            // A clock that is a little ahead must not make a price last longer.
            at: told.min(received),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

    fn offer(bid: &str, ask: &str, at: Option<Timestamp>, generated: Option<Timestamp>) -> Result<Offer, NoOffer> {
        let ticker = Ticker {
            bid: Price::parse(bid).unwrap(),
            ask: Price::parse(ask).unwrap(),
            at,
        };
        Offer::new(Exchange::Kraken, ticker, generated, NOW)
    }

    #[test]
    fn r29_an_offer_is_the_middle_of_bid_and_ask() {
        let middle = offer("50000", "50001", None, None).unwrap().mid;
        assert_eq!(middle, Price::parse("50000.5").unwrap());
    }

    #[test]
    fn r29_the_exchanges_own_time_counts_before_that_of_the_answer_and_of_the_receipt() {
        let own = Timestamp::from_secs(1_767_225_500);
        let generated = Timestamp::from_secs(1_767_225_590);
        assert_eq!(offer("1", "1", Some(own), Some(generated)).unwrap().at, own);
        assert_eq!(offer("1", "1", None, Some(generated)).unwrap().at, generated);
        assert_eq!(offer("1", "1", None, None).unwrap().at, NOW);
    }

    #[test]
    fn r29_a_clock_ahead_never_makes_a_price_last_longer() {
        assert_eq!(offer("1", "1", Some(NOW.plus_secs(120)), None).unwrap().at, NOW);
        assert_eq!(
            offer("1", "1", Some(NOW.plus_secs(121)), None),
            Err(NoOffer::Ahead(121))
        );
    }

    #[test]
    fn r29_books_in_disorder_and_thin_markets_are_not_listened_to() {
        assert!(matches!(
            offer("50001", "50000", None, None),
            Err(NoOffer::Crossed { .. })
        ));
        assert!(offer("50000", "50000", None, None).is_ok());
        assert!(offer("50000", "51500", None, None).is_ok());
        assert!(matches!(
            offer("50000", "51500.01", None, None),
            Err(NoOffer::Wide { .. })
        ));
    }
}
