//! Nodes as tests of others want them.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use bitpro_charge::{BlockHash, BlockRef, Network};

use crate::{Condition, Hold, HoldReason, NodeAuth, NodeConfig};

/// A node whose chain leaves the stored one deeper than it may (R6).
#[must_use]
pub fn held() -> Condition {
    let at = |height, byte| BlockRef {
        height,
        hash: BlockHash([byte; 32]),
    };
    Condition::Held(Hold {
        stored: at(100, 1),
        node: at(101, 2),
        reason: HoldReason::DeepReorg { depth: 3, limit: 2 },
    })
}

/// A node that is not there.
pub fn nowhere() -> NodeConfig {
    let auth = NodeAuth::Password {
        user: "nobody".to_owned(),
        password: String::new(),
    };
    NodeConfig::new("http://127.0.0.1:1".parse().unwrap(), auth, Network::Regtest)
}
