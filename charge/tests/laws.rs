//! Laws that hold for every history, checked over random ones.

mod common;

use bitpro_charge::{
    Amount, Announcement, Charge, Event, Gone, Interval, LatePolicy, Loss, Observation, Place, Reason, Sighting, State,
    Terms, Timestamp, Whereabouts, decide,
};
use common::*;
use proptest::prelude::*;

/// One thing that happens in a random history.
#[derive(Debug, Clone)]
enum Step {
    Pay { n: u8, sats: u64 },
    Mine { n: u8 },
    Unmine { n: u8 },
    Lose { n: u8, loss: Loss },
    Replace { n: u8, by: u8, sats: u64 },
    Blocks(u32),
    Wait(i64),
    Rate(Option<u64>),
    Accept(u8),
    Cancel,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sats = prop_oneof![1..2_000_u64, 30_000..70_000_u64, Just(AMOUNT), Just(AMOUNT + 5_000)];
    let loss = prop_oneof![Just(Loss::Replaced), Just(Loss::Dropped), Just(Loss::Reorged)];
    let rate = prop_oneof![
        Just(None),
        Just(Some(RATE)),
        Just(Some(RATE * 99 / 100)),
        Just(Some(RATE / 2))
    ];
    let wait = prop_oneof![1..900_i64, Just(after_deadline()), Just(i64::from(SETTLE))];
    let step = prop_oneof![
        4 => (1..5_u8, sats.clone()).prop_map(|(n, sats)| Step::Pay { n, sats }),
        4 => (1..9_u8).prop_map(|n| Step::Mine { n }),
        2 => (1..9_u8).prop_map(|n| Step::Unmine { n }),
        2 => (1..9_u8, loss).prop_map(|(n, loss)| Step::Lose { n, loss }),
        2 => (1..5_u8, 5..9_u8, sats).prop_map(|(n, by, sats)| Step::Replace { n, by, sats }),
        2 => (1..7_u32).prop_map(Step::Blocks),
        3 => wait.prop_map(Step::Wait),
        1 => rate.prop_map(Step::Rate),
        1 => (1..9_u8).prop_map(Step::Accept),
        1 => Just(Step::Cancel),
    ];
    prop::collection::vec(step, 1..30)
}

fn any_terms() -> impl Strategy<Value = Terms> {
    (any::<bool>(), any::<bool>(), prop_oneof![Just(0), Just(1_500_u64)]).prop_map(|(accepts, extends, forgiven)| {
        Terms {
            late_policy: if accepts { LatePolicy::Accept } else { LatePolicy::Ask },
            extension_secs: if extends { 600 } else { 0 },
            forgiven: Amount::from_sat(forgiven),
            ..terms()
        }
    })
}

impl World {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Pay { n, sats } => {
                let sats = self
                    .charge
                    .payment(outpoint(n))
                    .map_or(sats, |payment| payment.value.to_sat());
                self.pay(n, sats);
            }
            Step::Mine { n } if self.charge.payment(outpoint(n)).is_some() => {
                self.mine(n);
            }
            Step::Unmine { n } => {
                if let Some(value) = self.charge.payment(outpoint(n)).map(|payment| payment.value.to_sat()) {
                    let sighting = self.sighting(n, value, Place::Mempool);
                    self.view(vec![sighting], vec![]);
                }
            }
            Step::Lose { n, loss } => {
                self.lose(n, loss);
            }
            Step::Replace { n, by, sats } if self.charge.payment(outpoint(by)).is_none() => {
                self.replace(n, by, sats);
            }
            Step::Mine { .. } | Step::Replace { .. } => {}
            Step::Blocks(count) => {
                self.blocks(count);
            }
            Step::Wait(secs) => {
                self.at(self.now + secs);
            }
            Step::Rate(rate) => self.rate = rate,
            Step::Accept(n) => {
                let _ = self.accept(n);
            }
            Step::Cancel => {
                let _ = self.cancel();
            }
        }
    }

    fn after(terms: Terms, steps: &[Step]) -> Self {
        let mut world = Self::new(terms);
        for step in steps {
            world.step(step);
        }
        world
    }
}

/// Histories in which nothing is decided by hand, by the rate or by the settlement deadline: there the way does not matter.
fn plain_steps() -> impl Strategy<Value = Vec<Step>> {
    let is_plain = |step: &Step| match step {
        Step::Accept(_) | Step::Cancel | Step::Rate(_) | Step::Replace { .. } => false,
        Step::Wait(secs) => *secs < 2_000,
        _ => true,
    };
    steps().prop_map(move |mut steps| {
        steps.retain(is_plain);
        steps
    })
}

fn rank(state: State) -> u8 {
    match state {
        State::Failed | State::TimedOut => 0,
        State::Pending => 1,
        State::Seen => 2,
        State::Confirmed => 3,
    }
}

/// Whether `told` is a story that an old integration, which knows four events, can follow (R17).
fn is_a_clean_story(told: &[Announcement]) -> bool {
    let news: Vec<_> = told.iter().filter(|told| **told != Announcement::Updated).collect();
    news.windows(2)
        .all(|pair| pair[0] != pair[1] || *pair[1] == Announcement::Reverted)
}

/// A transaction: the coins that it spends, as bits, and what it pays the charge.
#[derive(Debug, Clone)]
struct Spend {
    coins: u8,
    values: Vec<u64>,
}

fn spend() -> impl Strategy<Value = Spend> {
    let values = prop::collection::vec(prop_oneof![1..2_000_u64, 20_000..60_000_u64, Just(AMOUNT)], 1..4);
    (1..32_u8, values).prop_map(|(coins, values)| Spend { coins, values })
}

fn number(place: usize) -> u8 {
    u8::try_from(place).expect("histories are short") + 1
}

/// The places of those that a transaction replaced, directly or through others.
fn ancestors_of(sent: &[Spend], place: usize) -> std::collections::BTreeSet<usize> {
    let mut found = std::collections::BTreeSet::new();
    let mut ahead = vec![place];
    while let Some(heir) = ahead.pop() {
        for ancestor in (0..heir).filter(|&ancestor| sent[ancestor].coins & sent[heir].coins != 0) {
            if found.insert(ancestor) {
                ahead.push(ancestor);
            }
        }
    }
    found
}

impl World {
    /// A transaction is sent, and takes the place of all that spend one of its coins.
    fn send(&mut self, sent: &mut Vec<Spend>, spend: Spend) -> u8 {
        let conflicts = sent
            .iter()
            .enumerate()
            .filter(|(_, other)| other.coins & spend.coins != 0);
        let replaced: Vec<u8> = conflicts.map(|(place, _)| number(place)).collect();
        let by = number(sent.len());
        self.replace_by_outputs(&replaced, by, &spend.values);
        sent.push(spend);
        by
    }
}

proptest! {
    // `PROPTEST_CASES` raises the number of histories for a longer run.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replay_equals_live(terms in any_terms(), steps in steps()) {
        let live = World::after(terms.clone(), &steps);
        let mut replayed = World::new(terms).charge;
        live.log.iter().for_each(|event| replayed.apply(event));
        prop_assert_eq!(&replayed, &live.charge);
    }

    #[test]
    fn the_end_is_what_the_final_chain_says(steps in plain_steps()) {
        let live = World::after(terms(), &steps);
        let mut fresh = World::new(terms());
        (fresh.now, fresh.observed_until, fresh.tip) = (live.now, live.observed_until, live.tip);
        let sightings = live.charge.payments.iter().filter_map(|payment| match payment.whereabouts {
            Whereabouts::Live(place) => Some(Sighting {
                first_seen: payment.first_seen,
                ..fresh.sighting(payment.outpoint.txid.0[0], payment.value.to_sat(), place)
            }),
            Whereabouts::Gone(_) => None,
        }).collect();
        fresh.view(sightings, vec![]);
        // Who meets only the end knows of no loss: where money came and went, they see that nobody paid.
        let expected = match (live.charge.state, live.charge.reason) {
            (State::Failed, Some(Reason::Replaced | Reason::Dropped | Reason::Reorged)) => (State::TimedOut, None),
            other => other,
        };
        prop_assert_eq!((fresh.charge.state, fresh.charge.reason), expected);
    }

    #[test]
    fn the_state_is_always_the_functions_answer(terms in any_terms(), steps in steps()) {
        let mut world = World::new(terms);
        for step in &steps {
            world.step(step);
            if matches!(step, Step::Rate(_)) { continue; }
            let verdict = world.charge.verdict(world.tip);
            prop_assert_eq!((world.charge.state, world.charge.reason), (verdict.state, verdict.reason));
        }
    }

    #[test]
    fn the_order_within_a_view_does_not_matter(
        terms in any_terms(), before in steps(), batch in prop::collection::vec((1..9_u8, 1..120_000_u64, any::<bool>()), 1..6),
        lost in prop::collection::vec(1..9_u8, 0..4), seed in any::<u64>(),
    ) {
        let world = World::after(terms, &before);
        let mut sightings: Vec<Sighting> = batch.iter().map(|&(n, sats, mined)| {
            let sats = world.charge.payment(outpoint(n)).map_or(sats, |payment| payment.value.to_sat());
            world.sighting(n, sats, if mined { Place::Block(block(world.tip)) } else { Place::Mempool })
        }).collect();
        sightings.sort_by_key(|sighting| sighting.outpoint);
        sightings.dedup_by_key(|sighting| sighting.outpoint);
        let mut gone: Vec<Gone> = lost.iter().map(|&n| Gone { outpoint: outpoint(n), loss: Loss::Replaced }).collect();
        let sorted = decide(&world.charge, &Observation::View { sightings: sightings.clone(), gone: gone.clone() }, &world.context());
        let turn = usize::try_from(seed % 7).unwrap();
        let at = turn % sightings.len();
        sightings.rotate_left(at);
        sightings.reverse();
        gone.reverse();
        let shuffled = decide(&world.charge, &Observation::View { sightings, gone }, &world.context());
        prop_assert_eq!(sorted, shuffled);
    }

    #[test]
    fn extra_money_never_lowers_a_state(terms in any_terms(), steps in steps(), sats in 1..50_000_000_u64, mined in any::<bool>()) {
        let mut world = World::after(terms, &steps);
        world.view(vec![], vec![]);
        let before = world.charge.state;
        let place = if mined { Place::Block(block(world.tip)) } else { Place::Mempool };
        let extra = world.sighting(99, sats, place);
        world.view(vec![extra], vec![]);
        // A charge that had timed out may fail as late: neither is a promise.
        prop_assert!(rank(world.charge.state) >= rank(before), "{before} became {}", world.charge.state);
    }

    #[test]
    fn nothing_is_told_twice_without_the_loss_between(terms in any_terms(), steps in steps()) {
        let world = World::after(terms, &steps);
        prop_assert!(is_a_clean_story(&world.told), "{:?}", world.told);
    }

    #[test]
    fn an_announced_yes_whose_money_is_gone_is_taken_back(terms in any_terms(), steps in steps()) {
        let mut world = World::after(terms, &steps);
        let all: Vec<_> = world.charge.payments.iter().map(|payment| payment.outpoint).collect();
        let gone = all.into_iter().map(|outpoint| Gone { outpoint, loss: Loss::Replaced }).collect();
        world.view(vec![], gone);
        world.at(world.now + after_deadline() + 600);
        prop_assert!(matches!(world.charge.state, State::Failed | State::TimedOut));
        let last = world.told.iter().rfind(|told| **told != Announcement::Updated);
        let was_yes = world.told.iter().any(|told| matches!(told, Announcement::Seen | Announcement::Confirmed));
        if was_yes {
            prop_assert_eq!(last, Some(&Announcement::Failed));
        }
    }

    #[test]
    fn the_order_of_reports_of_a_first_sight_does_not_matter(
        reports in prop::collection::vec((0..12_i64, 0..4_i64), 1..7), seed in any::<u64>(),
    ) {
        let sighted = |order: Vec<(i64, i64)>| {
            let mut world = World::new(terms());
            for (earliest, width) in order {
                let mut sighting = world.sighting(1, AMOUNT, Place::Mempool);
                sighting.first_seen = Interval { earliest: Timestamp(earliest), latest: Timestamp(earliest + width) };
                world.view(vec![sighting], vec![]);
            }
            world.charge.payment(outpoint(1)).unwrap().first_seen
        };
        let mut shuffled = reports.clone();
        let turn = usize::try_from(seed % 7).unwrap() % reports.len();
        shuffled.rotate_left(turn);
        if seed % 2 == 0 { shuffled.reverse(); }
        let first_seen = sighted(reports.clone());
        prop_assert_eq!(first_seen, sighted(shuffled));
        let latest = reports.iter().map(|(earliest, width)| earliest + width).min();
        let earliest = reports.iter().map(|(earliest, _)| *earliest).max().min(latest);
        prop_assert_eq!((Some(first_seen.earliest.0), Some(first_seen.latest.0)), (earliest, latest));
    }

    #[test]
    fn what_counts_never_exceeds_the_distinct_money_that_was_there_in_time(
        early in prop::collection::vec(spend(), 0..5), late in prop::collection::vec((spend(), any::<bool>()), 1..8),
    ) {
        let mut world = World::new(terms());
        let mut sent: Vec<Spend> = vec![];
        for spend in early {
            world.send(&mut sent, spend);
        }
        let in_time = sent.len();
        // Whoever replaced in time has sent other money: what stands at the deadline is all there was.
        let standing = world.charge.received();
        world.at(after_deadline());
        for (spend, is_mined) in late {
            let n = world.send(&mut sent, spend);
            if is_mined { world.mine_all(n); }
            prop_assert!(world.charge.counted() <= standing);
            prop_assert!(world.charge.state != State::Confirmed || standing >= world.charge.need());
            // Alone, each counts no more than those in time that it replaced, directly or through others.
            for (i, _) in sent.iter().enumerate().skip(in_time) {
                let mut alone = world.charge.clone();
                for payment in &mut alone.payments {
                    if payment.outpoint.txid != outpoint(number(i)).txid {
                        std::sync::Arc::make_mut(payment).whereabouts = Whereabouts::Gone(Loss::Replaced);
                    }
                }
                let ancestors = ancestors_of(&sent, i).into_iter().filter(|&ancestor| ancestor < in_time);
                let most: u64 = ancestors.map(|ancestor| sent[ancestor].values.iter().sum::<u64>()).sum();
                prop_assert!(alone.counted().to_sat() <= most);
            }
        }
    }

    #[test]
    fn accepting_by_hand_never_lowers_a_state(terms in any_terms(), steps in steps(), named in prop::collection::vec(1..9_u8, 1..4)) {
        let mut world = World::after(terms, &steps);
        world.view(vec![], vec![]);
        let (before, need) = (world.charge.state, world.charge.need());
        let sequence = world.charge.sequence;
        let outpoints = named.into_iter().map(outpoint).collect();
        let _ = world.try_observe(&Observation::Accept { outpoints, sequence });
        prop_assert!(rank(world.charge.state) >= rank(before), "{before} became {}", world.charge.state);
        prop_assert!(world.charge.need() <= need);
    }

    #[test]
    fn the_first_sight_never_rises(terms in any_terms(), steps in steps(), later in 1..90_000_i64) {
        let mut world = World::after(terms, &steps);
        let before: Vec<(_, Interval)> = world.charge.payments.iter().map(|p| (p.outpoint, p.first_seen)).collect();
        let sightings = world.charge.payments.iter().map(|payment| Sighting {
            first_seen: Interval::at(Timestamp::from_secs(world.now + later)),
            ..world.sighting(payment.outpoint.txid.0[0], payment.value.to_sat(), Place::Mempool)
        }).collect();
        world.view(sightings, vec![]);
        for (outpoint, first_seen) in before {
            prop_assert_eq!(world.charge.payment(outpoint).unwrap().first_seen, first_seen);
        }
    }
}

#[test]
fn a_foreign_loss_is_ignored() {
    let mut world = World::new(terms());
    world.lose(7, Loss::Replaced);
    assert!(world.log.is_empty());
    let fresh: Charge = World::new(terms()).charge;
    assert_eq!(world.charge, fresh);
    assert!(!world.log.iter().any(|event| matches!(event, Event::Announced { .. })));
}
