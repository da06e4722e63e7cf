//! A machine whose clock was wrong for a moment: the real binary under a clock that a test can turn (R32).

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::scene::WINDOW_SECS;
use bitpro_tests::{Scene, eventually};
use serde_json::Value;

const TWO_HOURS: u64 = 7_200;

/// What `/readyz` says of the clock.
async fn clock_part(scene: &Scene) -> Result<(bool, String)> {
    let ready = format!("{}/readyz", scene.app.inside_url());
    let told = scene.checkout.http().get(ready).send().await?;
    let told: Value = serde_json::from_str(&told.text().await?)?;
    let parts = told["parts"].as_array().context("no parts")?;
    let part = parts.iter().find(|part| part["name"] == "clock").context("no clock")?;
    Ok((part["ok"] == true, part["says"].as_str().unwrap_or_default().to_owned()))
}

#[tokio::test]
async fn r32_a_wrong_moment_is_told_stops_nothing_and_is_taken_back() -> Result<()> {
    let mut scene = Scene::start().await?;
    let right = scene.app.now_secs() * 1_000;
    // Only the server's clock is wrong: the nodes keep theirs.
    scene.pair.clock.advance_secs(TWO_HOURS)?;
    let within = scene.open().await?;
    scene.pair.clock.step_back_secs(TWO_HOURS)?;

    let (is_ok, says) = clock_part(&scene).await?;
    ensure!(!is_ok && says.contains("bitpro clock show"), "{says}");
    let shown: Value = serde_json::from_str(&scene.app.run(&["clock", "show", "--json"]).await?)?;
    let ahead = shown["ahead_secs"].as_u64().context("no lead")?;
    ensure!((TWO_HOURS - 5..=TWO_HOURS + 5).contains(&ahead), "{shown}");
    // Selling and being paid go on.
    scene.pay_seen(&within).await?;
    let after = scene.open().await?;
    scene.pay_seen(&after).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&within, "confirmed", Some("exact")).await?;
    scene.becomes(&after, "confirmed", Some("exact")).await?;

    let waiting = scene.open().await?;
    let accepted = scene.app.run(&["clock", "accept", "--json"]).await?;
    ensure!(accepted.contains("begins-anew"), "{accepted}");
    eventually("the server to go by the machine's clock", async || {
        let (is_ok, says) = clock_part(&scene).await?;
        ensure!(is_ok, "{says}");
        Ok(())
    })
    .await?;
    scene.app.is_well().await?;
    scene.becomes(&waiting, "failed", Some("cancelled")).await?;
    let fresh = scene.open().await?;
    let view = scene.checkout.view(&fresh).await?;
    ensure!((right..right + 600_000).contains(&view.now), "{view:?}");
    ensure!(
        view.expires_at <= view.now + i64::try_from(WINDOW_SECS * 1_000)?,
        "{view:?}"
    );
    scene.pay_seen(&fresh).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&fresh, "confirmed", Some("exact")).await?;
    ensure!(
        scene.app.log().contains("the machine's clock was accepted"),
        "the log says nothing"
    );

    // Without a server the command line does it itself; there is nothing to do.
    scene.app.stop().await?;
    let nothing = scene.app.run(&["clock", "accept"]).await?;
    ensure!(nothing.contains("nothing to accept"), "{nothing}");
    Ok(())
}
