use std::collections::HashMap;

use bitpro_charge::{BlockRef, Interval, Loss, Place, Timestamp, Txid};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::super::fixtures::{block, on_branch, outpoint, paying, tip, txid};
use super::super::known::Known;
use super::super::matching::Conflict;
use super::super::view::{Connected, LostTx, PayingTx, View};
use super::*;

const NOW: Timestamp = Timestamp(10_000_000);

fn rules() -> Rules {
    Rules {
        now: NOW,
        dropped_after_secs: 1_800,
        unread_until: None,
        observed_until: NOW,
    }
}

fn known(txs: impl IntoIterator<Item = PayingTx>) -> Known {
    let mut known = Known::default();
    for tx in txs {
        known.insert(tx);
    }
    known
}

/// The chain of blocks `fork + 1 ..= fork + n` of a branch.
fn chain(fork: u32, n: u32, branch: u8) -> ChainReading {
    let connected: Vec<BlockRef> = (fork + 1..=fork + n).map(|height| on_branch(height, branch)).collect();
    ChainReading {
        tip: tip(connected.last().copied().unwrap_or_else(|| block(fork))),
        fork_height: fork,
        connected: connected.into_iter().map(Connected::from).collect(),
        mined: Vec::new(),
        conflicts: Vec::new(),
    }
}

fn pool(paying: impl IntoIterator<Item = PayingTx>) -> PoolReading {
    PoolReading {
        paying: paying.into_iter().collect(),
        absent: HashMap::new(),
    }
}

fn absent(n: u8, absence: Absence) -> PoolReading {
    PoolReading {
        paying: Vec::new(),
        absent: HashMap::from([(txid(n), absence)]),
    }
}

fn places(view: &View) -> Vec<(Txid, Place)> {
    view.transactions.iter().map(|tx| (tx.txid, tx.place)).collect()
}

const fn lost(n: u8, loss: Loss, by: Option<u8>) -> LostTx {
    LostTx {
        txid: Txid([n; 32]),
        loss,
        replaced_by: match by {
            Some(by) => Some(Txid([by; 32])),
            None => None,
        },
    }
}

#[test]
fn a_new_payment_in_the_mempool_is_reported_once() {
    let mut known = Known::default();
    let reading = pool([paying(1, Place::Mempool)]);
    let view = diff(&known, ChainReading::unchanged(tip(block(5))), reading.clone(), rules());
    assert_eq!(places(&view), [(txid(1), Place::Mempool)]);
    assert_eq!((view.fork_height, view.connected.len()), (5, 0));
    known.apply(&view);
    let again = diff(&known, ChainReading::unchanged(tip(block(5))), reading, rules());
    assert!(again.transactions.is_empty() && again.gone.is_empty());
}

#[test]
fn r05_mining_moves_a_payment_and_keeps_what_was_known_of_it() {
    let mut seen = paying(1, Place::Mempool);
    seen.ancestor_inputs = vec![outpoint(77, 0)];
    seen.first_seen = Interval::at(Timestamp(9_000_000));
    let known = known([seen]);
    let mut chain = chain(5, 1, 0);
    let mut mined = paying(1, Place::Block(block(6)));
    mined.first_seen = Interval::at(Timestamp(8_000_000));
    chain.mined = vec![mined];
    let view = diff(&known, chain, pool([]), rules());
    assert_eq!(places(&view), [(txid(1), Place::Block(block(6)))]);
    assert_eq!(view.transactions[0].ancestor_inputs, [outpoint(77, 0)]);
    assert_eq!(view.transactions[0].first_seen, Interval::at(Timestamp(9_000_000)));
}

#[test]
fn r02_a_replacement_to_us_is_one_view_with_the_loss_and_the_gain() {
    let known = known([paying(1, Place::Mempool)]);
    let mut replacement = paying(2, Place::Mempool);
    replacement.inputs = paying(1, Place::Mempool).inputs;
    let view = diff(
        &known,
        ChainReading::unchanged(tip(block(5))),
        pool([replacement]),
        rules(),
    );
    assert_eq!(places(&view), [(txid(2), Place::Mempool)]);
    assert_eq!(view.gone, [lost(1, Loss::Replaced, Some(2))]);
}

#[test]
fn r03_a_replacement_away_from_us_needs_the_conflicting_spend() {
    let known = known([paying(1, Place::Mempool)]);
    let unchanged = || ChainReading::unchanged(tip(block(5)));
    let view = diff(&known, unchanged(), absent(1, Absence::Unexplained), rules());
    assert!(view.gone.is_empty());
    let view = diff(&known, unchanged(), absent(1, Absence::Replaced(txid(50))), rules());
    assert_eq!(view.gone, [lost(1, Loss::Replaced, Some(50))]);
}

#[test]
fn r03_an_ancestor_of_its_own_is_no_conflict() {
    let mut tx = paying(1, Place::Mempool);
    tx.inputs = vec![outpoint(30, 0)];
    tx.ancestor_inputs = vec![outpoint(40, 0)];
    let known = known([tx]);
    let view = diff(
        &known,
        ChainReading::unchanged(tip(block(5))),
        absent(1, Absence::Replaced(txid(30))),
        rules(),
    );
    assert!(view.gone.is_empty());
}

#[test]
fn r03_a_mined_conflict_takes_a_payment_away() {
    let known = known([paying(1, Place::Mempool)]);
    let mut chain = chain(5, 1, 0);
    chain.conflicts = vec![Conflict {
        victim: txid(1),
        spender: txid(60),
    }];
    let view = diff(&known, chain, pool([]), rules());
    assert_eq!(view.gone, [lost(1, Loss::Replaced, Some(60))]);
    assert!(view.transactions.is_empty());
}

#[test]
fn r03_only_a_refused_resubmission_and_the_grace_period_drop_a_payment() {
    let known = known([paying(1, Place::Mempool)]);
    let gone = |absence| {
        diff(
            &known,
            ChainReading::unchanged(tip(block(5))),
            absent(1, absence),
            rules(),
        )
        .gone
    };
    let at = |secs_ago: i64| Timestamp(NOW.0 - secs_ago * 1_000);
    assert_eq!(gone(Absence::Refused(at(1_799))), []);
    assert_eq!(gone(Absence::Refused(at(1_800))), [lost(1, Loss::Dropped, None)]);
    assert_eq!(gone(Absence::Unexplained), []);
}

#[test]
fn r06_nothing_is_dropped_that_may_stand_in_a_block_that_could_not_be_read() {
    let known = known([paying(1, Place::Mempool)]);
    let refused = || absent(1, Absence::Refused(Timestamp(0)));
    let unread = |until| Rules {
        unread_until: Some(Timestamp(until)),
        ..rules()
    };
    let gone = |rules| diff(&known, ChainReading::unchanged(tip(block(5))), refused(), rules).gone;
    assert_eq!(gone(unread(1_001)), []);
    assert_eq!(gone(unread(1_000)), [lost(1, Loss::Dropped, None)]);
}

#[test]
fn a_reorg_moves_a_payment_to_the_mempool_or_to_its_new_block_and_loses_nothing() {
    let known = known([
        paying(1, Place::Block(block(6))),
        paying(2, Place::Block(block(6))),
        paying(3, Place::Block(block(5))),
    ]);
    let mut chain = chain(5, 2, 1);
    chain.mined = vec![paying(2, Place::Block(on_branch(7, 1)))];
    let view = diff(&known, chain, pool([paying(1, Place::Mempool)]), rules());
    assert_eq!(
        places(&view),
        [(txid(2), Place::Block(on_branch(7, 1))), (txid(1), Place::Mempool)]
    );
    assert!(view.gone.is_empty());
}

#[test]
fn r03_a_payment_whose_block_left_the_chain_is_unconfirmed_even_when_this_node_forgot_it() {
    let known = known([paying(1, Place::Block(block(6)))]);
    let view = diff(&known, chain(5, 2, 1), absent(1, Absence::Unexplained), rules());
    assert_eq!(places(&view), [(txid(1), Place::Mempool)]);
    assert!(view.gone.is_empty());
}

#[test]
fn a_coinbase_payment_whose_block_left_the_chain_cannot_come_back_unless_the_block_does() {
    let mut coinbase = paying(1, Place::Block(block(6)));
    coinbase.coinbase = true;
    coinbase.inputs = Vec::new();
    let known = known([coinbase.clone()]);
    let view = diff(&known, chain(5, 2, 1), pool([]), rules());
    assert_eq!(view.gone, [lost(1, Loss::Reorged, None)]);
    assert!(view.transactions.is_empty());
    let mut same_block_again = chain(5, 2, 0);
    same_block_again.mined = vec![coinbase];
    let view = diff(&known, same_block_again, pool([]), rules());
    assert!(view.gone.is_empty());
}

#[test]
fn a_mempool_that_changed_while_it_was_read_contradicts_itself() {
    let first = paying(1, Place::Mempool);
    let mut second = paying(2, Place::Mempool);
    assert!(!contradicts_itself(&pool([first.clone(), second.clone()])));
    second.ancestor_inputs = first.inputs.clone();
    assert!(contradicts_itself(&pool([first.clone(), second.clone()])));
    second.inputs = vec![outpoint(1, 0)];
    assert!(
        !contradicts_itself(&pool([first.clone(), second])),
        "a child is no conflict"
    );
    let mut twin = paying(3, Place::Mempool);
    twin.inputs = first.inputs.clone();
    assert!(contradicts_itself(&pool([first, twin])));
}

/// What becomes of one known transaction in a made-up reading.
#[derive(Debug, Clone, Copy)]
enum Fate {
    InMempool,
    Mined,
    MinedConflict,
    PoolConflict,
    Refused { secs_ago: i64 },
    Unexplained,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::InMempool),
        Just(Fate::Mined),
        Just(Fate::MinedConflict),
        Just(Fate::PoolConflict),
        (0..4_000_i64).prop_map(|secs_ago| Fate::Refused { secs_ago }),
        Just(Fate::Unexplained),
    ]
}

const FORK: u32 = 5;

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Mempool),
        (3..9_u32).prop_map(|height| Place::Block(block(height)))
    ]
}

prop_compose! {
    fn history()(
        before in btree_map(1..40_u8, (place(), any::<bool>(), fate()), 0..20),
        new in vec(40..60_u8, 0..5),
    ) -> (Vec<(PayingTx, Fate)>, Vec<PayingTx>) {
        let before = before
            .into_iter()
            .map(|(n, (place, coinbase, fate))| {
                let mut tx = paying(n, place);
                tx.coinbase = coinbase && place != Place::Mempool;
                (tx, fate)
            })
            .collect();
        let mut new = new;
        new.sort_unstable();
        new.dedup();
        (before, new.into_iter().map(|n| paying(n, Place::Mempool)).collect())
    }
}

fn reading(before: &[(PayingTx, Fate)], new: &[PayingTx]) -> (ChainReading, PoolReading) {
    let mut chain = chain(FORK, 4, 1);
    let mut pool = pool(new.to_vec());
    for (tx, fate) in before {
        if matches!(tx.place, Place::Block(block) if block.height <= FORK) {
            continue;
        }
        match *fate {
            Fate::InMempool if !tx.coinbase => pool.paying.push(unconfirmed(tx.clone())),
            Fate::Mined => chain.mined.push(PayingTx {
                place: Place::Block(on_branch(7, 1)),
                ..tx.clone()
            }),
            Fate::MinedConflict => chain.conflicts.push(Conflict {
                victim: tx.txid,
                spender: txid(200),
            }),
            Fate::PoolConflict => {
                pool.absent.insert(tx.txid, Absence::Replaced(txid(201)));
            }
            Fate::Refused { secs_ago } => {
                pool.absent
                    .insert(tx.txid, Absence::Refused(Timestamp(NOW.0 - secs_ago * 1_000)));
            }
            Fate::InMempool | Fate::Unexplained => {
                pool.absent.insert(tx.txid, Absence::Unexplained);
            }
        }
    }
    (chain, pool)
}

proptest! {
    #[test]
    fn reading_the_same_twice_yields_nothing((before, new) in history()) {
        let mut known = known(before.iter().map(|(tx, _)| tx.clone()));
        let (chain, pool) = reading(&before, &new);
        let view = diff(&known, chain.clone(), pool.clone(), rules());
        known.apply(&view);
        let unchanged = ChainReading::unchanged(chain.tip);
        let again = diff(&known, unchanged, pool, rules());
        prop_assert!(again.transactions.is_empty(), "{:?}", again.transactions);
        prop_assert!(again.gone.is_empty(), "{:?}", again.gone);
    }

    #[test]
    fn the_order_of_what_was_read_does_not_matter((before, new) in history()) {
        let forwards = known(before.iter().map(|(tx, _)| tx.clone()));
        let backwards = known(before.iter().rev().map(|(tx, _)| tx.clone()));
        let (chain, pool) = reading(&before, &new);
        let mut turned = pool.clone();
        turned.paying.reverse();
        prop_assert_eq!(
            diff(&forwards, chain.clone(), pool, rules()),
            diff(&backwards, chain, turned, rules())
        );
    }

    #[test]
    fn nothing_is_lost_without_proof_and_nothing_stays_in_a_block_that_left((before, new) in history()) {
        let old = known(before.iter().map(|(tx, _)| tx.clone()));
        let (chain, pool) = reading(&before, &new);
        let view = diff(&old, chain, pool, rules());
        for (tx, fate) in &before {
            let gone = view.gone.iter().find(|lost| lost.txid == tx.txid).map(|lost| lost.loss);
            let place = view.transactions.iter().find(|moved| moved.txid == tx.txid).map(|moved| moved.place);
            prop_assert!(gone.is_none() || place.is_none());
            let was_in_lost_block = matches!(tx.place, Place::Block(block) if block.height > FORK);
            let stays = matches!(tx.place, Place::Block(block) if block.height <= FORK);
            let proven = match fate {
                _ if stays => None,
                Fate::Mined => None,
                Fate::MinedConflict => Some(Loss::Replaced),
                _ if tx.coinbase => Some(Loss::Reorged),
                Fate::PoolConflict => Some(Loss::Replaced),
                Fate::Refused { secs_ago } if *secs_ago >= 1_800 => Some(Loss::Dropped),
                Fate::Refused { .. } | Fate::InMempool | Fate::Unexplained => None,
            };
            prop_assert_eq!(gone, proven, "{:?} {:?}", tx, fate);
            if was_in_lost_block && gone.is_none() {
                prop_assert!(place.is_some());
            }
        }
        for tx in &new {
            prop_assert!(view.transactions.iter().any(|found| found.txid == tx.txid));
        }
    }
}
