//! The network as it truly is, our node in it, and what our node publishes.

use std::collections::HashSet;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::hashes::Hash as _;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
};
use bitpro_charge::Txid;
use bitpro_node::api::{Listener, Topic, Wake};

use super::peer::{NetBlock, News, Peer, Registry, Tid};

/// What the node's notifications are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zmq {
    On,
    /// The connection stands, and nothing comes.
    Silent,
    Off,
}

/// What happens while the node is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambush {
    Block,
    /// The last block is replaced by two.
    Reorg,
    /// A held-back transaction is broadcast.
    Publish(Tid),
    /// The connection breaks.
    Failure,
}

/// The network.
pub struct Net {
    /// What there is.
    pub registry: Registry,
    /// The network at large.
    pub far: Peer,
    /// Our node.
    pub near: Peer,
    /// Blocks that our node has ever had.
    pub near_knows: HashSet<usize>,
    /// True time, in milliseconds.
    pub now: i64,
    /// Our node's clock is so far ahead of the truth, in milliseconds.
    pub ahead: i64,
    /// Our node runs.
    pub is_up: bool,
    /// It is reading the mempool that it saved.
    pub is_loading: bool,
    /// It has peers.
    pub has_peers: bool,
    /// Since when, in seconds of its clock.
    pub peers_since: i64,
    /// Its notifications.
    pub zmq: Zmq,
    /// The lowest block that it keeps.
    pub kept_from: u32,
    /// Who listens.
    pub listeners: Vec<Listener>,
    /// After so many calls, something happens.
    pub ambush: Option<(u32, Ambush)>,
    /// Calls so far.
    pub calls: u64,
    made: u64,
}

impl Net {
    /// A network whose blocks begin at `genesis`, with some blocks on it.
    #[must_use]
    pub fn new(genesis: Block, now: i64) -> Self {
        let mut net = Self {
            registry: Registry::default(),
            far: Peer::default(),
            near: Peer::default(),
            near_knows: HashSet::new(),
            now,
            ahead: 0,
            is_up: true,
            is_loading: false,
            has_peers: true,
            peers_since: 0,
            zmq: Zmq::On,
            kept_from: 0,
            listeners: Vec::new(),
            ambush: None,
            calls: 0,
            made: 0,
        };
        let hash = genesis.block_hash();
        let first = net.registry.add_block(NetBlock {
            block: genesis,
            hash,
            tids: Vec::new(),
            height: 0,
            work: 1,
            parent: 0,
        });
        net.far.activate(&net.registry, first, 0);
        net.near.activate(&net.registry, first, 0);
        net.near_knows.insert(first);
        for n in 0..24 {
            let at = now - (24 - n) * 600_000;
            let tip = net.far.tip();
            let block = net.make_block(tip, &[], None, at / 1_000, 1);
            net.take_block(block);
        }
        net
    }

    /// A coin of somebody's that was always there.
    pub fn coin(&mut self) -> OutPoint {
        self.made += 1;
        let mut id = [0xc0; 32];
        id[..8].copy_from_slice(&self.made.to_le_bytes());
        OutPoint::new(bitcoin::Txid::from_byte_array(id), 0)
    }

    /// Makes a transaction; nobody else knows of it yet.
    pub fn make_tx(&mut self, inputs: &[OutPoint], outputs: Vec<(ScriptBuf, u64)>, fee: u64) -> Tid {
        self.made += 1;
        let input = inputs.iter().map(|&previous_output| TxIn {
            previous_output,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        });
        let outputs = outputs.into_iter().map(|(script_pubkey, value)| TxOut {
            value: Amount::from_sat(value),
            script_pubkey,
        });
        let tx = Transaction {
            version: Version::TWO,
            // Tells transactions apart that are the same otherwise.
            lock_time: LockTime::from_consensus(u32::try_from(self.made % 400_000_000).expect("below a billion")),
            input: input.collect(),
            output: outputs.collect(),
        };
        self.registry.add_tx(tx, fee, None)
    }

    /// A script of nobody who matters.
    pub fn elsewhere(&mut self) -> ScriptBuf {
        self.made += 1;
        let mut bytes = vec![0x00, 0x14];
        bytes.extend_from_slice(&[0xee; 12]);
        bytes.extend_from_slice(&self.made.to_le_bytes());
        ScriptBuf::from_bytes(bytes)
    }

    /// Sends a transaction into the network; whether it was taken.
    pub fn broadcast(&mut self, tid: Tid) -> bool {
        let secs = self.now / 1_000;
        if self.far.accept(&self.registry, tid, secs).is_err() {
            return false;
        }
        let now = self.now;
        self.registry.txs[tid].born.get_or_insert(now);
        self.propagate();
        true
    }

    /// Makes a block on another.
    pub fn make_block(
        &mut self,
        parent: usize,
        tids: &[Tid],
        coinbase: Option<(ScriptBuf, u64)>,
        secs: i64,
        work: u64,
    ) -> usize {
        self.made += 1;
        let height = self.registry.blocks[parent].height + 1;
        let (script, value) = coinbase.unwrap_or_else(|| (ScriptBuf::new(), 0));
        let mut mark = vec![8];
        mark.extend_from_slice(&self.made.to_le_bytes());
        let reward = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig: ScriptBuf::from_bytes(mark),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: vec![TxOut {
                value: Amount::from_sat(value),
                script_pubkey: script,
            }],
        };
        let now = self.now;
        let mut all = vec![self.registry.add_tx(reward, 0, Some(now))];
        all.extend_from_slice(tids);
        for &tid in tids {
            self.registry.txs[tid].born.get_or_insert(now);
        }
        let header = Header {
            version: BlockVersion::TWO,
            prev_blockhash: self.registry.blocks[parent].hash,
            merkle_root: TxMerkleNode::from_byte_array([7; 32]),
            time: u32::try_from(secs.max(0)).unwrap_or(u32::MAX),
            bits: CompactTarget::from_consensus(0),
            nonce: u32::try_from(self.made % 4_000_000_000).expect("below 32 bits"),
        };
        let txdata = all
            .iter()
            .map(|&tid| Transaction::clone(&self.registry.txs[tid].tx))
            .collect();
        let block = Block { header, txdata };
        let hash = block.block_hash();
        self.registry.add_block(NetBlock {
            block,
            hash,
            tids: all,
            height,
            work: self.registry.blocks[parent].work + work,
            parent,
        })
    }

    /// A block is known to the network.
    pub fn take_block(&mut self, block: usize) {
        let secs = self.now / 1_000;
        self.far.activate(&self.registry, block, secs);
        self.propagate();
    }

    /// Of the network's mempool, what a block on its tip may hold: the dearest first, parents before children.
    #[must_use]
    pub fn candidates(&self) -> Vec<Tid> {
        self.far.pool.keys().copied().collect()
    }

    /// Our node hears of everything, if it can.
    pub fn propagate(&mut self) {
        if self.is_up && self.has_peers && !self.is_loading {
            let secs = (self.now + self.ahead).div_euclid(1_000);
            let tip = self.far.tip();
            self.near.activate(&self.registry, tip, secs);
            for &block in self.near.active.iter().rev() {
                if !self.near_knows.insert(block) {
                    break;
                }
            }
            let pool: Vec<Tid> = self.far.pool.keys().copied().collect();
            for tid in pool {
                // What it does not want it does not take.
                let _ = self.near.accept(&self.registry, tid, secs);
            }
        }
        self.publish();
    }

    /// Tells the listeners what has happened at our node.
    pub fn publish(&mut self) {
        let news = std::mem::take(&mut self.near.news);
        self.listeners.retain(|listener| !listener.stop.is_cancelled());
        if self.zmq != Zmq::On || !self.is_up {
            return;
        }
        for listener in &self.listeners {
            for &one in &news {
                let wake = match (listener.topic, one) {
                    (Topic::RawTx, News::Tx(tid)) => listener.came_by(&self.registry.txs[tid].tx),
                    (Topic::Sequence, News::Added(tid, sequence)) => Wake::Added {
                        txid: txid(self.registry.txs[tid].id),
                        sequence,
                    },
                    (Topic::Sequence, News::Removed(tid, sequence)) => Wake::Removed {
                        txid: txid(self.registry.txs[tid].id),
                        sequence,
                    },
                    (Topic::Sequence, News::Chain) => Wake::Chain,
                    _ => continue,
                };
                // A full inbox loses messages, as a full socket does.
                let _ = listener.wakes.try_send(wake);
            }
        }
    }

    /// Says to all listeners that their connection came up or broke.
    pub fn tell_all(&mut self, wake: impl Fn(Topic) -> Wake) {
        self.listeners.retain(|listener| !listener.stop.is_cancelled());
        for listener in &self.listeners {
            let _ = listener.wakes.try_send(wake(listener.topic));
        }
    }

    /// Our node stops; what it had in its mempool may be lost.
    pub fn stop_node(&mut self, keeps_pool: bool) {
        self.is_up = false;
        self.is_loading = false;
        self.tell_all(Wake::Down);
        if !keeps_pool {
            let pool: Vec<Tid> = self.near.pool.keys().copied().collect();
            for tid in pool {
                self.near.remove(&self.registry, tid, false);
            }
        }
        self.near.news.clear();
    }

    /// Our node starts; it may be loading for a while.
    pub fn start_node(&mut self, loading: bool) {
        let secs = (self.now + self.ahead).div_euclid(1_000);
        if !self.is_up {
            self.peers_since = secs;
        }
        self.is_up = true;
        self.is_loading = loading;
        for entry in self.near.pool.values_mut() {
            // A start keeps the times of the mempool that was saved; one that had to be read from peers again does not.
            entry.secs = entry.secs.min(secs);
        }
        self.near.news.clear();
        if self.zmq == Zmq::On {
            self.tell_all(Wake::Up);
        }
        self.propagate();
    }
}

/// An id in the domain's words.
#[must_use]
pub fn txid(id: bitcoin::Txid) -> Txid {
    Txid(id.to_byte_array())
}
