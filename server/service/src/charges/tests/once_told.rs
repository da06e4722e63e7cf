//! What one URL is told across a reorg: never the same yes twice without the no between (R17).

use std::collections::HashSet;

use bitpro_store::webhook::{AttemptRow, Next, Webhook};

use super::*;
use crate::webhooks::{WebhookId, Webhooks};

const URL: &str = "https://203.0.114.7/hook";
const OTHER: &str = "https://203.0.114.8/hook";
const OLD_EVENTS: [&str; 4] = ["charge:seen", "charge:timedout", "charge:confirmed", "charge:failed"];

impl Shop {
    /// The last block gives way to two empty ones; these transactions wait again, and these are lost with it.
    pub(super) async fn reorg(&mut self, waiting: &[&Transaction], lost: &[&Transaction]) {
        let fork_height = self.height - 1;
        let first = self.block(self.height);
        self.height += 1;
        self.work += 1;
        let mut view = self.quiet();
        view.tip = self.tip();
        view.fork_height = fork_height;
        view.connected = vec![first.into(), view.tip.block.into()];
        view.transactions = waiting
            .iter()
            .filter_map(|tx| self.paying(tx, Place::Mempool))
            .collect();
        view.gone = lost
            .iter()
            .map(|tx| LostTx {
                txid: txid(tx),
                loss: Loss::Reorged,
                replaced_by: None,
            })
            .collect();
        self.charges.observe(view).await.unwrap();
    }

    async fn listen(&self, url: &str, states: &[&str]) -> Vec<WebhookId> {
        let webhooks = Webhooks::of(self.charges.clone());
        let mut ids = Vec::new();
        for state in states {
            webhooks.add(self.merchant, state, url).await.unwrap();
            ids.push(WebhookId(self.charges.webhook_map()[&self.merchant].last().unwrap().id));
        }
        ids
    }

    /// What a URL is told, in its order. No sender runs, so everything still waits.
    async fn told_to(&self, url: &str) -> Vec<&'static str> {
        let map = self.charges.webhook_map();
        let due = self.charges.store().pending_deliveries(0, 1_000).await.unwrap();
        let mut events = HashSet::new();
        let mut told = Vec::new();
        for due in due {
            let webhook = map[&self.merchant].iter().find(|known| known.num == due.webhook);
            let webhook = webhook.unwrap();
            if &*webhook.url == url {
                assert!(events.insert(due.event), "an event goes to a URL once");
                told.push(webhook.announcement.as_str());
            }
        }
        told
    }

    /// A delivery is answered so.
    async fn answer(&self, delivery: i64, status: u16, next: Next) {
        let attempt = AttemptRow {
            delivery,
            attempt: 1,
            at: self.charges.now(),
            took_ms: 1,
            status: Some(status),
            failure: None,
            excerpt: None,
            next,
        };
        let stored =
            (self.charges.store()).write(move |tx| Box::pin(async move { tx.record_attempts(&[attempt], &[]).await }));
        stored.await.unwrap();
    }

    /// The receiver of a webhook is gone: it says so to this delivery, or has said so before.
    async fn pause(&self, webhook: WebhookId, delivery: Option<i64>) {
        let now = self.charges.now();
        if let Some(delivery) = delivery {
            self.answer(delivery, 410, Next::Retry(now.plus_secs(30))).await;
        }
        let paused = self.charges.store().write(move |tx| {
            Box::pin(async move {
                let mut webhook = Webhook::clone(&tx.webhook(webhook.0).unwrap());
                webhook.paused_at = Some(now);
                tx.put_webhook(webhook).await
            })
        });
        paused.await.unwrap();
    }

    async fn kept_for_the_api(&self) -> Vec<String> {
        let told = self.charges.events_after(self.merchant, 0, 100, URL).await.unwrap();
        let objects = told.iter().map(|told| serde_json::json!(told.event));
        objects
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A charge that is confirmed, and confirmed again after a block that did not stay.
    async fn confirmed_twice(mut self) -> (Self, ChargeId, Transaction) {
        let made = self.make(1_000).await;
        let tx = self.pay(&[(&made.charge.address, 20_000)]);
        self.see(&[&tx]).await;
        self.mine(&[&tx]).await;
        self.reorg(&[&tx], &[]).await;
        let mut shop = self.restart().await;
        assert_eq!(shop.state(made.charge.id).await.0, State::Seen);
        shop.mine(&[&tx]).await;
        assert_eq!(shop.state(made.charge.id).await.0, State::Confirmed);
        (shop, made.charge.id, tx)
    }
}

#[tokio::test]
async fn r17_a_url_of_the_four_old_events_is_told_once_of_a_charge_that_a_reorg_confirms_twice() {
    let shop = Shop::new().await;
    shop.listen(URL, &OLD_EVENTS).await;
    shop.listen(OTHER, &["charge:confirmed"]).await;
    let (shop, id, _) = shop.confirmed_twice().await;
    assert_eq!(shop.told_to(URL).await, ["charge:seen", "charge:confirmed"]);
    assert_eq!(shop.told_to(OTHER).await, ["charge:confirmed"]);
    // Whoever asks the API misses nothing.
    assert_eq!(
        shop.kept_for_the_api().await,
        ["charge:seen", "charge:confirmed", "charge:reverted", "charge:confirmed"]
    );
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn r17_a_url_that_was_told_of_the_loss_is_told_of_the_second_yes() {
    let shop = Shop::new().await;
    shop.listen(URL, &OLD_EVENTS).await;
    // Another webhook, and the same URL: it is the URL that knows.
    shop.listen(URL, &["charge:reverted"]).await;
    shop.listen(OTHER, &["charge:confirmed", "charge:reverted"]).await;
    let (shop, ..) = shop.confirmed_twice().await;
    assert_eq!(
        shop.told_to(URL).await,
        ["charge:seen", "charge:confirmed", "charge:reverted", "charge:confirmed"]
    );
    assert_eq!(
        shop.told_to(OTHER).await,
        ["charge:confirmed", "charge:reverted", "charge:confirmed"]
    );
}

#[tokio::test]
async fn r17_a_failure_that_was_told_makes_the_money_that_comes_back_news() {
    let mut shop = Shop::new().await;
    shop.listen(URL, &OLD_EVENTS).await;
    shop.listen(OTHER, &["charge:seen", "charge:confirmed"]).await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.lose(&tx, Loss::Replaced, &[]).await;
    // A second payment in time: nobody here was told that the first is gone.
    let second = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&second]).await;
    assert_eq!(shop.told_to(URL).await, ["charge:seen"]);
    shop.lose(&second, Loss::Replaced, &[]).await;
    shop.pass(3_000).await;
    assert_eq!(shop.state(made.charge.id).await.0, State::Failed);
    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(made.charge.id).await.0, State::Confirmed);
    assert_eq!(
        shop.told_to(URL).await,
        ["charge:seen", "charge:failed", "charge:seen", "charge:confirmed"]
    );
    // Who is told of no loss is told of each yes once.
    assert_eq!(shop.told_to(OTHER).await, ["charge:seen", "charge:confirmed"]);
}

#[tokio::test]
async fn r17_a_webhook_that_was_added_anew_is_told_what_its_url_was_not() {
    let mut shop = Shop::new().await;
    let [seen, confirmed] = shop.listen(URL, &["charge:seen", "charge:confirmed"]).await[..] else {
        panic!("two webhooks");
    };
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.mine(&[&tx]).await;
    // One of the two has reached the shop before both are taken away; the other was cancelled before it was sent.
    let due = shop.charges.store().pending_deliveries(0, 10).await.unwrap();
    shop.answer(due[0].num, 200, Next::Delivered).await;
    let webhooks = Webhooks::of(shop.charges.clone());
    webhooks.remove(None, seen).await.unwrap();
    webhooks.remove(None, confirmed).await.unwrap();
    shop.listen(URL, &["charge:seen", "charge:confirmed"]).await;
    shop.listen(OTHER, &["charge:seen", "charge:confirmed"]).await;
    shop.reorg(&[], &[&tx]).await;
    assert_eq!(shop.state(made.charge.id).await.0, State::Pending);
    shop.mine(&[&tx]).await;
    assert_eq!(shop.told_to(URL).await, ["charge:confirmed"]);
    assert_eq!(shop.told_to(OTHER).await, ["charge:seen", "charge:confirmed"]);
}

#[tokio::test]
async fn r17_r20_a_loss_that_waits_at_a_paused_webhook_is_told_and_the_yes_after_it_is_not_withheld() {
    for is_answered_410 in [true, false] {
        let mut shop = Shop::new().await;
        let failed = shop.listen(URL, &OLD_EVENTS).await[3];
        if !is_answered_410 {
            // Some other event had that answer.
            shop.pause(failed, None).await;
        }
        let made = shop.make(1_000).await;
        let tx = shop.pay(&[(&made.charge.address, 20_000)]);
        shop.see(&[&tx]).await;
        shop.lose(&tx, Loss::Replaced, &[]).await;
        shop.pass(3_000).await;
        assert_eq!(shop.state(made.charge.id).await.0, State::Failed);
        if is_answered_410 {
            let due = shop.charges.store().pending_deliveries(0, 10).await.unwrap();
            shop.pause(failed, Some(due[1].num)).await;
        }
        shop.mine(&[&tx]).await;
        // Nothing goes to the webhook that is paused; its URL is told by the others how it went on.
        assert_eq!(
            shop.told_to(URL).await,
            ["charge:seen", "charge:seen", "charge:confirmed"]
        );
        // When it goes on, the loss is told, and what was heard since stands in it: it is not the last word.
        for due in shop.charges.store().pending_deliveries(0, 10).await.unwrap() {
            shop.answer(due.num, 200, Next::Delivered).await;
        }
        let webhooks = Webhooks::of(shop.charges.clone());
        assert_eq!(webhooks.redeliver(None, failed, None).await.unwrap(), 1);
        let due = shop.charges.store().pending_deliveries(0, 10).await.unwrap();
        assert_eq!(shop.told_to(URL).await, ["charge:failed"]);
        assert!(due[0].superseded_by.is_some());
    }
}

#[tokio::test]
async fn r17_a_reorg_of_many_charges_tells_each_url_once() {
    let mut shop = Shop::new().await;
    shop.listen(URL, &OLD_EVENTS).await;
    let mut txs = Vec::new();
    for _ in 0..40 {
        let made = shop.make(1_000).await;
        txs.push(shop.pay(&[(&made.charge.address, 20_000)]));
    }
    let all: Vec<&Transaction> = txs.iter().collect();
    shop.mine(&all).await;
    shop.reorg(&all, &[]).await;
    shop.mine(&all).await;
    let told = shop.told_to(URL).await;
    for state in ["charge:seen", "charge:confirmed"] {
        assert_eq!(told.iter().filter(|told| **told == state).count(), 40, "{state}");
    }
}

#[tokio::test]
async fn a_merchant_has_fifty_webhooks_at_most_and_those_that_were_told_nothing_leave_nothing() {
    let shop = Shop::new().await;
    let webhooks = Webhooks::of(shop.charges.clone());
    let url = |n: usize| format!("https://{n}.shop.example/hook");
    for n in 0..crate::webhooks::MAX_WEBHOOKS {
        shop.listen(&url(n), &["charge:seen"]).await;
    }
    let more = webhooks.add(shop.merchant, "charge:seen", &url(99)).await;
    assert!(matches!(more, Err(crate::webhooks::WebhookError::TooMany)), "{more:?}");
    let all = shop.charges.webhook_map()[&shop.merchant].clone();
    for webhook in all.iter() {
        webhooks.remove(None, WebhookId(webhook.id)).await.unwrap();
    }
    assert_eq!(shop.charges.store().count_webhook_rows().await.unwrap(), 0);
}
