//! A payment is seen and confirmed, and the merchant and the shopper are told.

use std::sync::Arc;

use bitpro_base::seal::Purpose;
use bitpro_charge::{Announcement, ChargeId, Event, Place as Where, State, Whereabouts};

use super::world::{EMAIL, MERCHANT, Server, after, assert_whole, letter, payment, place_of, record, seal, tip, told};
use crate::StoredTx;
use crate::webhook::{AttemptRow, Next};

/// A payment is seen in the mempool: the charge, its log, the outbox and the deliveries say so together.
pub(super) async fn a_payment_is_seen(server: &Server, id: ChargeId, webhook: i64) {
    let store = &server.store;
    let num = store.charge(id).await.unwrap().unwrap().num;
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.insert_txs(vec![StoredTx {
                    place: place_of(num, Where::Mempool),
                    raw: vec![2, 0, 0, 0],
                }])
                .await
            })
        })
        .await
        .unwrap();
    let mut events = vec![Event::PaymentFound(payment(Where::Mempool))];
    events.extend(told(State::Seen, Announcement::Seen, 100));
    record(store, id, events, after(3_000)).await;
    let stored = assert_whole(store, id).await;
    assert_eq!((stored.charge.state, stored.charge.sequence), (State::Seen, 3));
    let [followed] = &store.followed_txs().await.unwrap()[..] else {
        panic!("one transaction is followed");
    };
    assert_eq!(followed.raw, [2, 0, 0, 0]);
    assert_eq!(followed.place.whereabouts, Whereabouts::Live(Where::Mempool));
    let [seen] = &store.told_after(MERCHANT, 0, 10).await.unwrap()[..] else {
        panic!("one thing was told");
    };
    assert_eq!(
        (seen.charge, seen.sequence, seen.announcement),
        (num, 3, Announcement::Seen)
    );
    assert_eq!(store.told(&[seen.num]).await.unwrap(), std::slice::from_ref(seen));
    let [due] = &store.pending_deliveries(0, 10).await.unwrap()[..] else {
        panic!("one webhook is to be told");
    };
    assert_eq!(
        (due.webhook, due.outbox, due.event, due.attempts),
        (webhook, seen.num, seen.id, 0)
    );
    assert_eq!(
        store.sent_beside(&[seen.num]).await.unwrap()[&seen.num].personal[0].as_deref(),
        Some(EMAIL)
    );
    let counts = store.state_counts().await.unwrap();
    assert!(
        counts.contains(&(State::Seen, 1)) && counts.contains(&(State::Pending, 4)),
        "{counts:?}"
    );
}

/// A block takes it in: the charge is confirmed, and its buyer has a receipt.
pub(super) async fn a_block_confirms(server: &Server, id: ChargeId) {
    let store = &server.store;
    let num = store.charge(id).await.unwrap().unwrap().num;
    let mined = Where::Block(tip(101).block);
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.move_chain(100, &[tip(101).block], tip(101), after(600_000)).await?;
                tx.move_txs(vec![Arc::new(place_of(num, mined))]).await
            })
        })
        .await
        .unwrap();
    let outpoint = payment(mined).outpoint;
    let mut events = vec![Event::PaymentMoved { outpoint, place: mined }];
    events.extend(told(State::Confirmed, Announcement::Confirmed, 101));
    record(store, id, events, after(600_000)).await;
    let stored = assert_whole(store, id).await;
    assert_eq!(stored.charge.state, State::Confirmed);
    assert_eq!(stored.charge.payment(outpoint).unwrap().block(), Some(tip(101).block));
    let events: Vec<(u64, Announcement)> = (store.told_after(MERCHANT, 0, 10).await.unwrap().iter())
        .map(|told| (told.sequence, told.announcement))
        .collect();
    assert_eq!(events, [(3, Announcement::Seen), (6, Announcement::Confirmed)]);
    let last = store.events_before(id, 6, 2).await.unwrap().unwrap();
    assert_eq!(
        last.iter().map(|recorded| recorded.sequence).collect::<Vec<_>>(),
        [4, 5]
    );
    let receipts = store.mails_due(after(600_000), 10).await.unwrap();
    assert_eq!(receipts.len(), 1, "the buyer gets a receipt, and one");
    assert_eq!(
        store.paying_tx(outpoint.txid).await.unwrap().unwrap().place.whereabouts,
        Whereabouts::Live(mined)
    );
    let at = store
        .stored_at(&[stored.script_pubkey.to_vec()], &[outpoint.txid], &[101])
        .await
        .unwrap();
    assert_eq!(at.blocks[&101], tip(101).block.hash);
    assert_eq!((at.scripts.len(), at.charges.len()), (1, 1));
}

/// The merchant's server answers at the second attempt, and asks for everything again.
pub(super) async fn webhooks_are_delivered(server: &Server, webhook: i64) {
    let store = &server.store;
    let due = store.pending_deliveries(0, 10).await.unwrap();
    assert_eq!(due.len(), 2);
    let attempt = |attempt: u32, status: u16, next: Next| AttemptRow {
        delivery: due[0].num,
        attempt,
        at: after(601_000 + i64::from(attempt)),
        took_ms: 12,
        status: Some(status),
        failure: None,
        excerpt: None,
        next,
    };
    let retry = attempt(1, 503, Next::Retry(after(700_000)));
    let arrived = attempt(2, 200, Next::Delivered);
    for attempts in [vec![retry], vec![arrived]] {
        store
            .write(move |tx| Box::pin(async move { tx.record_attempts(&attempts, &[]).await }))
            .await
            .unwrap();
    }
    assert_eq!(store.count_pending(webhook).await.unwrap(), 0);
    let [delivery] = &store.deliveries(webhook, i64::MAX, 10).await.unwrap()[..] else {
        panic!("one delivery");
    };
    assert_eq!(delivery.state, "delivered");
    let statuses: Vec<Option<u16>> = delivery.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(503), Some(200)]);
    let of_charge = store.deliveries_of_charge(due[0].charge, 10).await.unwrap();
    assert_eq!(of_charge.len(), 2);
    assert_eq!(of_charge[1].delivery.attempts.len(), 2);
    let event = due[0].event;
    let again = store.write(move |tx| {
        Box::pin(async move {
            let webhook = tx.webhook_in(webhook).unwrap();
            tx.redeliver(&webhook, Some(event), after(800_000)).await
        })
    });
    assert_eq!(again.await.unwrap(), 1);
    assert_eq!(store.count_pending(webhook).await.unwrap(), 1);
}

/// Letters wait until they are sent, and are put off when they cannot be.
pub(super) async fn letters_are_sent(server: &Server) {
    let store = &server.store;
    let letter = letter("Your wallet changes tomorrow");
    let posted = letter.clone();
    store
        .write(move |tx| Box::pin(async move { tx.post(&posted).await }))
        .await
        .unwrap();
    let waiting = store.mails_due(after(600_000), 10).await.unwrap();
    assert_eq!(waiting.len(), 2);
    let opened = seal().open(Purpose::Mail, &waiting[1].id, &waiting[1].sealed).unwrap();
    assert_eq!(crate::documents::letter_from(&opened).unwrap().subject, letter.subject);
    let (receipt, other) = (waiting[0].num, waiting[1].num);
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.forget_mail(receipt).await?;
                tx.put_off_mail(other, 1, after(600_000), after(700_000)).await
            })
        })
        .await
        .unwrap();
    assert_eq!(store.mails_due(after(600_000), 10).await.unwrap().len(), 0);
    assert_eq!(store.mails_waiting().await.unwrap(), (1, Some(after(700_000))));
    let [late] = &store.mails_due(after(700_000), 10).await.unwrap()[..] else {
        panic!("one letter waits");
    };
    assert_eq!((late.attempts, late.first_at), (1, Some(after(600_000))));
}
