//! Much at once.

use anyhow::Result;
use bitpro_tests::coins;

use crate::world::{self, World};

/// So small that a hundred of them in one transaction stay in the lowest tier (R9).
const CENTS: u64 = 400;
const MANY: usize = 200;
const PARTS: u64 = 50;
const CROWD: usize = 400;
const TENTHS: u64 = 10;

/// One transaction pays 200 charges, and is replaced by one that pays three quarters of them.
pub async fn one_transaction_to_many(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let orders = world.open_many(MANY, CENTS).await?;
    let coin = world.coins.take()?;
    world.pair.server.send(&world::payment(coin, &orders, 2)?).await?;
    world.become_all(&orders, "seen", None).await?;
    let (kept, lost) = orders.split_at(MANY / 4 * 3);
    world.pair.server.send(&world::payment(coin, kept, 8)?).await?;
    world.become_all(lost, "pending", None).await?;
    world.settle().await?;
    world.become_all(kept, "confirmed", Some("exact")).await
}

/// One charge is paid by 50 transactions.
pub async fn many_transactions_to_one(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 60).await?;
    let order = world.open(4200).await?;
    for _ in 0..PARTS {
        let coin = world.coins.take()?;
        let part = coins::output(&order.address, order.sats / PARTS)?;
        world.pair.server.send(&coins::spend(&[coin], &[part], 3)?).await?;
    }
    world.checkout.becomes(&order.charge, "seen", None).await?;
    world.settles_paid(&order).await
}

/// A block that nobody knew a transaction of holds 4,000 payments: ten for each of 400 charges.
pub async fn full_block(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 50).await?;
    let orders = world.open_many(CROWD, 500).await?;
    world.pair.part().await?;
    for hundred in orders.chunks(100) {
        let tenths: Vec<_> = hundred
            .iter()
            .map(|order| coins::output(&order.address, order.sats / TENTHS))
            .collect::<Result<_>>()?;
        for _ in 0..TENTHS {
            let coin = world.coins.take()?;
            world.pair.shopper.send(&coins::spend(&[coin], &tenths, 2)?).await?;
        }
    }
    world.pair.shopper.mine(1).await?;
    world.pair.join().await?;
    world.become_all(&orders, "confirmed", Some("exact")).await
}
