//! What an exchange answers, hostile ones included.

use bitpro_base::fuzzing::{Memory, Target, assert_fit_to_show};
use bitpro_charge::{Cents, Rate, Timestamp};

use super::exchange::Exchange;
use super::{Bounds, Offer, quorum};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[Target::new(
    "exchange",
    4_000,
    &[
        "\"bid\":\"",
        "\"ask\":\"",
        "\"timestamp\":\"",
        "52518.1",
        "1e400",
        "NaN",
        "-1",
        "\"error\":[",
        "\"result\":{",
        "\"bids\":[[",
        "\"asks\":[[",
        "\"closeTime\":",
        "9223372036854775807",
        "-9223372036854775808",
        "\"time\":\"",
        "9999-12-31T23:59:59Z",
        "-009999-01-01T00:00:00Z",
        "18446744073709.551615",
        "[\"error\",",
        "\\u001b[2J",
    ],
    exchange,
)
.within(Memory {
    base: 128 * 1024,
    per_byte: 128,
    times: 16,
})];

/// Whatever an exchange says, a price lies between its bid and its ask, is no fresher than now, and comes to money or to nothing.
fn exchange(input: &[u8]) {
    let now = Timestamp(1_800_000_000_000);
    let bounds = Bounds {
        least: Rate::from_cents_per_btc(100_000).expect("not zero"),
        most: Rate::from_cents_per_btc(100_000_000).expect("not zero"),
    };
    let mut offers = Vec::new();
    for exchange in Exchange::ALL {
        let ticker = match exchange.read(input) {
            Ok(ticker) => ticker,
            Err(error) => {
                assert_fit_to_show(&error.to_string());
                continue;
            }
        };
        match Offer::new(exchange, ticker, None, now) {
            Ok(offer) => {
                assert!(ticker.bid <= offer.mid && offer.mid <= ticker.ask);
                assert!(offer.at <= now, "R29: no price lasts longer for a clock ahead");
                offers.push(offer);
            }
            Err(error) => assert_fit_to_show(&error.to_string()),
        }
    }
    let decided = quorum::quorum(&offers, &[], bounds, now);
    if let Ok(agreed) = decided.outcome {
        let rate = agreed.price.rate().expect("within the bounds");
        assert!((bounds.least..=bounds.most).contains(&rate), "R29");
        assert!(agreed.taken.len() >= quorum::QUORUM, "R29");
        assert!(rate.amount_for(Cents(1), 0).is_ok_and(|amount| amount.to_sat() > 0));
    }
}
