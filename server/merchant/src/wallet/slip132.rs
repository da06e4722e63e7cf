//! Extended keys with the prefixes of SLIP-132 (`ypub`, `zpub`, …), which some wallets export: read, compared with the
//! script they stand in, and turned into the `xpub` or `tpub` that descriptors know.

use bitcoin::base58;

/// What the prefix of an extended key promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The first four letters.
    pub(super) name: &'static str,
    /// The beginning of a descriptor that keeps the promise; `None` for the neutral `xpub` and `tpub`.
    pub(super) implied: Option<&'static str>,
    /// Whether it is a private key.
    pub(super) private: bool,
    version: [u8; 4],
    mainnet: bool,
}

const fn prefix(
    name: &'static str,
    version: u32,
    mainnet: bool,
    private: bool,
    implied: Option<&'static str>,
) -> Prefix {
    Prefix {
        name,
        implied,
        private,
        version: version.to_be_bytes(),
        mainnet,
    }
}

/// The registered versions (SLIP-132, "Registered HD version bytes"; BIP-32 for the neutral ones).
const PREFIXES: [Prefix; 20] = [
    prefix("xpub", 0x0488_b21e, true, false, None),
    prefix("tpub", 0x0435_87cf, false, false, None),
    prefix("ypub", 0x049d_7cb2, true, false, Some("sh(wpkh(")),
    prefix("upub", 0x044a_5262, false, false, Some("sh(wpkh(")),
    prefix("zpub", 0x04b2_4746, true, false, Some("wpkh(")),
    prefix("vpub", 0x045f_1cf6, false, false, Some("wpkh(")),
    prefix("Ypub", 0x0295_b43f, true, false, Some("sh(wsh(")),
    prefix("Upub", 0x0242_89ef, false, false, Some("sh(wsh(")),
    prefix("Zpub", 0x02aa_7ed3, true, false, Some("wsh(")),
    prefix("Vpub", 0x0257_5483, false, false, Some("wsh(")),
    prefix("xprv", 0x0488_ade4, true, true, None),
    prefix("tprv", 0x0435_8394, false, true, None),
    prefix("yprv", 0x049d_7878, true, true, None),
    prefix("uprv", 0x044a_4e28, false, true, None),
    prefix("zprv", 0x04b2_430c, true, true, None),
    prefix("vprv", 0x045f_18bc, false, true, None),
    prefix("Yprv", 0x0295_b005, true, true, None),
    prefix("Uprv", 0x0242_85b5, false, true, None),
    prefix("Zprv", 0x02aa_7a99, true, true, None),
    prefix("Vprv", 0x0257_5048, false, true, None),
];

/// The most characters of 78 bytes and their checksum in base58.
const LONGEST_KEY: usize = 112;

/// The prefix of `key`, told by its letters alone.
pub(super) fn prefix_of(key: &str) -> Option<Prefix> {
    PREFIXES
        .into_iter()
        .find(|prefix| key.starts_with(prefix.name) && key.len() > 100)
}

/// `key` under the neutral prefix of its network; `None` when it is not an extended key with a right checksum.
pub(super) fn neutral(key: &str, prefix: Prefix) -> Option<String> {
    // Base58 is decoded digit by digit over the whole number: one of a megabyte takes minutes.
    if key.len() > LONGEST_KEY {
        return None;
    }
    let mut bytes = base58::decode_check(key).ok()?;
    if bytes.len() != 78 || !bytes.starts_with(&prefix.version) {
        return None;
    }
    let neutral = if prefix.mainnet { &PREFIXES[0] } else { &PREFIXES[1] };
    bytes[..4].copy_from_slice(&neutral.version);
    Some(base58::encode_check(&bytes))
}
