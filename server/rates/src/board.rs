//! What is known of the market: the last offer of each exchange, and what was agreed on in the last minute.

use std::collections::{BTreeMap, VecDeque};

use bitpro_charge::{Quote, Timestamp};

use super::exchange::Exchange;
use super::offer::Offer;
use super::price::Price;
use super::quorum::{Agreement, Bounds, JUMP_SECS, NoQuorum, Quorum, quorum};

/// The last offers. Pure: the time comes in.
#[derive(Debug)]
pub struct Board {
    bounds: Bounds,
    offers: BTreeMap<Exchange, Offer>,
    recent: VecDeque<(Timestamp, Price)>,
}

impl Board {
    /// A board on which nothing is written yet.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            offers: BTreeMap::new(),
            recent: VecDeque::new(),
        }
    }

    /// Writes down an offer, unless a newer one of the same exchange stands there: caches between us and an exchange may answer
    /// out of order.
    pub fn put(&mut self, offer: Offer) {
        let known = self.offers.entry(offer.exchange).or_insert(offer);
        if known.at <= offer.at {
            *known = offer;
        }
    }

    /// Decides, and remembers for a minute what was agreed on: later prices are measured by it.
    ///
    /// # Errors
    /// [`NoQuorum`].
    pub fn review(&mut self, now: Timestamp) -> Result<Agreement, NoQuorum> {
        let agreement = self.quorum(now).outcome?;
        while self.recent.front().is_some_and(|(at, _)| now > at.plus_secs(JUMP_SECS)) {
            self.recent.pop_front();
        }
        self.recent.push_back((now, agreement.price));
        Ok(agreement)
    }

    /// Decides, and remembers nothing.
    #[must_use]
    pub fn quorum(&self, now: Timestamp) -> Quorum {
        let offers: Vec<Offer> = self.offers.values().copied().collect();
        let (earlier, later) = self.recent.as_slices();
        quorum(&offers, &[earlier, later].concat(), self.bounds, now)
    }

    /// The rate now, with its sources and their times; `None` when there is none to promise an amount by.
    #[must_use]
    pub fn quote(&self, now: Timestamp) -> Option<Quote> {
        let agreement = self.quorum(now).outcome.ok()?;
        Some(Quote {
            rate: agreement.price.rate()?,
            source: told(&agreement),
            at: agreement.at()?,
        })
    }
}

/// As in `kraken 09:15:04Z, bitstamp 09:15:06Z`: the date is that of the quote.
fn told(agreement: &Agreement) -> String {
    let one = |offer: &Offer| format!("{} {}", offer.exchange, clock_time(offer.at));
    agreement.taken.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn clock_time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default();
    time.strftime("%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use bitpro_charge::Rate;

    use super::*;

    /// 2026-01-01T00:00:00Z.
    const START: Timestamp = Timestamp::from_secs(1_767_225_600);

    fn board() -> Board {
        Board::new(Bounds {
            least: Rate::from_cents_per_btc(100_000).unwrap(),
            most: Rate::from_cents_per_btc(1_000_000_000).unwrap(),
        })
    }

    fn offer(exchange: Exchange, text: &str, at: Timestamp) -> Offer {
        Offer {
            exchange,
            mid: Price::parse(text).unwrap(),
            at,
        }
    }

    #[test]
    fn r29_the_quote_names_its_sources_and_their_times() {
        let mut board = board();
        board.put(offer(Exchange::Bitstamp, "50000.509", START.plus_secs(3)));
        board.put(offer(Exchange::Kraken, "50000.519", START.plus_secs(1)));
        let quote = board.quote(START.plus_secs(5)).unwrap();
        assert_eq!(quote.rate.cents_per_btc(), 5_000_051);
        assert_eq!(quote.source, "kraken 00:00:01Z, bitstamp 00:00:03Z");
        assert_eq!(quote.at, START.plus_secs(1));
    }

    #[test]
    fn r29_a_quote_ends_when_its_sources_fall_silent() {
        let mut board = board();
        board.put(offer(Exchange::Kraken, "50000", START));
        board.put(offer(Exchange::Bitstamp, "50000", START.plus_secs(10)));
        assert!(board.quote(START.plus_secs(120)).is_some());
        assert_eq!(board.quote(START.plus_secs(121)), None);
    }

    #[test]
    fn an_older_answer_never_replaces_a_newer_one() {
        let mut board = board();
        board.put(offer(Exchange::Kraken, "50000", START.plus_secs(10)));
        board.put(offer(Exchange::Kraken, "60000", START));
        board.put(offer(Exchange::Bitstamp, "50000", START));
        assert_eq!(
            board.quote(START.plus_secs(10)).unwrap().rate.cents_per_btc(),
            5_000_000
        );
    }

    #[test]
    fn r29_what_was_agreed_on_is_remembered_for_a_minute() {
        let mut board = board();
        for exchange in [Exchange::Kraken, Exchange::Bitstamp] {
            board.put(offer(exchange, "50000", START));
        }
        assert!(board.review(START).is_ok());
        let leap = START.plus_secs(30);
        for exchange in [Exchange::Kraken, Exchange::Bitstamp] {
            board.put(offer(exchange, "53000", leap));
        }
        assert_eq!(board.review(leap), Err(NoQuorum::Jump));
        assert_eq!(board.quote(leap), None);
        // A minute after the last agreement it is no jump any more, and from there on the new price is the measure.
        let later = START.plus_secs(61);
        assert!(board.review(later).is_ok());
        assert_eq!(board.quote(later).unwrap().rate.cents_per_btc(), 5_300_000);
    }

    #[test]
    fn r29_a_third_exchange_confirms_a_jump() {
        let mut board = board();
        for exchange in [Exchange::Kraken, Exchange::Bitstamp] {
            board.put(offer(exchange, "50000", START));
        }
        assert!(board.review(START).is_ok());
        let leap = START.plus_secs(15);
        for exchange in [Exchange::Kraken, Exchange::Bitstamp, Exchange::Binance] {
            board.put(offer(exchange, "44000", leap));
        }
        assert_eq!(board.review(leap).map(|agreement| agreement.taken.len()), Ok(3));
    }
}
