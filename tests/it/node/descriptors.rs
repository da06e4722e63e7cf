//! Wallets that are connected while the server runs: what was paid to them before, and how soon they are payable (R27).

use anyhow::{Context as _, Result, ensure};
use bitpro_node::{IssuedRange, ScanRequest};
use bitpro_tests::merchant::register;
use bitpro_tests::{Checkout, Merchant, Pair, Scene, Setup, Wallet, eventually};
use serde_json::json;

use super::watched::{Watched, id, script_of};

#[tokio::test]
async fn r27_the_mempool_is_looked_through_again_before_a_scanned_wallet_gives_out_addresses() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let descriptor = pair.wallet.descriptor("wpkh(").await?;
    let addresses = addresses(&pair.wallet, &descriptor).await?;
    let txid = pair.wallet.pay(&addresses[3], 84_000).await?;
    is_looked_at(&watched, &pair).await?;
    ensure!(watched.charges.read(|kept| kept.whereabouts(id(txid))).is_none());

    let scripts: Vec<Vec<u8>> = addresses
        .iter()
        .map(|address| Ok(script_of(address)?.to_bytes()))
        .collect::<Result<_>>()?;
    watched.charges.change(|kept| kept.ahead.insert(4, scripts));
    let range = IssuedRange { descriptor, highest: 9 };
    watched.charges.want(vec![ScanRequest { id: 4, range }]);
    eventually("the wallet to be open", async || {
        let wanted = watched.charges.read(|kept| kept.wanted.clone());
        ensure!(wanted.is_empty(), "{wanted:?}; {:?}", watched.status()?);
        Ok(())
    })
    .await?;
    ensure!(
        watched.charges.read(|kept| kept.known_at_opening.contains(&id(txid))),
        "addresses were given out before the mempool was looked through"
    );
    Ok(())
}

#[tokio::test]
async fn r27_a_payment_that_was_looked_at_before_its_script_was_watched_is_found_and_no_younger_than_it_is()
-> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = pair.wallet.address().await?;
    let txid = pair.wallet.pay(&address, 84_000).await?;
    let paid_by = {
        pair.server.has_in_mempool(txid).await?;
        watched.knows_everything().await?;
        watched
            .charges
            .read(|kept| kept.observed_until)
            .context("nothing was observed")?
    };
    is_looked_at(&watched, &pair).await?;
    watched.clock.advance_secs(600);
    watched.knows_everything().await?;
    watched.charges.watch(script_of(&address)?.as_bytes());
    let found = watched.sees(txid).await?;
    ensure!(
        found.first_seen.latest <= paid_by.plus_secs(1),
        "it was there all the time: {found:?}, {paid_by:?}"
    );
    Ok(())
}

#[tokio::test]
async fn r27_money_that_waits_in_the_mempool_when_its_wallet_is_connected_confirms_nobodys_charge() -> Result<()> {
    let scene = Scene::start().await?;
    let wallet = Wallet::create(scene.pair.shopper.rpc(), "second").await?;
    let descriptor = wallet.descriptor("wpkh(").await?;
    let addresses = addresses(&wallet, &descriptor).await?;
    for index in [0, 2] {
        let txid = scene.pair.wallet.pay(&addresses[index], 84_000).await?;
        scene.pair.server.has_in_mempool(txid).await?;
    }
    // The server has looked at all that came before this.
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;

    let id = register(&scene.app, "second", &descriptor, &[("grace_secs", "0")]).await?;
    let second = Merchant { id, wallet };
    for expected in [1, 3] {
        let charge = scene.checkout.open(&second, 4200).await?;
        let asked = scene.checkout.view(&charge).await?;
        ensure!(
            asked.address == addresses[expected],
            "{} is not index {expected}",
            asked.address
        );
    }
    let charge = scene.checkout.open(&second, 4200).await?;
    scene.pair.mine(1).await?;
    scene.app.sees_height(scene.pair.server.tip().await?.height).await?;
    let view = scene.checkout.view(&charge).await?;
    ensure!(view.state == "pending" && view.received_sat == 0, "{view:?}");
    Ok(())
}

#[tokio::test]
async fn a_new_wallet_is_payable_at_once_however_seldom_the_node_is_polled() -> Result<()> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock).with("BITPRO_NODE_POLL_MS", "60000");
    let scene = Scene::on(pair, setup, &[]).await?;
    let second = Merchant::add(&scene.app, &scene.pair.shopper, "second", &[]).await?;
    // The command has waited for the look into the UTXO set, which has not waited for the poll.
    let charge = Checkout::of(&scene.app)?.open(&second, 4200).await?;
    ensure!(scene.checkout.view(&charge).await?.state == "pending");
    Ok(())
}

/// Waits until the watcher has looked at everything that is in the mempool now.
async fn is_looked_at(watched: &Watched, pair: &Pair) -> Result<()> {
    let address = watched.address(&pair.wallet).await?;
    let later = pair.wallet.pay(&address, 50_000).await?;
    watched.sees(later).await?;
    Ok(())
}

async fn addresses(wallet: &Wallet, descriptor: &str) -> Result<Vec<String>> {
    wallet.rpc().call("deriveaddresses", json!([descriptor, [0, 9]])).await
}
