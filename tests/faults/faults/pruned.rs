//! A node that deleted blocks before the server read them (R6).

use std::slice::from_ref;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::world::World;

/// Blocks that are made beyond the payment, and how many of them are deleted.
const BLOCKS: u32 = 700;
const DELETED: u32 = 300;

/// A payment lies in blocks that are gone: it is found where it is unspent, with its value, and nothing is concluded about the rest until
/// the operator vouches for the hole.
pub async fn hole(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let (paid, unpaid) = (world.open(4200).await?, world.open(4200).await?);
    world.app.stop().await?;
    let payment = world.payment_of(from_ref(&paid), 3)?;
    world.pair.server.send(&payment).await?;
    world.share_mempools().await?;
    world.pair.mine(1).await?;
    let paid_at = world.pair.server.tip().await?.height;
    // A pruned node serves no peer that is far behind, so the shopper's has to keep up.
    for _ in 0..BLOCKS / 100 {
        world.pair.mine(100).await?;
    }
    let pruned: u32 = world
        .pair
        .server
        .rpc()
        .call("pruneblockchain", json!([paid_at + DELETED]))
        .await?;
    ensure!(pruned > paid_at, "block {paid_at} is still there: pruned to {pruned}");
    let state: Value = world.pair.server.rpc().value("getblockchaininfo", json!([])).await?;
    ensure!(state["pruned"] == true, "{state}");
    world.app.start().await?;
    world
        .app
        .degrades("the hole to be said", |part, _| part == "hole")
        .await?;
    let is_found = |view: &bitpro_charge::wire::ChargeView| view.received_sat == paid.sats;
    let view = world
        .checkout
        .shows(&paid.charge, "the payment in the hole", is_found)
        .await?;
    ensure!(view.payments.len() == 1, "{view:?}");
    // Until somebody vouches for the hole, nothing negative follows for what was open in it.
    world.advance_secs(bitpro_tests::scene::WINDOW_SECS + 1).await?;
    let is_past = |view: &bitpro_charge::wire::ChargeView| view.now > view.expires_at;
    let view = world
        .checkout
        .shows(&unpaid.charge, "a passed deadline", is_past)
        .await?;
    ensure!(view.state == "pending", "{view:?}");
    let trusted = world.pair.server.tip().await?.hash.to_string();
    world.app.stop().await?;
    world.app.set("BITPRO_ACCEPT_BLOCK", &trusted);
    world.app.start().await?;
    world.app.is_well().await?;
    world.checkout.becomes(&paid.charge, "confirmed", Some("exact")).await?;
    world.checkout.becomes(&unpaid.charge, "timedout", None).await?;
    Ok(())
}
