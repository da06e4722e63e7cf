//! What counts: the share of each payment in what was asked for (R1, R5).

use std::sync::Arc;

use bitcoin_units::Amount;

use crate::apply::total;
use crate::lineage::Lineage;
use crate::state::in_time;
use crate::{Charge, Judgement, Payment, Timestamp, work};

/// How far a node's record of when a transaction came may be from our time, whatever was measured between the two clocks. Nobody
/// knows an address before its charge is made, and one that was paid before is not given out (R27), so a minute costs nothing; a
/// second too little makes the money of a shopper who pays at once somebody else's.
const NODE_TIME_ERROR_SECS: u32 = 60;
/// How far a block's time may lie before the moment at which its transactions were sent: miners' clocks are wrong by minutes,
/// and consensus lets them be by about two hours.
const BLOCK_TIME_ERROR_SECS: u32 = 2 * 60 * 60;

/// What a live payment counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All of it counts by its time.
    Whole,
    /// All of it counts by the late policy (R13).
    ByPolicy,
    /// All of it counts by the merchant's hand (R14).
    ByHand,
    /// As much as it inherits.
    Heir,
    /// As much as it inherits of what was in time, or was taken by the merchant's hand: the policy refused what came late.
    HeirOfTime,
    /// As much as it inherits of what the merchant's hand took: by its time it was refused.
    HeirOfHand,
    /// Nothing.
    None,
}

/// What a payment contributes to what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// By its time, its own or an inherited one.
    pub(crate) by_time: Amount,
    /// By the late policy, which took it or what it replaced (R13).
    pub(crate) by_policy: Amount,
    /// By the merchant's hand, which took it or what it replaced (R14).
    pub(crate) by_hand: Amount,
}

impl Share {
    const NONE: Self = Self {
        by_time: Amount::ZERO,
        by_policy: Amount::ZERO,
        by_hand: Amount::ZERO,
    };

    /// All of it. The parts together are never more than the payment.
    pub(crate) fn total(self) -> Amount {
        total([self.by_time, self.by_policy, self.by_hand].into_iter())
    }

    /// What it lacks of all of a payment of this value.
    pub(crate) fn lacks_of(self, value: Amount) -> Amount {
        value.checked_sub(self.total()).unwrap_or(Amount::ZERO)
    }
}

/// The sum of shares.
pub(crate) fn sum(shares: &[Share]) -> Amount {
    total(shares.iter().map(|share| share.total()))
}

impl Charge {
    /// What each payment contributes, in the order of `payments`, if those are there that `takes` takes: all, nothing, or as
    /// much as it inherits (R5, R14). More payments never make the sum smaller.
    pub(crate) fn shares(&self, takes: impl Fn(usize, &Payment) -> bool) -> Vec<Share> {
        self.shares_if(takes, Payment::is_by_hand)
    }

    /// What would count if `named`, which is ascending, were taken by hand (R14).
    pub(crate) fn counted_with(&self, named: &[&Payment]) -> Amount {
        let is_named = |payment: &Payment| {
            named
                .binary_search_by_key(&payment.outpoint, |named| named.outpoint)
                .is_ok()
        };
        sum(&self.shares_if(|_, _| true, |payment| payment.is_by_hand() || is_named(payment)))
    }

    fn shares_if(&self, takes: impl Fn(usize, &Payment) -> bool, is_by_hand: impl Fn(&Payment) -> bool) -> Vec<Share> {
        let standings: Vec<Standing> = (self.payments.iter().enumerate())
            .map(|(i, payment)| {
                if !takes(i, payment) || !payment.is_live() {
                    Standing::None
                } else if is_by_hand(payment) {
                    Standing::ByHand
                } else {
                    self.standing(payment)
                }
            })
            .collect();
        let own = |(payment, standing): (&Arc<Payment>, &Standing)| match standing {
            Standing::Whole => Share {
                by_time: payment.value,
                ..Share::NONE
            },
            Standing::ByPolicy => Share {
                by_policy: payment.value,
                ..Share::NONE
            },
            Standing::ByHand => Share {
                by_hand: payment.value,
                ..Share::NONE
            },
            Standing::Heir | Standing::HeirOfTime | Standing::HeirOfHand | Standing::None => Share::NONE,
        };
        let mut shares: Vec<Share> = self.payments.iter().zip(&standings).map(own).collect();
        let inherits = |(payment, standing): (&Arc<Payment>, &Standing)| match standing {
            Standing::Heir | Standing::HeirOfTime | Standing::HeirOfHand => true,
            Standing::Whole => payment.stalled,
            Standing::ByPolicy | Standing::ByHand | Standing::None => false,
        };
        if self.has_replacements() && self.payments.iter().zip(&standings).any(inherits) {
            Lineage::of(self, is_by_hand).share_out(&self.payments, &mut shares, &standings);
        }
        shares
    }

    /// The payments that count by their time, their own or an inherited one, live or gone.
    pub(crate) fn counting_by_time(&self) -> Vec<&Arc<Payment>> {
        if !self.has_replacements() {
            return self
                .payments
                .iter()
                .filter(|payment| self.is_in_time(payment))
                .collect();
        }
        let lineage = Lineage::of(self, Payment::is_by_hand);
        let inherits = lineage.inherits_time();
        let mut counting = Vec::new();
        for (inherits, transaction) in inherits.into_iter().zip(lineage.transactions()) {
            let payments = self.payments[transaction].iter();
            counting
                .extend(payments.filter(|payment| inherits && !self.is_earlier(payment) || self.is_in_time(payment)));
        }
        counting
    }

    fn has_replacements(&self) -> bool {
        self.payments.iter().any(|payment| !payment.replaced.is_empty())
    }

    /// What a live payment counts by that the merchant's hand did not take.
    fn standing(&self, payment: &Payment) -> Standing {
        match payment.judgement {
            _ if self.is_earlier(payment) => Standing::None,
            // What was stuck was judged for that: it counts as if it had been deep in time, and no more.
            Some(Judgement::Refused) if payment.stalled => Standing::HeirOfHand,
            Some(Judgement::Refused) => Standing::HeirOfTime,
            Some(Judgement::Provisional | Judgement::Taken) if self.leaves_by_policy(payment) => Standing::ByPolicy,
            _ if self.is_in_time(payment) => Standing::Whole,
            _ => Standing::Heir,
        }
    }

    /// Whether the policy took it by its own first sight (R13), and so all of it; what it took for what that replaced counts as much as
    /// that did.
    pub(crate) fn leaves_by_policy(&self, payment: &Payment) -> bool {
        matches!(payment.judgement, Some(Judgement::Provisional | Judgement::Taken))
            && !payment.stalled
            && self.is_takeable(payment)
    }

    /// Whether a payment is first seen by the deadline, or so close that the merchant loses nothing by it (R5).
    pub(crate) fn is_in_time(&self, payment: &Payment) -> bool {
        // A rate of the time when it was found does as well here: it is the merchant's loss now that is looked at.
        let rate = payment.rate.as_ref().or(payment.rate_when_found.as_ref());
        !self.is_earlier(payment) && in_time(&self.terms, self.deadline, payment.first_seen, rate)
    }

    /// Whether it is somebody else's money: it, or what it replaced, was seen before the charge was made, so nobody can have
    /// sent it for this charge (R27). It is shown, and counts only by the merchant's hand.
    #[must_use]
    pub fn is_earlier(&self, payment: &Payment) -> bool {
        work::count(1);
        payment.replaced_earlier || self.is_seen_before(self.made_by, payment)
    }

    /// Our own receipt and our node's record prove it, as far as two clocks agree. A miner's clock alone does so only when it is far off.
    fn is_seen_before(&self, instant: Timestamp, payment: &Payment) -> bool {
        let error = if payment.met_in_mempool {
            NODE_TIME_ERROR_SECS
        } else {
            BLOCK_TIME_ERROR_SECS
        };
        payment.first_seen.latest.plus_secs(error) < instant
    }
}
