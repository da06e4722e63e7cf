//! Our node, as the watcher asks it.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash as _;
use bitcoin::{BlockHash, OutPoint, Transaction};
use bitpro_charge::{Outpoint, Txid};
use bitpro_node::NodeError;
use bitpro_node::api::{
    ChainState, CheckedBlock, Header, Listener, MempoolEntry, MempoolSnapshot, MempoolState, NetworkState, NodeApi,
    Notification, Peer, PoolTx, Unspent, UtxoScan, Wake,
};

use super::net::{Ambush, Net, Zmq, txid};
use super::peer::{Refusal, Tid};
use super::wallets;

/// The network, shared by all who act in it.
#[derive(Clone)]
pub struct SimNode(pub Arc<Mutex<Net>>);

impl SimNode {
    /// The network.
    pub fn net(&self) -> MutexGuard<'_, Net> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network, for a call to our node: it may be away, and things happen meanwhile.
    fn call(&self) -> Result<MutexGuard<'_, Net>, NodeError> {
        let mut net = self.net();
        net.calls += 1;
        match &mut net.ambush {
            Some((0, _)) => {
                let (_, ambush) = net.ambush.take().expect("it was just there");
                spring(&mut net, ambush)?;
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        if net.is_up {
            Ok(net)
        } else {
            Err(NodeError::Unreachable("the node is not running".to_owned()))
        }
    }
}

fn spring(net: &mut Net, ambush: Ambush) -> Result<(), NodeError> {
    let secs = net.now / 1_000;
    match ambush {
        Ambush::Failure => return Err(NodeError::Unreachable("the connection broke".to_owned())),
        Ambush::Block => {
            let (tip, tids) = (net.far.tip(), net.candidates());
            let block = net.make_block(tip, &tids, None, secs, 1);
            net.take_block(block);
        }
        Ambush::Reorg => {
            let tip = net.far.tip();
            let parent = net.registry.blocks[tip].parent;
            let first = net.make_block(parent, &[], None, secs, 1);
            let second = net.make_block(first, &[], None, secs, 1);
            net.take_block(second);
        }
        Ambush::Publish(tid) => {
            net.broadcast(tid);
        }
    }
    Ok(())
}

fn refused(code: i32, message: &str) -> NodeError {
    NodeError::Refused {
        code,
        message: message.to_owned(),
    }
}

fn chain_state(net: &Net) -> ChainState {
    let tip = &net.registry.blocks[net.near.tip()];
    ChainState {
        blocks: tip.height,
        headers: i64::from(tip.height),
        best: tip.hash,
        chainwork: format!("{:064x}", tip.work),
        time: i64::from(tip.block.header.time),
        initial_download: false,
        pruned: net.kept_from > 0,
        prune_height: (net.kept_from > 0).then_some(net.kept_from),
    }
}

fn mempool_state(net: &Net) -> MempoolState {
    let txs = || net.near.pool.keys().map(|&tid| &net.registry.txs[tid]);
    let bytes: usize = txs().map(|tx| tx.tx.vsize()).sum();
    let fees: u64 = txs().map(|tx| tx.fee).sum();
    MempoolState {
        loaded: !net.is_loading,
        size: net.near.pool.len(),
        bytes: u64::try_from(bytes).expect("a small mempool"),
        total_fee: fees.into(),
    }
}

fn in_pool(net: &Net, id: Txid) -> Option<Tid> {
    let tid = *net.registry.by_id.get(&bitcoin::Txid::from_byte_array(id.0))?;
    net.near.pool.contains_key(&tid).then_some(tid)
}

fn hash_at(net: &Net, height: u32) -> Result<BlockHash, NodeError> {
    let at = usize::try_from(height).expect("heights are small");
    let block = net
        .near
        .active
        .get(at)
        .ok_or_else(|| refused(-8, "Block height out of range"))?;
    Ok(net.registry.blocks[*block].hash)
}

fn median_time(net: &Net, block: usize) -> i64 {
    let mut times = Vec::new();
    let mut at = block;
    for _ in 0..11 {
        times.push(i64::from(net.registry.blocks[at].block.header.time));
        if net.registry.blocks[at].height == 0 {
            break;
        }
        at = net.registry.blocks[at].parent;
    }
    times.sort_unstable();
    times[times.len() / 2]
}

impl NodeApi for SimNode {
    fn state(&self) -> Result<(ChainState, MempoolState), NodeError> {
        let net = self.call()?;
        Ok((chain_state(&net), mempool_state(&net)))
    }

    fn chain_state(&self) -> Result<ChainState, NodeError> {
        Ok(chain_state(&*self.call()?))
    }

    fn network_state(&self) -> Result<NetworkState, NodeError> {
        let net = self.call()?;
        Ok(NetworkState {
            version: 310_000,
            subversion: "/Satoshi:31.0.0/".to_owned(),
            connections: if net.has_peers { 8 } else { 0 },
            relays: true,
        })
    }

    fn peers(&self) -> Result<Vec<Peer>, NodeError> {
        let net = self.call()?;
        let peer = Peer {
            since: net.peers_since,
            kind: "outbound-full-relay".to_owned(),
        };
        Ok(if net.has_peers { vec![peer] } else { Vec::new() })
    }

    fn best(&self) -> Result<BlockHash, NodeError> {
        let net = self.call()?;
        Ok(net.registry.blocks[net.near.tip()].hash)
    }

    fn hash_at(&self, height: u32) -> Result<BlockHash, NodeError> {
        hash_at(&*self.call()?, height)
    }

    fn hashes_at(&self, heights: RangeInclusive<u32>) -> Result<Vec<BlockHash>, NodeError> {
        let net = self.call()?;
        heights.map(|height| hash_at(&net, height)).collect()
    }

    fn header(&self, hash: BlockHash) -> Result<Option<Header>, NodeError> {
        let net = self.call()?;
        let Some(&at) = net.registry.by_hash.get(&hash).filter(|at| net.near_knows.contains(at)) else {
            return Ok(None);
        };
        let block = &net.registry.blocks[at];
        let tip = net.registry.blocks[net.near.tip()].height;
        let is_active = net.near.is_active(&net.registry, at);
        Ok(Some(Header {
            hash,
            height: block.height,
            confirmations: if is_active {
                i64::from(tip - block.height) + 1
            } else {
                -1
            },
            chainwork: format!("{:064x}", block.work),
            time: i64::from(block.block.header.time),
            median_time: median_time(&net, at),
            previous: (block.height > 0).then(|| net.registry.blocks[block.parent].hash),
        }))
    }

    fn each_block<E: From<NodeError>>(
        &self,
        hashes: &[BlockHash],
        mut take: impl FnMut(CheckedBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        for &hash in hashes {
            let net = self.call()?;
            let Some(&at) = net.registry.by_hash.get(&hash) else {
                return Err(refused(-5, "Block not found").into());
            };
            let block = &net.registry.blocks[at];
            if block.height < net.kept_from {
                return Err(NodeError::Pruned(bitpro_charge::BlockHash(hash.to_byte_array())).into());
            }
            let checked = CheckedBlock {
                hash,
                block: block.block.clone(),
                txids: block.tids.iter().map(|&tid| net.registry.txs[tid].id).collect(),
            };
            drop(net);
            take(checked)?;
        }
        Ok(())
    }

    fn find_rest(&self) -> bool {
        true
    }

    fn mempool(&self) -> Result<MempoolSnapshot, NodeError> {
        let net = self.call()?;
        Ok(MempoolSnapshot {
            txids: net.near.pool.keys().map(|&tid| net.registry.txs[tid].id).collect(),
            sequence: net.near.sequence,
        })
    }

    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Option<Transaction>>, NodeError> {
        let net = self.call()?;
        let tx = |&id: &Txid| in_pool(&net, id).map(|tid| Transaction::clone(&net.registry.txs[tid].tx));
        Ok(txids.iter().map(tx).collect())
    }

    fn pool_txs(&self, txids: &[Txid]) -> Result<Vec<Option<PoolTx>>, NodeError> {
        let net = self.call()?;
        let found = |&id: &Txid| {
            let tid = in_pool(&net, id)?;
            let parents = net
                .registry
                .inputs(tid)
                .filter_map(|input| net.registry.by_id.get(&input.txid));
            let depends = parents.filter(|parent| net.near.pool.contains_key(parent));
            Some(PoolTx {
                entry: MempoolEntry {
                    time: net.near.pool[&tid].secs,
                    depends: depends.map(|&parent| net.registry.txs[parent].id).collect(),
                },
                tx: Transaction::clone(&net.registry.txs[tid].tx),
            })
        };
        Ok(txids.iter().map(found).collect())
    }

    fn ancestors(&self, id: Txid) -> Result<Vec<Txid>, NodeError> {
        let net = self.call()?;
        let ancestors = in_pool(&net, id).map(|tid| net.near.ancestors(&net.registry, tid));
        let ancestors = ancestors.into_iter().flatten();
        Ok(ancestors.map(|tid| txid(net.registry.txs[tid].id)).collect())
    }

    fn spenders(&self, outpoints: &[Vec<Outpoint>]) -> Result<Vec<Vec<Txid>>, NodeError> {
        let net = self.call()?;
        let spender = |outpoint: &Outpoint| {
            let outpoint = OutPoint::new(bitcoin::Txid::from_byte_array(outpoint.txid.0), outpoint.vout);
            let tid = *net.near.pool_spent.get(&outpoint)?;
            Some(txid(net.registry.txs[tid].id))
        };
        Ok(outpoints
            .iter()
            .map(|list| list.iter().filter_map(spender).collect())
            .collect())
    }

    fn send(&self, raw: &[u8]) -> Result<bitcoin::Txid, NodeError> {
        let mut net = self.call()?;
        let tx: Transaction = deserialize(raw).map_err(|_| refused(-22, "TX decode failed"))?;
        let id = tx.compute_txid();
        let Some(&tid) = net.registry.by_id.get(&id) else {
            return Err(refused(-25, "bad-txns-inputs-missingorspent"));
        };
        let secs = (net.now + net.ahead).div_euclid(1_000);
        let Net { registry, near, .. } = &mut *net;
        let answer = match near.accept(registry, tid, secs) {
            Ok(()) => Ok(id),
            Err(Refusal::Mined) => Err(refused(-27, "Transaction outputs already in utxo set")),
            Err(Refusal::NoInputs) => Err(refused(-25, "bad-txns-inputs-missingorspent")),
            Err(Refusal::Fee) => Err(refused(-26, "mempool min fee not met")),
        };
        if answer.is_ok() && net.has_peers {
            let now = net.now;
            let Net { registry, far, .. } = &mut *net;
            if far.accept(registry, tid, now / 1_000).is_ok() {
                registry.txs[tid].born.get_or_insert(now);
            }
        }
        net.publish();
        answer
    }

    fn notifications(&self) -> Result<Vec<Notification>, NodeError> {
        let net = self.call()?;
        if net.zmq == Zmq::Off {
            return Ok(Vec::new());
        }
        let topics = ["pubrawtx", "pubsequence"];
        Ok(topics
            .map(|kind| Notification {
                kind: kind.to_owned(),
                address: "tcp://127.0.0.1:28332".to_owned(),
            })
            .to_vec())
    }

    fn clock_millis(&self) -> Result<i64, NodeError> {
        let net = self.call()?;
        Ok(net.now + net.ahead)
    }

    fn scan(&self, ranges: &[(String, u32)]) -> Result<UtxoScan, NodeError> {
        let net = self.call()?;
        let wanted: Vec<(Option<usize>, u32)> = ranges
            .iter()
            .map(|(text, highest)| (wallets::wallet_of(text), *highest))
            .collect();
        let end = wanted.iter().map(|(_, highest)| *highest).max().unwrap_or(0);
        let mut mined: Vec<(Tid, u32)> = net.near.mined.iter().map(|(&tid, &height)| (tid, height)).collect();
        mined.sort_unstable();
        let mut unspents = Vec::new();
        for (tid, height) in mined {
            let tx = &net.registry.txs[tid];
            for (vout, output) in (0..).zip(&tx.tx.output) {
                let Some((wallet, index)) = wallets::index_of(&output.script_pubkey, end) else {
                    continue;
                };
                let is_wanted = wanted
                    .iter()
                    .any(|&(of, highest)| of == Some(wallet) && index <= highest);
                if is_wanted && !net.near.spent.contains_key(&OutPoint::new(tx.id, vout)) {
                    unspents.push(Unspent {
                        txid: tx.id,
                        vout,
                        script: output.script_pubkey.clone(),
                        amount: output.value,
                        height,
                        coinbase: tx.tx.is_coinbase(),
                    });
                }
            }
        }
        let tip = &net.registry.blocks[net.near.tip()];
        Ok(UtxoScan {
            success: true,
            height: tip.height,
            best: Some(tip.hash),
            unspents,
        })
    }

    fn listen(&self, listener: Listener) {
        let mut net = self.net();
        if net.is_up && net.zmq != Zmq::Off {
            let _ = listener.wakes.try_send(Wake::Up(listener.topic));
        }
        net.listeners.push(listener);
    }

    fn aside(&self, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
        work();
        Ok(())
    }
}
