//! A charge's whole life across restarts: the store's story.

use bitpro_charge::Reason;

use super::*;

#[tokio::test]
async fn a_story_of_three_charges_survives_a_restart_at_every_step() {
    let mut shop = Shop::with(&[("confirmations", "2 3 6")]).await;
    let (paid, partial, lost) = (shop.make(1_000).await, shop.make(2_000).await, shop.make(3_000).await);
    let ids = [paid.charge.id, partial.charge.id, lost.charge.id];
    let first = shop.pay(&[(&paid.charge.address, 20_000), (&partial.charge.address, 10_000)]);
    let second = shop.pay(&[(&lost.charge.address, 60_000)]);
    let top_up = shop.pay(&[(&partial.charge.address, 30_000)]);

    let mut shop = shop.restart().await;
    shop.see(&[&first, &second]).await;
    let mut shop = shop.restart().await;
    assert_eq!(shop.charges.known_txs().await.unwrap().len(), 2);
    assert_eq!(shop.state(ids[1]).await, (State::Seen, Some(Reason::Underpaid)));
    shop.mine(&[&first]).await;
    let mut shop = shop.restart().await;
    assert_eq!(shop.state(ids[0]).await.0, State::Seen);
    shop.lose(&second, Loss::Replaced, &[&top_up]).await;
    let mut shop = shop.restart().await;
    assert_eq!(shop.state(ids[1]).await, (State::Seen, None));
    assert_eq!(shop.state(ids[2]).await.0, State::Pending);
    shop.mine(&[&top_up]).await;
    let mut shop = shop.restart().await;
    assert_eq!(shop.state(ids[0]).await, (State::Confirmed, Some(Reason::Exact)));
    shop.mine(&[]).await;
    let mut shop = shop.restart().await;
    assert_eq!(shop.state(ids[1]).await, (State::Confirmed, Some(Reason::Exact)));
    shop.pass(3_000).await;
    let shop = shop.restart().await;
    assert_eq!(shop.state(ids[2]).await, (State::Failed, Some(Reason::Replaced)));
    for id in ids {
        shop.assert_replay_equals_live(id).await;
    }
    let counts = shop.charges.count_by_state().await.unwrap();
    assert!(
        counts.contains(&(State::Confirmed, 2)) && counts.contains(&(State::Failed, 1)),
        "{counts:?}"
    );
}

#[tokio::test]
async fn what_is_settled_is_not_loaded_and_what_is_open_is() {
    let mut shop = Shop::new().await;
    for _ in 0..3 {
        shop.make(1_000).await;
    }
    shop.pass(2_000).await;
    let open = shop.make(1_000).await;
    let shop = shop.restart().await;
    let held: Vec<bool> = shop
        .charges
        .inner
        .store
        .write(|tx| {
            Box::pin(async move { Ok::<_, StoreError>((1..=4).map(|num| tx.memory().charge(num).is_some()).collect()) })
        })
        .await
        .unwrap();
    assert_eq!(held, [false, false, false, true]);
    assert_eq!(shop.state(open.charge.id).await.0, State::Pending);
}

#[tokio::test]
async fn r05_the_instant_that_was_observed_survives_a_stop_exactly_and_a_kill_within_half_a_minute() {
    let mut shop = Shop::new().await;
    shop.pass(100).await;
    shop.pass(10).await;
    let stored = shop
        .charges
        .inner
        .store
        .write(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.memory().stored_until()) }));
    assert_eq!(
        stored.await.unwrap(),
        START.plus_secs(100),
        "not every second is a commit"
    );
    let shop = shop.restart().await;
    assert_eq!(shop.charges.observed_until(), Some(START.plus_secs(110)));
}

#[tokio::test]
async fn nobody_else_can_read_what_is_stored_whatever_the_folder_and_earlier_modes() {
    use bitpro_base::testing::{open_all, open_to_others};
    let shop = Shop::new().await;
    open_all(shop.world.folder.path());
    shop.make(100).await;
    let shop = shop.restart().await;
    shop.make(100).await;
    // The database, its log and its index, and the issuance mark.
    assert!(std::fs::read_dir(shop.world.folder.path()).unwrap().count() >= 4);
    assert_eq!(open_to_others(shop.world.folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn changes_for_which_there_is_no_room_wait_and_are_all_made() {
    let shop = Shop::new().await;
    let most = shop.charges.store().room();
    let (begun, is_begun) = tokio::sync::oneshot::channel::<()>();
    let (go_on, held) = tokio::sync::oneshot::channel::<()>();
    let charges = shop.charges.clone();
    let first = tokio::spawn(async move {
        let unit = charges.store().write(move |_| {
            Box::pin(async move {
                let _ = begun.send(());
                let _ = held.await;
                Ok::<_, StoreError>(())
            })
        });
        unit.await
    });
    is_begun.await.unwrap();
    let others: Vec<_> = (0..most + 500)
        .map(|_| {
            let charges = shop.charges.clone();
            tokio::spawn(async move {
                let unit = charges.store().write(|_| Box::pin(async { Ok::<_, StoreError>(()) }));
                unit.await
            })
        })
        .collect();
    while shop.charges.store().room() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(
        others.iter().all(|other| !other.is_finished()),
        "nothing overtakes what is being done"
    );
    go_on.send(()).unwrap();
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(shop.charges.store().room(), most);
}
