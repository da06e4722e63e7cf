//! Reading blocks: by REST where the node offers it, else as hex; nothing is believed before hash and merkle root fit (R7).

use std::sync::mpsc::sync_channel;

use bitcoin::consensus::encode::deserialize;
use bitcoin::{Block, BlockHash, TxMerkleNode, Txid};
use parking_lot::Mutex;
use serde_json::json;

use super::{Asking, Rpc};
use crate::config::NodeConfig;
use crate::error::NodeError;

/// Blocks that are fetched and checked at the same time: hashing a full block takes as long as the node takes to send it.
const LANES: usize = 2;
/// `RPC_MISC_ERROR`: what `getblock` answers for a pruned block.
const MISC_ERROR: i32 = -1;

/// Reads blocks on connections of its own, so that the next one can come while another is looked through.
pub(crate) struct BlockReader {
    lanes: [Rpc; LANES],
    /// Where REST is, once it is known to be on.
    rest: Mutex<Option<String>>,
}

/// A block whose hash and merkle root were checked.
pub struct CheckedBlock {
    /// Its hash.
    pub hash: BlockHash,
    /// The block.
    pub block: Block,
    /// The ids of its transactions, in their order.
    pub txids: Vec<Txid>,
}

impl BlockReader {
    /// A reader for the configured node, by RPC until REST is known to be on.
    pub(crate) fn new(config: &NodeConfig, asking: &Asking) -> Self {
        Self {
            lanes: std::array::from_fn(|_| Rpc::new(config, asking.clone())),
            rest: Mutex::new(None),
        }
    }

    /// Finds out whether the node was started with `-rest`.
    pub(crate) fn find_rest(&self, config: &NodeConfig) -> bool {
        let base = format!("{}rest", with_slash(config.rpc_url.path()));
        let is_on = self.lanes[0].get(&format!("{base}/chaininfo.json")).is_some();
        *self.rest.lock() = is_on.then_some(base);
        is_on
    }

    /// Hands blocks to `take` in their order, while the next ones are already being fetched and checked.
    ///
    /// # Errors
    /// The first error of a block, [`NodeError::Pruned`] when the node has deleted it; or of `take`.
    pub(crate) fn each<E: From<NodeError>>(
        &self,
        hashes: &[BlockHash],
        mut take: impl FnMut(CheckedBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        if let [hash] = hashes {
            return take(self.checked(&self.lanes[0], *hash)?);
        }
        std::thread::scope(|scope| {
            let lanes: Vec<_> = (self.lanes.iter().enumerate())
                .map(|(lane, rpc)| {
                    let (checked, blocks) = sync_channel(1);
                    scope.spawn(move || {
                        for &hash in hashes.iter().skip(lane).step_by(LANES) {
                            let block = self.checked(rpc, hash);
                            let is_last = block.is_err();
                            if checked.send(block).is_err() || is_last {
                                break;
                            }
                        }
                    });
                    blocks
                })
                .collect();
            for index in 0..hashes.len() {
                let block = lanes[index % LANES].recv();
                take(block.expect("a lane ends early only with an error, which was taken and ended this loop")?)?;
            }
            Ok(())
        })
    }

    fn checked(&self, rpc: &Rpc, hash: BlockHash) -> Result<CheckedBlock, NodeError> {
        CheckedBlock::check(hash, &self.bytes(rpc, hash)?)
    }

    fn bytes(&self, rpc: &Rpc, hash: BlockHash) -> Result<Vec<u8>, NodeError> {
        let rest = self.rest.lock().clone();
        if let Some(bytes) = rest.and_then(|base| rpc.get(&format!("{base}/block/{hash}.bin"))) {
            return Ok(bytes);
        }
        // The RPC also says why REST had nothing.
        let hex: String = rpc.call("getblock", &json!([hash, 0])).map_err(|error| match error {
            NodeError::Refused {
                code: MISC_ERROR,
                message,
            } if message.contains("pruned") => NodeError::Pruned(crate::convert::block_hash(hash)),
            other => other,
        })?;
        hex::decode(hex).map_err(|error| NodeError::Malformed(format!("block {hash}: {error}")))
    }
}

impl CheckedBlock {
    /// Takes `bytes` for the block `hash`, if they are.
    ///
    /// # Errors
    /// [`NodeError::Malformed`] when they are anything else.
    pub(crate) fn check(hash: BlockHash, bytes: &[u8]) -> Result<Self, NodeError> {
        let malformed = |what: &str| NodeError::Malformed(format!("block {hash}: {what}"));
        let block: Block = deserialize(bytes).map_err(|error| malformed(&error.to_string()))?;
        if block.block_hash() != hash {
            return Err(malformed("the bytes are those of another block"));
        }
        let txids: Vec<Txid> = block.txdata.iter().map(bitcoin::Transaction::compute_txid).collect();
        let leaves = txids.iter().map(|txid| txid.to_raw_hash());
        let root = bitcoin::merkle_tree::calculate_root(leaves).map(TxMerkleNode::from_raw_hash);
        if root != Some(block.header.merkle_root) {
            return Err(malformed("the transactions are not those of the header"));
        }
        // The last transactions once more leave the root as it is where their number is odd (CVE-2012-2459).
        let mut sorted = txids.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(malformed("a transaction stands there twice"));
        }
        Ok(Self { hash, block, txids })
    }
}

fn with_slash(url: &str) -> String {
    if url.ends_with('/') {
        url.to_owned()
    } else {
        format!("{url}/")
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::consensus::encode::serialize;
    use bitcoin::constants::genesis_block;
    use bitcoin::{Amount, Network};

    use super::*;

    #[test]
    fn r07_a_block_is_believed_only_by_its_hash_and_merkle_root() {
        let genuine = genesis_block(Network::Regtest);
        let hash = genuine.block_hash();
        let checked = CheckedBlock::check(hash, &serialize(&genuine)).unwrap();
        assert_eq!(checked.txids, [genuine.txdata[0].compute_txid()]);

        let mut forged = genuine.clone();
        forged.txdata[0].output[0].value = Amount::from_sat(1);
        assert!(CheckedBlock::check(hash, &serialize(&forged)).is_err());

        let other = genesis_block(Network::Signet);
        assert!(CheckedBlock::check(hash, &serialize(&other)).is_err());
        assert!(CheckedBlock::check(hash, &serialize(&genuine)[..80]).is_err());
    }

    #[test]
    fn r07_a_block_that_repeats_a_transaction_is_not_believed_though_its_root_fits() {
        let genuine = genesis_block(Network::Regtest);
        let mut twice = genuine.clone();
        twice.txdata.push(genuine.txdata[0].clone());
        let mut thrice = twice.clone();
        thrice.txdata.push(genuine.txdata[0].clone());
        for forged in [&mut twice, &mut thrice] {
            let leaves = forged.txdata.iter().map(|tx| tx.compute_txid().to_raw_hash());
            let root = bitcoin::merkle_tree::calculate_root(leaves).unwrap();
            forged.header.merkle_root = TxMerkleNode::from_raw_hash(root);
            let error = CheckedBlock::check(forged.block_hash(), &serialize(forged)).err();
            assert!(error.is_some_and(|error| error.to_string().contains("twice")));
        }
    }
}
