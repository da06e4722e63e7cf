//! The shop opens: a wallet, the first charges, a unit that fails, keys and webhooks.

use std::sync::Arc;

use bitpro_base::links::SealedLinkKey;
use bitpro_base::rng::{charge_id, uuid};
use bitpro_base::seal::Purpose;
use bitpro_charge::{Announcement, ChargeId, Network, State};
use bitpro_merchant::Settings;
use bitpro_merchant::keys::{ApiKey, KeyId, KeySecret};
use bitpro_merchant::wallet::{DescriptorId, Receive};

use super::world::{
    DAY, EMAIL, MERCHANT, START, Server, WALLET, World, after, all, assert_whole, ids, letter, make, seal, sell, tip,
};
use crate::tests::ground::Ground;
use crate::webhook::Webhook;
use crate::{KeptAnswer, MerchantDraft, Note, Snapshot, StoreError};

/// A merchant comes with a wallet, five addresses of which were used elsewhere.
pub(super) async fn a_merchant_comes(server: &Server) -> DescriptorId {
    let store = &server.store;
    let descriptor = store
        .write(|tx| {
            Box::pin(async move {
                let receive = Receive::from_descriptor(WALLET, Network::Regtest).unwrap();
                let settings = Settings::named("Shop").unwrap();
                tx.put_merchant(MerchantDraft {
                    id: MERCHANT,
                    settings: settings.with(&[("email_receipts", "yes")]).unwrap(),
                    logo: None,
                    receive: Some(Arc::new(receive)),
                    created_at: START,
                })
                .await?;
                let descriptor = tx.memory().merchants()[&MERCHANT].descriptor.unwrap();
                tx.watch_ahead(descriptor, Some(4)).await?;
                tx.finish_scan(descriptor);
                let first = tip(100);
                tx.move_chain(99, &[first.block], first, START).await?;
                Ok::<_, StoreError>(descriptor)
            })
        })
        .await
        .unwrap();
    let (descriptors, wallets) = store.wallets().await.unwrap();
    assert_eq!(descriptors.len(), 1);
    assert_eq!((descriptors[0].id, descriptors[0].next_index), (descriptor, 5));
    assert_eq!((wallets[0].merchant, wallets[0].descriptor), (MERCHANT, descriptor));
    let ahead = store
        .scripts_after(bitpro_node::view::ScriptId(0), 1_000)
        .await
        .unwrap();
    assert!(ahead.len() >= 100, "addresses are watched before they are given out");
    assert!(ahead.iter().all(|script| script.is_ahead && script.charge.is_none()));
    assert_eq!(store.block_at(100).await.unwrap(), Some(tip(100).block.hash));
    assert_eq!(store.block_at(101).await.unwrap(), None);
    descriptor
}

/// Charges are made, each at an address of its own.
pub(super) async fn charges_are_made<G: Ground>(world: &World<G>, server: &Server) -> [ChargeId; 3] {
    let store = &server.store;
    let made = [(); 3].map(|()| charge_id(&*world.rng));
    for (id, order) in made.into_iter().zip(["A-1", "A-2", "B-1"]) {
        let snapshot = sell(store, id, order, after(1_000)).await.unwrap();
        assert_eq!(assert_whole(store, id).await.charge, snapshot.charge);
    }
    let mut newest_first = made;
    newest_first.reverse();
    assert_eq!(ids(store, &all()).await, newest_first);
    let snapshots: Vec<Snapshot> = {
        let mut read = Vec::new();
        for id in made {
            read.push(store.charge(id).await.unwrap().unwrap());
        }
        read
    };
    assert_eq!(
        snapshots.iter().map(|snapshot| snapshot.index).collect::<Vec<_>>(),
        [5, 6, 7]
    );
    assert_eq!(
        store.personal(snapshots[0].num).await.unwrap()[0].as_deref(),
        Some(EMAIL)
    );
    assert_eq!(store.wallets().await.unwrap().0[0].next_index, 8);
    let counts = store.state_counts().await.unwrap();
    assert!(counts.contains(&(State::Pending, 3)), "{counts:?}");
    assert_eq!(store.wrong_counts().await.unwrap(), []);

    let (first, num) = (snapshots[0].clone(), snapshots[0].num);
    let note = Note {
        text: "Gift wrapped".to_owned(),
        written_at: after(1_500),
    };
    let written = note.clone();
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.put_note(&first, Some(&written)).await?;
                tx.put_success_url(&first, "https://shop.example/thanks").await
            })
        })
        .await
        .unwrap();
    assert_eq!(store.note(num).await.unwrap(), Some(note));
    assert_eq!(
        store.success_url(num).await.unwrap().as_deref(),
        Some("https://shop.example/thanks")
    );
    assert!(!store.beside(&[num]).await.unwrap()[&num].order_conflict);
    made
}

/// Several units go in one commit, and one of them fails: it leaves nothing, and the others stand.
pub(super) async fn one_unit_of_a_group_fails<G: Ground>(world: &World<G>, server: &Server) -> [ChargeId; 2] {
    let store = &server.store;
    let [before, failed, behind] = [(); 3].map(|()| charge_id(&*world.rng));
    let failing = store.write(move |tx| {
        Box::pin(async move {
            make(tx, failed, "C-2", 1_000, after(2_000)).await?;
            tx.post(&letter("Your charge is made")).await?;
            Err::<(), _>(StoreError::Unavailable("the unit thinks better of it".to_owned()))
        })
    });
    let (first, second, third) = tokio::join!(
        sell(store, before, "C-1", after(2_000)),
        failing,
        sell(store, behind, "C-3", after(2_000))
    );
    let (first, third) = (first.unwrap(), third.unwrap());
    assert!(matches!(second, Err(StoreError::Unavailable(_))));
    assert!(store.charge(failed).await.unwrap().is_none());
    assert_eq!(
        store.mails_waiting().await.unwrap(),
        (0, None),
        "nor is its letter there"
    );
    assert_eq!(
        [first.index, third.index],
        [8, 9],
        "what the failed unit took is given to the next"
    );
    for id in [before, behind] {
        assert_whole(store, id).await;
    }
    assert_eq!(store.wrong_counts().await.unwrap(), []);
    [before, behind]
}

/// The merchant's server gets a key, the links are signed, and what happens is to be told.
pub(super) async fn the_shop_is_connected<G: Ground>(world: &World<G>, server: &Server) -> i64 {
    let store = &server.store;
    let [key, secret, link, hook] = [(); 4].map(|()| uuid(&*world.rng));
    let (rng, seal) = (Arc::clone(&world.rng), seal());
    let answer = KeptAnswer {
        status: 201,
        body: bytes::Bytes::from_static(b"{}"),
    };
    let kept = answer.clone();
    store
        .write(move |tx| {
            Box::pin(async move {
                let num = tx.next_key();
                tx.put_key(ApiKey {
                    num,
                    id: KeyId(key),
                    merchant: MERCHANT,
                    name: "Server".to_owned(),
                    scopes: "charges:read charges:write".parse().unwrap(),
                    created_at: START,
                    revoked_at: None,
                    secrets: vec![KeySecret {
                        id: secret,
                        bytes: Arc::from(&b"of the merchant's server"[..]),
                        created_at: START,
                        expires_at: None,
                    }],
                    last_used: Arc::default(),
                })
                .await?;
                assert!(tx.take_nonce(num, [1; 16], after(DAY)).await?);
                assert!(!tx.take_nonce(num, [1; 16], after(DAY)).await?, "once only (R43)");
                assert!(tx.kept_answer(num, "order-1", START).await?.is_none());
                tx.keep_answer(num, "order-1", [3; 32], &kept, after(10)).await?;
                assert_eq!(tx.kept_answer(num, "order-1", START).await?, Some(([3; 32], kept)));
                assert!(
                    tx.kept_answer(num, "order-1", after(10)).await?.is_none(),
                    "it is too old"
                );
                tx.put_link_keys(
                    MERCHANT,
                    vec![SealedLinkKey {
                        id: link,
                        sealed: seal.seal(&*rng, Purpose::LinkKey, &link, &[2; 32]),
                        created_at: START,
                        ends_at: None,
                    }],
                )
                .await?;
                for (id, announcement) in [(hook, Announcement::Seen), (uuid(&*rng), Announcement::Confirmed)] {
                    tx.put_webhook(Webhook {
                        num: 0,
                        id,
                        merchant: MERCHANT,
                        announcement,
                        url: "https://shop.example/hook".into(),
                        secret: seal.seal(&*rng, Purpose::Webhook, &id, b"of the webhook"),
                        former: None,
                        paused_at: None,
                        created_at: START,
                    })
                    .await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
    assert_eq!(store.nonces().await.unwrap(), [(1, [1; 16], after(DAY))]);
    assert_eq!(store.count_webhook_rows().await.unwrap(), 2);
    let heard = server.heard.0.lock();
    let webhooks = heard.iter().rev().find_map(|news| news.webhooks.as_ref()).unwrap();
    let told: Vec<Announcement> = webhooks[&MERCHANT].iter().map(|webhook| webhook.announcement).collect();
    assert_eq!(told, [Announcement::Seen, Announcement::Confirmed]);
    webhooks[&MERCHANT][0].num
}
