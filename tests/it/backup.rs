//! Backups while charges are made, and an instance that goes on from one.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use bitpro_tests::{Pair, Scene, Setup};
use serde_json::Value;

/// Payment links that are followed at the same time.
const SHOPPERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_an_instance_restored_from_a_backup_under_load_gives_out_no_address_twice() -> Result<()> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_CREATE_BURST", "100000")
        .with("BITPRO_MERCHANT_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_INSTANCE_CREATE_PER_MINUTE", "60000");
    let mut scene = Scene::on(pair, setup, &[("gap_button", "10000")]).await?;
    let folder = tempfile::tempdir()?;
    let backup = folder.path().join("backup");
    let name = backup.display().to_string();

    // What the backup certainly holds.
    let mut given = HashSet::new();
    for _ in 0..SHOPPERS {
        let charge = scene.checkout.open(&scene.merchant, 4200).await?;
        given.insert(scene.checkout.view(&charge).await?.address);
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let shoppers: Vec<_> = (0..SHOPPERS)
        .map(|_| {
            let (checkout, merchant, stopped) = (scene.checkout.clone(), scene.merchant.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut addresses = Vec::new();
                while !*stopped.borrow() {
                    let charge = checkout.open(&merchant, 4200).await?;
                    addresses.push(checkout.view(&charge).await?.address);
                }
                Ok::<_, anyhow::Error>(addresses)
            })
        })
        .collect();
    // One that is killed leaves no backup, one that is not leaves a whole one.
    for _ in 0..3 {
        let mut dying = scene
            .app
            .command()
            .map(|mut command| command.args(["backup", &name]).spawn())??;
        dying.kill()?;
        dying.wait()?;
    }
    scene.app.run(&["backup", &name]).await?;
    stop.send(true)?;
    for shopper in shoppers {
        for address in shopper.await?? {
            ensure!(
                given.insert(address.clone()),
                "{address} was given out twice before the backup"
            );
        }
    }
    ensure!(given.len() > 2 * SHOPPERS, "there was no load");

    scene.app.stop().await?;
    let restored: Value = serde_json::from_str(&scene.app.run(&["restore", &name, "--replace", "--json"]).await?)?;
    ensure!(restored["issuance_mark"] == "present", "{restored}");
    let kept = restored["charges"].as_u64().unwrap_or_default();
    ensure!(kept >= SHOPPERS as u64, "the backup lacks charges: {restored}");
    scene.app.start().await?;
    scene.app.is_well().await?;
    for _ in 0..SHOPPERS {
        let charge = scene.checkout.open(&scene.merchant, 4200).await?;
        let address = scene.checkout.view(&charge).await?.address;
        ensure!(
            given.insert(address.clone()),
            "{address} was given out twice after the restore"
        );
    }
    Ok(())
}
