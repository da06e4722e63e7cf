//! The exchanges that are asked: where, and how their answers are read.
//!
//! Each is a public order book of euros for bitcoin, asked without a key. Aggregators, which only repeat what exchanges say, are
//! not among them: they would count twice (R29).

mod binance;
mod bitfinex;
mod bitstamp;
mod coinbase;
mod kraken;

use std::fmt;
use std::str::FromStr;

use bitpro_base::name::repeated;
use bitpro_charge::Timestamp;

use super::price::Price;

/// An exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exchange {
    /// Kraken.
    Kraken,
    /// Coinbase Exchange.
    Coinbase,
    /// Bitstamp.
    Bitstamp,
    /// Bitfinex.
    Bitfinex,
    /// Binance.
    Binance,
}

/// What an exchange says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticker {
    /// The highest price that somebody offers to buy at.
    pub bid: Price,
    /// The lowest price that somebody offers to sell at.
    pub ask: Price,
    /// The exchange's own time for it, where its answer has one.
    pub at: Option<Timestamp>,
}

/// Why an answer is not taken for a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It has another shape than documented.
    #[error("the answer has another shape than documented: {0}")]
    Shape(String),
    /// It says that there is no price.
    #[error("the exchange says: {0}")]
    Says(String),
}

impl Exchange {
    /// All of them, in the order in which they are named.
    pub const ALL: [Self; 5] = [
        Self::Kraken,
        Self::Coinbase,
        Self::Bitstamp,
        Self::Bitfinex,
        Self::Binance,
    ];

    /// Its name, as in settings, metrics and on charges.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kraken => "kraken",
            Self::Coinbase => "coinbase",
            Self::Bitstamp => "bitstamp",
            Self::Bitfinex => "bitfinex",
            Self::Binance => "binance",
        }
    }

    /// Where it is asked, without a slash at the end.
    #[must_use]
    pub const fn home(self) -> &'static str {
        match self {
            Self::Kraken => kraken::HOME,
            Self::Coinbase => coinbase::HOME,
            Self::Bitstamp => bitstamp::HOME,
            Self::Bitfinex => bitfinex::HOME,
            Self::Binance => binance::HOME,
        }
    }

    /// What is asked there: path and query.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Kraken => kraken::PATH,
            Self::Coinbase => coinbase::PATH,
            Self::Bitstamp => bitstamp::PATH,
            Self::Bitfinex => bitfinex::PATH,
            Self::Binance => binance::PATH,
        }
    }

    /// Reads the body of its answer.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(self, body: &[u8]) -> Result<Ticker, Malformed> {
        match self {
            Self::Kraken => kraken::read(body),
            Self::Coinbase => coinbase::read(body),
            Self::Bitstamp => bitstamp::read(body),
            Self::Bitfinex => bitfinex::read(body),
            Self::Binance => binance::read(body),
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Exchange {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|exchange| exchange.name() == text).ok_or(())
    }
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        Self::shape(&error.to_string())
    }
}

impl Malformed {
    /// Another shape, in words that may quote the answer.
    fn shape(text: &str) -> Self {
        Self::Shape(repeated(text))
    }

    /// What the exchange says in the place of a price.
    fn says(text: &str) -> Self {
        Self::Says(repeated(text))
    }
}

/// A price out of an answer, which calls it `name`.
fn price(name: &str, text: &str) -> Result<Price, Malformed> {
    Price::parse(text).ok_or_else(|| Malformed::Shape(format!("{name} is not a positive decimal number")))
}

/// An instant given as Unix seconds, which may have decimals.
fn unix_seconds(text: &str) -> Result<Timestamp, Malformed> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, ""));
    let millis = format!("{:0<3}", &fraction.get(..fraction.len().min(3)).unwrap_or("x"));
    match (secs.parse::<u32>(), millis.parse::<u16>()) {
        (Ok(secs), Ok(millis)) => Ok(Timestamp(i64::from(secs) * 1000 + i64::from(millis))),
        _ => Err(Malformed::Shape("the time is not a number of seconds".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exchange_is_known_by_its_name_and_asked_over_tls() {
        for exchange in Exchange::ALL {
            assert_eq!(exchange.to_string().parse(), Ok(exchange));
            assert!(exchange.home().starts_with("https://"), "{exchange}");
            assert!(!exchange.home().ends_with('/'), "{exchange}");
            assert!(exchange.path().starts_with('/'), "{exchange}");
        }
        assert_eq!("Kraken".parse::<Exchange>(), Err(()));
    }

    #[test]
    fn no_exchange_takes_rubbish_for_a_price() {
        for exchange in Exchange::ALL {
            for body in [
                "",
                "null",
                "{}",
                "[]",
                "<html>maintenance</html>",
                "\u{0}",
                "[null,null,null]",
                r#"{"bid":"-1","ask":"-1"}"#,
                r#"{"error":[],"result":{}}"#,
            ] {
                assert!(exchange.read(body.as_bytes()).is_err(), "{exchange}: {body}");
            }
        }
    }

    #[test]
    fn what_an_exchange_says_is_one_short_line_on_a_terminal() {
        let long = "x".repeat(10_000);
        for (exchange, body) in [
            (Exchange::Kraken, format!(r#"{{"error":["\u001b[2J\n{long}"]}}"#)),
            (Exchange::Bitfinex, format!(r#"["error", 10020, "{long}"]"#)),
            (Exchange::Binance, format!(r#"{{"bidPrice":1,"askPrice":"{long}"}}"#)),
            (
                Exchange::Bitstamp,
                format!(r#"{{"timestamp":"1","bid":{{"{long}":1}}}}"#),
            ),
            (Exchange::Bitstamp, format!(r#""{long}""#)),
        ] {
            let said = exchange.read(body.as_bytes()).unwrap_err().to_string();
            assert!(said.len() < 300, "{}", said.len());
            assert!(!said.chars().any(char::is_control), "{said:?}");
        }
    }

    #[test]
    fn seconds_may_have_decimals() {
        assert_eq!(unix_seconds("1643640186"), Ok(Timestamp(1_643_640_186_000)));
        assert_eq!(unix_seconds("1444253422.3483"), Ok(Timestamp(1_444_253_422_348)));
        assert_eq!(unix_seconds("1444253422.5"), Ok(Timestamp(1_444_253_422_500)));
        for bad in ["", "-1", "soon", "1.é", "1.x", "99999999999999"] {
            assert!(unix_seconds(bad).is_err(), "{bad}");
        }
    }
}
