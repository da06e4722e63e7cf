//! Reading the chain: from the fork with what the charges stand on up to the node's tip, block by block.

use std::collections::VecDeque;

use bitpro_charge::{BlockRef, Txid};

use super::super::api::NodeApi;
use super::super::convert;
use super::super::diff::ChainReading;
use super::super::error::NodeError;
use super::super::first_seen::MINERS_CLOCK_SECS;
use super::super::matching::match_block;
use super::super::port::ChargesPort;
use super::super::rpc::answers::ChainState;
use super::super::status::{Condition, Hold, HoldReason};
use super::super::view::{Connected, Tip};
use super::{Stand, Trouble, Watcher, store_trouble};

/// A long way is gone in stretches of this many blocks, each stored by itself.
const STRETCH: u32 = 1_000;
/// With more new blocks than this, the mempool is better read anew than corrected.
const FEW_BLOCKS: usize = 3;
/// So many blocks more are read at a first start with charges already made, whatever their times say.
const SAFETY_BLOCKS: u32 = 144;
/// `RPC_INVALID_PARAMETER`: a height above the tip, after a reorg.
const NO_SUCH_HEIGHT: i32 = -8;
/// Of so many blocks the median time is taken (Bitcoin Core, `nMedianTimeSpan`).
const MEDIAN_OF: usize = 11;

/// The times of the latest blocks, oldest first.
struct Medians(VecDeque<i64>);

impl Medians {
    /// What the next block's time has to be after (Bitcoin Core, `GetMedianTimePast`).
    fn median(&self) -> i64 {
        let mut times: Vec<i64> = self.0.iter().copied().collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(i64::MIN)
    }

    fn push(&mut self, time: i64) {
        if self.0.len() >= MEDIAN_OF {
            self.0.pop_front();
        }
        self.0.push_back(time);
    }
}

/// What was read of the chain.
pub(super) struct Stretch {
    pub reading: ChainReading,
    /// Whether it reaches the node's tip.
    pub is_whole: bool,
    /// Transactions of the new blocks, which are not in the mempool any more; empty after many blocks.
    pub txids: Vec<Txid>,
}

impl Stretch {
    pub(super) const fn unchanged(tip: Tip) -> Self {
        Self {
            reading: ChainReading::unchanged(tip),
            is_whole: true,
            txids: Vec::new(),
        }
    }

    /// The node's best block, when this reaches it.
    pub(super) fn node_tip(&self) -> bitcoin::BlockHash {
        convert::to_node_block(self.reading.tip.block.hash)
    }
}

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    pub(super) fn read_chain(&mut self, stand: Stand) -> Result<Stretch, Trouble> {
        let node = self.node.chain_state()?;
        self.check_ready(&node, true)?;
        if convert::block_hash(node.best) == stand.tip.block.hash {
            return Ok(Stretch::unchanged(stand.tip));
        }
        let fork = self.fork(stand, &node)?;
        if let Some(stretch) = self.skip_pruned(stand, &node, fork)? {
            return Ok(stretch);
        }
        let last = if fork == stand.tip.block.height {
            node.blocks.min(fork.saturating_add(STRETCH))
        } else {
            // A reorg is one change of view, however long (R2).
            node.blocks
        };
        let hashes = self.hashes(fork + 1, last)?;
        let is_whole = last == node.blocks;
        let tip = match hashes.last() {
            Some(&hash) if !is_whole => self.tip_at(hash)?,
            Some(&hash) if hash == node.best => tip_of(&node)?,
            _ => return Err(Trouble::Moved),
        };
        let parent = BlockRef {
            height: fork,
            hash: self.hash_we_stand_on(stand, fork)?,
        };
        let (reading, txids) = self.read_blocks(stand, parent, &hashes, tip)?;
        Ok(Stretch {
            reading,
            is_whole,
            txids,
        })
    }

    /// Looks through the blocks on `fork`.
    pub(super) fn read_blocks(
        &self,
        stand: Stand,
        fork: BlockRef,
        hashes: &[bitcoin::BlockHash],
        tip: Tip,
    ) -> Result<(ChainReading, Vec<Txid>), Trouble> {
        let mut reading = ChainReading {
            tip,
            fork_height: fork.height,
            ..ChainReading::unchanged(tip)
        };
        let mut txids = Vec::new();
        let keeps_txids = hashes.len() <= FEW_BLOCKS;
        let mut parent = convert::to_node_block(fork.hash);
        let sight = self.sight_of_blocks(stand);
        let mut medians = self.times_before(stand, parent)?;
        self.node.each_block(hashes, |checked| -> Result<(), Trouble> {
            if checked.block.header.prev_blockhash != parent || self.shutdown.is_cancelled() {
                return Err(Trouble::Moved);
            }
            parent = checked.hash;
            let block = BlockRef {
                height: reading.connected.last().map_or(fork.height, |last| last.block.height) + 1,
                hash: convert::block_hash(checked.hash),
            };
            let secs = i64::from(checked.block.header.time);
            let first_seen = sight.in_block(secs);
            let found = match_block(&checked, block, first_seen, &self.known, |script| {
                self.port.script(script)
            });
            reading.connected.push(Connected {
                block,
                found_after: sight.block_found_after(secs, medians.as_ref().map(Medians::median)),
                claimed: sight.block_claims(secs),
            });
            if let Some(medians) = &mut medians {
                medians.push(secs);
            }
            reading.mined.extend(found.paying);
            reading.conflicts.extend(found.conflicts);
            if keeps_txids {
                txids.extend(checked.txids.iter().copied().map(convert::txid));
            }
            if block.height.is_multiple_of(100) && !keeps_txids {
                self.teller.condition(Condition::CatchingUp {
                    height: block.height,
                    target: tip.block.height,
                });
            }
            Ok(())
        })?;
        Ok((reading, txids))
    }

    /// The times of the blocks up to `parent`, where blocks were found while nobody read them. They tell how late they were (R12).
    fn times_before(&self, stand: Stand, parent: bitcoin::BlockHash) -> Result<Option<Medians>, Trouble> {
        if !self.is_blind(stand) {
            return Ok(None);
        }
        let mut times = VecDeque::with_capacity(MEDIAN_OF);
        let mut next = Some(parent);
        while let Some(hash) = next.filter(|_| times.len() < MEDIAN_OF) {
            let header = self.node.header(hash)?.ok_or(Trouble::Moved)?;
            times.push_front(header.time);
            next = header.previous;
        }
        Ok(Some(Medians(times)))
    }

    /// The height of the highest block that the charges and the node share, unless R6 forbids to follow the node.
    fn fork(&mut self, stand: Stand, node: &ChainState) -> Result<u32, Trouble> {
        if let Some((best, hold)) = &self.held
            && *best == node.best
        {
            return Err(Trouble::NotReady(Condition::Held(*hold)));
        }
        let stored = stand.tip.block;
        let at = node_tip(node);
        let header = self.node.header(convert::to_node_block(stored.hash))?;
        let is_extension = header.as_ref().is_some_and(|header| header.confirmations >= 0);
        let fork = if is_extension {
            Some(stored.height)
        } else {
            self.common_height(stored.height, node)?
        };
        let limit = self.config.reorg_limit;
        let reason = match fork.map(|fork| stored.height - fork) {
            _ if work(&node.chainwork)? <= stand.tip.work => Some(HoldReason::LessWork),
            None => Some(HoldReason::NothingShared),
            Some(_) if header.is_none() => Some(HoldReason::UnknownTip),
            Some(depth) if depth > limit => Some(HoldReason::DeepReorg { depth, limit }),
            Some(_) => None,
        };
        match (fork, reason) {
            (Some(fork), None) => Ok(fork),
            (Some(fork), Some(reason)) if reason.can_be_accepted() && self.is_accepted(fork)? => {
                tracing::warn!(fork, %at.hash, "following a chain that the operator has vouched for");
                Ok(fork)
            }
            (_, reason) => {
                let reason = reason.unwrap_or(HoldReason::NothingShared);
                let hold = Hold {
                    stored,
                    node: at,
                    reason,
                };
                self.held = Some((node.best, hold));
                Err(Trouble::NotReady(Condition::Held(hold)))
            }
        }
    }

    /// The highest height at which the stored chain and the node's have the same block; `None` when none is kept.
    fn common_height(&self, stored: u32, node: &ChainState) -> Result<Option<u32>, Trouble> {
        for height in (0..stored).rev() {
            let Some(ours) = self
                .runtime
                .block_on(self.port.stored_hash(height))
                .map_err(store_trouble)?
            else {
                return Ok(None);
            };
            if height <= node.blocks && convert::block_hash(self.hash_at(height)?) == ours {
                return Ok(Some(height));
            }
        }
        Ok(None)
    }

    /// Whether the operator vouches for the node's chain above `fork`.
    pub(super) fn is_accepted(&self, fork: u32) -> Result<bool, Trouble> {
        let Some(hash) = self.config.accept_block else {
            return Ok(false);
        };
        let header = self.node.header(convert::to_node_block(hash))?;
        Ok(header.is_some_and(|header| header.confirmations >= 0 && header.height > fork))
    }

    /// Where a fresh database starts: so far below the node's tip that a first reorg finds its fork, and, when charges were made
    /// before the node was there, below their time.
    pub(super) fn first_tip(&self, node: &ChainState) -> Result<Tip, Trouble> {
        // One more than a reorg that is held for the operator, whose word needs a fork to go on from (R6).
        let mut back = self.config.reorg_limit + 2;
        let mut oldest = None;
        if let Some(issued) = self.port.first_issued() {
            oldest = Some(issued.as_secs() - MINERS_CLOCK_SECS);
            back = back.max(SAFETY_BLOCKS);
        }
        let mut hash = node.best;
        loop {
            let header = self.node.header(hash)?.ok_or(Trouble::Moved)?;
            if oldest.is_none_or(|oldest| header.median_time < oldest) {
                back -= 1;
            }
            match header.previous {
                Some(previous) if back > 0 => hash = previous,
                _ => return self.tip_at(hash),
            }
        }
    }

    pub(super) fn hashes(&self, first: u32, last: u32) -> Result<Vec<bitcoin::BlockHash>, Trouble> {
        self.node.hashes_at(first..=last).map_err(moved_if_too_high)
    }

    fn hash_at(&self, height: u32) -> Result<bitcoin::BlockHash, Trouble> {
        self.node.hash_at(height).map_err(moved_if_too_high)
    }

    /// The hash at `fork`, as the charges have it.
    fn hash_we_stand_on(&self, stand: Stand, fork: u32) -> Result<bitpro_charge::BlockHash, Trouble> {
        if fork == stand.tip.block.height {
            return Ok(stand.tip.block.hash);
        }
        match self
            .runtime
            .block_on(self.port.stored_hash(fork))
            .map_err(store_trouble)?
        {
            Some(hash) => Ok(hash),
            None => Ok(convert::block_hash(self.hash_at(fork)?)),
        }
    }

    pub(super) fn tip_at(&self, hash: bitcoin::BlockHash) -> Result<Tip, Trouble> {
        let header = self.node.header(hash)?.ok_or(Trouble::Moved)?;
        Ok(Tip {
            block: BlockRef {
                height: header.height,
                hash: convert::block_hash(header.hash),
            },
            work: work(&header.chainwork)?,
        })
    }
}

pub(super) fn node_tip(node: &ChainState) -> BlockRef {
    BlockRef {
        height: node.blocks,
        hash: convert::block_hash(node.best),
    }
}

/// The node's best block, as it says itself.
pub(super) fn tip_of(node: &ChainState) -> Result<Tip, Trouble> {
    Ok(Tip {
        block: node_tip(node),
        work: work(&node.chainwork)?,
    })
}

fn moved_if_too_high(error: NodeError) -> Trouble {
    match error {
        NodeError::Refused {
            code: NO_SUCH_HEIGHT, ..
        } => Trouble::Moved,
        other => other.into(),
    }
}

/// 64 hexadecimal digits, as the node prints them.
fn work(text: &str) -> Result<[u8; 32], Trouble> {
    let mut work = [0; 32];
    hex::decode_to_slice(text, &mut work)
        .map_err(|error| NodeError::Malformed(format!("chainwork {text}: {error}")))?;
    Ok(work)
}
