//! Is the node the right one, and able?

use bitpro_charge::Network;

use super::config::NodeConfig;
use super::convert;
use super::error::NodeError;
use super::rpc::answers::{ChainState, NetworkState};

/// `gettxspendingprevout`, without which a replacement away from us cannot be proven, came with 24.0.
const OLDEST_VERSION: u64 = 240_000;
const OLDEST_NAME: &str = "24.0";

/// The genesis block tells the network; addresses do not.
///
/// # Errors
/// [`NodeError::WrongNetwork`].
pub(super) fn check_identity(genesis: bitcoin::BlockHash, configured: Network) -> Result<(), NodeError> {
    let genesis = convert::block_hash(genesis);
    let expected = convert::genesis(configured);
    if genesis == expected {
        Ok(())
    } else {
        Err(NodeError::WrongNetwork {
            configured,
            expected,
            genesis,
        })
    }
}

/// # Errors
/// [`NodeError::TooOld`].
pub(super) fn check_version(network: &NetworkState) -> Result<(), NodeError> {
    if network.version >= OLDEST_VERSION {
        Ok(())
    } else {
        Err(NodeError::TooOld {
            found: format!("{}.{}", network.version / 10_000, network.version / 100 % 100),
            needed: OLDEST_NAME,
        })
    }
}

/// A private chain is as old as its last block, which makes the node believe that it is far behind: there, only missing blocks count.
pub(super) fn is_syncing(config: &NodeConfig, chain: &ChainState) -> bool {
    let lacks_blocks = chain.headers > i64::from(chain.blocks);
    chain.initial_download && (lacks_blocks || config.network != Network::Regtest)
}
