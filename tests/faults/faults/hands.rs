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

/// The amount of a charge is lowered while the server runs, and it is started on it: the little that is paid then confirms nothing (R1), and
/// the server's own comparison tells. Once the amount is what it was, the payment is found and counts for what it is.
pub async fn amount_changed(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let victim = world.open(4200).await?;
    world.become_all(from_ref(&victim), "pending", None).await?;
    let little = Order {
        sats: victim.sats / 50,
        ..victim.clone()
    };
    ask(world, victim.sats, little.sats).await?;
    world.app.kill()?;
    world.app.start().await?;
    let payment = world.payment_of(from_ref(&little), 3)?;
    world.pair.server.send(&payment).await?;
    world.share_mempools().await?;
    world.pair.mine(1).await?;
    world.app.sees_height(world.pair.server.tip().await?.height).await?;
    for path in [victim.charge.path.clone(), format!("{}/status", victim.charge.path)] {
        let answer = world.checkout.navigate(&path).await?;
        let status = answer.status();
        ensure!(status.is_server_error(), "{path}: {status} {}", answer.text().await?);
    }
    let (code, found) = world.app.run_to_code(&["reconcile"]).await?;
    ensure!(code == 1 && found.contains("charge-changed"), "{code}: {found}");
    world.app.kill()?;

    ask(world, little.sats, victim.sats).await?;
    world.app.start().await?;
    world.app.run(&["reconcile", "--fix"]).await?;
    let view = world.checkout.view(&victim.charge).await?;
    ensure!(view.amount_sat == victim.sats && view.state != "confirmed", "{view:?}");
    Ok(())
}

/// Changes the amount of the youngest charge.
async fn ask(world: &World, from: u64, to: u64) -> Result<()> {
    let [from, to] = [from, to].map(|sats| format!("\"amount_sat\":{sats},"));
    let mut hand = connect(&world.app.database(), true).await?;
    let changed = sqlx::query(
        "UPDATE charges SET terms = replace(terms, ?, ?) WHERE num = (SELECT MAX(num) FROM charges) AND instr(terms, ?)",
    )
    .bind(&from)
    .bind(to)
    .bind(&from)
    .execute(&mut hand)
    .await?;
    hand.close().await?;
    ensure!(changed.rows_affected() == 1, "the amount was not changed");
    Ok(())
}
