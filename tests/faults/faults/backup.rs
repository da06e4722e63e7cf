//! A backup is restored, older than what was promised since.

use std::path::Path;
use std::slice::from_ref;

use anyhow::{Context as _, Result, ensure};

use crate::invariants::Kept;
use crate::world::World;

/// The database of before comes back, and the issuance mark stays, as the guide says: no address is given out again, neither of the
/// descriptor that the backup knows nor of one that it does not (R28), and money for charges that it does not know moves no other.
pub async fn restored(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 20).await?;
    let known = world.open(4200).await?;
    let payment = world.payment_of(from_ref(&known), 3)?;
    world.pair.server.send(&payment).await?;
    world.settle().await?;
    world.app.stop().await?;
    let database = world.app.database();
    let backup = world.app.folder().join("backup.db");
    std::fs::copy(&database, &backup)?;
    world.app.start().await?;

    let before = world.promised.len();
    let mut forgotten = world.open_many(3, 4200).await?;
    let first = world.merchant.wallet.descriptor("wpkh(").await?;
    // Each time another wallet, which the backup never met.
    let name = format!("after-backup-{before}");
    let other = bitpro_tests::Wallet::create(world.pair.shopper.rpc(), &name).await?;
    let second = other.descriptor("wpkh(").await?;
    world.merchant.set(&world.app, &[("descriptor", &second)]).await?;
    world.app.is_well().await?;
    forgotten.extend(world.open_many(3, 4200).await?);
    let late = world.payment_of(&forgotten[..1], 3)?;
    world.pair.server.send(&late).await?;
    world.settle().await?;
    world
        .checkout
        .becomes(&forgotten[0].charge, "confirmed", Some("exact"))
        .await?;

    world.app.stop().await?;
    let received = world.receiver.received().len();
    restore(&backup, &database)?;
    world.promised.truncate(before);
    world.told.was_restored(received, &Kept::read(&database).await?);
    world.app.start().await?;
    world.app.is_well().await?;
    // `promise` sees that none of these addresses was ever given out.
    let after = world.open_many(3, 4200).await?;
    world.merchant.set(&world.app, &[("descriptor", &second)]).await?;
    world.app.is_well().await?;
    let after_second = world.open_many(3, 4200).await?;
    // Shoppers of before pay what they were promised: it is nobody else's.
    let late = world.payment_of(&forgotten[1..], 3)?;
    world.pair.server.send(&late).await?;
    world.settle().await?;
    for order in after.iter().chain(&after_second) {
        let view = world.checkout.view(&order.charge).await?;
        ensure!(
            view.state == "pending" && view.received_sat == 0,
            "another's money moved it: {view:?}"
        );
    }
    world.merchant.set(&world.app, &[("descriptor", &first)]).await?;
    world.app.is_well().await?;
    world
        .checkout
        .becomes(&known.charge, "confirmed", Some("exact"))
        .await?;
    Ok(())
}

/// Puts the file in its place; what belongs to the other one goes, and the mark and the journal of nonces stay.
fn restore(backup: &Path, database: &Path) -> Result<()> {
    for end in ["-wal", "-shm"] {
        let mut beside = database.as_os_str().to_owned();
        beside.push(end);
        if Path::new(&beside).exists() {
            std::fs::remove_file(&beside).context("cannot remove the journal")?;
        }
    }
    std::fs::copy(backup, database)?;
    Ok(())
}
