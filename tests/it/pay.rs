//! Money that comes as it should, or nearly so.

use anyhow::{Result, ensure};
use bitpro_tests::Scene;

#[tokio::test]
async fn a_payment_is_seen_and_then_confirmed() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let view = scene.checkout.view(&charge).await?;
    ensure!(view.state == "pending" && view.received_sat == 0, "{view:?}");

    let txid = scene.pay(&charge).await?;
    let seen = scene.checkout.becomes(&charge, "seen", None).await?;
    ensure!(
        seen.received_sat == view.amount_sat && seen.remaining_sat == 0,
        "{seen:?}"
    );
    ensure!(
        seen.payments.len() == 1 && seen.payments[0].txid == txid.to_string(),
        "{seen:?}"
    );
    ensure!(seen.uri.is_none(), "a paid charge asks for more: {seen:?}");

    scene.pair.mine(1).await?;
    let confirmed = scene.checkout.becomes(&charge, "confirmed", Some("exact")).await?;
    ensure!(confirmed.payments[0].confirmations == 1, "{confirmed:?}");
    // The money is where it belongs: in the merchant's own wallet, whose keys the server never had.
    let received = scene.merchant.wallet.received_by(&view.address).await?;
    ensure!(received.to_sat() == view.amount_sat);
    Ok(())
}

#[tokio::test]
async fn a_charge_that_needs_two_confirmations_waits_for_the_second() -> Result<()> {
    let scene = Scene::start_with(&[("confirmations", "2 3 6")]).await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    scene.pair.mine(1).await?;
    let waiting = scene
        .checkout
        .shows(&charge, "one confirmation of two", |view| {
            view.progress
                .is_some_and(|progress| progress.have == 1 && progress.required == 2)
        })
        .await?;
    ensure!(waiting.state == "seen", "{waiting:?}");
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r09_a_high_price_needs_more_confirmations() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.checkout.open(&scene.merchant, 100_001).await?;
    scene.pay_seen(&charge).await?;
    scene.pair.mine(2).await?;
    let waiting = scene
        .checkout
        .shows(&charge, "two confirmations of three", |view| {
            view.progress
                .is_some_and(|progress| progress.have == 2 && progress.required == 3)
        })
        .await?;
    ensure!(waiting.state == "seen", "{waiting:?}");
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn a_partial_payment_is_topped_up() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    let half = asked.amount_sat / 2;
    scene.pair.wallet.pay(&asked.address, half).await?;
    let partial = scene.checkout.becomes(&charge, "seen", Some("underpaid")).await?;
    ensure!(partial.remaining_sat == asked.amount_sat - half, "{partial:?}");
    ensure!(partial.uri.is_some(), "the rest is not asked for: {partial:?}");
    // R16: the shopper who has begun to pay gets ten more minutes.
    ensure!(partial.expires_at == asked.expires_at + 600_000, "{partial:?}");

    scene.pay(&charge).await?;
    let whole = scene
        .checkout
        .shows(&charge, "the whole sum", |view| {
            view.state == "seen" && view.reason.is_none()
        })
        .await?;
    ensure!(
        whole.received_sat == asked.amount_sat && whole.payments.len() == 2,
        "{whole:?}"
    );
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn a_partial_payment_that_is_never_topped_up_fails() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    scene.pair.wallet.pay(&asked.address, asked.amount_sat / 2).await?;
    scene.becomes(&charge, "seen", Some("underpaid")).await?;
    // The window, and the ten minutes more that a partial payment gives.
    scene.pass_deadline().await?;
    scene.pair.advance_secs(600).await?;
    scene.becomes(&charge, "failed", Some("underpaid")).await
}

#[tokio::test]
async fn two_payments_in_one_block_make_one_sum() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    let half = asked.amount_sat / 2;
    // Nobody has seen them before the block.
    scene.pair.part().await?;
    let first = scene.pair.wallet.pay(&asked.address, half).await?;
    let second = scene.pair.wallet.pay(&asked.address, asked.amount_sat - half).await?;
    scene.pair.shopper.mine(1).await?;
    scene.pair.join().await?;
    let confirmed = scene.checkout.becomes(&charge, "confirmed", Some("exact")).await?;
    let mut txids: Vec<&str> = confirmed.payments.iter().map(|payment| payment.txid.as_str()).collect();
    txids.sort_unstable();
    let mut sent = [first.to_string(), second.to_string()];
    sent.sort_unstable();
    ensure!(txids == sent, "{confirmed:?}");
    Ok(())
}

#[tokio::test]
async fn one_transaction_may_pay_one_charge_twice() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    let txid = scene
        .pair
        .wallet
        .pay_twice(&asked.address, asked.amount_sat / 2)
        .await?;
    let seen = scene
        .checkout
        .shows(&charge, "both outputs", |view| view.payments.len() == 2)
        .await?;
    ensure!(
        seen.payments.iter().all(|payment| payment.txid == txid.to_string()),
        "{seen:?}"
    );
    Ok(())
}

#[tokio::test]
async fn too_much_is_confirmed_as_overpaid() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    let too_much = asked.amount_sat + asked.amount_sat / 2;
    scene.pair.wallet.pay(&asked.address, too_much).await?;
    let seen = scene.checkout.becomes(&charge, "seen", None).await?;
    ensure!(seen.received_sat == too_much && seen.remaining_sat == 0, "{seen:?}");
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("overpaid")).await
}

#[tokio::test]
async fn r09_a_coinbase_payment_settles_after_a_hundred_blocks() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    scene.pair.shopper.mine_to(&asked.address).await?;
    scene.pair.agree().await?;
    let seen = scene.checkout.becomes(&charge, "seen", None).await?;
    ensure!(
        seen.progress
            .is_some_and(|progress| progress.have == 1 && progress.required == 100),
        "{seen:?}"
    );
    scene.pair.mine(98).await?;
    scene
        .checkout
        .shows(&charge, "99 confirmations", |view| {
            view.state == "seen" && view.progress.is_some_and(|progress| progress.have == 99)
        })
        .await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("overpaid")).await
}
