//! What replacements inherit together (R5), and what costs nobody more for it (R34).

use bitpro_charge::{Amount, Event, Loss, Place, Reason, State, Terms};

use crate::common::*;

const HOURS: i64 = 3_600;

#[test]
fn r05_ten_outputs_that_replace_one_payment_inherit_its_first_sight_once() {
    let mut world = World::new(terms());
    world.pay(1, 10_000).at(after_deadline());
    world.is(State::Failed, Some(Reason::Underpaid));
    world.at(20 * HOURS).replace_by_outputs(&[1], 2, &[10_000; 10]);
    world.is(State::Failed, Some(Reason::Late));
    assert_eq!(world.charge.counted(), Amount::from_sat(10_000));
    world.mine_all(2).is(State::Failed, Some(Reason::Late));
    assert_eq!(world.charge.received(), Amount::from_sat(AMOUNT));
}

#[test]
fn r05_two_transactions_that_replace_one_share_what_it_was_worth() {
    let mut world = World::new(terms());
    world.pay(1, 60_000).at(after_deadline());
    world
        .replace_by_outputs(&[1], 2, &[50_000])
        .replace_by_outputs(&[1], 3, &[50_000]);
    assert_eq!(world.charge.counted(), Amount::from_sat(60_000));
    world.mine_all(2).mine_all(3).is(State::Failed, Some(Reason::Late));
    // What the one does not need is left to the other, whatever is deep first.
    let mut enough = World::new(terms());
    enough.pay(1, AMOUNT).at(after_deadline());
    enough
        .replace_by_outputs(&[1], 2, &[50_000])
        .replace_by_outputs(&[1], 3, &[50_000]);
    enough.is(State::Seen, None).mine_all(3).is(State::Seen, None);
    enough.mine_all(2).is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r05_an_heir_that_is_deep_counts_although_another_comes_before_it() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).at(after_deadline());
    world
        .replace_by_outputs(&[1], 2, &[AMOUNT])
        .replace_by_outputs(&[1], 3, &[AMOUNT]);
    assert_eq!(world.charge.counted(), Amount::from_sat(AMOUNT));
    world.mine_all(3).is(State::Confirmed, Some(Reason::Exact));
    let progress = world.charge.progress(world.tip).map(|p| (p.have, p.required));
    assert_eq!(progress, Some((1, 1)));
    world.mine_all(2).is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r05_what_counts_itself_leaves_nothing_to_its_heirs() {
    let mut world = World::new(terms());
    // The second spends a coin of the first's and another; the third spends that other one only.
    world.pay(1, 50_000).at(after_deadline());
    world.replace_by_outputs(&[1], 2, &[50_000]);
    world.replace_by_outputs(&[2], 3, &[50_000]);
    assert_eq!(world.charge.counted(), Amount::from_sat(50_000));
    // The first is mined after all, beside the third: it is the same 50,000 sat that were there in time.
    world.mine(1);
    assert_eq!(world.charge.counted(), Amount::from_sat(50_000));
    world.mine_all(3).is(State::Failed, Some(Reason::Late));
}

#[test]
fn r05_what_was_taken_back_in_time_is_not_inherited() {
    let mut world = World::new(terms());
    world
        .pay(1, AMOUNT)
        .replace_by_outputs(&[1], 2, &[1_000])
        .at(after_deadline());
    // It replaces the first, not the second: but in time there was only the second.
    world.replace_by_outputs(&[1], 3, &[AMOUNT]);
    assert_eq!(world.charge.counted(), Amount::from_sat(1_000));
    world.is(State::Failed, Some(Reason::Late));
}

#[test]
fn r05_what_is_accepted_by_hand_leaves_its_inheritance_to_the_others() {
    let mut world = World::new(terms());
    world.pay(1, 50_000).at(after_deadline());
    world
        .replace_by_outputs(&[1], 2, &[50_000])
        .replace_by_outputs(&[1], 3, &[50_000]);
    assert_eq!(world.charge.counted(), Amount::from_sat(50_000));
    world.accept(2).unwrap();
    assert_eq!(world.charge.counted(), Amount::from_sat(AMOUNT));
}

#[test]
fn r12_a_stuck_heir_that_the_policy_takes_counts_what_it_inherited() {
    let mut world = World::new(Terms {
        late_policy: bitpro_charge::LatePolicy::Accept,
        ..terms()
    });
    world.pay(1, 10_000).at(EXPIRES + i64::from(SETTLE));
    world.replace_by_outputs(&[1], 2, &[AMOUNT]).mine_all(2);
    // The rate has held, but what was not there in time is two days late.
    assert_eq!(world.charge.counted(), Amount::from_sat(10_000));
    world.is(State::Failed, Some(Reason::Late));
}

#[test]
fn r34_a_replacement_is_named_once_however_many_outputs_and_predecessors_there_are() {
    const OUTPUTS: usize = 3_000;
    let mut world = World::new(terms());
    let values = [300; OUTPUTS];
    let known: Vec<u8> = (1..=6).collect();
    for by in 1..=6 {
        // Each spends the same coin, and so conflicts with all before it.
        world.replace_by_outputs(&known[..usize::from(by) - 1], by, &values);
    }
    let names: usize = world.charge.payments.iter().map(|payment| payment.replaced.len()).sum();
    assert_eq!((world.charge.payments.len(), names), (6 * OUTPUTS, 5));
    let found = world.log.iter().filter(|event| matches!(event, Event::PaymentFound(_)));
    assert_eq!(found.count(), 6 * OUTPUTS);
    // The last is late, and inherits through all of them.
    world.at(after_deadline()).is(State::Seen, None);
    world.replace_by_outputs(&known, 7, &values).is(State::Seen, None);
}

#[test]
fn r34_a_long_chain_of_replacements_names_each_once() {
    let mut world = World::new(terms());
    world.pay(0, AMOUNT).at(after_deadline());
    let known: Vec<u8> = (0..=200).collect();
    for by in 1..=200 {
        world.replace_by_outputs(&known[..usize::from(by)], by, &[AMOUNT]);
    }
    let names: usize = world.charge.payments.iter().map(|payment| payment.replaced.len()).sum();
    assert_eq!(names, 200);
    world
        .is(State::Seen, None)
        .mine_all(200)
        .is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r27_money_seen_before_the_charge_was_made_counts_for_nothing_until_it_is_accepted() {
    let made = Terms {
        created_at: bitpro_charge::Timestamp::from_secs(600),
        ..terms()
    };
    let mut world = World::new(made.clone());
    world.now = 539;
    world.pay(1, AMOUNT).is(State::Pending, None).told(&[]);
    assert!(world.charge.is_untouched());
    assert_eq!(
        (world.charge.received(), world.charge.remaining()),
        (Amount::ZERO, Amount::from_sat(AMOUNT))
    );
    world.mine(1).is(State::Pending, None);
    // The same money sent again with a higher fee is no other's.
    world.now = 700;
    world
        .replace_by_outputs(&[1], 2, &[AMOUNT / 2, AMOUNT / 2])
        .is(State::Pending, None);
    world.mine_all(2).at(after_deadline()).is(State::TimedOut, None);
    world.lose(2, Loss::Replaced).is(State::TimedOut, None);

    let mut taken = World::new(made);
    taken.now = 100;
    taken.pay(1, AMOUNT).at(after_deadline()).is(State::TimedOut, None);
    taken.accept(1).unwrap();
    taken.mine(1).is(State::Confirmed, Some(Reason::Manual));
    assert_eq!(taken.charge.received(), Amount::from_sat(AMOUNT));
}

#[test]
fn r27_two_clocks_do_not_prove_within_a_minute_that_a_payment_was_there_before_the_charge() {
    for (seen, state) in [(539, State::Pending), (540, State::Seen), (599, State::Seen)] {
        let mut world = World::new(Terms {
            created_at: bitpro_charge::Timestamp::from_secs(600),
            ..terms()
        });
        world.now = seen;
        world.pay(1, AMOUNT);
        assert_eq!(world.charge.state, state, "at {seen}");
    }
}

#[test]
fn r27_a_miners_clock_does_not_prove_that_a_payment_was_there_before_the_charge() {
    let two_hours = 2 * HOURS;
    for (block_time, state) in [
        (599, State::Confirmed),
        (600 - two_hours, State::Confirmed),
        (599 - two_hours, State::Pending),
    ] {
        let mut world = World::new(Terms {
            created_at: bitpro_charge::Timestamp::from_secs(600),
            ..terms()
        });
        world.now = 600;
        world.tip += 1;
        let mut sighting = world.sighting(1, AMOUNT, Place::Block(block(world.tip)));
        sighting.first_seen = bitpro_charge::Interval {
            earliest: bitpro_charge::Timestamp::from_secs(block_time - 600),
            latest: bitpro_charge::Timestamp::from_secs(block_time),
        };
        world.view(vec![sighting], vec![]);
        assert_eq!(world.charge.state, state, "at {block_time}");
    }
}

#[test]
fn r22_dust_closes_no_order_and_leaves_no_trace_when_it_is_gone() {
    let mut world = World::new(terms());
    assert!(world.charge.is_untouched());
    world.pay(1, 300);
    assert!(!world.charge.is_untouched(), "the page shows what is there");
    assert!(!world.charge.is_paid_into());
    world.lose(1, Loss::Replaced).is(State::Pending, None);
    assert!(world.charge.is_untouched());
    assert!(crate::amounts::view_of(&world).gone_payments.is_empty());
    // What was announced is another matter, and so is more than dust.
    world.pay(2, 1_000).lose(2, Loss::Replaced);
    assert!(!world.charge.is_untouched() && world.charge.is_paid_into());
}

#[test]
fn r22_many_payments_that_are_dust_alone_close_an_order_together_and_for_good() {
    let mut world = World::new(terms());
    world.pay(1, 400).pay(2, 400).is(State::Pending, None);
    assert!(!world.charge.is_paid_into());
    world.pay(3, 400).is(State::Pending, None);
    assert!(world.charge.is_paid_into());
    for lost in [1, 2, 3] {
        world.lose(lost, Loss::Dropped).is(State::Pending, None);
    }
    assert!(world.charge.is_paid_into() && !world.charge.is_untouched());
}

#[test]
fn r22_the_same_dust_sent_again_and_again_for_a_better_fee_closes_no_order() {
    let mut world = World::new(terms());
    world.pay(1, 400);
    for again in 2..8 {
        world
            .replace_by_outputs(&[again - 1], again, &[400])
            .is(State::Pending, None);
    }
    assert!(!world.charge.is_paid_into());
    // What a replacement adds is new money, however it is cut.
    world
        .replace_by_outputs(&[7], 8, &[400, 400, 400])
        .is(State::Pending, None);
    assert!(world.charge.is_paid_into());
}
