//! The state function, and what one view is (R1 to R4).

use bitpro_charge::{Amount, Announcement, BlockHash, BlockRef, Gone, Interval, Loss, Place, Reason, State, Timestamp};

use crate::common::*;

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
fn r09_an_excess_waits_for_the_confirmations_that_it_is_worth() {
    let mut world = World::new(terms());
    world.pay(1, AMOUNT).mine(1).is(State::Confirmed, Some(Reason::Exact));
    // Three bitcoin "by mistake": whoever pays them back after one block may see that block taken back.
    world
        .pay(2, 300_000_000)
        .mine(2)
        .is(State::Confirmed, Some(Reason::Exact));
    world.blocks(4).is(State::Confirmed, Some(Reason::Exact));
    world.blocks(1).is(State::Confirmed, Some(Reason::Overpaid));
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
    sighting.place = Place::Block(BlockRef {
        height: world.tip,
        hash: BlockHash([9; 32]),
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
