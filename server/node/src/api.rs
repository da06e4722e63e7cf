//! What the watcher asks of a node, and how the real one answers. A simulated node answers the same questions in the tests.

use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::{BlockHash, Transaction};
use bitpro_charge::{Outpoint, Txid};
use tokio::runtime::{Handle, Runtime};
use tokio_util::sync::CancellationToken;

pub use super::rpc::answers::{
    ChainState, Header, MempoolEntry, MempoolSnapshot, MempoolState, NetworkState, Notification, Peer, Unspent,
    UtxoScan,
};
pub use super::rpc::{CheckedBlock, PoolTx};
pub use super::zmq::{Listener, Shortening, Topic, Wake};

use super::config::NodeConfig;
use super::error::NodeError;
use super::rpc::{Asking, BlockReader, Pulse, Rpc};

/// A scan reads the whole UTXO set: minutes on a good disk, and never the reason for a time-out.
const SCAN_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// The node, as the watcher sees it. Each call may fail with a [`NodeError`], and may block.
#[expect(
    clippy::missing_errors_doc,
    reason = "all of them fail for the same reasons, named above"
)]
pub trait NodeApi: Send + Sync + 'static {
    /// Where chain and mempool stand, in one round trip.
    fn state(&self) -> Result<(ChainState, MempoolState), NodeError>;

    /// Where the chain stands.
    fn chain_state(&self) -> Result<ChainState, NodeError>;

    /// What the node is, and whether it has peers.
    fn network_state(&self) -> Result<NetworkState, NodeError>;

    /// Who is connected with the node.
    fn peers(&self) -> Result<Vec<Peer>, NodeError>;

    /// The best block.
    fn best(&self) -> Result<BlockHash, NodeError>;

    /// The block of the best chain at `height`; a height above the tip is refused.
    fn hash_at(&self, height: u32) -> Result<BlockHash, NodeError>;

    /// The blocks of the best chain at these heights.
    fn hashes_at(&self, heights: RangeInclusive<u32>) -> Result<Vec<BlockHash>, NodeError>;

    /// A header; `None` when the node has never seen that block.
    fn header(&self, hash: BlockHash) -> Result<Option<Header>, NodeError>;

    /// Hands blocks to `take` in their order: the first error of a block, [`NodeError::Pruned`] when the node has deleted it, or of
    /// `take` ends it.
    fn each_block<E: From<NodeError>>(
        &self,
        hashes: &[BlockHash],
        take: impl FnMut(CheckedBlock) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Finds out whether the node was started with `-rest`.
    fn find_rest(&self) -> bool;

    /// What is in the mempool, and the number of its next change.
    fn mempool(&self) -> Result<MempoolSnapshot, NodeError>;

    /// Transactions of the mempool; `None` for what is not there.
    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Option<Transaction>>, NodeError>;

    /// Transactions of the mempool with what the mempool knows of them; `None` for what is not there.
    fn pool_txs(&self, txids: &[Txid]) -> Result<Vec<Option<PoolTx>>, NodeError>;

    /// The unconfirmed ancestors of a transaction of the mempool; empty when it is not there.
    fn ancestors(&self, txid: Txid) -> Result<Vec<Txid>, NodeError>;

    /// For each list of outpoints, who spends them in the mempool.
    fn spenders(&self, outpoints: &[Vec<Outpoint>]) -> Result<Vec<Vec<Txid>>, NodeError>;

    /// Sends a transaction (again), whatever its fee: it is not ours to judge.
    fn send(&self, raw: &[u8]) -> Result<bitcoin::Txid, NodeError>;

    /// Where the node publishes its notifications; a node that was built without ZMQ does not know the call.
    fn notifications(&self) -> Result<Vec<Notification>, NodeError>;

    /// The node's clock, in milliseconds since the Unix epoch.
    fn clock_millis(&self) -> Result<i64, NodeError>;

    /// Looks through the whole UTXO set for what descriptors describe: `(descriptor, highest index)`. Takes minutes; a second scan
    /// at the same time is refused.
    fn scan(&self, ranges: &[(String, u32)]) -> Result<UtxoScan, NodeError>;

    /// Starts to listen to a topic, until the listener's token is cancelled.
    fn listen(&self, listener: Listener);

    /// Does something long beside the watcher's own work.
    fn aside(&self, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()>;
}

/// A Bitcoin Core, asked by RPC, REST and ZMQ.
pub struct RealNode {
    config: NodeConfig,
    rpc: Rpc,
    blocks: BlockReader,
    stop: CancellationToken,
    runtime: Handle,
}

impl RealNode {
    /// The configured node. Nothing is sent yet; notifications are listened to on `runtime`.
    #[must_use]
    pub fn new(config: &NodeConfig, runtime: Handle) -> Self {
        Self::asked_by(config, runtime, Asking::alone())
    }

    /// The same, asked in this way.
    pub(super) fn asked_by(config: &NodeConfig, runtime: Handle, asking: Asking) -> Self {
        Self {
            config: config.clone(),
            blocks: BlockReader::new(config, &asking),
            stop: asking.stop.clone(),
            rpc: Rpc::new(config, asking),
            runtime,
        }
    }
}

impl NodeApi for RealNode {
    fn state(&self) -> Result<(ChainState, MempoolState), NodeError> {
        self.rpc.state()
    }

    fn chain_state(&self) -> Result<ChainState, NodeError> {
        self.rpc.chain_state()
    }

    fn network_state(&self) -> Result<NetworkState, NodeError> {
        self.rpc.network_state()
    }

    fn peers(&self) -> Result<Vec<Peer>, NodeError> {
        self.rpc.peers()
    }

    fn best(&self) -> Result<BlockHash, NodeError> {
        self.rpc.best()
    }

    fn hash_at(&self, height: u32) -> Result<BlockHash, NodeError> {
        self.rpc.hash_at(height)
    }

    fn hashes_at(&self, heights: RangeInclusive<u32>) -> Result<Vec<BlockHash>, NodeError> {
        self.rpc.hashes_at(heights)
    }

    fn header(&self, hash: BlockHash) -> Result<Option<Header>, NodeError> {
        self.rpc.header(hash)
    }

    fn each_block<E: From<NodeError>>(
        &self,
        hashes: &[BlockHash],
        take: impl FnMut(CheckedBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        self.blocks.each(hashes, take)
    }

    fn find_rest(&self) -> bool {
        self.blocks.find_rest(&self.config)
    }

    fn mempool(&self) -> Result<MempoolSnapshot, NodeError> {
        self.rpc.mempool()
    }

    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Option<Transaction>>, NodeError> {
        self.rpc.transactions(txids)
    }

    fn pool_txs(&self, txids: &[Txid]) -> Result<Vec<Option<PoolTx>>, NodeError> {
        self.rpc.pool_txs(txids)
    }

    fn ancestors(&self, txid: Txid) -> Result<Vec<Txid>, NodeError> {
        self.rpc.ancestors(txid)
    }

    fn spenders(&self, outpoints: &[Vec<Outpoint>]) -> Result<Vec<Vec<Txid>>, NodeError> {
        self.rpc.spenders(outpoints)
    }

    fn send(&self, raw: &[u8]) -> Result<bitcoin::Txid, NodeError> {
        self.rpc.send(raw)
    }

    fn notifications(&self) -> Result<Vec<Notification>, NodeError> {
        self.rpc.notifications()
    }

    fn clock_millis(&self) -> Result<i64, NodeError> {
        self.rpc.clock_millis()
    }

    fn scan(&self, ranges: &[(String, u32)]) -> Result<UtxoScan, NodeError> {
        // On a connection of its own, which waits for as long as a scan takes.
        let asking = Asking {
            patience: SCAN_TIMEOUT,
            stop: self.stop.clone(),
            pulse: Pulse::default(),
        };
        Rpc::new(&self.config, asking).scan(ranges)
    }

    fn listen(&self, listener: Listener) {
        self.runtime.spawn(listener.run());
    }

    fn aside(&self, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
        // Not one of the runtime's threads: those are waited for at the end of the process.
        std::thread::Builder::new()
            .name("utxo-scan".to_owned())
            .spawn(work)
            .map(drop)
    }
}

/// How a thread that works without Tokio waits for what runs on it.
#[derive(Clone)]
pub enum Waiter {
    /// Other threads run it.
    Others(Handle),
    /// The waiting thread runs it meanwhile: all happens in one thread, in an order that does not change.
    Itself(Arc<Runtime>),
}

impl Waiter {
    /// Waits for `future`.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self {
            Self::Others(runtime) => runtime.block_on(future),
            Self::Itself(runtime) => runtime.block_on(future),
        }
    }
}
