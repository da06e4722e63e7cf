//! What listeners and status reads get.

use serde_json::Value;

use super::*;

fn json(shop: &Shop, snapshot: &Snapshot) -> Value {
    serde_json::from_slice(&shop.charges.view_json(snapshot)).unwrap()
}

#[tokio::test]
async fn a_listener_hears_of_every_batch_with_the_sequence_before_it() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let mut listener = shop.charges.subscribe(made.charge.id);
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    let seen = listener.next().await.unwrap();
    assert_eq!((seen.previous, seen.tip), (0, 100));
    shop.mine(&[&tx]).await;
    let confirmed = listener.next().await.unwrap();
    assert_eq!((confirmed.previous, confirmed.tip), (seen.sequence, 101));
    assert_eq!(confirmed.sequence, shop.now(made.charge.id).await.charge.sequence);
}

#[tokio::test]
async fn r31_a_change_of_depth_is_a_frame_without_a_new_sequence() {
    let mut shop = Shop::with(&[("confirmations", "3 3 3")]).await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.mine(&[&tx]).await;
    let sequence = shop.now(made.charge.id).await.charge.sequence;
    let mut listener = shop.charges.subscribe(made.charge.id);
    shop.mine(&[]).await;
    let deeper = listener.next().await.unwrap();
    assert_eq!(
        deeper,
        Frame {
            sequence,
            previous: sequence,
            tip: 102
        }
    );
    let snapshot = shop.now(made.charge.id).await;
    assert_eq!(json(&shop, &snapshot)["progress"]["have"], 2);
}

#[tokio::test]
async fn r31_resuming_gives_exactly_the_batches_that_were_missed() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let mut live = vec![made];
    let tx = shop.pay(&[(&live[0].charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    live.push(shop.now(id).await);
    shop.mine(&[&tx]).await;
    live.push(shop.now(id).await);
    let more = shop.pay(&[(&live[0].charge.address, 30_000)]);
    shop.see(&[&more]).await;
    live.push(shop.now(id).await);

    let shop = shop.restart().await;
    for (i, seen) in live.iter().enumerate() {
        let frames = shop
            .charges
            .frames_after(id, seen.charge.sequence)
            .await
            .unwrap()
            .unwrap();
        let frames: Vec<&Charge> = frames.iter().map(|frame| &frame.charge).collect();
        let missed: Vec<&Charge> = live[i + 1..].iter().map(|later| &later.charge).collect();
        assert_eq!(frames, missed);
    }
    // A sequence inside a batch was never sent to anyone: a snapshot is due.
    assert!(shop.charges.frames_after(id, 1).await.unwrap().is_none());
    assert!(shop.charges.frames_after(id, 999).await.unwrap().is_none());
    assert!(shop.charges.frames_after(ChargeId([9; 16]), 0).await.unwrap().is_none());
}

#[tokio::test]
async fn the_prepared_view_is_the_view() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let check = |shop: &Shop, snapshot: &Snapshot| {
        let view = serde_json::to_value(shop.charges.view(snapshot).unwrap()).unwrap();
        assert_eq!(json(shop, snapshot), view);
        view
    };
    let first = check(&shop, &made);
    assert_eq!(first["now"], START.0);
    assert_eq!(first["node"], "away");
    assert!(first["uri"].as_str().unwrap().contains("label=Shop"));

    shop.charges.set_node_condition(&bitpro_node::Condition::Ready);
    shop.world.clock.advance_secs(7);
    let second = check(&shop, &made);
    assert_eq!(second["now"], START.plus_secs(7).0);
    assert_eq!(second["node"], "ready");

    let changes = MerchantChanges {
        settings: SettingsPatch::read(&[("name", "Other")]).unwrap(),
        ..MerchantChanges::default()
    };
    shop.charges.change_merchant(shop.merchant, changes).await.unwrap();
    assert!(check(&shop, &made)["uri"].as_str().unwrap().contains("label=Other"));

    shop.world.clock.advance_secs(1_200);
    assert!(
        check(&shop, &made)["uri"].is_null(),
        "after the deadline nothing is asked for"
    );

    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    check(&shop, &*shop.now(id).await);
    shop.mine(&[&tx]).await;
    check(&shop, &*shop.now(id).await);
}

#[tokio::test]
async fn closing_ends_every_stream_and_keeps_what_was_taken_in() {
    let shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let mut listener = shop.charges.subscribe(made.charge.id);
    let (created, ()) = tokio::join!(shop.charges.create(shop.new_charge(100)), shop.charges.close());
    assert_eq!(listener.next().await, None);
    let id = created.unwrap();
    assert!(matches!(
        shop.charges.create(shop.new_charge(100)).await,
        Err(CreateError::Store(StoreError::Closed))
    ));
    let charges = shop.world.open().await;
    assert!(charges.snapshot(id).await.unwrap().is_some());
    charges.close().await;
}

#[tokio::test]
async fn r32_time_never_goes_back_behind_what_was_seen() {
    let shop = Shop::new().await;
    shop.world.clock.advance_secs(3_600);
    let late = shop.charges.now();
    let shop = shop.restart().await;
    shop.world.clock.set(START);
    assert_eq!(shop.charges.now(), late);
    let made = shop.make(100).await;
    assert_eq!(made.charge.terms.created_at, late);
}
