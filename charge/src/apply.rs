//! The charge itself, and how an event changes it.

use std::sync::Arc;

use bitcoin_units::Amount;

use crate::event::Verdict;
use crate::{
    Announcement, ChargeId, Event, Judgement, MerchantId, Outpoint, Payment, Reason, State, Terms, Timestamp, Txid,
    Whereabouts, work,
};

/// A charge as its events have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its identity, and the shopper's capability (R23).
    pub id: ChargeId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// What was agreed.
    pub terms: Terms,
    /// The address that was given out for it, and for it alone.
    pub address: String,
    /// Every payment ever seen, live or lost, ordered by outpoint.
    pub payments: Vec<Arc<Payment>>,
    /// The deadline: `terms.expires_at`, later after an extension (R16), the cancellation's instant after one (R15).
    pub deadline: Timestamp,
    /// The one extension was used.
    pub extended: bool,
    /// Chain and mempool are known beyond the deadline (R4).
    pub deadline_observed: bool,
    /// The settlement deadline has passed on a charge that was not settled (R12).
    pub stalled: bool,
    /// Withdrawn by the merchant.
    pub cancelled: bool,
    /// When it was there at the latest: its creation, or an earlier instant when the clock had run ahead then (R32). What was seen
    /// before cannot have been sent for it.
    pub made_by: Timestamp,
    /// Confirmations needed; rises, never falls (R9).
    pub required: u32,
    /// The value of what the merchant took by hand while the charge was short: from then on this suffices (R14).
    pub by_hand: Option<Amount>,
    /// The current public state.
    pub state: State,
    /// Why, where there is something to say.
    pub reason: Option<Reason>,
    /// The number of the last event (R17).
    pub sequence: u64,
    /// Rises with each announced reversal (R17).
    pub round: u32,
    /// How often the charge fell back, announced or not, since it last settled.
    pub reversals: u32,
    /// The last thing the merchant was told, updates aside.
    pub told: Option<Announcement>,
    /// It was confirmed at some time, told or not (R12).
    pub was_confirmed: bool,
    /// The merchant was told of money, or of its loss, at some time (R17).
    pub was_announced: bool,
}

impl Charge {
    /// A new charge: `pending`, with the window open. Its creation is event 0.
    #[must_use]
    pub fn new(id: ChargeId, merchant: MerchantId, address: String, terms: Terms) -> Self {
        Self {
            id,
            merchant,
            address,
            payments: Vec::new(),
            deadline: terms.expires_at,
            extended: false,
            deadline_observed: false,
            stalled: false,
            cancelled: false,
            made_by: terms.created_at,
            required: terms.tiers.required_for(terms.price),
            by_hand: None,
            state: State::Pending,
            reason: None,
            sequence: 0,
            round: 0,
            reversals: 0,
            told: None,
            was_confirmed: false,
            was_announced: false,
            terms,
        }
    }

    /// The payment at `outpoint`, if it is known.
    #[must_use]
    pub fn payment(&self, outpoint: Outpoint) -> Option<&Payment> {
        self.place_of(outpoint).ok().map(|place| &*self.payments[place])
    }

    /// The payments by the transaction `txid`.
    #[must_use]
    pub fn payments_of(&self, txid: Txid) -> &[Arc<Payment>] {
        let start = self.payments.partition_point(|known| known.outpoint.txid < txid);
        let length = self.payments[start..].partition_point(|known| known.outpoint.txid == txid);
        &self.payments[start..start + length]
    }

    /// The payments that are new, or another than they were in `before`, an earlier state of the same charge.
    pub fn payments_changed_since<'c>(&'c self, before: &'c Self) -> impl Iterator<Item = &'c Arc<Payment>> {
        let mut known = before.payments.iter().peekable();
        // Both stand in the order of their outpoints, and what was not changed is mostly the same value.
        self.payments.iter().filter(move |payment| {
            while known.next_if(|known| known.outpoint < payment.outpoint).is_some() {}
            known
                .next_if(|known| known.outpoint == payment.outpoint)
                .is_none_or(|known| !Arc::ptr_eq(known, payment) && known != *payment)
        })
    }

    /// Whether it is as if nobody had ever sent anything: no money of its own is there, and what came and went was dust,
    /// each payment and all together (R8).
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        let is_there = |payment: &Arc<Payment>| payment.is_live() && self.is_own(payment);
        !self.is_paid_into() && !self.payments.iter().any(is_there)
    }

    /// Whether its order is closed to others by what came: more than dust (R8), in one payment or in many together. A merchant
    /// who withdraws it closes nothing. A stranger's few satoshis close nobody's order (R22), whether they take them back or leave
    /// them there.
    /// What closed it once closes it for good: only sums that never fall are looked at.
    #[must_use]
    pub fn is_paid_into(&self) -> bool {
        self.payments
            .iter()
            .any(|payment| self.is_own(payment) && self.is_significant(payment))
            || self.ever_paid() >= self.terms.significant()
    }

    /// What was ever sent to it, live or lost: a replacement adds only what exceeds the money that it took the place of, so that
    /// nobody is worth more for sending the same again.
    fn ever_paid(&self) -> Amount {
        let by_transaction = self
            .payments
            .chunk_by(|one, next| one.outpoint.txid == next.outpoint.txid);
        // Summed up first: many may have replaced parts of one.
        let worth: Vec<(Txid, Amount)> = by_transaction
            .clone()
            .map(|payments| {
                (
                    payments[0].outpoint.txid,
                    total(payments.iter().map(|payment| payment.value)),
                )
            })
            .collect();
        let worth_of = |txid: &Txid| {
            work::count(1);
            let place = worth.binary_search_by_key(txid, |&(txid, _)| txid);
            place.map_or(Amount::ZERO, |place| worth[place].1)
        };
        total(by_transaction.map(|payments| {
            let own = payments.iter().filter(|payment| self.is_own(payment));
            let before = payments.iter().flat_map(|payment| &payment.replaced).map(worth_of);
            total(own.map(|payment| payment.value))
                .checked_sub(total(before))
                .unwrap_or(Amount::ZERO)
        }))
    }

    /// Where the payment at `outpoint` stands, or is to be put.
    pub(crate) fn place_of(&self, outpoint: Outpoint) -> Result<usize, usize> {
        self.payments
            .binary_search_by_key(&outpoint, |payment| payment.outpoint)
    }

    /// Folds the next event in. Events come in the order of their sequence; each is one.
    pub fn apply(&mut self, event: &Event) {
        self.sequence = event.number_after(self.sequence);
        match event {
            Event::PaymentFound(payment) => {
                if let Err(place) = self.place_of(payment.outpoint) {
                    self.payments.insert(place, Arc::new(payment.clone()));
                }
            }
            Event::PaymentMoved { outpoint, place } => {
                self.change(*outpoint, |payment| payment.whereabouts = Whereabouts::Live(*place));
            }
            Event::FirstSeenCorrected { outpoint, first_seen } => {
                self.change(*outpoint, |payment| payment.first_seen = *first_seen);
            }
            Event::PaymentLost { outpoint, loss } => {
                self.change(*outpoint, |payment| payment.whereabouts = Whereabouts::Gone(*loss));
            }
            Event::ConfirmationsRaised { required } => self.required = *required,
            Event::DeadlineExtended { deadline, .. } => {
                self.deadline = *deadline;
                self.extended = true;
            }
            Event::DeadlineObserved { .. } => self.deadline_observed = true,
            Event::Stalled { outpoints } => {
                self.stalled = true;
                for &outpoint in outpoints {
                    self.change(outpoint, |payment| payment.stalled = true);
                }
            }
            Event::Judged {
                outpoint, judgement, ..
            } => {
                self.change(*outpoint, |payment| payment.judgement = Some(*judgement));
                if *judgement == Judgement::ByHand {
                    self.by_hand = Some(self.counted());
                }
            }
            Event::Accepted { outpoints, suffices } => {
                for &outpoint in outpoints {
                    self.change(outpoint, |payment| payment.judgement = Some(Judgement::ByHand));
                }
                self.by_hand = *suffices;
            }
            Event::Cancelled { at } => {
                self.cancelled = true;
                self.deadline = self.deadline.min(*at);
                self.deadline_observed = true;
            }
            Event::MadeEarlier { at } => {
                self.made_by = self.made_by.min(*at);
                // What had ended without money does not begin again because its deadline is ahead once more.
                if self.deadline_observed && self.payments.is_empty() {
                    self.deadline = self.deadline.min(*at);
                }
            }
            Event::StateChanged { verdict, .. } => self.enter(*verdict),
            // It moves the number, which is done.
            Event::Restored { .. } => {}
            Event::Announced { announcement, .. } => self.tell(*announcement),
        }
    }

    fn enter(&mut self, verdict: Verdict) {
        if verdict.state.is_reversal_of(self.state) {
            self.reversals += 1;
        }
        self.was_confirmed |= verdict.state == State::Confirmed;
        self.state = verdict.state;
        self.reason = verdict.reason;
    }

    fn tell(&mut self, announcement: Announcement) {
        match announcement {
            Announcement::Updated => return,
            Announcement::Reverted => self.round += 1,
            Announcement::Seen | Announcement::TimedOut | Announcement::Confirmed | Announcement::Failed => {}
        }
        self.was_announced |= announcement != Announcement::TimedOut;
        self.told = Some(announcement);
    }

    fn change(&mut self, outpoint: Outpoint, change: impl FnOnce(&mut Payment)) {
        if let Ok(place) = self.place_of(outpoint) {
            change(Arc::make_mut(&mut self.payments[place]));
        }
    }
}

/// The sum of `amounts`.
///
/// Outputs of distinct transactions cannot exceed the money supply together, and 64 bits hold 8,000 times that.
pub(crate) fn total(amounts: impl Iterator<Item = Amount>) -> Amount {
    Amount::from_sat(amounts.map(Amount::to_sat).fold(0, u64::saturating_add))
}
