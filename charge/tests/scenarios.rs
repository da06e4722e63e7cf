//! Whole stories, one line each: what happens, how it ends, what the merchant was told.

#![expect(
    clippy::unwrap_used,
    reason = "stories are told in closures outside of a test function"
)]

mod common;

use bitpro_charge::Announcement::{self, Confirmed, Failed, Reverted, Seen, TimedOut, Updated};
use bitpro_charge::{Loss, Place, Reason, State};
use common::*;

struct Scenario {
    name: &'static str,
    story: fn(&mut World),
    ends: (State, Option<Reason>),
    told: &'static [Announcement],
}

const fn scenario(
    name: &'static str,
    story: fn(&mut World),
    ends: (State, Option<Reason>),
    told: &'static [Announcement],
) -> Scenario {
    Scenario {
        name,
        story,
        ends,
        told,
    }
}

const SCENARIOS: &[Scenario] = &[
    scenario(
        "nobody pays",
        |w| _ = w.at(after_deadline()),
        (State::TimedOut, None),
        &[TimedOut],
    ),
    scenario(
        "the shopper pays and a block comes",
        |w| _ = w.pay(1, AMOUNT).mine(1),
        (State::Confirmed, Some(Reason::Exact)),
        &[Seen, Confirmed],
    ),
    scenario(
        "a payment in the last second of the window is in time",
        |w| _ = w.at(EXPIRES).pay(1, AMOUNT).at(after_deadline()).mine(1),
        (State::Confirmed, Some(Reason::Exact)),
        &[Seen, Confirmed],
    ),
    scenario(
        "an exchange takes its fee from the payment, the shopper tops up",
        |w| _ = w.pay(1, AMOUNT - 2_000).pay(2, 2_000).mine(1).mine(2),
        (State::Confirmed, Some(Reason::Exact)),
        &[Seen, Updated, Confirmed],
    ),
    scenario(
        "an exchange takes its fee and nobody tops up",
        |w| _ = w.pay(1, AMOUNT - 2_000).mine(1).at(after_deadline()),
        (State::Failed, Some(Reason::Underpaid)),
        &[Seen, Failed],
    ),
    scenario(
        "the merchant takes what the exchange left",
        |w| {
            w.pay(1, AMOUNT - 2_000).mine(1).at(after_deadline());
            w.accept(1).unwrap();
        },
        (State::Confirmed, Some(Reason::Manual)),
        &[Seen, Failed, Seen, Confirmed],
    ),
    scenario(
        "the shopper pays twice",
        |w| _ = w.pay(1, AMOUNT).mine(1).pay(2, AMOUNT).mine(2),
        (State::Confirmed, Some(Reason::Overpaid)),
        &[Seen, Confirmed, Updated, Updated],
    ),
    scenario(
        "the fee is raised by a replacement to the same address, after the deadline",
        |w| _ = w.pay(1, AMOUNT).at(after_deadline()).replace(1, 2, AMOUNT).mine(2),
        (State::Confirmed, Some(Reason::Exact)),
        &[Seen, Confirmed],
    ),
    scenario(
        "the money is spent elsewhere before the deadline, and nothing else comes",
        |w| _ = w.pay(1, AMOUNT).lose(1, Loss::Replaced).at(after_deadline()),
        (State::Failed, Some(Reason::Replaced)),
        &[Seen, Reverted, Failed],
    ),
    scenario(
        "the money is spent elsewhere after the deadline",
        |w| _ = w.pay(1, AMOUNT).at(after_deadline()).lose(1, Loss::Replaced),
        (State::Failed, Some(Reason::Replaced)),
        &[Seen, Failed],
    ),
    scenario(
        "a reorg takes the block, the next one brings the payment back",
        |w| {
            w.pay(1, AMOUNT).mine(1);
            let back = w.sighting(1, AMOUNT, Place::Mempool);
            w.view(vec![back], vec![]).mine(1);
        },
        (State::Confirmed, Some(Reason::Exact)),
        &[Seen, Confirmed, Reverted, Confirmed],
    ),
    scenario(
        "a coinbase payment falls out of the chain for good",
        |w| {
            let mut coinbase = w.sighting(1, AMOUNT, Place::Block(block(w.tip)));
            coinbase.coinbase = true;
            w.view(vec![coinbase], vec![])
                .lose(1, Loss::Reorged)
                .at(after_deadline());
        },
        (State::Failed, Some(Reason::Reorged)),
        &[Seen, Reverted, Failed],
    ),
    scenario(
        "the node is away over the deadline and the payment was made in time",
        |w| {
            w.unobserved_at(EXPIRES + 9_000);
            let mut sighting = w.sighting(1, AMOUNT, Place::Block(block(w.tip)));
            sighting.first_seen.earliest = bitpro_charge::Timestamp::from_secs(EXPIRES - 60);
            sighting.first_seen.latest = bitpro_charge::Timestamp::from_secs(EXPIRES - 30);
            w.observed_until = w.now;
            w.view(vec![sighting], vec![]);
        },
        (State::Confirmed, Some(Reason::Exact)),
        &[Seen, Confirmed],
    ),
    scenario(
        "a late payment is accepted with one click",
        |w| {
            w.at(after_deadline()).pay(1, AMOUNT);
            w.accept(1).unwrap();
            w.mine(1);
        },
        (State::Confirmed, Some(Reason::Manual)),
        &[TimedOut, Failed, Seen, Confirmed],
    ),
];

#[test]
fn every_story_ends_as_it_should_and_is_told_as_it_should() {
    for Scenario {
        name,
        story,
        ends,
        told,
    } in SCENARIOS
    {
        let mut world = World::new(terms());
        story(&mut world);
        assert_eq!(
            (world.charge.state, world.charge.reason),
            *ends,
            "{name}: {:#?}",
            world.log
        );
        assert_eq!(world.told, *told, "{name}");
    }
}
