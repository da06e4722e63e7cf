//! Bitfinex: the ticker, an array of numbers without a time: the time of the answer counts.
//!
//! Shape: <https://docs.bitfinex.com/reference/rest-public-ticker>. `[BID, BID_SIZE, ASK, …]`; an error is `["error", code, text]`.

use serde_json::value::RawValue;

use super::{Malformed, Ticker, price};

pub(super) const HOME: &str = "https://api-pub.bitfinex.com";
pub(super) const PATH: &str = "/v2/ticker/tBTCEUR";

pub(super) fn read(body: &[u8]) -> Result<Ticker, Malformed> {
    // The numbers are read as they are written: as floats they would be other numbers.
    let fields: Vec<&RawValue> = serde_json::from_slice(body)?;
    let [bid, _, ask, ..] = fields.as_slice() else {
        return Err(Malformed::Shape("fewer than three fields".to_owned()));
    };
    if bid.get() == "\"error\"" {
        return Err(Malformed::says(ask.get().trim_matches('"')));
    }
    Ok(Ticker {
        bid: price("BID", bid.get())?,
        ask: price("ASK", ask.get())?,
        at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_read_as_they_are_written() {
        let body = br"[52517.123456789, 6.3, 52522, 4.7, 121, 0.0023, 52520, 31.7, 53100, 51877]";
        assert_eq!(
            read(body),
            Ok(Ticker {
                bid: price("", "52517.123456").unwrap(),
                ask: price("", "52522").unwrap(),
                at: None,
            })
        );
    }

    #[test]
    fn an_error_is_no_price() {
        assert_eq!(
            read(br#"["error", 10020, "symbol: invalid"]"#),
            Err(Malformed::Says("symbol: invalid".to_owned()))
        );
        assert!(matches!(read(br#"["52517", 1, "52522"]"#), Err(Malformed::Shape(_))));
    }
}
