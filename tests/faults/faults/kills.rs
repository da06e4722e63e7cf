//! `kill -9` of the server. The instant is what is random; nothing is waited for before it.

use std::time::Duration;

use anyhow::{Result, ensure};
use bitpro_tests::receiver::Conduct;
use bitpro_tests::{App, Checkout, Merchant, Setup};
use rand::Rng as _;

use crate::world::{self, ALL, Order, World};

/// Deaths of each kind.
const KILLS: usize = 2;
const SHOPPERS: usize = 3;
/// Deaths while the database gets its shape: it takes about a tenth of a second.
const YOUNG_DEATHS: usize = 5;
impl World {
    /// Lets up to `millis` go by.
    async fn random_instant(&mut self, millis: u64) {
        let instant = self.rng.random_range(0..millis);
        tokio::time::sleep(Duration::from_millis(instant)).await;
    }
}

/// Whatever a shopper was answered stands after the death.
pub async fn while_charges_are_made(world: &mut World) -> Result<()> {
    for _ in 0..KILLS {
        let shopping: Vec<_> = (0..SHOPPERS)
            .map(|_| tokio::spawn(shop_until_it_dies(world.checkout.clone(), world.merchant.clone())))
            .collect();
        world.random_instant(400).await;
        world.app.kill()?;
        for shopper in shopping {
            for order in shopper.await? {
                world.promise(order)?;
            }
        }
        world.app.start().await?;
    }
    // The next address is a new one, which `promise` sees to.
    world.open(500).await?;
    Ok(())
}

/// Opens charges until the server is gone.
async fn shop_until_it_dies(checkout: Checkout, merchant: Merchant) -> Vec<Order> {
    let mut promised = Vec::new();
    while let Ok(order) = world::open(&checkout, &merchant, 500).await {
        promised.push(order);
    }
    promised
}

/// Payments that come in around a death are all seen.
pub async fn while_payments_arrive(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 60).await?;
    for _ in 0..KILLS {
        let orders = world.open_many(20, 500).await?;
        let payments: Vec<_> = orders
            .chunks(1)
            .map(|order| world.payment_of(order, 3))
            .collect::<Result<_>>()?;
        let node = world.pair.server.rpc().clone();
        let paying = tokio::spawn(async move {
            for payment in payments {
                let raw = bitcoin::consensus::encode::serialize_hex(&payment);
                node.value("sendrawtransaction", serde_json::json!([raw])).await?;
            }
            anyhow::Ok(())
        });
        world.random_instant(200).await;
        world.kill_and_restart().await?;
        paying.await??;
        world.become_all(&orders, "seen", None).await?;
    }
    Ok(())
}

/// A block that is being taken in at a death is taken in whole.
pub async fn at_a_block(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    for _ in 0..KILLS {
        let orders = world.open_many(60, 500).await?;
        let payment = world.payment_of(&orders, 3)?;
        world.pair.shopper.send(&payment).await?;
        world.pair.shopper.mine(1).await?;
        world.random_instant(120).await;
        world.kill_and_restart().await?;
        world.become_all(&orders, "confirmed", Some("exact")).await?;
    }
    Ok(())
}

/// A reorg that is being taken in at a death is taken in whole: what left the chain is unconfirmed, and nothing else.
pub async fn at_a_reorg(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    for _ in 0..KILLS {
        let orders = world.open_many(30, 500).await?;
        let payment = world.payment_of(&orders, 3)?;
        world.pair.server.send(&payment).await?;
        world.share_mempools().await?;
        world.pair.mine(2).await?;
        world.become_all(&orders, "confirmed", Some("exact")).await?;
        let tip = world.pair.shopper.undo(2).await?;
        world.random_instant(150).await;
        world.kill_and_restart().await?;
        world.pair.server.has_tip(tip).await?;
        world.become_all(&orders, "seen", None).await?;
        world.share_mempools().await?;
        world.pair.mine(1).await?;
        world.become_all(&orders, "confirmed", Some("exact")).await?;
    }
    Ok(())
}

/// What was being delivered at a death is delivered afterwards, whether the receiver took it or not.
pub async fn while_delivering(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    for kill in 0..KILLS {
        let orders = world.open_many(40, 500).await?;
        // The second time, the receiver fails at first.
        let refused = 15 * kill;
        world.receiver.set(ALL, Conduct::StatusFirst(503, refused));
        let payment = world.payment_of(&orders, 3)?;
        world.pair.server.send(&payment).await?;
        world.random_instant(300).await;
        world.kill_and_restart().await?;
        world.become_all(&orders, "seen", None).await?;
        if refused > 0 {
            let before = world.receiver.received().len();
            ensure!(before > 0, "nothing was delivered at all");
            // All first retries are due then.
            world.advance_secs(60).await?;
        }
        world.share_mempools().await?;
        world.pair.mine(1).await?;
        world.become_all(&orders, "confirmed", Some("exact")).await?;
    }
    world.receiver.set(ALL, Conduct::Status(200));
    world.advance_secs(400).await
}

/// A database whose making was interrupted again and again works in the end.
pub async fn while_migrating(world: &mut World) -> Result<()> {
    let mut app = App::prepare(young(world))?;
    die_young(world, &mut app).await?;
    app.start().await?;
    app.is_well().await?;
    let descriptor = world.merchant.wallet.descriptor("tr(").await?;
    let id = bitpro_tests::merchant::register(&app, "young", &descriptor, &[]).await?;
    app.is_well().await?;
    let merchant = Merchant {
        id,
        wallet: world.merchant.wallet.clone(),
    };
    world::open(&Checkout::of(&app)?, &merchant, 500).await?;
    app.stop().await
}

/// A server of its own beside the world's node.
fn young(world: &World) -> Setup {
    let mut setup = world.app.setup().clone();
    setup.port = None;
    setup.settings.retain(|(name, _)| name != "BITPRO_DATABASE");
    setup
}

async fn die_young(world: &mut World, app: &mut App) -> Result<()> {
    for _ in 0..YOUNG_DEATHS {
        app.launch()?;
        world.random_instant(200).await;
        app.kill()?;
    }
    Ok(())
}
