//! How a database of the present version is made, to be kept: a later version must open it, and lose nothing.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use bitpro_charge::Announcement;
use bitpro_config::Signup;
use bitpro_merchant::keys::Scopes;
use bitpro_merchant::wallet::Receive;
use bitpro_store::webhook::{AttemptRow, Next};

use super::super::*;
use super::{MADE_IN, PRICE, SATS};
use crate::accounts::{Accounts, Email};
use crate::webhooks::Webhooks;

/// Names the folder that the files go to.
const FOLDER: &str = "BITPRO_FIXTURE_DIR";

/// Before a migration is written, this makes what it will meet: `BITPRO_FIXTURE_DIR=... cargo test -p bitpro-service --lib
/// makes_a_database -- --ignored`. The files then stand in `fixtures/` under the number of the last migration, and are not
/// made again: they are the work of the program that had that shape.
#[tokio::test]
#[ignore = "it makes files that are kept; the test that opens them is beside it"]
async fn makes_a_database_of_the_present_version() {
    let folder = std::env::var_os(FOLDER).expect("BITPRO_FIXTURE_DIR names a folder");
    let world = make().await;
    keep(&world.database(), Path::new(&folder).join("bitpro.db.br").as_path());
    keep(&world.mark(), Path::new(&folder).join("bitpro.db.issued.br").as_path());
    let charges = world.open().await;
    let page = charges.list(Filter::default(), None, 100).await.unwrap();
    let lines = page.charges.iter().map(|listed| {
        let (order_id, charge) = (listed.order_id.as_deref(), &listed.charge);
        format!(
            "{} {:?} {:?}\n",
            order_id.unwrap_or_default(),
            charge.state,
            charge.reason
        )
    });
    std::fs::write(Path::new(&folder).join("charges.txt"), lines.collect::<String>()).unwrap();
    charges.close().await;
}

fn keep(file: &Path, kept: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let mut packed = brotli::CompressorWriter::new(std::fs::File::create(kept).unwrap(), 4_096, 11, 22);
    packed.write_all(&bytes).unwrap();
    packed.flush().unwrap();
}

/// A shop's life: charges in every state and for every reason, and everything else that a merchant may have.
async fn make() -> World {
    let mut shop = Shop::with(&[("confirmations", "2 2 2")]).await;
    let webhooks = add_webhooks(&shop).await;
    charges_of_one_window(&mut shop).await;
    later_charges(&mut shop).await;
    deliver(&shop, &webhooks).await;
    keys_and_people(&shop).await;
    assert_eq!(shop.world.clock.now(), START.plus_secs(MADE_IN));
    shop.charges.close().await;
    shop.world
}

impl Shop {
    async fn named(&self, order_id: &str) -> Arc<Snapshot> {
        let new = NewCharge {
            order_id: Some(order_id.to_owned()),
            buyer_email: Some("anna@shop.example".to_owned()),
            metadata: Some("{\"cart\":7}".to_owned()),
            ..self.new_charge(PRICE)
        };
        let id = self.charges.create(new).await.unwrap();
        self.now(id).await
    }

    async fn set(&self, name: &str, value: &str) {
        let changes = MerchantChanges {
            settings: SettingsPatch::read(&[(name, value)]).unwrap(),
            ..MerchantChanges::default()
        };
        self.charges.change_merchant(self.merchant, changes).await.unwrap();
    }

    fn pays(&mut self, made: &Snapshot, sats: u64) -> Transaction {
        self.pay(&[(&made.charge.address, sats)])
    }

    async fn accept(&self, id: ChargeId) {
        let snapshot = self.now(id).await;
        let live = snapshot.charge.payments.iter().filter(|payment| payment.is_live());
        let outpoints = live.map(|payment| payment.outpoint).collect();
        self.charges
            .accept(id, outpoints, snapshot.charge.sequence)
            .await
            .unwrap();
    }
}

/// The charges that were made at the beginning; their windows have long passed at the end.
async fn charges_of_one_window(shop: &mut Shop) {
    let exact = shop.named("confirmed-exact").await;
    let overpaid = shop.named("confirmed-overpaid").await;
    let twice = shop.named("confirmed-two-payments").await;
    shop.set("confirmations", "1 1 1").await;
    let reverted = shop.named("confirmed-after-reorg").await;
    shop.set("confirmations", "2 2 2").await;
    let bumped = shop.named("confirmed-bumped").await;
    let back = shop.named("confirmed-after-loss").await;
    let by_hand = shop.named("confirmed-manual").await;
    let underpaid = shop.named("failed-underpaid").await;
    let late = shop.named("failed-late").await;
    let replaced = shop.named("failed-replaced").await;
    let dropped = shop.named("failed-dropped").await;
    let reorged = shop.named("failed-reorged").await;
    let cancelled = shop.named("failed-cancelled").await;
    let stuck_late = shop.named("failed-stuck-late").await;
    let stuck = shop.named("seen-stuck").await;
    let waits_by_hand = shop.named("seen-manual").await;
    let coinbase = shop.named("seen-coinbase").await;
    let dust = shop.named("timedout-dust").await;
    shop.named("timedout").await;
    shop.set("late_policy", "accept").await;
    let taken_late = shop.named("confirmed-late-taken").await;
    let provisional = shop.named("seen-late-provisional").await;
    let fallen = shop.named("failed-late-rate").await;
    shop.set("late_policy", "ask").await;

    shop.charges.cancel(cancelled.charge.id, 0).await.unwrap();

    // In time.
    shop.pass(30).await;
    let to_exact = shop.pays(&exact, SATS);
    let to_overpaid = shop.pays(&overpaid, 25_000);
    let first_half = shop.pays(&twice, 12_000);
    let to_reverted = shop.pays(&reverted, SATS);
    let to_bumped = shop.pays(&bumped, SATS);
    let to_back = shop.pays(&back, SATS);
    let part = shop.pays(&underpaid, 5_000);
    let to_replaced = shop.pays(&replaced, SATS);
    let to_dropped = shop.pays(&dropped, SATS);
    let to_stuck_late = shop.pays(&stuck_late, SATS);
    let to_stuck = shop.pays(&stuck, SATS);
    let both_by_hand = shop.pay(&[(&by_hand.charge.address, 7_000), (&waits_by_hand.charge.address, 6_000)]);
    let speck = shop.pays(&dust, 100);
    shop.see(&[
        &to_exact,
        &to_overpaid,
        &first_half,
        &to_reverted,
        &to_bumped,
        &to_back,
        &part,
        &to_replaced,
        &to_dropped,
        &to_stuck_late,
        &to_stuck,
        &both_by_hand,
        &speck,
    ])
    .await;
    shop.pass(30).await;
    let second_half = shop.pays(&twice, 8_000);
    shop.see(&[&second_half]).await;
    let mined = spend(OutPoint::null(), &[(&coinbase.charge.address, SATS)]);
    shop.mine(&[&to_exact, &to_overpaid, &first_half, &part, &mined]).await;
    shop.mine(&[&second_half]).await;
    shop.mine(&[]).await;

    // A block that does not stay: its coinbase is lost, its other payment waits again.
    let lost_coinbase = spend(OutPoint::null(), &[(&reorged.charge.address, SATS)]);
    shop.mine(&[&to_reverted, &lost_coinbase]).await;
    shop.reorg(&[&to_reverted], &[&lost_coinbase]).await;
    shop.mine(&[&to_reverted]).await;

    // Replaced, dropped, and one of them mined after all.
    let heir = spend(
        to_bumped.input[0].previous_output,
        &[(&bumped.charge.address, SATS), (&dust.charge.address, 90)],
    );
    shop.pass(60).await;
    shop.lose(&to_bumped, Loss::Replaced, &[&heir]).await;
    shop.lose(&to_back, Loss::Replaced, &[]).await;
    shop.lose(&to_replaced, Loss::Replaced, &[]).await;
    shop.lose(&to_dropped, Loss::Dropped, &[]).await;

    // The windows end, the extended one too.
    shop.pass(3_000).await;
    shop.mine(&[&heir, &to_back]).await;
    shop.mine(&[&both_by_hand]).await;
    shop.accept(by_hand.charge.id).await;
    shop.mine(&[]).await;

    // Late.
    let to_late = shop.pays(&late, SATS);
    let to_taken = shop.pays(&taken_late, SATS);
    let to_provisional = shop.pays(&provisional, SATS);
    shop.see(&[&to_late, &to_taken, &to_provisional]).await;
    *shop.world.rates.0.write() = Some(RATE / 2);
    let to_fallen = shop.pays(&fallen, SATS);
    shop.see(&[&to_fallen]).await;
    *shop.world.rates.0.write() = None;
    let without_rate = shop.pays(&late, 500);
    shop.see(&[&without_rate]).await;
    *shop.world.rates.0.write() = Some(RATE);
    shop.mine(&[&to_late, &to_taken]).await;
    shop.mine(&[]).await;

    // The settlement time ends: what is not deep is stuck; one is mined then, and is late.
    shop.pass(172_800).await;
    shop.mine(&[&to_stuck_late]).await;
    shop.mine(&[]).await;
    let third = shop.pays(&waits_by_hand, 3_000);
    shop.see(&[&third]).await;
    shop.accept(waits_by_hand.charge.id).await;
}

/// The charges that are young at the end.
async fn later_charges(shop: &mut Shop) {
    shop.named("pending").await;
    let asked = shop.charges.for_link(shop.link("pending-link", PRICE)).await;
    assert!(matches!(asked, Ok(LinkOutcome::Made(_))));
    let seen = shop.named("seen").await;
    let partial = shop.named("seen-underpaid").await;
    let shallow = shop.named("seen-one-deep").await;
    let back_to_pending = shop.named("pending-reverted").await;
    let reverted_often = shop.named("seen-reversals").await;
    shop.pass(10).await;
    let [to_seen, to_partial, to_shallow] = [
        shop.pays(&seen, SATS),
        shop.pays(&partial, 9_000),
        shop.pays(&shallow, SATS),
    ];
    let to_pending = shop.pays(&back_to_pending, SATS);
    shop.see(&[&to_seen, &to_partial, &to_shallow, &to_pending]).await;
    shop.lose(&to_pending, Loss::Replaced, &[]).await;
    for _ in 0..4 {
        let tx = shop.pays(&reverted_often, SATS);
        shop.see(&[&tx]).await;
        shop.lose(&tx, Loss::Replaced, &[]).await;
    }
    let last = shop.pays(&reverted_often, SATS);
    shop.see(&[&last]).await;
    shop.mine(&[&to_shallow]).await;
}

async fn add_webhooks(shop: &Shop) -> Webhooks {
    let webhooks = Webhooks::of(shop.charges.clone());
    for announcement in Announcement::ALL {
        let added = webhooks
            .add(shop.merchant, announcement.as_str(), "https://203.0.114.7/hook")
            .await;
        added.unwrap();
    }
    for announcement in ["charge:seen", "charge:confirmed"] {
        let added = webhooks
            .add(shop.merchant, announcement, "https://203.0.114.8/old")
            .await;
        added.unwrap();
    }
    webhooks
}

/// Deliveries that arrived, that were given up, and that wait; a webhook removed, one paused, one with two secrets.
async fn deliver(shop: &Shop, webhooks: &Webhooks) {
    let now = shop.charges.now();
    let due = shop.charges.store().pending_deliveries(0, 1_000).await.unwrap();
    let attempts: Vec<AttemptRow> = due
        .iter()
        .take(due.len() * 2 / 3)
        .map(|due| {
            let (status, next) = match due.num % 5 {
                0 => (None, Next::GivenUp),
                1 => (Some(500), Next::Retry(now.plus_secs(60))),
                _ => (Some(200), Next::Delivered),
            };
            AttemptRow {
                delivery: due.num,
                attempt: 1,
                at: now,
                took_ms: 42,
                status,
                failure: status.is_none().then(|| "timeout".to_owned()),
                excerpt: status.map(|_| "ok".to_owned()),
                next,
            }
        })
        .collect();
    let overtaken = [(due[0].num, due[1].event)];
    let paused = due[2].webhook;
    shop.charges
        .store()
        .write(move |tx| {
            Box::pin(async move {
                tx.record_attempts(&attempts, &overtaken).await?;
                let mut webhook = bitpro_store::webhook::Webhook::clone(&tx.webhook_in(paused).unwrap());
                webhook.paused_at = Some(now);
                tx.put_webhook(webhook).await
            })
        })
        .await
        .unwrap();
    let listed = webhooks.list(None).await.unwrap();
    let of = |n: usize| crate::webhooks::WebhookId(shop.charges.webhook_map()[&shop.merchant][n].id);
    assert_eq!(listed.len(), 8);
    webhooks.remove(None, of(7)).await.unwrap();
    webhooks.rotate(None, of(0), 3_600).await.unwrap();
}

async fn keys_and_people(shop: &Shop) {
    let charges = &shop.charges;
    let scopes: Scopes = "charges:read charges:write".parse().unwrap();
    let first = charges
        .add_key(shop.merchant, "Shop", scopes, CommitHook::none())
        .await
        .unwrap();
    let second = charges
        .add_key(shop.merchant, "Old", scopes, CommitHook::none())
        .await
        .unwrap();
    charges
        .rotate_key(first.key.id, 3_600, CommitHook::none())
        .await
        .unwrap();
    charges.revoke_key(second.key.id, CommitHook::none()).await.unwrap();
    let authority = Authority {
        key: first.key.num,
        nonce: [5; 16],
        idempotency: Some(("A1".to_owned(), [6; 32])),
    };
    let answer = bitpro_store::KeptAnswer {
        status: 201,
        body: "{}".into(),
    };
    charges
        .carry_out(authority, move |_| Box::pin(async move { Ok(answer) }))
        .await
        .unwrap();
    charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    charges
        .rotate_link_key(shop.merchant, 3_600, CommitHook::none())
        .await
        .unwrap();

    let pending = shop.found("pending").await;
    let note = ManualChange::Note("Call before it is sent.".to_owned());
    charges
        .change_manually(shop.merchant, pending.charge.id, note)
        .await
        .unwrap();
    let erased = shop.found("confirmed-exact").await;
    charges.erase_personal(erased.charge.id).await.unwrap();

    let accounts = Accounts::new(charges.clone(), Signup::Approval, "https://pay.example", None);
    let ada = Email::read("ada@shop.example").unwrap();
    accounts.adopt(shop.merchant, &ada).await.unwrap();
    let tr = WalletText {
        text: TPUB.to_owned(),
        script_type: Some("tr".to_owned()),
    };
    let receive = Receive::parse(&tr, Network::Regtest).unwrap();
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    accounts
        .give_wallet("ada@shop.example", shop.merchant, receive, client)
        .await
        .unwrap();
}
