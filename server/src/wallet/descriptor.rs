//! A receive descriptor: read strictly, kept in one normal form, and derived from.

use std::str::FromStr;

use bitcoin::bip32::DerivationPath;
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use bitcoin::{NetworkKind, ScriptBuf};
use bitpro_charge::{Amount, Network};
use miniscript::descriptor::{Descriptor, DescriptorPublicKey, DescriptorXKey, Wildcard};
use miniscript::{ForEachKey as _, TranslatePk as _, Translator, translate_hash_clone};
use sha2::{Digest as _, Sha256};

use super::slip132::{self, Prefix};
use super::{DescriptorError, WalletText};

/// The highest index of an unhardened child (BIP-32).
const LAST_INDEX: u32 = 0x7fff_ffff;

/// Where a merchant's money goes: one descriptor, one chain of addresses, public keys only.
#[derive(Debug, Clone)]
pub struct Receive {
    text: String,
    /// The same with every fixed step taken already, so that an address costs one derivation.
    ahead: Descriptor<DescriptorPublicKey>,
    network: bitcoin::Network,
    dust_limit: Amount,
    secp: Secp256k1<VerifyOnly>,
}

/// One address of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Its index.
    pub index: u32,
    /// What an output to it carries.
    pub script: Vec<u8>,
    /// What a shopper pays to.
    pub address: String,
}

impl Receive {
    /// Reads what a merchant wrote.
    ///
    /// # Errors
    /// [`DescriptorError`], one for each way of being wrong.
    pub fn parse(wallet: &WalletText, network: Network) -> Result<Self, DescriptorError> {
        let text: String = wallet.text.split_whitespace().collect();
        let script_type = wallet.script_type.as_deref().map(str::trim);
        refuse_private_keys(&text)?;
        let text = if text.contains('(') {
            if script_type.is_some_and(|script_type| !script_type.is_empty()) {
                return Err(DescriptorError::ScriptTypeNotNeeded);
            }
            text
        } else {
            around_key(&text, script_type)?
        };
        Self::from_descriptor(&text, network)
    }

    /// Reads a descriptor, normal or not.
    ///
    /// # Errors
    /// [`DescriptorError`].
    pub fn from_descriptor(text: &str, network: Network) -> Result<Self, DescriptorError> {
        refuse_private_keys(text)?;
        let body = without_checksum(text)?;
        let body = with_neutral_keys(body)?;
        refuse_unsupported(&body)?;
        let parsed = Descriptor::<DescriptorPublicKey>::from_str(&body).map_err(|error| malformed(&error))?;
        check_keys(&parsed, network)?;
        parsed
            .sanity_check()
            .map_err(|error| DescriptorError::Unsafe(error.to_string()))?;
        let first = parsed
            .into_single_descriptors()
            .map_err(|error| malformed(&error))?
            .swap_remove(0);
        let secp = Secp256k1::verification_only();
        let normal = translated(&first, without_origin);
        let ahead = translated(&normal, |key| steps_taken(key, &secp));
        let mut receive = Self {
            text: normal.to_string(),
            ahead,
            network: bitcoin_network(network),
            dust_limit: Amount::ZERO,
            secp,
        };
        let first = receive
            .derive(0)
            .ok_or_else(|| DescriptorError::Malformed("it has no first address".to_owned()))?;
        receive.dust_limit = ScriptBuf::from_bytes(first.script).minimal_non_dust();
        Ok(receive)
    }

    /// The normal form, with its checksum: first path, no key origins. It is the identity of the counter (R27).
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A short name of the normal form, for the issuance mark.
    #[must_use]
    pub fn key(&self) -> [u8; 16] {
        let digest = Sha256::digest(self.text.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        key
    }

    /// The address at `index`; `None` beyond the last one (2^31 - 1), or at an index that has no valid key, of which nobody
    /// has ever met one (BIP-32: less than 1 in 2^127).
    #[must_use]
    pub fn derive(&self, index: u32) -> Option<Derived> {
        if index > LAST_INDEX {
            return None;
        }
        let definite = self.ahead.at_derivation_index(index).ok()?;
        let concrete = definite.derived_descriptor(&self.secp).ok()?;
        Some(Derived {
            index,
            script: concrete.script_pubkey().into_bytes(),
            address: concrete.address(self.network).ok()?.to_string(),
        })
    }

    /// The least that can be sent to one of the addresses, by the default policy of the network's nodes.
    #[must_use]
    pub const fn dust_limit(&self) -> Amount {
        self.dust_limit
    }
}

/// The address of `script` on `network`; `None` for a script that has none.
#[must_use]
pub(crate) fn address_of(script: &[u8], network: Network) -> Option<String> {
    let script = bitcoin::Script::from_bytes(script);
    bitcoin::Address::from_script(script, bitcoin_network(network))
        .ok()
        .map(|address| address.to_string())
}

const fn bitcoin_network(network: Network) -> bitcoin::Network {
    match network {
        Network::Mainnet => bitcoin::Network::Bitcoin,
        Network::Testnet4 => bitcoin::Network::Testnet4,
        Network::Signet => bitcoin::Network::Signet,
        Network::Regtest => bitcoin::Network::Regtest,
    }
}

/// The descriptor around a bare extended key: its receive chain is `/0/*` unless the text says otherwise.
fn around_key(text: &str, script_type: Option<&str>) -> Result<String, DescriptorError> {
    let key = key_of(text);
    let Some(prefix) = slip132::prefix_of(key) else {
        return Err(DescriptorError::Malformed("it begins like neither".to_owned()));
    };
    let open = match (script_type.unwrap_or_default(), prefix.implied) {
        ("", Some(open @ ("wpkh(" | "sh(wpkh("))) => open,
        ("", Some(_)) => {
            return Err(DescriptorError::Malformed(
                "a key of a multi-signature wallet needs its whole descriptor".to_owned(),
            ));
        }
        ("", None) => return Err(DescriptorError::ScriptTypeNeeded),
        ("wpkh", _) => "wpkh(",
        ("tr", _) => "tr(",
        ("sh-wpkh" | "sh(wpkh)", _) => "sh(wpkh(",
        ("pkh", _) => "pkh(",
        (other, _) => return Err(DescriptorError::UnknownScriptType(other.to_owned())),
    };
    let path = if text.contains('*') {
        ""
    } else if text.ends_with(key) {
        "/0/*"
    } else {
        "/*"
    };
    let close = ")".repeat(open.matches('(').count());
    Ok(format!("{open}{text}{path}{close}"))
}

/// The extended key in a key expression: what stands between the origin and the path.
fn key_of(expression: &str) -> &str {
    let after_origin = expression.rsplit_once(']').map_or(expression, |(_, rest)| rest);
    after_origin.split_once('/').map_or(after_origin, |(key, _)| key)
}

/// Tokens of a descriptor that could be keys.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
}

/// A private key is told by its shape before anything is parsed, so that no error message of a parser can repeat it.
fn refuse_private_keys(text: &str) -> Result<(), DescriptorError> {
    let is_extended = |token: &str| slip132::prefix_of(token).is_some_and(|prefix| prefix.private);
    let is_wif = |token: &str| matches!(token.len(), 51 | 52) && token.starts_with(['5', 'K', 'L', '9', 'c']);
    if tokens(text).any(|token| is_extended(token) || is_wif(token)) {
        return Err(DescriptorError::PrivateKey);
    }
    Ok(())
}

fn without_checksum(text: &str) -> Result<&str, DescriptorError> {
    let Some((body, checksum)) = text.split_once('#') else {
        return Ok(text);
    };
    match miniscript::descriptor::checksum::desc_checksum(body) {
        Ok(right) if right == checksum => Ok(body),
        _ => Err(DescriptorError::Checksum),
    }
}

/// Replaces keys with SLIP-132 prefixes by neutral ones, once they keep what the prefix promises.
fn with_neutral_keys(body: &str) -> Result<String, DescriptorError> {
    let mut neutral = body.to_owned();
    for token in tokens(body) {
        let Some(prefix) = slip132::prefix_of(token) else {
            continue;
        };
        let Prefix {
            name: prefix_name,
            implied,
            ..
        } = prefix;
        if let Some(implied) = implied
            && !body.starts_with(implied)
        {
            return Err(DescriptorError::Contradiction {
                prefix: prefix_name,
                implied: implied.trim_end_matches('('),
                chosen: body.split_once('(').map_or(body, |(name, _)| name).to_owned(),
            });
        }
        let key = slip132::neutral(token, prefix)
            .ok_or_else(|| DescriptorError::Malformed("a character of the extended key is wrong".to_owned()))?;
        neutral = neutral.replace(token, &key);
    }
    Ok(neutral)
}

fn refuse_unsupported(body: &str) -> Result<(), DescriptorError> {
    let Some((name, _)) = body.split_once('(') else {
        return Err(DescriptorError::Malformed("it has no script".to_owned()));
    };
    if matches!(name, "wpkh" | "tr" | "sh" | "wsh" | "pkh") {
        return Ok(());
    }
    let plain = (1..=20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Err(if plain {
        DescriptorError::Unsupported(name.to_owned())
    } else {
        DescriptorError::Malformed("it does not begin with the name of a script".to_owned())
    })
}

fn check_keys(descriptor: &Descriptor<DescriptorPublicKey>, network: Network) -> Result<(), DescriptorError> {
    let mut wrong = None;
    descriptor.for_each_key(|key| {
        wrong = wrong.take().or_else(|| check_key(key, network).err());
        true
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    if descriptor.has_wildcard() {
        Ok(())
    } else {
        Err(DescriptorError::Unranged)
    }
}

fn check_key(key: &DescriptorPublicKey, network: Network) -> Result<(), DescriptorError> {
    let (kind, wildcard) = match key {
        DescriptorPublicKey::Single(_) => return Ok(()),
        DescriptorPublicKey::XPub(key) => (key.xkey.network, key.wildcard),
        DescriptorPublicKey::MultiXPub(key) => (key.xkey.network, key.wildcard),
    };
    if kind.is_mainnet() == network.is_sandbox() {
        return Err(DescriptorError::WrongNetwork {
            key: match kind {
                NetworkKind::Main => "mainnet",
                NetworkKind::Test => "a test network",
            },
            network: network.as_str(),
        });
    }
    if wildcard == Wildcard::Hardened || key.has_hardened_step() {
        return Err(DescriptorError::Hardened);
    }
    Ok(())
}

fn malformed(error: &miniscript::Error) -> DescriptorError {
    DescriptorError::Malformed(error.to_string())
}

fn without_origin(key: &DescriptorPublicKey) -> DescriptorPublicKey {
    match key.clone() {
        DescriptorPublicKey::Single(mut single) => {
            single.origin = None;
            DescriptorPublicKey::Single(single)
        }
        DescriptorPublicKey::XPub(mut key) => {
            key.origin = None;
            DescriptorPublicKey::XPub(key)
        }
        multi @ DescriptorPublicKey::MultiXPub(_) => multi,
    }
}

/// `key` with its fixed steps taken.
fn steps_taken(key: &DescriptorPublicKey, secp: &Secp256k1<VerifyOnly>) -> DescriptorPublicKey {
    let DescriptorPublicKey::XPub(xpub) = key else {
        return key.clone();
    };
    match xpub.xkey.derive_pub(secp, &xpub.derivation_path) {
        Ok(xkey) => DescriptorPublicKey::XPub(DescriptorXKey {
            origin: None,
            xkey,
            derivation_path: DerivationPath::default(),
            wildcard: xpub.wildcard,
        }),
        Err(_) => key.clone(),
    }
}

fn translated(
    descriptor: &Descriptor<DescriptorPublicKey>,
    change: impl Fn(&DescriptorPublicKey) -> DescriptorPublicKey,
) -> Descriptor<DescriptorPublicKey> {
    struct Change<F>(F);
    impl<F: Fn(&DescriptorPublicKey) -> DescriptorPublicKey>
        Translator<DescriptorPublicKey, DescriptorPublicKey, std::convert::Infallible> for Change<F>
    {
        fn pk(&mut self, key: &DescriptorPublicKey) -> Result<DescriptorPublicKey, std::convert::Infallible> {
            Ok((self.0)(key))
        }
        translate_hash_clone!(DescriptorPublicKey, DescriptorPublicKey, std::convert::Infallible);
    }
    descriptor
        .translate_pk(&mut Change(change))
        .expect("the same kinds of keys fit the same script")
}

#[cfg(test)]
mod tests {
    use super::*;

    // The account of BIP-84's test vector, m/84'/0'/0' of "abandon … about".
    const ZPUB: &str = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
    // The account of BIP-86's test vector, m/86'/0'/0'.
    const XPUB86: &str = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ";
    // The account of BIP-49's test vector, m/49'/1'/0' (test network).
    const TPUB49: &str = "tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2";

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
}
