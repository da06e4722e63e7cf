//! The file that everything is kept in: no room for it, somebody else at it.

use std::slice::from_ref;

use anyhow::{Result, anyhow, bail, ensure};
use bitpro_tests::App;
use reqwest::StatusCode;
use sqlx::Connection as _;

use crate::invariants::connect;
use crate::world::World;

/// Far more charges than fit into what a journal of the usual size has left.
const MOST_ON_A_FULL_DISK: usize = 5_000;

/// What a link is answered while charges cannot be stored: a refusal that says so, or nothing, if the server chose to end. Never a charge.
async fn is_refused(world: &World) -> Result<()> {
    let path = format!("{}?fiat_price_cents=4200", world.merchant.path());
    let Ok(answer) = world.checkout.navigate(&path).await else {
        return Ok(());
    };
    let status = answer.status();
    ensure!(
        status == StatusCode::SERVICE_UNAVAILABLE,
        "the link answers {status}: {}",
        answer.text().await?
    );
    Ok(())
}

/// Whether a link could not be followed because charges cannot be stored: the server says so, or it has chosen to end.
fn is_refusal(error: &anyhow::Error) -> Result<()> {
    let said = format!("{error:#}");
    let is_told = said.contains("answered 503") || error.chain().any(|cause| cause.is::<reqwest::Error>());
    ensure!(is_told, "the link was refused otherwise: {said}");
    Ok(())
}

/// The disk is full: nothing is promised that cannot be kept, and once there is room again everything is found.
pub async fn disk_full(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let order = world.open(4200).await?;
    world
        .disk
        .as_ref()
        .map_err(|why| anyhow!("THE DISK CANNOT BE FILLED: {why}"))?
        .fill()?;
    // The journal has room left in itself for some: those are promised like any others.
    let mut refused = Err(anyhow!("a full disk refuses nothing"));
    for _ in 0..MOST_ON_A_FULL_DISK {
        match world.open(500).await {
            Ok(_) => {}
            Err(error) => {
                refused = is_refusal(&error);
                break;
            }
        }
    }
    let payment = world.payment_of(from_ref(&order), 3)?;
    world.pair.server.send(&payment).await?;
    if let Ok(disk) = &world.disk {
        disk.free()?;
    }
    refused?;
    if !world.app.recovers_or_ends().await? {
        world.app.start().await?;
    }
    world.checkout.becomes(&order.charge, "seen", None).await?;
    world.settles_paid(&order).await
}

/// Another program holds the database: what has to be written is refused until it lets go, and then everything is found.
pub async fn locked(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let order = world.open(4200).await?;
    let mut other = connect(&world.app.database(), true).await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await?;
    let payment = world.payment_of(from_ref(&order), 3)?;
    world.pair.server.send(&payment).await?;
    let refused = is_refused(world).await;
    // What is there can be read meanwhile.
    let read = world.checkout.view(&order.charge).await;
    sqlx::query("ROLLBACK").execute(&mut other).await?;
    other.close().await?;
    refused?;
    read?;
    world.checkout.becomes(&order.charge, "seen", None).await?;
    world.open(4200).await?;
    world.settles_paid(&order).await
}

/// A second server on the same file refuses to start, and the first notices nothing.
pub async fn second_server(world: &mut World) -> Result<()> {
    let mut setup = world.app.setup().clone();
    setup.port = None;
    let database = world.app.database();
    setup.settings.retain(|(name, _)| name != "BITPRO_DATABASE");
    let mut second = App::prepare(setup.with("BITPRO_DATABASE", &database.to_string_lossy()))?;
    let said = second.refuses_to_start().await?;
    if !said.contains("in use by another server") {
        bail!("it does not say why: {said}");
    }
    world.open(4200).await?;
    world.app.is_well().await
}
