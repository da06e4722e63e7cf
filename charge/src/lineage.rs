//! Who replaced whom (R5): the transactions of one charge as a graph, and how the value that was there in time is handed on.
//!
//! A replacement spends what another transaction would have spent, so it is the same money sent again. It stands in the place
//! of what it replaced, up to that value; and whatever takes the place of one payment, directly or through others, shares that
//! one value: ten outputs are no ten first sights.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bitcoin_units::Amount;

use crate::{Charge, Payment, Txid};

/// A transaction that pays the charge.
struct Node {
    /// Its payments, by their place among the charge's.
    payments: Range<usize>,
    /// The transactions that it replaced directly.
    replaced: Vec<usize>,
    /// What it brought in time.
    in_time: u64,
    /// One that was in time itself took its place: of a chain only the last one in time counts.
    is_superseded: bool,
    /// The transactions in time that share one value, by one of them.
    pool: usize,
}

/// The transactions of a charge.
pub(crate) struct Lineage {
    nodes: Vec<Node>,
}

/// What can still be inherited.
struct Left {
    /// Of each transaction in time.
    of_node: Vec<u64>,
    /// Of each pool.
    of_pool: Vec<u64>,
}

impl Lineage {
    /// The transactions of `charge`.
    pub(crate) fn of(charge: &Charge) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        let mut txids: Vec<Txid> = Vec::new();
        for (i, payment) in charge.payments.iter().enumerate() {
            // Payments stand in the order of their outpoints: those of a transaction beside each other.
            if txids.last() != Some(&payment.outpoint.txid) {
                txids.push(payment.outpoint.txid);
                nodes.push(Node {
                    payments: i..i,
                    replaced: Vec::new(),
                    in_time: 0,
                    is_superseded: false,
                    pool: nodes.len(),
                });
            }
            if let Some(node) = nodes.last_mut() {
                node.payments.end = i + 1;
                if charge.is_in_time(payment) {
                    node.in_time = node.in_time.saturating_add(payment.value.to_sat());
                }
            }
        }
        for (i, txid) in txids.iter().enumerate() {
            let mut replaced: Vec<usize> = charge.payments[nodes[i].payments.clone()]
                .iter()
                .flat_map(|payment| &payment.replaced)
                .filter_map(|ancestor| txids.binary_search(ancestor).ok())
                .filter(|&ancestor| txids[ancestor] != *txid)
                .collect();
            replaced.sort_unstable();
            replaced.dedup();
            nodes[i].replaced = replaced;
        }
        let mut lineage = Self { nodes };
        lineage.pool();
        lineage
    }

    /// Whether a transaction replaced one that was in time, directly or through others, for each of them.
    pub(crate) fn inherits_time(&self) -> Vec<bool> {
        let mut known: Vec<Option<bool>> = vec![None; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let mut path = vec![start];
            while let Some(&node) = path.last() {
                if known[node] == Some(true) {
                    path.pop();
                    continue;
                }
                // Not so, until an ancestor says otherwise: then a look at the same node again finds it.
                let is_first_look = known[node].is_none();
                known[node] = Some(false);
                let replaced = &self.nodes[node].replaced;
                let is_heir = |&ancestor: &usize| self.nodes[ancestor].in_time > 0 || known[ancestor] == Some(true);
                if replaced.iter().any(is_heir) {
                    known[node] = Some(true);
                }
                if known[node] == Some(true) || !is_first_look {
                    path.pop();
                } else {
                    path.extend(replaced.iter().filter(|&&ancestor| known[ancestor].is_none()));
                }
            }
        }
        known.into_iter().map(|is_heir| is_heir == Some(true)).collect()
    }

    /// The places of the payments of each transaction.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = Range<usize>> {
        self.nodes.iter().map(|node| node.payments.clone())
    }

    /// Adds to `shares` what payments inherit: those for which `is_heir` says that they do, of what those in time, which have
    /// their share already, leave. The order is that of the outpoints, so that a block decides nothing.
    pub(crate) fn share_out(&self, payments: &[Arc<Payment>], shares: &mut [Amount], is_heir: &[bool]) {
        let mut left = self.left(shares);
        let mut marks = Marks::over(self.nodes.len());
        for node in &self.nodes {
            let heirs: Vec<usize> = node.payments.clone().filter(|&i| is_heir[i]).collect();
            if heirs.is_empty() {
                continue;
            }
            let sources = self.last_in_time(&node.replaced, &mut marks);
            for i in heirs {
                let mut wanted = payments[i].value.to_sat();
                for &source in &sources {
                    let pool = self.nodes[source].pool;
                    let taken = wanted.min(left.of_node[source]).min(left.of_pool[pool]);
                    wanted -= taken;
                    left.of_node[source] -= taken;
                    left.of_pool[pool] -= taken;
                }
                shares[i] = Amount::from_sat(payments[i].value.to_sat() - wanted);
            }
        }
    }

    /// What those in time leave to their heirs: what counts by itself is not inherited as well.
    fn left(&self, shares: &[Amount]) -> Left {
        let mut left = Left {
            of_node: self.nodes.iter().map(|node| node.in_time).collect(),
            of_pool: vec![0; self.nodes.len()],
        };
        for node in self.nodes.iter().filter(|node| !node.is_superseded) {
            left.of_pool[node.pool] = left.of_pool[node.pool].saturating_add(node.in_time);
        }
        for (i, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.in_time > 0) {
            let own = shares[node.payments.clone()].iter().map(|share| share.to_sat());
            let own = own.fold(0, u64::saturating_add);
            left.of_node[i] = left.of_node[i].saturating_sub(own);
            left.of_pool[node.pool] = left.of_pool[node.pool].saturating_sub(own);
        }
        left
    }

    /// Puts those in time together that took each other's place in time.
    fn pool(&mut self) {
        let mut marks = Marks::over(self.nodes.len());
        for i in 0..self.nodes.len() {
            if self.nodes[i].in_time == 0 {
                continue;
            }
            for ancestor in self.nearest_in_time(&self.nodes[i].replaced, &mut marks) {
                self.nodes[ancestor].is_superseded = true;
                let (from, to) = (self.root(ancestor), self.root(i));
                self.nodes[from].pool = to;
            }
        }
        for i in 0..self.nodes.len() {
            self.nodes[i].pool = self.root(i);
        }
    }

    /// The one by which a pool is known. Each look shortens the way for the next.
    fn root(&mut self, mut node: usize) -> usize {
        while self.nodes[node].pool != node {
            self.nodes[node].pool = self.nodes[self.nodes[node].pool].pool;
            node = self.nodes[node].pool;
        }
        node
    }

    /// The ancestors in time that are met first, going back from `start` through those that are late.
    fn nearest_in_time(&self, start: &[usize], marks: &mut Marks) -> Vec<usize> {
        marks.wipe();
        let mut found = Vec::new();
        self.go_back(start, marks, |node, is_in_time| {
            if is_in_time {
                found.push(node);
            }
            !is_in_time
        });
        found
    }

    /// The ancestors in time that no other ancestor in time has taken the place of.
    fn last_in_time(&self, start: &[usize], marks: &mut Marks) -> Vec<usize> {
        let mut nearest = self.nearest_in_time(start, marks);
        marks.wipe();
        for &node in &nearest {
            self.go_back(&self.nodes[node].replaced, marks, |_, _| true);
        }
        nearest.retain(|&node| !marks.is_met(node));
        nearest.sort_unstable();
        nearest
    }

    /// Visits the ancestors of `start` and these themselves, each once, as long as `goes_on` says so.
    fn go_back(&self, start: &[usize], marks: &mut Marks, mut goes_on: impl FnMut(usize, bool) -> bool) {
        let mut ahead: Vec<usize> = start.to_vec();
        while let Some(node) = ahead.pop() {
            if marks.meet(node) && goes_on(node, self.nodes[node].in_time > 0) {
                ahead.extend(&self.nodes[node].replaced);
            }
        }
    }
}

/// Which transactions a walk has met; the next walk begins without going through them all.
struct Marks {
    walk: u32,
    met_in: Vec<u32>,
}

impl Marks {
    fn over(nodes: usize) -> Self {
        Self {
            walk: 1,
            met_in: vec![0; nodes],
        }
    }

    const fn wipe(&mut self) {
        self.walk += 1;
    }

    fn is_met(&self, node: usize) -> bool {
        self.met_in[node] == self.walk
    }

    /// Whether this is the first time.
    fn meet(&mut self, node: usize) -> bool {
        std::mem::replace(&mut self.met_in[node], self.walk) != self.walk
    }
}

impl Charge {
    /// Of the transactions `conflicts`, which a new one spends the outpoints of, those that pay this charge and that none of the
    /// others has replaced already: what is older is found through them. So a long chain of replacements costs one name each.
    pub(crate) fn nearest_replaced(&self, conflicts: &[Txid]) -> Vec<Txid> {
        let mut replaced: Vec<Txid> = conflicts
            .iter()
            .copied()
            .filter(|&txid| !self.payments_of(txid).is_empty())
            .collect();
        replaced.sort_unstable();
        replaced.dedup();
        let mut older = BTreeSet::new();
        let ancestors_of = |txid| self.payments_of(txid).iter().flat_map(|payment| &payment.replaced);
        let mut ahead: Vec<Txid> = replaced.iter().flat_map(|&txid| ancestors_of(txid)).copied().collect();
        while let Some(txid) = ahead.pop() {
            if older.insert(txid) {
                ahead.extend(ancestors_of(txid));
            }
        }
        replaced.retain(|txid| !older.contains(txid));
        replaced
    }
}
