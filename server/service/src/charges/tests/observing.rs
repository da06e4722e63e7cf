//! From a view to states.

use bitpro_charge::{Event, Reason, Whereabouts};
use bitpro_node::view::Connected;

use super::*;

#[tokio::test]
async fn a_payment_is_seen_and_then_confirmed() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    assert_eq!(shop.state(id).await, (State::Seen, None));
    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(id).await, (State::Confirmed, Some(Reason::Exact)));
    shop.assert_replay_equals_live(id).await;

    let mut shop = shop.restart().await;
    assert_eq!(shop.state(id).await, (State::Confirmed, Some(Reason::Exact)));
    shop.pass(10_000).await;
    shop.assert_replay_equals_live(id).await;
    let counts = shop.charges.count_by_state().await.unwrap();
    assert!(counts.contains(&(State::Confirmed, 1)), "{counts:?}");
    assert!(counts.contains(&(State::Pending, 0)), "{counts:?}");
}

#[tokio::test]
async fn r09_a_charge_is_followed_until_an_excess_has_the_confirmations_that_it_is_worth() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let [paid, excess] = [20_000, 300_000_000].map(|sats| shop.pay(&[(&made.charge.address, sats)]));
    shop.mine(&[&paid]).await;
    shop.mine(&[&excess]).await;
    // Whatever time alone moves is over, so that only blocks can tell.
    shop.pass(10_000).await;
    let mut shop = shop.restart().await;
    for _ in 0..4 {
        shop.mine(&[]).await;
        assert_eq!(shop.state(id).await, (State::Confirmed, Some(Reason::Exact)));
    }
    shop.mine(&[]).await;
    assert_eq!(shop.state(id).await, (State::Confirmed, Some(Reason::Overpaid)));
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn deciding_about_the_same_view_twice_yields_nothing() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    let before = shop.now(made.charge.id).await;
    shop.see(&[&tx]).await;
    assert_eq!(shop.now(made.charge.id).await.charge, before.charge);
}

#[tokio::test]
async fn r04_a_deadline_counts_once_it_is_observed_and_only_then() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    assert_eq!(shop.charges.next_deadline(), Some(START.plus_secs(1_200 + 90)));
    // The node is away: time passes, nothing is observed.
    shop.world.clock.advance_secs(5_000);
    let mut view = shop.quiet();
    view.observed_until = START.plus_secs(1_200 + 89);
    shop.charges.observe(view).await.unwrap();
    assert_eq!(shop.state(id).await.0, State::Pending);
    shop.pass(0).await;
    assert_eq!(shop.state(id).await.0, State::TimedOut);
    assert_eq!(shop.charges.next_deadline(), None);
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn late_money_to_a_settled_charge_is_always_found() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    shop.pass(1_290).await;
    assert_eq!(shop.state(id).await.0, State::TimedOut);
    let mut shop = shop.restart().await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    assert_eq!(shop.state(id).await, (State::Failed, Some(Reason::Late)));
    shop.mine(&[&tx]).await;
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn r05_a_replacement_after_the_deadline_inherits_the_first_sight() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.pass(2_000).await;
    assert_eq!(shop.state(id).await.0, State::Seen);
    let bumped = spend(
        tx.input[0].previous_output,
        &[(&made.charge.address, 20_000), (&address(), 1_000)],
    );
    shop.lose(&tx, Loss::Replaced, &[&bumped]).await;
    assert_eq!(shop.state(id).await, (State::Seen, None));
    shop.mine(&[&bumped]).await;
    assert_eq!(shop.state(id).await, (State::Confirmed, Some(Reason::Exact)));
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn r03_a_replacement_away_takes_the_money_back() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.lose(&tx, Loss::Replaced, &[]).await;
    assert_eq!(shop.state(id).await.0, State::Pending);
    // What is lost is not resubmitted.
    assert!(shop.charges.known_txs().await.unwrap().is_empty());
    shop.pass(2_000).await;
    assert_eq!(shop.state(id).await, (State::Failed, Some(Reason::Replaced)));
    // It is mined after all: the block is right.
    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(id).await.0, State::Confirmed);
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn r02_what_is_both_removed_and_there_is_there() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.lose(&tx, Loss::Dropped, &[&tx]).await;
    assert_eq!(shop.state(made.charge.id).await.0, State::Seen);
    assert_eq!(shop.charges.known_txs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_reorg_takes_a_confirmed_charge_back_and_forward_again() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(id).await.0, State::Confirmed);

    // Two other blocks in place of the one: the payment is in the mempool again.
    let fork_height = shop.height - 1;
    let first = shop.block(shop.height);
    shop.height += 1;
    shop.work += 1;
    let mut view = shop.quiet();
    view.tip = shop.tip();
    view.fork_height = fork_height;
    view.connected = vec![first.into(), view.tip.block.into()];
    view.transactions = shop.paying(&tx, Place::Mempool).into_iter().collect();
    shop.charges.observe(view).await.unwrap();
    assert_eq!(shop.state(id).await.0, State::Seen);
    assert_eq!(shop.now(id).await.charge.round, 1);
    assert_eq!(shop.charges.stored_hash(first.height).await.unwrap(), Some(first.hash));

    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(id).await.0, State::Confirmed);
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn a_lower_chain_of_more_work_makes_deep_money_shallow_again() {
    let mut shop = Shop::with(&[("confirmations", "3 3 3")]).await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.mine(&[&tx]).await;
    shop.pass(2_000).await;
    shop.mine(&[]).await;
    shop.mine(&[]).await;
    assert_eq!(shop.state(id).await.0, State::Confirmed);
    let mut shop = shop.restart().await;

    shop.height -= 1;
    shop.work += 10;
    let mut view = shop.quiet();
    view.fork_height = shop.height - 1;
    view.tip = shop.tip();
    view.connected = vec![view.tip.block.into()];
    shop.charges.observe(view).await.unwrap();
    assert_eq!(shop.state(id).await.0, State::Seen);
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn r06_a_view_must_continue_what_is_stored_with_more_work() {
    let mut shop = Shop::new().await;
    shop.mine(&[]).await;
    let stored = shop.charges.stored_tip().unwrap();
    assert!(matches!(
        shop.charges.set_first_tip(stored).await,
        Err(ObserveError::NotContinuing)
    ));

    let mut elsewhere = shop.quiet();
    elsewhere.tip.block = shop.block(shop.height);
    assert!(matches!(
        shop.charges.observe(elsewhere).await,
        Err(ObserveError::NotContinuing)
    ));

    let mut gap = shop.quiet();
    shop.height += 2;
    shop.work += 2;
    gap.tip = shop.tip();
    gap.connected = vec![gap.tip.block.into()];
    assert!(matches!(
        shop.charges.observe(gap).await,
        Err(ObserveError::NotContinuing)
    ));

    shop.height -= 2;
    shop.work -= 2;
    let mut same_work = shop.quiet();
    same_work.tip = shop.tip();
    same_work.fork_height = shop.height - 1;
    same_work.connected = vec![same_work.tip.block.into()];
    assert!(matches!(
        shop.charges.observe(same_work).await,
        Err(ObserveError::LessWork)
    ));
    assert_eq!(shop.charges.stored_tip(), Some(stored));
}

#[tokio::test]
async fn r06_at_least_2016_blocks_are_kept() {
    let mut shop = Shop::new().await;
    let mut view = shop.quiet();
    for _ in 0..2_500 {
        shop.height += 1;
        view.connected.push(shop.block(shop.height).into());
    }
    shop.work += 2_500;
    view.tip = Tip {
        block: view.connected.last().unwrap().block,
        ..shop.tip()
    };
    shop.charges.observe(view).await.unwrap();
    let kept = |height| shop.charges.stored_hash(height);
    assert!(kept(shop.height).await.unwrap().is_some());
    assert!(kept(shop.height - 2_016).await.unwrap().is_some());
    assert!(kept(200).await.unwrap().is_none());
}

#[tokio::test]
async fn r09_what_one_transaction_pays_a_merchant_counts_together() {
    let mut shop = Shop::with(&[("small_limit_cents", "1500"), ("confirmations", "1 3 6")]).await;
    let (one, other) = (shop.make(1_000).await, shop.make(1_000).await);
    let tx = shop.pay(&[(&one.charge.address, 20_000), (&other.charge.address, 20_000)]);
    shop.mine(&[&tx]).await;
    for made in [&one, &other] {
        let snapshot = shop.now(made.charge.id).await;
        assert_eq!(snapshot.charge.payments[0].merchant_total.to_sat(), 40_000);
        assert_eq!(snapshot.charge.required, 3);
        assert_eq!(snapshot.charge.state, State::Seen);
    }
    shop.mine(&[]).await;
    shop.mine(&[]).await;
    for made in [&one, &other] {
        assert_eq!(shop.state(made.charge.id).await.0, State::Confirmed);
        shop.assert_replay_equals_live(made.charge.id).await;
    }
}

#[tokio::test]
async fn r44_the_rate_at_the_time_of_the_payment_is_stored_with_it() {
    let mut shop = Shop::new().await;
    let (one, other) = (shop.make(1_000).await, shop.make(1_000).await);
    *shop.world.rates.0.write() = Some(6_000_000);
    let tx = shop.pay(&[(&one.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    *shop.world.rates.0.write() = None;
    let later = shop.pay(&[(&other.charge.address, 20_000)]);
    shop.see(&[&later]).await;
    shop.mine(&[&tx, &later]).await;

    let shop = shop.restart().await;
    let rate_of = async |id| {
        let snapshot = shop.now(id).await;
        let rate = snapshot.charge.payments[0].rate.clone();
        rate.map(|quote| quote.rate.cents_per_btc())
    };
    assert_eq!(rate_of(one.charge.id).await, Some(6_000_000));
    assert_eq!(rate_of(other.charge.id).await, None);
}

#[tokio::test]
async fn r34_a_transaction_is_followed_until_it_is_144_blocks_deep() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    let known = shop.charges.known_txs().await.unwrap();
    assert_eq!(known[0].raw, bitcoin::consensus::encode::serialize(&tx));
    assert_eq!(known[0].inputs, [outpoint(tx.input[0].previous_output)]);
    shop.mine(&[&tx]).await;
    for _ in 0..142 {
        shop.mine(&[]).await;
    }
    assert_eq!(shop.charges.known_txs().await.unwrap().len(), 1);
    shop.mine(&[]).await;
    assert!(shop.charges.known_txs().await.unwrap().is_empty());
    // Should it move all the same, it is known again.
    shop.mine(&[&tx]).await;
    assert_eq!(shop.charges.known_txs().await.unwrap().len(), 1);
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn r34_a_hit_of_the_watch_map_is_verified_against_the_whole_script() {
    let mut shop = Shop::new().await;
    let (one, other) = (shop.make(1_000).await, shop.make(1_000).await);
    let stranger = shop.pay(&[(&address(), 20_000)]);
    let to_other = shop.pay(&[(&other.charge.address, 20_000)]);
    let mut view = shop.quiet();
    // Both transactions as if their scripts had met the first charge's in 64 bits.
    for tx in [&stranger, &to_other] {
        view.transactions.push(PayingTx {
            txid: txid(tx),
            raw: bitcoin::consensus::encode::serialize(tx),
            inputs: vec![outpoint(tx.input[0].previous_output)],
            ancestor_inputs: Vec::new(),
            outputs: vec![PayingOutput {
                vout: 0,
                script: one.script,
                script_pubkey: tx.output[0].script_pubkey.clone(),
                value: tx.output[0].value,
            }],
            place: Place::Mempool,
            first_seen: Interval::at(START),
            coinbase: false,
        });
    }
    shop.charges.observe(view).await.unwrap();
    assert_eq!(shop.state(one.charge.id).await.0, State::Pending);
    assert_eq!(shop.state(other.charge.id).await.0, State::Seen);
}

#[tokio::test]
async fn r06_nothing_is_concluded_from_absence_in_blocks_that_could_not_be_read() {
    let shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let hole = bitpro_node::view::Hole {
        from: 90,
        to: 95,
        since: START,
        until: START.plus_secs(600),
    };
    shop.charges.set_hole(Some(hole)).await.unwrap();
    let mut shop = shop.restart().await;
    assert_eq!(shop.charges.hole(), Some(hole));
    shop.world.clock.advance_secs(601);
    let after = shop.make(1_000).await;
    shop.pass(5_000).await;
    assert_eq!(shop.state(made.charge.id).await.0, State::Pending);
    assert_eq!(shop.state(after.charge.id).await.0, State::TimedOut);
    shop.charges.set_hole(None).await.unwrap();
    shop.pass(1).await;
    assert_eq!(shop.state(made.charge.id).await.0, State::TimedOut);
}

#[tokio::test]
async fn many_charges_paid_in_one_block_are_decided_in_one_batch_each() {
    let mut shop = Shop::new().await;
    let mut made = Vec::new();
    for _ in 0..150 {
        made.push(shop.make(1_000).await);
    }
    let txs: Vec<Transaction> = made
        .iter()
        .map(|snapshot| (snapshot.charge.address.clone(), 20_000))
        .map(|(address, sats)| shop.pay(&[(&address, sats)]))
        .collect();
    let block: Vec<&Transaction> = txs.iter().collect();
    shop.mine(&block).await;
    for snapshot in &made {
        let id = snapshot.charge.id;
        assert_eq!(shop.state(id).await.0, State::Confirmed);
        shop.assert_replay_equals_live(id).await;
        let kinds: Vec<&str> = shop
            .charges
            .history(id)
            .await
            .unwrap()
            .unwrap()
            .iter()
            .map(|recorded| recorded.event.kind())
            .collect();
        assert_eq!(
            kinds,
            [
                "payment_found",
                "state_changed",
                "announced",
                "state_changed",
                "announced"
            ]
        );
    }
}

#[tokio::test]
async fn every_announcement_goes_to_the_outbox_with_its_event() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.mine(&[&tx]).await;
    let history = shop.charges.history(made.charge.id).await.unwrap().unwrap();
    let announced: Vec<(u64, &str)> = history
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::Announced { announcement, .. } => Some((recorded.sequence, announcement.as_str())),
            _ => None,
        })
        .collect();
    shop.charges.close().await;
    let stored = outbox(&shop.world.database()).await;
    let stored: Vec<(u64, &str)> = stored.iter().map(|(n, word)| (*n, word.as_str())).collect();
    assert_eq!(stored, announced);
    assert_eq!(stored.len(), 2);
}

#[tokio::test]
async fn a_coinbase_payment_conflicts_with_no_other_coinbase() {
    let mut shop = Shop::new().await;
    let (one, other) = (shop.make(1_000).await, shop.make(1_000).await);
    let mut coinbases = Vec::new();
    for made in [&one, &other] {
        let tx = spend(OutPoint::null(), &[(&made.charge.address, 20_000)]);
        shop.mine(&[&tx]).await;
        coinbases.push(tx);
    }
    for made in [&one, &other] {
        let snapshot = shop.now(made.charge.id).await;
        assert!(snapshot.charge.payments[0].coinbase);
        assert!(matches!(snapshot.charge.payments[0].whereabouts, Whereabouts::Live(_)));
        assert_eq!(snapshot.charge.progress(shop.height).unwrap().required, 100);
    }
}

/// An address that is nobody's here.
pub(super) fn address() -> String {
    "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202".to_owned()
}

#[tokio::test]
async fn r12_blocks_that_are_read_after_a_stop_tell_by_their_time_whether_a_payment_was_deep_in_time() {
    const SETTLE: u32 = 3_600;
    for (late_by, expected) in [
        (0, (State::Confirmed, Some(Reason::Exact))),
        (1, (State::Failed, Some(Reason::Late))),
    ] {
        let mut shop = Shop::with(&[("settle_within_secs", &SETTLE.to_string())]).await;
        let made = shop.make(1_000).await;
        let id = made.charge.id;
        let tx = shop.pay(&[(&made.charge.address, 20_000)]);
        shop.see(&[&tx]).await;
        let end = made.charge.terms.expires_at.plus_secs(SETTLE);

        // The server is away over the deadline, and finds the payment deep when it is back.
        shop.charges.close().await;
        shop.world.clock.set(end.plus_secs(86_400));
        shop.charges = shop.world.open().await;
        let blocks = [0, 1].map(|_| {
            shop.height += 1;
            shop.work += 1;
            shop.tip()
        });
        let mut view = shop.quiet();
        view.tip = blocks[1];
        let times = [end.plus_secs(late_by), end.plus_secs(600)];
        let connected = blocks.iter().zip(times).map(|(tip, found_after)| Connected {
            block: tip.block,
            found_after,
            claimed: found_after,
        });
        view.connected = connected.collect();
        view.transactions = shop.paying(&tx, Place::Block(blocks[0].block)).into_iter().collect();
        shop.charges.observe(view).await.unwrap();
        assert_eq!(shop.state(id).await, expected);
        shop.assert_replay_equals_live(id).await;
    }
}

#[tokio::test]
async fn r12_a_payment_that_only_a_repair_notices_was_deep_when_its_blocks_were_found() {
    const SETTLE: u32 = 3_600;
    for (late_by, expected) in [
        (0, (State::Confirmed, Some(Reason::Exact))),
        (1, (State::Failed, Some(Reason::Late))),
    ] {
        let settings = [
            ("settle_within_secs", SETTLE.to_string()),
            ("confirmations", "3 3 3".to_owned()),
        ];
        let mut shop = Shop::with(&settings.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
        let made = shop.make(1_000).await;
        let id = made.charge.id;
        let tx = shop.pay(&[(&made.charge.address, 20_000)]);
        let end = made.charge.terms.expires_at.plus_secs(SETTLE);

        // Three blocks are read, and nobody notices what the first of them holds.
        let blocks = [0; 3].map(|_| {
            shop.height += 1;
            shop.work += 1;
            shop.tip()
        });
        shop.world.clock.set(end.plus_secs(86_400));
        let mut view = shop.quiet();
        view.tip = blocks[2];
        view.connected = blocks.iter().map(|tip| tip.block.into()).collect();
        shop.charges.observe(view).await.unwrap();
        assert_eq!(shop.state(id).await, (State::TimedOut, None));

        // A repair tells of it, and when the blocks were found that made it deep.
        let mut found = shop.paying(&tx, Place::Block(blocks[0].block)).unwrap();
        found.first_seen = Interval::at(START.plus_secs(60));
        let mut view = shop.quiet();
        view.transactions = vec![found];
        let times = [START.plus_secs(120), START.plus_secs(180), end.plus_secs(late_by)];
        let standing = blocks.iter().zip(times).map(|(tip, found_after)| Connected {
            block: tip.block,
            found_after,
            claimed: found_after,
        });
        let standing: Vec<Connected> = standing.collect();
        shop.charges.observe_beside_watcher(view, &standing).await.unwrap();
        assert_eq!(shop.state(id).await, expected);
        shop.assert_replay_equals_live(id).await;
    }
}
