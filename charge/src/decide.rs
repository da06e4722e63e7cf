//! From an observation to decisions: what is new, what follows from it, and what the merchant is told of it.

use std::sync::Arc;

use crate::apply::total;
use crate::counting::Share;
use crate::event::Verdict;
use crate::state::rate_holds;
use crate::{
    Amount, Announcement, Charge, Context, Event, Gone, Judgement, LatePolicy, Observation, Outpoint, Payment, Place,
    Reason, Refusal, Sighting, State, Timestamp, Whereabouts,
};

/// From this many reversals on, a charge reports only `confirmed` and `failed` (R17).
const REVERSALS_TOLD: u32 = 3;

/// Decides what `observation` means for `charge`. Events come back in the order in which they are to be applied; none of
/// them says what the charge already knows, so that deciding twice yields nothing.
///
/// # Errors
/// [`Refusal`], for the merchant's commands only; a view is never refused.
pub fn decide(charge: &Charge, observation: &Observation, context: &Context) -> Result<Vec<Event>, Refusal> {
    let mut decision = Decision {
        charge: charge.clone(),
        context,
        events: Vec::new(),
    };
    match observation {
        Observation::View { sightings, gone } => decision.view(sightings, gone),
        Observation::Accept { outpoints, sequence } => decision.accept(outpoints, *sequence)?,
        Observation::Cancel { sequence } => decision.cancel(*sequence)?,
        Observation::ClockTakenBack { to } => decision.made_by(*to),
    }
    decision.conclude(charge);
    Ok(decision.events)
}

/// A decision in the making: the charge as the events so far have made it.
struct Decision<'a> {
    charge: Charge,
    context: &'a Context,
    events: Vec<Event>,
}

impl Decision<'_> {
    fn emit(&mut self, event: Event) {
        self.charge.apply(&event);
        self.events.push(event);
    }

    fn view(&mut self, sightings: &[Sighting], gone: &[Gone]) {
        // Sorted, so that the order in which a block or a mempool lists them decides nothing.
        let mut sightings: Vec<&Sighting> = sightings.iter().collect();
        sightings.sort_by_key(|sighting| (sighting.outpoint, sighting.place == Place::Mempool));
        sightings.dedup_by_key(|sighting| sighting.outpoint);
        let mut gone: Vec<&Gone> = gone.iter().collect();
        gone.sort_by_key(|gone| (gone.outpoint, gone.loss));
        gone.dedup_by_key(|gone| gone.outpoint);
        // What is both removed and there is there: a removal alone is never an observation (R2).
        gone.retain(|gone| {
            sightings
                .binary_search_by_key(&gone.outpoint, |sighting| sighting.outpoint)
                .is_err()
        });

        for sighting in sightings {
            self.sight(sighting);
        }
        for gone in gone {
            self.lose(gone);
        }
        self.raise_confirmations();
        self.extend_deadline();
        self.observe_deadline();
        self.take_late_provisionally();
        self.observe_settlement();
        self.judge_what_is_deep();
    }

    fn sight(&mut self, sighting: &Sighting) {
        let outpoint = sighting.outpoint;
        let Some(known) = self.charge.payment(outpoint) else {
            let payment = self.first_sight(sighting);
            return self.emit(Event::PaymentFound(payment));
        };
        // What our node received itself was not there before. A block that says so has a miner whose clock lags, and would make the
        // money of whoever paid at once somebody else's (R27).
        let is_by_lagging_miner = known.met_in_mempool
            && matches!(sighting.place, Place::Block(_))
            && sighting.first_seen.latest < known.first_seen.earliest;
        let first_seen = if is_by_lagging_miner {
            known.first_seen
        } else {
            known.first_seen.narrowed(sighting.first_seen)
        };
        let corrected = first_seen != known.first_seen;
        let moved = known.whereabouts != Whereabouts::Live(sighting.place);
        if corrected {
            self.emit(Event::FirstSeenCorrected { outpoint, first_seen });
        }
        if moved {
            self.emit(Event::PaymentMoved {
                outpoint,
                place: sighting.place,
            });
        }
    }

    fn first_sight(&self, sighting: &Sighting) -> Payment {
        let is_first_of_its_transaction = self.charge.payments_of(sighting.outpoint.txid).is_empty();
        let replaced = if is_first_of_its_transaction {
            self.charge.nearest_replaced(&sighting.conflicts)
        } else {
            Vec::new()
        };
        // What holds for one payment of a transaction holds for all of it.
        let siblings = self.charge.payments_of(sighting.outpoint.txid).iter();
        let ancestors = replaced.iter().flat_map(|&txid| self.charge.payments_of(txid));
        let kin: Vec<&Arc<Payment>> = siblings.chain(ancestors).collect();
        // What the merchant's hand took is no other's any more (R14), and neither is the same money sent again.
        let replaced_earlier = kin.iter().any(|payment| !self.charge.is_own(payment));
        // A fee that is raised later makes nothing settled in time (R12).
        let stalled = !self.charge.was_confirmed && kin.iter().any(|payment| payment.stalled);
        Payment {
            outpoint: sighting.outpoint,
            value: sighting.value,
            whereabouts: Whereabouts::Live(sighting.place),
            first_seen: sighting.first_seen.in_order(),
            replaced,
            replaced_earlier,
            met_in_mempool: sighting.place == Place::Mempool,
            coinbase: sighting.coinbase,
            merchant_total: sighting.merchant_total,
            rate: sighting.rate.clone(),
            rate_when_found: if sighting.rate.is_none() {
                self.context.rate.clone()
            } else {
                None
            },
            judgement: None,
            stalled,
        }
    }

    fn lose(&mut self, gone: &Gone) {
        let Gone { outpoint, loss } = *gone;
        if self.charge.payment(outpoint).is_some_and(Payment::is_live) {
            self.emit(Event::PaymentLost { outpoint, loss });
        }
    }

    /// R9. A confirmed charge is left alone: extra money never lowers a state.
    fn raise_confirmations(&mut self) {
        if self.charge.state == State::Confirmed {
            return;
        }
        let required = self.charge.required_by_worth();
        if required > self.charge.required {
            self.emit(Event::ConfirmationsRaised { required });
        }
    }

    /// R16.
    fn extend_deadline(&mut self) {
        let charge = &self.charge;
        let terms = &charge.terms;
        let is_partial = charge.counted() < charge.need()
            && charge
                .payments
                .iter()
                .any(|p| p.is_live() && charge.is_significant(p) && charge.is_in_time(p));
        if charge.extended || charge.deadline_observed || terms.extension_secs == 0 || !is_partial {
            return;
        }
        if let Some(compared) = self.context.rate.clone()
            && rate_holds(terms, Some(&compared))
        {
            let deadline = charge.deadline.plus_secs(terms.extension_secs);
            self.emit(Event::DeadlineExtended { deadline, compared });
        }
    }

    /// R4.
    fn observe_deadline(&mut self) {
        let end = self.charge.deadline.plus_secs(self.charge.terms.grace_secs);
        if !self.charge.deadline_observed && self.context.observed_until >= end {
            self.emit(Event::DeadlineObserved {
                observed_until: self.context.observed_until,
            });
        }
    }

    /// R13, the first comparison: between the quote and the first sight.
    fn take_late_provisionally(&mut self) {
        let charge = &self.charge;
        // What was cancelled takes nothing by itself (R15).
        if charge.terms.late_policy != LatePolicy::Accept || charge.cancelled {
            return;
        }
        let shares = charge.shares(|_, _| true);
        // Dust moves nothing by itself, unless it completes the sum (R8).
        let completes = charge.received() >= charge.need();
        let takes = |(payment, share): &(&Arc<Payment>, &Share)| {
            payment.is_live()
                && payment.judgement.is_none()
                // What is stuck is judged once, when it is deep.
                && !payment.stalled
                && (share.by_policy > Amount::ZERO
                    || (completes || charge.is_significant(payment))
                        && share.total() < payment.value
                        && charge.is_takeable(payment))
        };
        // What takes the place of money that was taken is taken as that was; its own rate was not asked for then.
        let compared = |payment: &Payment| payment.rate.clone().filter(|_| charge.is_takeable(payment));
        let taken: Vec<_> = charge
            .payments
            .iter()
            .zip(&shares)
            .filter(takes)
            .map(|(payment, _)| (payment.outpoint, compared(payment)))
            .collect();
        for (outpoint, compared) in taken {
            self.emit(Event::Judged {
                outpoint,
                judgement: Judgement::Provisional,
                compared,
            });
        }
    }

    /// R12. Of a charge that waits and of one that has lost its money alike: what comes back later is no more in time than what
    /// stayed.
    ///
    /// Of blocks that are read late, such as after a stop of the server, their times tell which came after the deadline: what only these
    /// made deep was not deep in time, although nobody was there to see it.
    fn observe_settlement(&mut self) {
        let charge = &self.charge;
        let end = charge.settlement_end();
        // Where a block's time leaves it open, it was found in time as long as that costs the merchant nothing, as with first sights (R5).
        let in_doubt = rate_holds(&charge.terms, self.context.rate.as_ref());
        let tip = self.context.tip_by(end, in_doubt);
        let is_observed = end <= self.context.observed_until;
        let is_over = is_observed || tip < self.context.tip;
        if !is_over || charge.settlement_due(tip).is_none() || charge.verdict(tip).state == State::Confirmed {
            return;
        }
        // As long as not everything was read up to then, only of what stands in a block is it known that it was not deep before (R3).
        let is_known =
            |&outpoint: &Outpoint| is_observed || charge.payment(outpoint).and_then(Payment::block).is_some();
        let outpoints: Vec<Outpoint> = charge.may_stall(tip).into_iter().filter(is_known).collect();
        if !outpoints.is_empty() {
            self.emit(Event::Stalled { outpoints });
        }
    }

    /// R12 and R13, the second comparison: when the money is deep.
    fn judge_what_is_deep(&mut self) {
        let charge = &self.charge;
        let awaits = |payment: &&Arc<Payment>| match payment.judgement {
            Some(Judgement::Provisional) => true,
            // Before the end of the window is observed (R4) nothing is refused.
            None => payment.stalled && charge.deadline_observed,
            Some(Judgement::Taken | Judgement::ByHand | Judgement::Refused) => false,
        };
        let deep = charge
            .payments
            .iter()
            .filter(awaits)
            .filter(|payment| charge.is_deep(payment, self.context.tip));
        let deep: Vec<Outpoint> = deep.map(|payment| payment.outpoint).collect();
        let compared = self.context.rate.clone();
        let takes = charge.terms.late_policy == LatePolicy::Accept
            && !charge.cancelled
            && rate_holds(&charge.terms, compared.as_ref());
        let judgement = if takes { Judgement::Taken } else { Judgement::Refused };
        for outpoint in deep {
            self.emit(Event::Judged {
                outpoint,
                judgement,
                compared: compared.clone(),
            });
        }
    }

    /// R14.
    fn accept(&mut self, outpoints: &[Outpoint], sequence: u64) -> Result<(), Refusal> {
        self.check_sequence(sequence)?;
        let shares = self.charge.shares(|_, _| true);
        let named = self.named_that_is_live(outpoints)?;
        let named = self.without_what_is_settled(named, &shares)?;
        let suffices = self.what_suffices_with(&named, &shares);
        let is_news = named.iter().any(|payment| !payment.is_by_hand()) || suffices != self.charge.by_hand;
        let outpoints = named.iter().map(|payment| payment.outpoint).collect();
        if is_news {
            self.emit(Event::Accepted { outpoints, suffices });
        }
        Ok(())
    }

    /// R14: an acceptance names payments that are there. Each once, ascending.
    fn named_that_is_live(&self, outpoints: &[Outpoint]) -> Result<Vec<&Payment>, Refusal> {
        let live = |&outpoint: &Outpoint| self.charge.payment(outpoint).filter(|payment| payment.is_live());
        let named: Option<Vec<&Payment>> = outpoints.iter().map(live).collect();
        let mut named = named.filter(|named| !named.is_empty()).ok_or(Refusal::NoLiveMoney)?;
        named.sort_unstable_by_key(|payment| payment.outpoint);
        named.dedup_by_key(|payment| payment.outpoint);
        Ok(named)
    }

    /// R14: where the charge is confirmed there is nothing to waive about money that counts. It was not taken by hand, and is not to
    /// look as if it had been.
    fn without_what_is_settled<'p>(
        &self,
        mut named: Vec<&'p Payment>,
        shares: &[Share],
    ) -> Result<Vec<&'p Payment>, Refusal> {
        if self.charge.state == State::Confirmed {
            named.retain(|payment| payment.is_by_hand() || !self.counts_wholly(payment, shares));
        }
        if named.is_empty() {
            return Err(Refusal::NothingToAccept);
        }
        Ok(named)
    }

    /// R14: what suffices once `named` is taken. Of a charge that lacks nothing, or nothing any more with what was named, as much as
    /// before. One that is short even so is to be content with less; never with more than it was content with already.
    fn what_suffices_with(&self, named: &[&Payment], shares: &[Share]) -> Option<Amount> {
        let counted_then = self.charge.counted_with(named);
        if counted_then >= self.charge.need() {
            return self.charge.by_hand;
        }
        let value = self.what_is_named(named, shares, counted_then);
        Some(self.charge.by_hand.map_or(value, |before| before.min(value)))
    }

    /// R14: whoever names money that counts says what is enough. Whoever names only what does not count adds it to what does, and all
    /// of that is waited for: otherwise the price of the whole would be that one late payment.
    fn what_is_named(&self, named: &[&Payment], shares: &[Share], counted_then: Amount) -> Amount {
        if named.iter().any(|payment| self.counts_wholly(payment, shares)) {
            total(named.iter().map(|payment| payment.value))
        } else {
            counted_then
        }
    }

    fn counts_wholly(&self, payment: &Payment, shares: &[Share]) -> bool {
        let place = self.charge.place_of(payment.outpoint);
        place.is_ok_and(|place| shares[place].total() == payment.value)
    }

    /// R15.
    fn cancel(&mut self, sequence: u64) -> Result<(), Refusal> {
        self.check_sequence(sequence)?;
        if self.charge.state != State::Pending {
            return Err(Refusal::NotPending);
        }
        self.emit(Event::Cancelled { at: self.context.now });
        Ok(())
    }

    /// R32.
    fn made_by(&mut self, at: Timestamp) {
        if at < self.charge.made_by {
            self.emit(Event::MadeEarlier { at });
        }
    }

    const fn check_sequence(&self, sequence: u64) -> Result<(), Refusal> {
        if sequence == self.charge.sequence {
            Ok(())
        } else {
            Err(Refusal::Stale(self.charge.sequence))
        }
    }

    /// Asks the state function, and tells the merchant what has changed since `before`.
    fn conclude(&mut self, before: &Charge) {
        let next = self.charge.verdict(self.context.tip);
        if next.state == State::Confirmed && !matches!(self.charge.state, State::Seen | State::Confirmed) {
            // Money first met deep goes through `seen`, so that no listener meets a `confirmed` out of nothing (R1).
            self.enter(Verdict {
                state: State::Seen,
                // What the merchant took by hand is told so from the start (R14).
                reason: next.reason.filter(|reason| *reason == Reason::Manual),
            });
        }
        self.enter(next);
        let is_news = self.charge.reason != before.reason || self.charge.received() != before.received();
        if self.charge.state == before.state && before.told.is_some() && is_news {
            self.announce(Announcement::Updated);
        }
    }

    fn enter(&mut self, verdict: Verdict) {
        let from = self.charge.state;
        if verdict
            == (Verdict {
                state: from,
                reason: self.charge.reason,
            })
        {
            return;
        }
        self.emit(Event::StateChanged {
            verdict,
            tip: self.context.tip,
        });
        if verdict.state == from {
            return;
        }
        self.announce(match (from, verdict.state) {
            (State::Confirmed, State::Seen) | (_, State::Pending) => Announcement::Reverted,
            (_, State::Seen) => Announcement::Seen,
            (_, State::Confirmed) => Announcement::Confirmed,
            (_, State::TimedOut) => Announcement::TimedOut,
            (_, State::Failed) => Announcement::Failed,
        });
    }

    /// Emits the announcement, unless R17 keeps it back: nothing is told twice without the loss between, and a charge that
    /// keeps falling back tells only what it comes to.
    fn announce(&mut self, announcement: Announcement) {
        let is_kept_back = match announcement {
            Announcement::Confirmed | Announcement::Failed | Announcement::TimedOut => {
                self.charge.told == Some(announcement)
            }
            // Nobody is left with a `confirmed` that is none any more.
            Announcement::Reverted => {
                self.charge.reversals > REVERSALS_TOLD && self.charge.told != Some(Announcement::Confirmed)
            }
            Announcement::Seen => self.charge.reversals >= REVERSALS_TOLD,
            // Money that comes after the end waits for the merchant's word (R13).
            Announcement::Updated => self.charge.reversals >= REVERSALS_TOLD && self.charge.state != State::Failed,
        };
        if !is_kept_back {
            self.emit(Event::Announced {
                announcement,
                tip: self.context.tip,
            });
        }
    }
}
