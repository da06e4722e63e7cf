//! Nodes that hear nothing of the network, or not all of it: then nothing follows from what they do not have (R3, R4, R5).

use anyhow::{Result, ensure};
use bitpro_base::clock::Clock as _;
use bitpro_charge::wire::NodeView;
use bitpro_node::{Condition, Hearing};
use bitpro_tests::{App, Checkout, Merchant, Pair, Role, Scene, Setup, eventually};

use super::watched::{Watched, config};

#[tokio::test]
async fn r04_without_peers_nothing_is_observed_until_a_block_tells_what_was_missed() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = needing_peers(&pair).await?;
    let address = watched.address(&pair.wallet).await?;
    pair.part().await?;
    let status = watched
        .becomes("a node without peers", |status| status.condition == Condition::Isolated)
        .await?;
    ensure!(status.hearing == Hearing::Nothing && !status.is_well(), "{status:?}");
    let heard_until = status.observed_until;
    let txid = pair.wallet.pay(&address, 250_000).await?;
    watched.clock.advance_secs(3_600);
    pair.advance_secs(3_600).await?;
    let deadline = watched.clock.now();
    watched.charges.change(|kept| kept.deadline = Some(deadline));
    // Peers are back, and nobody tells what was paid meanwhile.
    pair.join().await?;
    let status = watched
        .becomes("peers again", |status| status.hearing == Hearing::Again)
        .await?;
    ensure!(status.observed_until == heard_until, "{status:?}");
    pair.mine(1).await?;
    let block = pair.shopper.tip().await?.hash;
    let found = watched.sees_mined(txid, block).await?;
    ensure!(
        Some(found.first_seen.earliest) == heard_until,
        "R5: it may have been told at any time since {heard_until:?}: {found:?}"
    );
    watched
        .becomes("everything heard", |status| status.hearing == Hearing::Everything)
        .await?;
    watched.knows_everything().await
}

#[tokio::test]
async fn r05_a_node_that_was_away_from_its_peers_while_it_restarted_has_missed_what_was_told() -> Result<()> {
    let mut pair = Pair::start().await?;
    let watched = needing_peers(&pair).await?;
    pair.server.stop().await?;
    watched
        .becomes("the node's absence", |status| {
            matches!(status.condition, Condition::Failing(_))
        })
        .await?;
    let heard_until = watched.status()?.observed_until;
    // Long enough that no peer can seem to have been there before.
    watched.clock.advance_secs(60);
    pair.clock.advance_secs(60)?;
    pair.server.start_again().await?;
    pair.join().await?;
    let status = watched
        .becomes("peers again", |status| {
            status.hearing == Hearing::Again && status.condition == Condition::Ready
        })
        .await?;
    ensure!(status.observed_until == heard_until, "{status:?}");
    pair.mine(1).await?;
    watched.knows_everything().await
}

#[tokio::test]
async fn r04_a_machine_that_slept_knows_nothing_of_it_until_a_block_tells() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = needing_peers(&pair).await?;
    let heard_until = watched.status()?.observed_until;
    // Both clocks go on, and no look lies in between: the peers are still there, as after a suspended machine wakes up.
    pair.advance_secs(600).await?;
    watched.clock.sleep_secs(600);
    let status = watched
        .becomes("a node that has perhaps slept", |status| {
            status.hearing == Hearing::Again
        })
        .await?;
    let since = |status: &bitpro_node::NodeStatus| status.observed_until.map_or(0, |until| until.0);
    let heard = heard_until.map_or(0, |until| until.0);
    ensure!(since(&status) < heard + 60_000, "{heard_until:?}, {status:?}");
    pair.mine(1).await?;
    watched
        .becomes("everything heard", |status| status.hearing == Hearing::Everything)
        .await?;
    watched.knows_everything().await
}

#[tokio::test]
async fn r32_a_sleep_by_a_clock_that_was_taken_back_ends_with_the_next_block_all_the_same() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = needing_peers(&pair).await?;
    watched.clock.sleep_secs(600);
    watched
        .becomes("a node that has perhaps slept", |status| {
            status.hearing == Hearing::Again
        })
        .await?;
    // The clock had been wrong: no block of the chain is from the time that it showed.
    watched.clock.advance_secs(-600);
    pair.mine(1).await?;
    watched
        .becomes("everything heard", |status| status.hearing == Hearing::Everything)
        .await?;
    Ok(())
}

#[tokio::test]
async fn r04_a_charge_does_not_time_out_while_the_node_has_no_peers() -> Result<()> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock).with("BITPRO_NODE_REQUIRES_PEERS", "true");
    let scene = Scene::on(pair, setup, &[]).await?;
    let (paid, unpaid) = (scene.open().await?, scene.open().await?);
    let asked = scene.checkout.view(&paid).await?;
    scene.pair.part().await?;
    says(&scene.app, "the node has no peers").await?;
    scene
        .checkout
        .shows(&paid, "the node's absence", |view| view.node == NodeView::Away)
        .await?;
    // Paid in time, where our node cannot hear it.
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.pass_deadline().await?;
    for charge in [&paid, &unpaid] {
        let view = scene.past_deadline(charge).await?;
        ensure!(view.state == "pending", "judged by a node that hears nothing: {view:?}");
    }
    scene.pair.join().await?;
    says(&scene.app, "the node has peers again").await?;
    for charge in [&paid, &unpaid] {
        let view = scene.checkout.view(charge).await?;
        ensure!(view.state == "pending", "judged by what nobody tells twice: {view:?}");
    }
    scene.pair.mine(1).await?;
    scene.becomes(&paid, "confirmed", Some("exact")).await?;
    scene.becomes(&unpaid, "timedout", None).await?;
    scene.app.is_well().await?;

    scene.pair.advance_secs(3 * 3_600).await?;
    says(&scene.app, "the last block is 3 hours old").await?;
    let checked = scene.app.run(&["check"]).await?;
    ensure!(checked.contains("the last block is 3 hours old"), "{checked}");
    scene.pair.mine(1).await?;
    scene.app.is_well().await
}

#[tokio::test]
async fn r04_a_node_that_hears_of_blocks_only_is_told_of_and_believed_a_block_later() -> Result<()> {
    let pair = Pair::start_with(Role::BlocksOnlyServer).await?;
    let mut app = App::prepare(Setup::beside(&pair.server, &pair.clock))?;
    let merchant = Merchant::add(&app, &pair.shopper, "merchant", &[("grace_secs", "0")]).await?;
    app.start().await?;
    says(&app, "-blocksonly").await?;
    let checked = app.run(&["check"]).await?;
    ensure!(checked.contains("start it without -blocksonly"), "{checked}");
    ensure!(app.log().contains("(-blocksonly)"), "the log is silent");
    let checkout = Checkout::of(&app)?;
    eventually("an open wallet", async || {
        let (_, wallets) = part(&app, "wallets").await?;
        ensure!(wallets == "ok", "{wallets}");
        Ok(())
    })
    .await?;
    let (paid, unpaid) = (
        checkout.open(&merchant, 4200).await?,
        checkout.open(&merchant, 4200).await?,
    );
    let asked = checkout.view(&paid).await?;
    let scene = Scene {
        checkout,
        merchant,
        app,
        pair,
    };
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.pass_deadline().await?;
    for charge in [&paid, &unpaid] {
        let view = scene.past_deadline(charge).await?;
        ensure!(
            view.state == "pending",
            "judged by a mempool that hears nothing: {view:?}"
        );
    }
    scene.pair.mine(1).await?;
    scene.becomes(&paid, "confirmed", Some("exact")).await?;
    let view = scene.checkout.view(&unpaid).await?;
    ensure!(
        view.state == "pending",
        "whoever paid last may be in the next block: {view:?}"
    );
    scene.pair.mine(1).await?;
    scene.becomes(&unpaid, "timedout", None).await
}

/// A watcher, in step, of a node that proves nothing without peers.
async fn needing_peers(pair: &Pair) -> Result<Watched> {
    let mut config = config(&pair.server)?;
    config.requires_peers = true;
    let mut watched = Watched::with(config);
    watched.resume()?;
    watched.is_ready().await?;
    watched.knows_everything().await?;
    Ok(watched)
}

/// Waits until `/readyz` is degraded and says `words`.
async fn says(app: &App, words: &str) -> Result<()> {
    let ready = format!("{}/readyz", app.inside_url());
    eventually(words, async || {
        let answer = reqwest::get(&ready).await?.text().await?;
        ensure!(
            answer.contains(words) && answer.contains("\"degraded\""),
            "/readyz says {answer}"
        );
        Ok(())
    })
    .await
}

/// Whether a part of `/readyz` is well, and what it says.
async fn part(app: &App, name: &str) -> Result<(bool, String)> {
    let answer: serde_json::Value = reqwest::get(format!("{}/readyz", app.inside_url()))
        .await?
        .json()
        .await?;
    let parts = answer["parts"].as_array().cloned().unwrap_or_default();
    let part = parts
        .iter()
        .find(|part| part["name"] == name)
        .cloned()
        .unwrap_or_default();
    Ok((part["ok"] == true, part["says"].as_str().unwrap_or_default().to_owned()))
}
