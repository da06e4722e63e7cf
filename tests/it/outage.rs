//! Parts that go away and come back: the node, its mempool, its notifications, the server.

use anyhow::Result;
use bitpro_tests::{Pair, Relay, Role, Scene, Setup};

#[tokio::test]
async fn r03_a_node_that_comes_back_with_an_empty_mempool_reverts_nothing() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let txid = scene.pay_seen(&charge).await?;
    let mut events = scene.checkout.events(&charge, None).await?;
    scene.pair.server.restart_with_empty_mempool().await?;
    // The nodes are not joined, so only the server can have given the transaction back to its node.
    scene.pair.server.has_in_mempool(txid).await?;
    scene.pair.server.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    crate::stream::tells_only_seen_until_confirmed(&mut events).await
}

#[tokio::test]
async fn a_payment_made_and_mined_while_the_server_was_stopped_is_found_at_its_start() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    scene.app.stop().await?;
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.pair.mine(1).await?;
    scene.app.start().await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r05_a_restart_never_turns_a_payment_in_time_into_a_late_one() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    let seen = scene.open().await?;
    scene.pay_seen(&seen).await?;
    scene.app.stop().await?;
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.pair.mine(1).await?;
    scene.pass_deadline().await?;
    scene.app.start().await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    scene.becomes(&seen, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r39_a_charge_can_be_made_while_the_node_is_away() -> Result<()> {
    let mut scene = Scene::start().await?;
    scene.pair.server.stop().await?;
    let charge = scene.open().await?;
    scene
        .checkout
        .shows(&charge, "the node's absence", |view| {
            view.node == bitpro_charge::wire::NodeView::Away
        })
        .await?;
    let asked = scene.checkout.view(&charge).await?;
    scene.pair.server.start_again().await?;
    scene.pair.join().await?;
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.becomes(&charge, "seen", None).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r07_without_notifications_the_node_is_polled() -> Result<()> {
    let pair = Pair::start_with(Role::ServerWithoutZmq).await?;
    let setup = Setup::beside(&pair.server, &pair.clock);
    let scene = Scene::on(pair, setup, &[]).await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r07_notifications_that_are_cut_delay_nothing_for_long_and_come_back() -> Result<()> {
    let pair = Pair::start().await?;
    let [rawtx, sequence] = pair.server.zmq_ports();
    let (rawtx, sequence) = (Relay::to(rawtx).await?, Relay::to(sequence).await?);
    let endpoints = format!("tcp://127.0.0.1:{}, tcp://127.0.0.1:{}", rawtx.port(), sequence.port());
    let setup = Setup::beside(&pair.server, &pair.clock).with("BITPRO_NODE_ZMQ", &endpoints);
    let scene = Scene::on(pair, setup, &[]).await?;
    let before = scene.open().await?;
    scene.pay_seen(&before).await?;

    rawtx.cut();
    sequence.cut();
    let during = scene.open().await?;
    scene.pay_seen(&during).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&before, "confirmed", Some("exact")).await?;
    scene.becomes(&during, "confirmed", Some("exact")).await?;

    rawtx.mend();
    sequence.mend();
    let after = scene.open().await?;
    scene.pay_seen(&after).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&after, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn a_node_that_accepts_and_never_answers_holds_nothing_up_but_itself() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    scene.pair.server.hang(true)?;
    // Neither the page nor a new charge waits for the node.
    scene.checkout.view(&charge).await?;
    let second = scene.open().await?;
    scene.pair.server.hang(false)?;
    scene.pay_seen(&charge).await?;
    scene.pay_seen(&second).await?;
    Ok(())
}
