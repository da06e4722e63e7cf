//! Coinbase Exchange: level 1 of the order book, with the time of its last event.
//!
//! Shape: <https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-book>. A level is
//! `[price, size, num-orders]`. During an auction the book shows indicative prices at which nobody can trade.

use bitpro_base::instants::read_instant;
use bitpro_charge::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Malformed, Ticker, price};

pub(super) const HOME: &str = "https://api.exchange.coinbase.com";
pub(super) const PATH: &str = "/products/BTC-EUR/book?level=1";

#[derive(Deserialize)]
struct Book {
    bids: Vec<Level>,
    asks: Vec<Level>,
    #[serde(default)]
    auction_mode: bool,
    time: String,
}

#[derive(Deserialize)]
struct Level(String, IgnoredAny, IgnoredAny);

pub(super) fn read(body: &[u8]) -> Result<Ticker, Malformed> {
    let book: Book = serde_json::from_slice(body)?;
    if book.auction_mode {
        return Err(Malformed::Says("the market is in an auction".to_owned()));
    }
    let (Some(Level(bid, ..)), Some(Level(ask, ..))) = (book.bids.first(), book.asks.first()) else {
        return Err(Malformed::Says("a side of the book is empty".to_owned()));
    };
    Ok(Ticker {
        bid: price("bids", bid)?,
        ask: price("asks", ask)?,
        at: Some(instant(&book.time)?),
    })
}

fn instant(text: &str) -> Result<Timestamp, Malformed> {
    read_instant(text).ok_or_else(|| Malformed::shape("time: no instant of RFC 3339"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_prices_are_read_with_the_time_of_the_book() {
        let body = br#"{"bids":[["52520.17","0.0371",2]],"asks":[["52520.9","0.2",1]],"sequence":40213,
            "auction_mode":false,"auction":null,"time":"2026-01-01T00:00:04.596119497Z"}"#;
        assert_eq!(
            read(body),
            Ok(Ticker {
                bid: price("", "52520.17").unwrap(),
                ask: price("", "52520.90").unwrap(),
                at: Some(Timestamp(1_767_225_604_596)),
            })
        );
    }

    #[test]
    fn auctions_and_empty_books_are_no_prices() {
        for body in [
            r#"{"bids":[["1","1",1]],"asks":[["1","1",1]],"auction_mode":true,"time":"2026-01-01T00:00:00Z"}"#,
            r#"{"bids":[],"asks":[["1","1",1]],"auction_mode":false,"time":"2026-01-01T00:00:00Z"}"#,
        ] {
            assert!(matches!(read(body.as_bytes()), Err(Malformed::Says(_))), "{body}");
        }
        let timeless = br#"{"bids":[["1","1",1]],"asks":[["1","1",1]],"time":"now"}"#;
        assert!(matches!(read(timeless), Err(Malformed::Shape(_))));
    }
}
