//! A real bitcoind, mostly on regtest, in a folder of its own, on ports of its own.

mod launch;

use anyhow::{Context as _, Result, anyhow, ensure};
use bitcoin::{BlockHash, Transaction, Txid};
use bitpro_charge::Network;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use self::launch::bitcoind;
use self::launch::{Ports, answers, launch, read_log};
use crate::Clock;
use crate::process::Process;
use crate::rpc::Rpc;
use crate::wait::eventually;

/// Another process can take a free port before the node binds it; then others are tried.
const PORT_ATTEMPTS: u32 = 5;

/// What a node is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The checkout's own node: no wallet, REST, and both ZMQ topics.
    Server,
    /// As `Server`, without ZMQ: the checkout has to poll.
    ServerWithoutZmq,
    /// As `Server`, and it deletes old blocks when it is told to.
    PrunedServer,
    /// As `Server`, and it takes no transactions from its peers.
    BlocksOnlyServer,
    /// The shopper's node: with wallets, and a miner of its own.
    Shopper,
}

/// A running (or stopped) node.
#[derive(Debug)]
pub struct Node {
    network: Network,
    role: Role,
    folder: TempDir,
    ports: Ports,
    rpc: Rpc,
    clock: Clock,
    process: Option<Process>,
}

/// The best block of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Tip {
    /// Its height.
    #[serde(rename = "blocks")]
    pub height: u32,
    /// Its hash.
    #[serde(rename = "bestblockhash")]
    pub hash: BlockHash,
}

impl Node {
    /// Starts a node with an empty chain and waits until it answers.
    ///
    /// # Errors
    /// When there is no bitcoind, or it does not start; the error carries the end of its log.
    pub async fn start(role: Role, clock: &Clock) -> Result<Self> {
        Self::start_on(Network::Regtest, role, clock).await
    }

    /// Starts a node of `network`, with nothing but its first block: it connects to nobody.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub async fn start_on(network: Network, role: Role, clock: &Clock) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bitpro-node-").tempdir()?;
        for attempt in 1.. {
            let ports = Ports::free()?;
            let url = format!("http://127.0.0.1:{}", ports.rpc);
            let rpc = Rpc::new(url, folder.path().join(network.as_str()).join(".cookie"));
            let mut process = launch(network, role, (folder.path(), ports), clock, &[])?;
            match answers(&rpc, &mut process, folder.path()).await {
                Ok(()) => {
                    let node = Self {
                        network,
                        role,
                        folder,
                        ports,
                        rpc,
                        clock: clock.clone(),
                        process: Some(process),
                    };
                    node.keep_time().await?;
                    return Ok(node);
                }
                Err(error) if attempt == PORT_ATTEMPTS => return Err(error),
                Err(_) => {}
            }
        }
        unreachable!("the last attempt returns")
    }

    /// The RPC client of the node.
    #[must_use]
    pub const fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Its address for other nodes.
    #[must_use]
    pub fn p2p_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.p2p)
    }

    /// The ports of its ZMQ topics `rawtx` and `sequence`.
    #[must_use]
    pub const fn zmq_ports(&self) -> [u16; 2] {
        [self.ports.rawtx, self.ports.sequence]
    }

    /// What the node and its operating system wrote about it.
    #[must_use]
    pub fn log(&self) -> String {
        read_log(self.folder.path())
    }

    /// Ends the node in order: its mempool is saved.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            self.rpc.value("stop", json!([])).await?;
            process.ended().await?;
        }
        Ok(())
    }

    /// Kills the node at once: its mempool is lost.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Starts it again on the same folder and ports.
    ///
    /// # Errors
    /// When it is running, or does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        self.start_again_with(&[]).await
    }

    /// The same with further options for this run, as `-reindex-chainstate` or `-persistmempool=0`.
    ///
    /// # Errors
    /// As [`Node::start_again`].
    pub async fn start_again_with(&mut self, options: &[&str]) -> Result<()> {
        ensure!(self.process.is_none(), "the node is running already");
        let place = (self.folder.path(), self.ports);
        let mut process = launch(self.network, self.role, place, &self.clock, options)?;
        answers(&self.rpc, &mut process, self.folder.path()).await?;
        self.process = Some(process);
        self.keep_time().await
    }

    /// Ends it in order, throws its saved mempool away, and starts it again.
    ///
    /// # Errors
    /// As [`Node::stop`] and [`Node::start_again`].
    pub async fn restart_with_empty_mempool(&mut self) -> Result<()> {
        self.stop().await?;
        let saved = self.folder.path().join("regtest/mempool.dat");
        tokio::fs::remove_file(&saved)
            .await
            .with_context(|| format!("no mempool was saved at {}", saved.display()))?;
        self.start_again().await
    }

    /// Freezes or thaws the whole process: a node that accepts connections and never answers.
    ///
    /// # Errors
    /// When it is not running.
    pub fn hang(&mut self, hang: bool) -> Result<()> {
        let process = self
            .process
            .as_mut()
            .ok_or_else(|| anyhow!("the node is not running"))?;
        process.signal(if hang { "STOP" } else { "CONT" })
    }

    /// Sets the node's clock to that of the test, if that was moved.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn keep_time(&self) -> Result<()> {
        if let Some(now) = self.clock.mocked_secs() {
            self.rpc.value("setmocktime", json!([now])).await?;
        }
        Ok(())
    }

    /// Its best block.
    ///
    /// # Errors
    /// When the node is away.
    pub async fn tip(&self) -> Result<Tip> {
        self.rpc.call("getblockchaininfo", json!([])).await
    }

    /// Transactions that it knows and that are in no block.
    ///
    /// # Errors
    /// When the node is away.
    pub async fn mempool(&self) -> Result<Vec<Txid>> {
        self.rpc.call("getrawmempool", json!([])).await
    }

    /// Mines `count` blocks with all that the mempool holds.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn mine(&self, count: u32) -> Result<Vec<BlockHash>> {
        self.keep_time().await?;
        self.rpc
            .call("generatetodescriptor", json!([count, self.coinbase_descriptor()]))
            .await
    }

    /// Mines one block with exactly these transactions, known to the mempool or not.
    ///
    /// # Errors
    /// When the node refuses, as it does for transactions that conflict with the chain.
    pub async fn mine_only(&self, transactions: &[Transaction]) -> Result<BlockHash> {
        self.keep_time().await?;
        let raw: Vec<String> = transactions
            .iter()
            .map(bitcoin::consensus::encode::serialize_hex)
            .collect();
        let mined: Value = self
            .rpc
            .call("generateblock", json!([self.coinbase_descriptor(), raw]))
            .await?;
        let hash = mined["hash"].as_str().context("generateblock gave no hash")?;
        Ok(hash.parse()?)
    }

    /// Mines `count` blocks without any transaction.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn mine_empty(&self, count: u32) -> Result<()> {
        for _ in 0..count {
            self.mine_only(&[]).await?;
        }
        Ok(())
    }

    /// Mines one block whose coinbase pays `address`.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn mine_to(&self, address: &str) -> Result<BlockHash> {
        self.keep_time().await?;
        let [hash]: [BlockHash; 1] = self.rpc.call("generatetoaddress", json!([1, address])).await?;
        Ok(hash)
    }

    /// Puts a transaction into the mempool, and tells the peers.
    ///
    /// # Errors
    /// When the node refuses it.
    pub async fn send(&self, transaction: &Transaction) -> Result<Txid> {
        self.keep_time().await?;
        let raw = bitcoin::consensus::encode::serialize_hex(transaction);
        self.rpc.call("sendrawtransaction", json!([raw])).await
    }

    /// Waits until the mempool holds `txid`.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn has_in_mempool(&self, txid: Txid) -> Result<()> {
        eventually(&format!("{txid} in the mempool"), async || {
            let mempool = self.mempool().await?;
            ensure!(mempool.contains(&txid), "the mempool holds {mempool:?}");
            Ok(())
        })
        .await
    }

    /// Waits until the best block is `hash`.
    ///
    /// # Errors
    /// When it does not become so.
    pub async fn has_tip(&self, hash: BlockHash) -> Result<()> {
        eventually(&format!("block {hash} as the tip"), async || {
            let tip = self.tip().await?;
            ensure!(tip.hash == hash, "the tip is {tip:?}");
            Ok(())
        })
        .await
    }

    /// Two nodes that mine in the same second on the same block must not find the same one: their coinbases differ.
    const fn coinbase_descriptor(&self) -> &'static str {
        match self.role {
            // A bare script that anyone can spend: OP_TRUE and OP_2.
            Role::Server | Role::ServerWithoutZmq | Role::PrunedServer | Role::BlocksOnlyServer => "raw(51)",
            Role::Shopper => "raw(52)",
        }
    }
}
