//! The command line: what an operator types, and what they are told when it is wrong.

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{App, Merchant, Pair, Scene, Setup, Wallet, merchant};
use serde_json::json;

/// What the binary says when it refuses.
async fn refusal(app: &App, arguments: &[&str]) -> Result<String> {
    match app.run(arguments).await {
        Ok(said) => anyhow::bail!("{arguments:?} was not refused: {said}"),
        Err(error) => Ok(format!("{error:#}")),
    }
}

#[tokio::test]
async fn r27_descriptors_that_cannot_be_right_are_refused_with_the_reason() -> Result<()> {
    let pair = Pair::start().await?;
    let app = App::prepare(Setup::beside(&pair.server, &pair.clock))?;
    let wallet = Wallet::create(pair.shopper.rpc(), "refused").await?;
    let good = wallet.descriptor("wpkh(").await?;
    let (body, checksum) = good.split_once('#').context("the wallet gives a checksum")?;
    let private: serde_json::Value = wallet.rpc().call("listdescriptors", json!([true])).await?;
    let private = private["descriptors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["desc"].as_str())
        .find(|descriptor| descriptor.starts_with("wpkh("))
        .context("the wallet has private keys")?;
    let damaged = format!("{body}#{}", checksum.chars().rev().collect::<String>());
    let unranged = body.replace("/*)", "/0)");
    for (descriptor, reason) in [
        (private, "private"),
        (&damaged, "checksum"),
        (&unranged, "wildcard"),
        (
            "wpkh(xpub6CUGRUonZSQ4TWtTMmzXdrXDtypWKiKrhko4egpiMZbpiaQL2jkwSB1icqYh2cfDfVxdx4df189oLKnC5fSwqPfgyP3hooxujYzAu3fDVmz/0/*)",
            "mainnet",
        ),
        (
            "combo(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/0/*)",
            "combo",
        ),
    ] {
        let said = refusal(
            &app,
            &["merchant", "add", "--name", "Refused", "--descriptor", descriptor],
        )
        .await?;
        ensure!(
            said.to_lowercase().contains(reason),
            "{descriptor} is refused without naming the {reason}: {said}"
        );
        ensure!(!said.contains("tprv"), "the refusal repeats the private key: {said}");
    }
    ensure!(
        !app.run(&["merchant", "list"]).await?.contains("Refused"),
        "a refused merchant is listed"
    );
    Ok(())
}

#[tokio::test]
async fn addresses_of_every_usual_kind_are_those_of_the_merchants_own_wallet() -> Result<()> {
    let scene = Scene::start().await?;
    let wallet = Wallet::create(scene.pair.shopper.rpc(), "kinds").await?;
    for kind in ["wpkh(", "tr(", "sh(wpkh(", "pkh("] {
        let descriptor = wallet.descriptor(kind).await?;
        let id = merchant::register(&scene.app, kind, &descriptor, &[]).await?;
        let merchant = Merchant {
            id,
            wallet: wallet.clone(),
        };
        let charge = scene.checkout.open(&merchant, 4200).await?;
        let address = scene.checkout.view(&charge).await?.address;
        let known: serde_json::Value = wallet.rpc().call("getaddressinfo", json!([address])).await?;
        ensure!(
            known["ismine"] == json!(true),
            "{kind} gave {address}, which is not the merchant's"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_merchant_added_to_a_running_server_can_be_paid_at_once() -> Result<()> {
    let scene = Scene::start().await?;
    let added = Merchant::add(&scene.app, &scene.pair.shopper, "Second shop", &[("grace_secs", "0")]).await?;
    let charge = scene.checkout.open(&added, 1000).await?;
    scene.pay_seen(&charge).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    let listed = scene.app.run(&["merchant", "list"]).await?;
    ensure!(listed.contains("Second shop") && listed.contains(&added.id), "{listed}");
    let shown = scene.app.run(&["merchant", "show", &added.id]).await?;
    ensure!(
        shown.contains("gap"),
        "the gap limit to set in the wallet is not shown: {shown}"
    );
    Ok(())
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_refused_by_name_value_and_what_would_be_right() -> Result<()> {
    let scene = Scene::start().await?;
    let said = match scene.merchant.set(&scene.app, &[("window_secs", "5")]).await {
        Ok(()) => anyhow::bail!("five seconds were taken as a window"),
        Err(error) => format!("{error:#}"),
    };
    for part in ["window", "5", "300"] {
        ensure!(said.contains(part), "{part} is not named: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn late_money_is_accepted_by_hand() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.paid_late().await?;
    scene.app.run(&["charge", "accept", &charge.id]).await?;
    scene.becomes(&charge, "seen", Some("manual")).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", None).await
}

#[tokio::test]
async fn r15_a_pending_charge_is_cancelled_and_later_money_is_late() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let asked = scene.checkout.view(&charge).await?;
    scene.app.run(&["charge", "cancel", &charge.id]).await?;
    scene.becomes(&charge, "failed", Some("cancelled")).await?;
    // A node records whole seconds: within that of the cancellation, nobody could say which came first (R5).
    scene.pair.advance_secs(2).await?;
    scene.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
    scene.becomes(&charge, "failed", Some("late")).await
}

#[tokio::test]
async fn check_has_a_line_for_each_part_and_an_exit_code() -> Result<()> {
    let mut scene = Scene::start().await?;
    let said = scene.app.run(&["check"]).await?;
    for part in ["config", "database", "node", "regtest", "clock"] {
        ensure!(said.to_lowercase().contains(part), "{part} is not checked: {said}");
    }
    scene.pair.server.stop().await?;
    let said = refusal(&scene.app, &["check"]).await?;
    ensure!(said.to_lowercase().contains("node"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_and_is_named() -> Result<()> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock).with("BITPRO_REORG_LIMIT", "many");
    let app = App::prepare(setup)?;
    let said = refusal(&app, &["serve"]).await?;
    ensure!(said.contains("BITPRO_REORG_LIMIT") && said.contains("many"), "{said}");
    Ok(())
}
