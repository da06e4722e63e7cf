//! The life of one shop, from an empty database to a restore, with what has to be so after each chapter. It knows nothing of an
//! engine: what an engine has to bring is a [`Ground`].

use std::sync::Arc;

use bitpro_base::links::SealedLinkKey;
use bitpro_base::rng::{CountingRng, charge_id, uuid};
use bitpro_base::seal::{Purpose, Seal, SealKeys};
use bitpro_charge::{
    Amount, Announcement, BlockHash, BlockRef, Cents, ChargeId, Event, Interval, LatePolicy, MerchantId, Network,
    Outpoint, Payment, Place as Where, Quote, Rate, Reason, State, Terms, Tiers, Timestamp, Txid, Verdict, Whereabouts,
};
use bitpro_merchant::keys::{ApiKey, KeyId, KeySecret};
use bitpro_merchant::letters::Letter;
use bitpro_merchant::wallet::{DescriptorId, Receive};
use bitpro_merchant::{Role, Settings};
use bitpro_node::view::Tip;
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::ground::{Ground, Sqlite};
use crate::people::{AccountRow, AuditRow, Invitation, PasskeyRow, PendingWallet, SessionRow, TokenPurpose};
use crate::secret::Secret;
use crate::webhook::{AttemptRow, Next, Webhook};
use crate::{
    Batch, ChargeOrigin, CommitPoint, Draft, Faults, KeptAnswer, Listener, Listing, MerchantDraft, Needle, News, Note,
    Place, Search, Snapshot, Store, StoreError, StoreOptions, StoredTx, Tx, TxPlace, open,
};

/// The account of BIP-49's test vector, m/49'/1'/0'.
const WALLET: &str = "wpkh(tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2/0/*)";
const MERCHANT: MerchantId = MerchantId([0x4d; 16]);
const START: Timestamp = Timestamp(1_800_000_000_000);
const DAY: i64 = 86_400_000;
const EMAIL: &str = "anna@shop.example";

/// So many milliseconds after the start.
const fn after(millis: i64) -> Timestamp {
    Timestamp(START.0 + millis)
}

/// What befalls the next commit.
#[derive(Default)]
struct NextCommit(Mutex<Option<CommitPoint>>);

impl Faults for NextCommit {
    fn at(&self, moment: CommitPoint) -> Result<(), String> {
        let mut next = self.0.lock();
        if *next == Some(moment) {
            *next = None;
            return Err("as a dying machine would".to_owned());
        }
        Ok(())
    }
}

/// Who is told after each commit.
#[derive(Default)]
struct Heard(Mutex<Vec<News>>);

impl Listener for Heard {
    fn committed(&self, news: News) {
        self.0.lock().push(news);
    }
}

/// A server, as far as the store is one.
struct Server {
    store: Store,
    writer: JoinHandle<()>,
    heard: Arc<Heard>,
    epoch: String,
}

struct World<G> {
    ground: G,
    rng: Arc<CountingRng>,
    faults: Arc<NextCommit>,
}

fn seal() -> Seal {
    Seal::new(&SealKeys::first(bitpro_base::seal::Secret([9; 32])))
}

impl<G: Ground> World<G> {
    fn fresh() -> Self {
        Self {
            ground: G::fresh(),
            rng: Arc::default(),
            faults: Arc::default(),
        }
    }

    async fn open(&self, now: Timestamp) -> Server {
        let opened = open(StoreOptions {
            database: self.ground.database(),
            network: Network::Regtest,
            secret: Secret::new([7; 32]),
            seal: seal(),
            rng: Arc::clone(&self.rng) as Arc<_>,
            now,
            issues: true,
            fatal: Arc::new(|error| panic!("{error}")),
            faults: Arc::clone(&self.faults) as Arc<_>,
        })
        .await
        .unwrap();
        let heard = Arc::<Heard>::default();
        heard.committed(opened.news);
        Server {
            store: opened.store,
            writer: tokio::spawn(opened.writer.run(Arc::clone(&heard) as Arc<_>)),
            heard,
            epoch: opened.epoch,
        }
    }

    /// Stops the server as an operator does.
    async fn close(&self, server: Server) {
        server.store.stop();
        server.writer.await.unwrap();
        server.store.close_readers().await;
    }

    /// Lets the server die where it stands, and starts it again.
    async fn crash(&self, server: Server, now: Timestamp) -> Server {
        server.writer.abort();
        assert!(server.writer.await.unwrap_err().is_cancelled());
        drop(server.store);
        self.open(now).await
    }

    /// Lets this befall the next commit.
    fn befall(&self, point: CommitPoint) {
        *self.faults.0.lock() = Some(point);
    }
}

fn tip(height: u32) -> Tip {
    let mut work = [0; 32];
    work[28..].copy_from_slice(&height.to_be_bytes());
    let mut hash = [0xb0; 32];
    hash[..4].copy_from_slice(&height.to_be_bytes());
    Tip {
        block: BlockRef {
            height,
            hash: BlockHash(hash),
        },
        work,
    }
}

/// EUR 50,000 a bitcoin: a cent is 20 satoshis.
fn quote() -> Quote {
    Quote {
        rate: Rate::from_cents_per_btc(5_000_000).unwrap(),
        source: "story".to_owned(),
        at: START,
    }
}

fn draft(id: ChargeId, merchant_row: i64, order: &str, cents: u64, at: Timestamp) -> Draft {
    Draft {
        id,
        merchant: MERCHANT,
        merchant_row,
        terms: Terms {
            price: Cents(cents),
            amount: Amount::from_sat(cents * 20),
            forgiven: Amount::ZERO,
            quote: quote(),
            spread_bps: 0,
            created_at: at,
            expires_at: Timestamp(at.0 + 900_000),
            grace_secs: 60,
            settle_within_secs: 86_400,
            extension_secs: 0,
            tiers: Tiers::default(),
            late_policy: LatePolicy::Ask,
            rate_move_limit_bps: 200,
            dust_limit: Amount::from_sat(294),
        },
        order_id: Some(order.to_owned()),
        origin: ChargeOrigin::Api,
        language: None,
        email_key: Some([5; 8]),
        maker: None,
        personal: [Some(EMAIL.to_owned()), Some(r#"{"size":"M"}"#.to_owned()), None],
    }
}

/// Gives out the next address for a charge of an order.
async fn make(tx: &mut Tx, id: ChargeId, order: &str, cents: u64, at: Timestamp) -> Result<Arc<Snapshot>, StoreError> {
    let descriptor = tx.memory().merchants()[&MERCHANT].descriptor.unwrap();
    let row = tx.memory().merchant_row(MERCHANT).unwrap();
    let address = tx.take_address(descriptor).await?.unwrap();
    Ok(tx.make(draft(id, row, order, cents, at), descriptor, &address))
}

async fn sell(store: &Store, id: ChargeId, order: &'static str, at: Timestamp) -> Result<Arc<Snapshot>, StoreError> {
    store.write(move |tx| Box::pin(make(tx, id, order, 1_000, at))).await
}

/// What is stored of a charge is what its events made of it, and what it is in its list.
async fn assert_whole(store: &Store, id: ChargeId) -> Snapshot {
    let stored = store.charge(id).await.unwrap().unwrap();
    let mut replayed =
        bitpro_charge::Charge::new(id, MERCHANT, stored.charge.address.clone(), stored.charge.terms.clone());
    for recorded in store.history(id).await.unwrap().unwrap().concat() {
        replayed.apply(&recorded.event);
        assert_eq!(replayed.sequence, recorded.sequence);
    }
    assert_eq!(replayed, stored.charge);
    let [audited] = &store.audited(&[stored.num]).await.unwrap().charges[..] else {
        panic!("one row, one charge");
    };
    assert_eq!(audited.columns.state, stored.charge.state.as_str());
    assert_eq!(audited.payments.len(), stored.charge.payments.len());
    assert_eq!(audited.row.as_ref().unwrap().charge, stored.charge);
    stored
}

async fn ids(store: &Store, listing: &Listing<'_>) -> Vec<ChargeId> {
    let listed = store.list(listing).await.unwrap();
    listed.into_iter().map(|listed| listed.unwrap().charge.id).collect()
}

fn all() -> Listing<'static> {
    Listing {
        merchant: Some(MERCHANT),
        limit: 100,
        ..Listing::default()
    }
}

/// A merchant comes with a wallet, five addresses of which were used elsewhere.
async fn a_merchant_comes(server: &Server) -> DescriptorId {
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
async fn charges_are_made<G: Ground>(world: &World<G>, server: &Server) -> [ChargeId; 3] {
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
async fn one_unit_of_a_group_fails<G: Ground>(world: &World<G>, server: &Server) -> [ChargeId; 2] {
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
async fn the_shop_is_connected<G: Ground>(world: &World<G>, server: &Server) -> i64 {
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

fn payment(place: Where) -> Payment {
    Payment {
        outpoint: Outpoint {
            txid: Txid([0x7a; 32]),
            vout: 1,
        },
        value: Amount::from_sat(20_000),
        whereabouts: Whereabouts::Live(place),
        first_seen: Interval::at(after(3_000)),
        replaced: Vec::new(),
        replaced_earlier: false,
        met_in_mempool: true,
        coinbase: false,
        merchant_total: Amount::from_sat(20_000),
        rate: Some(quote()),
        rate_when_found: None,
        judgement: None,
        stalled: false,
    }
}

fn place_of(num: i64, place: Where) -> TxPlace {
    let payment = payment(place);
    TxPlace {
        txid: payment.outpoint.txid,
        inputs: vec![Outpoint {
            txid: Txid([0x11; 32]),
            vout: 0,
        }],
        ancestor_inputs: Vec::new(),
        coinbase: false,
        whereabouts: payment.whereabouts,
        lost_at: None,
        replaced_by: None,
        first_seen: payment.first_seen,
        pays: vec![(payment.outpoint.vout, num)],
    }
}

/// What becomes of a charge, and that the merchant is told.
fn told(state: State, announcement: Announcement, tip: u32) -> [Event; 2] {
    let verdict = Verdict {
        state,
        reason: Some(Reason::Exact),
    };
    [
        Event::StateChanged { verdict, tip },
        Event::Announced { announcement, tip },
    ]
}

async fn record(store: &Store, id: ChargeId, events: Vec<Event>, at: Timestamp) -> Arc<Snapshot> {
    let recorded = store.write(move |tx| {
        Box::pin(async move {
            let before = tx.charge(id).await?.unwrap();
            tx.record(vec![Batch { before, events }], at).await
        })
    });
    recorded.await.unwrap().swap_remove(0)
}

/// A payment is seen in the mempool: the charge, its log, the outbox and the deliveries say so together.
async fn a_payment_is_seen(server: &Server, id: ChargeId, webhook: i64) {
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
async fn a_block_confirms(server: &Server, id: ChargeId) {
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
async fn webhooks_are_delivered(server: &Server, webhook: i64) {
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

fn letter(subject: &str) -> Letter {
    Letter {
        to: EMAIL.to_owned(),
        subject: subject.to_owned(),
        text: "So it is.".to_owned(),
        html: "<p>So it is.</p>".to_owned(),
    }
}

/// Letters wait until they are sent, and are put off when they cannot be.
async fn letters_are_sent(server: &Server) {
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

fn session_of(account: i64) -> SessionRow {
    SessionRow {
        hash: [6; 32],
        id: [7; 16],
        account,
        created_at: START,
        seen_at: after(5),
        confirmed_at: START,
        factor_at: None,
        client: "192.0.2.1".to_owned(),
        agent: "A browser".to_owned(),
    }
}

/// People come, log in, and belong to the shop.
async fn people_come(server: &Server) -> i64 {
    let store = &server.store;
    let account = store
        .write(|tx| {
            Box::pin(async move {
                let mut account = AccountRow::new([1; 16], "ada@shop.example".to_owned(), START);
                account.approved_at = Some(START);
                let row = tx.memory().merchant_row(MERCHANT).unwrap();
                let mut people = tx.people().await?;
                account.num = people.add_account(&account).await?;
                account.password = Some("$argon2id$".to_owned());
                people.put_account(&account).await?;
                people.put_member(row, account.num, Role::Owner, START).await?;
                people.add_session(&session_of(account.num)).await?;
                people
                    .put_token(
                        account.num,
                        TokenPurpose::Email,
                        [8; 32],
                        "ada@new.example",
                        after(DAY),
                        3,
                    )
                    .await?;
                people.put_recovery_codes(account.num, &[[1; 32], [2; 32]]).await?;
                assert!(people.take_recovery_code(account.num, [1; 32]).await?);
                assert!(!people.take_recovery_code(account.num, [1; 32]).await?);
                let passkey = PasskeyRow {
                    id: [4; 16],
                    account: account.num,
                    name: "Phone".to_owned(),
                    credential_id: vec![1, 2, 3],
                    credential: "{}".to_owned(),
                    sign_count: 1,
                    created_at: START,
                    last_used_at: None,
                };
                assert!(people.add_passkey(&passkey).await?);
                assert!(!people.add_passkey(&passkey).await?, "a passkey is one person's");
                assert!(people.note_passkey(account.num, &[1, 2, 3], 1, 2, after(5)).await?);
                assert!(
                    !people.note_passkey(account.num, &[1, 2, 3], 1, 2, after(6)).await?,
                    "a copy"
                );
                let invitation = Invitation {
                    id: [3; 16],
                    merchant: MERCHANT,
                    email: "bob@shop.example".to_owned(),
                    role: Role::Accountant,
                    expires_at: after(DAY),
                };
                people.put_invitation(row, &invitation, [9; 32], account.num).await?;
                let line = people
                    .add_audit(&AuditRow {
                        merchant: Some(row),
                        account: Some(account.num),
                        who: account.email.clone(),
                        action: "team".to_owned(),
                        detail: "bob@shop.example".to_owned(),
                        client: "192.0.2.1".to_owned(),
                        at: after(7),
                        outcome: None,
                    })
                    .await?;
                people.end_audit(line, "bob@shop.example", "done").await?;
                let wallet = PendingWallet {
                    merchant: MERCHANT,
                    receive: WALLET.to_owned(),
                    mac: Vec::new(),
                    asked_by: account.email.clone(),
                    client: "192.0.2.1".to_owned(),
                    asked_at: after(8),
                    due_at: after(DAY),
                };
                tx.let_wallet_wait(row, wallet).await?;
                Ok::<_, StoreError>(account.num)
            })
        })
        .await
        .unwrap();
    assert_people(server, account).await;
    account
}

/// What is so of the people after they came.
async fn assert_people(server: &Server, num: i64) {
    let mut people = server.store.people().await.unwrap();
    let account = people.account_of("ada@shop.example").await.unwrap().unwrap();
    assert_eq!((account.num, account.password.as_deref()), (num, Some("$argon2id$")));
    assert!(account.has_factor() && account.is_open());
    let login = people
        .session([6; 32], Timestamp(0), Timestamp(0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((login.session, login.account), (session_of(num), account.clone()));
    assert!(
        people.session([6; 32], START, Timestamp(0)).await.unwrap().is_none(),
        "it began too early"
    );
    let link = people.token([8; 32], TokenPurpose::Email, after(1)).await.unwrap();
    assert_eq!(link, Some((account, "ada@new.example".to_owned())));
    assert!(
        people
            .token([8; 32], TokenPurpose::Password, after(1))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        people
            .token([8; 32], TokenPurpose::Email, after(DAY))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(people.count_recovery_codes(num).await.unwrap(), 1);
    assert_eq!(people.passkeys(num).await.unwrap()[0].sign_count, 2);
    let team = people.members(MERCHANT).await.unwrap();
    assert_eq!((team.len(), team[0].account, team[0].role), (1, num, Role::Owner));
    assert_eq!(people.memberships(num).await.unwrap()[0].merchant, MERCHANT);
    let invited = people.invitation([9; 32], after(1)).await.unwrap().unwrap();
    assert_eq!(
        (invited.email.as_str(), invited.role),
        ("bob@shop.example", Role::Accountant)
    );
    let log = people.audit_of(MERCHANT, i64::MAX, 10).await.unwrap();
    assert_eq!((log.len(), log[0].outcome.as_deref()), (1, Some("done")));
    let waits = people.pending_wallet(MERCHANT).await.unwrap().unwrap();
    assert_eq!((waits.receive.as_str(), waits.due_at), (WALLET, after(DAY)));
    assert!(people.has_sold(MERCHANT).await.unwrap());
}

/// The machine dies on either side of a commit: what was committed is there, what was not is not, and no address is given out twice.
async fn the_machine_dies<G: Ground>(world: &World<G>, mut server: Server) -> (Server, ChargeId) {
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
async fn charges_are_looked_for(server: &Server, paid: ChargeId) {
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
async fn what_is_old_is_erased(server: &Server, paid: ChargeId) {
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
async fn a_copy_is_put_back<G: Ground>(world: &World<G>, server: Server, paid: ChargeId, open: ChargeId) {
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

async fn the_story<G: Ground>() {
    let world = World::<G>::fresh();
    let mut server = world.open(START).await;
    assert_eq!(server.epoch.len(), 32);
    assert_eq!(
        ids(
            &server.store,
            &Listing {
                limit: 100,
                ..Listing::default()
            }
        )
        .await,
        []
    );
    a_merchant_comes(&server).await;
    let [paid, ..] = charges_are_made(&world, &server).await;
    one_unit_of_a_group_fails(&world, &server).await;
    let webhook = the_shop_is_connected(&world, &server).await;
    a_payment_is_seen(&server, paid, webhook).await;
    a_block_confirms(&server, paid).await;
    webhooks_are_delivered(&server, webhook).await;
    letters_are_sent(&server).await;
    let account = people_come(&server).await;
    let open;
    (server, open) = the_machine_dies(&world, server).await;
    assert_whole(&server.store, paid).await;
    assert_people(&server, account).await;
    charges_are_looked_for(&server, paid).await;
    what_is_old_is_erased(&server, paid).await;
    a_copy_is_put_back(&world, server, paid, open).await;
}

#[tokio::test]
async fn a_shop_lives_on_sqlite() {
    the_story::<Sqlite>().await;
}
