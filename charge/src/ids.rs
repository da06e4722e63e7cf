//! Identifiers: of charges and merchants (UUIDs), of transactions and blocks (32-byte hashes), of networks.

use std::fmt;
use std::str::FromStr;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdError {
    /// A UUID is 36 characters: 32 hexadecimal digits in groups of 8-4-4-4-12 (RFC 9562, section 4).
    Uuid,
    /// A hash is 64 hexadecimal digits.
    Hash,
    /// An outpoint is `txid:vout`.
    Outpoint,
    /// The network is none of `mainnet`, `testnet4`, `signet`, `regtest`.
    Network,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid => "not a UUID of 36 characters",
            Self::Hash => "not a hash of 64 hexadecimal digits",
            Self::Outpoint => "not an outpoint of the form txid:vout",
            Self::Network => "not one of mainnet, testnet4, signet, regtest",
        })
    }
}

impl std::error::Error for IdError {}

/// In a log, too, an id is what one can search for.
macro_rules! shown_as_written {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        shown_as_written! { $name }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for (i, byte) in self.0.iter().enumerate() {
                    if matches!(i, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_uuid(text).map(Self)
            }
        }
    };
}

uuid_newtype! {
    /// A charge. A UUIDv4, and as such a capability: who knows it may look at the charge (R23).
    ChargeId
}
uuid_newtype! {
    /// A merchant, as in `/app/checkout/:merchant-id`.
    MerchantId
}

macro_rules! hash_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        shown_as_written! { $name }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; 32];
                parse_hex(text, &mut bytes).ok_or(IdError::Hash)?;
                bytes.reverse();
                Ok(Self(bytes))
            }
        }
    };
}

hash_newtype! {
    /// A transaction id, in the byte order of the protocol; printed reversed, as every explorer does.
    Txid
}
hash_newtype! {
    /// A block hash, in the byte order of the protocol; printed reversed.
    BlockHash
}

/// A block by height and hash. The height alone identifies nothing: a reorg puts another block there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    /// Distance from the genesis block.
    pub height: u32,
    /// The block's hash.
    pub hash: BlockHash,
}

/// One output of one transaction: the identity of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outpoint {
    /// The paying transaction.
    pub txid: Txid,
    /// The output's index in it.
    pub vout: u32,
}

impl fmt::Display for Outpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.vout)
    }
}

impl FromStr for Outpoint {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (txid, vout) = text.split_once(':').ok_or(IdError::Outpoint)?;
        Ok(Self {
            txid: txid.parse().map_err(|_| IdError::Outpoint)?,
            vout: vout.parse().map_err(|_| IdError::Outpoint)?,
        })
    }
}

/// The chain an instance serves. Everything but mainnet is a sandbox (R42).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// Real money.
    Mainnet,
    /// The public test network of BIP-94.
    Testnet4,
    /// The signed test network of BIP-325.
    Signet,
    /// A private chain on the developer's own machine.
    Regtest,
}

impl Network {
    /// The name used in configuration, on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet4 => "testnet4",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// Whether coins on this network are play money (R42).
    #[must_use]
    pub const fn is_sandbox(self) -> bool {
        !matches!(self, Self::Mainnet)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Network {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        [Self::Mainnet, Self::Testnet4, Self::Signet, Self::Regtest]
            .into_iter()
            .find(|network| network.as_str() == text)
            .ok_or(IdError::Network)
    }
}

fn parse_uuid(text: &str) -> Result<[u8; 16], IdError> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|&i| bytes[i] != b'-') {
        return Err(IdError::Uuid);
    }
    let digits: String = text.chars().filter(|&c| c != '-').collect();
    let mut id = [0; 16];
    parse_hex(&digits, &mut id).ok_or(IdError::Uuid)?;
    Ok(id)
}

fn parse_hex(text: &str, into: &mut [u8]) -> Option<()> {
    let text = text.as_bytes();
    if text.len() != into.len() * 2 {
        return None;
    }
    for (byte, pair) in into.iter_mut().zip(text.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(())
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_read_in_any_case_and_printed_in_lower_case() {
        let text = "67C0E853-BB77-46CE-AE20-09011299CB22";
        let id: ChargeId = text.parse().unwrap();
        assert_eq!(id.to_string(), text.to_lowercase());
        for bad in [
            "",
            "67c0e853",
            "67c0e853-bb77-46ce-ae20-09011299cb2g",
            "67c0e853bb77-46ce-ae20-09011299cb22--",
        ] {
            assert_eq!(bad.parse::<ChargeId>(), Err(IdError::Uuid), "{bad}");
        }
    }

    #[test]
    fn a_multibyte_text_of_36_bytes_is_refused_without_a_panic() {
        assert!("é".repeat(18).parse::<MerchantId>().is_err());
        assert!("é".repeat(32).parse::<Txid>().is_err());
    }

    #[test]
    fn a_txid_is_printed_in_reverse_byte_order() {
        let mut bytes = [0; 32];
        bytes[0] = 0xab;
        let txid = Txid(bytes);
        assert!(txid.to_string().ends_with("ab"));
        assert_eq!(txid.to_string().parse(), Ok(txid));
        let outpoint = Outpoint { txid, vout: 7 };
        assert_eq!(outpoint.to_string().parse(), Ok(outpoint));
    }
}
