//! Kraken: the top of the order book, whose levels carry the time of their last change. (The ticker has no time at all.)
//!
//! Shape: <https://docs.kraken.com/api-reference/market-data/get-order-book>. A level is `[price, volume, timestamp]`; errors come
//! with status 200 in `error`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Malformed, Ticker, price, unix_seconds};

pub(super) const HOME: &str = "https://api.kraken.com";
/// Ten levels: the best price may rest for minutes, but some level near it changes as long as the market lives.
pub(super) const PATH: &str = "/0/public/Depth?pair=XBTEUR&count=10";

#[derive(Deserialize)]
struct Answer {
    error: Vec<String>,
    #[serde(default)]
    result: BTreeMap<String, Book>,
}

#[derive(Deserialize)]
struct Book {
    bids: Vec<Level>,
    asks: Vec<Level>,
}

#[derive(Deserialize)]
struct Level(String, IgnoredAny, Box<RawValue>);

pub(super) fn read(body: &[u8]) -> Result<Ticker, Malformed> {
    let Answer { error, result } = serde_json::from_slice(body)?;
    if !error.is_empty() {
        return Err(Malformed::says(&error.join(", ")));
    }
    // The pair is named otherwise in the answer than in the question, but it is the only one.
    let mut books = result.into_values();
    let (Some(book), None) = (books.next(), books.next()) else {
        return Err(Malformed::Shape("result has not one pair".to_owned()));
    };
    let empty = || Malformed::Says("a side of the book is empty".to_owned());
    let bids = prices("bids", &book.bids)?;
    let asks = prices("asks", &book.asks)?;
    let mut newest = None;
    for Level(_, _, time) in book.bids.iter().chain(&book.asks) {
        newest = newest.max(Some(unix_seconds(time.get())?));
    }
    Ok(Ticker {
        bid: bids.into_iter().max().ok_or_else(empty)?,
        ask: asks.into_iter().min().ok_or_else(empty)?,
        at: newest,
    })
}

fn prices(side: &str, levels: &[Level]) -> Result<Vec<super::Price>, Malformed> {
    levels.iter().map(|Level(text, _, _)| price(side, text)).collect()
}

#[cfg(test)]
mod tests {
    use bitpro_charge::Timestamp;

    use super::*;

    #[test]
    fn the_best_prices_are_read_with_the_time_of_the_newest_level() {
        let body = br#"{"error":[],"result":{"XXBTZEUR":{
            "asks":[["52523.20000","1.199",1767225600],["52537.90000","0.300",1767225604]],
            "bids":[["52523.00000","0.003",1767225599],["52522.90000","1.1",1767225590]]}}}"#;
        assert_eq!(
            read(body),
            Ok(Ticker {
                bid: price("", "52523").unwrap(),
                ask: price("", "52523.2").unwrap(),
                at: Some(Timestamp::from_secs(1_767_225_604)),
            })
        );
    }

    #[test]
    fn errors_and_empty_books_are_no_prices() {
        assert_eq!(
            read(br#"{"error":["EService:Unavailable"]}"#),
            Err(Malformed::Says("EService:Unavailable".to_owned()))
        );
        let one_sided = br#"{"error":[],"result":{"XXBTZEUR":{"asks":[],"bids":[["1","1",1]]}}}"#;
        assert!(matches!(read(one_sided), Err(Malformed::Says(_))));
        let two_pairs = br#"{"error":[],"result":{"A":{"asks":[],"bids":[]},"B":{"asks":[],"bids":[]}}}"#;
        assert!(matches!(read(two_pairs), Err(Malformed::Shape(_))));
    }
}
