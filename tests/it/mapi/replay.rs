//! Requests that come twice, and keys that change, across the server's ends (R33).

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{Api, Scene};
use reqwest::Method;
use serde_json::json;

const SCOPES: &str = "charges:read charges:write";

#[tokio::test]
async fn r33_no_request_is_taken_twice_not_after_a_restart_and_not_after_a_kill() -> Result<()> {
    let mut scene = Scene::start().await?;
    let api = Api::add(&scene.app, &scene.merchant.id, SCOPES).await?;
    let body = json!({"fiat_price_cents": 4200}).to_string();
    let sign = |scene: &Scene, method, target, body| api.sign(method, target, body, scene.app.now_secs());
    let mut used = Vec::new();
    for (method, target, body, status) in [
        (Method::GET, "/mapi/charges", "", 200),
        (Method::POST, "/mapi/charges", body.as_str(), 201),
        // What was refused is used up, too.
        (Method::POST, "/mapi/charges", "{}", 400),
    ] {
        let signed = sign(&scene, method, target, body)?;
        api.send(&signed, &[]).await?.is(status)?;
        used.push(signed);
    }
    let nothing_is_taken = async |used: &[bitpro_tests::mapi::Signed]| -> Result<()> {
        for signed in used {
            let answer = api.send(signed, &[]).await?.is(401)?;
            ensure!(answer.text("code")? == "nonce-replayed", "{}", answer.body);
        }
        Ok(())
    };
    nothing_is_taken(&used).await?;
    scene.app.stop().await?;
    scene.app.start().await?;
    nothing_is_taken(&used).await?;
    for method in [Method::GET, Method::POST] {
        let body = if method == Method::POST { body.as_str() } else { "" };
        let signed = sign(&scene, method, "/mapi/charges", body)?;
        ensure!(
            api.send(&signed, &[]).await?.status.is_success(),
            "a fresh request is refused"
        );
        used.push(signed);
    }
    scene.app.kill()?;
    scene.app.start().await?;
    nothing_is_taken(&used).await?;
    let listed = api.get(&scene.app, "/mapi/charges").await?.is(200)?;
    ensure!(
        listed.body["charges"].as_array().map(Vec::len) == Some(2),
        "{}",
        listed.body
    );
    Ok(())
}

#[tokio::test]
async fn the_answer_to_an_idempotency_key_outlives_a_kill() -> Result<()> {
    let mut scene = Scene::start().await?;
    let api = Api::add(&scene.app, &scene.merchant.id, SCOPES).await?;
    let body = json!({"fiat_price_cents": 4200, "external_order_id": "once"}).to_string();
    let send = async |scene: &Scene| -> Result<serde_json::Value> {
        let signed = api.sign(Method::POST, "/mapi/charges", &body, scene.app.now_secs())?;
        let answer = api.send(&signed, &[("idempotency-key", "order-once")]).await?.is(201)?;
        Ok(answer.body)
    };
    let racing = futures::future::try_join_all((0..8).map(|_| send(&scene))).await?;
    scene.app.kill()?;
    scene.app.start().await?;
    let after = send(&scene).await?;
    ensure!(
        racing.iter().all(|answer| *answer == after),
        "the answers differ: {racing:?} {after}"
    );
    let listed = api.get(&scene.app, "/mapi/charges").await?.is(200)?;
    ensure!(
        listed.body["charges"].as_array().map(Vec::len) == Some(1),
        "{}",
        listed.body
    );
    Ok(())
}

#[tokio::test]
async fn keys_are_rotated_and_revoked_while_the_server_runs() -> Result<()> {
    let mut scene = Scene::start().await?;
    let old = Api::add(&scene.app, &scene.merchant.id, SCOPES).await?;
    old.get(&scene.app, "/mapi/charges").await?.is(200)?;
    let said = scene
        .app
        .run(&["key", "rotate", &old.id, "--overlap-secs", "3600", "--json"])
        .await?;
    let rotated: serde_json::Value = serde_json::from_str(&said)?;
    let mut new = old.clone();
    new.secret = rotated["secret"].as_str().context("no secret is shown")?.to_owned();
    for api in [&old, &new] {
        api.get(&scene.app, "/mapi/charges").await?.is(200)?;
    }
    // The secrets are encrypted anew under a second key, and the first one is not needed any more.
    scene.app.stop().await?;
    let keys = scene.app.folder().join("seal.keys");
    let first = std::fs::read_to_string(&keys)?;
    let second = format!("2:{}\n", "5a".repeat(31) + "a5");
    std::fs::write(&keys, format!("{first}{second}"))?;
    scene.app.start().await?;
    let said = scene.app.run(&["rekey"]).await?;
    ensure!(said.starts_with("2 of 2 secrets"), "rekey says {said}");
    scene.app.stop().await?;
    std::fs::write(&keys, first)?;
    let Err(refused) = scene.app.start().await else {
        anyhow::bail!("it starts without the key that it needs");
    };
    ensure!(
        format!("{refused:#}").contains("seal_keys has no key 2"),
        "it says {refused:#}"
    );
    scene.app.kill()?;
    std::fs::write(&keys, second)?;
    scene.app.start().await?;
    new.get(&scene.app, "/mapi/charges").await?.is(200)?;
    scene.pair.advance_secs(3600).await?;
    let ended = old.get(&scene.app, "/mapi/charges").await?.is(401)?;
    ensure!(ended.text("code")? == "signature-invalid", "{}", ended.body);
    scene.app.run(&["key", "revoke", &new.id]).await?;
    new.get(&scene.app, "/mapi/charges").await?.is(401)?;
    let listed = scene.app.run(&["key", "list"]).await?;
    ensure!(listed.contains("revoked") && !listed.contains(&new.secret), "{listed}");
    let again = Api::add(&scene.app, &scene.merchant.id, SCOPES).await?;
    ensure!(again.id != new.id, "a revoked key's id is given to another");
    Ok(())
}
