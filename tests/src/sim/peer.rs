//! A node of the network, as far as money is concerned: a chain, a mempool, and what a Bitcoin Core does with both.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bitcoin::{Block, BlockHash, OutPoint, Transaction};

/// The number of a transaction, in the order in which they were made: parents come before children.
pub type Tid = usize;

/// A transaction, known to somebody.
pub struct NetTx {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub id: bitcoin::Txid,
    /// What it pays for its place.
    pub fee: u64,
    /// The true instant at which the network first saw it.
    pub born: Option<i64>,
}

/// A block, known to somebody.
pub struct NetBlock {
    /// The block.
    pub block: Block,
    /// Its hash.
    pub hash: BlockHash,
    /// Its transactions.
    pub tids: Vec<Tid>,
    /// Its height.
    pub height: u32,
    /// The work of the chain up to it.
    pub work: u64,
    /// The block before.
    pub parent: usize,
}

/// Every transaction and block that there ever was.
#[derive(Default)]
pub struct Registry {
    /// Transactions by their number.
    pub txs: Vec<NetTx>,
    /// Their numbers.
    pub by_id: HashMap<bitcoin::Txid, Tid>,
    /// Which transactions spend an outpoint, or would.
    pub spenders: HashMap<OutPoint, Vec<Tid>>,
    /// Blocks by their number; the first is the genesis block.
    pub blocks: Vec<NetBlock>,
    /// Their numbers.
    pub by_hash: HashMap<BlockHash, usize>,
}

impl Registry {
    /// Takes in a transaction.
    pub fn add_tx(&mut self, tx: Transaction, fee: u64, born: Option<i64>) -> Tid {
        let id = tx.compute_txid();
        if let Some(&tid) = self.by_id.get(&id) {
            return tid;
        }
        self.txs.push(NetTx {
            tx: Arc::new(tx),
            id,
            fee,
            born,
        });
        let tid = self.txs.len() - 1;
        self.by_id.insert(id, tid);
        let Self { txs, spenders, .. } = self;
        for input in inputs_of(&txs[tid].tx) {
            spenders.entry(input).or_default().push(tid);
        }
        tid
    }

    /// Takes in a block.
    pub fn add_block(&mut self, block: NetBlock) -> usize {
        self.by_hash.insert(block.hash, self.blocks.len());
        self.blocks.push(block);
        self.blocks.len() - 1
    }

    /// The outpoints that a transaction spends; a coinbase spends none.
    pub fn inputs(&self, tid: Tid) -> impl Iterator<Item = OutPoint> + '_ {
        inputs_of(&self.txs[tid].tx)
    }
}

fn inputs_of(tx: &Transaction) -> impl Iterator<Item = OutPoint> + '_ {
    let inputs = if tx.is_coinbase() { &[][..] } else { &tx.input[..] };
    inputs.iter().map(|input| input.previous_output)
}

/// An entry of the mempool.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// When it came, in seconds of the node's clock.
    pub secs: i64,
}

/// What a node publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A transaction entered the mempool.
    Added(Tid, u64),
    /// A transaction left it, and not into a block.
    Removed(Tid, u64),
    /// A transaction came by, alone or with a block.
    Tx(Tid),
    /// A block was connected or disconnected.
    Chain,
}

/// Why a transaction is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is in the chain.
    Mined,
    /// What it spends is not there, or spent.
    NoInputs,
    /// Its fee is too low, for the mempool or for what it would replace.
    Fee,
}

/// A node.
#[derive(Default)]
pub struct Peer {
    /// The best chain, block by height.
    pub active: Vec<usize>,
    /// In which height a transaction is.
    pub mined: HashMap<Tid, u32>,
    /// Who spends an outpoint in the chain.
    pub spent: HashMap<OutPoint, Tid>,
    /// The mempool.
    pub pool: BTreeMap<Tid, Entry>,
    /// Who spends an outpoint in the mempool.
    pub pool_spent: HashMap<OutPoint, Tid>,
    /// The number of the next change of the mempool.
    pub sequence: u64,
    /// The least fee.
    pub floor: u64,
    /// What was not published yet.
    pub news: Vec<News>,
}

impl Peer {
    /// The best block.
    #[must_use]
    pub fn tip(&self) -> usize {
        *self.active.last().expect("the genesis block is always there")
    }

    /// Offers a transaction; `secs` is the node's time.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn accept(&mut self, registry: &Registry, tid: Tid, secs: i64) -> Result<(), Refusal> {
        if self.pool.contains_key(&tid) {
            return Ok(());
        }
        if self.mined.contains_key(&tid) {
            return Err(Refusal::Mined);
        }
        if registry.txs[tid].tx.is_coinbase() || !self.has_inputs(registry, tid) {
            return Err(Refusal::NoInputs);
        }
        let fee = registry.txs[tid].fee;
        let rivals = self.rivals(registry, tid);
        let beaten = rivals.iter().map(|&rival| registry.txs[rival].fee).max();
        if fee < self.floor || beaten.is_some_and(|beaten| fee <= beaten) {
            return Err(Refusal::Fee);
        }
        for rival in rivals {
            self.remove(registry, rival, true);
        }
        self.insert(registry, tid, secs);
        Ok(())
    }

    /// Who in the mempool spends what this one spends.
    #[must_use]
    pub fn rivals(&self, registry: &Registry, tid: Tid) -> Vec<Tid> {
        let mut rivals: Vec<Tid> = registry
            .inputs(tid)
            .filter_map(|input| self.pool_spent.get(&input).copied())
            .collect();
        rivals.retain(|&rival| rival != tid);
        rivals.sort_unstable();
        rivals.dedup();
        rivals
    }

    fn has_inputs(&self, registry: &Registry, tid: Tid) -> bool {
        let is_there = |input: OutPoint| {
            let is_made = registry
                .by_id
                .get(&input.txid)
                .is_none_or(|parent| self.pool.contains_key(parent) || self.mined.contains_key(parent));
            is_made && !self.spent.contains_key(&input)
        };
        registry.inputs(tid).all(is_there)
    }

    fn insert(&mut self, registry: &Registry, tid: Tid, secs: i64) {
        self.pool.insert(tid, Entry { secs });
        for input in registry.inputs(tid) {
            self.pool_spent.insert(input, tid);
        }
        self.news.push(News::Tx(tid));
        self.news.push(News::Added(tid, self.sequence));
        self.sequence += 1;
    }

    /// Takes a transaction and what builds on it out of the mempool.
    pub fn remove(&mut self, registry: &Registry, tid: Tid, told: bool) {
        for child in self.children(registry, tid) {
            self.remove(registry, child, true);
        }
        if self.pool.remove(&tid).is_none() {
            return;
        }
        for input in registry.inputs(tid) {
            self.pool_spent.remove(&input);
        }
        if told {
            self.news.push(News::Removed(tid, self.sequence));
        }
        self.sequence += 1;
    }

    fn children(&self, registry: &Registry, tid: Tid) -> Vec<Tid> {
        let id = registry.txs[tid].id;
        let outputs = 0..u32::try_from(registry.txs[tid].tx.output.len()).expect("few outputs");
        let mut children: Vec<Tid> = outputs
            .filter_map(|vout| self.pool_spent.get(&OutPoint::new(id, vout)).copied())
            .collect();
        children.dedup();
        children
    }

    /// The unconfirmed ancestors of a transaction.
    #[must_use]
    pub fn ancestors(&self, registry: &Registry, tid: Tid) -> Vec<Tid> {
        let mut found = Vec::new();
        let mut open = vec![tid];
        while let Some(next) = open.pop() {
            for input in registry.inputs(next) {
                if let Some(&parent) = registry.by_id.get(&input.txid)
                    && self.pool.contains_key(&parent)
                    && !found.contains(&parent)
                {
                    found.push(parent);
                    open.push(parent);
                }
            }
        }
        found
    }

    /// Raises or lowers the least fee; what is below it is evicted.
    pub fn set_floor(&mut self, registry: &Registry, floor: u64) {
        self.floor = floor;
        let poor: Vec<Tid> = self
            .pool
            .keys()
            .copied()
            .filter(|&tid| registry.txs[tid].fee < floor)
            .collect();
        for tid in poor {
            self.remove(registry, tid, true);
        }
    }

    /// Moves to another tip, if it has more work.
    pub fn activate(&mut self, registry: &Registry, tip: usize, secs: i64) {
        if !self.active.is_empty() && registry.blocks[tip].work <= registry.blocks[self.tip()].work {
            return;
        }
        let mut branch = Vec::new();
        let mut at = tip;
        while !self.is_active(registry, at) {
            branch.push(at);
            if registry.blocks[at].height == 0 {
                break;
            }
            at = registry.blocks[at].parent;
        }
        let fork = branch.last().map_or(0, |&last| registry.blocks[last].height);
        let mut freed = Vec::new();
        while u32::try_from(self.active.len()).expect("few blocks") > fork {
            let gone = self.active.pop().expect("it is longer than the fork");
            freed.extend(self.disconnect(registry, gone));
        }
        for &block in branch.iter().rev() {
            self.connect(registry, block);
        }
        freed.sort_unstable();
        for tid in freed {
            // A Bitcoin Core takes them back before it looks for what they conflict with.
            if !self.mined.contains_key(&tid) && self.has_inputs(registry, tid) && !registry.txs[tid].tx.is_coinbase() {
                for rival in self.rivals(registry, tid) {
                    self.remove(registry, rival, true);
                }
                if registry.txs[tid].fee >= self.floor {
                    self.insert(registry, tid, secs);
                }
            }
        }
        let orphans: Vec<Tid> = self.pool.keys().copied().collect();
        for tid in orphans {
            if self.pool.contains_key(&tid) && !self.has_inputs(registry, tid) {
                self.remove(registry, tid, true);
            }
        }
    }

    /// Whether a block is in the best chain.
    #[must_use]
    pub fn is_active(&self, registry: &Registry, block: usize) -> bool {
        let height = usize::try_from(registry.blocks[block].height).expect("heights are small");
        self.active.get(height) == Some(&block)
    }

    fn connect(&mut self, registry: &Registry, block: usize) {
        let height = registry.blocks[block].height;
        self.active.push(block);
        for &tid in &registry.blocks[block].tids {
            if self.pool.contains_key(&tid) {
                self.take_into_block(registry, tid);
            }
            for rival in self.rivals(registry, tid) {
                self.remove(registry, rival, true);
            }
            self.mined.insert(tid, height);
            for input in registry.inputs(tid) {
                self.spent.insert(input, tid);
            }
            self.news.push(News::Tx(tid));
        }
        self.news.push(News::Chain);
    }

    fn take_into_block(&mut self, registry: &Registry, tid: Tid) {
        self.pool.remove(&tid);
        for input in registry.inputs(tid) {
            self.pool_spent.remove(&input);
        }
        // Numbers are used up for these too, and never published.
        self.sequence += 1;
    }

    fn disconnect(&mut self, registry: &Registry, block: usize) -> Vec<Tid> {
        for &tid in &registry.blocks[block].tids {
            self.mined.remove(&tid);
            for input in registry.inputs(tid) {
                self.spent.remove(&input);
            }
            self.news.push(News::Tx(tid));
        }
        self.news.push(News::Chain);
        registry.blocks[block].tids.clone()
    }
}
