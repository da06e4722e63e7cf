//! The market's rate: what it makes of a price, and what happens when there is none.

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::exchanges::{Exchanges, NAMES};
use bitpro_tests::{App, Charge, Pair, Scene, Setup, eventually};
use serde_json::Value;

/// The scene with rates from `euros` at three exchanges.
async fn scene_at(euros: u64, settings: &[(&str, &str)]) -> Result<(Scene, Exchanges)> {
    let pair = Pair::start().await?;
    let exchanges = Exchanges::open(&pair.clock, euros).await?;
    let setup = exchanges.feed(Setup::beside(&pair.server, &pair.clock));
    Ok((Scene::on(pair, setup, settings).await?, exchanges))
}

async fn document(scene: &Scene, charge: &Charge) -> Result<Value> {
    let printed = scene.app.run(&["charge", "show", &charge.id, "--json"]).await?;
    Ok(serde_json::from_str(&printed)?)
}

/// Presses a payment link, and gives status and page.
async fn press(scene: &Scene) -> Result<(u16, String)> {
    let link = format!("{}?fiat_price_cents=4200", scene.merchant.path());
    let response = scene.checkout.navigate(&link).await?;
    Ok((response.status().as_u16(), response.text().await?))
}

#[tokio::test]
async fn r29_the_amount_follows_the_market_and_the_charge_names_its_sources() -> Result<()> {
    let (scene, exchanges) = scene_at(60_000, &[]).await?;
    let charge = scene.open().await?;
    // EUR 42 at EUR 60,000.
    let view = scene.checkout.view(&charge).await?;
    ensure!(view.amount_sat == 70_000, "{view:?}");
    let shown = document(&scene, &charge).await?;
    ensure!(shown["rate_cents_per_btc"] == 6_000_000, "{shown}");
    ensure!(shown["rate_spread_bps"] == 0, "{shown}");
    let source = shown["rate_source"].as_str().context("a charge names its sources")?;
    for name in NAMES {
        ensure!(source.contains(name), "{name} is not in {source}");
    }

    // R44: the payment carries the rate of its own time.
    for name in NAMES {
        exchanges.set(name, 60_600);
    }
    eventually("the server to know the new rate", async || {
        let fresh = scene.open().await?;
        let shown = document(&scene, &fresh).await?;
        ensure!(shown["rate_cents_per_btc"] == 6_060_000, "{shown}");
        Ok(())
    })
    .await?;
    scene.pay_seen(&charge).await?;
    let paid = document(&scene, &charge).await?;
    ensure!(paid["payments"][0]["rate_cents_per_btc"] == 6_060_000, "{paid}");
    ensure!(paid["rate_cents_per_btc"] == 6_000_000, "{paid}");
    Ok(())
}

#[tokio::test]
async fn r29_one_exchange_that_errs_changes_no_amount_and_the_merchants_spread_raises_it() -> Result<()> {
    let (scene, exchanges) = scene_at(60_000, &[("rate_spread_bps", "200")]).await?;
    exchanges.set("bitstamp", 600);
    let charge = scene.open().await?;
    let view = scene.checkout.view(&charge).await?;
    ensure!(view.amount_sat == 71_400, "{view:?}");
    let shown = document(&scene, &charge).await?;
    ensure!(
        shown["rate_spread_bps"] == 200 && shown["rate_cents_per_btc"] == 6_000_000,
        "{shown}"
    );
    Ok(())
}

#[tokio::test]
async fn r29_without_a_fresh_rate_nothing_is_created_and_the_shopper_is_told() -> Result<()> {
    let (scene, exchanges) = scene_at(60_000, &[]).await?;
    let before = scene.open().await?;
    exchanges.freeze();
    scene.pair.clock.advance_secs(121)?;
    let (status, page) = press(&scene).await?;
    ensure!(status == 503, "the link answered {status}: {page}");
    ensure!(page.contains("<html"), "no page for the shopper: {page}");
    let listed = scene.app.run(&["charge", "list", "--json"]).await?;
    let listed: Value = serde_json::from_str(&listed)?;
    ensure!(listed.as_array().is_some_and(|charges| charges.len() == 1), "{listed}");
    let ready: Value = scene
        .checkout
        .http()
        .get(scene.checkout.url("/readyz")?)
        .send()
        .await?
        .json()
        .await?;
    ensure!(ready["status"] == "degraded", "{ready}");
    // What was promised stays promised.
    ensure!(
        scene.checkout.view(&before).await?.amount_sat == 70_000,
        "the old charge changed"
    );

    for name in NAMES {
        exchanges.set(name, 61_000);
    }
    eventually("charges to be made again", async || {
        let (status, _) = press(&scene).await?;
        ensure!(status == 303, "the link answers {status}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn r42_mainnet_is_served_at_the_markets_rate_only() -> Result<()> {
    let pair = Pair::start().await?;
    let exchanges = Exchanges::open(&pair.clock, 60_000).await?;
    let mainnet = || Setup::beside(&pair.server, &pair.clock).with("BITPRO_NETWORK", "mainnet");
    let mut fixed = App::prepare(mainnet())?;
    let refusal = fixed.start().await.err().context("it started with a fixed rate")?;
    ensure!(format!("{refusal:#}").contains("test money"), "{refusal:#}");

    // Its node is away, so nothing can be sold; but it serves, and says so.
    let mut live = App::prepare(
        exchanges
            .feed(mainnet())
            .with("BITPRO_NODE_RPC_URL", "http://127.0.0.1:1"),
    )?;
    live.start().await?;
    live.stop().await
}

#[tokio::test]
async fn a_probe_shows_each_exchange_and_what_becomes_of_it() -> Result<()> {
    let pair = Pair::start().await?;
    let exchanges = Exchanges::open(&pair.clock, 60_000).await?;
    exchanges.set("binance", 90_000);
    let app = App::prepare(exchanges.feed(Setup::beside(&pair.server, &pair.clock)))?;
    let shown = app.run(&["rate", "--probe"]).await?;
    for line in [
        "kraken    EUR 60000.00",
        "bitstamp  EUR 60000.00",
        "binance   EUR 90000.00",
    ] {
        ensure!(shown.contains(line), "{line} is not in\n{shown}");
    }
    ensure!(
        shown.contains("outlier") && shown.contains("market    EUR 60000.00 by 2 of 3"),
        "{shown}"
    );
    ensure!(
        app.run(&["check"]).await.is_ok_and(|check| check.contains("rate")),
        "check says nothing of the rate"
    );

    exchanges.set("kraken", 75_000);
    let error = app
        .run(&["rate"])
        .await
        .err()
        .context("three that contradict each other gave a rate")?;
    ensure!(error.to_string().contains("contradict"), "{error}");
    Ok(())
}
