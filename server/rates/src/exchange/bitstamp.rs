//! Bitstamp: the ticker, with its time in Unix seconds.
//!
//! Shape: <https://www.bitstamp.net/api/#tag/Tickers>. All numbers are strings.

use serde::Deserialize;

use super::{Malformed, Ticker, price, unix_seconds};

pub(super) const HOME: &str = "https://www.bitstamp.net";
pub(super) const PATH: &str = "/api/v2/ticker/btceur/";

#[derive(Deserialize)]
struct Answer {
    timestamp: String,
    bid: String,
    ask: String,
}

pub(super) fn read(body: &[u8]) -> Result<Ticker, Malformed> {
    let answer: Answer = serde_json::from_slice(body)?;
    Ok(Ticker {
        bid: price("bid", &answer.bid)?,
        ask: price("ask", &answer.ask)?,
        at: Some(unix_seconds(&answer.timestamp)?),
    })
}

#[cfg(test)]
mod tests {
    use bitpro_charge::Timestamp;

    use super::*;

    #[test]
    fn the_ticker_is_read_with_its_time() {
        let body = br#"{"timestamp":"1767225603","open":"52441","high":"53110","low":"51870","last":"52519",
            "volume":"213.37","vwap":"52480","bid":"52518","ask":"52521","side":"0","open_24":"52401",
            "percent_change_24":"0.22","market_type":"SPOT"}"#;
        assert_eq!(
            read(body),
            Ok(Ticker {
                bid: price("", "52518").unwrap(),
                ask: price("", "52521").unwrap(),
                at: Some(Timestamp::from_secs(1_767_225_603)),
            })
        );
    }
}
