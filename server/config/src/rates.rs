//! The settings of the exchange rates.

use std::collections::BTreeMap;
use std::time::Duration;

use bitpro_charge::Rate;
use bitpro_rates::{Bounds, Exchange, LiveConfig, RatesConfig};
use http::Uri;
use url::Url;

use super::error::ConfigError;
use super::reader::Reader;
use super::values::is_loopback;

/// The least number of exchanges: one alone is never believed (R29).
const LEAST_EXCHANGES: usize = 2;

/// The configuration of the rates; `None` only together with an error in the reader.
pub(super) fn rates(reader: &mut Reader) -> Option<RatesConfig> {
    let is_fixed = reader.parsed("rate_source", |text| match text {
        "fixed" => Some(true),
        "live" => Some(false),
        _ => None,
    });
    let fixed = reader.parsed("rate_fixed_cents_per_btc", cents);
    let questions = reader.parsed("rate_exchanges", questions);
    let least = reader.parsed("rate_least_cents_per_btc", cents);
    let most = reader.parsed("rate_most_cents_per_btc", cents);
    let refresh = Duration::from_secs(reader.number("rate_refresh_secs", 5..=60));
    let bounds = Bounds {
        least: least?,
        most: most?,
    };
    if bounds.least >= bounds.most {
        reader.errors.push(ConfigError::Contradiction(
            "rate_least_cents_per_btc is not below rate_most_cents_per_btc: no price would be possible".to_owned(),
        ));
    }
    Some(RatesConfig {
        is_fixed: is_fixed?,
        fixed: fixed?,
        live: LiveConfig {
            questions: questions?,
            bounds,
            refresh,
        },
    })
}

fn cents(text: &str) -> Option<Rate> {
    let cents = text.parse::<u64>().ok().filter(|cents| *cents <= 100_000_000_000_000)?;
    Rate::from_cents_per_btc(cents).ok()
}

/// The exchanges, each with what is asked; an exchange named twice would count twice.
fn questions(text: &str) -> Option<BTreeMap<Exchange, Uri>> {
    let mut questions = BTreeMap::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        let (name, home) = word.split_once('=').unzip();
        let exchange: Exchange = name.unwrap_or(word).parse().ok()?;
        let home = match home {
            Some(home) => stand_in(home)?,
            None => exchange.home().to_owned(),
        };
        let question = format!("{home}{}", exchange.path()).parse().ok()?;
        if questions.insert(exchange, question).is_some() {
            return None;
        }
    }
    (questions.len() >= LEAST_EXCHANGES).then_some(questions)
}

/// An address to be asked in an exchange's place, without a slash at the end.
fn stand_in(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    // What comes without TLS could come from anybody, unless it comes from this machine.
    let secure = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (secure && bare).then(|| url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_named_once_each_and_two_at_least() {
        let asked = questions("kraken, bitstamp").unwrap();
        assert_eq!(
            asked[&Exchange::Kraken],
            "https://api.kraken.com/0/public/Depth?pair=XBTEUR&count=10"
        );
        assert_eq!(asked.len(), 2);
        assert_eq!(questions("kraken coinbase,bitstamp bitfinex binance").unwrap().len(), 5);
        for bad in [
            "",
            "kraken",
            "kraken, kraken",
            "kraken, mtgox",
            "Kraken, bitstamp",
            "kraken=, bitstamp",
        ] {
            assert_eq!(questions(bad), None, "{bad}");
        }
    }

    #[test]
    fn another_address_may_be_asked_over_tls_or_on_this_machine() {
        let asked = questions("kraken=http://127.0.0.1:9000/kraken/, bitstamp=https://mirror.example").unwrap();
        assert_eq!(
            asked[&Exchange::Kraken],
            "http://127.0.0.1:9000/kraken/0/public/Depth?pair=XBTEUR&count=10"
        );
        assert_eq!(
            asked[&Exchange::Bitstamp],
            "https://mirror.example/api/v2/ticker/btceur/"
        );
        for bad in [
            "http://mirror.example",
            "https://user@mirror.example",
            "https://mirror.example/?a=b",
            "ftp://127.0.0.1",
            "mirror.example",
        ] {
            assert_eq!(stand_in(bad), None, "{bad}");
        }
    }
}
