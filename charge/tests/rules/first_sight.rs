//! When a payment was first seen, and what a replacement inherits (R5, R44).

use bitpro_charge::{Amount, Gone, Interval, Loss, Place, Reason, State, Timestamp};

use crate::common::*;

#[test]
fn r05_the_minimum_ever_recorded_is_the_first_sight() {
    let mut world = World::new(terms());
    world.at(EXPIRES + 1).pay(1, AMOUNT);
    world.at(after_deadline()).is(State::Failed, Some(Reason::Late));
    let mut better = world.sighting(1, AMOUNT, Place::Mempool);
    better.first_seen = Interval::at(Timestamp::from_secs(EXPIRES));
    world.view(vec![better], vec![]).is(State::Seen, None);
    // A later report, as after a rebroadcast, never takes it back.
    world.at(EXPIRES + 9_000).pay(1, AMOUNT).is(State::Seen, None);
}

#[test]
fn r05_a_deadline_inside_the_interval_is_forgiven_while_the_rate_holds() {
    for (rate, state) in [
        (Some(RATE), State::Seen),
        (Some(RATE * 3), State::Seen),
        (Some(RATE * 981 / 1000), State::Seen),
        (Some(RATE * 98 / 100), State::Failed),
        (None, State::Failed),
    ] {
        let mut world = World::new(terms());
        world.rate = rate;
        world.unobserved_at(EXPIRES + 500);
        let mut sighting = world.sighting(1, AMOUNT, Place::Mempool);
        sighting.first_seen.earliest = Timestamp::from_secs(EXPIRES - 100);
        world.observed_until = EXPIRES + 500;
        world.view(vec![sighting], vec![]);
        assert_eq!(world.charge.state, state, "at {rate:?}");
    }
}

#[test]
fn r05_a_replacement_inherits_the_first_sight_of_what_it_replaces() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).at(after_deadline()).is(State::Seen, None);
    world.replace(1, 2, AMOUNT).is(State::Seen, None);
    // And the replacement of the replacement.
    world.replace(2, 3, AMOUNT).is(State::Seen, None);
    world.mine(3).is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r05_what_a_replacement_inherits_ends_at_the_value_it_replaces() {
    let mut world = World::new(terms());
    world
        .pay(1, 40_000)
        .at(after_deadline())
        .is(State::Failed, Some(Reason::Underpaid));
    world.replace(1, 2, AMOUNT);
    assert_eq!(world.charge.counted(), Amount::from_sat(40_000));
    world.is(State::Failed, Some(Reason::Late));
    // Spending both again does not count the same money twice.
    let mut third = world.sighting(3, AMOUNT, Place::Mempool);
    third.conflicts = [outpoint(1).txid, outpoint(2).txid].into();
    world.view(
        vec![third],
        vec![Gone {
            outpoint: outpoint(2),
            loss: Loss::Replaced,
        }],
    );
    assert_eq!(world.charge.counted(), Amount::from_sat(40_000));
}

#[test]
fn r05_a_chain_of_replacements_in_time_is_inherited_once() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).replace(1, 2, 50_000).at(after_deadline());
    let mut third = world.sighting(3, AMOUNT, Place::Mempool);
    third.conflicts = [outpoint(1).txid, outpoint(2).txid].into();
    world.view(
        vec![third],
        vec![Gone {
            outpoint: outpoint(2),
            loss: Loss::Replaced,
        }],
    );
    assert_eq!(world.charge.counted(), Amount::from_sat(50_000));
}

#[test]
fn r44_the_rate_at_first_sight_stays_with_the_payment() {
    let mut world = World::new(terms());
    world.rate = Some(RATE + 5);
    world.pay(1, 40_000);
    world.rate = None;
    world.pay(2, 60_000).mine(1).mine(2);
    assert_eq!(world.charge.payment(outpoint(1)).unwrap().rate, Some(quote(RATE + 5)));
    assert_eq!(world.charge.payment(outpoint(2)).unwrap().rate, None);
}

fn seen_between(world: &World, n: u8, earliest: i64, latest: i64, place: Place) -> bitpro_charge::Sighting {
    let mut sighting = world.sighting(n, AMOUNT, place);
    sighting.first_seen = Interval {
        earliest: Timestamp::from_secs(earliest),
        latest: Timestamp::from_secs(latest),
    };
    sighting
}

#[test]
fn r05_a_coarser_report_does_not_widen_an_exact_first_sight() {
    let mut world = World::new(terms());
    let late = EXPIRES + 2_700;
    world.at(late).pay(1, AMOUNT).is(State::Failed, Some(Reason::Late));
    world.lose(1, Loss::Replaced);
    // Mined after all: the block's report begins with our last receipt, before the deadline.
    world.tip += 1;
    let mined = seen_between(&world, 1, EXPIRES - 300, late + 60, Place::Block(block(world.tip)));
    world.view(vec![mined], vec![]).is(State::Failed, Some(Reason::Late));
    let first_seen = world.charge.payment(outpoint(1)).unwrap().first_seen;
    assert_eq!(first_seen, Interval::at(Timestamp::from_secs(late)));
}

#[test]
fn r05_a_block_whose_time_lies_before_our_receipt_changes_nothing() {
    let mut world = World::new(terms());
    let late = EXPIRES + 600;
    world.at(late).pay(1, AMOUNT).is(State::Failed, Some(Reason::Late));
    world.lose(1, Loss::Replaced);
    world.tip += 1;
    let mined = seen_between(&world, 1, EXPIRES - 300, late - 20, Place::Block(block(world.tip)));
    world.view(vec![mined], vec![]).is(State::Failed, Some(Reason::Late));
    let first_seen = world.charge.payment(outpoint(1)).unwrap().first_seen;
    assert_eq!(first_seen, Interval::at(Timestamp::from_secs(late)));
}

#[test]
fn r05_reports_that_contradict_each_other_bound_the_same_instant_in_any_order() {
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0], [2, 0, 1]] {
        let mut world = World::new(terms());
        let reports = [(500, 1_000), (300, 1_000), (200, 400)];
        for i in order {
            let (earliest, latest) = reports[i];
            let sighting = seen_between(&world, 1, earliest, latest, Place::Mempool);
            world.view(vec![sighting], vec![]);
        }
        let first_seen = world.charge.payment(outpoint(1)).unwrap().first_seen;
        assert_eq!(
            (first_seen.earliest.as_secs(), first_seen.latest.as_secs()),
            (400, 400),
            "in the order {order:?}"
        );
    }
}

#[test]
fn r27_a_miner_whose_clock_lags_makes_nobodys_payment_older_than_the_charge() {
    let mut world = World::new(bitpro_charge::Terms {
        created_at: Timestamp::from_secs(700),
        ..terms()
    });
    world.at(800).pay(1, AMOUNT).is(State::Seen, None);
    // Our node forgot it for its low fee, so that it is met anew in its block, whose time is from before the charge.
    world.tip += 1;
    let place = Place::Block(block(world.tip));
    let found = seen_between(&world, 1, 0, 150, place);
    world
        .view(vec![found], vec![])
        .is(State::Confirmed, Some(Reason::Exact));
    let first_seen = world.charge.payment(outpoint(1)).unwrap().first_seen;
    assert_eq!(first_seen.latest, Timestamp::from_secs(800));
}

#[test]
fn r44_a_first_sight_older_than_a_rate_stays_fresh_has_no_rate_but_the_one_it_was_found_at_is_judged_by() {
    let mut world = World::new(terms());
    world.unobserved_at(EXPIRES + 6 * 3_600);
    let mut found = seen_between(&world, 1, EXPIRES - 600, EXPIRES + 600, Place::Mempool);
    found.rate = None;
    world.observed_until = world.now;
    world.view(vec![found], vec![]).is(State::Seen, None);
    let payment = world.charge.payment(outpoint(1)).unwrap();
    assert_eq!(
        (payment.rate.as_ref(), payment.rate_when_found.as_ref()),
        (None, Some(&quote(RATE)))
    );
}

#[test]
fn r13_a_late_payment_without_a_rate_at_its_first_sight_is_asked_about() {
    let mut world = World::new(bitpro_charge::Terms {
        late_policy: bitpro_charge::LatePolicy::Accept,
        ..terms()
    });
    world.at(after_deadline());
    let mut found = world.sighting(1, AMOUNT, Place::Mempool);
    found.rate = None;
    world.view(vec![found], vec![]).is(State::Failed, Some(Reason::Late));
}
