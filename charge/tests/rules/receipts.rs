//! What a receipt may name: no money that may still be spent elsewhere (R1, R9).

use bitpro_charge::{Loss, Place, Reason, State};

use crate::amounts::view_of;
use crate::common::*;

/// What is confirmed of what was received, and the rest.
fn named(world: &World) -> (u64, u64) {
    let (confirmed, rest) = (world.charge.confirmed(world.tip), world.charge.unconfirmed(world.tip));
    let view = view_of(world);
    assert_eq!(view.confirmed_sat, confirmed.to_sat());
    assert_eq!(view.received_sat, confirmed.to_sat() + rest.to_sat());
    (confirmed.to_sat(), rest.to_sat())
}

#[test]
fn r01_money_beside_a_confirmed_payment_is_confirmed_only_once_it_is_deep() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT);
    assert_eq!(named(&world), (0, AMOUNT));
    world.mine(1).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(named(&world), (AMOUNT, 0));
    world.pay(2, 50_000).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(named(&world), (AMOUNT, 50_000));
    world.mine(2).is(State::Confirmed, Some(Reason::Overpaid));
    assert_eq!(named(&world), (AMOUNT + 50_000, 0));
}

#[test]
fn r01_money_that_comes_to_nothing_was_never_called_confirmed() {
    let mut world = World::new(terms());
    // Three bitcoin in a transaction that gives way, there before the charge is confirmed: it waits for six confirmations, and still
    // only what has them is confirmed.
    world.pay(1, AMOUNT).pay(2, 300_000_000).mine(1);
    world.blocks(5).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(named(&world), (AMOUNT, 300_000_000));
    world.lose(2, Loss::Replaced).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(named(&world), (AMOUNT, 0));
}

#[test]
fn r09_an_excess_is_confirmed_as_deep_as_all_of_it_is_worth() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).mine(1).pay(2, 300_000_000).mine(2);
    assert_eq!(named(&world), (AMOUNT, 300_000_000));
    world.blocks(4).is(State::Confirmed, Some(Reason::Exact));
    assert_eq!(named(&world), (AMOUNT, 300_000_000));
    world.blocks(1).is(State::Confirmed, Some(Reason::Overpaid));
    assert_eq!(named(&world), (AMOUNT + 300_000_000, 0));
}

#[test]
fn r01_what_is_confirmed_is_never_less_than_what_confirms_a_charge() {
    // By one payment that brings the excess, and by one that was taken by hand though it is short.
    let mut whole = World::new(terms());
    whole.tip = 150;
    let sighting = whole.sighting(1, AMOUNT + 50_000, Place::Block(block(150)));
    whole
        .view(vec![sighting], vec![])
        .is(State::Confirmed, Some(Reason::Overpaid));
    assert_eq!(named(&whole), (AMOUNT + 50_000, 0));

    let mut short = World::new(terms());
    short.pay(1, 40_000).accept(1).unwrap();
    assert_eq!(named(&short), (0, 40_000));
    short.mine(1).is(State::Confirmed, Some(Reason::Manual));
    assert_eq!(named(&short), (40_000, 0));
}
