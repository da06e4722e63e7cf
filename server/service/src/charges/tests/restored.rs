//! Databases that went back to an older state: what was told after it is not told of something else (R17).

use bitpro_store::adopt;
use bitpro_store::testing::outbox;

use super::*;
use crate::reconcile::{Reconciler, Request};

/// What a charge costs, in cents and in satoshis.
const PRICE: u64 = 4_200;
const SATS: u64 = 84_000;

impl Shop {
    /// A copy of the database as it stands.
    async fn back_up(mut self) -> (Self, PathBuf) {
        self.charges.close().await;
        let backup = self.world.folder.path().join("backup.db");
        std::fs::copy(self.world.database(), &backup).unwrap();
        self.charges = self.world.open().await;
        (self, backup)
    }

    /// Puts a copy back by another hand.
    async fn put_back(mut self, backup: &std::path::Path) -> Self {
        self.charges.close().await;
        std::fs::copy(backup, self.world.database()).unwrap();
        self.charges = self.world.open().await;
        self.height = self.charges.stored_tip().unwrap().block.height;
        self
    }

    /// Puts a copy back as `bitpro restore` does.
    async fn restore(self, backup: &std::path::Path) -> Self {
        let adopted = self.world.folder.path().join("adopted.db");
        std::fs::copy(backup, &adopted).unwrap();
        adopt(&adopted, "00", self.world.clock.now()).await.unwrap();
        self.put_back(&adopted).await
    }

    /// The number of the last event that the merchant was told.
    async fn last_told(&self) -> i64 {
        let events = self.charges.events_after(self.merchant, 0, 100, "https://pay.example");
        events.await.unwrap().last().map_or(0, |event| event.num)
    }

    /// The numbers of everything that is in the log of a charge.
    async fn numbers(&self, id: ChargeId) -> Vec<u64> {
        let log = self.charges.history(id).await.unwrap().unwrap();
        log.iter().map(|recorded| recorded.sequence).collect()
    }
}

#[tokio::test]
async fn r17_a_number_that_was_told_is_not_told_of_another_event_however_often_a_backup_is_restored() {
    let mut shop = Shop::new().await;
    let made = shop.make(PRICE).await;
    let id = made.charge.id;
    let (first, second) = (
        shop.pay(&[(&made.charge.address, SATS)]),
        shop.pay(&[(&made.charge.address, SATS)]),
    );
    shop.see(&[&first]).await;
    let before = shop.numbers(id).await;
    let (mut shop, backup) = shop.back_up().await;
    // After each restore something else happens, and is told.
    let mut given: Vec<u64> = before.clone();
    for attempt in 0..3 {
        if attempt > 0 {
            shop.world.clock.advance_secs(1);
            shop = shop.restore(&backup).await;
            assert_eq!(shop.numbers(id).await, before, "a restore writes nothing into logs");
        }
        match attempt {
            0 => drop(shop.mine(&[&first]).await),
            1 => shop.lose(&first, Loss::Replaced, &[&second]).await,
            _ => shop.lose(&first, Loss::Replaced, &[]).await,
        }
        let numbers = shop.numbers(id).await;
        let fresh = &numbers[before.len()..];
        assert!(!fresh.is_empty());
        for number in fresh {
            assert!(!given.contains(number), "{number} was given before");
        }
        given.extend(fresh);
        shop.assert_replay_equals_live(id).await;
        let told = outbox(&shop.world.database()).await;
        let shown = shop.charges.events_after(shop.merchant, 0, 100, "https://pay.example");
        assert_eq!(
            shown.await.unwrap().len(),
            told.len(),
            "what was told is shown as it stood"
        );
    }
    let reconciler = Reconciler::new(
        shop.charges.clone(),
        bitpro_node::testing::nowhere(),
        &shop.world.database(),
    );
    assert_eq!(reconciler.run(Request::default()).await.unwrap().differences, []);
    // A charge that was made later was never told of before.
    let later = shop.make(PRICE).await;
    let tx = shop.pay(&[(&later.charge.address, SATS)]);
    shop.see(&[&tx]).await;
    assert_eq!(shop.numbers(later.charge.id).await[0], 1);
    let shop = shop.restart().await;
    shop.assert_replay_equals_live(id).await;
    shop.charges.close().await;
}

#[tokio::test]
async fn r17_what_happens_after_a_restore_is_shown_as_it_stood_however_much_it_is() {
    let mut shop = Shop::new().await;
    let made = shop.make(PRICE).await;
    let tx = shop.pay(&[(&made.charge.address, SATS)]);
    let (mut shop, backup) = shop.back_up().await;
    shop.world.clock.advance_secs(1);
    shop = shop.restore(&backup).await;
    // Each is stored by itself: only the first moves the number ahead.
    shop.see(&[&tx]).await;
    shop.mine(&[&tx]).await;
    shop.mine(&[]).await;
    let told = outbox(&shop.world.database()).await;
    assert!(told.len() > 1);
    let shown = shop.charges.events_after(shop.merchant, 0, 100, "https://pay.example");
    assert_eq!(shown.await.unwrap().len(), told.len());
}

#[tokio::test]
async fn r17_a_database_that_another_hand_put_back_is_known_by_the_mark_and_numbers_go_on_above() {
    let mut shop = Shop::new().await;
    let made = shop.make(PRICE).await;
    let tx = shop.pay(&[(&made.charge.address, SATS)]);
    let (shop, backup) = shop.back_up().await;
    shop.make(PRICE).await;
    shop.make(PRICE).await;
    let mut shop = shop.put_back(&backup).await;
    shop.see(&[&tx]).await;
    let above = u64::try_from(shop.world.clock.now().0).unwrap();
    assert_eq!(shop.numbers(made.charge.id).await[0], above);
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn r17_a_death_between_mark_and_commit_moves_no_numbers() {
    let mut shop = Shop::new().await;
    let made = shop.make(PRICE).await;
    let tx = shop.pay(&[(&made.charge.address, SATS)]);
    let (shop, without_the_last_commit) = shop.back_up().await;
    shop.make(PRICE).await;
    let mut shop = shop.put_back(&without_the_last_commit).await;
    shop.see(&[&tx]).await;
    assert_eq!(shop.numbers(made.charge.id).await[0], 1, "numbers are dense");
}

#[tokio::test]
async fn r28_what_was_given_out_to_lost_charges_is_watched_on() {
    let shop = Shop::new().await;
    let (shop, backup) = shop.back_up().await;
    let mut lost = Vec::new();
    for _ in 0..150 {
        lost.push(shop.make(PRICE).await.charge.address.clone());
    }
    let shop = shop.put_back(&backup).await;
    for address in &lost {
        let script = address
            .parse::<bitcoin::Address<_>>()
            .unwrap()
            .assume_checked()
            .script_pubkey();
        assert!(
            shop.charges.script(script.as_bytes()).is_some(),
            "{address} is not watched"
        );
    }
    let next = shop.make(PRICE).await;
    assert!(!lost.contains(&next.charge.address));
}

#[tokio::test]
async fn r31_a_database_that_lacks_events_is_known_by_the_mark_though_no_address_was_given_out_since() {
    let mut shop = Shop::new().await;
    let made = shop.make(PRICE).await;
    let tx = shop.pay(&[(&made.charge.address, SATS)]);
    let (mut shop, backup) = shop.back_up().await;
    let before = shop.charges.epoch();
    shop.see(&[&tx]).await;
    let told = shop.last_told().await;
    let mut shop = shop.put_back(&backup).await;
    let first = shop.charges.epoch();
    assert_ne!(first, before, "a cursor behind what is lost means nothing any more");
    // The same copy once more: what it lacks is still known.
    shop = shop.put_back(&backup).await;
    let second = shop.charges.epoch();
    assert!(second != first && second != before);
    shop.see(&[&tx]).await;
    let events = shop.charges.events_after(shop.merchant, 0, 100, "https://pay.example");
    let events = events.await.unwrap();
    assert!(!events.is_empty());
    assert!(
        events.iter().all(|event| event.num > told),
        "no number is of two events"
    );
    let above = u64::try_from(shop.world.clock.now().0).unwrap();
    assert_eq!(shop.numbers(made.charge.id).await[0], above, "R17");
    let shop = shop.restart().await;
    assert_eq!(shop.charges.epoch(), second, "it lacks nothing more");
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn r31_a_restart_that_lost_nothing_keeps_cursors() {
    let mut shop = Shop::new().await;
    let made = shop.make(PRICE).await;
    let before = shop.charges.epoch();
    let tx = shop.pay(&[(&made.charge.address, SATS)]);
    shop.see(&[&tx]).await;
    let shop = shop.restart().await;
    assert_eq!(shop.charges.epoch(), before);
    shop.charges.close().await;
}
