//! The server's node dies, or comes back as somebody else.

use std::slice::from_ref;

use anyhow::{Result, ensure};

use crate::world::World;

/// `kill -9` of the node, with payments that only it had: the server gives them back to it.
pub async fn killed(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let orders = world.open_many(5, 4200).await?;
    world.pair.part().await?;
    for order in orders.chunks(1) {
        let payment = world.payment_of(order, 3)?;
        world.pair.server.send(&payment).await?;
    }
    world.become_all(&orders, "seen", None).await?;
    world.pair.server.kill()?;
    // It can be sold to meanwhile.
    let during = world.open(4200).await?;
    world.pair.server.start_again().await?;
    world.pair.join().await?;
    let payment = world.payment_of(from_ref(&during), 3)?;
    world.pair.shopper.send(&payment).await?;
    world.checkout.becomes(&during.charge, "seen", None).await?;
    world.settle().await?;
    world.become_all(&orders, "confirmed", Some("exact")).await?;
    world
        .checkout
        .becomes(&during.charge, "confirmed", Some("exact"))
        .await?;
    Ok(())
}

/// The node comes back without the mempool that it had: what is missing is given back to it, and nothing is lost by its absence.
pub async fn with_another_mempool(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let orders = world.open_many(5, 4200).await?;
    world.pair.part().await?;
    let payment = world.payment_of(&orders, 3)?;
    world.pair.server.send(&payment).await?;
    world.become_all(&orders, "seen", None).await?;
    world.pair.server.stop().await?;
    world.pair.server.start_again_with(&["-persistmempool=0"]).await?;
    world.pair.server.has_in_mempool(payment.compute_txid()).await?;
    world.pair.join().await?;
    world.settle().await?;
    world.become_all(&orders, "confirmed", Some("exact")).await
}

/// The node builds its chainstate anew: for a while its chain is shorter than the one that is known. Nothing follows from that.
pub async fn reindexes(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let confirmed = world.open(4200).await?;
    let seen = world.open(4200).await?;
    let payment = world.payment_of(from_ref(&confirmed), 3)?;
    world.pair.shopper.send(&payment).await?;
    world.pair.mine(1).await?;
    world
        .checkout
        .becomes(&confirmed.charge, "confirmed", Some("exact"))
        .await?;
    let payment = world.payment_of(from_ref(&seen), 3)?;
    world.pair.server.send(&payment).await?;
    world.checkout.becomes(&seen.charge, "seen", None).await?;
    let before = world.checkout.view(&confirmed.charge).await?.sequence;
    world.pair.server.stop().await?;
    world.pair.server.start_again_with(&["-reindex-chainstate"]).await?;
    world.pair.join().await?;
    // Such a node comes back with an empty mempool, and is given back what it forgot once it is in step.
    world.pair.server.has_in_mempool(payment.compute_txid()).await?;
    let after = world.checkout.view(&confirmed.charge).await?;
    ensure!(
        after.sequence == before,
        "something was concluded from a node that was not ready: {after:?}"
    );
    world.settle().await?;
    world.checkout.becomes(&seen.charge, "confirmed", Some("exact")).await?;
    Ok(())
}
