//! Group commit: each unit for itself, all of them together (R30).

use std::sync::atomic::{AtomicBool, Ordering};

use bitpro_store::Tx;

use super::*;

/// A unit that makes a charge and then fails in the given way.
async fn fails(shop: &Shop, how: &'static str) -> Result<(), StoreError> {
    let merchant = shop.merchant;
    shop.charges
        .inner
        .store
        .write(move |tx: &mut Tx| {
            Box::pin(async move {
                let descriptor = tx.memory().merchants()[&merchant].descriptor.unwrap();
                let taken = tx.take_address(descriptor).await?;
                assert!(taken.is_some());
                tx.note_used(descriptor, 500);
                match how {
                    "sql" => tx.execute("INSERT INTO charges (num) VALUES (1)").await,
                    "panic" => panic!("a mistake in a unit"),
                    _ => {
                        tx.set_meta("trace", how).await?;
                        Err(StoreError::Unavailable(how.to_owned()))
                    }
                }
            })
        })
        .await
}

#[tokio::test]
async fn r30_a_failed_unit_takes_back_its_own_work_and_nobody_elses() {
    let shop = Shop::new().await;
    // All are waiting before the writer runs: one group.
    let (one, refused, sql, panicked, two, three) = tokio::join!(
        shop.charges.create(shop.new_charge(100)),
        fails(&shop, "refused"),
        fails(&shop, "sql"),
        fails(&shop, "panic"),
        shop.charges.create(shop.new_charge(200)),
        shop.charges.for_link(shop.link("A-1", 300)),
    );
    assert!(matches!(refused, Err(StoreError::Unavailable(why)) if why == "refused"));
    assert!(matches!(sql, Err(StoreError::Unavailable(_))));
    assert!(panicked.is_err());
    let LinkOutcome::Made(three) = three.unwrap() else {
        panic!("a first link makes a charge");
    };
    let mut indices = Vec::new();
    for id in [one.unwrap(), two.unwrap(), three] {
        indices.push(shop.now(id).await.index);
    }
    assert_eq!(indices, [0, 1, 2], "an index that a failed unit took is free again");
    let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
    assert_eq!(report.unpaid_run, 3);

    let shop = shop.restart().await;
    let listed = shop.charges.list(Filter::default(), None, 10).await.unwrap();
    assert_eq!(listed.charges.len(), 3);
    assert_eq!(shop.make(100).await.index, 3);
}

#[tokio::test]
async fn r30_a_failed_commit_fails_the_group_and_changes_nothing() {
    let shop = Shop::new().await;
    let before = shop.charges.inner.shared.watch_map.len();
    let breaks = shop.charges.inner.store.write(|tx: &mut Tx| {
        Box::pin(async move {
            tx.execute("PRAGMA defer_foreign_keys = ON").await?;
            tx.execute("INSERT INTO personal (charge) VALUES (999)").await
        })
    });
    let (one, broken, two): (_, Result<(), StoreError>, _) = tokio::join!(
        shop.charges.create(shop.new_charge(100)),
        breaks,
        shop.charges.create(shop.new_charge(200)),
    );
    assert!(matches!(one, Err(CreateError::Store(StoreError::Unavailable(_)))));
    assert!(broken.is_err());
    assert!(matches!(two, Err(CreateError::Store(StoreError::Unavailable(_)))));
    assert_eq!(shop.charges.inner.shared.watch_map.len(), before);
    assert!(
        shop.charges
            .list(Filter::default(), None, 10)
            .await
            .unwrap()
            .charges
            .is_empty()
    );
    // The shop goes on, with the same index.
    assert_eq!(shop.make(100).await.index, 0);
}

#[tokio::test]
async fn r30_decide_sees_the_units_before_it_in_the_group() {
    let shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let (first, second) = tokio::join!(
        shop.charges.cancel(made.charge.id, 0),
        shop.charges.cancel(made.charge.id, 0)
    );
    assert_eq!(first.unwrap().charge.state, State::Failed);
    assert!(matches!(
        second,
        Err(CommandError::Refused(bitpro_charge::Refusal::Stale(_)))
    ));
}

#[tokio::test]
async fn r30_a_failed_sync_ends_the_process() {
    let world = World::new();
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    let fatal: Fatal = Arc::new(move |_| told.store(true, Ordering::Release));
    let charges = Charges::open_with(world.opening(Role::Server), fatal).await.unwrap();
    let failed: Result<(), StoreError> = charges
        .inner
        .store
        .write(|tx: &mut Tx| {
            Box::pin(async move {
                tx.break_commit(StoreError::SyncFailed("no answer from the disk".to_owned()));
                Ok(())
            })
        })
        .await;
    assert!(matches!(failed, Err(StoreError::SyncFailed(_))));
    assert!(ended.load(Ordering::Acquire));
    charges.close().await;
}

#[tokio::test]
async fn r30_what_was_committed_although_the_answer_was_an_error_is_known_to_whoever_is_refused() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.height += 1;
    shop.work += 1;
    let mut view = shop.quiet();
    view.tip = shop.tip();
    view.connected = vec![view.tip.block.into()];
    view.transactions = vec![shop.paying(&tx, Place::Block(view.tip.block)).unwrap()];
    let losing = shop.charges.inner.store.write(|tx: &mut Tx| {
        Box::pin(async move {
            tx.lose_answer(StoreError::Unavailable("the answer is lost".to_owned()));
            Ok::<(), StoreError>(())
        })
    });
    // Both are of one group.
    let (_, offered) = tokio::join!(losing, shop.charges.observe(view.clone()));
    assert!(matches!(offered, Err(ObserveError::Store(_))), "{offered:?}");
    assert_eq!(shop.charges.stored_tip(), Some(view.tip), "it is known by now");
    let again = shop.charges.observe(view.clone()).await;
    assert!(matches!(again, Err(ObserveError::LessWork)), "{again:?}");
    assert_eq!(shop.state(made.charge.id).await.0, State::Confirmed);
    shop.mine(&[]).await;
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn r30_nobody_waits_for_more_than_one_view_of_very_many_charges() {
    const PAID: usize = 600;
    let mut shop = Shop::new().await;
    let mut made = Vec::new();
    for _ in 0..PAID {
        made.push(shop.make(1_000).await);
    }
    let outputs: Vec<(&str, u64)> = made.iter().map(|made| (made.charge.address.as_str(), 20_000)).collect();
    let (first, heir) = (shop.pay(&outputs), shop.pay(&outputs));
    let view = |tx: &Transaction| View {
        transactions: shop.paying(tx, Place::Mempool).into_iter().collect(),
        ..shop.quiet()
    };
    let mut replaced = view(&heir);
    replaced.gone = vec![LostTx {
        txid: txid(&first),
        loss: Loss::Replaced,
        replaced_by: None,
    }];
    // All three are waiting before the writer runs. Addresses may be derived meanwhile, in commits of their own.
    let (after_first, after_creation, gone) = tokio::join!(
        async {
            shop.charges.observe(view(&first)).await.unwrap();
            shop.charges.commits()
        },
        async {
            shop.charges.create(shop.new_charge(500)).await.unwrap();
            shop.charges.commits()
        },
        shop.charges.observe(replaced),
    );
    gone.unwrap();
    assert!(after_first < after_creation, "the first view is committed by itself");
    for one in [&made[0], &made[PAID - 1]] {
        let now = shop.now(one.charge.id).await;
        assert_eq!((now.charge.state, now.charge.payments.len()), (State::Seen, 2));
        // What was decided about a charge, its event and what is told of it are one commit.
        shop.assert_replay_equals_live(one.charge.id).await;
    }
}
