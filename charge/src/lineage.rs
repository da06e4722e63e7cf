//! Who replaced whom (R5): the transactions of one charge as a graph, and how the value that was there in time is handed on.
//!
//! A replacement spends what another transaction would have spent, so it is the same money sent again. It stands in the place
//! of what it replaced, up to that value; and whatever takes the place of one payment, directly or through others, shares that
//! one value: ten outputs are no ten first sights.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use bitcoin_units::Amount;

use crate::counting::{Share, Standing};
use crate::marks::Marks;
use crate::{Charge, Payment, Txid, work};

/// A transaction that pays the charge.
struct Node {
    /// Its payments, by their place among the charge's.
    payments: Range<usize>,
    /// The transactions that it replaced directly.
    replaced: Vec<usize>,
    /// What it brought in time.
    in_time: u64,
    /// What the merchant's hand took of it (R14).
    by_hand: u64,
    /// What of that was in time as well.
    both: u64,
    /// What came late and was taken by the policy (R13).
    by_policy: u64,
}

/// The transactions of a charge.
pub(crate) struct Lineage {
    nodes: Vec<Node>,
}

impl Lineage {
    /// The transactions of `charge`, where `is_by_hand` says what the merchant's hand took.
    pub(crate) fn of(charge: &Charge, is_by_hand: impl Fn(&Payment) -> bool) -> Self {
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
                    by_hand: 0,
                    both: 0,
                    by_policy: 0,
                });
            }
            if let Some(node) = nodes.last_mut() {
                node.payments.end = i + 1;
                let add = |to: &mut u64| *to = to.saturating_add(payment.value.to_sat());
                let (is_in_time, is_by_hand) = (charge.is_in_time(payment), is_by_hand(payment));
                if is_in_time {
                    add(&mut node.in_time);
                }
                if is_by_hand {
                    add(&mut node.by_hand);
                }
                if is_in_time && is_by_hand {
                    add(&mut node.both);
                }
                // What was cancelled takes nothing by itself (R15), and passes nothing on.
                if !is_in_time && !is_by_hand && !charge.cancelled && charge.leaves_by_policy(payment) {
                    add(&mut node.by_policy);
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
            work::count(replaced.len());
            nodes[i].replaced = replaced;
        }
        Self { nodes }
    }

    /// Whether a transaction replaced one that was in time, directly or through others, for each of them.
    pub(crate) fn inherits_time(&self) -> Vec<bool> {
        let mut known: Vec<Option<bool>> = vec![None; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let mut path = vec![start];
            while let Some(&node) = path.last() {
                work::count(1);
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

    /// Adds to `shares` what payments inherit, of what those before them, which have their share already, leave: first of what the
    /// merchant's hand took (R14), which is asked about no more, then of what was in time (R5), then of what came late and the policy
    /// took (R13), where `standings` has heirs of that.
    /// The order is that of the outpoints, so that a block decides nothing.
    pub(crate) fn share_out(&self, payments: &[Arc<Payment>], shares: &mut [Share], standings: &[Standing]) {
        let mut timely = Estate::of(self, self.nodes.iter().map(|node| node.in_time).collect());
        timely.keep_own(|place| shares[place].total());
        if self.nodes.iter().any(|node| node.by_hand > 0) {
            let mut taken = Estate::of(self, self.nodes.iter().map(|node| node.by_hand).collect());
            taken.keep_own(|place| shares[place].by_hand);
            // Those go first that inherit nothing else.
            for is_all in [true, false] {
                self.hand_on(&mut taken, |place, give| {
                    let inherits = match standings[place] {
                        Standing::HeirOfHand => is_all,
                        Standing::Heir | Standing::HeirOfTime => !is_all,
                        // What was in time itself and is stuck waits for nobody's word where that was given already.
                        Standing::Whole => !is_all && payments[place].stalled,
                        Standing::ByPolicy | Standing::ByHand | Standing::None => false,
                    };
                    if inherits {
                        let (value, share) = (payments[place].value, &mut shares[place]);
                        let own = std::mem::replace(&mut share.by_time, Amount::ZERO);
                        share.by_hand = give(value);
                        share.by_time = own.min(share.lacks_of(value));
                    }
                });
            }
            for (i, node) in self.nodes.iter().enumerate() {
                // What was in time and taken by hand is one value: what went to an heir as taken is not there a second time.
                timely.spend(i, taken.handed_on[i].saturating_sub(node.by_hand - node.both));
            }
        }
        self.hand_on(&mut timely, |place, give| {
            if matches!(standings[place], Standing::Heir | Standing::HeirOfTime) {
                shares[place].by_time = give(shares[place].lacks_of(payments[place].value));
            }
        });
        if self.nodes.iter().any(|node| node.by_policy > 0) {
            let mut taken = Estate::of(self, self.nodes.iter().map(|node| node.by_policy).collect());
            taken.keep_own(|place| shares[place].by_policy);
            self.hand_on(&mut taken, |place, give| {
                if standings[place] == Standing::Heir {
                    shares[place].by_policy = give(shares[place].lacks_of(payments[place].value));
                }
            });
        }
    }

    /// Goes through all payments that have something before them, and lets `take` give them of it.
    fn hand_on(&self, estate: &mut Estate<'_>, mut take: impl FnMut(usize, &mut dyn FnMut(Amount) -> Amount)) {
        for (i, node) in self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| !node.replaced.is_empty())
        {
            let sources = estate.sources(i);
            let mut sources = &sources[..];
            for place in node.payments.clone() {
                take(place, &mut |wanted| estate.give(&mut sources, wanted));
            }
        }
    }
}

/// What transactions leave to those that take their place: value that was there in time, or that the merchant's hand took.
///
/// Whoever looks back through a transaction finds the same before it, so that it is found once: a decision costs as much as there are
/// payments and replacements, and not as their product.
struct Estate<'l> {
    lineage: &'l Lineage,
    /// What each transaction brought.
    worth: Vec<u64>,
    /// The transactions that took each other's place and so share one value, by one of them.
    pool: Vec<usize>,
    /// What can still be inherited of each transaction.
    left: Vec<u64>,
    /// And of each pool.
    left_of_pool: Vec<u64>,
    /// How much of each transaction went to heirs.
    handed_on: Vec<u64>,
    /// Of each transaction that brought nothing itself, once it was asked for: whom it inherits from.
    before: Vec<Option<Rc<[usize]>>>,
    looked_at: Marks,
    older: Marks,
}

impl<'l> Estate<'l> {
    fn of(lineage: &'l Lineage, worth: Vec<u64>) -> Self {
        let count = worth.len();
        let mut estate = Self {
            lineage,
            left: worth.clone(),
            left_of_pool: vec![0; count],
            handed_on: vec![0; count],
            pool: (0..count).collect(),
            before: vec![None; count],
            looked_at: Marks::over(count),
            older: Marks::over(count),
            worth,
        };
        let is_superseded = estate.pool();
        for (i, _) in is_superseded.iter().enumerate().filter(|&(_, superseded)| !superseded) {
            let of_pool = &mut estate.left_of_pool[estate.pool[i]];
            *of_pool = of_pool.saturating_add(estate.worth[i]);
        }
        estate
    }

    /// Puts those together that took each other's place, and says whose place was taken: of a chain only the last one counts.
    fn pool(&mut self) -> Vec<bool> {
        let mut is_superseded = vec![false; self.worth.len()];
        for i in (0..self.worth.len()).filter(|&i| self.worth[i] > 0).collect::<Vec<_>>() {
            for &ancestor in &*self.sources(i) {
                is_superseded[ancestor] = true;
                let (from, to) = (self.root(ancestor), self.root(i));
                self.pool[from] = to;
            }
        }
        for i in 0..self.worth.len() {
            self.pool[i] = self.root(i);
        }
        is_superseded
    }

    /// The one by which a pool is known. Each look shortens the way for the next.
    fn root(&mut self, mut node: usize) -> usize {
        while self.pool[node] != node {
            work::count(1);
            self.pool[node] = self.pool[self.pool[node]];
            node = self.pool[node];
        }
        node
    }

    /// What counts by itself is not inherited as well; `share` says what that is, by the place of a payment.
    fn keep_own(&mut self, share: impl Fn(usize) -> Amount) {
        for (i, node) in self.lineage.nodes.iter().enumerate() {
            if self.worth[i] > 0 {
                let own = node.payments.clone().map(|place| share(place).to_sat());
                self.spend(i, own.fold(0, u64::saturating_add));
            }
        }
    }

    fn spend(&mut self, node: usize, sats: u64) {
        let of_pool = &mut self.left_of_pool[self.pool[node]];
        *of_pool = of_pool.saturating_sub(sats);
        self.left[node] = self.left[node].saturating_sub(sats);
    }

    /// As much of `wanted` as these sources have left; what has nothing left is left out of them from then on.
    fn give(&mut self, sources: &mut &[usize], wanted: Amount) -> Amount {
        let mut missing = wanted.to_sat();
        while let [source, others @ ..] = *sources
            && missing > 0
        {
            work::count(1);
            let given = missing
                .min(self.left[*source])
                .min(self.left_of_pool[self.pool[*source]]);
            missing -= given;
            self.handed_on[*source] += given;
            self.spend(*source, given);
            if missing > 0 {
                *sources = others;
            }
        }
        Amount::from_sat(wanted.to_sat() - missing)
    }

    /// Whom a transaction inherits from: its nearest ancestors that brought something, but for those whose place another of them has
    /// taken.
    fn sources(&mut self, node: usize) -> Rc<[usize]> {
        self.looked_at.wipe();
        let mut ahead = vec![node];
        while let Some(&next) = ahead.last() {
            work::count(1);
            if self.looked_at.meet(next) {
                for &ancestor in &self.lineage.nodes[next].replaced {
                    let is_known = self.worth[ancestor] > 0 || self.before[ancestor].is_some();
                    if !is_known && !self.looked_at.is_met(ancestor) {
                        ahead.push(ancestor);
                    }
                }
                continue;
            }
            ahead.pop();
            if next != node && self.before[next].is_none() {
                self.before[next] = Some(self.united(next));
            }
        }
        self.united(node)
    }

    /// The same, of one whose ancestors are known.
    fn united(&mut self, node: usize) -> Rc<[usize]> {
        let replaced = &self.lineage.nodes[node].replaced;
        if let [only] = replaced[..]
            && self.worth[only] == 0
        {
            return self.before[only].clone().unwrap_or_default();
        }
        let mut found: Vec<usize> = Vec::new();
        for &ancestor in replaced {
            if self.worth[ancestor] > 0 {
                found.push(ancestor);
            } else {
                found.extend(self.before[ancestor].iter().flat_map(|before| before.iter()));
            }
        }
        work::count(found.len());
        found.sort_unstable();
        found.dedup();
        if found.len() > 1 {
            self.mark_older_than(&found);
            found.retain(|&node| !self.older.is_met(node));
        }
        found.into()
    }

    /// Marks all ancestors of these.
    fn mark_older_than(&mut self, nodes: &[usize]) {
        self.older.wipe();
        let replaced_by = |node: usize| self.lineage.nodes[node].replaced.iter().copied();
        let mut ahead: Vec<usize> = nodes.iter().flat_map(|&node| replaced_by(node)).collect();
        while let Some(node) = ahead.pop() {
            work::count(1);
            if self.older.meet(node) {
                ahead.extend(replaced_by(node));
            }
        }
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
            work::count(1);
            if older.insert(txid) {
                ahead.extend(ancestors_of(txid));
            }
        }
        replaced.retain(|txid| !older.contains(txid));
        replaced
    }
}
