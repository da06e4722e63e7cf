//! Why a wallet is refused: each reason by its own name, so that whoever typed it knows what to change.

/// Why a text does not say where a merchant's money goes. No message repeats a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// A private key was given: it would let whoever reads the server's disk take the money.
    #[error(
        "this contains a PRIVATE key; the server must never have one. Export the public descriptor (or xpub) of the wallet, and treat the private key as exposed"
    )]
    PrivateKey,
    /// The key belongs to another network.
    #[error("the key is for {key}, but this server runs on {network}")]
    WrongNetwork {
        /// What the key is for.
        key: &'static str,
        /// What the server runs on.
        network: &'static str,
    },
    /// No wildcard: every charge would get the same address.
    #[error(
        "the descriptor has no wildcard: it must end in /* (such as …/0/*), so that every charge gets its own address"
    )]
    Unranged,
    /// A hardened step after the extended key, which only the private key could take.
    #[error("the descriptor has a hardened step (h or ') after the extended key, which public keys cannot derive")]
    Hardened,
    /// A kind of script that has no address, no range, or more than one address.
    #[error("{0}(…) cannot be used to receive charges; take wpkh(…), tr(…), sh(wpkh(…)), pkh(…) or wsh(…)")]
    Unsupported(String),
    /// The checksum does not fit the text.
    #[error("the checksum after # does not match: a character is wrong or missing")]
    Checksum,
    /// The prefix of the key promises another script type than the one chosen.
    #[error(
        "the key's prefix {prefix} means {implied}, but {chosen} was asked for; convert the key to xpub if that is really meant"
    )]
    Contradiction {
        /// As in `zpub`.
        prefix: &'static str,
        /// What it means.
        implied: &'static str,
        /// What was asked for.
        chosen: String,
    },
    /// An extended public key alone does not say which addresses the wallet uses.
    #[error(
        "an extended public key needs the script type of the wallet: wpkh (addresses bc1q…), tr (bc1p…), sh-wpkh (3…) or pkh (1…)"
    )]
    ScriptTypeNeeded,
    /// The script type is none of ours.
    #[error("{0:?} is not a script type; there are wpkh, tr, sh-wpkh and pkh")]
    UnknownScriptType(String),
    /// A script type beside a whole descriptor, which says it itself.
    #[error("a descriptor already contains its script type: leave the script type out")]
    ScriptTypeNotNeeded,
    /// The script can be spent by anyone, never, or not safely.
    #[error("the descriptor's script is not safe: {0}")]
    Unsafe(String),
    /// Not a descriptor at all.
    #[error("this is neither an output descriptor nor an extended public key: {0}")]
    Malformed(String),
}
