//! What the merchant is told (R17, R18, R31).

use bitpro_charge::{Announcement, Cents, Charge, Event, Loss, Place, Reason, State, Terms};

use crate::common::*;

#[test]
fn r17_a_second_seen_comes_only_after_the_loss_was_told() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).lose(1, Loss::Replaced).is(State::Pending, None);
    assert_eq!(world.charge.round, 1);
    world.pay(2, AMOUNT).is(State::Seen, None);
    world.told(&[Announcement::Seen, Announcement::Reverted, Announcement::Seen]);
}

#[test]
fn r17_what_was_announced_and_is_gone_ends_in_failed_never_in_timedout() {
    for loss in [Loss::Replaced, Loss::Dropped, Loss::Reorged] {
        let mut world = World::new(terms());
        world.pay(1, AMOUNT).lose(1, loss).at(after_deadline());
        assert_eq!(world.charge.state, State::Failed);
        assert_eq!(world.told.last(), Some(&Announcement::Failed));
    }
}

#[test]
fn r17_after_three_reversals_only_the_outcome_is_told() {
    let mut world = World::new(terms());
    for n in 1..=3 {
        world.pay(n, AMOUNT).lose(n, Loss::Replaced);
    }
    let so_far = world.told.clone();
    assert_eq!(so_far.iter().filter(|told| **told == Announcement::Reverted).count(), 3);
    world.pay(4, AMOUNT).is(State::Seen, None).told(&so_far);
    world.lose(4, Loss::Replaced).is(State::Pending, None).told(&so_far);
    world.pay(5, AMOUNT).mine(5).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(world.told[so_far.len()..], [Announcement::Confirmed]);
    // Nobody is left with a confirmation that is none.
    let back = world.sighting(5, AMOUNT, Place::Mempool);
    world.view(vec![back], vec![]).is(State::Seen, None);
    world.lose(5, Loss::Replaced).is(State::Pending, None);
    world.pay(6, AMOUNT).mine(6).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(
        world.told[so_far.len() + 1..],
        [Announcement::Reverted, Announcement::Confirmed]
    );
    world.at(after_deadline()).lose(6, Loss::Replaced);
    assert_eq!(world.told.last(), Some(&Announcement::Failed));
}

#[test]
fn r13_late_money_is_told_also_after_three_reversals() {
    let mut world = World::new(terms());
    for n in 1..=3 {
        world.pay(n, AMOUNT).lose(n, Loss::Replaced);
    }
    world.at(after_deadline()).is(State::Failed, Some(Reason::Replaced));
    let so_far = world.told.len();
    world.pay(4, AMOUNT).is(State::Failed, Some(Reason::Late));
    assert_eq!(world.told[so_far..], [Announcement::Updated]);
}

#[test]
fn r17_the_sequence_is_dense() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).pay(2, 60_000).mine(1).mine(2).at(after_deadline());
    assert_eq!(world.charge.sequence, u64::try_from(world.log.len()).unwrap());
}

#[test]
fn r17_a_restore_moves_the_number_ahead_and_touches_nothing_else() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT);
    let before = world.charge.clone();
    let mut after = before.clone();
    after.apply(&Event::Restored { sequence: 1_000_000 });
    let numbered = |sequence| Charge {
        sequence,
        ..before.clone()
    };
    assert_eq!(after, numbered(1_000_000));
    // One that comes with a lower number, from a clock that was wrong, is a number of its own all the same.
    after.apply(&Event::Restored { sequence: 5 });
    assert_eq!(after, numbered(1_000_001));
}

#[test]
fn r18_updates_tell_of_more_money_and_of_nothing_else() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).pay(2, 10_000);
    world.told(&[Announcement::Seen, Announcement::Updated]);
    world.mine(1).mine(2);
    world.told(&[Announcement::Seen, Announcement::Updated]);
}

#[test]
fn r31_depth_alone_is_no_event() {
    let mut world = World::new(Terms {
        price: Cents(1_000_001),
        ..terms()
    });
    world.pay(1, AMOUNT).mine(1);
    let events = world.log.len();
    world.blocks(4);
    assert_eq!(world.log.len(), events);
    assert_eq!(
        world.charge.progress(world.tip).map(|p| (p.have, p.required)),
        Some((5, 6))
    );
    world.blocks(1).is(State::Confirmed, Some(Reason::Exact));
}
