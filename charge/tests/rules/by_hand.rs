//! What a person does: accept and cancel (R14, R15).

use bitpro_charge::{
    Amount, Announcement, Event, Interval, Judgement, LatePolicy, Loss, Observation, Place, Reason, Refusal, State,
    Terms, Timestamp,
};

use crate::common::*;

#[test]
fn r14_accepting_by_hand_waives_amount_and_time_but_never_depth() {
    let mut world = World::new(terms());
    world
        .at(after_deadline())
        .pay(1, 40_000)
        .is(State::Failed, Some(Reason::Late));
    world.accept(1).unwrap();
    world.is(State::Seen, Some(Reason::Manual));
    assert_eq!(
        world.charge.progress(world.tip).map(|p| (p.have, p.required)),
        Some((0, 1))
    );
    world.mine(1).is(State::Confirmed, Some(Reason::Manual));
    let back = world.sighting(1, 40_000, Place::Mempool);
    world.view(vec![back], vec![]).is(State::Seen, Some(Reason::Manual));
    world.lose(1, Loss::Replaced).is(State::Failed, Some(Reason::Replaced));
}

#[test]
fn r14_deep_money_that_is_accepted_is_told_as_taken_by_hand_from_the_start() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).mine(1).at(after_deadline());
    world.is(State::Failed, Some(Reason::Underpaid));
    let before = world.log.len();
    world.accept(1).unwrap();
    let entered = world.log[before..].iter().filter_map(|event| match event {
        Event::StateChanged { verdict, .. } => Some((verdict.state, verdict.reason)),
        _ => None,
    });
    let manual = Some(Reason::Manual);
    assert_eq!(
        entered.collect::<Vec<_>>(),
        [(State::Seen, manual), (State::Confirmed, manual)]
    );
}

#[test]
fn r14_a_stale_or_empty_acceptance_is_a_conflict_and_changes_nothing() {
    let mut world = World::new(terms());
    world.at(after_deadline()).pay(1, 40_000);
    let before = world.charge.clone();
    let accept = |outpoints: Vec<_>, sequence| Observation::Accept { outpoints, sequence };
    assert_eq!(
        world.try_observe(&accept(vec![outpoint(1)], before.sequence - 1)),
        Err(Refusal::Stale(before.sequence))
    );
    assert_eq!(
        world.try_observe(&accept(vec![], before.sequence)),
        Err(Refusal::NoLiveMoney)
    );
    assert_eq!(world.accept(9), Err(Refusal::NoLiveMoney));
    assert_eq!(world.charge, before);
    world.lose(1, Loss::Dropped);
    assert_eq!(world.accept(1), Err(Refusal::NoLiveMoney));
}

#[test]
fn r14_taking_an_extra_payment_does_not_lower_what_the_charge_needs() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).at(after_deadline()).pay(2, 5_000);
    world.accept(2).unwrap();
    world.mine(1).is(State::Confirmed, Some(Reason::Exact));
    world.lose(1, Loss::Replaced);
    assert_eq!(world.charge.state, State::Failed);
}

#[test]
fn r14_what_is_confirmed_and_counts_already_cannot_be_accepted() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).mine(1).is(State::Confirmed, Some(Reason::Exact));
    let before = world.charge.clone();
    assert_eq!(world.accept(1), Err(Refusal::NothingToAccept));
    assert_eq!(world.charge, before);
    // Late money beside it can be taken; what had counted is not taken along.
    world.at(after_deadline()).pay(2, 5_000);
    let sequence = world.charge.sequence;
    let both = vec![outpoint(1), outpoint(2)];
    world
        .try_observe(&Observation::Accept {
            outpoints: both,
            sequence,
        })
        .unwrap();
    world.is(State::Confirmed, Some(Reason::Exact));
    let judged = |n| world.charge.payment(outpoint(n)).unwrap().judgement;
    assert_eq!([judged(1), judged(2)], [None, Some(Judgement::ByHand)]);
    // Taken twice, it is taken.
    world.accept(2).unwrap();
}

#[test]
fn r15_a_charge_that_is_withdrawn_unpaid_leaves_its_order_open() {
    let mut world = World::new(terms());
    world.cancel().unwrap();
    world.is(State::Failed, Some(Reason::Cancelled));
    assert!(!world.charge.is_paid_into() && world.charge.is_untouched());
    // Money that comes all the same closes it.
    world.at(60).pay(1, AMOUNT);
    assert!(world.charge.is_paid_into());
}

#[test]
fn r15_only_a_pending_charge_is_cancelled_and_earlier_money_wins() {
    let mut world = World::new(Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    });
    world.at(60);
    assert_eq!(
        world.try_observe(&Observation::Cancel { sequence: 7 }),
        Err(Refusal::Stale(0))
    );
    world.cancel().unwrap();
    world
        .is(State::Failed, Some(Reason::Cancelled))
        .told(&[Announcement::Failed]);
    assert_eq!(world.cancel(), Err(Refusal::NotPending));

    let mut earlier = world.clone();
    let mut sighting = earlier.sighting(1, AMOUNT, Place::Mempool);
    sighting.first_seen = Interval::at(Timestamp::from_secs(60));
    earlier.view(vec![sighting], vec![]).is(State::Seen, None);

    world.at(61).pay(1, AMOUNT).is(State::Failed, Some(Reason::Late));
    assert!(!world.log.iter().any(|event| matches!(
        event,
        Event::Judged {
            judgement: Judgement::Provisional,
            ..
        }
    )));

    let mut paid = World::new(terms());
    paid.pay(1, AMOUNT);
    assert_eq!(paid.cancel(), Err(Refusal::NotPending));
}

#[test]
fn r14_more_money_that_is_accepted_does_not_undo_a_confirmed_charge() {
    let mut world = World::new(terms());
    world.pay(1, 42_000).at(after_deadline());
    world.accept(1).unwrap();
    world.mine(1).is(State::Confirmed, Some(Reason::Manual));
    world.pay(2, 20_000);
    world.accept(2).unwrap();
    world.is(State::Confirmed, Some(Reason::Manual));
    world.lose(2, Loss::Replaced).is(State::Confirmed, Some(Reason::Manual));
    assert!(!world.told.contains(&Announcement::Reverted));
    world.lose(1, Loss::Replaced).at(after_deadline() + 60);
    world.is(State::Failed, Some(Reason::Replaced));
}

#[test]
fn r14_what_is_not_deep_takes_nothing_from_the_merchants_hand() {
    let mut world = World::new(terms());
    world.pay(1, 50_000).at(after_deadline());
    world.accept(1).unwrap();
    // Enough came in time, which nobody looked at before.
    let before = world.charge.deadline;
    let mut more = world.sighting(2, AMOUNT, Place::Mempool);
    more.first_seen = Interval::at(before);
    world.view(vec![more], vec![]).is(State::Seen, None);
    world.mine(1).is(State::Confirmed, Some(Reason::Manual));
    world.lose(2, Loss::Replaced).is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r09_more_than_was_asked_for_is_overpaid_whatever_the_merchants_hand_took() {
    let mut world = World::new(terms());
    world.pay(1, 3 * AMOUNT).at(after_deadline());
    world.accept(1).unwrap();
    world.mine(1).is(State::Confirmed, Some(Reason::Overpaid));
    let mut parts = World::new(terms());
    parts.pay(1, 50_000);
    parts.accept(1).unwrap();
    parts.is(State::Seen, Some(Reason::Manual));
    parts.pay(2, 60_000).mine(1).is(State::Confirmed, Some(Reason::Manual));
    parts.mine(2).is(State::Confirmed, Some(Reason::Overpaid));
}

#[test]
fn r14_what_is_named_suffices_and_what_is_not_named_is_not_waited_for() {
    let mut world = World::new(terms());
    world.pay(1, 30_000).pay(2, 20_000).at(after_deadline());
    world.is(State::Failed, Some(Reason::Underpaid));
    world.accept(1).unwrap();
    assert_eq!(world.charge.need(), Amount::from_sat(30_000));
    world.mine(1).is(State::Confirmed, Some(Reason::Manual));

    // Both are named: both are waited for.
    let mut both = World::new(terms());
    both.pay(1, 30_000).pay(2, 20_000).at(after_deadline());
    let sequence = both.charge.sequence;
    let outpoints = vec![outpoint(2), outpoint(1), outpoint(2)];
    both.try_observe(&Observation::Accept { outpoints, sequence }).unwrap();
    assert_eq!(both.charge.need(), Amount::from_sat(50_000));
    both.mine(1).is(State::Seen, Some(Reason::Manual));
    both.mine(2).is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r14_late_money_is_taken_beside_what_counts_and_is_not_the_price_of_the_whole() {
    // In time and late make the whole: nothing is waived but the time of the one.
    let mut whole = World::new(terms());
    whole.pay(1, 50_000).at(after_deadline()).pay(2, AMOUNT - 50_000);
    whole.is(State::Failed, Some(Reason::Late));
    whole.accept(2).unwrap();
    assert_eq!(whole.charge.need(), Amount::from_sat(AMOUNT));
    whole.mine(2).is(State::Seen, Some(Reason::Manual));
    whole.lose(1, Loss::Replaced);
    assert_eq!(whole.charge.state, State::Failed, "the double spend of the first part");
    assert!(!whole.told.contains(&Announcement::Confirmed));

    // Short even together: what there was then suffices, and no less.
    let mut short = World::new(terms());
    short.pay(1, 50_000).at(after_deadline()).pay(2, 10_000);
    short.accept(2).unwrap();
    assert_eq!(short.charge.need(), Amount::from_sat(60_000));
    short.mine(2).is(State::Seen, Some(Reason::Manual));
    short.mine(1).is(State::Confirmed, Some(Reason::Manual));
    short.lose(1, Loss::Replaced);
    assert_eq!(short.charge.state, State::Failed);
}

#[test]
fn r14_what_suffices_falls_when_less_is_named_and_never_rises() {
    let mut world = World::new(terms());
    world.pay(1, 30_000).pay(2, 20_000).at(after_deadline());
    world.accept(1).unwrap();
    world.lose(1, Loss::Replaced).is(State::Failed, Some(Reason::Underpaid));
    world.accept(2).unwrap();
    assert_eq!(world.charge.need(), Amount::from_sat(20_000));
    world.is(State::Seen, Some(Reason::Manual));
    world.pay(3, 50_000);
    world.accept(3).unwrap();
    assert_eq!(world.charge.need(), Amount::from_sat(20_000));
}
