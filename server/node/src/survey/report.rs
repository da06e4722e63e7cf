//! Reports of transactions that were found, as the watcher would have made them.

use bitpro_charge::{BlockRef, Interval, Outpoint, Place, Timestamp, Txid};

use super::{FoundOutput, MINERS_CLOCK_SECS, Survey};
use crate::api::NodeApi as _;
use crate::convert;
use crate::error::NodeError;
use crate::matching::{paying_outputs, paying_tx};
use crate::view::{PayingOutput, PayingTx, ScriptId};

impl Survey {
    /// The whole report of a transaction that pays us, as the watcher would make it, found at `place`. It was first seen after
    /// `since`, when nobody could have known the address yet, and no later than the place tells (R5): between, nothing is known.
    /// `None` when it is not there any more.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn report(
        &self,
        found: &[FoundOutput],
        since: Timestamp,
        now: Timestamp,
        script: impl Fn(&[u8]) -> Option<ScriptId>,
    ) -> Result<Option<PayingTx>, NodeError> {
        let Some(first) = found.first() else { return Ok(None) };
        match first.place {
            Place::Mempool => self.report_of_pool(first.outpoint.txid, now, script),
            Place::Block(block) => {
                let first_seen = sight_in_block(self.known_by(block)?, since, now);
                self.report_of_block(found, first.outpoint.txid, block, first_seen, script)
            }
        }
    }

    fn report_of_pool(
        &self,
        txid: Txid,
        now: Timestamp,
        script: impl Fn(&[u8]) -> Option<ScriptId>,
    ) -> Result<Option<PayingTx>, NodeError> {
        let Some(present) = self.node.pool_txs(&[txid])?.pop().flatten() else {
            return Ok(None);
        };
        let mut ancestor_inputs = Vec::new();
        for ancestor in self
            .node
            .transactions(&self.node.ancestors(txid)?)?
            .into_iter()
            .flatten()
        {
            ancestor_inputs.extend(convert::inputs(&ancestor));
        }
        let entered = self.by_our_clock(present.entry.time);
        let first_seen = Interval {
            earliest: entered.min(now),
            // The node's record is in whole seconds, rounded down.
            latest: Timestamp(entered.0.saturating_add(999)).max(self.aligned_from).min(now),
        };
        let outputs = paying_outputs(&present.tx, script);
        Ok(Some(paying_tx(
            &present.tx,
            txid,
            outputs,
            Place::Mempool,
            first_seen,
            ancestor_inputs,
        )))
    }

    fn report_of_block(
        &self,
        found: &[FoundOutput],
        txid: Txid,
        block: BlockRef,
        first_seen: Interval,
        script: impl Fn(&[u8]) -> Option<ScriptId>,
    ) -> Result<Option<PayingTx>, NodeError> {
        let place = Place::Block(block);
        let mut report = None;
        let read = self.node.each_block(
            &[convert::to_node_block(block.hash)],
            |checked| -> Result<(), NodeError> {
                let mut txs = checked.block.txdata.iter().zip(&checked.txids);
                if let Some((tx, _)) = txs.find(|(_, id)| convert::txid(**id) == txid) {
                    let outputs = paying_outputs(tx, &script);
                    report = Some(paying_tx(tx, txid, outputs, place, first_seen, Vec::new()));
                }
                Ok(())
            },
        );
        match read {
            // Only its outputs are known then: the UTXO set told of them.
            Err(NodeError::Pruned(_)) => Ok(Some(PayingTx {
                txid,
                raw: Vec::new(),
                inputs: Vec::new(),
                ancestor_inputs: Vec::new(),
                outputs: found
                    .iter()
                    .filter_map(|output| {
                        Some(PayingOutput {
                            vout: output.outpoint.vout,
                            script: script(&output.script_pubkey)?,
                            script_pubkey: bitcoin::ScriptBuf::from_bytes(output.script_pubkey.clone()),
                            value: output.value,
                        })
                    })
                    .collect(),
                place,
                first_seen,
                coinbase: found.iter().any(|output| output.coinbase),
            })),
            Err(error) => Err(error),
            Ok(()) => Ok(report),
        }
    }

    /// By when what a block holds was known: the block's time, and not before its parent's, for miners' clocks may be slow.
    fn known_by(&self, block: BlockRef) -> Result<Timestamp, NodeError> {
        let gone = || NodeError::Malformed(format!("block {} is not known any more", block.hash));
        let header = self.node.header(convert::to_node_block(block.hash))?.ok_or_else(gone)?;
        let parent = match header.previous {
            Some(previous) => self.node.header(previous)?.map_or(header.time, |parent| parent.time),
            None => header.time,
        };
        Ok(self.by_miners_clock(header.time.max(parent)).max(self.aligned_from))
    }
}

/// The outputs to watched scripts of a transaction in bytes; none, of bytes that are none.
#[must_use]
pub fn outputs_in(raw: &[u8], script: impl Fn(&[u8]) -> Option<ScriptId>) -> Vec<PayingOutput> {
    bitcoin::consensus::encode::deserialize::<bitcoin::Transaction>(raw)
        .map(|tx| paying_outputs(&tx, script))
        .unwrap_or_default()
}

/// The transaction in these bytes: its id, what it spends, and whether it is a coinbase transaction. `None` of bytes that are none.
#[must_use]
pub fn transaction_in(raw: &[u8]) -> Option<(Txid, Vec<Outpoint>, bool)> {
    let tx: bitcoin::Transaction = bitcoin::consensus::encode::deserialize(raw).ok()?;
    Some((convert::txid(tx.compute_txid()), convert::inputs(&tx), tx.is_coinbase()))
}

/// When a payment was first seen of which nothing is known but its block. A miner's clock that runs behind makes no payment older
/// than the address that it pays; only a block that is older by more than clocks may differ really is.
fn sight_in_block(by_block: Timestamp, since: Timestamp, now: Timestamp) -> Interval {
    let is_behind = by_block < since && since.as_secs() - by_block.as_secs() <= MINERS_CLOCK_SECS;
    let latest = if is_behind { since } else { by_block }.min(now);
    Interval {
        earliest: since.min(latest),
        latest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(by_block: i64, since: i64, now: i64) -> (i64, i64) {
        let secs = Timestamp::from_secs;
        let Interval { earliest, latest } = sight_in_block(secs(by_block), secs(since), secs(now));
        (earliest.as_secs(), latest.as_secs())
    }

    #[test]
    fn r05_of_a_payment_that_was_not_noticed_only_its_charge_and_its_block_bound_the_first_sight() {
        assert_eq!(sight(50_000, 40_000, 90_000), (40_000, 50_000));
        // A miner's clock that runs ahead.
        assert_eq!(sight(95_000, 40_000, 90_000), (40_000, 90_000));
        // One that runs behind, or whole seconds: nobody had the address before.
        assert_eq!(sight(39_999, 40_000, 90_000), (40_000, 40_000));
        // Older than any clock may say: somebody else's money, from before the charge.
        assert_eq!(sight(20_000, 40_000, 90_000), (20_000, 20_000));
    }
}
