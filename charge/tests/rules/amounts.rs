//! Amounts: dust, tiers, tolerance, what is listed (R8 to R11).

use bitpro_charge::wire::{ChargeView, NodeView, Surroundings};
use bitpro_charge::{Amount, Announcement, Cents, Loss, Network, Place, Reason, State, Terms, Timestamp};

use crate::common::*;

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
    let mut world = World::new(Terms {
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

    let mut by_price = World::new(Terms {
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
    let mut world = World::new(Terms {
        forgiven: Amount::from_sat(2_000),
        ..terms()
    });
    assert_eq!(world.charge.remaining(), Amount::from_sat(AMOUNT));
    world.pay(1, 50_000);
    assert_eq!(world.charge.remaining(), Amount::from_sat(50_000));
    world.pay(2, 48_000).is(State::Seen, None);
    world.mine(1).mine(2).is(State::Confirmed, Some(Reason::Exact));
}

pub fn view_of(world: &World) -> ChargeView {
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
