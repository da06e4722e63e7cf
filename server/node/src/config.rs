//! How the node is reached, and the limits that the operator may set.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bitpro_charge::{BlockHash, Network};
use url::Url;

/// The operator's settings of the node.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The node's RPC address, `http://host:port`. Bitcoin Core speaks no TLS: a distant node needs a tunnel.
    pub rpc_url: Url,
    /// How we show who we are.
    pub auth: NodeAuth,
    /// The network that this instance serves; the node's genesis block is compared with it.
    pub network: Network,
    /// The deepest reorg that is followed without asking the operator (R6), in blocks.
    pub reorg_limit: u32,
    /// How long a transaction must be absent and refused before it counts as dropped (R3), in seconds.
    pub dropped_after_secs: u32,
    /// How often the node is asked whether something has changed, with or without ZMQ.
    pub poll_interval: Duration,
    /// Where the node's notifications come from.
    pub zmq: ZmqSource,
    /// Whether the node has to be connected with others for anything to follow from what it does not have (R3, R4). A private
    /// chain has only one node, perhaps.
    pub requires_peers: bool,
    /// When so much time lies between two looks, the machine was perhaps asleep, and its node with it.
    pub asleep_after: Duration,
    /// A block of the node's chain that the operator vouches for: what the watcher would hold back below it is then taken (R6).
    pub accept_block: Option<BlockHash>,
}

impl NodeConfig {
    /// The defaults for a node.
    #[must_use]
    pub fn new(rpc_url: Url, auth: NodeAuth, network: Network) -> Self {
        Self {
            rpc_url,
            auth,
            network,
            reorg_limit: 10,
            dropped_after_secs: 30 * 60,
            poll_interval: Duration::from_secs(1),
            zmq: ZmqSource::Discover,
            requires_peers: network != Network::Regtest,
            asleep_after: Duration::from_secs(60),
            accept_block: None,
        }
    }
}

/// Credentials for the RPC.
#[derive(Clone, PartialEq, Eq)]
pub enum NodeAuth {
    /// The cookie file that the node writes anew at each of its starts; it is read again whenever it was refused.
    Cookie(PathBuf),
    /// A fixed user, as made by `rpcauth`.
    Password {
        /// The user's name.
        user: String,
        /// The password; never printed.
        password: String,
    },
}

impl fmt::Debug for NodeAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(path) => f.debug_tuple("Cookie").field(path).finish(),
            Self::Password { user, .. } => f.debug_struct("Password").field("user", user).finish_non_exhaustive(),
        }
    }
}

/// Where ZMQ notifications come from. They only wake the watcher (R7); without them it polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZmqSource {
    /// As the node itself says (`getzmqnotifications`).
    Discover,
    /// At these addresses, where the node's own ones cannot be reached from here.
    Endpoints {
        /// Of the topic `rawtx`.
        rawtx: String,
        /// Of the topic `sequence`.
        sequence: String,
    },
    /// Nowhere.
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let auth = NodeAuth::Password {
            user: "shop".to_owned(),
            password: "hunter2".to_owned(),
        };
        let config = NodeConfig::new("http://127.0.0.1:8332".parse().unwrap(), auth, Network::Mainnet);
        let printed = format!("{config:?}");
        assert!(printed.contains("shop"));
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
