//! Deadlines: what passes them, what is met by them, and what a silent node cannot decide.

use anyhow::{Result, ensure};
use bitpro_tests::Scene;

#[tokio::test]
async fn a_charge_that_nobody_pays_times_out() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    scene.pass_deadline().await?;
    let view = scene.checkout.becomes(&charge, "timedout", None).await?;
    ensure!(view.uri.is_none(), "a timed out charge asks for money: {view:?}");
    Ok(())
}

#[tokio::test]
async fn late_money_is_found_and_shown() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    scene.pass_deadline().await?;
    scene.becomes(&charge, "timedout", None).await?;
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    let late = scene.checkout.becomes(&charge, "failed", Some("late")).await?;
    ensure!(late.received_sat == asked.amount_sat, "{late:?}");
    scene.pair.mine(1).await?;
    let mined = scene
        .checkout
        .shows(&charge, "the late payment in a block", |view| {
            view.payments.first().is_some_and(|payment| payment.confirmations == 1)
        })
        .await?;
    ensure!(mined.state == "failed", "{mined:?}");
    Ok(())
}

#[tokio::test]
async fn r13_late_money_is_taken_when_the_merchant_wants_it_so() -> Result<()> {
    let scene = Scene::start_with(&[("late_policy", "accept")]).await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    scene.pass_deadline().await?;
    scene.becomes(&charge, "timedout", None).await?;
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.becomes(&charge, "seen", None).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", None).await
}

#[tokio::test]
async fn money_seen_in_time_is_confirmed_after_the_deadline() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    scene.pass_deadline().await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r04_a_deadline_that_passes_while_the_node_is_away_is_not_judged_until_it_is_back() -> Result<()> {
    let mut scene = Scene::start().await?;
    let unpaid = scene.open().await?;
    let paid = scene.open().await?;
    let asked = scene.checkout.view(&paid).await?;
    scene.pair.server.stop().await?;
    // Paid in time, where our node could not see it.
    let payment = scene.pair.wallet.draft(&asked.address, asked.amount_sat).await?;
    scene.pair.clock.advance_secs(bitpro_tests::scene::WINDOW_SECS + 60)?;
    scene.pair.shopper.keep_time().await?;
    let view = scene
        .checkout
        .shows(&unpaid, "a passed deadline without a verdict", |view| {
            view.now > view.expires_at
        })
        .await?;
    ensure!(view.state == "pending", "judged without the node: {view:?}");

    scene.pair.server.start_again().await?;
    scene.pair.join().await?;
    scene.pair.server.send(&payment).await?;
    // R5: it may have been sent in time, and the merchant loses nothing by believing it.
    scene.becomes(&paid, "seen", None).await?;
    scene.becomes(&unpaid, "timedout", None).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&paid, "confirmed", Some("exact")).await
}
