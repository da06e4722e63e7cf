//! A look into the UTXO set that takes its time: what comes meanwhile is not overlooked (R27).

use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bitcoin::{BlockHash, Transaction};
use bitpro_charge::{Outpoint, Place, Txid};
use bitpro_node::api::{
    ChainState, CheckedBlock, Header, Listener, MempoolSnapshot, MempoolState, NetworkState, NodeApi, Notification,
    Peer, PoolTx, RealNode, UtxoScan, Waiter,
};
use bitpro_node::{Condition, IssuedRange, NodeError, ScanRequest, Stepped};
use bitpro_tests::Pair;
use parking_lot::Mutex;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::port::Memory;
use super::watched::{MovedClock, config, id, script_of};

/// The real node, whose scans are told later than they were made.
struct SlowScan {
    node: RealNode,
    found: Mutex<Option<UtxoScan>>,
    work: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl SlowScan {
    /// Looks into the UTXO set as it is now, for what is told later.
    fn look(&self, ranges: &[(String, u32)]) -> Result<(), NodeError> {
        *self.found.lock() = Some(self.node.scan(ranges)?);
        Ok(())
    }

    fn tell(&self) -> Result<()> {
        let work = self.work.lock().take().context("no scan was begun")?;
        work();
        Ok(())
    }
}

macro_rules! as_the_node_says {
    ($($name:ident($($argument:ident: $what:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($argument: $what),*) -> Result<$answer, NodeError> {
            self.node.$name($($argument),*)
        })*
    };
}

impl NodeApi for SlowScan {
    as_the_node_says! {
        state() -> (ChainState, MempoolState);
        chain_state() -> ChainState;
        network_state() -> NetworkState;
        peers() -> Vec<Peer>;
        best() -> BlockHash;
        hash_at(height: u32) -> BlockHash;
        hashes_at(heights: RangeInclusive<u32>) -> Vec<BlockHash>;
        header(hash: BlockHash) -> Option<Header>;
        mempool() -> MempoolSnapshot;
        transactions(txids: &[Txid]) -> Vec<Option<Transaction>>;
        pool_txs(txids: &[Txid]) -> Vec<Option<PoolTx>>;
        ancestors(txid: Txid) -> Vec<Txid>;
        spenders(outpoints: &[Vec<Outpoint>]) -> Vec<Vec<Txid>>;
        send(raw: &[u8]) -> bitcoin::Txid;
        notifications() -> Vec<Notification>;
        clock_millis() -> i64;
    }

    fn each_block<E: From<NodeError>>(
        &self,
        hashes: &[BlockHash],
        take: impl FnMut(CheckedBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        self.node.each_block(hashes, take)
    }

    fn find_rest(&self) -> bool {
        self.node.find_rest()
    }

    fn scan(&self, ranges: &[(String, u32)]) -> Result<UtxoScan, NodeError> {
        match self.found.lock().take() {
            Some(found) => Ok(found),
            None => self.node.scan(ranges),
        }
    }

    fn listen(&self, listener: Listener) {
        self.node.listen(listener);
    }

    fn aside(&self, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        *self.work.lock() = Some(work);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r27_a_block_that_comes_between_a_scan_and_the_watching_of_what_it_found_is_read_again() -> Result<()> {
    let pair = Pair::start().await?;
    let descriptor = pair.wallet.descriptor("wpkh(").await?;
    let addresses: Vec<String> = pair
        .wallet
        .rpc()
        .call("deriveaddresses", json!([descriptor, [0, 9]]))
        .await?;
    let charges = Arc::new(Memory::default());
    let config = config(&pair.server)?;
    let node = Arc::new(SlowScan {
        node: RealNode::new(&config, Handle::current()),
        found: Mutex::default(),
        work: Mutex::default(),
    });
    let mut watcher = Stepped::new(
        config,
        Arc::clone(&charges),
        Arc::clone(&node),
        Arc::new(MovedClock::default()),
        Waiter::Others(Handle::current()),
    );
    watcher = poll(watcher).await?;
    ensure!(watcher.status().condition == Condition::Ready, "{:?}", watcher.status());

    charges.want(vec![ScanRequest {
        id: 4,
        range: IssuedRange {
            descriptor: descriptor.clone(),
            highest: 9,
        },
    }]);
    let scripts = addresses.iter().map(|address| Ok(script_of(address)?.to_bytes()));
    let scripts = scripts.collect::<Result<Vec<_>>>()?;
    charges.change(|kept| kept.ahead.insert(4, scripts));
    watcher = poll(watcher).await?;
    let looking = Arc::clone(&node);
    spawn_blocking(move || looking.look(&[(descriptor, 9)])).await??;

    // Paid and mined, and the block is read, before the watcher hears of what the scan has found: nothing.
    let txid = pair.wallet.pay(&addresses[3], 84_000).await?;
    pair.server.has_in_mempool(txid).await?;
    let block = pair.server.mine(1).await?[0];
    watcher = poll(watcher).await?;
    let stands_on = charges.read(|kept| kept.tip).context("no tip")?.block;
    ensure!(stands_on.hash.0 == *AsRef::<[u8; 32]>::as_ref(&block), "{stands_on:?}");
    ensure!(charges.read(|kept| kept.whereabouts(id(txid))).is_none());

    node.tell()?;
    watcher = poll(watcher).await?;
    let (wanted, found, known) = charges.read(|kept| {
        let found = kept.whereabouts(id(txid));
        (kept.wanted.len(), found, kept.known_at_opening.contains(&id(txid)))
    });
    ensure!(wanted == 0, "{:?}", watcher.status());
    ensure!(found == Some(Ok(Place::Block(stands_on))), "{found:?}");
    ensure!(known, "addresses were given out before the block was read again");
    Ok(())
}

/// The watcher's step, on a thread that may wait.
async fn poll(mut watcher: Stepped<Memory, SlowScan>) -> Result<Stepped<Memory, SlowScan>> {
    Ok(spawn_blocking(move || {
        watcher.poll();
        watcher
    })
    .await?)
}
