//! What the chapters share: a server that can die, what it makes charges of, and what has to be so after each of them.

use std::sync::Arc;

use bitpro_base::rng::CountingRng;
use bitpro_base::seal::{Seal, SealKeys};
use bitpro_charge::{
    Amount, Announcement, BlockHash, BlockRef, Cents, ChargeId, Event, Interval, LatePolicy, MerchantId, Network,
    Outpoint, Payment, Place as Where, Quote, Rate, Reason, State, Terms, Tiers, Timestamp, Txid, Verdict, Whereabouts,
};
use bitpro_merchant::letters::Letter;
use bitpro_node::view::Tip;
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::secret::Secret;
use crate::tests::ground::Ground;
use crate::{
    Batch, ChargeOrigin, CommitPoint, Draft, Faults, Listener, Listing, News, Snapshot, Store, StoreError,
    StoreOptions, Tx, TxPlace, open,
};

/// The account of BIP-49's test vector, m/49'/1'/0'.
pub(super) const WALLET: &str = "wpkh(tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2/0/*)";
pub(super) const MERCHANT: MerchantId = MerchantId([0x4d; 16]);
pub(super) const START: Timestamp = Timestamp(1_800_000_000_000);
pub(super) const DAY: i64 = 86_400_000;
pub(super) const EMAIL: &str = "anna@shop.example";

/// So many milliseconds after the start.
pub(super) const fn after(millis: i64) -> Timestamp {
    Timestamp(START.0 + millis)
}

/// What befalls the next commit.
#[derive(Default)]
pub(super) struct NextCommit(Mutex<Option<CommitPoint>>);

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
pub(super) struct Heard(pub(super) Mutex<Vec<News>>);

impl Listener for Heard {
    fn committed(&self, news: News) {
        self.0.lock().push(news);
    }
}

/// A server, as far as the store is one.
pub(super) struct Server {
    pub(super) store: Store,
    pub(super) writer: JoinHandle<()>,
    pub(super) heard: Arc<Heard>,
    pub(super) epoch: String,
}

pub(super) struct World<G> {
    pub(super) ground: G,
    pub(super) rng: Arc<CountingRng>,
    pub(super) faults: Arc<NextCommit>,
}

pub(super) fn seal() -> Seal {
    Seal::new(&SealKeys::first(bitpro_base::seal::Secret([9; 32])))
}

impl<G: Ground> World<G> {
    pub(super) fn fresh() -> Self {
        Self {
            ground: G::fresh(),
            rng: Arc::default(),
            faults: Arc::default(),
        }
    }

    pub(super) async fn open(&self, now: Timestamp) -> Server {
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
    pub(super) async fn close(&self, server: Server) {
        server.store.stop();
        server.writer.await.unwrap();
        server.store.close_readers().await;
    }

    /// Lets the server die where it stands, and starts it again.
    pub(super) async fn crash(&self, server: Server, now: Timestamp) -> Server {
        server.writer.abort();
        assert!(server.writer.await.unwrap_err().is_cancelled());
        drop(server.store);
        self.open(now).await
    }

    /// Lets this befall the next commit.
    pub(super) fn befall(&self, point: CommitPoint) {
        *self.faults.0.lock() = Some(point);
    }
}

pub(super) fn tip(height: u32) -> Tip {
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
pub(super) fn quote() -> Quote {
    Quote {
        rate: Rate::from_cents_per_btc(5_000_000).unwrap(),
        source: "story".to_owned(),
        at: START,
    }
}

pub(super) fn draft(id: ChargeId, merchant_row: i64, order: &str, cents: u64, at: Timestamp) -> Draft {
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
pub(super) async fn make(
    tx: &mut Tx,
    id: ChargeId,
    order: &str,
    cents: u64,
    at: Timestamp,
) -> Result<Arc<Snapshot>, StoreError> {
    let descriptor = tx.memory().merchants()[&MERCHANT].descriptor.unwrap();
    let row = tx.memory().merchant_row(MERCHANT).unwrap();
    let address = tx.take_address(descriptor).await?.unwrap();
    Ok(tx.make(draft(id, row, order, cents, at), descriptor, &address))
}

pub(super) async fn sell(
    store: &Store,
    id: ChargeId,
    order: &'static str,
    at: Timestamp,
) -> Result<Arc<Snapshot>, StoreError> {
    store.write(move |tx| Box::pin(make(tx, id, order, 1_000, at))).await
}

/// What is stored of a charge is what its events made of it, and what it is in its list.
pub(super) async fn assert_whole(store: &Store, id: ChargeId) -> Snapshot {
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

pub(super) async fn ids(store: &Store, listing: &Listing<'_>) -> Vec<ChargeId> {
    let listed = store.list(listing).await.unwrap();
    listed.into_iter().map(|listed| listed.unwrap().charge.id).collect()
}

pub(super) fn all() -> Listing<'static> {
    Listing {
        merchant: Some(MERCHANT),
        limit: 100,
        ..Listing::default()
    }
}

pub(super) fn payment(place: Where) -> Payment {
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

pub(super) fn place_of(num: i64, place: Where) -> TxPlace {
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
pub(super) fn told(state: State, announcement: Announcement, tip: u32) -> [Event; 2] {
    let verdict = Verdict {
        state,
        reason: Some(Reason::Exact),
    };
    [
        Event::StateChanged { verdict, tip },
        Event::Announced { announcement, tip },
    ]
}

pub(super) async fn record(store: &Store, id: ChargeId, events: Vec<Event>, at: Timestamp) -> Arc<Snapshot> {
    let recorded = store.write(move |tx| {
        Box::pin(async move {
            let before = tx.charge(id).await?.unwrap();
            tx.record(vec![Batch { before, events }], at).await
        })
    });
    recorded.await.unwrap().swap_remove(0)
}

pub(super) fn letter(subject: &str) -> Letter {
    Letter {
        to: EMAIL.to_owned(),
        subject: subject.to_owned(),
        text: "So it is.".to_owned(),
        html: "<p>So it is.</p>".to_owned(),
    }
}
