//! Transactions that take each other's place, lean on each other, or hardly count.

use std::slice::from_ref;

use anyhow::{Context as _, Result, ensure};
use bitcoin::{Amount, Transaction};
use bitpro_tests::coins;
use rand::Rng as _;

use crate::world::{self, Order, World};

/// Charges of a storm, and how often each is replaced.
const STORM: usize = 100;
const ROUNDS: usize = 3;
/// Unconfirmed transactions in a row; nodes relay 25.
const CHAIN: usize = 20;

/// A hundred payments, each replaced three times, every third in the end by one that does not pay us. The server dies among them.
pub async fn storm(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, STORM).await?;
    let orders = world.open_many(STORM, 500).await?;
    let coins: Vec<_> = orders.iter().map(|_| world.coins.take()).collect::<Result<_>>()?;
    let is_lost = |place: &usize| place.is_multiple_of(3);
    let dies_in = world.rng.random_range(0..=ROUNDS);
    for round in 0..=ROUNDS {
        let rate = 3 << round;
        for (place, (order, coin)) in orders.iter().zip(&coins).enumerate() {
            let is_away = round == ROUNDS && is_lost(&place);
            let paid: &[Order] = if is_away { &[] } else { from_ref(order) };
            world.pair.server.send(&world::payment(*coin, paid, rate)?).await?;
            if round == dies_in && place == STORM / 2 {
                world.kill_and_restart().await?;
            }
        }
    }
    for (place, order) in orders.iter().enumerate() {
        let state = if is_lost(&place) { "pending" } else { "seen" };
        world.checkout.becomes(&order.charge, state, None).await?;
    }
    world.settle().await?;
    for (place, order) in orders.iter().enumerate() {
        if is_lost(&place) {
            let view = world.checkout.becomes(&order.charge, "pending", None).await?;
            ensure!(view.received_sat == 0, "{view:?}");
        } else {
            world
                .checkout
                .becomes(&order.charge, "confirmed", Some("exact"))
                .await?;
        }
    }
    Ok(())
}

/// A parent that pays too little, and a child that pays for both: each pays a charge.
pub async fn child_pays(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let (first, second) = (world.open(4200).await?, world.open(4200).await?);
    let parent = world.payment_of(from_ref(&first), 1)?;
    let child = world::payment(coins::change_of(&parent)?, from_ref(&second), 40)?;
    coins::send_package(&world.pair.server, &[parent, child]).await?;
    let both = [first, second];
    world.become_all(&both, "seen", None).await?;
    if world.rng.random_bool(0.5) {
        world.kill_and_restart().await?;
    }
    world.settle().await?;
    world.become_all(&both, "confirmed", Some("exact")).await
}

/// A chain of unconfirmed payments whose first is replaced: with it all that spent it are gone, and each is known to be.
pub async fn parent_replaced(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let orders = world.open_many(CHAIN, 500).await?;
    let coin = world.coins.take()?;
    let mut last: Option<Transaction> = None;
    for order in orders.chunks(1) {
        let from = last.as_ref().map_or(Ok(coin), coins::change_of)?;
        let next = world::payment(from, order, 3)?;
        world.pair.server.send(&next).await?;
        last = Some(next);
    }
    world.become_all(&orders, "seen", None).await?;
    let (kept, lost) = orders.split_first().context("there is no chain")?;
    let replacement = world::payment(coin, from_ref(kept), 400)?;
    world.pair.server.send(&replacement).await?;
    world.become_all(lost, "pending", None).await?;
    if world.rng.random_bool(0.5) {
        world.kill_and_restart().await?;
    }
    world.settle().await?;
    world.checkout.becomes(&kept.charge, "confirmed", Some("exact")).await?;
    for order in lost {
        let view = world.checkout.becomes(&order.charge, "pending", None).await?;
        ensure!(view.received_sat == 0 && view.gone_payments.len() == 1, "{view:?}");
    }
    Ok(())
}

/// Dust is recorded and moves nothing, and it completes a sum that lacks just that. It is below a hundredth of the price, and just above
/// what nodes take, so beside the whole sum it is an excess (R8).
pub async fn dust(world: &mut World) -> Result<()> {
    const DUST: u64 = 300;
    world.coins.provide(&world.pair, 10).await?;
    let (beside, part) = (world.open(4200).await?, world.open(4200).await?);
    for order in [&beside, &part] {
        let coin = world.coins.take()?;
        let dust = coins::spend(&[coin], &[coins::output(&order.address, DUST)?], 3)?;
        world.pair.server.send(&dust).await?;
        let is_known = |view: &bitpro_charge::wire::ChargeView| view.received_sat == DUST;
        let view = world.checkout.shows(&order.charge, "the dust", is_known).await?;
        ensure!(view.state == "pending", "dust moved a state: {view:?}");
    }
    let whole = world.payment_of(from_ref(&beside), 3)?;
    let coin = world.coins.take()?;
    let rest = coins::output(&part.address, part.sats - DUST)?;
    let rest = coins::spend(&[coin], &[rest, coins::coin_output(Amount::from_sat(5_000))], 3)?;
    for payment in [whole, rest] {
        world.pair.server.send(&payment).await?;
    }
    world.settle().await?;
    world
        .checkout
        .becomes(&beside.charge, "confirmed", Some("overpaid"))
        .await?;
    world.checkout.becomes(&part.charge, "confirmed", Some("exact")).await?;
    Ok(())
}
