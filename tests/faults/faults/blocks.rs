//! Blocks that lose to others, and blocks that are not what the mempool promised.

use std::slice::from_ref;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::coins;

use crate::world::World;

/// The deepest reorg that is followed without asking.
const LIMIT: u32 = 10;

/// One block.
pub async fn reorg_of_1(world: &mut World) -> Result<()> {
    reorg(world, 1).await
}

/// Three blocks.
pub async fn reorg_of_3(world: &mut World) -> Result<()> {
    reorg(world, 3).await
}

/// As many as are followed.
pub async fn reorg_of_10(world: &mut World) -> Result<()> {
    reorg(world, LIMIT).await
}

/// One more: the operator has to decide, and until then nothing is taken back.
pub async fn reorg_of_11(world: &mut World) -> Result<()> {
    reorg(world, LIMIT + 1).await
}

/// Two nodes are parted. One mines `depth` blocks with two payments, the other one more without them, and with a conflict that takes one
/// of the two for good.
async fn reorg(world: &mut World, depth: u32) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let stays = world.open(4200).await?;
    let goes = world.open(4200).await?;
    let coin = world.coins.take()?;
    let taken_back = crate::world::payment(coin, from_ref(&goes), 3)?;
    let conflict = coins::spend(&[coin], &[], 30)?;
    let payment = world.payment_of(from_ref(&stays), 3)?;
    world.pair.part().await?;
    for one in [&payment, &taken_back] {
        world.pair.server.send(one).await?;
    }
    world.pair.server.mine(depth).await?;
    let both = [stays.clone(), goes.clone()];
    world.become_all(&both, "confirmed", Some("exact")).await?;
    world.pair.shopper.mine_only(&[conflict]).await?;
    world.pair.shopper.mine_empty(depth).await?;
    world.pair.join().await?;
    if depth > LIMIT {
        world
            .app
            .degrades("the reorg to be held", |part, _| part == "node")
            .await?;
        world.become_all(&both, "confirmed", Some("exact")).await?;
        let trusted = world.pair.server.tip().await?.hash.to_string();
        world.app.stop().await?;
        world.app.set("BITPRO_ACCEPT_BLOCK", &trusted);
        world.app.start().await?;
    }
    world.checkout.becomes(&stays.charge, "seen", None).await?;
    let back = world.checkout.becomes(&goes.charge, "pending", None).await?;
    ensure!(back.received_sat == 0, "money that is gone is counted: {back:?}");
    let lost = back.gone_payments.first().context("the lost payment is not shown")?;
    ensure!(lost.loss == "replaced", "{back:?}");
    if depth > LIMIT {
        // What the operator vouched for is not to be vouched for for ever.
        world.app.stop().await?;
        world.app.unset("BITPRO_ACCEPT_BLOCK");
        world.app.start().await?;
    }
    world.settle().await?;
    world
        .checkout
        .becomes(&stays.charge, "confirmed", Some("exact"))
        .await?;
    Ok(())
}

/// The block holds the payment under another witness than the mempool: the same transaction, by its id, and the same payment.
pub async fn another_witness(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let order = world.open(4200).await?;
    let payment = world.payment_of(from_ref(&order), 3)?;
    let other = coins::with_other_witness(&payment);
    ensure!(
        other.compute_txid() == payment.compute_txid() && other.compute_wtxid() != payment.compute_wtxid(),
        "the witness is the same"
    );
    world.pair.part().await?;
    world.pair.server.send(&payment).await?;
    world.checkout.becomes(&order.charge, "seen", None).await?;
    world.pair.shopper.mine_only(&[other]).await?;
    world.pair.join().await?;
    let confirmed = world
        .checkout
        .becomes(&order.charge, "confirmed", Some("exact"))
        .await?;
    ensure!(
        confirmed.payments.len() == 1 && confirmed.gone_payments.is_empty(),
        "{confirmed:?}"
    );
    Ok(())
}
