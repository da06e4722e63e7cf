//! Deadlines: what passes them, what is met by them, and what a silent node cannot decide.

use anyhow::{Result, ensure};
use bitpro_tests::scene::WINDOW_SECS;
use bitpro_tests::{Pair, Relay, Scene, Setup};

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
    // Paid and mined in time, where our node could not see it.
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.pair.shopper.mine(1).await?;
    scene.pair.clock.advance_secs(WINDOW_SECS + 60)?;
    scene.pair.shopper.keep_time().await?;
    let view = scene.past_deadline(&unpaid).await?;
    ensure!(view.state == "pending", "judged without the node: {view:?}");

    scene.pair.server.start_again().await?;
    scene.pair.join().await?;
    scene.becomes(&paid, "confirmed", Some("exact")).await?;
    scene.becomes(&unpaid, "timedout", None).await
}

#[tokio::test]
async fn r05_what_the_node_had_in_time_is_in_time_although_we_could_not_ask_it() -> Result<()> {
    let pair = Pair::start().await?;
    let rpc = pair.server.rpc().url().rsplit(':').next().unwrap_or_default().parse()?;
    let line = Relay::to(rpc).await?;
    let mut setup = Setup::beside(&pair.server, &pair.clock);
    setup.node_url = format!("http://127.0.0.1:{}", line.port());
    let scene = Scene::on(pair, setup, &[]).await?;
    let unpaid = scene.open().await?;
    let paid = scene.open().await?;
    let asked = scene.checkout.view(&paid).await?;
    line.cut();
    let txid = scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.pair.server.has_in_mempool(txid).await?;
    scene.pass_deadline().await?;
    for charge in [&unpaid, &paid] {
        let view = scene.past_deadline(charge).await?;
        ensure!(view.state == "pending", "judged without the node: {view:?}");
    }

    line.mend();
    scene.becomes(&paid, "seen", None).await?;
    scene.becomes(&unpaid, "timedout", None).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&paid, "confirmed", Some("exact")).await
}
