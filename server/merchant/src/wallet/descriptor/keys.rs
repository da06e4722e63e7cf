//! The keys in a descriptor: which are taken, and what becomes of them in the normal form.

use bitcoin::NetworkKind;
use bitcoin::bip32::DerivationPath;
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use bitpro_charge::Network;
use miniscript::descriptor::{Descriptor, DescriptorPublicKey, DescriptorXKey, Wildcard};
use miniscript::{ForEachKey as _, TranslatePk as _, Translator, translate_hash_clone};

use crate::wallet::DescriptorError;

pub(super) fn check_keys(
    descriptor: &Descriptor<DescriptorPublicKey>,
    network: Network,
) -> Result<(), DescriptorError> {
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

pub(super) fn without_origin(key: &DescriptorPublicKey) -> DescriptorPublicKey {
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
pub(super) fn steps_taken(key: &DescriptorPublicKey, secp: &Secp256k1<VerifyOnly>) -> DescriptorPublicKey {
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

pub(super) fn translated(
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
