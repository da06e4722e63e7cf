//! Many charges at once, and a server that dies among them.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitpro_charge::wire::ChargeView;
use bitpro_tests::{Charge, Checkout, Merchant, Pair, Scene, Setup};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const MANY: usize = 500;
const AT_ONCE: usize = 16;
/// A small price, so that a transaction that pays a hundred of them stays within the lowest tier (R9).
const CENTS: u64 = 500;

/// How often the server is killed, unless the environment's `KILLS` says otherwise.
const KILLS: usize = 12;
const SHOPPERS: usize = 4;
const SEED: u64 = 0x00b1_7920;

#[tokio::test]
async fn five_hundred_charges_paid_in_one_block_are_all_confirmed() -> Result<()> {
    let scene = busy_scene().await?;
    let charges = open_many(&scene.checkout, &scene.merchant, MANY).await?;
    let views = view_many(&scene.checkout, &charges).await?;
    let addresses: HashSet<&str> = views.iter().map(|view| view.address.as_str()).collect();
    ensure!(addresses.len() == MANY, "an address was given out twice");

    for hundred in views.chunks(100) {
        let payments: Vec<(String, u64)> = hundred
            .iter()
            .map(|view| (view.address.clone(), view.amount_sat))
            .collect();
        scene.pair.wallet.pay_many(&payments).await?;
    }
    for charge in &charges {
        scene.becomes(charge, "seen", None).await?;
    }
    let before = scene.pair.server.tip().await?.height;
    scene.pair.mine(1).await?;
    ensure!(scene.pair.server.tip().await?.height == before + 1);
    ensure!(
        scene.pair.server.mempool().await?.is_empty(),
        "one block did not take them all"
    );
    for charge in &charges {
        scene.becomes(charge, "confirmed", Some("exact")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn kill_nine_at_random_instants_loses_no_charge_and_no_payment() -> Result<()> {
    let mut scene = busy_scene().await?;
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut promised: Vec<Promised> = Vec::new();
    let kills = match std::env::var("KILLS") {
        Ok(kills) => kills.parse()?,
        Err(_) => KILLS,
    };
    for _ in 0..kills {
        let shoppers: Vec<_> = (0..SHOPPERS)
            .map(|_| tokio::spawn(shop_until_it_dies(scene.checkout.clone(), scene.merchant.clone())))
            .collect();
        // The instant of death is what is random here; nothing is waited for.
        tokio::time::sleep(Duration::from_millis(rng.random_range(5..400))).await;
        let killed_under_way = promised.last().map(|last| last.charge.clone());
        if let Some(charge) = killed_under_way {
            // So that some deaths fall into the handling of a payment or of a block.
            scene.pay(&charge).await?;
            if rng.random_bool(0.5) {
                scene.pair.shopper.mine(1).await?;
            }
        }
        scene.app.kill()?;
        for shopper in shoppers {
            promised.extend(shopper.await?);
        }
        scene.app.start().await?;
    }

    ensure!(
        promised.len() >= kills,
        "hardly anybody got a charge: {}",
        promised.len()
    );
    scene.pair.mine(1).await?;
    let mut addresses = HashSet::new();
    let mut unpaid = Vec::new();
    for Promised { charge, address } in &promised {
        let view = scene.checkout.view(charge).await?;
        ensure!(
            address.as_ref().is_none_or(|address| *address == view.address),
            "its address has changed: {view:?}"
        );
        ensure!(
            addresses.insert(view.address.clone()),
            "an address was given out twice: {view:?}"
        );
        if view.remaining_sat > 0 {
            unpaid.push((view.address, view.remaining_sat));
        }
    }
    for hundred in unpaid.chunks(100) {
        scene.pair.wallet.pay_many(hundred).await?;
    }
    scene.pair.mine(1).await?;
    for Promised { charge, .. } in &promised {
        scene.becomes(charge, "confirmed", Some("exact")).await?;
    }
    Ok(())
}

/// A charge that a shopper was told of, and its address if they came to see it.
struct Promised {
    charge: Charge,
    address: Option<String>,
}

/// Opens charges until the server is gone.
async fn shop_until_it_dies(checkout: Checkout, merchant: Merchant) -> Vec<Promised> {
    let mut promised = Vec::new();
    while let Ok(charge) = checkout.open(&merchant, CENTS).await {
        let address = checkout.view(&charge).await.ok().map(|view| view.address);
        promised.push(Promised { charge, address });
    }
    promised
}

/// A scene whose limits are out of the way.
async fn busy_scene() -> Result<Scene> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_CREATE_BURST", "100000")
        .with("BITPRO_MERCHANT_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_INSTANCE_CREATE_PER_MINUTE", "60000");
    Scene::on(pair, setup, &[("gap_button", "10000")]).await
}

async fn open_many(checkout: &Checkout, merchant: &Merchant, count: usize) -> Result<Vec<Charge>> {
    stream::iter(0..count)
        .map(|_| checkout.open(merchant, CENTS))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn view_many(checkout: &Checkout, charges: &[Charge]) -> Result<Vec<ChargeView>> {
    stream::iter(charges)
        .map(|charge| checkout.view(charge))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}
