//! What is late, stuck, or given more time (R12, R13, R16).

use bitpro_charge::{
    Amount, Announcement, Event, Gone, Interval, LatePolicy, Loss, Place, Reason, State, Terms, Tiers, Timestamp,
};

use crate::common::*;

fn settled_at() -> i64 {
    EXPIRES + i64::from(SETTLE)
}

#[test]
fn r12_a_payment_that_is_not_deep_in_time_is_stuck_and_judged_when_it_is() {
    for (policy, rate, state, reason) in [
        (LatePolicy::Accept, Some(RATE), State::Confirmed, Reason::Exact),
        (LatePolicy::Accept, Some(RATE / 2), State::Failed, Reason::Late),
        (LatePolicy::Accept, None, State::Failed, Reason::Late),
        (LatePolicy::Ask, Some(RATE), State::Failed, Reason::Late),
    ] {
        let mut world = World::new(Terms {
            late_policy: policy,
            ..terms()
        });
        world
            .pay(1, AMOUNT)
            .at(settled_at())
            .is(State::Seen, Some(Reason::Stuck));
        world.told(&[Announcement::Seen, Announcement::Updated]);
        world.rate = rate;
        world.mine(1).is(state, Some(reason));
    }
}

#[test]
fn r12_only_what_is_not_deep_is_judged() {
    let mut world = World::new(terms());
    world
        .pay(1, 40_000)
        .mine(1)
        .pay(2, 60_000)
        .at(settled_at())
        .is(State::Seen, Some(Reason::Stuck));
    assert!(world.log.contains(&Event::Stalled {
        outpoints: vec![outpoint(2)]
    }));
    world.mine(2).is(State::Failed, Some(Reason::Late));
    assert_eq!(world.charge.counted(), Amount::from_sat(40_000));
}

#[test]
fn r12_what_the_merchant_took_by_hand_is_not_stuck() {
    let mut world = World::new(terms());
    world.at(after_deadline()).pay(1, AMOUNT);
    world.accept(1).unwrap();
    world
        .at(settled_at())
        .mine(1)
        .is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r12_a_charge_that_waits_for_nothing_does_not_become_stuck() {
    let mut world = World::new(terms());
    world.at(settled_at()).is(State::TimedOut, None);
    assert!(!world.charge.stalled);
    world.at(settled_at() - 1).is(State::TimedOut, None);
}

#[test]
fn r12_the_settlement_deadline_is_the_last_instant_before_which_nothing_is_stuck() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).at(settled_at() - 1).is(State::Seen, None);
    world.mine(1).at(settled_at()).is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r12_a_refused_stuck_payment_can_still_be_taken_by_hand() {
    let mut world = World::new(terms());
    world
        .pay(1, AMOUNT)
        .at(settled_at())
        .mine(1)
        .is(State::Failed, Some(Reason::Late));
    world.accept(1).unwrap();
    world.is(State::Confirmed, Some(Reason::Manual));
}

#[test]
fn r12_what_was_confirmed_in_time_is_not_stuck_after_a_reorg() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).mine(1).at(settled_at());
    let back = world.sighting(1, AMOUNT, Place::Mempool);
    world.view(vec![back], vec![]).is(State::Seen, None);
    world.mine(1).is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r12_what_was_mined_after_the_settlement_deadline_is_judged_although_nobody_was_there_to_see_it() {
    let later = settled_at() + 3 * 24 * 3600;
    for (policy, rate, state, reason) in [
        (LatePolicy::Accept, Some(RATE), State::Confirmed, Reason::Exact),
        (LatePolicy::Accept, Some(RATE / 2), State::Failed, Reason::Late),
        (LatePolicy::Ask, Some(RATE), State::Failed, Reason::Late),
    ] {
        // The block's time alone proves it, also while chain and mempool are not read up to the end of the window yet.
        for (observed, at_first) in [
            (EXPIRES, (State::Seen, Some(Reason::Stuck))),
            (later, (state, Some(reason))),
        ] {
            let mut world = World::new(Terms {
                late_policy: policy,
                ..terms()
            });
            world.pay(1, AMOUNT);
            (world.now, world.observed_until, world.rate) = (later, observed, rate);
            world
                .mine_before_anybody_looks(1, &[settled_at() + 1, settled_at() + 600])
                .is(at_first.0, at_first.1)
                .at(later)
                .is(state, Some(reason));
            assert!(world.charge.payment(outpoint(1)).unwrap().stalled);
        }
    }
}

#[test]
fn r12_nothing_is_stuck_by_a_blocks_time_that_may_stand_in_a_block_that_was_not_read() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).pay(2, 60_000);
    world.now = settled_at() + 9_000;
    world.mine_before_anybody_looks(2, &[settled_at() + 1]);
    let stalled = |n| world.charge.payment(outpoint(n)).unwrap().stalled;
    assert_eq!([stalled(1), stalled(2)], [false, true]);
    world.at(settled_at() + 9_000);
    assert!(world.charge.payment(outpoint(1)).unwrap().stalled);
}

#[test]
fn r12_what_was_deep_in_time_is_confirmed_however_late_it_is_read() {
    let later = settled_at() + 3 * 24 * 3600;
    let mut world = World::new(terms());
    world.pay(1, AMOUNT);
    (world.now, world.observed_until) = (later, later);
    world
        .mine_before_anybody_looks(1, &[settled_at(), settled_at() + 600])
        .is(State::Confirmed, Some(Reason::Exact));
    assert!(!world.charge.stalled);
}

#[test]
fn r12_where_only_the_miner_says_that_it_was_too_late_the_rate_decides() {
    let later = settled_at() + 3 * 24 * 3600;
    for (rate, state, reason) in [
        (Some(RATE), State::Confirmed, Reason::Exact),
        (Some(RATE / 2), State::Failed, Reason::Late),
        (None, State::Failed, Reason::Late),
    ] {
        let mut world = World::new(terms());
        world.pay(1, AMOUNT);
        (world.now, world.observed_until, world.rate) = (later, later, rate);
        world.claims_later = 7_200;
        world
            .mine_before_anybody_looks(1, &[settled_at() - 3_600, settled_at() + 600])
            .is(state, Some(reason));
    }
}

#[test]
fn r13_a_late_piece_below_dust_is_taken_where_it_completes_the_sum() {
    let accepting = Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    };
    let mut world = World::new(accepting);
    world.pay(1, AMOUNT - 500).mine(1).at(after_deadline());
    world.pay(2, 499).is(State::Failed, Some(Reason::Underpaid));
    world.pay(3, 1).mine(2).mine(3);
    world.is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r12_it_is_the_block_that_made_a_payment_deep_that_was_in_time_or_not() {
    let of_three = Terms {
        tiers: Tiers {
            small: 3,
            ..Tiers::default()
        },
        ..terms()
    };
    for (third, reason) in [(settled_at(), Reason::Exact), (settled_at() + 1, Reason::Late)] {
        let mut world = World::new(of_three.clone());
        world.pay(1, AMOUNT);
        (world.now, world.observed_until) = (settled_at() + 9_000, settled_at() + 9_000);
        let state = if reason == Reason::Exact {
            State::Confirmed
        } else {
            State::Failed
        };
        world
            .mine_before_anybody_looks(
                1,
                &[settled_at() - 1_200, settled_at() - 600, third, settled_at() + 5_000],
            )
            .is(state, Some(reason));
    }
}

#[test]
fn r12_of_blocks_read_late_only_what_was_not_deep_in_time_is_judged() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).mine(1).pay(2, 60_000);
    (world.now, world.observed_until) = (settled_at() + 9_000, settled_at() + 9_000);
    world
        .mine_before_anybody_looks(2, &[settled_at() + 1])
        .is(State::Failed, Some(Reason::Late));
    assert_eq!(world.charge.counted(), Amount::from_sat(40_000));
}

#[test]
fn r13_the_policy_takes_late_money_while_the_rate_holds_and_asks_again_when_it_is_deep() {
    let accepting = Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    };
    let mut held = World::new(accepting.clone());
    held.at(after_deadline()).pay(1, AMOUNT).is(State::Seen, None).mine(1);
    held.is(State::Confirmed, Some(Reason::Exact));
    let comparisons = held
        .log
        .iter()
        .filter(|event| matches!(event, Event::Judged { compared: Some(_), .. }));
    assert_eq!(comparisons.count(), 2);

    let mut fell_before_depth = World::new(accepting.clone());
    fell_before_depth
        .at(after_deadline())
        .pay(1, AMOUNT)
        .is(State::Seen, None);
    fell_before_depth.rate = Some(RATE / 2);
    fell_before_depth.mine(1).is(State::Failed, Some(Reason::Late));

    for rate in [Some(RATE * 98 / 100), None] {
        let mut refused = World::new(accepting.clone());
        refused.rate = rate;
        refused
            .at(after_deadline())
            .pay(1, AMOUNT)
            .is(State::Failed, Some(Reason::Late));
    }
}

#[test]
fn r13_the_spread_is_no_movement_of_the_rate() {
    let with_spread = Terms {
        late_policy: LatePolicy::Accept,
        spread_bps: 500,
        ..terms()
    };
    // A fall of 3 % is beyond the limit of 2 %, although the spread of 5 % would make up for it.
    let mut world = World::new(with_spread);
    world.rate = Some(RATE * 97 / 100);
    world
        .at(after_deadline())
        .pay(1, AMOUNT)
        .is(State::Failed, Some(Reason::Late));
}

#[test]
fn r13_what_is_in_time_is_not_judged() {
    let mut world = World::new(Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    });
    world.pay(1, AMOUNT).mine(1).is(State::Confirmed, Some(Reason::Exact));
    assert!(!world.log.iter().any(|event| matches!(event, Event::Judged { .. })));
}

#[test]
fn r13_a_day_late_is_the_limit() {
    let accepting = Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    };
    for (secs, state) in [(EXPIRES + 86_400, State::Seen), (EXPIRES + 86_401, State::Failed)] {
        let mut world = World::new(accepting.clone());
        world.at(secs).pay(1, AMOUNT);
        assert_eq!(world.charge.state, state);
    }
}

#[test]
fn r16_a_partial_payment_in_time_extends_the_deadline_once_while_the_rate_holds() {
    let extending = Terms {
        extension_secs: 600,
        ..terms()
    };
    let mut world = World::new(extending.clone());
    world.pay(1, 40_000);
    assert_eq!(world.charge.deadline, Timestamp::from_secs(EXPIRES + 600));
    world.pay(2, 30_000);
    assert_eq!(world.charge.deadline, Timestamp::from_secs(EXPIRES + 600));
    world.at(after_deadline()).is(State::Seen, Some(Reason::Underpaid));
    world.pay(3, 30_000).is(State::Seen, None);

    for rate in [Some(RATE * 98 / 100), None] {
        let mut fell = World::new(extending.clone());
        fell.rate = rate;
        fell.pay(1, 40_000);
        assert_eq!(fell.charge.deadline, Timestamp::from_secs(EXPIRES));
    }
    // Once the deadline is observed, or the extension used, nothing extends it.
    let mut observed = World::new(extending.clone());
    observed.at(after_deadline());
    let mut in_time = observed.sighting(1, 40_000, Place::Mempool);
    in_time.first_seen = Interval::at(Timestamp::from_secs(10));
    observed.view(vec![in_time], vec![]);
    assert_eq!(observed.charge.deadline, Timestamp::from_secs(EXPIRES));
    let mut whole = World::new(extending.clone());
    whole.pay(1, AMOUNT);
    let mut dust = World::new(extending);
    dust.pay(1, 999);
    for world in [whole, dust] {
        assert_eq!(world.charge.deadline, Timestamp::from_secs(EXPIRES));
    }
}

#[test]
fn r12_a_stuck_payment_whose_fee_is_raised_is_judged_like_one_that_was_left_alone() {
    for mined_unseen in [false, true] {
        let mut world = World::new(terms());
        world
            .pay(1, AMOUNT)
            .at(settled_at() + 7 * 86_400)
            .is(State::Seen, Some(Reason::Stuck));
        if mined_unseen {
            // The replacement is met in its block only, and deep at once.
            world.tip += 1;
            let mut heir = world.sighting(2, AMOUNT, Place::Block(block(world.tip)));
            heir.conflicts = [outpoint(1).txid].into();
            let gone = vec![Gone {
                outpoint: outpoint(1),
                loss: Loss::Replaced,
            }];
            world.view(vec![heir], gone);
        } else {
            world
                .replace(1, 2, AMOUNT)
                .is(State::Seen, Some(Reason::Stuck))
                .replace(2, 3, AMOUNT)
                .mine(3);
        }
        world.is(State::Failed, Some(Reason::Late));
    }
}

#[test]
fn r12_what_is_gone_when_the_settlement_deadline_passes_and_comes_back_in_a_block_is_judged() {
    let mut world = World::new(terms());
    world
        .pay(1, AMOUNT)
        .lose(1, Loss::Replaced)
        .at(settled_at())
        .is(State::Failed, Some(Reason::Replaced));
    world
        .at(settled_at() + 86_400)
        .mine(1)
        .is(State::Failed, Some(Reason::Late));
}

#[test]
fn r12_a_part_that_is_not_deep_in_time_is_judged_although_the_charge_had_failed() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).pay(2, 60_000).lose(2, Loss::Dropped).mine(1);
    world.at(settled_at()).is(State::Failed, Some(Reason::Underpaid));
    world.mine(2).is(State::Failed, Some(Reason::Late));
}

#[test]
fn r12_a_late_payment_is_not_taken_because_another_was_stuck() {
    let accepting = Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    };
    let mut world = World::new(accepting);
    world.pay(1, 40_000).pay(2, 60_000).at(EXPIRES + 86_401);
    // More than a day late: the policy does not take it.
    world.pay(3, 60_000).at(settled_at()).lose(2, Loss::Replaced);
    world.mine(1).mine(3).is(State::Failed, Some(Reason::Late));
    assert_eq!(world.charge.counted(), Amount::from_sat(40_000));
}

#[test]
fn r12_a_charge_that_was_taken_back_before_it_was_confirmed_can_still_be_stuck() {
    let mut world = World::new(terms());
    for n in 1..=3 {
        world.pay(n, AMOUNT).lose(n, Loss::Replaced);
    }
    assert_eq!(world.charge.told, Some(Announcement::Reverted));
    assert!(!world.charge.was_confirmed);
    world
        .pay(4, AMOUNT)
        .at(settled_at() + 8 * 86_400)
        .is(State::Seen, Some(Reason::Stuck));
    world.mine(4).is(State::Failed, Some(Reason::Late));
}
