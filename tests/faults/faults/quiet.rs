//! Silence that looks like peace: notifications that do not come, and a node that hears of nothing.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitpro_charge::wire::ChargeView;
use bitpro_tests::eventually;
use bitpro_tests::scene::WINDOW_SECS;

use crate::world::World;

/// More than it takes to notice a silence.
const CHANGES: usize = 4;

/// The connections for notifications stand and say nothing: the polls find what they did not tell.
pub async fn notices_silent(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    for relay in &world.notices {
        relay.silence();
    }
    // One poll may fall between a change and its notice; after a few changes of the mempool nobody believes that any more.
    let orders = world.open_many(CHANGES, 4200).await?;
    for order in &orders {
        let payment = world.payment_of(from_ref(order), 3)?;
        world.pair.server.send(&payment).await?;
        world.checkout.becomes(&order.charge, "seen", None).await?;
    }
    world
        .app
        .degrades("the silence to be noticed", |part, _| part == "zmq")
        .await?;
    world.share_mempools().await?;
    world.pair.mine(1).await?;
    world.become_all(&orders, "confirmed", Some("exact")).await?;
    for relay in &world.notices {
        relay.mend();
    }
    // They are connected anew after a pause, and believed again once they tell something.
    eventually("notifications that are believed", async || {
        world.pair.mine(1).await?;
        tokio::time::timeout(Duration::from_secs(1), world.app.is_well()).await?
    })
    .await
}

/// The node answers and has no peer, so it hears of no payment: no deadline is observed, and money that was sent in time meanwhile is in
/// time (R3, R4, R5).
pub async fn without_peers(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let (paid, unpaid) = (world.open(4200).await?, world.open(4200).await?);
    world.pair.part().await?;
    world
        .app
        .degrades("the lack of peers to be said", |part, _| part == "node")
        .await?;
    let payment = world.payment_of(from_ref(&paid), 3)?;
    world.pair.shopper.send(&payment).await?;
    world.advance_secs(WINDOW_SECS + 60).await?;
    let is_past = |view: &ChargeView| view.now > view.expires_at;
    for order in [&paid, &unpaid] {
        let view = world
            .checkout
            .shows(&order.charge, "a passed deadline", is_past)
            .await?;
        ensure!(
            view.state == "pending",
            "a deadline was observed without a peer: {view:?}"
        );
    }
    world.pair.join().await?;
    world.share_mempools().await?;
    world.checkout.becomes(&paid.charge, "seen", None).await?;
    // What was missed can be told apart from what never was only by a block that was found since.
    world.settle().await?;
    world.checkout.becomes(&unpaid.charge, "timedout", None).await?;
    world.checkout.becomes(&paid.charge, "confirmed", Some("exact")).await?;
    Ok(())
}
