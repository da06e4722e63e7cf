//! The old view: the paying transactions that can still be lost, and which outpoints would be spent by who takes them away.

use std::collections::{HashMap, HashSet};

use bitpro_charge::{Outpoint, Place, Txid};

use super::view::{PayingTx, View, is_settled};

/// The paying transactions that are followed.
#[derive(Debug, Default)]
pub(super) struct Known {
    txs: HashMap<Txid, PayingTx>,
    /// No transaction stands in a block above this one. Most views have no new block: then nothing need be gone through.
    highest: u32,
    /// Who spends an outpoint, directly or through an unconfirmed ancestor.
    spenders: HashMap<Outpoint, Vec<Txid>>,
}

impl Known {
    /// The transaction called `txid`, if it is followed.
    pub(super) fn get(&self, txid: Txid) -> Option<&PayingTx> {
        self.txs.get(&txid)
    }

    /// Whether it is followed and in no block.
    pub(super) fn is_unconfirmed(&self, txid: Txid) -> bool {
        self.txs.get(&txid).is_some_and(|tx| tx.place == Place::Mempool)
    }

    /// Whether `tx`, out of the mempool, is followed there with all that is to be known of it. Its bytes are not when it was found
    /// in a block that the node had deleted (R6), and outputs are not whose scripts were not watched at first (R27).
    pub(super) fn has_as_it_is(&self, tx: &PayingTx) -> bool {
        self.txs
            .get(&tx.txid)
            .is_some_and(|known| known.place == Place::Mempool && !known.raw.is_empty() && known.outputs == tx.outputs)
    }

    /// Those in no block.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &PayingTx> {
        self.txs.values().filter(|tx| tx.place == Place::Mempool)
    }

    /// Those in blocks above `height`.
    pub(super) fn in_blocks_above(&self, height: u32) -> impl Iterator<Item = &PayingTx> {
        let may_be = self.highest > height;
        let txs = may_be.then(|| self.txs.values());
        txs.into_iter()
            .flatten()
            .filter(move |tx| matches!(tx.place, Place::Block(block) if block.height > height))
    }

    /// Whether nothing is followed.
    pub(super) fn is_empty(&self) -> bool {
        self.txs.is_empty()
    }

    /// The followed transactions that cannot live beside one that spends `inputs`: that take an outpoint of theirs, or of an
    /// unconfirmed ancestor, without being that ancestor (R3).
    pub(super) fn victims(&self, txid: Txid, inputs: impl IntoIterator<Item = Outpoint>) -> Vec<Txid> {
        let mut victims: Vec<Txid> = inputs
            .into_iter()
            .filter_map(|input| self.spenders.get(&input))
            .flatten()
            .copied()
            .filter(|&victim| self.txs.get(&victim).is_some_and(|tx| is_conflict(tx, txid)))
            .collect();
        victims.sort_unstable();
        victims.dedup();
        victims
    }

    /// Starts to follow `tx`, or follows it where it is now.
    pub(super) fn insert(&mut self, mut tx: PayingTx) {
        if let Some(before) = self.remove(tx.txid) {
            // What was recorded at first sight stays: a replaced ancestor is no ancestor any more (R3).
            let reported: HashSet<Outpoint> = tx.ancestor_inputs.iter().copied().collect();
            let recorded = before.ancestor_inputs.into_iter();
            tx.ancestor_inputs
                .extend(recorded.filter(|input| !reported.contains(input)));
        }
        if let Place::Block(block) = tx.place {
            self.highest = self.highest.max(block.height);
        }
        for &outpoint in tx.inputs.iter().chain(&tx.ancestor_inputs) {
            self.spenders.entry(outpoint).or_default().push(tx.txid);
        }
        self.txs.insert(tx.txid, tx);
    }

    /// Takes over a view that the charges have stored.
    pub(super) fn apply(&mut self, view: &View) {
        for lost in &view.gone {
            self.remove(lost.txid);
        }
        for tx in &view.transactions {
            self.insert(tx.clone());
        }
        if view.connected.is_empty() {
            return;
        }
        let settled: Vec<Txid> = self
            .txs
            .values()
            .filter(|tx| matches!(tx.place, Place::Block(block) if is_settled(block.height, view.tip.block.height)))
            .map(|tx| tx.txid)
            .collect();
        for txid in settled {
            self.remove(txid);
        }
    }

    fn remove(&mut self, txid: Txid) -> Option<PayingTx> {
        let tx = self.txs.remove(&txid)?;
        for outpoint in tx.inputs.iter().chain(&tx.ancestor_inputs) {
            if let Some(spenders) = self.spenders.get_mut(outpoint) {
                spenders.retain(|&spender| spender != txid);
                if spenders.is_empty() {
                    self.spenders.remove(outpoint);
                }
            }
        }
        Some(tx)
    }
}

/// Whether a transaction that spends an outpoint of `tx`, or of its ancestors, is neither `tx` itself nor one of these ancestors.
/// Each ancestor is the source of an input of `tx` or of another ancestor.
pub(super) fn is_conflict(tx: &PayingTx, spender: Txid) -> bool {
    spender != tx.txid
        && !tx
            .inputs
            .iter()
            .chain(&tx.ancestor_inputs)
            .any(|source| source.txid == spender)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{block, outpoint, paying, txid, view};
    use super::*;

    #[test]
    fn r03_a_spend_of_an_input_or_of_an_ancestors_input_is_a_conflict_and_the_ancestor_is_none() {
        let mut known = Known::default();
        // 9 was paid by 2, which spends an output of 1, which spends one of 0.
        let mut tx = paying(9, Place::Mempool);
        tx.inputs = vec![outpoint(2, 0)];
        tx.ancestor_inputs = vec![outpoint(1, 0), outpoint(0, 0)];
        known.insert(tx);
        let victims = |spender, input| known.victims(txid(spender), [input]);
        assert_eq!(victims(9, outpoint(2, 0)), []);
        assert_eq!(victims(2, outpoint(1, 0)), []);
        assert_eq!(victims(1, outpoint(0, 0)), []);
        assert_eq!(victims(50, outpoint(2, 0)), [txid(9)]);
        assert_eq!(victims(50, outpoint(1, 0)), [txid(9)]);
        assert_eq!(victims(50, outpoint(0, 0)), [txid(9)]);
        assert_eq!(victims(50, outpoint(2, 1)), []);
    }

    #[test]
    fn r03_what_was_recorded_at_first_sight_stays() {
        let mut known = Known::default();
        let mut tx = paying(9, Place::Mempool);
        tx.ancestor_inputs = vec![outpoint(1, 0)];
        known.insert(tx.clone());
        tx.ancestor_inputs = vec![outpoint(3, 0)];
        known.insert(tx);
        assert_eq!(known.victims(txid(50), [outpoint(1, 0)]), [txid(9)]);
        assert_eq!(known.victims(txid(50), [outpoint(3, 0)]), [txid(9)]);
    }

    #[test]
    fn r34_watches_on_spent_outpoints_end_144_blocks_deep() {
        let mut known = Known::default();
        let tx = paying(9, Place::Block(block(100)));
        let input = tx.inputs[0];
        known.insert(tx);
        let reached = |height| View {
            connected: vec![block(height).into()],
            ..view(height)
        };
        // 143 confirmations, then 144.
        known.apply(&reached(242));
        assert_eq!(known.victims(txid(50), [input]), [txid(9)]);
        known.apply(&reached(243));
        assert_eq!(known.victims(txid(50), [input]), []);
        assert!(known.spenders.is_empty());
    }

    #[test]
    fn what_is_lost_is_not_followed_any_more() {
        let mut known = Known::default();
        known.insert(paying(9, Place::Mempool));
        assert!(known.is_unconfirmed(txid(9)));
        let mut view = view(5);
        view.gone = vec![super::super::view::LostTx {
            txid: txid(9),
            loss: bitpro_charge::Loss::Replaced,
            replaced_by: None,
        }];
        known.apply(&view);
        assert!(known.get(txid(9)).is_none());
        assert!(known.spenders.is_empty());
    }
}
