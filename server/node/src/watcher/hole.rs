//! Blocks that the node deleted before we read them (R6): what can still be known of them, and what must not be concluded.

use std::collections::BTreeMap;

use bitpro_charge::{BlockRef, Outpoint, Place, Txid};

use super::super::api::NodeApi;
use super::super::convert;
use super::super::diff::ChainReading;
use super::super::error::NodeError;
use super::super::port::ChargesPort;
use super::super::rpc::answers::{ChainState, Unspent};
use super::super::view::{Connected, Hole, PayingOutput, PayingTx};
use super::chain::{Stretch, tip_of};
use super::{Stand, Trouble, Watcher, store_trouble};

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    /// When blocks above `fork` are pruned: records the hole, finds what in it is unspent, and goes on above it.
    pub(super) fn skip_pruned(
        &mut self,
        stand: Stand,
        node: &ChainState,
        fork: u32,
    ) -> Result<Option<Stretch>, Trouble> {
        let Some(lowest) = node.prune_height.filter(|&lowest| node.pruned && lowest > fork + 1) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let hole = Hole {
            from: fork + 1,
            to: lowest - 1,
            since: stand.observed_until.unwrap_or(now),
            until: now,
        };
        self.runtime
            .block_on(self.port.set_hole(Some(merged(self.port.hole(), hole))))
            .map_err(store_trouble)?;
        self.tell_position();
        let mined = self.unspent_in(stand, hole)?;
        let hashes = self.hashes(hole.from, hole.to)?;
        let tip = self.tip_at(*hashes.last().ok_or(Trouble::Moved)?)?;
        let sight = self.sight_of_blocks(stand);
        // The node keeps the headers of blocks that it has deleted, and that of the one before them.
        let before = *self.hashes(fork, fork)?.first().ok_or(Trouble::Moved)?;
        let mut median = self.node.header(before)?.map(|header| header.median_time);
        let mut connected = Vec::with_capacity(hashes.len());
        for (height, hash) in (hole.from..).zip(hashes) {
            let header = self.node.header(hash)?.ok_or(Trouble::Moved)?;
            connected.push(Connected {
                block: BlockRef {
                    height,
                    hash: convert::block_hash(hash),
                },
                found_after: sight.block_found_after(header.time, median),
                claimed: sight.block_claims(header.time),
            });
            median = Some(header.median_time);
        }
        let mut reading = ChainReading {
            tip,
            fork_height: fork,
            connected,
            mined,
            conflicts: Vec::new(),
        };
        // A reorg is one change of view (R2), and its blocks up to the end of the hole may have less work than what they replace (R6).
        if fork < stand.tip.block.height {
            let hashes = self.hashes(hole.to + 1, node.blocks)?;
            if hashes.last() != Some(&node.best) {
                return Err(Trouble::Moved);
            }
            let (above, _) = self.read_blocks(stand, reading.tip.block, &hashes, tip_of(node)?)?;
            reading.tip = above.tip;
            reading.connected.extend(above.connected);
            reading.mined.extend(above.mined);
            reading.conflicts = above.conflicts;
        }
        Ok(Some(Stretch {
            reading,
            is_whole: false,
            txids: Vec::new(),
        }))
    }

    /// Ends a hole once the operator vouches for a block above it.
    pub(super) fn close_hole_if_accepted(&mut self) -> Result<(), Trouble> {
        if let Some(hole) = self.port.hole()
            && self.is_accepted(hole.to)?
        {
            self.runtime.block_on(self.port.set_hole(None)).map_err(store_trouble)?;
            // The charges that it held are judged with the next view, also when nothing new is known.
            if let Some(stand) = &mut self.stand {
                stand.stored_until = None;
            }
        }
        Ok(())
    }

    /// The payments in the hole that nobody has spent. The scan takes minutes, and there is nothing else to do meanwhile.
    fn unspent_in(&self, stand: Stand, hole: Hole) -> Result<Vec<PayingTx>, Trouble> {
        let issued = self.runtime.block_on(self.port.issued()).map_err(store_trouble)?;
        if issued.is_empty() {
            return Ok(Vec::new());
        }
        let ranges: Vec<(String, u32)> = issued
            .into_iter()
            .map(|range| (range.descriptor, range.highest))
            .collect();
        tracing::warn!(
            from = hole.from,
            to = hole.to,
            "searching the UTXO set for payments in pruned blocks"
        );
        let scan = self.node.scan(&ranges)?;
        if !scan.success {
            return Err(NodeError::Malformed("the scan was aborted".to_owned()).into());
        }
        let mut found: BTreeMap<Txid, Vec<Unspent>> = BTreeMap::new();
        for unspent in scan.unspents {
            if (hole.from..=hole.to).contains(&unspent.height) {
                found.entry(convert::txid(unspent.txid)).or_default().push(unspent);
            }
        }
        let mut txs = Vec::new();
        for (txid, unspents) in found {
            txs.extend(self.report_unspent(stand, txid, &unspents)?);
        }
        Ok(txs)
    }

    fn report_unspent(&self, stand: Stand, txid: Txid, unspents: &[Unspent]) -> Result<Option<PayingTx>, Trouble> {
        let outputs: Vec<PayingOutput> = unspents
            .iter()
            .filter_map(|unspent| {
                Some(PayingOutput {
                    vout: unspent.vout,
                    script: self.port.script(unspent.script.as_bytes())?,
                    script_pubkey: unspent.script.clone(),
                    value: unspent.amount,
                })
            })
            .collect();
        let Some(first) = unspents.first().filter(|_| !outputs.is_empty()) else {
            return Ok(None);
        };
        let hash = *self.hashes(first.height, first.height)?.first().ok_or(Trouble::Moved)?;
        let header = self.node.header(hash)?.ok_or(Trouble::Moved)?;
        let known = self.known.get(txid);
        Ok(Some(PayingTx {
            txid,
            raw: known.map(|tx| tx.raw.clone()).unwrap_or_default(),
            inputs: known.map_or_else(Vec::<Outpoint>::new, |tx| tx.inputs.clone()),
            ancestor_inputs: Vec::new(),
            outputs,
            place: Place::Block(BlockRef {
                height: first.height,
                hash: convert::block_hash(hash),
            }),
            first_seen: self.sight_of_blocks(stand).in_block(header.time),
            coinbase: first.coinbase,
        }))
    }
}

/// Two holes are one from the lower to the higher.
fn merged(before: Option<Hole>, hole: Hole) -> Hole {
    before.map_or(hole, |before| Hole {
        from: before.from.min(hole.from),
        to: before.to.max(hole.to),
        since: before.since.min(hole.since),
        until: before.until.max(hole.until),
    })
}
