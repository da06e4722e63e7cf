//! Looking through chain and mempool for what concerns us, apart from the watcher: what the stored charges are compared with.
//!
//! Everything here blocks, and reads in pieces of bounded size: whoever asks decides how fast it goes.

mod report;

use std::collections::{BTreeSet, HashSet};

use bitpro_base::clock::Moment;
use bitpro_charge::{Amount, BlockRef, Outpoint, Place, Timestamp, Txid};
use tokio::runtime::Handle;

use super::api::{Header, NodeApi as _, RealNode};
use super::checks::{check_identity, is_syncing};
use super::config::NodeConfig;
use super::convert;
use super::error::NodeError;
use super::first_seen::{Sight, clock_offset};
use super::known::Known;
use super::matching::paying_outputs;
use super::port::{IssuedRange, KnownTx};
use super::view::{Connected, PayingOutput, PayingTx, ScriptId};

pub use super::first_seen::MINERS_CLOCK_SECS;
pub use report::{outputs_in, transaction_in};

/// How many transactions of the mempool are held in memory at once.
const POOL_PAGE: usize = 500;
/// So many blocks on its own make anything deep: a coinbase payment needs as many, and nothing more (R9).
const DEEPENING: u32 = 100;

/// A node, looked at for a comparison.
pub struct Survey {
    node: RealNode,
    known: Known,
    /// What has to be added to the node's clock to get ours.
    offset_millis: i64,
    /// How far our time is ahead of the machine's clock, and so of the times that miners write, in milliseconds (R32).
    lead_millis: i64,
    aligned_from: Timestamp,
}

/// Where the node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its best block.
    pub tip: BlockRef,
    /// The lowest block whose contents it still has.
    pub lowest: u32,
}

/// An output to a watched script, where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOutput {
    /// Which.
    pub outpoint: Outpoint,
    /// Its value.
    pub value: Amount,
    /// The whole script: the look-up among the watched ones compares 64 bits (R34).
    pub script_pubkey: Vec<u8>,
    /// Where it is.
    pub place: Place,
    /// When it came into the mempool, by our clock; of what is in a block, the block's time, which miners' clocks may have wrong.
    pub at: Timestamp,
    /// Whether it is an output of a coinbase transaction.
    pub coinbase: bool,
}

/// A payment that is followed, and what took its place in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundConflict {
    /// The payment that cannot be mined any more.
    pub victim: Txid,
    /// What spends an output that it, or an ancestor of it, spends.
    pub spender: Txid,
    /// The block that holds the spender.
    pub block: BlockRef,
}

/// What some blocks hold for us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockFacts {
    /// The blocks, ascending.
    pub blocks: Vec<BlockRef>,
    /// All outputs to watched scripts in them.
    pub found: Vec<FoundOutput>,
    /// Followed payments that they make impossible.
    pub conflicts: Vec<FoundConflict>,
}

/// What the mempool holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolFacts {
    /// All transactions in it.
    pub txids: HashSet<Txid>,
    /// All outputs to watched scripts in it.
    pub found: Vec<FoundOutput>,
}

impl Survey {
    /// Meets the node. `moment` is our own time, `known` are the payments whose loss is to be noticed.
    ///
    /// # Errors
    /// [`NodeError`]; of a node that is not able to say what is there, too (R3).
    pub fn open(config: &NodeConfig, runtime: Handle, moment: Moment, known: Vec<KnownTx>) -> Result<Self, NodeError> {
        let node = RealNode::new(config, runtime);
        check_identity(node.hash_at(0)?, config.network)?;
        let (chain, mempool) = node.state()?;
        if is_syncing(config, &chain) {
            return Err(NodeError::WarmingUp(format!(
                "it has {} of {} blocks",
                chain.blocks, chain.headers
            )));
        }
        if !mempool.loaded {
            return Err(NodeError::WarmingUp("it is still reading its mempool".to_owned()));
        }
        node.find_rest();
        let offset_millis = clock_offset(config.network, || node.clock_millis(), || moment)?;
        let mut followed = Known::default();
        for tx in known {
            followed.insert(PayingTx {
                txid: tx.txid,
                raw: Vec::new(),
                inputs: tx.inputs,
                ancestor_inputs: tx.ancestor_inputs,
                outputs: Vec::new(),
                place: tx.place,
                first_seen: tx.first_seen,
                coinbase: tx.coinbase,
            });
        }
        Ok(Self {
            node,
            known: followed,
            offset_millis,
            lead_millis: moment.lead_ms(),
            aligned_from: moment.aligned_from,
        })
    }

    /// Where the node stands.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn standing(&self) -> Result<Standing, NodeError> {
        let chain = self.node.chain_state()?;
        Ok(Standing {
            tip: BlockRef {
                height: chain.blocks,
                hash: convert::block_hash(chain.best),
            },
            lowest: chain.prune_height.filter(|_| chain.pruned).unwrap_or(0),
        })
    }

    /// Whether a block is in the node's best chain.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn is_in_chain(&self, block: BlockRef) -> Result<bool, NodeError> {
        let header = self.node.header(convert::to_node_block(block.hash))?;
        Ok(header.is_some_and(|header| header.confirmations >= 0 && header.height == block.height))
    }

    /// The lowest height at which a block may stand that was mined after `instant`, whatever its miner's clock said.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn height_at(&self, instant: Timestamp) -> Result<u32, NodeError> {
        let by_miners = Timestamp(instant.0.saturating_sub(self.lead_millis));
        let oldest = by_miners.as_secs().saturating_sub(MINERS_CLOCK_SECS);
        // The median time of the last eleven never falls from block to block.
        let (mut below, mut above) = (0, self.standing()?.tip.height.saturating_add(1));
        while below < above {
            let middle = below + (above - below) / 2;
            if self.header_at(middle)?.median_time < oldest {
                below = middle + 1;
            } else {
                above = middle;
            }
        }
        Ok(below)
    }

    /// Looks through the blocks of the best chain from `from` to `to`. Of each block only what concerns us is kept.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn blocks(
        &self,
        from: u32,
        to: u32,
        script: impl Fn(&[u8]) -> Option<ScriptId>,
    ) -> Result<BlockFacts, NodeError> {
        let hashes = self.node.hashes_at(from..=to)?;
        let mut facts = BlockFacts::default();
        let mut height = from;
        self.node.each_block(&hashes, |checked| -> Result<(), NodeError> {
            let block = BlockRef {
                height,
                hash: convert::block_hash(checked.hash),
            };
            let at = self.by_miners_clock(i64::from(checked.block.header.time));
            for (tx, &txid) in checked.block.txdata.iter().zip(&checked.txids) {
                let txid = convert::txid(txid);
                let victims = self.known.victims(txid, convert::inputs(tx));
                facts.conflicts.extend(victims.into_iter().map(|victim| FoundConflict {
                    victim,
                    spender: txid,
                    block,
                }));
                let outputs = paying_outputs(tx, &script).into_iter();
                facts
                    .found
                    .extend(outputs.filter_map(|output| found_output(tx, txid, output, Place::Block(block), at)));
            }
            facts.blocks.push(block);
            height += 1;
            Ok(())
        })?;
        Ok(facts)
    }

    /// The blocks up to `tip` that made deep what stands at these heights, and when each was found at the earliest, by our time (R12).
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn deepening(&self, heights: &BTreeSet<u32>, tip: u32, now: Timestamp) -> Result<Vec<Connected>, NodeError> {
        let sight = Sight {
            now,
            since: None,
            offset_millis: self.offset_millis,
            lead_millis: self.lead_millis,
            aligned_from: self.aligned_from,
        };
        let deepening: BTreeSet<u32> = heights
            .iter()
            .flat_map(|&height| height..=tip.min(height.saturating_add(DEEPENING)))
            .collect();
        let mut last: Option<Header> = None;
        deepening
            .into_iter()
            .map(|height| {
                let header = self.header_at(height)?;
                // They mostly stand on each other, so that the one below was just asked for.
                let below = match (last.take(), height.checked_sub(1)) {
                    (Some(last), Some(below)) if last.height == below => Some(last),
                    (_, Some(below)) => Some(self.header_at(below)?),
                    (_, None) => None,
                };
                let connected = Connected {
                    block: BlockRef {
                        height,
                        hash: convert::block_hash(header.hash),
                    },
                    found_after: sight.block_found_after(header.time, below.map(|below| below.median_time)),
                    claimed: sight.block_claims(header.time),
                };
                last = Some(header);
                Ok(connected)
            })
            .collect()
    }

    /// What the UTXO set still holds of the blocks below `below`, which cannot be read any more. Takes minutes.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn unspent_below(&self, below: u32, ranges: Vec<IssuedRange>) -> Result<Vec<FoundOutput>, NodeError> {
        let ranges: Vec<(String, u32)> = ranges
            .into_iter()
            .map(|range| (range.descriptor, range.highest))
            .collect();
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let scan = self.node.scan(&ranges)?;
        if !scan.success {
            return Err(NodeError::Malformed("the scan was aborted".to_owned()));
        }
        let mut found = Vec::new();
        for unspent in scan.unspents.into_iter().filter(|unspent| unspent.height < below) {
            let header = self.header_at(unspent.height)?;
            found.push(FoundOutput {
                outpoint: Outpoint {
                    txid: convert::txid(unspent.txid),
                    vout: unspent.vout,
                },
                value: unspent.amount,
                script_pubkey: unspent.script.into_bytes(),
                place: Place::Block(BlockRef {
                    height: unspent.height,
                    hash: convert::block_hash(header.hash),
                }),
                at: self.by_miners_clock(header.time),
                coinbase: unspent.coinbase,
            });
        }
        Ok(found)
    }

    /// Looks through the mempool; `between` is called after each page of it.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn pool(
        &self,
        script: impl Fn(&[u8]) -> Option<ScriptId>,
        mut between: impl FnMut(),
    ) -> Result<PoolFacts, NodeError> {
        let txids: Vec<Txid> = self.node.mempool()?.txids.into_iter().map(convert::txid).collect();
        let mut paying = Vec::new();
        for page in txids.chunks(POOL_PAGE) {
            for (&txid, tx) in page.iter().zip(self.node.transactions(page)?) {
                if tx.is_some_and(|tx| !paying_outputs(&tx, &script).is_empty()) {
                    paying.push(txid);
                }
            }
            between();
        }
        let found = self.in_pool(&paying, script)?;
        Ok(PoolFacts {
            txids: txids.into_iter().collect(),
            found,
        })
    }

    /// What these transactions pay to watched scripts, as far as they are in the mempool now.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn in_pool(
        &self,
        txids: &[Txid],
        script: impl Fn(&[u8]) -> Option<ScriptId>,
    ) -> Result<Vec<FoundOutput>, NodeError> {
        let mut found = Vec::new();
        for page in txids.chunks(POOL_PAGE) {
            for (&txid, present) in page.iter().zip(self.node.pool_txs(page)?) {
                let Some(present) = present else { continue };
                let entered = self.by_our_clock(present.entry.time);
                for output in paying_outputs(&present.tx, &script) {
                    found.extend(found_output(&present.tx, txid, output, Place::Mempool, entered));
                }
            }
        }
        Ok(found)
    }

    fn header_at(&self, height: u32) -> Result<Header, NodeError> {
        let hash = self.node.hash_at(height)?;
        self.node
            .header(hash)?
            .ok_or_else(|| NodeError::Malformed(format!("block {hash} is not known")))
    }

    fn by_our_clock(&self, node_secs: i64) -> Timestamp {
        Timestamp(Timestamp::from_secs(node_secs).0.saturating_add(self.offset_millis))
    }

    fn by_miners_clock(&self, block_secs: i64) -> Timestamp {
        Timestamp(Timestamp::from_secs(block_secs).0.saturating_add(self.lead_millis))
    }
}

fn found_output(
    tx: &bitcoin::Transaction,
    txid: Txid,
    output: PayingOutput,
    place: Place,
    at: Timestamp,
) -> Option<FoundOutput> {
    let paid = tx.output.get(usize::try_from(output.vout).ok()?)?;
    Some(FoundOutput {
        outpoint: Outpoint {
            txid,
            vout: output.vout,
        },
        value: paid.value,
        script_pubkey: paid.script_pubkey.to_bytes(),
        place,
        at,
        coinbase: tx.is_coinbase(),
    })
}
