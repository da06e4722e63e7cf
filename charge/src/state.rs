//! The state function (R1): one pure function of terms, payments and how far the chain is known.

use std::fmt;
use std::str::FromStr;

use bitcoin_units::Amount;

use crate::apply::total;
use crate::counting::{Share, sum};
use crate::event::Verdict;
use crate::{Charge, Interval, Loss, Outpoint, Payment, Quote, Terms, Timestamp, Whereabouts};

/// A coinbase output can be spent only after 100 blocks (BIP-30 era consensus rule `COINBASE_MATURITY`), so it settles no sooner (R9).
const COINBASE_CONFIRMATIONS: u32 = 100;
/// Beyond this, late money is never taken by policy (R13).
const LATE_LIMIT_SECS: u32 = 24 * 60 * 60;

/// The public states: the API reference's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waiting for money, clock running.
    Pending,
    /// Enough (or, in time, some) money is known, not yet deep enough.
    Seen,
    /// Enough value at enough confirmations.
    Confirmed,
    /// The deadline passed and nothing was there in time.
    TimedOut,
    /// Wrong amount, replaced, dropped, late against the policy, cancelled.
    Failed,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Seen, Self::Confirmed, Self::TimedOut, Self::Failed];

    /// The word on the wire, in the database and in the page's `data-state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Seen => "seen",
            Self::Confirmed => "confirmed",
            Self::TimedOut => "timedout",
            Self::Failed => "failed",
        }
    }

    /// Whether going from `before` to this state takes back something that the merchant may act on.
    #[must_use]
    pub const fn is_reversal_of(self, before: Self) -> bool {
        match before {
            Self::Confirmed => !matches!(self, Self::Confirmed),
            Self::Seen => !matches!(self, Self::Seen | Self::Confirmed),
            Self::Pending | Self::TimedOut | Self::Failed => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// Why a charge is in its state: additive on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The amount asked for, within the tolerance.
    Exact,
    /// Less than needed.
    Underpaid,
    /// More than asked for, by more than dust.
    Overpaid,
    /// Enough or all of it came too late.
    Late,
    /// A conflicting transaction took the money elsewhere.
    Replaced,
    /// The node forgot the transaction and refuses it.
    Dropped,
    /// The block that held it left the chain.
    Reorged,
    /// Taken by the merchant's hand.
    Manual,
    /// Withdrawn by the merchant.
    Cancelled,
    /// Not confirmed within the settlement time.
    Stuck,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::Exact,
        Self::Underpaid,
        Self::Overpaid,
        Self::Late,
        Self::Replaced,
        Self::Dropped,
        Self::Reorged,
        Self::Manual,
        Self::Cancelled,
        Self::Stuck,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Underpaid => "underpaid",
            Self::Overpaid => "overpaid",
            Self::Late => "late",
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
            Self::Reorged => "reorged",
            Self::Manual => "manual",
            Self::Cancelled => "cancelled",
            Self::Stuck => "stuck",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(())
    }
}

/// The "n of m confirmations" to show (R9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Confirmations of the payment that completes the need, at most `required`.
    pub have: u32,
    /// Confirmations that it needs.
    pub required: u32,
}

impl Charge {
    /// The state function (R1), under a tip at height `tip`.
    #[must_use]
    pub fn verdict(&self, tip: u32) -> Verdict {
        let need = self.need();
        let shares = self.shares(|_, _| true);
        let counted = sum(&shares);
        if counted >= need {
            let deep = self.settled(|payment| self.is_deep(payment, tip));
            return if sum(&deep) >= need {
                verdict(State::Confirmed, Some(self.settled_reason(&deep, tip)))
            } else {
                verdict(State::Seen, self.waiting_reason(&shares))
            };
        }
        let mut payments = self.payments.iter().zip(&shares);
        let partial = payments.any(|(payment, &share)| self.is_significant(payment) && share.total() > Amount::ZERO);
        if !self.deadline_observed {
            return if partial {
                verdict(State::Seen, Some(Reason::Underpaid))
            } else {
                verdict(State::Pending, None)
            };
        }
        self.verdict_after_deadline(partial)
    }

    /// What suffices now: the need of the terms, or what the merchant took by hand (R14).
    #[must_use]
    pub fn need(&self) -> Amount {
        let need = self.terms.need();
        self.by_hand.map_or(need, |taken| need.min(taken))
    }

    /// Value of live payments that are in time or accepted.
    #[must_use]
    pub fn counted(&self) -> Amount {
        sum(&self.shares(|_, _| true))
    }

    /// What would count if only that were there of which `is_deep` says so.
    fn settled(&self, is_deep: impl Fn(&Payment) -> bool) -> Vec<Share> {
        // What was deep too late waits to be judged (R12).
        let is_settled = |payment: &Payment| is_deep(payment) && !(payment.stalled && payment.judgement.is_none());
        self.shares(|_, payment| is_settled(payment))
    }

    /// Value of all live payments of this charge, counted or not (R11). Money from before it was made is not its own, unless
    /// it was accepted by hand.
    #[must_use]
    pub fn received(&self) -> Amount {
        let own = self
            .payments
            .iter()
            .filter(|payment| payment.is_live() && self.is_own(payment));
        total(own.map(|payment| payment.value))
    }

    /// What the page asks for: the whole amount less what counts (R10), never less than can be sent (R8); zero once the
    /// need is met.
    #[must_use]
    pub fn remaining(&self) -> Amount {
        let counted = self.counted();
        if counted >= self.need() {
            return Amount::ZERO;
        }
        let rest = self.terms.amount.checked_sub(counted).unwrap_or(Amount::ZERO);
        rest.max(self.terms.dust_limit)
    }

    /// Confirmations of the payment that completes the need when payments are sorted deepest first (R9); `None` while
    /// the need is not met.
    #[must_use]
    pub fn progress(&self, tip: u32) -> Option<Progress> {
        if self.counted() < self.need() {
            return None;
        }
        let mut order: Vec<usize> = (0..self.payments.len()).collect();
        // A coinbase payment is as deep as what it still lacks: with equal depth it sorts behind an ordinary one.
        order.sort_by_key(|&i| {
            let have = self.payments[i].confirmations(tip);
            let lacking = self.required_of(&self.payments[i]).saturating_sub(have);
            (lacking, std::cmp::Reverse(have))
        });
        let mut places = vec![0; order.len()];
        for (place, &i) in order.iter().enumerate() {
            places[i] = place;
        }
        // More payments never make the sum smaller, so the one that completes it is found by halving.
        let (mut short, mut enough) = (0, order.len());
        while enough - short > 1 {
            let middle = usize::midpoint(short, enough);
            let counted = sum(&self.shares(|i, _| places[i] < middle));
            if counted >= self.need() {
                enough = middle;
            } else {
                short = middle;
            }
        }
        let payment = &self.payments[*order.get(enough.checked_sub(1)?)?];
        let required = self.required_of(payment);
        Some(Progress {
            have: payment.confirmations(tip).min(required),
            required,
        })
    }

    /// Whether it is this charge's own money: not from before it was made, or taken by the merchant's hand all the same.
    #[must_use]
    pub fn is_own(&self, payment: &Payment) -> bool {
        payment.is_by_hand() || !self.is_earlier(payment)
    }

    pub(crate) fn is_deep(&self, payment: &Payment, tip: u32) -> bool {
        payment.confirmations(tip) >= self.required_of(payment)
    }

    /// Confirmations that this payment needs.
    #[must_use]
    pub fn required_of(&self, payment: &Payment) -> u32 {
        let floor = if payment.coinbase { COINBASE_CONFIRMATIONS } else { 1 };
        self.required.max(floor)
    }

    /// Whether it moves a state by itself (R8).
    pub(crate) fn is_significant(&self, payment: &Payment) -> bool {
        payment.value >= self.terms.significant() && self.is_own(payment)
    }

    /// Why a charge is confirmed of which so much is deep. What is not deep yet may be taken back, and says nothing here.
    fn settled_reason(&self, deep: &[Share], tip: u32) -> Reason {
        // What looks like too much is paid back by hand, so it waits for the confirmations of its own worth (R9).
        let awaited = self.awaited();
        let is_deep = |payment: &Payment| payment.confirmations(tip) >= awaited(payment);
        if self.is_excess(sum(deep)) && self.is_excess(sum(&self.settled(is_deep))) {
            Reason::Overpaid
        } else if self.rests_on_the_merchants_hand(deep) {
            Reason::Manual
        } else {
            Reason::Exact
        }
    }

    /// Whether so much is more than was asked for: an excess below the dust limit could not even be paid back (R8).
    fn is_excess(&self, amount: Amount) -> bool {
        let excess = amount.checked_sub(self.terms.amount);
        excess.is_some_and(|excess| excess >= self.terms.dust_limit)
    }

    /// The confirmations that all that came is worth (R9).
    pub(crate) fn required_by_worth(&self) -> u32 {
        let own = self
            .payments
            .iter()
            .filter(|payment| payment.is_live() && self.is_own(payment));
        let largest = own.fold(self.received(), |largest, payment| largest.max(payment.merchant_total));
        let worth = self.terms.price.max(self.terms.quote.rate.worth(largest));
        self.terms.tiers.required_for(worth)
    }

    /// The confirmations up to which the depth of a payment may change what is told: those that it needs and, where more came than was
    /// asked for, those that all of it is worth (R9).
    pub fn awaited(&self) -> impl Fn(&Payment) -> u32 {
        let least = if self.is_excess(self.received()) {
            self.required_by_worth()
        } else {
            0
        };
        move |payment| self.required_of(payment).max(least)
    }

    fn waiting_reason(&self, shares: &[Share]) -> Option<Reason> {
        if self.rests_on_the_merchants_hand(shares) {
            Some(Reason::Manual)
        } else {
            self.stalled.then_some(Reason::Stuck)
        }
    }

    /// Whether the charge would be short without what the merchant took by hand, or took the place of that (R14).
    fn rests_on_the_merchants_hand(&self, shares: &[Share]) -> bool {
        let without = shares.iter().flat_map(|share| [share.by_time, share.by_policy]);
        total(without) < self.terms.need()
    }

    /// Whether the late policy may take a payment that is not in time (R13): seen at most a day late, while the rate held.
    pub(crate) fn is_takeable(&self, payment: &Payment) -> bool {
        !self.is_earlier(payment)
            && payment.first_seen.latest <= self.deadline.plus_secs(LATE_LIMIT_SECS)
            && rate_holds(&self.terms, payment.rate.as_ref())
    }
}

/// Whether the rate lets the merchant keep the value: it is fresh and has fallen by less than the limit (R5, R13, R16).
pub(crate) fn rate_holds(terms: &Terms, now: Option<&Quote>) -> bool {
    now.is_some_and(|now| terms.quote.rate.fallen_bps(now.rate) < terms.rate_move_limit_bps)
}

/// Whether a first sight is by the deadline, or may be while the rate holds (R5).
pub(crate) fn in_time(terms: &Terms, deadline: Timestamp, first_seen: Interval, rate: Option<&Quote>) -> bool {
    first_seen.latest <= deadline || (first_seen.earliest <= deadline && rate_holds(terms, rate))
}

const fn verdict(state: State, reason: Option<Reason>) -> Verdict {
    Verdict { state, reason }
}

impl Charge {
    /// Point 4 of R1: the deadline is observed and what counts does not suffice.
    fn verdict_after_deadline(&self, partial: bool) -> Verdict {
        // Of money that counts, even in part, `partial` has spoken before.
        let late_matters = (self.payments.iter()).any(|payment| payment.is_live() && self.is_significant(payment));
        // Of what was received, that which does not count is late.
        let reason = if self.received() >= self.need() {
            Reason::Late
        } else if partial {
            Reason::Underpaid
        } else if late_matters {
            Reason::Late
        } else if let Some(loss) = self.loss_of(|payment| self.is_significant(payment)) {
            loss
        } else if self.cancelled {
            Reason::Cancelled
        } else if let Some(loss) = self.loss_of(|_| self.was_announced) {
            // Dust that completed a sum and was announced with it (R17).
            loss
        } else {
            return verdict(State::TimedOut, None);
        };
        verdict(State::Failed, Some(reason))
    }

    /// How such payments were lost: `None` when none was. A replacement is the strongest word, for it was a deed.
    fn loss_of(&self, matters: impl Fn(&Payment) -> bool) -> Option<Reason> {
        let lost = self.payments.iter().filter(|payment| matters(payment));
        let losses = lost.filter_map(|payment| match payment.whereabouts {
            Whereabouts::Gone(loss) => Some(loss),
            Whereabouts::Live(_) => None,
        });
        losses.min().map(|loss| match loss {
            Loss::Replaced => Reason::Replaced,
            Loss::Dropped => Reason::Dropped,
            Loss::Reorged => Reason::Reorged,
        })
    }

    /// When the payments that count without anybody's word, but are not deep under a tip at height `tip`, are to be judged like
    /// late ones (R12); `None` when there are none. What was confirmed once was settled in time: no later reorg makes it late.
    #[must_use]
    pub fn settlement_due(&self, tip: u32) -> Option<Timestamp> {
        let may_stall = !self.was_confirmed && !self.may_stall(tip).is_empty();
        may_stall.then(|| self.settlement_end())
    }

    /// Until then a payment has to be deep (R12).
    pub(crate) const fn settlement_end(&self) -> Timestamp {
        self.terms.expires_at.plus_secs(self.terms.settle_within_secs)
    }

    /// Live or gone: what is gone may come back.
    pub(crate) fn may_stall(&self, tip: u32) -> Vec<Outpoint> {
        let is_open =
            |payment: &Payment| payment.judgement.is_none() && !payment.stalled && !self.is_deep(payment, tip);
        if !self.payments.iter().any(|payment| is_open(payment)) {
            return Vec::new();
        }
        let counting = self.counting_by_time().into_iter();
        counting
            .filter(|payment| is_open(payment))
            .map(|payment| payment.outpoint)
            .collect()
    }
}
