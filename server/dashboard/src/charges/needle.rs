//! What was typed into the search box, read as everything that it can mean.

use bitcoin::address::NetworkUnchecked;
use bitpro_charge::Network;
use bitpro_service::charges::Needle;
use bitpro_web::checkout::params::normalised_email;

/// Longer than an order id, an e-mail address or a transaction with its output.
const LONGEST: usize = 320;

/// What `text` can mean on `network`; `None` for nothing. E-mail addresses are found only by those who may see them.
#[must_use]
pub fn read(text: &str, network: Network, sees_buyers: bool) -> Option<Needle> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(Needle {
        order_id: text.chars().take(LONGEST).collect(),
        charge: text.parse().ok(),
        // As explorers and wallets give it, with or without the output.
        txid: text.split(':').next().and_then(|txid| txid.parse().ok()),
        script: script(text, network),
        email: sees_buyers.then(|| normalised_email(text)).flatten(),
    })
}

/// The script of an address, also of one in a payment link as wallets copy it.
fn script(text: &str, network: Network) -> Option<Vec<u8>> {
    let scheme = text.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("bitcoin:"));
    let address = scheme.map_or(text, |_| &text[8..]);
    let address = address.split('?').next()?;
    let address: bitcoin::Address<NetworkUnchecked> = address.parse().ok()?;
    let network = match network {
        Network::Mainnet => bitcoin::Network::Bitcoin,
        Network::Testnet4 => bitcoin::Network::Testnet4,
        Network::Signet => bitcoin::Network::Signet,
        Network::Regtest => bitcoin::Network::Regtest,
    };
    let address = address.require_network(network).ok()?;
    Some(address.script_pubkey().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

    fn needle(text: &str) -> Needle {
        read(text, Network::Regtest, true).unwrap()
    }

    #[test]
    fn a_text_is_everything_that_it_can_mean() {
        assert_eq!(read("  ", Network::Regtest, true), None);
        let txid = "ab".repeat(32);
        assert!(needle(&txid).txid.is_some() && needle(&format!("{txid}:1")).txid.is_some());
        assert_eq!(needle(&txid).order_id, txid);
        assert!(needle("00000000-0000-4000-8000-000000000000").charge.is_some());
        for address in [
            ADDRESS.to_owned(),
            ADDRESS.to_uppercase(),
            format!("bitcoin:{ADDRESS}?amount=1"),
            format!("BITCOIN:{}", ADDRESS.to_uppercase()),
        ] {
            assert!(needle(&address).script.is_some(), "{address}");
        }
        // An address of another network was never given out here.
        assert_eq!(needle("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4").script, None);
        let plain = needle(" A-1% ");
        assert_eq!(plain.order_id, "A-1%");
        assert!(plain.txid.is_none() && plain.script.is_none() && plain.email.is_none() && plain.charge.is_none());
    }

    #[test]
    fn who_may_not_see_e_mails_does_not_find_by_them() {
        assert_eq!(needle("Anna@Shop.Example").email.unwrap(), "anna@shop.example");
        assert_eq!(read("anna@shop.example", Network::Regtest, false).unwrap().email, None);
    }
}
