//! A database that the real Litestream copies while charges are made, the loss of its disk, and the way back by the words of the guide.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::receiver::{Conduct, Receiver};
use bitpro_tests::{Charge, Checkout, Litestream, Merchant, Pair, Scene, Setup, eventually};
use reqwest::StatusCode;
use serde_json::Value;

/// Payment links that are followed at the same time.
const SHOPPERS: usize = 16;
/// Charges that are made before the disk is lost.
const BUSY: usize = 1_500;
/// Where the webhooks lead.
const PATH: &str = "/hook";

/// A charge that a shopper has.
struct Given {
    charge: Charge,
    address: String,
    amount_sat: u64,
    /// When it was made, by the server's clock in milliseconds.
    made: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_of_a_disk_that_is_lost_under_load_the_replica_gives_back_all_but_the_last_second() -> Result<()> {
    lose_the_disk(Mark::OnTheDisk).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_a_mark_on_another_disk_leads_past_what_the_replica_does_not_know() -> Result<()> {
    lose_the_disk(Mark::Elsewhere).await
}

/// Where the issuance mark is when the disk goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    OnTheDisk,
    Elsewhere,
}

async fn lose_the_disk(mark: Mark) -> Result<()> {
    let disk = tempfile::tempdir()?;
    let folder = disk.path().join("disk");
    put_disk(&folder, mark)?;
    let mut scene = busy_scene(&folder).await?;
    let mut litestream = Litestream::beside(&scene.app)?;
    litestream.start()?;

    // A payment whose event the receiver has not taken yet.
    let receiver = Receiver::start().await?;
    receiver.set(PATH, Conduct::Status(503));
    receiver
        .add(&scene.app, &scene.merchant.id, "charge:seen", PATH)
        .await?;
    let paid = scene.open().await?;
    scene.pay_seen(&paid).await?;
    let refused = receiver
        .gets("the first attempt", |received| !received.is_empty())
        .await?;
    let told = refused[0].clone();
    // Once it is in the replica, the loss must not touch it.
    let looked_at = disk.path().join("looked-at.db");
    eventually("the replica to hold the event", async || {
        let _ = std::fs::remove_file(&looked_at);
        litestream.read_back(&looked_at).await?;
        let bytes = std::fs::read(&looked_at)?;
        let event = u128::from_str_radix(&told.event().replace('-', ""), 16)?.to_be_bytes();
        ensure!(bytes.windows(16).any(|window| window == event), "it is not there");
        Ok(())
    })
    .await?;

    let made = Arc::new(AtomicUsize::new(0));
    let shoppers: Vec<_> = (0..SHOPPERS)
        .map(|_| tokio::spawn(shop(scene.checkout.clone(), scene.merchant.clone(), Arc::clone(&made))))
        .collect();
    eventually("a busy shop", async || {
        let count = made.load(Ordering::Relaxed);
        ensure!(count >= BUSY, "{count} charges were made");
        Ok(())
    })
    .await?;
    // The disk goes, and with it the machine.
    std::fs::rename(&folder, disk.path().join("gone"))?;
    scene.app.kill()?;
    litestream.kill()?;
    let mut given = Vec::new();
    for shopper in shoppers {
        given.extend(shopper.await?);
    }
    put_disk(&folder, mark)?;

    let said = litestream.restore(&scene.app).await.with_context(|| litestream.log())?;
    let (has_mark, next_step) = match mark {
        Mark::OnTheDisk => ("missing", "scans the chain before it issues an address"),
        Mark::Elsewhere => ("present", "skips every address that the issuance mark knows"),
    };
    ensure!(said.contains(&format!("{:<20} {has_mark}", "issuance_mark")), "{said}");
    ensure!(said.contains(next_step), "{said}");
    ensure!(said.contains("deliveries_to_repeat 1"), "{said}");
    receiver.set(PATH, Conduct::Status(200));
    scene.app.start().await?;
    scene.app.is_well().await?;

    let (kept, lost) = sort_out(&scene.checkout, given).await?;
    let last_kept = kept.iter().map(|given| given.made).max().context("nothing was kept")?;
    let last_lost = lost
        .iter()
        .map(|given| given.made)
        .max()
        .context("nothing was lost: nothing was tried")?;
    let millis = last_lost - kept.first().map_or(last_lost, |first| first.made);
    let count = i64::try_from(kept.len() + lost.len())?;
    eprintln!(
        "{} charges a second; of {count}, {} are lost: {} ms",
        count * 1_000 / millis.max(1),
        lost.len(),
        last_lost - last_kept
    );
    // How long it was is for people to judge: a busy machine is behind by more, and a fast one makes more in the last second. A replica
    // that a checkpoint has broken holds nothing of the load.
    ensure!(lost.len() < 4 * kept.len(), "the replica did not keep up");

    // What was given out is with shoppers, whether its charge is there or not.
    let mut addresses: HashSet<String> = kept.iter().chain(&lost).map(|given| given.address.clone()).collect();
    ensure!(
        addresses.len() == kept.len() + lost.len(),
        "an address was given out twice before"
    );
    eventually("the wallet to be scanned", async || scene.open().await).await?;
    for _ in 0..2 * lost.len().min(50) {
        let charge = scene.open().await?;
        let address = scene.checkout.view(&charge).await?.address;
        ensure!(addresses.insert(address.clone()), "{address} was given out twice");
    }

    // What had not been taken comes again when it is due, as the same event.
    scene.pair.advance_secs(300).await?;
    let repeated = receiver
        .gets("the event again", |received| {
            received.iter().any(|one| one.answered == Some(200))
        })
        .await?;
    let repeated = repeated
        .iter()
        .find(|one| one.answered == Some(200))
        .context("it was just there")?;
    ensure!(repeated.event() == told.event(), "it has another id");

    // Who pays a charge that was lost is noticed, and the merchant has the money.
    let orphan = &lost[0];
    scene.pair.keep_time().await?;
    scene.pair.wallet.pay(&orphan.address, orphan.amount_sat).await?;
    scene.pair.mine(1).await?;
    scene.app.sees_height(scene.pair.server.tip().await?.height).await?;
    let report: Value = serde_json::from_str(&scene.app.run(&["reconcile", "--json"]).await?)?;
    let notes = report["notes"].as_array().context("no notes")?;
    ensure!(
        notes.iter().any(|note| note["code"] == "payment-without-charge"),
        "the payment of a lost charge is not noted: {report}"
    );
    // A charge that was kept goes on.
    let survivor = kept.last().context("nothing was kept")?;
    scene.pay_seen(&survivor.charge).await?;
    Ok(())
}

/// An empty disk, and the guide's link to the mark where that is on another one.
fn put_disk(folder: &Path, mark: Mark) -> Result<()> {
    std::fs::create_dir(folder)?;
    if mark == Mark::Elsewhere {
        std::os::unix::fs::symlink(folder.with_file_name("bitpro.issued"), folder.join("bitpro.db.issued"))?;
    }
    Ok(())
}

async fn busy_scene(folder: &Path) -> Result<Scene> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_DATABASE", &folder.join("bitpro.db").display().to_string())
        .with("BITPRO_WEBHOOK_ALLOW_HTTP", "true")
        .with("BITPRO_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1")
        .with("BITPRO_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_CREATE_BURST", "100000")
        .with("BITPRO_MERCHANT_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_INSTANCE_CREATE_PER_MINUTE", "60000");
    Scene::on(pair, setup, &[("gap_button", "10000")]).await
}

/// Follows links until nobody answers.
async fn shop(checkout: Checkout, merchant: Merchant, made: Arc<AtomicUsize>) -> Vec<Given> {
    let mut given = Vec::new();
    while let Ok(charge) = checkout.open(&merchant, 4200).await {
        let Ok(view) = checkout.view(&charge).await else { break };
        given.push(Given {
            charge,
            address: view.address,
            amount_sat: view.amount_sat,
            made: view.created_at,
        });
        made.fetch_add(1, Ordering::Relaxed);
    }
    given
}

/// Which charges the server still knows, and which it has lost, each in the order in which they were made.
async fn sort_out(checkout: &Checkout, given: Vec<Given>) -> Result<(Vec<Given>, Vec<Given>)> {
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for given in given {
        let url = checkout.url(&format!("{}/status", given.charge.path))?;
        match checkout.http().get(url).send().await?.status() {
            StatusCode::OK => kept.push(given),
            StatusCode::NOT_FOUND => lost.push(given),
            status => anyhow::bail!("the status answers {status}"),
        }
    }
    for charges in [&mut kept, &mut lost] {
        charges.sort_by_key(|given| given.made);
    }
    Ok((kept, lost))
}
