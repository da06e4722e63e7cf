//! The merchants' wallets, derived here a second time: what the server gives out is compared with it.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use bitcoin::bip32::{ChildNumber, DerivationPath, Xpriv, Xpub};
use bitcoin::secp256k1::{All, Secp256k1};
use bitcoin::{NetworkKind, ScriptBuf};

/// How many wallets there are.
pub const WALLETS: usize = 4;

/// A wallet of receive addresses.
struct Wallet {
    text: String,
    receive: Xpub,
    scripts: Vec<ScriptBuf>,
}

struct Wallets {
    secp: Secp256k1<All>,
    wallets: Vec<Wallet>,
    indices: HashMap<ScriptBuf, (usize, u32)>,
}

static ALL: LazyLock<Mutex<Wallets>> = LazyLock::new(|| {
    let secp = Secp256k1::new();
    let wallets = (0..WALLETS)
        .map(|number| {
            let seed = [u8::try_from(number).expect("few wallets") + 1; 32];
            let account = Xpriv::new_master(NetworkKind::Test, &seed).expect("a seed of 32 bytes");
            let account = Xpub::from_priv(&secp, &account);
            let path = DerivationPath::from_str("0").expect("written as a path");
            Wallet {
                text: format!("wpkh({account}/0/*)"),
                receive: account.derive_pub(&secp, &path).expect("a plain path"),
                scripts: Vec::new(),
            }
        })
        .collect();
    Mutex::new(Wallets {
        secp,
        wallets,
        indices: HashMap::new(),
    })
});

fn with<T>(work: impl FnOnce(&mut Wallets) -> T) -> T {
    work(&mut ALL.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The descriptor of a wallet.
#[must_use]
pub fn descriptor(wallet: usize) -> String {
    with(|all| all.wallets[wallet].text.clone())
}

/// The wallet that a descriptor is of.
#[must_use]
pub fn wallet_of(descriptor: &str) -> Option<usize> {
    with(|all| {
        let keys = descriptor.split_once('#').map_or(descriptor, |(keys, _)| keys);
        all.wallets.iter().position(|wallet| wallet.text == keys)
    })
}

/// The script of a wallet at an index.
#[must_use]
pub fn script(wallet: usize, index: u32) -> ScriptBuf {
    with(|all| {
        derive(all, wallet, index);
        all.wallets[wallet].scripts[usize::try_from(index).expect("an index")].clone()
    })
}

/// Where a script belongs, if its index is below `end` of its wallet.
#[must_use]
pub fn index_of(script: &ScriptBuf, end: u32) -> Option<(usize, u32)> {
    with(|all| {
        for wallet in 0..WALLETS {
            derive(all, wallet, end);
        }
        all.indices.get(script).copied().filter(|(_, index)| *index <= end)
    })
}

fn derive(all: &mut Wallets, wallet: usize, until: u32) {
    let Wallets { secp, wallets, indices } = all;
    let known = u32::try_from(wallets[wallet].scripts.len()).expect("few scripts");
    for index in known..=until {
        let child = ChildNumber::from_normal_idx(index).expect("an index of a wallet");
        let key = wallets[wallet]
            .receive
            .derive_pub(secp, &[child])
            .expect("a plain path");
        let script = ScriptBuf::new_p2wpkh(&key.to_pub().wpubkey_hash());
        indices.insert(script.clone(), (wallet, index));
        wallets[wallet].scripts.push(script);
    }
}
