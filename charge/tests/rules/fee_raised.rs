//! What becomes of an acceptance, by hand or by the policy, when the shopper raises the fee of what was accepted (R14, R13, R5).

use bitpro_charge::{
    Amount, Announcement, Interval, Judgement, LatePolicy, Loss, Place, Reason, State, Terms, Timestamp,
};

use crate::common::*;

/// A charge that was short or late, and content with `sats` by the merchant's hand.
fn accepted(sats: u64) -> World {
    let mut world = World::new(terms());
    world.at(after_deadline()).pay(1, sats);
    world.accept(1).expect("money that is there can be accepted");
    world.is(State::Seen, Some(Reason::Manual));
    world
}

#[test]
fn r14_what_takes_the_place_of_an_accepted_payment_is_accepted_as_it_was_and_never_without_depth() {
    let mut world = accepted(40_000);
    world.now += 600;
    world.replace(1, 2, 40_000).is(State::Seen, Some(Reason::Manual));
    assert!(!world.told.contains(&Announcement::Reverted));
    assert_eq!(world.charge.progress(world.tip).map(|p| p.have), Some(0));
    world.mine(2).is(State::Confirmed, Some(Reason::Manual));
    // It is lost as what was accepted would be.
    let back = world.sighting(2, 40_000, Place::Mempool);
    world.view(vec![back], vec![]).is(State::Seen, Some(Reason::Manual));
    world.lose(2, Loss::Replaced).is(State::Failed, Some(Reason::Replaced));
}

#[test]
fn r14_an_acceptance_goes_through_any_number_of_raised_fees() {
    let mut world = accepted(AMOUNT);
    for by in 2..50 {
        world.now += 60;
        world.replace(by - 1, by, AMOUNT).is(State::Seen, Some(Reason::Manual));
    }
    world.mine(49).is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r14_no_more_is_accepted_than_the_merchant_accepted() {
    let mut world = World::new(terms());
    // Enough came in time, and the late money beside it was accepted as well.
    world.pay(1, AMOUNT).at(after_deadline()).pay(2, 5_000);
    world.accept(2).unwrap();
    world.replace_by_outputs(&[2], 3, &[60_000, 40_000]);
    assert_eq!(world.charge.counted(), Amount::from_sat(AMOUNT + 5_000));
    // Without the first, what took the place of the accepted 5,000 is worth no more than these.
    world
        .lose(1, Loss::Replaced)
        .mine_all(3)
        .is(State::Failed, Some(Reason::Late));
    assert_eq!(world.charge.counted(), Amount::from_sat(5_000));
    // The merchant may accept the rest.
    let sequence = world.charge.sequence;
    let outpoints = world
        .charge
        .payments_of(outpoint(3).txid)
        .iter()
        .map(|p| p.outpoint)
        .collect();
    world
        .try_observe(&bitpro_charge::Observation::Accept { outpoints, sequence })
        .unwrap();
    world.is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r14_less_than_was_accepted_does_not_suffice() {
    let mut world = accepted(40_000);
    world.replace(1, 2, 39_999).is(State::Failed, Some(Reason::Underpaid));
    assert_eq!(world.charge.counted(), Amount::from_sat(39_999));
    world.mine(2).is(State::Failed, Some(Reason::Underpaid));
}

#[test]
fn r14_several_that_take_the_place_of_one_share_what_was_accepted() {
    let mut world = World::new(terms());
    world.at(after_deadline()).pay(1, 40_000);
    world.accept(1).unwrap();
    world.replace_by_outputs(&[1], 2, &[30_000]);
    assert_eq!(world.charge.counted(), Amount::from_sat(30_000));
    let mut second = world.sighting(3, 30_000, Place::Mempool);
    second.conflicts = [outpoint(1).txid].into();
    world.view(vec![second], vec![]).is(State::Seen, Some(Reason::Manual));
    assert_eq!(world.charge.counted(), Amount::from_sat(40_000));
}

#[test]
fn r14_in_time_and_accepted_is_one_value_and_not_two() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).at(after_deadline());
    world.accept(1).unwrap();
    world
        .replace_by_outputs(&[1], 2, &[AMOUNT])
        .is(State::Seen, Some(Reason::Manual));
    assert_eq!(world.charge.counted(), Amount::from_sat(40_000));
}

#[test]
fn r12_r14_what_was_stuck_and_accepted_stays_accepted_when_its_fee_is_raised() {
    for late_policy in [LatePolicy::Ask, LatePolicy::Accept] {
        let mut world = World::new(Terms { late_policy, ..terms() });
        world
            .pay(1, AMOUNT)
            .at(after_deadline())
            .at(EXPIRES + i64::from(SETTLE));
        world.is(State::Seen, Some(Reason::Stuck));
        world.accept(1).unwrap();
        world.now += 600;
        // The rate has moved against the merchant, who has accepted all the same.
        world.rate = Some(RATE / 2);
        let told = world.told.len();
        // It is asked about once, and not again with each fee.
        world.replace(1, 2, AMOUNT).is(State::Seen, Some(Reason::Manual));
        world.replace(2, 3, AMOUNT).is(State::Seen, Some(Reason::Manual));
        assert_eq!(world.told.len(), told, "{late_policy:?}");
        world.mine(3).is(State::Confirmed, Some(Reason::Manual));
        assert_eq!(world.told[told..], [Announcement::Confirmed]);
    }
}

#[test]
fn r12_r14_a_raised_fee_that_was_stuck_and_accepted_stays_accepted_when_it_is_raised_again() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).at(EXPIRES + i64::from(SETTLE));
    world.replace(1, 2, AMOUNT).is(State::Seen, Some(Reason::Stuck));
    world.accept(2).unwrap();
    world.replace(2, 3, AMOUNT).is(State::Seen, Some(Reason::Manual));
    // More than was accepted is there in time as well, and counts no further than it did.
    world
        .replace(3, 4, AMOUNT + 5_000)
        .is(State::Seen, Some(Reason::Manual));
    world.mine(4).is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r12_r14_one_of_two_that_took_each_others_place_in_time_is_accepted_with_the_other() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).replace(1, 2, AMOUNT);
    let swap = |world: &mut World, back: u8, gone: u8| {
        let sighting = world.sighting(back, AMOUNT, Place::Mempool);
        let gone = bitpro_charge::Gone {
            outpoint: outpoint(gone),
            loss: Loss::Replaced,
        };
        world.view(vec![sighting], vec![gone]);
    };
    swap(&mut world, 1, 2);
    world
        .at(EXPIRES + i64::from(SETTLE))
        .is(State::Seen, Some(Reason::Stuck));
    world.accept(1).unwrap();
    swap(&mut world, 2, 1);
    world.is(State::Seen, Some(Reason::Manual));
    world.mine(2).is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r14_what_was_accepted_before_it_was_stuck_does_not_get_stuck_by_a_raised_fee() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).at(after_deadline());
    world.accept(1).unwrap();
    let told = world.told.len();
    world.replace(1, 2, AMOUNT).is(State::Seen, Some(Reason::Manual));
    world
        .at(EXPIRES + i64::from(SETTLE))
        .is(State::Seen, Some(Reason::Manual));
    assert_eq!(world.told.len(), told);
    world.mine(2).is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r14_what_inherits_an_acceptance_only_is_not_left_without_it_by_what_inherits_a_time_as_well() {
    let mut world = World::new(terms());
    // What is stuck and refused inherits what was accepted, and not what was in time.
    world.pay(1, 50_000).at(after_deadline()).pay(5, 50_000);
    world.accept(5).unwrap();
    world.replace_by_outputs(&[1, 5], 2, &[50_000]);
    let mut second = world.sighting(3, 50_000, Place::Mempool);
    second.conflicts = [outpoint(1).txid, outpoint(5).txid].into();
    world.view(vec![second], vec![]);
    assert_eq!(world.charge.counted(), Amount::from_sat(AMOUNT));
    world.at(EXPIRES + i64::from(SETTLE)).mine(3);
    assert_eq!(world.charge.counted(), Amount::from_sat(AMOUNT));
}

#[test]
fn r14_r27_somebody_elses_money_that_was_accepted_is_so_when_its_fee_is_raised() {
    let mut world = World::new(Terms {
        created_at: Timestamp::from_secs(600),
        ..terms()
    });
    let mut earlier = world.sighting(1, AMOUNT, Place::Mempool);
    earlier.first_seen = Interval::at(Timestamp::from_secs(100));
    world.at(after_deadline());
    world.view(vec![earlier], vec![]).is(State::TimedOut, None);
    world.accept(1).unwrap();
    world.now += 60;
    world.replace(1, 2, AMOUNT).is(State::Seen, Some(Reason::Manual));
    world.mine(2).is(State::Confirmed, Some(Reason::Manual));
    assert_eq!(world.charge.received(), Amount::from_sat(AMOUNT));
}

#[test]
fn r14_what_was_accepted_and_comes_back_counts_by_itself() {
    let mut world = accepted(AMOUNT);
    world
        .replace(1, 2, AMOUNT)
        .mine(2)
        .is(State::Confirmed, Some(Reason::Manual));
    let first = world.sighting(1, AMOUNT, Place::Block(block(world.tip)));
    let gone = bitpro_charge::Gone {
        outpoint: outpoint(2),
        loss: Loss::Replaced,
    };
    world
        .view(vec![first], vec![gone])
        .is(State::Confirmed, Some(Reason::Manual));
    assert_eq!(world.charge.counted(), Amount::from_sat(AMOUNT));
    let judgement = |n| world.charge.payment(outpoint(n)).unwrap().judgement;
    assert_eq!([judgement(1), judgement(2)], [Some(Judgement::ByHand), None]);
}

/// A charge whose late money the policy took while the rate held.
fn taken_late(sats: u64) -> World {
    let mut world = World::new(Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    });
    world.at(after_deadline()).pay(1, sats).is(State::Seen, None);
    world
}

#[test]
fn r05_r13_what_takes_the_place_of_late_money_that_the_policy_took_is_taken_as_that_was() {
    for (after, rate) in [
        (60, Some(RATE * 97 / 100)),
        (60, None),
        (90_000, Some(RATE)),
        (90_000, Some(RATE / 2)),
    ] {
        for raised in 1..4 {
            let mut world = taken_late(AMOUNT);
            (world.now, world.rate) = (world.now + after, rate);
            for by in 2..=raised + 1 {
                world.replace(by - 1, by, AMOUNT).is(State::Seen, None);
            }
            world.told(&[Announcement::TimedOut, Announcement::Seen]);
            let heir = world.charge.payment(outpoint(raised + 1)).unwrap();
            assert_eq!(heir.judgement, Some(Judgement::Provisional));
            // It is asked about again when it is deep, as the first would have been.
            let mut fell = world.clone();
            fell.rate = Some(RATE / 2);
            fell.mine(raised + 1).is(State::Failed, Some(Reason::Late));
            world.rate = Some(RATE);
            world.mine(raised + 1).is(State::Confirmed, Some(Reason::Exact));
        }
    }
}

#[test]
fn r05_r13_no_more_is_taken_late_than_what_the_policy_took() {
    let mut world = taken_late(AMOUNT);
    world.replace(1, 2, 60_000);
    world.is(State::Failed, Some(Reason::Underpaid));

    let mut small = World::new(Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    });
    small.at(after_deadline()).pay(1, 40_000);
    assert_eq!(small.charge.counted(), Amount::from_sat(40_000));
    small.now += 90_000;
    small.replace_by_outputs(&[1], 2, &[60_000, 60_000]).mine_all(2);
    // The rest is more than a day late.
    small.is(State::Failed, Some(Reason::Late));
    assert_eq!(small.charge.counted(), Amount::from_sat(40_000));
}

#[test]
fn r05_r13_late_money_that_was_not_taken_leaves_nothing() {
    let mut world = World::new(Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    });
    world.rate = Some(RATE * 97 / 100);
    world
        .at(after_deadline())
        .pay(1, AMOUNT)
        .is(State::Failed, Some(Reason::Late));
    world.replace(1, 2, AMOUNT).is(State::Failed, Some(Reason::Late));
    world.mine(2).is(State::Failed, Some(Reason::Late));
    // Nor does what it took before the merchant withdrew the charge (R15).
    let mut cancelled = World::new(Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    });
    cancelled.now = EXPIRES + 10;
    cancelled.pay(1, AMOUNT).is(State::Seen, None).lose(1, Loss::Replaced);
    cancelled.cancel().unwrap();
    cancelled.replace(1, 2, AMOUNT).is(State::Failed, Some(Reason::Late));
}

#[test]
fn r05_r13_where_the_policy_refuses_what_is_deep_what_was_in_time_counts_all_the_same() {
    // In time and late money is put together in one transaction, first while the rate holds, then while it does not.
    for rate in [Some(RATE), Some(RATE * 97 / 100)] {
        let mut world = World::new(Terms {
            late_policy: LatePolicy::Accept,
            ..terms()
        });
        world.pay(1, AMOUNT).at(after_deadline()).pay(2, 50_000);
        world.rate = rate;
        world
            .replace_by_outputs(&[1, 2], 3, &[AMOUNT + 50_000])
            .is(State::Seen, None);
        world.rate = Some(RATE / 2);
        world.mine_all(3).is(State::Confirmed, Some(Reason::Exact));
        assert_eq!(world.charge.counted(), Amount::from_sat(AMOUNT));
    }
}
