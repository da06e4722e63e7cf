//! What merchants are shown: objects of charges, and events with the charge as it stood.

use serde_json::Value;

use super::*;

const URL: &str = "https://pay.example";

impl Shop {
    async fn objects(&self, ids: &[ChargeId]) -> Vec<Value> {
        let mut snapshots = Vec::new();
        for &id in ids {
            snapshots.push(self.now(id).await);
        }
        let snapshots: Vec<&Snapshot> = snapshots.iter().map(|snapshot| &**snapshot).collect();
        let objects = self.charges.charge_objects(&snapshots, URL).await.unwrap();
        objects.iter().map(|object| serde_json::json!(object)).collect()
    }

    async fn events(&self, after: i64) -> Vec<Value> {
        let told = self.charges.events_after(self.merchant, after, 100, URL).await.unwrap();
        told.iter().map(|told| serde_json::json!(told.event)).collect()
    }

    async fn ordered(&self, order_id: &str, cents: u64) -> Arc<Snapshot> {
        let new = NewCharge {
            order_id: Some(order_id.to_owned()),
            buyer_email: Some("anna@shop.example".to_owned()),
            metadata: Some("{\"cart\":7}".to_owned()),
            ..self.new_charge(cents)
        };
        let id = self.charges.create(new).await.unwrap();
        self.now(id).await
    }
}

#[tokio::test]
async fn r35_an_event_shows_the_charge_as_it_stood_and_not_as_it_stands() {
    let mut shop = Shop::new().await;
    let charge = shop.ordered("A1", 4_200).await;
    let tx = shop.pay(&[(&charge.charge.address, 84_000)]);
    shop.see(&[&tx]).await;
    shop.mine(&[&tx]).await;
    shop.mine(&[]).await;

    let events = shop.events(0).await;
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["charge:seen", "charge:confirmed"]);
    let [seen, confirmed] = [&events[0]["data"], &events[1]["data"]];
    assert_eq!(seen["state"], "seen");
    assert_eq!(seen["payments"][0]["state"], "seen");
    assert_eq!(seen["confirmations"], 0);
    assert_eq!(confirmed["payments"][0]["state"], "confirmed");
    assert_eq!(confirmed["payments"][0]["confirmations"], 1);
    assert!(seen["sequence"].as_u64() < confirmed["sequence"].as_u64());
    assert_eq!(confirmed["metadata"]["cart"], 7);

    let now = &shop.objects(&[charge.charge.id]).await[0];
    assert_eq!(now["payments"][0]["confirmations"], 2);
    assert_eq!(now["buyer_email"], "anna@shop.example");
    assert!(shop.events(2).await.is_empty(), "nothing comes after the last");
}

#[tokio::test]
async fn money_first_met_deep_is_told_as_seen_and_then_as_confirmed() {
    let mut shop = Shop::new().await;
    let charge = shop.make(4_200).await;
    let tx = shop.pay(&[(&charge.charge.address, 84_000)]);
    shop.mine(&[&tx]).await;
    let events = shop.events(0).await;
    let states: Vec<&Value> = events.iter().map(|event| &event["data"]["state"]).collect();
    assert_eq!(states, ["seen", "confirmed"]);
}

#[tokio::test]
async fn r21_an_order_with_two_prices_or_two_payments_is_in_conflict() {
    let mut shop = Shop::new().await;
    let alone = shop.ordered("alone", 4_200).await.charge.id;
    let cheap = shop.ordered("prices", 100).await.charge.id;
    let dear = shop.ordered("prices", 4_200).await.charge.id;
    let twice = [shop.ordered("twice", 4_200).await, shop.ordered("twice", 4_200).await];
    let nameless = shop.make(100).await.charge.id;
    let conflicts = async |shop: &Shop, ids: &[ChargeId]| -> Vec<bool> {
        let objects = shop.objects(ids).await;
        objects.iter().map(|object| object["order_conflict"] == true).collect()
    };
    let all = [alone, cheap, dear, twice[0].charge.id, twice[1].charge.id, nameless];
    assert_eq!(conflicts(&shop, &all).await, [false, true, true, false, false, false]);

    let first = shop.pay(&[(&twice[0].charge.address, 84_000)]);
    shop.see(&[&first]).await;
    assert_eq!(conflicts(&shop, &all[3..5]).await, [false, false], "one may be paid");
    let second = shop.pay(&[(&twice[1].charge.address, 84_000)]);
    shop.see(&[&first, &second]).await;
    assert_eq!(conflicts(&shop, &all[3..5]).await, [true, true]);

    // Each event says what was known when it was told: a retry does not change its mind.
    let told: Vec<bool> = shop
        .events(0)
        .await
        .iter()
        .map(|event| event["data"]["order_conflict"] == true)
        .collect();
    assert_eq!(told, [false, true]);
}

#[tokio::test]
async fn an_object_that_is_kept_ready_is_never_behind_a_commit() {
    let mut shop = Shop::new().await;
    let charge = shop.ordered("A1", 125_000).await;
    let id = charge.charge.id;
    let read = async |shop: &Shop| -> Value {
        let snapshot = shop.now(id).await;
        let first = shop.charges.charge_json(&snapshot, URL).await.unwrap();
        let again = shop.charges.charge_json(&snapshot, URL).await.unwrap();
        assert_eq!(first, again);
        let object: Value = serde_json::from_slice(&first).unwrap();
        assert_eq!(object, shop.objects(&[id]).await[0]);
        object
    };
    assert_eq!(read(&shop).await["order_conflict"], false);
    shop.ordered("A1", 100).await;
    assert_eq!(read(&shop).await["order_conflict"], true, "another charge of the order");
    let tx = shop.pay(&[(&charge.charge.address, 2_500_000)]);
    shop.see(&[&tx]).await;
    assert_eq!(read(&shop).await["state"], "seen");
    shop.mine(&[&tx]).await;
    assert_eq!(read(&shop).await["confirmations"], 1);
    shop.mine(&[]).await;
    assert_eq!(read(&shop).await["confirmations"], 2, "a block alone");
    shop.charges.erase_personal(id).await.unwrap();
    assert_eq!(read(&shop).await["buyer_email"], Value::Null);
}

#[tokio::test]
async fn r31_what_was_erased_is_in_no_event_any_more() {
    let mut shop = Shop::new().await;
    let charge = shop.ordered("A1", 4_200).await;
    let tx = shop.pay(&[(&charge.charge.address, 84_000)]);
    shop.see(&[&tx]).await;
    shop.charges.erase_personal(charge.charge.id).await.unwrap();
    let event = &shop.events(0).await[0];
    assert_eq!(event["data"]["buyer_email"], Value::Null);
    assert_eq!(event["data"]["metadata"], Value::Null);
    assert_eq!(event["data"]["external_order_id"], "A1");
}
