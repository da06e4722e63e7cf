//! Transactions that take each other's place before a block settles it.

use anyhow::{Result, ensure};
use bitcoin::Txid;
use bitpro_charge::wire::ChargeView;
use bitpro_tests::{Charge, Scene};

/// The charge as it is shown once `second` is the payment that is there.
async fn shows_replacement(scene: &Scene, charge: &Charge, second: Txid) -> Result<ChargeView> {
    let is_there = |view: &ChargeView| {
        view.payments
            .first()
            .is_some_and(|payment| payment.txid == second.to_string())
    };
    scene.checkout.shows(charge, "the replacement", is_there).await
}

#[tokio::test]
async fn a_replacement_that_still_pays_changes_nothing_for_the_shop() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let first = scene.pay_seen(&charge).await?;
    let mut events = scene.checkout.events(&charge, None).await?;
    let second = scene.pair.wallet.bump_fee(first).await?;
    let view = shows_replacement(&scene, &charge, second).await?;
    ensure!(view.state == "seen" && view.payments.len() == 1, "{view:?}");
    ensure!(
        view.gone_payments.iter().any(|gone| gone.txid == first.to_string()),
        "{view:?}"
    );
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    // R2: the stream never told anything in between but seen and confirmed.
    crate::stream::tells_only_seen_until_confirmed(&mut events).await
}

#[tokio::test]
async fn r05_a_replacement_after_the_deadline_inherits_the_time_of_what_it_replaces() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let first = scene.pay_seen(&charge).await?;
    scene.pass_deadline().await?;
    let second = scene.pair.wallet.bump_fee(first).await?;
    let view = shows_replacement(&scene, &charge, second).await?;
    ensure!(view.state == "seen", "{view:?}");
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn a_payment_that_is_replaced_away_leaves_the_charge_open_and_then_failed() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let first = scene.pay_seen(&charge).await?;
    scene.pair.wallet.double_spend(first).await?;
    let open = scene.checkout.becomes(&charge, "pending", None).await?;
    ensure!(open.received_sat == 0 && open.uri.is_some(), "{open:?}");
    let gone = open.gone_payments.first();
    ensure!(
        gone.is_some_and(|gone| gone.loss == "replaced" && gone.txid == first.to_string()),
        "{open:?}"
    );
    scene.pass_deadline().await?;
    scene.becomes(&charge, "failed", Some("replaced")).await
}

#[tokio::test]
async fn a_charge_whose_payment_was_taken_back_can_be_paid_again() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let first = scene.pay_seen(&charge).await?;
    scene.pair.wallet.double_spend(first).await?;
    scene.becomes(&charge, "pending", None).await?;
    scene.pay_seen(&charge).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r03_a_mined_conflict_that_never_was_in_our_mempool_takes_the_payment_away() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    let payment = scene.pair.wallet.draft(&asked.address, asked.amount_sat).await?;
    let conflict = scene.pair.wallet.conflict_with(&payment).await?;
    scene.pair.part().await?;
    scene.pair.server.send(&payment).await?;
    scene.becomes(&charge, "seen", None).await?;
    scene.pair.shopper.mine_only(&[conflict]).await?;
    scene.pair.join().await?;
    scene.becomes(&charge, "pending", None).await?;
    scene.pass_deadline().await?;
    scene.becomes(&charge, "failed", Some("replaced")).await
}
