//! Between the domain's identifiers and those of the `bitcoin` crate: the same bytes in the same order.

use bitcoin::hashes::Hash as _;
use bitpro_charge::{BlockHash, Network, Outpoint, Txid};

pub(super) fn txid(id: bitcoin::Txid) -> Txid {
    Txid(id.to_byte_array())
}

pub(super) fn block_hash(hash: bitcoin::BlockHash) -> BlockHash {
    BlockHash(hash.to_byte_array())
}

pub(super) fn to_node_tx(id: Txid) -> bitcoin::Txid {
    bitcoin::Txid::from_byte_array(id.0)
}

pub(super) fn to_node_block(hash: BlockHash) -> bitcoin::BlockHash {
    bitcoin::BlockHash::from_byte_array(hash.0)
}

pub(super) fn outpoint(outpoint: bitcoin::OutPoint) -> Outpoint {
    Outpoint {
        txid: txid(outpoint.txid),
        vout: outpoint.vout,
    }
}

/// The outpoints that a transaction spends; a coinbase spends none.
pub(super) fn inputs(tx: &bitcoin::Transaction) -> Vec<Outpoint> {
    if tx.is_coinbase() {
        return Vec::new();
    }
    tx.input.iter().map(|input| outpoint(input.previous_output)).collect()
}

/// The hash of the network's first block: the only thing that tells testnet4 from signet (their addresses look the same).
pub(super) fn genesis(network: Network) -> BlockHash {
    let network = match network {
        Network::Mainnet => bitcoin::Network::Bitcoin,
        Network::Testnet4 => bitcoin::Network::Testnet4,
        Network::Signet => bitcoin::Network::Signet,
        Network::Regtest => bitcoin::Network::Regtest,
    };
    block_hash(bitcoin::constants::genesis_block(network).block_hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_genesis_blocks_are_those_of_the_networks() {
        for (network, hash) in [
            (
                Network::Mainnet,
                "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
            ),
            (
                Network::Testnet4,
                "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
            ),
            (
                Network::Signet,
                "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
            ),
            (
                Network::Regtest,
                "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
            ),
        ] {
            assert_eq!(genesis(network).to_string(), hash, "{network}");
        }
    }
}
