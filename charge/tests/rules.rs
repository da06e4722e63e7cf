//! The rules about money that need no I/O, each by its number.

mod common;

use bitpro_charge::wire::{ChargeView, NodeView, Surroundings};
use bitpro_charge::{
    Amount, Announcement, Cents, Event, Gone, Interval, Judgement, LatePolicy, Loss, Network, Observation, Place,
    Reason, Refusal, State, Timestamp,
};
use common::*;

#[test]
fn r01_money_first_met_deep_goes_through_seen_to_confirmed_at_once() {
    let mut world = World::new(terms());
    world.tip = 150;
    let sighting = world.sighting(1, AMOUNT, Place::Block(block(150)));
    world.view(vec![sighting], vec![]);
    world
        .is(State::Confirmed, Some(Reason::Exact))
        .told(&[Announcement::Seen, Announcement::Confirmed]);
}

#[test]
fn r01_an_in_time_payment_that_was_lost_and_is_mined_after_all_leads_back() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).lose(1, Loss::Replaced).at(after_deadline());
    world.is(State::Failed, Some(Reason::Replaced));
    world.mine(1).is(State::Confirmed, Some(Reason::Exact));
    world.told(&[
        Announcement::Seen,
        Announcement::Reverted,
        Announcement::Failed,
        Announcement::Seen,
        Announcement::Confirmed,
    ]);
}

#[test]
fn r01_a_top_up_in_time_completes_the_sum() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).is(State::Seen, Some(Reason::Underpaid));
    assert_eq!(world.charge.remaining(), Amount::from_sat(60_000));
    world.pay(2, 60_000).is(State::Seen, None);
    world.mine(1).is(State::Seen, None);
    world.mine(2).is(State::Confirmed, Some(Reason::Exact));
    world.told(&[Announcement::Seen, Announcement::Updated, Announcement::Confirmed]);
}

#[test]
fn r01_overpaid_is_said_only_once_the_excess_itself_is_deep() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).mine(1).is(State::Confirmed, Some(Reason::Exact));
    world.pay(2, 50_000).is(State::Confirmed, Some(Reason::Exact));
    world.mine(2).is(State::Confirmed, Some(Reason::Overpaid));
    world.told(&[
        Announcement::Seen,
        Announcement::Confirmed,
        Announcement::Updated,
        Announcement::Updated,
    ]);
}

#[test]
fn r01_what_is_only_late_fails_as_late_and_what_is_too_little_as_underpaid() {
    let mut late = World::new(terms());
    late.at(after_deadline()).is(State::TimedOut, None);
    late.pay(1, AMOUNT).is(State::Failed, Some(Reason::Late));

    let mut short = World::new(terms());
    short
        .pay(1, 40_000)
        .at(after_deadline())
        .is(State::Failed, Some(Reason::Underpaid));
    short.pay(2, 60_000).is(State::Failed, Some(Reason::Late));

    let mut late_and_short = World::new(terms());
    late_and_short
        .at(after_deadline())
        .pay(1, 40_000)
        .is(State::Failed, Some(Reason::Late));
}

#[test]
fn r02_a_removal_and_an_addition_in_one_view_leave_the_state_alone() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).mine(1).is(State::Confirmed, Some(Reason::Exact));
    // A reorg of one block: the payment is in both branches.
    let mut sighting = world.sighting(1, AMOUNT, Place::Block(block(world.tip)));
    sighting.place = Place::Block(bitpro_charge::BlockRef {
        height: world.tip,
        hash: bitpro_charge::BlockHash([9; 32]),
    });
    world.view(
        vec![sighting],
        vec![Gone {
            outpoint: outpoint(1),
            loss: Loss::Reorged,
        }],
    );
    world
        .is(State::Confirmed, Some(Reason::Exact))
        .told(&[Announcement::Seen, Announcement::Confirmed]);
}

#[test]
fn r02_an_outpoint_met_twice_in_one_view_is_where_it_is_deepest() {
    let mut world = World::new(terms());
    let in_block = world.sighting(1, AMOUNT, Place::Block(block(world.tip)));
    let in_mempool = world.sighting(1, AMOUNT, Place::Mempool);
    world
        .view(vec![in_mempool, in_block], vec![])
        .is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn payments_stand_in_the_order_of_their_outpoints_whenever_they_came() {
    let mut world = World::new(terms());
    world.pay(3, 1_000).pay(1, 1_000).pay(2, 1_000);
    let order: Vec<_> = world.charge.payments.iter().map(|payment| payment.outpoint).collect();
    assert_eq!(order, [outpoint(1), outpoint(2), outpoint(3)]);
}

#[test]
fn r03_nothing_negative_follows_from_a_view_that_does_not_mention_a_payment() {
    let mut world = World::new(terms());
    world
        .pay(1, AMOUNT)
        .at(after_deadline())
        .blocks(10)
        .is(State::Seen, None);
}

#[test]
fn r04_a_deadline_that_nobody_observed_has_not_passed() {
    let mut world = World::new(terms());
    world.unobserved_at(EXPIRES * 100).is(State::Pending, None);
    world.at(after_deadline() - 1).is(State::Pending, None);
    world
        .at(after_deadline())
        .is(State::TimedOut, None)
        .told(&[Announcement::TimedOut]);
}

#[test]
fn r04_money_found_when_the_node_is_back_and_seen_in_time_is_in_time() {
    let mut world = World::new(terms());
    world.unobserved_at(EXPIRES + 3_600);
    let mut sighting = world.sighting(1, AMOUNT, Place::Mempool);
    sighting.first_seen = Interval::at(Timestamp::from_secs(EXPIRES));
    world.observed_until = world.now;
    world.view(vec![sighting], vec![]).is(State::Seen, None);
}

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
    third.conflicts = vec![outpoint(1), outpoint(2)];
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
    third.conflicts = vec![outpoint(1), outpoint(2)];
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
fn r08_dust_moves_no_state_unless_it_completes_the_sum() {
    let mut world = World::new(terms());
    world.pay(1, 999).is(State::Pending, None).told(&[]);
    assert_eq!(world.charge.received(), Amount::from_sat(999));
    world.at(after_deadline()).is(State::TimedOut, None);

    let mut completing = World::new(terms());
    completing.pay(1, 99_500).pay(2, 500).is(State::Seen, None);
}

#[test]
fn r08_late_dust_is_no_failure() {
    let mut world = World::new(terms());
    world
        .at(after_deadline())
        .pay(1, 999)
        .is(State::TimedOut, None)
        .told(&[Announcement::TimedOut, Announcement::Updated]);
}

#[test]
fn r08_lost_dust_is_no_failure_either() {
    let mut world = World::new(terms());
    world
        .pay(1, 999)
        .lose(1, Loss::Replaced)
        .at(after_deadline())
        .is(State::TimedOut, None);
}

#[test]
fn r08_dust_that_completed_a_sum_and_is_lost_is_a_failure() {
    let mut world = World::new(bitpro_charge::Terms {
        amount: Amount::from_sat(600),
        ..terms()
    });
    world.pay(1, 200).pay(2, 200).is(State::Pending, None);
    world.pay(3, 200).is(State::Seen, None);
    for n in 1..=3 {
        world.lose(n, Loss::Dropped);
    }
    world.at(after_deadline()).is(State::Failed, Some(Reason::Dropped));
}

#[test]
fn r08_a_cancelled_charge_stays_cancelled_whatever_dust_comes_and_goes() {
    let mut world = World::new(terms());
    world.cancel().unwrap();
    world
        .pay(1, 999)
        .lose(1, Loss::Replaced)
        .is(State::Failed, Some(Reason::Cancelled));
    world
        .pay(2, AMOUNT)
        .lose(2, Loss::Replaced)
        .is(State::Failed, Some(Reason::Replaced));
}

#[test]
fn a_charge_is_payable_until_its_deadline_its_end_or_its_completion() {
    let mut world = World::new(terms());
    let payable = |world: &World, secs| world.charge.is_payable(Timestamp::from_secs(secs));
    assert!(payable(&world, EXPIRES - 1));
    assert!(!payable(&world, EXPIRES));
    assert!(
        view_of(&world)
            .uri
            .is_some_and(|uri| uri.ends_with("amount=0.001&label=Shop"))
    );
    world.pay(1, 40_000);
    assert!(
        view_of(&world)
            .uri
            .is_some_and(|uri| uri.ends_with("amount=0.0006&label=Shop"))
    );
    world.pay(2, 60_000);
    assert!(!payable(&world, 0));
    assert_eq!(view_of(&world).uri, None);

    let mut cancelled = World::new(terms());
    cancelled.at(60).cancel().unwrap();
    assert!(!payable(&cancelled, 0));
    let mut over = World::new(terms());
    over.at(after_deadline());
    assert!(!payable(&over, 0));
}

#[test]
fn r08_the_page_never_asks_for_less_than_can_be_sent() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT - 100).is(State::Seen, Some(Reason::Underpaid));
    assert_eq!(world.charge.remaining(), Amount::from_sat(DUST));
}

#[test]
fn r08_an_excess_below_dust_is_not_overpaid() {
    for (excess, reason) in [(DUST - 1, Reason::Exact), (DUST, Reason::Overpaid)] {
        let mut world = World::new(terms());
        world.pay(1, AMOUNT + excess).mine(1).is(State::Confirmed, Some(reason));
    }
}

#[test]
fn r09_the_tier_follows_the_largest_of_price_received_and_the_transactions_total() {
    // EUR 1,000 are 2,000,000 sat.
    let mut by_total = World::new(terms());
    let mut sighting = by_total.sighting(1, AMOUNT, Place::Mempool);
    sighting.merchant_total = Amount::from_sat(2_000_001);
    by_total.view(vec![sighting], vec![]);
    assert_eq!(by_total.charge.required, 3);

    let mut by_received = World::new(terms());
    by_received.pay(1, 2_000_000);
    assert_eq!(by_received.charge.required, 1);
    by_received.pay(2, 20_000_000);
    assert_eq!(by_received.charge.required, 6);
    // It never falls.
    by_received.lose(2, Loss::Replaced);
    assert_eq!(by_received.charge.required, 6);

    let mut by_price = World::new(bitpro_charge::Terms {
        price: Cents(100_001),
        ..terms()
    });
    by_price.pay(1, AMOUNT).mine(1).is(State::Seen, None);
    by_price.blocks(1).is(State::Seen, None);
    by_price.blocks(1).is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r09_a_coinbase_payment_needs_a_hundred_confirmations() {
    let mut world = World::new(terms());
    world.tip += 1;
    let mut sighting = world.sighting(1, AMOUNT, Place::Block(block(world.tip)));
    sighting.coinbase = true;
    world.view(vec![sighting], vec![]).is(State::Seen, None);
    world.blocks(98).is(State::Seen, None);
    assert_eq!(
        world.charge.progress(world.tip).map(|p| (p.have, p.required)),
        Some((99, 100))
    );
    world.blocks(1).is(State::Confirmed, Some(Reason::Exact));
}

#[test]
fn r09_the_shown_progress_is_that_of_the_payment_which_completes_the_need() {
    let mut world = World::new(terms());
    world.pay(1, 60_000);
    assert_eq!(world.charge.progress(world.tip), None);
    world.mine(1).blocks(4).pay(2, 60_000);
    assert_eq!(
        world.charge.progress(world.tip).map(|p| (p.have, p.required)),
        Some((0, 1))
    );
    world.mine(2);
    assert_eq!(
        world.charge.progress(world.tip).map(|p| (p.have, p.required)),
        Some((1, 1))
    );
}

#[test]
fn r10_tolerance_forgives_but_the_page_asks_for_all() {
    let mut world = World::new(bitpro_charge::Terms {
        forgiven: Amount::from_sat(2_000),
        ..terms()
    });
    assert_eq!(world.charge.remaining(), Amount::from_sat(AMOUNT));
    world.pay(1, 50_000);
    assert_eq!(world.charge.remaining(), Amount::from_sat(50_000));
    world.pay(2, 48_000).is(State::Seen, None);
    world.mine(1).mine(2).is(State::Confirmed, Some(Reason::Exact));
}

fn view_of(world: &World) -> ChargeView {
    ChargeView::of(
        &world.charge,
        &Surroundings {
            now: Timestamp::from_secs(world.now),
            tip: world.tip,
            network: Network::Regtest,
            node: NodeView::Ready,
            merchant_name: "Shop",
            order_id: None,
        },
    )
}

#[test]
fn r11_live_payments_sum_to_what_is_received_and_lost_ones_stand_apart() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).pay(2, 30_000).lose(1, Loss::Replaced);
    let view = view_of(&world);
    assert_eq!(view.received_sat, 30_000);
    assert_eq!(
        view.payments.iter().map(|payment| payment.value_sat).sum::<u64>(),
        30_000
    );
    assert_eq!(view.gone_payments.len(), 1);
    assert_eq!(view.gone_payments[0].loss, "replaced");
}

#[test]
fn r11_a_flood_of_payments_is_listed_up_to_a_hundred_and_counted_in_full() {
    let mut world = World::new(terms());
    for n in 0..150 {
        world.pay(n, 1_000);
    }
    let view = view_of(&world);
    assert_eq!((view.payments.len(), view.received_sat), (100, 150_000));
}

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
        let mut world = World::new(bitpro_charge::Terms {
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
fn r13_the_policy_takes_late_money_while_the_rate_holds_and_asks_again_when_it_is_deep() {
    let accepting = bitpro_charge::Terms {
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
    let with_spread = bitpro_charge::Terms {
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
    let mut world = World::new(bitpro_charge::Terms {
        late_policy: LatePolicy::Accept,
        ..terms()
    });
    world.pay(1, AMOUNT).mine(1).is(State::Confirmed, Some(Reason::Exact));
    assert!(!world.log.iter().any(|event| matches!(event, Event::Judged { .. })));
}

#[test]
fn r13_a_day_late_is_the_limit() {
    let accepting = bitpro_charge::Terms {
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
fn r15_only_a_pending_charge_is_cancelled_and_earlier_money_wins() {
    let mut world = World::new(bitpro_charge::Terms {
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
fn r16_a_partial_payment_in_time_extends_the_deadline_once_while_the_rate_holds() {
    let extending = bitpro_charge::Terms {
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
    // Confirmed, silently back, and confirmed again: the merchant knows already.
    let back = world.sighting(5, AMOUNT, Place::Mempool);
    world.view(vec![back], vec![]).is(State::Seen, None);
    world.mine(5).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(world.told.len(), so_far.len() + 1);
    world.at(after_deadline()).lose(5, Loss::Replaced);
    assert_eq!(world.told.last(), Some(&Announcement::Failed));
}

#[test]
fn r17_the_sequence_is_dense() {
    let mut world = World::new(terms());
    world.pay(1, 40_000).pay(2, 60_000).mine(1).mine(2).at(after_deadline());
    assert_eq!(world.charge.sequence, u64::try_from(world.log.len()).unwrap());
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
    let mut world = World::new(bitpro_charge::Terms {
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
