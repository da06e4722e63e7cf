//! The packaged alert rules and dashboard: promtool takes them, and every figure that they name is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::exchanges::Exchanges;
use bitpro_tests::{Pair, Scene, Setup, eventually};
use serde_json::Value;
use tokio::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/packaging/monitoring")
}

async fn promtool(arguments: &[&str]) -> Result<String> {
    let named = env::var_os("PROMTOOL").map_or_else(|| PathBuf::from("/usr/bin/promtool"), PathBuf::from);
    ensure!(
        named.is_file(),
        "there is no {}: name one by PROMTOOL, or run `cargo xtask setup`",
        named.display()
    );
    let output = Command::new(named)
        .args(arguments)
        .current_dir(folder())
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "promtool {arguments:?}: {said}");
    Ok(said)
}

/// The questions that the dashboard asks.
fn questions() -> Result<Vec<String>> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(folder().join("grafana-dashboard.json"))?)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    Ok(targets
        .filter_map(|target| target["expr"].as_str().map(str::to_owned))
        .collect())
}

#[tokio::test]
async fn rules_configuration_and_dashboard_are_taken_and_the_rules_fire_when_they_should() -> Result<()> {
    promtool(&["check", "config", "prometheus.yml"]).await?;
    promtool(&["check", "rules", "bitpro-alerts.yml"]).await?;
    promtool(&["test", "rules", "bitpro-alerts.test.yml"]).await?;
    // Each question as a rule that would record its answer.
    let rules = questions()?.into_iter().enumerate().map(|(nth, question)| {
        let question = serde_json::to_string(&question).unwrap_or_default();
        format!("      - record: question:{nth}\n        expr: {question}\n")
    });
    let text = format!(
        "groups:\n  - name: dashboard\n    rules:\n{}",
        rules.collect::<String>()
    );
    let file = tempfile::Builder::new().suffix(".yml").tempfile()?;
    fs::write(file.path(), text)?;
    promtool(&["check", "rules", file.path().to_str().context("a path in UTF-8")?]).await?;
    Ok(())
}

/// The names of our figures in a text, without what a histogram or a counter adds.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = words.filter(|word| word.starts_with("bitpro_"));
    let added = ["_bucket", "_count", "_sum"];
    let without = |word: &str| {
        added
            .iter()
            .find_map(|end| word.strip_suffix(end))
            .unwrap_or(word)
            .to_owned()
    };
    ours.map(without).collect()
}

#[tokio::test]
async fn every_figure_of_rules_and_dashboard_is_in_the_metrics() -> Result<()> {
    let pair = Pair::start().await?;
    let exchanges = Exchanges::open(&pair.clock, 50_000).await?;
    let setup = exchanges.feed(Setup::beside(&pair.server, &pair.clock));
    let scene = Scene::on(pair, setup, &[]).await?;
    scene.open().await?;
    let mut wanted = names(&fs::read_to_string(folder().join("bitpro-alerts.yml"))?);
    wanted.extend(names(&questions()?.join("\n")));
    ensure!(wanted.len() > 15, "only {wanted:?} are named");
    let metrics = format!("{}/metrics", scene.app.inside_url());
    let http = reqwest::Client::new();
    eventually("all figures to be there", async || {
        let shown = names(&http.get(&metrics).send().await?.text().await?);
        let missing: Vec<&String> = wanted.difference(&shown).collect();
        ensure!(missing.is_empty(), "{missing:?} are not in the metrics");
        Ok(())
    })
    .await
}
