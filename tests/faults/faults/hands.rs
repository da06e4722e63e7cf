//! Somebody with a hand in the database wants the money of others.

use std::slice::from_ref;

use anyhow::{Result, ensure};
use bitcoin::Address;
use sqlx::Connection as _;

use crate::invariants::connect;
use crate::world::{Order, World};

/// The address of a charge is changed to a stranger's, while the server runs and while it does not: nobody is ever shown that address, and
/// money there confirms nothing.
pub async fn address_changed(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let victim = world.open(4200).await?;
    let stranger = world.pair.wallet.address().await?;
    world.become_all(from_ref(&victim), "pending", None).await?;
    swap(world, &victim.address, &stranger).await?;
    // Whatever the running server makes of it, it does not lead anybody to the stranger.
    never_shows(world, &victim, &stranger).await?;
    let payment = Order {
        address: stranger.clone(),
        ..victim.clone()
    };
    let payment = world.payment_of(&[payment], 3)?;
    world.pair.server.send(&payment).await?;
    world.share_mempools().await?;
    world.pair.mine(1).await?;
    world.app.kill()?;
    // It may refuse to start on such a file, or to serve the charge.
    world.app.launch()?;
    if world.app.recovers_or_ends().await? {
        world.app.sees_height(world.pair.server.tip().await?.height).await?;
        never_shows(world, &victim, &stranger).await?;
        world.app.kill()?;
    }
    swap(world, &stranger, &victim.address).await?;
    world.app.start().await?;
    let view = world.checkout.view(&victim.charge).await?;
    ensure!(view.address == victim.address && view.state == "pending", "{view:?}");
    Ok(())
}

/// The page and the state of the charge are refused, or as they were: the stranger's address is on neither.
async fn never_shows(world: &World, victim: &Order, stranger: &str) -> Result<()> {
    for path in [victim.charge.path.clone(), format!("{}/status", victim.charge.path)] {
        let answer = world.checkout.navigate(&path).await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(!text.contains(stranger), "{path} leads to a stranger: {status} {text}");
        ensure!(
            !text.contains("\"confirmed\""),
            "money at another address confirmed it: {text}"
        );
    }
    Ok(())
}

/// Changes every script that is `from`'s into `to`'s.
async fn swap(world: &World, from: &str, to: &str) -> Result<()> {
    let [from, to] = [from, to].map(|address| address.parse::<Address<_>>().map(Address::assume_checked));
    let mut hand = connect(&world.app.database(), true).await?;
    let changed = sqlx::query("UPDATE scripts SET script = ? WHERE script = ?")
        .bind(to?.script_pubkey().into_bytes())
        .bind(from?.script_pubkey().into_bytes())
        .execute(&mut hand)
        .await?;
    hand.close().await?;
    ensure!(
        changed.rows_affected() == 1,
        "{} rows were changed",
        changed.rows_affected()
    );
    Ok(())
}
