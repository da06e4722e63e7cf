//! Binance: the 24 hours' ticker, which unlike the book's ticker has a time.
//!
//! Shape: `GET /api/v3/ticker/24hr` in <https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md>; the host for
//! public market data only: `faqs/market_data_only.md` there. An error is `{"code": -1121, "msg": "…"}`.

use bitpro_charge::Timestamp;
use serde::Deserialize;

use super::{Malformed, Ticker, price};

pub(super) const HOME: &str = "https://data-api.binance.vision";
pub(super) const PATH: &str = "/api/v3/ticker/24hr?symbol=BTCEUR";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    bid_price: String,
    ask_price: String,
    /// The end of the 24 hours, in milliseconds; it stands still when the market does.
    close_time: i64,
}

pub(super) fn read(body: &[u8]) -> Result<Ticker, Malformed> {
    let answer: Answer = serde_json::from_slice(body)?;
    Ok(Ticker {
        bid: price("bidPrice", &answer.bid_price)?,
        ask: price("askPrice", &answer.ask_price)?,
        at: Some(Timestamp(answer.close_time)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticker_is_read_with_the_end_of_its_day() {
        let body = br#"{"symbol":"BTCEUR","priceChange":"121.00000000","priceChangePercent":"0.231",
            "weightedAvgPrice":"52481.01","prevClosePrice":"52400.00000000","lastPrice":"52521.00000000",
            "lastQty":"0.00100000","bidPrice":"52520.99000000","bidQty":"0.81200000","askPrice":"52521.00000000",
            "askQty":"1.20000000","openPrice":"52400.00000000","highPrice":"53099.00000000",
            "lowPrice":"51880.00000000","volume":"512.1","quoteVolume":"26880000.1","openTime":1767139204000,
            "closeTime":1767225604123,"firstId":1,"lastId":76,"count":76}"#;
        assert_eq!(
            read(body),
            Ok(Ticker {
                bid: price("", "52520.99").unwrap(),
                ask: price("", "52521").unwrap(),
                at: Some(Timestamp(1_767_225_604_123)),
            })
        );
    }

    #[test]
    fn a_halted_market_without_offers_is_no_price() {
        let body = br#"{"bidPrice":"0.00000000","askPrice":"0.00000000","closeTime":1767225604123}"#;
        assert!(matches!(read(body), Err(Malformed::Shape(_))));
    }
}
