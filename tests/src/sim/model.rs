//! The model: what a charge must be, recomputed from the true chain, the true instants and the terms. It shares nothing with the
//! charges' own code. Where observation legitimately leaves a choice, it says a lower and an upper bound.

mod verdicts;

use bitpro_charge::{Charge, LatePolicy};

/// What comes to the same, in milliseconds: the node's times are whole seconds.
pub const SLACK: i64 = 2_500;
/// Late money is never taken by itself after this, in milliseconds.
const DAY: i64 = 86_400_000;
/// How wrong the time that a miner writes can be, in milliseconds: nodes allow two hours ahead, and miners here lag by less than one.
const MINERS_CLOCKS: i64 = 3 * 3_600_000;

/// Where a transaction truly is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// In a block, with so many confirmations.
    Mined(u32),
    /// In our node's mempool.
    Waiting,
    /// Nowhere, and nothing is in its way.
    Floating,
    /// Nowhere, and something has taken its place.
    Replaced,
    /// Its block is gone, and it was made with it.
    Unmade,
}

/// An output that pays the charge, as it truly is.
#[derive(Debug, Clone)]
pub struct Pay {
    /// Its transaction.
    pub tid: usize,
    /// The index of the output.
    pub vout: u32,
    /// How much it pays.
    pub value: u64,
    /// Where it is.
    pub truth: Truth,
    /// Until then it was certainly not there.
    pub after: i64,
    /// By then it was certainly seen.
    pub by: i64,
    /// When it was last known to be in no block.
    pub unmined: Option<i64>,
    /// Since when it is known to be deep, if it is.
    pub deep: Option<i64>,
    /// When the block truly was found that made it deep, in true time.
    pub deepened: Option<i64>,
    /// Whether anything was ever seen that spends what it spends.
    pub had_rival: bool,
    /// Whether it is a block's reward.
    pub reward: bool,
    /// Which transactions that pay the charge it shares an input with, directly or through others, as one number.
    pub family: usize,
    /// With which transactions that pay the charge it cannot be together.
    pub rivals: Vec<usize>,
}

/// Everything about a charge that is truly known.
pub struct Case<'a> {
    /// The charge as the server has it.
    pub charge: &'a Charge,
    /// The server's time.
    pub now: i64,
    /// Everything that was ever seen to pay it.
    pub pays: &'a [Pay],
    /// Whether something was sent to it that is not among these: the model could not look, and the server perhaps could.
    pub missed_some: bool,
    /// What the merchant's hand took, each time, and whether there was not enough before.
    pub accepted: &'a [(bool, Vec<(usize, u32)>)],
    /// Whether it was withdrawn.
    pub cancelled: bool,
    /// When it was first confirmed, if it ever was.
    pub confirmed: Option<i64>,
    /// How precisely the server's clock says when something was.
    pub slack: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bounds {
    least: u64,
    most: u64,
}

impl Case<'_> {
    fn need(&self) -> u64 {
        let terms = &self.charge.terms;
        terms.amount.to_sat().saturating_sub(terms.forgiven.to_sat()).max(1)
    }

    fn significant(&self) -> u64 {
        self.charge.terms.dust_limit.to_sat().max(self.need().div_ceil(100))
    }

    const fn deadline(&self) -> i64 {
        self.charge.deadline.0
    }

    fn settle_end(&self) -> i64 {
        let terms = &self.charge.terms;
        terms.expires_at.0 + i64::from(terms.settle_within_secs) * 1_000
    }

    const fn is_there(pay: &Pay) -> bool {
        matches!(pay.truth, Truth::Mined(_) | Truth::Waiting)
    }

    fn is_deep(&self, pay: &Pay) -> bool {
        let needed = if pay.reward {
            self.charge.required.max(100)
        } else {
            self.charge.required.max(1)
        };
        matches!(pay.truth, Truth::Mined(depth) if depth >= needed)
    }

    fn is_by_hand(&self, pay: &Pay) -> bool {
        self.accepted.iter().any(|(_, set)| set.contains(&(pay.tid, pay.vout)))
    }

    fn is_surely_in_time(&self, pay: &Pay) -> bool {
        pay.by <= self.deadline() - self.slack
    }

    fn is_surely_late(&self, pay: &Pay) -> bool {
        pay.after > self.deadline() + self.slack
    }

    /// Paid before anybody had the address: somebody else's money.
    fn is_older_than_the_charge(&self, pay: &Pay) -> bool {
        // Within a minute two clocks decide, and nobody's money is refused for them.
        pay.by < self.charge.terms.created_at.0 - self.slack - 60_000
    }

    /// Not deep when it should have been (R12): the policy decides, and without one the merchant.
    fn is_surely_stuck(&self, pay: &Pay) -> bool {
        let end = self.settle_end() + self.slack;
        // Once confirmed it stays so, also where a block's time left it open whether that was in time.
        let was_confirmed = self.confirmed.is_some_and(|at| at <= end || pay.after <= end);
        // Whoever looks only later sees by the block's time that it came too late.
        let came_late = |at| at > end + MINERS_CLOCKS;
        !was_confirmed && (pay.unmined.is_some_and(|at| at > end) || pay.deepened.is_some_and(came_late))
    }

    fn is_maybe_stuck(&self, pay: &Pay) -> bool {
        pay.deep.is_none_or(|at| at > self.settle_end() - self.slack)
    }

    /// What the payments that fulfil `which` count together.
    fn counted(&self, which: impl Fn(&Pay) -> bool, deep: bool) -> Bounds {
        let policy = self.charge.terms.late_policy;
        let may_be_taken = |pay: &Pay| {
            policy == LatePolicy::Accept && !self.cancelled && pay.after <= self.deadline() + DAY + self.slack
        };
        let mut bounds = Bounds::default();
        // Of each family: what may inherit a time or an acceptance, and what may inherit an acceptance only.
        let mut heirs: std::collections::BTreeMap<usize, [u64; 2]> = std::collections::BTreeMap::new();
        for pay in self.pays.iter().filter(|pay| which(pay)) {
            let may_be_there = Self::is_there(pay) || pay.truth == Truth::Floating;
            if !may_be_there || self.is_older_than_the_charge(pay) && !self.is_by_hand(pay) {
                continue;
            }
            if self.is_by_hand(pay) {
                bounds.most += pay.value;
                bounds.least += if Self::is_there(pay) { pay.value } else { 0 };
                continue;
            }
            if deep && self.is_surely_stuck(pay) && policy == LatePolicy::Ask {
                heirs.entry(pay.family).or_default()[1] += pay.value;
                continue;
            }
            if !self.is_surely_late(pay) || may_be_taken(pay) {
                bounds.most += pay.value;
                let is_sure = self.is_surely_in_time(pay) && Self::is_there(pay) && !self.is_maybe_stuck(pay);
                let is_own = pay.after >= self.charge.terms.created_at.0;
                bounds.least += if is_sure && is_own { pay.value } else { 0 };
            } else {
                heirs.entry(pay.family).or_default()[0] += pay.value;
            }
        }
        for (family, [of_all, of_accepted]) in heirs {
            let accepted = of_accepted.min(self.ancestors(family, |pay| self.is_by_hand(pay)));
            let leaves = |pay: &Pay| !self.is_surely_late(pay) || self.is_by_hand(pay) || may_be_taken(pay);
            let all = self.ancestors(family, leaves);
            bounds.most += (of_all + accepted).min(all);
        }
        bounds
    }

    /// The most that could be there at once of a family of rivals and is not there any more, of those that could leave something: in
    /// time (R5), or accepted by hand (R14) or by the policy (R13).
    fn ancestors(&self, family: usize, leaves: impl Fn(&Pay) -> bool) -> u64 {
        let members: Vec<&Pay> = self
            .pays
            .iter()
            .filter(|pay| pay.family == family && leaves(pay) && !Self::is_there(pay))
            .collect();
        let mut tids: Vec<usize> = members.iter().map(|pay| pay.tid).collect();
        tids.sort_unstable();
        tids.dedup();
        let value = |tid: usize| {
            members
                .iter()
                .filter(|pay| pay.tid == tid)
                .map(|pay| pay.value)
                .sum::<u64>()
        };
        let rivals = |tid: usize| {
            members
                .iter()
                .filter(move |pay| pay.tid == tid)
                .flat_map(|pay| &pay.rivals)
        };
        if tids.len() > 12 {
            return tids.into_iter().map(value).sum();
        }
        let mut best = 0;
        for choice in 0..1_u32 << tids.len() {
            let chosen: Vec<usize> = (0..tids.len())
                .filter(|n| choice >> n & 1 == 1)
                .map(|n| tids[n])
                .collect();
            let fits = chosen
                .iter()
                .all(|&tid| rivals(tid).all(|rival| !chosen.contains(rival)));
            if fits {
                best = best.max(chosen.into_iter().map(value).sum());
            }
        }
        best
    }

    /// What would suffice: the need, or what the merchant took by hand (R14).
    fn least_need(&self) -> u64 {
        let named = |(_, set): &(bool, Vec<(usize, u32)>)| {
            let values = self.pays.iter().filter(|pay| set.contains(&(pay.tid, pay.vout)));
            values.map(|pay| pay.value).sum::<u64>()
        };
        let taken = self.accepted.iter().map(named).filter(|value| *value > 0).min();
        taken.map_or(self.need(), |taken| taken.min(self.need()))
    }

    /// Whether what took the place of an accepted transaction is deep, and is surely worth as much: then it is accepted as that was
    /// (R14). It came when the other had been seen, it was seen itself before it was mined, and no third one is of their family.
    fn is_inherited(&self, tid: usize) -> bool {
        let worth = |tid| -> u64 {
            let pays = self.pays.iter().filter(|pay| pay.tid == tid);
            pays.map(|pay| pay.value).sum()
        };
        let before = self.pays.iter().filter(|pay| pay.tid == tid);
        before.clone().any(|before| {
            let came_after = |heir: &&Pay| heir.tid != tid && heir.after > before.by && heir.unmined.is_some();
            let mut heirs = self
                .pays
                .iter()
                .filter(|heir| heir.rivals.contains(&tid))
                .filter(came_after);
            heirs.any(|heir| {
                let mut family = self.pays.iter().filter(|pay| pay.family == before.family);
                let is_alone = family.all(|pay| [tid, heir.tid].contains(&pay.tid));
                is_alone && self.is_deep(heir) && worth(heir.tid) >= worth(tid)
            })
        })
    }

    /// Whether all of what the merchant once took by hand is there and deep, or what surely took its place (R14).
    fn is_taken_by_hand(&self) -> bool {
        self.accepted
            .iter()
            .filter(|(was_short, _)| *was_short)
            .any(|(_, set)| {
                let all = |&(tid, vout): &(usize, u32)| {
                    let mut pays = self.pays.iter();
                    pays.any(|pay| (pay.tid, pay.vout) == (tid, vout) && self.is_deep(pay)) || self.is_inherited(tid)
                };
                !set.is_empty() && set.iter().all(all)
            })
    }
}
