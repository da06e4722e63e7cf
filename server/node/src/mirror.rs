//! Which transactions are in the node's mempool, and which of them pay us: kept by the notifications, checked by every full reading.

use std::collections::{HashMap, HashSet};

use bitpro_charge::{Timestamp, Txid};

use super::view::Fingerprint;

/// Transactions of connected blocks come by as well and never enter the mempool: beyond this many, they are forgotten.
const PASSERS_BY: usize = 20_000;

/// How we came to know that a transaction pays us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receipt {
    /// It came by at this instant.
    CameBy(Timestamp),
    /// It was found in the mempool.
    Found,
    /// It was looked at before a script that it pays was watched: it may be older than everything that we know (R27).
    Overlooked,
}

/// The mempool as we know it. Every transaction in it was looked at, or stands among the unexamined.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    present: HashSet<Txid>,
    /// In the mempool by notification, but never seen.
    unexamined: HashSet<Txid>,
    /// Seen, but not in the mempool by notification: it may come, or belong to a block.
    passers_by: HashSet<Txid>,
    /// The scripts that everything seen pays, in short, to be looked through when scripts are watched later.
    outputs: HashMap<Txid, Box<[Fingerprint]>>,
    /// Of all that was seen, what pays us. May hold transactions that are not in the mempool: the node is asked.
    paying: HashMap<Txid, Receipt>,
    /// The number of the first change that is not in the last full reading.
    next_sequence: u64,
}

impl Mirror {
    /// A transaction was looked at, and pays us or not.
    pub(super) fn examined(&mut self, txid: Txid, outputs: Box<[Fingerprint]>, pays: bool) {
        if pays {
            self.paying.entry(txid).or_insert(Receipt::Found);
        }
        self.seen(txid, outputs);
    }

    /// A transaction that pays us came by.
    pub(super) fn received(&mut self, txid: Txid, outputs: Box<[Fingerprint]>, at: Timestamp) {
        self.paying.entry(txid).or_insert(Receipt::CameBy(at));
        self.seen(txid, outputs);
    }

    /// How a transaction that pays us was found.
    pub(super) fn receipt(&self, txid: Txid) -> Receipt {
        self.paying.get(&txid).copied().unwrap_or(Receipt::Found)
    }

    /// Looks for scripts that are watched only now in all that was seen; whether any of it pays them.
    pub(super) fn look_for(&mut self, scripts: &HashSet<Fingerprint>) -> bool {
        let mut has_found = false;
        for (&txid, outputs) in &self.outputs {
            if outputs.iter().any(|script| scripts.contains(script)) {
                self.paying.insert(txid, Receipt::Overlooked);
                has_found = true;
            }
        }
        has_found
    }

    /// Whether it was looked at before a script that it pays was watched, and not again since.
    pub(super) fn is_overlooked(&self, txid: Txid) -> bool {
        self.receipt(txid) == Receipt::Overlooked
    }

    /// What was overlooked was looked at again, and what came of it is stored.
    pub(super) fn reported(&mut self) {
        for receipt in self.paying.values_mut() {
            if *receipt == Receipt::Overlooked {
                *receipt = Receipt::Found;
            }
        }
    }

    /// A transaction has entered the mempool.
    pub(super) fn added(&mut self, txid: Txid, sequence: u64) {
        if sequence >= self.next_sequence && self.present.insert(txid) && !self.passers_by.remove(&txid) {
            self.unexamined.insert(txid);
        }
    }

    /// A transaction has left the mempool.
    pub(super) fn removed(&mut self, txid: Txid, sequence: u64) {
        if sequence >= self.next_sequence {
            self.forget(txid);
        }
    }

    /// A transaction is not in the mempool.
    pub(super) fn forget(&mut self, txid: Txid) {
        self.present.remove(&txid);
        self.unexamined.remove(&txid);
        self.paying.remove(&txid);
        if !self.passers_by.contains(&txid) {
            self.outputs.remove(&txid);
        }
    }

    /// A transaction came by that the node does not have: when it comes, it is looked at as if nobody had heard of it (R7).
    pub(super) fn unhear(&mut self, txid: Txid) {
        self.passers_by.remove(&txid);
        self.forget(txid);
    }

    /// A transaction does not pay us, although it seemed to.
    pub(super) fn pays_nothing(&mut self, txid: Txid) {
        self.paying.remove(&txid);
    }

    /// What of a full reading was never looked at.
    pub(super) fn unseen<'a>(&'a self, txids: &'a [Txid]) -> impl Iterator<Item = Txid> + 'a {
        txids.iter().copied().filter(|txid| {
            !self.passers_by.contains(txid) && (!self.present.contains(txid) || self.unexamined.contains(txid))
        })
    }

    /// Takes over a full reading: `unread` of `txids` are those that could not be looked at.
    pub(super) fn replace(&mut self, txids: Vec<Txid>, unread: &HashSet<Txid>, next_sequence: u64) {
        self.present = txids.into_iter().collect();
        self.unexamined = unread
            .iter()
            .copied()
            .filter(|txid| self.present.contains(txid))
            .collect();
        self.passers_by.retain(|txid| !self.present.contains(txid));
        let is_seen = |txid: &Txid| self.present.contains(txid) || self.passers_by.contains(txid);
        self.paying.retain(|txid, _| is_seen(txid));
        self.outputs.retain(|txid, _| is_seen(txid));
        self.next_sequence = next_sequence;
    }

    /// Whether it is in the mempool, as far as we know.
    pub(super) fn contains(&self, txid: Txid) -> bool {
        self.present.contains(&txid)
    }

    /// How many transactions are in the mempool, as far as we know.
    pub(super) fn len(&self) -> usize {
        self.present.len()
    }

    /// What is in the mempool and was never looked at.
    pub(super) fn unexamined(&self) -> Vec<Txid> {
        self.unexamined.iter().copied().collect()
    }

    /// Whether everything that is in the mempool was looked at.
    pub(super) fn is_complete(&self) -> bool {
        self.unexamined.is_empty()
    }

    /// What was seen to pay us and may be in the mempool.
    pub(super) fn paying(&self) -> impl Iterator<Item = Txid> + '_ {
        self.paying.keys().copied()
    }

    fn seen(&mut self, txid: Txid, outputs: Box<[Fingerprint]>) {
        if !self.unexamined.remove(&txid) && !self.present.contains(&txid) {
            if self.passers_by.len() >= PASSERS_BY {
                for forgotten in self.passers_by.drain() {
                    self.outputs.remove(&forgotten);
                }
            }
            self.passers_by.insert(txid);
        }
        self.outputs.insert(txid, outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::txid;
    use super::*;

    fn paying(mirror: &Mirror) -> Vec<Txid> {
        let mut paying: Vec<Txid> = mirror.paying().collect();
        paying.sort_unstable();
        paying
    }

    fn script(n: u64) -> Box<[Fingerprint]> {
        Box::new([Fingerprint(n)])
    }

    fn examine(mirror: &mut Mirror, txid: Txid, pays: bool) {
        mirror.examined(txid, script(0), pays);
    }

    #[test]
    fn r27_what_was_looked_at_is_looked_through_again_for_scripts_that_are_watched_later() {
        let mut mirror = Mirror::default();
        mirror.examined(txid(1), Box::new([Fingerprint(7), Fingerprint(8)]), false);
        mirror.added(txid(1), 0);
        mirror.received(txid(2), Box::new([Fingerprint(9)]), Timestamp(5));
        mirror.examined(txid(3), script(9), false);
        assert!(!mirror.look_for(&HashSet::from([Fingerprint(6)])));
        assert!(mirror.look_for(&HashSet::from([Fingerprint(8)])));
        assert_eq!(paying(&mirror), [txid(1), txid(2)]);
        assert_eq!(mirror.receipt(txid(1)), Receipt::Overlooked);
        // One that pays us already may pay a new script too, and one that came by may not be in the mempool yet.
        assert!(mirror.look_for(&HashSet::from([Fingerprint(9)])));
        assert!((1..=3).all(|n| mirror.is_overlooked(txid(n))));
        mirror.reported();
        assert!((1..=3).all(|n| !mirror.is_overlooked(txid(n))));
        // What has left is not found any more.
        mirror.replace(vec![], &HashSet::new(), 9);
        mirror.removed(txid(1), 10);
        assert!(!mirror.look_for(&HashSet::from([Fingerprint(8)])));
    }

    #[test]
    fn a_transaction_may_be_seen_before_or_after_it_is_announced() {
        let mut mirror = Mirror::default();
        examine(&mut mirror, txid(1), true);
        mirror.added(txid(1), 5);
        assert!(mirror.is_complete());
        mirror.added(txid(2), 6);
        assert_eq!(mirror.unexamined(), [txid(2)]);
        examine(&mut mirror, txid(2), false);
        assert!(mirror.is_complete());
        assert_eq!((mirror.len(), paying(&mirror)), (2, vec![txid(1)]));
        mirror.removed(txid(1), 7);
        assert_eq!((mirror.len(), paying(&mirror)), (1, vec![]));
    }

    #[test]
    fn r07_what_came_by_and_is_not_there_is_looked_at_when_it_comes() {
        let mut mirror = Mirror::default();
        mirror.received(txid(1), script(1), Timestamp(5));
        mirror.unhear(txid(1));
        assert_eq!(paying(&mirror), []);
        assert!(mirror.unseen(&[txid(1)]).eq([txid(1)]));
        mirror.added(txid(1), 0);
        assert_eq!(mirror.unexamined(), [txid(1)]);
    }

    #[test]
    fn r05_the_first_receipt_is_kept() {
        let mut mirror = Mirror::default();
        mirror.received(txid(1), script(1), Timestamp(5));
        mirror.received(txid(1), script(1), Timestamp(9));
        examine(&mut mirror, txid(1), true);
        examine(&mut mirror, txid(2), true);
        mirror.added(txid(1), 0);
        mirror.added(txid(2), 1);
        assert_eq!(mirror.receipt(txid(1)), Receipt::CameBy(Timestamp(5)));
        assert_eq!(mirror.receipt(txid(2)), Receipt::Found);
        assert_eq!(paying(&mirror), [txid(1), txid(2)]);
    }

    #[test]
    fn r07_what_a_full_reading_holds_already_is_not_taken_twice() {
        let mut mirror = Mirror::default();
        mirror.replace(vec![txid(1)], &HashSet::new(), 10);
        mirror.removed(txid(1), 8);
        mirror.added(txid(2), 9);
        assert!(mirror.contains(txid(1)) && !mirror.contains(txid(2)));
        mirror.removed(txid(1), 10);
        mirror.added(txid(3), 11);
        assert_eq!(mirror.len(), 1);
        assert!(mirror.contains(txid(3)));
    }

    #[test]
    fn only_what_was_never_seen_is_fetched() {
        let mut mirror = Mirror::default();
        examine(&mut mirror, txid(1), true);
        mirror.added(txid(1), 0);
        examine(&mut mirror, txid(2), false);
        mirror.added(txid(3), 1);
        let all = [txid(1), txid(2), txid(3), txid(4)];
        let unseen: Vec<Txid> = mirror.unseen(&all).collect();
        assert_eq!(unseen, [txid(3), txid(4)]);
        // 4 left the mempool before it could be fetched, and stays unexamined until the next reading.
        examine(&mut mirror, txid(3), false);
        mirror.replace(all.to_vec(), &HashSet::from([txid(4)]), 9);
        assert_eq!(mirror.unexamined(), [txid(4)]);
        assert_eq!((mirror.len(), paying(&mirror)), (4, vec![txid(1)]));
    }

    #[test]
    fn what_left_the_mempool_unnoticed_is_forgotten_by_the_next_reading() {
        let mut mirror = Mirror::default();
        examine(&mut mirror, txid(1), true);
        mirror.added(txid(1), 0);
        mirror.replace(vec![], &HashSet::new(), 9);
        assert_eq!((mirror.len(), paying(&mirror)), (0, vec![]));
    }

    #[test]
    fn transactions_of_blocks_do_not_pile_up() {
        let mut mirror = Mirror::default();
        for n in 0..=PASSERS_BY {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&n.to_le_bytes());
            examine(&mut mirror, Txid(bytes), false);
        }
        assert_eq!((mirror.passers_by.len(), mirror.outputs.len()), (1, 1));
    }
}
