//! Databases of earlier versions: what a merchant has been told, and what their money is, survives an upgrade.

mod make;

use std::collections::HashSet;
use std::io::Read as _;

use bitpro_charge::{Announcement, Reason};
use bitpro_config::Signup;

use super::*;
use crate::accounts::Accounts;
use crate::reconcile::{Reconciler, Request};
use crate::webhooks::Webhooks;

/// What each charge of a kept database costs.
const PRICE: u64 = 1_000;
/// The same in satoshis.
const SATS: u64 = 20_000;
/// How long the shop in it lived, in seconds.
const MADE_IN: u32 = 30 + 30 + 60 + 3_000 + 172_800 + 10;

/// The last version with nine migrations, b7376f6, left this behind; `make` says how it was made.
pub(super) const NINE: [&[u8]; 2] = [
    include_bytes!("fixtures/0009.db.br"),
    include_bytes!("fixtures/0009.db.issued.br"),
];
/// What the merchant in it was told.
const TOLD: usize = 69;
/// How many deliveries of it still wait, those of paused webhooks aside.
const WAITING: usize = 34;

/// The charges in it by their order ids.
#[rustfmt::skip]
pub(super) const CHARGES: &[(&str, State, Option<Reason>)] = &[
    ("confirmed-after-loss", State::Confirmed, Some(Reason::Exact)),
    ("confirmed-after-reorg", State::Confirmed, Some(Reason::Exact)),
    ("confirmed-bumped", State::Confirmed, Some(Reason::Exact)),
    ("confirmed-exact", State::Confirmed, Some(Reason::Exact)),
    ("confirmed-late-taken", State::Confirmed, Some(Reason::Exact)),
    ("confirmed-manual", State::Confirmed, Some(Reason::Manual)),
    ("confirmed-overpaid", State::Confirmed, Some(Reason::Overpaid)),
    ("confirmed-two-payments", State::Confirmed, Some(Reason::Exact)),
    ("failed-cancelled", State::Failed, Some(Reason::Cancelled)),
    ("failed-dropped", State::Failed, Some(Reason::Dropped)),
    ("failed-late", State::Failed, Some(Reason::Late)),
    ("failed-late-rate", State::Failed, Some(Reason::Late)),
    ("failed-reorged", State::Failed, Some(Reason::Reorged)),
    ("failed-replaced", State::Failed, Some(Reason::Replaced)),
    ("failed-stuck-late", State::Failed, Some(Reason::Late)),
    ("failed-underpaid", State::Failed, Some(Reason::Underpaid)),
    ("pending", State::Pending, None),
    ("pending-link", State::Pending, None),
    ("pending-reverted", State::Pending, None),
    ("seen", State::Seen, None),
    ("seen-coinbase", State::Seen, Some(Reason::Stuck)),
    ("seen-late-provisional", State::Seen, Some(Reason::Stuck)),
    ("seen-manual", State::Seen, Some(Reason::Manual)),
    ("seen-one-deep", State::Seen, None),
    ("seen-reversals", State::Seen, None),
    ("seen-stuck", State::Seen, Some(Reason::Stuck)),
    ("seen-underpaid", State::Seen, Some(Reason::Underpaid)),
    ("timedout", State::TimedOut, None),
    ("timedout-dust", State::TimedOut, None),
];

impl World {
    /// A folder with what an earlier version left behind, at the time when it was left.
    pub(super) fn left_by(files: [&[u8]; 2]) -> Self {
        let world = Self::new();
        for (packed, path) in files.into_iter().zip([world.database(), world.mark()]) {
            let mut bytes = Vec::new();
            brotli::Decompressor::new(packed, 4_096)
                .read_to_end(&mut bytes)
                .unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        world.clock.set(START.plus_secs(MADE_IN));
        // Ids that were made before must not come again.
        for _ in 0..100_000 {
            world.rng.bytes();
        }
        world
    }
}

impl Shop {
    /// The shop that stands in an opened database.
    pub(super) fn found_in(world: World, charges: Charges) -> Self {
        let tip = charges.stored_tip().unwrap();
        let work = tip.work[24..].try_into().unwrap();
        Self {
            merchant: charges.merchants()[0].id,
            height: tip.block.height,
            work: u64::from_be_bytes(work),
            nonce: 1_000_000,
            world,
            charges,
        }
    }

    /// The one charge of an order.
    pub(super) async fn found(&self, order_id: &str) -> Arc<Snapshot> {
        let filter = Filter {
            order_id: Some(order_id.to_owned()),
            ..Filter::default()
        };
        let page = self.charges.list(filter, None, 2).await.unwrap();
        assert_eq!(page.charges.len(), 1, "{order_id}");
        Arc::new(page.charges.into_iter().next().unwrap())
    }
}

#[tokio::test]
async fn in_a_database_of_nine_migrations_a_comparison_finds_nothing() {
    let world = World::left_by(NINE);
    let charges = world.open().await;
    let reconciler = Reconciler::new(charges.clone(), bitpro_node::testing::nowhere(), &world.database());
    let report = reconciler.run(Request::default()).await.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!(report.charges, u64::try_from(CHARGES.len()).unwrap());
}

#[tokio::test]
async fn a_database_of_nine_migrations_opens_with_every_charge_as_it_was() {
    let world = World::left_by(NINE);
    let charges = world.open().await;
    let shop = Shop::found_in(world, charges);
    for (order_id, state, reason) in CHARGES {
        let found = shop.found(order_id).await;
        let stored = (found.charge.state, found.charge.reason);
        assert_eq!(stored, (*state, *reason), "{order_id}");
        shop.assert_replay_equals_live(found.charge.id).await;
        let snapshot = shop.now(found.charge.id).await;
        let shown = shop.charges.charge_json(&snapshot, "https://pay.example");
        assert!(!shown.await.unwrap().is_empty(), "{order_id}");
    }
    let all = shop.charges.list(Filter::default(), None, 100).await.unwrap();
    assert_eq!(all.charges.len(), CHARGES.len(), "no charge is without its line above");
    for (state, count) in shop.charges.count_by_state().await.unwrap() {
        let listed = CHARGES.iter().filter(|(_, listed, _)| *listed == state).count();
        assert_eq!(count, u64::try_from(listed).unwrap(), "{state}");
    }
    // What was told is told the same, with the charge as it stood.
    let told = shop
        .charges
        .events_after(shop.merchant, 0, 100, "https://pay.example")
        .await
        .unwrap();
    assert_eq!(told.len(), TOLD);
    // What is kept in memory is what is read again.
    let shop = shop.restart().await;
    for (order_id, state, reason) in CHARGES {
        let found = shop.found(order_id).await;
        assert_eq!(
            (found.charge.state, found.charge.reason),
            (*state, *reason),
            "{order_id}"
        );
    }
    shop.charges.close().await;
}

#[tokio::test]
async fn r12_what_can_still_move_in_a_database_of_nine_migrations_is_loaded() {
    let world = World::left_by(NINE);
    let charges = world.open().await;
    let shop = Shop::found_in(world, charges);
    for (order_id, ..) in CHARGES {
        let found = shop.found(order_id).await;
        let num = found.num;
        let is_loaded = shop
            .charges
            .inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let is_open = found.is_open(tx.memory().tip_height());
                    Ok::<_, StoreError>(tx.memory().charge(num).is_some() == is_open)
                })
            })
            .await;
        assert!(
            is_loaded.unwrap(),
            "{order_id} is open and not loaded, or the other way round"
        );
    }
}

#[tokio::test]
async fn a_database_of_nine_migrations_keeps_what_else_a_merchant_has() {
    let world = World::left_by(NINE);
    let charges = world.open().await;
    let shop = Shop::found_in(world, charges);
    let charges = &shop.charges;
    let keys = charges.keys(Some(shop.merchant));
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0].live_secrets(charges.now()).count(), 2, "one is being rotated");
    assert!(keys[1].revoked_at.is_some());
    assert_eq!(charges.stored_nonces().await.unwrap().len(), 1);
    assert_eq!(charges.link_keys(shop.merchant).unwrap().len(), 2);
    let covered = bitpro_base::links::Covered::default();
    let end = bitpro_base::links::Expiry::from_secs(9_000_000_000).unwrap();
    assert!(charges.sign_link(shop.merchant, &covered, end).is_ok(), "the key opens");
    let webhooks = Webhooks::of(charges.clone());
    let listed = webhooks.list(Some(shop.merchant)).await.unwrap();
    assert_eq!(listed.len(), 7, "eight, and one was removed");
    let waiting = charges.store().pending_deliveries(0, 1_000).await.unwrap();
    assert_eq!(waiting.len(), WAITING);
    for webhook in &charges.webhook_map()[&shop.merchant] {
        let deliveries = charges.store().deliveries(webhook.num, i64::MAX, 100).await.unwrap();
        assert!(!deliveries.is_empty() || webhook.announcement == Announcement::TimedOut);
    }
    let note = charges.store().note(shop.found("pending").await.num).await.unwrap();
    assert_eq!(note.unwrap().text, "Call before it is sent.");
    let erased = charges
        .personal(shop.found("confirmed-exact").await.charge.id)
        .await
        .unwrap();
    assert_eq!(erased.unwrap().buyer_email, None);
    let accounts = Accounts::new(charges.clone(), Signup::Approval, "https://pay.example", None);
    assert_eq!(accounts.list().await.unwrap()[0].email, "ada@shop.example");
    assert!(accounts.pending_wallet(shop.merchant).await.unwrap().is_some());
    // Nothing vouches for how long it has waited (R27): it has to be asked for again, and the owners are told so.
    accounts.take_due_wallets().await.unwrap();
    assert!(accounts.pending_wallet(shop.merchant).await.unwrap().is_none());
    assert_eq!(accounts.forged_wallets(), 0, "a former version is no other hand");
    let log = accounts.changes(shop.merchant, None, 1).await.unwrap();
    assert_eq!(log[0].action, "settings/wallet/withdrawn");
    shop.charges.close().await;
}

#[tokio::test]
async fn a_shop_of_nine_migrations_goes_on_where_it_was() {
    let world = World::left_by(NINE);
    let charges = world.open().await;
    let mut shop = Shop::found_in(world, charges);
    let addresses: HashSet<String> = {
        let all = shop.charges.list(Filter::default(), None, 100).await.unwrap();
        all.charges.iter().map(|listed| listed.charge.address.clone()).collect()
    };
    let fresh = shop.make(PRICE).await;
    assert!(
        !addresses.contains(&fresh.charge.address),
        "no address is given out twice"
    );
    let tx = shop.pay(&[(&fresh.charge.address, SATS)]);
    shop.mine(&[&tx]).await;
    shop.mine(&[]).await;
    assert_eq!(
        shop.state(fresh.charge.id).await,
        (State::Confirmed, Some(Reason::Exact))
    );
    // What was one block deep is deep now, and what nobody paid has run out.
    let known = shop.found("seen-one-deep").await;
    assert_eq!(
        (known.charge.state, known.charge.reason),
        (State::Confirmed, Some(Reason::Exact))
    );
    shop.pass(3_000).await;
    assert_eq!(shop.found("pending").await.charge.state, State::TimedOut);
    let partial = shop.found("seen-underpaid").await;
    assert_eq!(
        (partial.charge.state, partial.charge.reason),
        (State::Failed, Some(Reason::Underpaid))
    );
    let shop = shop.restart().await;
    for (order_id, ..) in CHARGES {
        shop.assert_replay_equals_live(shop.found(order_id).await.charge.id)
            .await;
    }
    shop.charges.close().await;
}
