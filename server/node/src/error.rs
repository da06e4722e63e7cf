//! Why the node did not give what was asked for.

use std::path::PathBuf;

use bitpro_charge::{BlockHash, Network};

/// A failure at the node, as the operator has to understand it. No variant ever carries a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// No connection, no answer in time, or too busy.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The cookie file cannot be read; the node removes it when it stops.
    #[error("the node's cookie file {} cannot be read ({reason}): is the node running, and may we read it?", path.display())]
    Cookie {
        /// Where it should be.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The node answered, and does not want us.
    #[error("the node refuses the credentials (HTTP {0})")]
    Unauthorized(u16),
    /// The node answered, and does not let this user call these methods, or this machine call any.
    #[error(
        "the node forbids {}: allow it in -rpcwhitelist for this user, or this machine in -rpcallowip (HTTP 403)",
        methods.join(", ")
    )]
    Forbidden {
        /// The methods that it refused.
        methods: Vec<String>,
    },
    /// The node's genesis block is that of another network.
    #[error("the node is on another network: its genesis block is {genesis}, that of {configured} is {expected}")]
    WrongNetwork {
        /// The network of this instance.
        configured: Network,
        /// Its genesis block.
        expected: BlockHash,
        /// The node's genesis block.
        genesis: BlockHash,
    },
    /// The node lacks calls that the watcher needs.
    #[error("Bitcoin Core {found} is too old: at least {needed} is needed")]
    TooOld {
        /// What it is, as `major.minor`.
        found: String,
        /// What it should be.
        needed: &'static str,
    },
    /// The node is starting (RPC error -28).
    #[error("the node is starting: {0}")]
    WarmingUp(String),
    /// The node has deleted this block.
    #[error("the node has pruned block {0}")]
    Pruned(BlockHash),
    /// The node answered with an error of its own.
    #[error("the node refused: {message} ({code})")]
    Refused {
        /// Bitcoin Core's error code.
        code: i32,
        /// Its words.
        message: String,
    },
    /// The answer is not what the node documents, or fails a check (R7).
    #[error("the node's answer makes no sense: {0}")]
    Malformed(String),
}

/// `RPC_INVALID_ADDRESS_OR_KEY`: what was asked for is not known.
pub(super) const NOT_FOUND: i32 = -5;
pub(super) const IN_WARMUP: i32 = -28;

impl NodeError {
    /// Whether the node knows nothing of what was asked for.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: NOT_FOUND, .. })
    }
}
