//! Later: the machine dies, charges are looked for, personal details are erased, a copy is put back.

use bitpro_base::rng::charge_id;
use bitpro_charge::{Announcement, ChargeId, Event, State, Timestamp, Txid};

use super::world::{DAY, EMAIL, MERCHANT, START, Server, World, after, assert_whole, record, sell, told};
use crate::tests::ground::Ground;
use crate::{CommitPoint, Needle, Place, Search, StoreError};

/// The machine dies on either side of a commit: what was committed is there, what was not is not, and no address is given out twice.
pub(super) async fn the_machine_dies<G: Ground>(world: &World<G>, mut server: Server) -> (Server, ChargeId) {
    let [lost, kept, next] = [(); 3].map(|()| charge_id(&*world.rng));
    world.befall(CommitPoint::BeforeCommit);
    sell(&server.store, lost, "D-1", after(900_000)).await.unwrap_err();
    server = world.crash(server, after(900_000)).await;
    assert!(server.store.charge(lost).await.unwrap().is_none());

    world.befall(CommitPoint::AfterCommit);
    sell(&server.store, kept, "D-2", after(900_000)).await.unwrap_err();
    server = world.crash(server, after(900_000)).await;
    let kept = assert_whole(&server.store, kept).await;
    assert_eq!(
        kept.index, 11,
        "nobody knows whether index 10 was shown: it is skipped (R28)"
    );

    let next = sell(&server.store, next, "D-3", after(900_000)).await.unwrap();
    assert_eq!(next.index, 12);
    let memory = server
        .store
        .write(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.memory().describe()) }));
    let memory = memory.await.unwrap();
    let epoch = server.epoch.clone();
    world.close(server).await;
    server = world.open(after(900_000)).await;
    assert_eq!(server.epoch, epoch, "a restart is no restore");
    let again = server
        .store
        .write(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.memory().describe()) }));
    assert_eq!(
        again.await.unwrap(),
        memory,
        "what is read at a start is what was in memory"
    );
    assert_eq!(server.store.wrong_counts().await.unwrap(), []);
    assert_eq!(server.store.orphans(10).await.unwrap(), []);
    assert_eq!(server.store.charges_sharing_scripts(10).await.unwrap(), []);
    (server, next.charge.id)
}

/// The merchant looks for charges, and at figures.
pub(super) async fn charges_are_looked_for(server: &Server, paid: ChargeId) {
    let store = &server.store;
    let search = |needle: Option<Needle>, state: Option<State>| Search {
        merchant: MERCHANT,
        needle,
        state,
        from: None,
        to: None,
    };
    let script = store.charge(paid).await.unwrap().unwrap().script_pubkey.to_vec();
    let order = |order_id: &str| Needle {
        order_id: order_id.to_owned(),
        ..Needle::default()
    };
    // A needle always is an order id as well, and none begins like this.
    let nothing = order("none of them");
    for (needle, found) in [
        (order("A-"), 2),
        (order("A-1"), 1),
        (order("a-1"), 0),
        (
            Needle {
                charge: Some(paid),
                ..nothing.clone()
            },
            1,
        ),
        (
            Needle {
                txid: Some(Txid([0x7a; 32])),
                ..nothing.clone()
            },
            1,
        ),
        (
            Needle {
                script: Some(script),
                ..nothing.clone()
            },
            1,
        ),
        (
            Needle {
                email: Some(EMAIL.to_owned()),
                ..nothing.clone()
            },
            7,
        ),
        (
            Needle {
                email: Some("bob@shop.example".to_owned()),
                ..nothing
            },
            0,
        ),
    ] {
        let search = search(Some(needle), None);
        assert_eq!(
            store.search(&search, None, 100).await.unwrap().len(),
            found,
            "{search:?}"
        );
    }
    let confirmed = store
        .search(&search(None, Some(State::Confirmed)), None, 100)
        .await
        .unwrap();
    assert_eq!(confirmed.len(), 1);
    assert_eq!(confirmed[0].as_ref().unwrap().charge.id, paid);
    let mut place = None;
    let mut pages = Vec::new();
    loop {
        let page = store.search(&search(None, None), place, 3).await.unwrap();
        let Some(Ok(last)) = page.last() else { break };
        place = Some(Place {
            created_at: last.charge.terms.created_at,
            num: last.num,
        });
        pages.push(page.len());
    }
    assert_eq!(pages, [3, 3, 1], "a page goes on where the last one ended");
    let spans = [(START, after(2_000)), (after(2_000), after(DAY))];
    let tallies = store.tallies(MERCHANT, &spans).await.unwrap();
    let mut tallies: Vec<(usize, State, u64, u64)> = (tallies.into_iter())
        .map(|tally| (tally.span, tally.state, tally.charges, tally.price.0))
        .collect();
    tallies.sort_unstable_by_key(|tally| (tally.0, tally.1.as_str()));
    assert_eq!(
        tallies,
        [
            (0, State::Confirmed, 1, 1_000),
            (0, State::Pending, 2, 2_000),
            (1, State::Pending, 4, 4_000)
        ]
    );
}

/// What is old enough is erased, and the money stays.
pub(super) async fn what_is_old_is_erased(server: &Server, paid: ChargeId) {
    let store = &server.store;
    let outdated = store.outdated_personal(MERCHANT, after(700_000), 0, 100).await.unwrap();
    assert_eq!(outdated.len(), 5, "charges to which nothing has happened since");
    let before = store.charge(paid).await.unwrap().unwrap();
    let ended = store.deliveries_ended(after(DAY), 10).await.unwrap();
    assert_eq!(ended, Vec::<i64>::new(), "all of them are to be made");
    store
        .write(move |tx| {
            Box::pin(async move {
                let webhook = tx.memory().webhooks()[&MERCHANT][1].clone();
                tx.remove_webhook(&webhook, after(950_000)).await?;
                for (_, id) in outdated {
                    let snapshot = tx.charge(id).await?.unwrap();
                    tx.erase_personal(&snapshot).await?;
                }
                tx.forget_requests(after(DAY), after(DAY)).await
            })
        })
        .await
        .unwrap();
    let erased = assert_whole(store, paid).await;
    assert_eq!(erased.charge, before.charge);
    assert_eq!((before.email_key, erased.email_key), (Some([5; 8]), None));
    assert_eq!(store.personal(erased.num).await.unwrap(), [None, None, None]);
    assert_eq!(store.note(erased.num).await.unwrap(), None);
    assert_eq!(
        store.outdated_personal(MERCHANT, after(700_000), 0, 100).await.unwrap(),
        []
    );
    assert_eq!(store.nonces().await.unwrap(), []);
    let ended = store.deliveries_ended(after(DAY), 10).await.unwrap();
    assert_eq!(ended.len(), 1, "what a removed webhook was to be told is cancelled");
    store
        .write(move |tx| Box::pin(async move { tx.forget_deliveries(&ended).await }))
        .await
        .unwrap();
    assert_eq!(
        store.count_webhook_rows().await.unwrap(),
        1,
        "nothing is left of the removed one"
    );
    assert_eq!(store.orphans(10).await.unwrap(), []);
}

/// The database goes back to a copy. What came after it is gone, but for what must not be: numbers and addresses.
pub(super) async fn a_copy_is_put_back<G: Ground>(world: &World<G>, server: Server, paid: ChargeId, open: ChargeId) {
    world.ground.back_up(&server.store).await;
    let [gone, fresh] = [(); 2].map(|()| charge_id(&*world.rng));
    let gone = sell(&server.store, gone, "E-1", after(960_000)).await.unwrap();
    let moved = record(
        &server.store,
        open,
        told(State::Seen, Announcement::Seen, 101).into(),
        after(961_000),
    )
    .await;
    assert_eq!((moved.charge.sequence, gone.index), (2, 13));
    let former = server.epoch.clone();
    world.close(server).await;
    world
        .ground
        .put_back("00112233445566778899aabbccddeeff", after(DAY))
        .await;
    let server = world.open(after(DAY)).await;
    let store = &server.store;
    assert_ne!(server.epoch, former, "cursors of then mean nothing any more (R31)");
    assert!(store.charge(gone.charge.id).await.unwrap().is_none());
    assert_eq!(store.charge(open).await.unwrap().unwrap().charge.sequence, 0);
    assert_whole(store, paid).await;
    let fresh = sell(store, fresh, "E-2", after(DAY)).await.unwrap();
    assert!(
        fresh.index > gone.index,
        "an address that was shown is not given again (R28)"
    );
    let moved = record(
        store,
        open,
        told(State::Seen, Announcement::Seen, 101).into(),
        after(DAY),
    )
    .await;
    assert!(
        moved.charge.sequence > 2,
        "a number that was told is not told of something else (R17)"
    );
    let log = store.history(open).await.unwrap().unwrap().concat();
    assert!(matches!(log[0].event, Event::Restored { .. }));
    assert_whole(store, open).await;
    let mut people = store.people().await.unwrap();
    assert!(people.account_of("ada@shop.example").await.unwrap().is_some());
    assert!(
        people
            .session([6; 32], Timestamp(0), Timestamp(0))
            .await
            .unwrap()
            .is_none()
    );
    assert!(people.pending_wallet(MERCHANT).await.unwrap().is_none());
    drop(people);
    world.close(server).await;
}
