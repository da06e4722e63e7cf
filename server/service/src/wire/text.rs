//! How documents, prices and amounts are written (R11, R35): from integers, never through a float.

use bitpro_charge::{Amount, Cents};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

/// A document as bytes.
pub fn json(document: &impl Serialize) -> Bytes {
    serde_json::to_vec(document)
        .expect("texts, numbers and checked JSON always serialize")
        .into()
}

/// A price as the number that the reference shows: `42.0`, `42.5`, `42.05`.
pub(super) fn price(cents: Cents) -> Box<RawValue> {
    let (whole, rest) = (cents.0 / 100, cents.0 % 100);
    let text = if rest % 10 == 0 {
        format!("{whole}.{}", rest / 10)
    } else {
        format!("{whole}.{rest:02}")
    };
    RawValue::from_string(text).expect("digits around a point are a JSON number")
}

/// An amount in bitcoin with 8 places, as in `0.00084000`.
pub(super) fn bitcoin(amount: Amount) -> String {
    let sat = amount.to_sat();
    format!("{}.{:08}", sat / 100_000_000, sat % 100_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r35_a_price_is_printed_from_cents() {
        for (cents, text) in [
            (0, "0.0"),
            (1, "0.01"),
            (10, "0.1"),
            (4_200, "42.0"),
            (4_205, "42.05"),
            (4_250, "42.5"),
            (100_000_000_001, "1000000000.01"),
            (u64::MAX, "184467440737095516.15"),
        ] {
            assert_eq!(price(Cents(cents)).get(), text);
        }
    }

    #[test]
    fn r11_a_value_has_8_places() {
        for (sat, text) in [
            (0, "0.00000000"),
            (1, "0.00000001"),
            (2_100_000_000_000_000, "21000000.00000000"),
        ] {
            assert_eq!(bitcoin(Amount::from_sat(sat)), text);
        }
    }
}
