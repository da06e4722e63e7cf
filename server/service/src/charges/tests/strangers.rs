//! What strangers send: very many outputs, dust, and money from before the charge.

use bitpro_store::testing::statements;

use super::*;

/// A transaction that spends the same outpoint as `replaced`, by another way of paying.
fn instead_of(replaced: &Transaction, outputs: &[(&str, u64)]) -> Transaction {
    spend(replaced.input[0].previous_output, outputs)
}

#[tokio::test]
async fn r34_very_many_outputs_are_counted_whole_and_kept_as_a_hundred() {
    let mut shop = Shop::new().await;
    let (made, other) = (shop.make(5_000).await, shop.make(1_000).await);
    // 3,000 outputs for one charge, and one in between for another.
    let mut outputs = vec![(made.charge.address.as_str(), 400); 1_500];
    outputs.push((other.charge.address.as_str(), 20_000));
    outputs.extend([(made.charge.address.as_str(), 400); 1_500]);
    let mut tx = shop.pay(&outputs);
    shop.see(&[&tx]).await;
    for fee in 1..=5 {
        outputs[0].1 = 400 - fee;
        let heir = instead_of(&tx, &outputs);
        shop.lose(&tx, Loss::Replaced, &[&heir]).await;
        tx = heir;
    }
    shop.mine(&[&tx]).await;
    let shop = shop.restart().await;
    let snapshot = shop.now(made.charge.id).await;
    assert_eq!(snapshot.charge.received().to_sat(), 3_000 * 400 - 5);
    let live = snapshot.charge.payments_of(txid(&tx));
    assert_eq!((live.len(), live[99].value.to_sat()), (100, 2_901 * 400));
    assert_eq!(snapshot.charge.payments.len(), 600);
    assert_eq!(shop.state(other.charge.id).await.0, State::Confirmed);
    shop.assert_replay_equals_live(made.charge.id).await;
    shop.assert_replay_equals_live(other.charge.id).await;
}

#[tokio::test]
async fn what_an_earlier_release_stored_is_read_and_then_stored_anew() {
    let mut shop = Shop::new().await;
    let made = shop.make(5_000).await;
    let first = shop.pay(&[(&made.charge.address, 40_000)]);
    shop.see(&[&first]).await;
    let heir = instead_of(&first, &[(&made.charge.address, 30_000)]);
    shop.lose(&first, Loss::Replaced, &[&heir]).await;
    let before = shop.now(made.charge.id).await;
    shop.charges.close().await;
    let database = shop.world.database();
    meddle(
        &database,
        "UPDATE charges SET snapshot = json_set(json_remove(snapshot, '$.was_confirmed', '$.was_announced'), \
         '$.version', 1, '$.payments', json((SELECT '[' || group_concat(replace(p.body, 'inherits\":[\"', \
         'inherits\":[\"00000000000000000000000000000000000000000000000000000000000000aa:7\",\"')) || ']' \
         FROM payments p WHERE p.charge = charges.num)))",
    )
    .await;
    meddle(&database, "UPDATE payments SET body = NULL").await;
    shop.charges = shop.world.open().await;
    let mut read = shop.now(made.charge.id).await.charge.clone();
    // Earlier releases named every predecessor, and each with its output.
    for payment in &mut read.payments {
        let payment = Arc::make_mut(payment);
        payment.replaced.retain(|&ancestor| ancestor == txid(&first));
    }
    assert_eq!(read, before.charge);
    shop.mine(&[&heir]).await;
    let after = shop.now(made.charge.id).await.charge.clone();
    let shop = shop.restart().await;
    assert_eq!(shop.now(made.charge.id).await.charge, after);
    assert_eq!(after.payments.len(), 2);
}

#[tokio::test]
async fn r22_dust_closes_no_link_whether_it_stays_or_goes() {
    let mut shop = Shop::new().await;
    let LinkOutcome::Made(id) = shop.charges.for_link(shop.link("A-1", 5_000)).await.unwrap() else {
        panic!("a charge is made");
    };
    let address = shop.now(id).await.charge.address.clone();
    let dust = shop.pay(&[(&address, 300)]);
    shop.see(&[&dust]).await;
    let meanwhile = shop.charges.for_link(shop.link("A-1", 5_000)).await.unwrap();
    assert_eq!(meanwhile, LinkOutcome::Reused(id));
    let elsewhere = shop.pay(&[(&observing::address(), 300)]);
    shop.lose(&dust, Loss::Replaced, &[&elsewhere]).await;
    let again = shop.charges.for_link(shop.link("A-1", 5_000)).await.unwrap();
    assert_eq!(again, LinkOutcome::Reused(id));
    let shop = shop.restart().await;
    assert!(shop.now(id).await.is_waiting_link());
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn r44_what_is_found_hours_later_has_not_the_rate_of_then() {
    let mut shop = Shop::new().await;
    let (found, seen) = (shop.make(1_000).await, shop.make(1_000).await);
    let late = shop.pay(&[(&found.charge.address, 20_000)]);
    let live = shop.pay(&[(&seen.charge.address, 20_000)]);
    shop.world.clock.advance_secs(6 * 3_600);
    let mut view = shop.quiet();
    let mut old = shop.paying(&late, Place::Mempool).unwrap();
    old.first_seen = Interval::at(START.plus_secs(60));
    view.transactions = vec![old, shop.paying(&live, Place::Mempool).unwrap()];
    shop.charges.observe(view).await.unwrap();
    let shop = shop.restart().await;
    let of = async |made: &Snapshot| shop.now(made.charge.id).await.charge.payments[0].clone();
    let (old, new) = (of(&found).await, of(&seen).await);
    assert!(old.rate.is_none() && old.rate_when_found.is_some());
    assert!(new.rate.is_some() && new.rate_when_found.is_none());
}

#[tokio::test]
async fn r27_money_from_before_the_charge_is_shown_apart_and_counts_for_nothing() {
    let mut shop = Shop::new().await;
    shop.world.clock.advance_secs(61);
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    let mut view = shop.quiet();
    let mut older = shop.paying(&tx, Place::Mempool).unwrap();
    older.first_seen = Interval::at(START);
    view.transactions = vec![older];
    shop.charges.observe(view).await.unwrap();
    shop.mine(&[&tx]).await;
    let snapshot = shop.now(made.charge.id).await;
    assert_eq!(snapshot.charge.state, State::Pending);
    let objects = shop
        .charges
        .charge_objects(&[&*snapshot], "https://pay.example")
        .await
        .unwrap();
    let object = serde_json::to_value(&objects[0]).unwrap();
    assert_eq!(
        (&object["payments"], &object["received_sat"]),
        (&serde_json::json!([]), &0.into())
    );
    assert_eq!(object["earlier_payments"][0]["value_sat"], 20_000);
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn a_view_of_more_than_five_thousand_payments_is_taken_in_all_the_same() {
    let mut shop = Shop::new().await;
    let mut made = Vec::new();
    for _ in 0..51 {
        made.push(shop.make(5_000).await);
    }
    let outputs: Vec<(&str, u64)> = made
        .iter()
        .flat_map(|made| vec![(made.charge.address.as_str(), 1_010); 99])
        .collect();
    assert!(outputs.len() > 5_000);
    let tx = shop.pay(&outputs);
    shop.see(&[&tx]).await;
    for made in &made {
        assert_eq!(shop.now(made.charge.id).await.charge.received().to_sat(), 99 * 1_010);
    }
}

#[tokio::test]
async fn r30_charges_that_one_transaction_pays_share_their_statements() {
    const PAID: usize = 200;
    let mut shop = Shop::new().await;
    let mut addresses = Vec::new();
    for _ in 0..PAID {
        addresses.push(shop.make(1_000).await.charge.address.clone());
    }
    let mut outputs: Vec<(&str, u64)> = addresses.iter().map(|address| (address.as_str(), 20_000)).collect();
    let tx = shop.pay(&outputs);
    statements();
    shop.see(&[&tx]).await;
    let seen = statements();
    outputs[0].1 -= 1;
    let heir = instead_of(&tx, &outputs);
    shop.lose(&tx, Loss::Replaced, &[&heir]).await;
    let replaced = statements();
    // Of the log, of the charges, of payments and of what is told 128, 32, 32 and 8 rows at a time; then the transaction, and the two
    // counts that have changed. Replaced, each has two payments that are other than before, and only the first is short.
    assert_eq!((seen, replaced), (4 * 4 + 1 + 2, 2 * 4 + 5 + 1 + 2));
}
