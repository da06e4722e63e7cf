//! Payment links by BIP-21, and the denser form of them for QR codes.

use std::fmt::Write as _;

use bitcoin_units::Amount;

/// A satoshi amount as a decimal number of bitcoins with 8 places, made from integers.
#[must_use]
pub fn btc(amount: Amount) -> String {
    let sats = amount.to_sat();
    format!("{}.{:08}", sats / 100_000_000, sats % 100_000_000)
}

/// The link of BIP-21: `bitcoin:<address>?amount=<btc>&label=<label>`, scheme in lower case because some wallets take no
/// other; trailing zeros of the amount are cut. An empty label is left out.
#[must_use]
pub fn uri(address: &str, amount: Amount, label: &str) -> String {
    let mut uri = format!("bitcoin:{address}?amount={}", trimmed(&btc(amount)));
    if !label.is_empty() {
        uri.push_str("&label=");
        percent_encode(label, &mut uri);
    }
    uri
}

/// The text for a QR code: like [`uri`] without the label, with a bech32 address in upper case (BIP-173 allows it, and it
/// makes the code less dense). The scheme stays in lower case: not every wallet reads `BITCOIN:`.
#[must_use]
pub fn qr_text(address: &str, amount: Amount) -> String {
    let is_bech32 = ["bc1", "tb1", "bcrt1"].iter().any(|hrp| address.starts_with(hrp));
    let address = if is_bech32 {
        address.to_ascii_uppercase()
    } else {
        address.to_owned()
    };
    uri(&address, amount, "")
}

fn trimmed(btc: &str) -> &str {
    btc.trim_end_matches('0').trim_end_matches('.')
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3.
fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            write!(into, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_printed_from_integers_with_eight_places() {
        assert_eq!(btc(Amount::from_sat(1)), "0.00000001");
        assert_eq!(btc(Amount::MAX_MONEY), "21000000.00000000");
    }

    #[test]
    fn the_link_follows_bip_21() {
        assert_eq!(
            uri("bcrt1qxyz", Amount::from_sat(150_000), "Café & Co"),
            "bitcoin:bcrt1qxyz?amount=0.0015&label=Caf%C3%A9%20%26%20Co"
        );
        assert_eq!(uri("1abc", Amount::from_sat(200_000_000), ""), "bitcoin:1abc?amount=2");
    }

    #[test]
    fn only_a_bech32_address_is_raised_to_upper_case() {
        assert_eq!(
            qr_text("tb1qxyz", Amount::from_sat(100_000_000)),
            "bitcoin:TB1QXYZ?amount=1"
        );
        assert_eq!(
            qr_text("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Amount::ONE_BTC),
            "bitcoin:mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn?amount=1"
        );
    }
}
