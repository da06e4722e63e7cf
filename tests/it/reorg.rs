//! Blocks that lose: two nodes parted, each with a chain of its own, and joined.

use anyhow::{Result, ensure};
use bitpro_tests::{Pair, Scene, Setup};

#[tokio::test]
async fn a_reorg_takes_a_confirmed_charge_back_to_seen_and_the_next_block_confirms_it_again() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let txid = scene.pay_seen(&charge).await?;
    scene.pair.part().await?;
    scene.pair.server.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;

    scene.pair.shopper.mine_empty(2).await?;
    scene.pair.join().await?;
    let back = scene.checkout.becomes(&charge, "seen", None).await?;
    ensure!(
        back.payments.len() == 1 && back.payments[0].txid == txid.to_string(),
        "{back:?}"
    );
    ensure!(back.payments[0].confirmations == 0, "{back:?}");

    scene.pair.server.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r02_a_payment_in_both_branches_of_a_reorg_stays_confirmed() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    scene.pair.part().await?;
    scene.pair.server.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    let mut events = scene.checkout.events(&charge, None).await?;

    // The shopper's node has the payment in its mempool, so its own block holds it, too.
    scene.pair.shopper.mine(2).await?;
    scene.pair.join().await?;
    let deeper = scene
        .checkout
        .shows(&charge, "the payment in the other branch", |view| {
            view.payments.first().is_some_and(|payment| payment.confirmations == 2)
        })
        .await?;
    ensure!(deeper.state == "confirmed", "{deeper:?}");
    // Whatever the stream told, it never took the confirmation back.
    while let Ok(event) = events.next_within(std::time::Duration::from_millis(1)).await {
        let told = crate::stream::told(&event)?;
        ensure!(told.state == "confirmed", "{told:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reorg_that_holds_a_conflict_takes_a_confirmed_payment_away() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    let payment = scene.pair.wallet.draft(&asked.address, asked.amount_sat).await?;
    let conflict = scene.pair.wallet.conflict_with(&payment).await?;
    scene.pair.part().await?;
    scene.pair.server.mine_only(&[payment]).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    scene.pair.shopper.mine_only(&[conflict]).await?;
    scene.pair.shopper.mine_empty(1).await?;
    scene.pair.join().await?;
    scene.becomes(&charge, "pending", None).await?;
    scene.pass_deadline().await?;
    scene
        .checkout
        .shows(&charge, "a failed charge", |view| view.state == "failed")
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_charge_can_be_paid_in_the_replacement_of_the_block_at_whose_height_it_was_made() -> Result<()> {
    let scene = Scene::start().await?;
    scene.pair.part().await?;
    let losing = scene.pair.server.mine(1).await?;
    scene.pair.server.has_tip(losing[0]).await?;
    let height = scene.pair.server.tip().await?.height;
    scene.app.sees_height(height).await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;

    let payment = scene.pair.wallet.draft(&asked.address, asked.amount_sat).await?;
    scene.pair.shopper.mine_only(&[payment]).await?;
    ensure!(
        scene.pair.shopper.tip().await?.height == height,
        "the payment is at another height"
    );
    scene.pair.shopper.mine_empty(1).await?;
    scene.pair.join().await?;
    let confirmed = scene.checkout.becomes(&charge, "confirmed", Some("exact")).await?;
    ensure!(confirmed.payments[0].confirmations == 2, "{confirmed:?}");
    Ok(())
}

#[tokio::test]
async fn r06_while_a_deep_reorg_is_held_nothing_is_accepted_by_hand() -> Result<()> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock).with("BITPRO_REORG_LIMIT", "2");
    let scene = Scene::on(pair, setup, &[]).await?;
    let charge = scene.paid_late().await?;
    scene.pair.mine(3).await?;
    scene
        .checkout
        .shows(&charge, "the late payment deep", |view| {
            view.payments.first().is_some_and(|payment| payment.confirmations == 3)
        })
        .await?;

    scene.pair.server.undo(3).await?;
    scene
        .app
        .degrades("the chain to be held", |part, says| {
            part == "node" && says.contains("all events are held")
        })
        .await?;
    let (code, _) = scene.app.run_to_code(&["charge", "accept", &charge.id]).await?;
    ensure!(code == 4, "it ended with {code}");
    scene.becomes(&charge, "failed", Some("late")).await
}
