//! A receive descriptor: read strictly, kept in one normal form, and derived from.

mod keys;
#[cfg(test)]
mod tests;
mod text;

use std::str::FromStr;

use bitcoin::ScriptBuf;
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use bitpro_base::name::repeated;
use bitpro_charge::{Amount, Network};
use miniscript::descriptor::{Descriptor, DescriptorPublicKey};
use sha2::{Digest as _, Sha256};

use super::{DescriptorError, WalletText};
use keys::{check_keys, steps_taken, translated, without_origin};
use text::{around_key, refuse_private_keys, refuse_unsupported, with_neutral_keys, without_checksum};

/// The longest text that is looked at, in bytes: a hundred keys with their origins.
const LONGEST: usize = 16 * 1024;
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
        if wallet.text.len() > LONGEST {
            return Err(DescriptorError::Malformed(format!("it has more than {LONGEST} bytes")));
        }
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
pub fn address_of(script: &[u8], network: Network) -> Option<String> {
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

fn malformed(error: &miniscript::Error) -> DescriptorError {
    DescriptorError::Malformed(repeated(&error.to_string()))
}
