//! A watcher at work on a node, and what the tests ask of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use bitcoin::hashes::Hash as _;
use bitpro_base::clock::{Clock, SystemClock};
use bitpro_charge::{Loss, Network, Place, Timestamp};
use bitpro_node::view::{PayingTx, View};
use bitpro_node::{Condition, NodeAuth, NodeConfig, NodeStatus, Watching, watch};
use bitpro_tests::{Node, Pair, Wallet, eventually};
use tokio_util::sync::CancellationToken;

use super::port::Memory;

/// The machine's clock, which a test can put forward.
#[derive(Debug, Default)]
pub struct MovedClock {
    clock: SystemClock,
    ahead_millis: AtomicI64,
    slept_millis: AtomicU64,
}

impl MovedClock {
    /// Lets the machine sleep.
    pub fn sleep_secs(&self, secs: u32) {
        self.slept_millis.fetch_add(u64::from(secs) * 1_000, Ordering::Relaxed);
        self.advance_secs(secs.into());
    }

    /// Puts the clock forward.
    pub fn advance_secs(&self, secs: i64) {
        self.ahead_millis.fetch_add(secs * 1_000, Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now().0 + self.ahead_millis.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn with_sleep(&self) -> Duration {
        self.clock.with_sleep() + Duration::from_millis(self.slept_millis.load(Ordering::Relaxed))
    }
}

/// A watcher, its charges, and its clock. The charges outlive it, as a database would.
pub struct Watched {
    pub charges: Arc<Memory>,
    pub clock: Arc<MovedClock>,
    pub config: NodeConfig,
    running: Option<(Watching, CancellationToken)>,
}

/// The configuration for a node of the harness.
pub fn config(node: &Node) -> Result<NodeConfig> {
    let auth = NodeAuth::Cookie(node.rpc().cookie().to_path_buf());
    Ok(NodeConfig {
        poll_interval: Duration::from_millis(200),
        ..NodeConfig::new(node.rpc().url().parse()?, auth, Network::Regtest)
    })
}

impl Watched {
    /// Starts a watcher and waits until it is in step.
    pub async fn start(node: &Node) -> Result<Self> {
        let mut watched = Self::with(config(node)?);
        watched.resume()?;
        watched.is_ready().await?;
        Ok(watched)
    }

    /// One that is not started yet.
    pub fn with(config: NodeConfig) -> Self {
        Self {
            charges: Arc::default(),
            clock: Arc::default(),
            config,
            running: None,
        }
    }

    /// Starts it (again) with the charges that it has.
    pub fn resume(&mut self) -> Result<()> {
        ensure!(self.running.is_none(), "it is running");
        let shutdown = CancellationToken::new();
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let watching = watch(self.config.clone(), Arc::clone(&self.charges), clock, shutdown.clone())?;
        self.running = Some((watching, shutdown));
        Ok(())
    }

    /// Stops it in order.
    pub async fn stop(&mut self) -> Result<()> {
        let (watching, shutdown) = self.running.take().context("it is not running")?;
        shutdown.cancel();
        watching.stopped.await.context("the watcher died")
    }

    /// The node's condition now.
    pub fn status(&self) -> Result<NodeStatus> {
        let (watching, _) = self.running.as_ref().context("it is not running")?;
        ensure!(watching.status.has_changed().is_ok(), "the watcher died");
        Ok(watching.status.borrow().clone())
    }

    /// Waits for a condition of the node.
    pub async fn becomes(&self, what: &str, is_so: impl Fn(&NodeStatus) -> bool) -> Result<NodeStatus> {
        eventually(what, async || {
            let status = self.status()?;
            ensure!(is_so(&status), "the status is {status:?}");
            Ok(status)
        })
        .await
    }

    /// Waits until it is in step with the chain.
    pub async fn is_ready(&self) -> Result<()> {
        self.becomes("the watcher in step", |status| status.condition == Condition::Ready)
            .await?;
        Ok(())
    }

    /// A watcher at the pair's server, and a payment of the pair's wallet that it has seen.
    pub async fn paid(pair: &Pair) -> Result<(Self, bitcoin::Txid)> {
        let watched = Self::start(&pair.server).await?;
        let address = watched.address(&pair.wallet).await?;
        let txid = pair.wallet.pay(&address, 250_000).await?;
        watched.sees(txid).await?;
        Ok((watched, txid))
    }

    /// Gives out an address of the wallet.
    pub async fn address(&self, wallet: &Wallet) -> Result<String> {
        let address = wallet.address().await?;
        self.charges.watch(script_of(&address)?.as_bytes());
        Ok(address)
    }

    /// Waits until a transaction is known to be in the mempool, and gives the report.
    pub async fn sees(&self, txid: bitcoin::Txid) -> Result<PayingTx> {
        self.finds(txid, Ok(None)).await
    }

    /// Waits until a transaction is known to be in a block, and gives the report.
    pub async fn sees_mined(&self, txid: bitcoin::Txid, block: bitcoin::BlockHash) -> Result<PayingTx> {
        self.finds(txid, Ok(Some(block))).await
    }

    /// Waits until a transaction is known to be lost.
    pub async fn loses(&self, txid: bitcoin::Txid, loss: Loss) -> Result<PayingTx> {
        self.finds(txid, Err(loss)).await
    }

    async fn finds(&self, txid: bitcoin::Txid, expected: Result<Option<bitcoin::BlockHash>, Loss>) -> Result<PayingTx> {
        let id = id(txid);
        eventually(&format!("{txid} known as {expected:?}"), async || {
            let (found, tx) = self.charges.read(|kept| {
                let tx = kept.txs.get(&id).map(|(tx, _)| tx.clone());
                (kept.whereabouts(id), tx)
            });
            let block = |place| match place {
                Place::Mempool => None,
                Place::Block(block) => Some(bitcoin::BlockHash::from_byte_array(block.hash.0)),
            };
            ensure!(
                found.map(|found| found.map(block)) == Some(expected),
                "it is {found:?}; {:?}",
                self.status()?
            );
            tx.ok_or_else(|| anyhow!("{txid} is not kept"))
        })
        .await
    }

    /// Waits until the charges stand on the node's tip.
    pub async fn is_in_step_with(&self, node: &Node) -> Result<()> {
        let tip = node.tip().await?;
        self.stands_on(tip.hash).await
    }

    /// Waits until the charges stand on a block.
    pub async fn stands_on(&self, hash: bitcoin::BlockHash) -> Result<()> {
        eventually(&format!("the charges on {hash}"), async || {
            let stored = self.charges.read(|kept| kept.tip).context("no tip")?;
            ensure!(
                stored.block.hash.0 == hash.to_byte_array(),
                "{stored:?}; {:?}",
                self.status()?
            );
            Ok(())
        })
        .await
    }

    /// Waits until everything is known up to now.
    pub async fn knows_everything(&self) -> Result<()> {
        let now = self.clock.now();
        self.charges.change(|kept| kept.deadline = Some(now));
        eventually("everything observed", async || {
            let until = self.charges.read(|kept| kept.observed_until);
            ensure!(until >= Some(now), "{until:?} is before {now:?}; {:?}", self.status()?);
            Ok(())
        })
        .await
    }

    /// The views so far, those that only move the time left out.
    pub fn views(&self) -> Vec<View> {
        let says_something =
            |view: &&View| !view.transactions.is_empty() || !view.gone.is_empty() || !view.connected.is_empty();
        self.charges
            .read(|kept| kept.views.iter().filter(says_something).cloned().collect())
    }

    /// Whether nothing was ever reported lost.
    pub fn has_lost_nothing(&self) -> bool {
        self.charges
            .read(|kept| kept.views.iter().all(|view| view.gone.is_empty()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some((_, shutdown)) = &self.running {
            shutdown.cancel();
        }
    }
}

/// The same id in the domain's type.
pub fn id(txid: bitcoin::Txid) -> bitpro_charge::Txid {
    bitpro_charge::Txid(txid.to_byte_array())
}

/// The script of an address.
pub fn script_of(address: &str) -> Result<bitcoin::ScriptBuf> {
    let address: bitcoin::Address<_> = address.parse()?;
    Ok(address.require_network(bitcoin::Network::Regtest)?.script_pubkey())
}
