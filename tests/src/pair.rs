//! Two connected nodes: the checkout's, without a wallet, and the shopper's, with a funded one.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::wait::eventually;
use crate::{Clock, Node, Role, Wallet};

/// Coinbases of 50 bitcoin each for the shopper to spend from.
const FUNDING_BLOCKS: u32 = 10;
/// Until the last of them can be spent. They are nobody's: some nodes take a twentieth of a second to note each block of a wallet's own.
const MATURING_BLOCKS: u32 = 100;

/// The two nodes and the shopper's wallet.
#[derive(Debug)]
pub struct Pair {
    /// The checkout's node.
    pub server: Node,
    /// The shopper's node.
    pub shopper: Node,
    /// The shopper's funded wallet, in their node.
    pub wallet: Wallet,
    /// The time that both follow.
    pub clock: Clock,
}

impl Pair {
    /// Two nodes, connected, with the shopper's wallet funded and both at the same tip.
    ///
    /// # Errors
    /// When a node does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(Role::Server).await
    }

    /// The same, with the checkout's node in another role.
    ///
    /// # Errors
    /// When a node does not start.
    pub async fn start_with(server: Role) -> Result<Self> {
        let clock = Clock::new()?;
        let (server, shopper) = tokio::try_join!(Node::start(server, &clock), Node::start(Role::Shopper, &clock))?;
        let wallet = Wallet::create(shopper.rpc(), "shopper").await?;
        let address = wallet.address().await?;
        shopper
            .rpc()
            .value("generatetoaddress", json!([FUNDING_BLOCKS, address]))
            .await?;
        shopper.mine(MATURING_BLOCKS).await?;
        let pair = Self {
            server,
            shopper,
            wallet,
            clock,
        };
        pair.join().await?;
        Ok(pair)
    }

    /// Cuts the connection: from here on each node has a chain and a mempool of its own.
    ///
    /// # Errors
    /// When a node is away.
    pub async fn part(&self) -> Result<()> {
        for node in [&self.server, &self.shopper] {
            node.rpc().value("setnetworkactive", json!([false])).await?;
        }
        eventually("the nodes to be parted", async || {
            for node in [&self.server, &self.shopper] {
                ensure!(peers(node).await? == 0, "a node has a peer");
            }
            Ok(())
        })
        .await
    }

    /// Connects the nodes (again) and waits until they agree: the chain with more work wins. Transactions that a node learned while
    /// it was alone are not told again.
    ///
    /// # Errors
    /// When they do not agree, as two chains of equal work never do.
    pub async fn join(&self) -> Result<()> {
        for node in [&self.server, &self.shopper] {
            node.keep_time().await?;
            node.rpc().value("setnetworkactive", json!([true])).await?;
        }
        eventually("the nodes to be connected", async || {
            if peers(&self.shopper).await? == 0 {
                let server = self.server.p2p_address();
                self.shopper.rpc().value("addnode", json!([server, "onetry"])).await?;
            }
            for node in [&self.server, &self.shopper] {
                ensure!(handshaken_peers(node).await? > 0, "a node has no peer");
            }
            Ok(())
        })
        .await?;
        self.agree().await
    }

    /// Waits until both nodes have the same tip.
    ///
    /// # Errors
    /// When they do not come to it.
    pub async fn agree(&self) -> Result<()> {
        eventually("both nodes at the same tip", async || {
            let (server, shopper) = tokio::try_join!(self.server.tip(), self.shopper.tip())?;
            ensure!(server == shopper, "{server:?} is not {shopper:?}");
            Ok(())
        })
        .await
    }

    /// Moves the time of the server and of both nodes.
    ///
    /// # Errors
    /// When a node is away.
    pub async fn advance_secs(&self, secs: u64) -> Result<()> {
        self.clock.advance_secs(secs)?;
        self.keep_time().await
    }

    /// Brings both nodes to the test's time, if that was moved: from then on a node's clock stands still between these calls.
    ///
    /// # Errors
    /// When a node is away.
    pub async fn keep_time(&self) -> Result<()> {
        self.server.keep_time().await?;
        self.shopper.keep_time().await
    }

    /// Mines `count` blocks on the shopper's node and waits until the checkout's has them.
    ///
    /// # Errors
    /// When a node is away.
    pub async fn mine(&self, count: u32) -> Result<()> {
        self.shopper.mine(count).await?;
        self.agree().await
    }
}

async fn peers(node: &Node) -> Result<u64> {
    node.rpc().call("getconnectioncount", json!([])).await
}

/// Peers that have finished the handshake, and so will be told of every new transaction and block.
async fn handshaken_peers(node: &Node) -> Result<usize> {
    let peers: Vec<Value> = node.rpc().call("getpeerinfo", json!([])).await?;
    Ok(peers.iter().filter(|peer| peer["version"] != json!(0)).count())
}
