//! Backups while charges are made, and an instance that goes on from one.

use std::collections::HashSet;

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bitpro_tests::{App, Charge, Pair, Scene, Setup};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

/// Payment links that are followed at the same time.
const SHOPPERS: usize = 16;
/// How often a backup, and a restore, is killed.
const DEATHS: usize = 8;
const SEED: u64 = 0x0bac_4009;

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
    let early = scene.open().await?;
    for _ in 0..SHOPPERS {
        let charge = scene.open().await?;
        given.insert(scene.checkout.view(&charge).await?.address);
    }
    given.insert(scene.checkout.view(&early).await?.address);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let shoppers: Vec<_> = (0..SHOPPERS)
        .map(|_| {
            let (checkout, merchant, stopped) = (scene.checkout.clone(), scene.merchant.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut given = Vec::new();
                while !*stopped.borrow() {
                    let charge = checkout.open(&merchant, 4200).await?;
                    let address = checkout.view(&charge).await?.address;
                    given.push(address);
                }
                Ok::<_, anyhow::Error>(given)
            })
        })
        .collect();
    // One that is killed leaves no backup or a whole one, whenever it dies; one that is not leaves a whole one.
    let mut rng = StdRng::seed_from_u64(SEED);
    for _ in 0..DEATHS {
        die(&scene.app, &["backup", &name], &mut rng).await?;
        if backup.exists() {
            restores_elsewhere(&scene.app, &name).await?;
            std::fs::remove_file(&backup)?;
        }
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
    let later = scene.open().await?;
    given.insert(scene.checkout.view(&later).await?.address);
    scene.app.stop().await?;

    // A restore that is killed leaves the present database or the backup's, and no third one.
    for _ in 0..DEATHS {
        die(&scene.app, &["restore", &name, "--replace"], &mut rng).await?;
        ensure!(knows(&scene.app, &early).await?, "a charge that both hold is gone");
        if !knows(&scene.app, &later).await? {
            break;
        }
    }
    let restored: Value = serde_json::from_str(&scene.app.run(&["restore", &name, "--replace", "--json"]).await?)?;
    ensure!(restored["issuance_mark"] == "present", "{restored}");
    let kept = restored["charges"].as_u64().unwrap_or_default();
    ensure!(kept >= SHOPPERS as u64, "the backup lacks charges: {restored}");
    ensure!(!knows(&scene.app, &later).await?, "it is not the backup's database");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_destroys_nothing_that_it_is_pointed_at() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let folder = tempfile::tempdir()?;
    let named = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(named("passphrase"), "correct horse battery staple\n")?;
    std::fs::write(named("diary"), "dear diary")?;
    std::os::unix::fs::symlink(named("diary"), named("link"))?;
    let database = scene.app.folder().join("bitpro.db").display().to_string();
    for (target, code) in [
        (database.clone(), "target-in-use"),
        (format!("{database}-wal"), "target-in-use"),
        (format!("{database}.issued"), "target-in-use"),
        (named("passphrase"), "target-in-use"),
        (named("diary"), "target-is-no-backup"),
        (named("link"), "target-is-no-backup"),
        // Not /dev/null: that is the configuration file here.
        ("/dev/zero".to_owned(), "target-is-no-backup"),
    ] {
        let mut command = tokio::process::Command::from(scene.app.command()?);
        command.args(["backup", &target, "--passphrase-file", &named("passphrase")]);
        let output = command.output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(2) && said.contains(code),
            "{target}: {said}"
        );
    }
    ensure!(std::fs::read_to_string(named("diary"))? == "dear diary");
    for _ in 0..2 {
        scene.app.run(&["backup", &named("backup")]).await?;
    }
    scene.app.stop().await?;
    scene.app.start().await?;
    scene.checkout.view(&charge).await?;
    Ok(())
}

/// Runs a command of the binary, and kills it at a random instant; nothing is waited for.
async fn die(app: &App, arguments: &[&str], rng: &mut StdRng) -> Result<()> {
    let mut dying = app.command()?.args(arguments).stdout(Stdio::null()).spawn()?;
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..300))).await;
    dying.kill()?;
    dying.wait()?;
    Ok(())
}

/// Whether the database of `app`, which does not run, holds a charge.
async fn knows(app: &App, charge: &Charge) -> Result<bool> {
    match app.run_to_code(&["charge", "show", &charge.id]).await? {
        (0, _) => Ok(true),
        (3, _) => Ok(false),
        (code, said) => bail!("`charge show` ended with {code}: {said}"),
    }
}

/// The backup called `name` is whole: another machine with the same keys takes it.
async fn restores_elsewhere(app: &App, name: &str) -> Result<()> {
    let elsewhere = tempfile::tempdir()?;
    std::fs::copy(app.folder().join("seal.keys"), elsewhere.path().join("seal.keys"))?;
    let mut command = tokio::process::Command::from(app.command()?);
    command.env("BITPRO_DATA_DIR", elsewhere.path()).args(["restore", name]);
    let output = command.output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
