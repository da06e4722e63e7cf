//! What a charge was created with is what this server wrote, or nothing is decided about it (R1).

use bitpro_store::testing::meddle;

use super::earlier::NINE;
use super::*;
use crate::reconcile::{Code, Reconciler, Request};

/// What a charge costs, in cents and in satoshis.
const PRICE: u64 = 4_200;
const SATS: u64 = 84_000;
/// What somebody would rather pay.
const LESS: u64 = 1_000;
const URL: &str = "https://pay.example";

/// Asks for [`LESS`] of everybody.
const LOWERED: &str = r#"UPDATE charges SET terms = replace(terms, '"amount_sat":84000', '"amount_sat":1000')"#;

impl Shop {
    /// Lets another hand do `statement` while the server is not there.
    async fn meddled(mut self, statement: &'static str) -> Self {
        self.charges.close().await;
        meddle(&self.world.database(), statement).await;
        self.charges = self.world.open().await;
        self
    }

    /// The codes of what a comparison finds.
    async fn differences(&self) -> Vec<Code> {
        let node = bitpro_node::testing::nowhere();
        let reconciler = Reconciler::new(self.charges.clone(), node, &self.world.database());
        let report = reconciler.run(Request::default()).await.unwrap();
        report.differences.iter().map(|difference| difference.code).collect()
    }

    /// How many events the merchant can read.
    async fn readable_events(&self) -> usize {
        let told = self.charges.events_after(self.merchant, 0, 2, URL).await.unwrap();
        let rest = match told.last() {
            Some(last) => self
                .charges
                .events_after(self.merchant, last.num, 100, URL)
                .await
                .unwrap()
                .len(),
            None => 0,
        };
        told.len() + rest
    }

    async fn meta(&self, name: &'static str) -> String {
        bitpro_store::testing::meta(&self.world.database(), name).await
    }
}

#[tokio::test]
async fn r01_a_lowered_amount_confirms_nothing_and_stops_no_other_charge() {
    let shop = Shop::new().await;
    let (cheated, honest) = (shop.make(PRICE).await, shop.make(PRICE).await);
    let one = format!("{LOWERED} WHERE num = {}", cheated.num);
    let mut shop = shop.meddled(one.leak()).await;

    assert!(matches!(
        shop.charges.snapshot(cheated.charge.id).await,
        Err(StoreError::Damaged(_))
    ));
    let less = shop.pay(&[(&cheated.charge.address, LESS)]);
    let full = shop.pay(&[(&honest.charge.address, SATS)]);
    shop.see(&[&less, &full]).await;
    shop.mine(&[&less, &full]).await;
    shop.pass(86_400).await;

    assert_eq!(shop.state(honest.charge.id).await.0, State::Confirmed);
    assert_eq!(shop.differences().await, [Code::ChargeChanged]);
    let told = outbox(&shop.world.database()).await;
    assert_eq!(told.len(), 2, "only of the honest one: {told:?}");
    let list = shop.charges.list(Filter::default(), None, 10).await.unwrap();
    assert_eq!(list.unreadable, [cheated.charge.id]);
    assert_eq!(list.charges.len(), 1);
}

#[tokio::test]
async fn r01_a_lowered_amount_turns_a_part_into_nothing_more() {
    let mut shop = Shop::new().await;
    let cheated = shop.make(PRICE).await;
    let part = shop.pay(&[(&cheated.charge.address, LESS)]);
    shop.see(&[&part]).await;
    let mut shop = shop.meddled(LOWERED).await;
    shop.mine(&[&part]).await;
    shop.lose(&part, Loss::Dropped, &[]).await;
    assert!(
        !outbox(&shop.world.database())
            .await
            .iter()
            .any(|(_, what)| what == "charge:confirmed")
    );

    let accepted = shop.charges.accept(cheated.charge.id, vec![], 1).await;
    assert!(
        matches!(accepted, Err(CommandError::Store(StoreError::Damaged(_)))),
        "{accepted:?}"
    );
    assert_eq!(shop.differences().await, [Code::ChargeChanged]);
}

#[tokio::test]
async fn r19_events_of_a_changed_charge_keep_back_no_others() {
    let mut shop = Shop::new().await;
    let mut made = Vec::new();
    for _ in 0..6 {
        let charge = shop.make(PRICE).await;
        let payment = shop.pay(&[(&charge.charge.address, SATS)]);
        shop.see(&[&payment]).await;
        shop.mine(&[&payment]).await;
        made.push(charge);
    }
    assert_eq!(shop.readable_events().await, 12);
    let middle = format!("{LOWERED} WHERE num IN ({}, {})", made[0].num, made[3].num);
    let shop = shop.meddled(middle.leak()).await;
    assert_eq!(shop.readable_events().await, 8);
}

#[tokio::test]
async fn r01_every_fact_that_a_charge_is_created_with_is_compared() {
    for statement in [
        LOWERED,
        r#"UPDATE charges SET terms = replace(terms, '"forgiven_sat":0', '"forgiven_sat":83000')"#,
        r#"UPDATE charges SET terms = replace(terms, '"confirmations":[1,', '"confirmations":[0,')"#,
        r#"UPDATE charges SET terms = replace(terms, '"grace_secs":90', '"grace_secs":900000')"#,
        "UPDATE charges SET origin = 'signed_link'",
        "UPDATE charges SET order_id = 'another'",
        "UPDATE charges SET order_id = NULL",
        "UPDATE charges SET mac = NULL",
        "UPDATE charges SET mac = zeroblob(16)",
        "UPDATE charges SET mac = CAST(mac || x'00' AS BLOB)",
    ] {
        let shop = Shop::new().await;
        shop.charges.for_link(shop.link("order", PRICE)).await.unwrap();
        let shop = shop.meddled(statement).await;
        assert_eq!(shop.differences().await, [Code::ChargeChanged], "{statement}");
    }
    let shop = Shop::new().await;
    shop.charges.for_link(shop.link("order", PRICE)).await.unwrap();
    let shop = shop
        .meddled("UPDATE charges SET language = 'fr', email_key = NULL")
        .await;
    assert!(
        shop.differences().await.is_empty(),
        "what decides nothing is not proved"
    );
}

#[tokio::test]
async fn r01_a_log_does_not_pass_from_one_charge_to_another() {
    let mut shop = Shop::new().await;
    let (paid, unpaid) = (shop.make(PRICE).await, shop.make(PRICE).await);
    let payment = shop.pay(&[(&paid.charge.address, SATS)]);
    shop.see(&[&payment]).await;
    let swap = format!(
        "UPDATE charges SET num = CASE num WHEN {0} THEN -1 ELSE {0} END WHERE num IN ({0}, {1}); \
         UPDATE charges SET num = {1} WHERE num = -1",
        paid.num, unpaid.num
    );
    let shop = shop.meddled(swap.leak()).await;
    let changed = shop
        .differences()
        .await
        .iter()
        .filter(|code| **code == Code::ChargeChanged)
        .count();
    assert_eq!(changed, 2);
}

#[tokio::test]
async fn r01_charges_of_an_earlier_version_are_proved_once() {
    let world = World::left_by(NINE);
    let epoch = bitpro_store::testing::meta(&world.database(), "epoch").await;
    let charges = world.open().await;
    let shop = Shop::found_in(world, charges);
    assert!(shop.differences().await.is_empty());
    assert_eq!(
        shop.meta("epoch").await,
        epoch,
        "that is an upgrade, and no earlier time"
    );
    // From now on a row without a proof is somebody else's.
    let one = "UPDATE charges SET mac = NULL WHERE order_id = 'timedout'";
    assert_eq!(shop.meddled(one).await.differences().await, [Code::ChargeChanged]);
}

#[tokio::test]
async fn r31_proofs_that_were_there_and_are_gone_make_it_a_database_of_an_earlier_time() {
    let shop = Shop::new().await;
    shop.make(PRICE).await;
    let epoch = shop.meta("epoch").await;
    let shop = shop.meddled("DELETE FROM meta WHERE name = 'charges_proved'").await;
    assert_ne!(
        shop.meta("epoch").await,
        epoch,
        "sessions and cursors of before are ended"
    );
    let shop = shop.restart().await;
    let again = shop.meta("epoch").await;
    assert_eq!(shop.restart().await.meta("epoch").await, again, "once");
}
