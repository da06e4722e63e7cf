//! A node that had deleted blocks before they were read (R6).

use anyhow::{Context as _, Result, ensure};
use bitpro_node::{Condition, IssuedRange};
use bitpro_tests::{Pair, Role, Scene, Setup, eventually};
use serde_json::{Value, json};

use super::watched::{Watched, script_of};

#[tokio::test]
async fn r06_pruned_blocks_are_a_hole_whose_unspent_payments_are_found() -> Result<()> {
    let pair = Pair::start_with(Role::PrunedServer).await?;
    let mut watched = Watched::start(&pair.server).await?;
    let descriptor = pair.wallet.descriptor("wpkh(").await?;
    let [address]: [String; 1] = pair
        .wallet
        .rpc()
        .call("deriveaddresses", json!([descriptor, [5, 5]]))
        .await?;
    watched.charges.watch(script_of(&address)?.as_bytes());
    watched.charges.change(|kept| {
        kept.issued = vec![IssuedRange {
            descriptor: descriptor.clone(),
            highest: 9,
        }];
    });
    watched.stop().await?;

    let txid = pair.wallet.pay(&address, 250_000).await?;
    pair.server.has_in_mempool(txid).await?;
    let block = pair.server.mine(1).await?[0];
    let paid_at = pair.server.tip().await?.height;
    delete_blocks_up_to(paid_at, &pair).await?;

    watched.resume()?;
    watched.is_in_step_with(&pair.server).await?;
    let found = watched.sees_mined(txid, block).await?;
    ensure!(
        found.raw.is_empty() && found.outputs[0].value.to_sat() == 250_000,
        "{found:?}"
    );
    let hole = watched.charges.read(|kept| kept.hole).context("no hole was recorded")?;
    first_block_is_judged_by_the_median_before_it(&watched, hole.from)?;
    let state: Value = pair.server.rpc().value("getblockchaininfo", json!([])).await?;
    ensure!(
        Some(u64::from(hole.to) + 1) == state["pruneheight"].as_u64(),
        "{hole:?} {state}"
    );
    ensure!(hole.from == paid_at && hole.since < hole.until, "{hole:?}");
    let status = watched
        .becomes("a reported hole", |status| status.hole.is_some())
        .await?;
    ensure!(!status.is_well(), "{status:?}");
    watched
        .becomes("the watcher in step", |status| status.condition == Condition::Ready)
        .await?;

    watched.stop().await?;
    let tip = pair.server.tip().await?.hash;
    watched.config.accept_block = Some(bitpro_charge::BlockHash(*tip.as_ref()));
    watched.resume()?;
    watched.becomes("no hole", |status| status.is_well()).await?;
    ensure!(watched.charges.read(|kept| kept.hole.is_none()));
    Ok(())
}

#[tokio::test]
async fn r06_a_payment_in_a_deleted_block_reaches_its_charge_and_can_be_accepted_by_hand() -> Result<()> {
    let pair = Pair::start_with(Role::PrunedServer).await?;
    let setup = Setup::beside(&pair.server, &pair.clock);
    let mut scene = Scene::on(pair, setup, &[]).await?;
    let (paid, partly, unpaid) = (scene.open().await?, scene.open().await?, scene.open().await?);
    let (whole, half) = (scene.checkout.view(&paid).await?, scene.checkout.view(&partly).await?);
    scene.app.stop().await?;
    let pair = &scene.pair;
    for (address, sats) in [(&whole.address, whole.amount_sat), (&half.address, half.amount_sat / 2)] {
        let txid = pair.wallet.pay(address, sats).await?;
        pair.server.has_in_mempool(txid).await?;
    }
    pair.server.mine(1).await?;
    delete_blocks_up_to(pair.server.tip().await?.height, pair).await?;
    scene.pass_deadline().await?;

    scene.app.start().await?;
    let found = scene.checkout.becomes(&paid, "confirmed", Some("exact")).await?;
    ensure!(found.received_sat == whole.amount_sat, "{found:?}");
    let found = scene.checkout.becomes(&partly, "seen", Some("underpaid")).await?;
    ensure!(
        found.payments.len() == 1 && found.received_sat == half.amount_sat / 2,
        "{found:?}"
    );

    // Whoever is to vouch for the blocks sees first which charges were open.
    let unread: Value = serde_json::from_str(&scene.app.run(&["charge", "unread", "--json"]).await?)?;
    let listed = unread["charges"].as_array().context("no charges are listed")?;
    let ids: Vec<&str> = listed.iter().filter_map(|charge| charge["id"].as_str()).collect();
    ensure!(ids == [partly.id.as_str(), unpaid.id.as_str()], "{unread}");
    let checked = scene.app.run(&["check"]).await?;
    ensure!(
        checked.contains("2 charges") && checked.contains(&unpaid.id),
        "{checked}"
    );
    let ready = format!("{}/readyz", scene.app.inside_url());
    let ready = scene.checkout.http().get(ready).send().await?.text().await?;
    ensure!(ready.contains("2 charges were open"), "{ready}");
    ensure!(!ready.contains(&unpaid.id), "R23: an id is a capability: {ready}");

    // Not before the blocks above the hole are read, too.
    eventually("an acceptance", async || {
        scene.app.run(&["charge", "accept", &partly.id]).await.map(drop)
    })
    .await?;
    scene.becomes(&partly, "confirmed", Some("manual")).await?;
    let view = scene.past_deadline(&unpaid).await?;
    ensure!(
        view.state == "pending",
        "judged by blocks that nobody has read: {view:?}"
    );

    scene.app.stop().await?;
    let tip = scene.pair.server.tip().await?.hash;
    scene.app.set("BITPRO_ACCEPT_BLOCK", &tip.to_string());
    scene.app.start().await?;
    scene.becomes(&unpaid, "timedout", None).await?;
    scene.becomes(&paid, "confirmed", Some("exact")).await?;
    scene.becomes(&partly, "confirmed", Some("manual")).await
}

/// R12: a block was found after the median time of those before it, also where these are no part of the hole.
fn first_block_is_judged_by_the_median_before_it(watched: &Watched, from: u32) -> Result<()> {
    let first = watched.charges.read(|kept| {
        let mut connected = kept.views.iter().flat_map(|view| &view.connected);
        connected.find(|connected| connected.block.height == from).copied()
    });
    let first = first.context("the first block of the hole was not told")?;
    // By its miner alone, it would be two hours.
    let doubt = first.claimed.as_secs() - first.found_after.as_secs();
    ensure!(doubt < 7_200, "{first:?}");
    Ok(())
}

#[tokio::test]
async fn r06_whoever_vouches_for_a_hole_before_it_is_met_has_vouched_for_it() -> Result<()> {
    let pair = Pair::start_with(Role::PrunedServer).await?;
    let mut watched = Watched::start(&pair.server).await?;
    watched.stop().await?;
    pair.server.mine(1).await?;
    delete_blocks_up_to(pair.server.tip().await?.height, &pair).await?;
    let tip = pair.server.tip().await?.hash;
    watched.config.accept_block = Some(bitpro_charge::BlockHash(*tip.as_ref()));
    watched.resume()?;
    watched.is_in_step_with(&pair.server).await?;
    watched.becomes("no hole", |status| status.is_well()).await?;
    ensure!(watched.charges.read(|kept| kept.hole.is_none()));
    Ok(())
}

/// Mines so many blocks that the node can delete the one at `height`, and has it do so.
async fn delete_blocks_up_to(height: u32, pair: &Pair) -> Result<()> {
    // A pruned node serves no peer that is far behind, so the shopper's has to keep up.
    for _ in 0..7 {
        pair.server.mine(100).await?;
        pair.agree().await?;
    }
    let pruned: u32 = pair.server.rpc().call("pruneblockchain", json!([height + 300])).await?;
    ensure!(pruned > height, "block {height} is still there: pruned to {pruned}");
    Ok(())
}
