//! What counts: the share of each payment in what was asked for (R1, R5).

use std::sync::Arc;

use bitcoin_units::Amount;

use crate::lineage::Lineage;
use crate::state::in_time;
use crate::{Charge, Judgement, Payment, Timestamp};

/// How far a node's record of when a transaction came may be from our time, whatever was measured between the two clocks. Nobody
/// knows an address before its charge is made, and one that was paid before is not given out (R27), so a minute costs nothing; a
/// second too little makes the money of a shopper who pays at once somebody else's.
const NODE_TIME_ERROR_SECS: u32 = 60;
/// How far a block's time may lie before the moment at which its transactions were sent: miners' clocks are wrong by minutes,
/// and consensus lets them be by about two hours.
const BLOCK_TIME_ERROR_SECS: u32 = 2 * 60 * 60;

/// What a live payment counts by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// All of it counts.
    Whole,
    /// As much as it inherits.
    Heir,
    /// Nothing.
    None,
}

impl Charge {
    /// What each payment contributes, in the order of `payments`, if those are there that `takes` takes: all, nothing, or as
    /// much as it inherits (R5). More payments never make the sum smaller.
    pub(crate) fn shares(&self, takes: impl Fn(usize, &Payment) -> bool) -> Vec<Amount> {
        let mut shares = vec![Amount::ZERO; self.payments.len()];
        let mut is_heir = vec![false; self.payments.len()];
        let mut has_heirs = false;
        for (i, payment) in self.payments.iter().enumerate() {
            if !takes(i, payment) {
                continue;
            }
            match self.standing(payment) {
                Standing::Whole => shares[i] = payment.value,
                Standing::Heir => {
                    is_heir[i] = true;
                    has_heirs = true;
                }
                Standing::None => {}
            }
        }
        if has_heirs && self.has_replacements() {
            Lineage::of(self).share_out(&self.payments, &mut shares, &is_heir);
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
        let lineage = Lineage::of(self);
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

    fn standing(&self, payment: &Payment) -> Standing {
        if !payment.is_live() {
            return Standing::None;
        }
        match payment.judgement {
            Some(Judgement::ByHand) => Standing::Whole,
            Some(Judgement::Refused) => Standing::None,
            _ if self.is_earlier(payment) => Standing::None,
            Some(Judgement::Provisional) => Standing::Whole,
            // What was stuck was judged for that: it counts as if it had been deep in time, and no more.
            Some(Judgement::Taken) if !payment.stalled => Standing::Whole,
            Some(Judgement::Taken) | None if self.is_in_time(payment) => Standing::Whole,
            Some(Judgement::Taken) | None => Standing::Heir,
        }
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
