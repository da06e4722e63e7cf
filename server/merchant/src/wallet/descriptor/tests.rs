//! What is taken as a descriptor, what is refused, and which addresses follow.

use super::*;
use crate::wallet::slip132;

// The account of BIP-84's test vector, m/84'/0'/0' of "abandon … about".
const ZPUB: &str =
    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
// The account of BIP-86's test vector, m/86'/0'/0'.
const XPUB86: &str =
    "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ";
// The account of BIP-49's test vector, m/49'/1'/0' (test network).
const TPUB49: &str =
    "tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2";

fn parse(text: &str, script_type: &str, network: Network) -> Result<Receive, DescriptorError> {
    let wallet = WalletText {
        text: text.to_owned(),
        script_type: (!script_type.is_empty()).then(|| script_type.to_owned()),
    };
    Receive::parse(&wallet, network)
}

fn first_address(text: &str, script_type: &str, network: Network) -> String {
    parse(text, script_type, network).unwrap().derive(0).unwrap().address
}

fn xpub84() -> String {
    slip132::neutral(ZPUB, slip132::prefix_of(ZPUB).unwrap()).unwrap()
}

#[test]
fn r27_the_addresses_are_those_of_the_bips_test_vectors() {
    assert_eq!(
        first_address(ZPUB, "", Network::Mainnet),
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
    );
    assert_eq!(
        first_address(XPUB86, "tr", Network::Mainnet),
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
    );
    assert_eq!(
        first_address(TPUB49, "sh-wpkh", Network::Testnet4),
        "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"
    );
}

#[test]
fn r27_every_network_has_its_own_prefix() {
    for (network, prefix) in [
        (Network::Testnet4, "tb1q"),
        (Network::Signet, "tb1q"),
        (Network::Regtest, "bcrt1q"),
    ] {
        assert!(first_address(TPUB49, "wpkh", network).starts_with(prefix));
    }
    assert!(first_address(TPUB49, "pkh", Network::Regtest).starts_with(['m', 'n']));
    assert!(first_address(TPUB49, "tr", Network::Regtest).starts_with("bcrt1p"));
}

#[test]
fn r27_the_same_chain_has_one_normal_form_however_it_is_written() {
    let xpub = xpub84();
    let plain = parse(&format!("wpkh({xpub}/0/*)"), "", Network::Mainnet).unwrap();
    for text in [
        format!("wpkh([73c5da0a/84h/0h/0h]{xpub}/<0;1>/*)"),
        format!(" wpkh([73c5da0a/84'/0'/0']{ZPUB}/0/*)\n"),
        plain.text().to_owned(),
    ] {
        let other = parse(&text, "", Network::Mainnet).unwrap();
        assert_eq!(other.text(), plain.text(), "{text}");
        assert_eq!(other.key(), plain.key());
    }
    for (text, script_type) in [
        (xpub.clone(), "wpkh"),
        (format!("{xpub}/0"), "wpkh"),
        (format!("{xpub}/<0;1>/*"), "wpkh"),
        (format!("[73c5da0a/84h/0h/0h]{xpub}"), "wpkh"),
        (ZPUB.to_owned(), "wpkh"),
    ] {
        let other = parse(&text, script_type, Network::Mainnet).unwrap();
        assert_eq!(other.text(), plain.text(), "{text}");
    }
    assert!(plain.text().contains('#'));
}

#[test]
fn r27_what_cannot_receive_charges_is_refused_by_name() {
    use DescriptorError as E;
    let xpub = xpub84();
    let refused = |text: &str, script_type: &str| parse(text, script_type, Network::Mainnet).expect_err(text);
    let xprv = "xprv9s21ZrQH143K3GJpoapnV8SFfukcVBSfeCficPSGfubmSFDxo1kuHnLisriDvSnRRuL2Qrg5ggqHKNVpxR86QEC8w35uxmGoggxtQTPvfUu";
    assert_eq!(refused(&format!("wpkh({xprv}/0/*)"), ""), E::PrivateKey);
    assert_eq!(refused(xprv, "wpkh"), E::PrivateKey);
    let wif = "wpkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)";
    assert_eq!(refused(wif, ""), E::PrivateKey);
    assert!(matches!(
        refused(&format!("wpkh({TPUB49}/0/*)"), ""),
        E::WrongNetwork { .. }
    ));
    assert_eq!(refused(&format!("wpkh({xpub}/0/1)"), ""), E::Unranged);
    assert_eq!(
        refused(
            "wpkh(0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c)",
            ""
        ),
        E::Unranged
    );
    assert_eq!(refused(&format!("wpkh({xpub}/0/*h)"), ""), E::Hardened);
    assert_eq!(refused(&format!("wpkh({xpub}/0h/*)"), ""), E::Hardened);
    for name in ["combo", "pk", "raw", "addr", "multi"] {
        assert_eq!(
            refused(&format!("{name}({xpub}/0/*)"), ""),
            E::Unsupported(name.to_owned())
        );
    }
    assert_eq!(refused(&format!("wpkh({xpub}/0/*)#aaaaaaaa"), ""), E::Checksum);
    assert_eq!(refused(&format!("wpkh({xpub}/0/*)#"), ""), E::Checksum);
    assert_eq!(refused(&xpub, ""), E::ScriptTypeNeeded);
    assert_eq!(refused(&xpub, "p2wpkh"), E::UnknownScriptType("p2wpkh".to_owned()));
    assert_eq!(refused(&format!("wpkh({xpub}/0/*)"), "tr"), E::ScriptTypeNotNeeded);
    assert!(matches!(
        refused(&xpub.replace("xpub6C", "xpub6D"), "wpkh"),
        E::Malformed(_)
    ));
    assert!(matches!(refused("hello", "wpkh"), E::Malformed(_)));
    assert!(matches!(refused("", ""), E::Malformed(_)));
    assert!(matches!(refused("((((", ""), E::Malformed(_)));
}

#[test]
fn a_key_or_a_text_without_end_is_refused_before_it_is_decoded() {
    // Decoding base58 takes as many steps as the square of its length.
    let endless = format!("{}{}", xpub84(), "1".repeat(15_000));
    for text in [endless.clone(), format!("wpkh({endless}/0/*)"), "x".repeat(20_000)] {
        let refused = parse(&text, "wpkh", Network::Mainnet).or_else(|_| parse(&text, "", Network::Mainnet));
        let said = refused.unwrap_err().to_string();
        assert!(said.len() < 500, "{}", said.len());
    }
    let odd = parse(&xpub84(), "tr\u{1b}[2J", Network::Mainnet)
        .unwrap_err()
        .to_string();
    assert!(!odd.chars().any(char::is_control), "{odd:?}");
}

#[test]
fn r27_a_prefix_that_contradicts_the_script_type_is_refused() {
    for (text, script_type) in [
        (ZPUB.to_owned(), "tr"),
        (ZPUB.to_owned(), "pkh"),
        (format!("tr({ZPUB}/0/*)"), ""),
    ] {
        assert!(matches!(
            parse(&text, script_type, Network::Mainnet),
            Err(DescriptorError::Contradiction {
                prefix: "zpub",
                implied: "wpkh",
                ..
            })
        ));
    }
}

#[test]
fn r27_scripts_that_anyone_or_nobody_could_spend_are_refused() {
    let xpub = xpub84();
    for text in [
        format!("wsh(or_i(pk({xpub}/0/*),1))"),
        format!("wsh(multi(2,{xpub}/0/*,{xpub}/0/*))"),
    ] {
        assert!(parse(&text, "", Network::Mainnet).is_err(), "{text}");
    }
}

#[test]
fn r27_a_multi_signature_wallet_is_taken() {
    let text = format!("wsh(sortedmulti(2,{}/0/*,{XPUB86}/0/*))", xpub84());
    let receive = parse(&text, "", Network::Mainnet).unwrap();
    assert!(receive.derive(3).unwrap().address.starts_with("bc1q"));
    assert_eq!(receive.dust_limit(), Amount::from_sat(330));
}

#[test]
fn r08_the_dust_limit_is_that_of_the_script() {
    for (script_type, sats) in [("wpkh", 294), ("tr", 330), ("sh-wpkh", 540), ("pkh", 546)] {
        let receive = parse(TPUB49, script_type, Network::Regtest).unwrap();
        assert_eq!(receive.dust_limit().to_sat(), sats, "{script_type}");
    }
}

#[test]
fn an_address_follows_from_its_script_alone() {
    let derived = parse(TPUB49, "tr", Network::Regtest).unwrap().derive(7).unwrap();
    assert_eq!(address_of(&derived.script, Network::Regtest), Some(derived.address));
}

#[test]
fn the_chain_ends_at_the_last_unhardened_index() {
    let receive = parse(TPUB49, "wpkh", Network::Regtest).unwrap();
    assert!(receive.derive(LAST_INDEX).is_some());
    assert!(receive.derive(LAST_INDEX + 1).is_none());
}
