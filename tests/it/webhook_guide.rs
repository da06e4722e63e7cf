//! The receivers of the guide, run as a reader would run them, and a published verifier.

use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::guide::{Language, Program};
use bitpro_tests::receiver::{Received, Receiver};
use bitpro_tests::{Scene, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::webhooks::scene;

const GUIDE: &str = "webhooks.md";

/// A receiver of the guide, with what it prints.
struct Sample {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Sample {
    async fn start(program: &Program, port: u16, secret: &str) -> Result<Self> {
        let port = port.to_string();
        let orders = json!({"A-1": 4200, "A-2": 4200}).to_string();
        let mut child = program.start(&[("PORT", &port), ("WEBHOOK_SECRET", secret), ("ORDERS", &orders)])?;
        let output = child.stdout.take().context("no output")?;
        let mut sample = Self {
            _child: child,
            lines: BufReader::new(output).lines(),
        };
        sample.says("listening").await?;
        Ok(sample)
    }

    /// Waits for exactly this line.
    async fn says(&mut self, wanted: &str) -> Result<()> {
        let waiting = tokio::time::timeout(std::time::Duration::from_secs(30), self.lines.next_line());
        let line = waiting
            .await
            .with_context(|| format!("waited in vain for {wanted}"))??;
        ensure!(line.as_deref() == Some(wanted), "it says {line:?} instead of {wanted}");
        Ok(())
    }
}

async fn paid(scene: &Scene, order: &str, cents: u64) -> Result<()> {
    let link = format!(
        "{}?fiat_price_cents={cents}&external_order_id={order}",
        scene.merchant.path()
    );
    let charge = scene.checkout.open_link(&link).await?;
    scene.pay_seen(&charge).await?;
    Ok(())
}

#[tokio::test]
async fn r21_the_guides_receivers_ship_what_is_paid_and_refuse_a_price_that_is_not_their_orders() -> Result<()> {
    for language in [Language::Ruby, Language::Python, Language::Php, Language::JavaScript] {
        let scene = scene().await?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}/hooks");
        let mut secrets = Vec::new();
        let mut ids = Vec::new();
        for state in ["charge:seen", "charge:confirmed"] {
            let said = scene
                .app
                .run(&["webhook", "add", &scene.merchant.id, state, &url, "--json"])
                .await?;
            let made: Value = serde_json::from_str(&said)?;
            secrets.push(made["secret"].as_str().context("no secret")?.to_owned());
            ids.push(made["id"].as_str().context("no id")?.to_owned());
        }
        let program = Program::of(GUIDE, language)?;
        let mut sample = Sample::start(&program, port, &secrets.join(" ")).await?;
        scene.app.run(&["webhook", "test", &ids[0]]).await?;
        sample.says("test").await?;

        paid(&scene, "A-1", 4200).await?;
        sample.says("wait A-1").await?;
        scene.pair.mine(1).await?;
        sample.says("ship A-1").await?;
        // A shopper has written a link of their own: the right order, the wrong price.
        paid(&scene, "A-2", 500).await?;
        sample.says("refuse A-2: its price is 4200, not 500").await?;
        paid(&scene, "B-9", 4200).await?;
        sample.says("refuse B-9: not an order of ours").await?;

        // A forger has no secret; and what is told again is known.
        let forged = reqwest::Client::new()
            .post(&url)
            .header("webhook-id", "x")
            .header("webhook-timestamp", scene.app.now_secs().to_string())
            .header("webhook-signature", "v1,AAAA")
            .body("{}");
        ensure!(forged.send().await?.status() == 401);
        sample.says("forged").await?;
        let said = scene.app.run(&["webhook", "deliveries", &ids[1], "--json"]).await?;
        let told: Value = serde_json::from_str(&said)?;
        let event = told[0]["event_id"].as_str().context("no event")?;
        scene
            .app
            .run(&["webhook", "redeliver", &ids[1], "--event", event])
            .await?;
        sample.says("known").await?;
    }
    Ok(())
}

/// A true delivery, signed under both secrets of a webhook that is being rotated.
async fn delivered(scene: &Scene, receiver: &Receiver) -> Result<(Received, [String; 2])> {
    let (id, former) = receiver
        .add(&scene.app, &scene.merchant.id, "charge:seen", "/hook")
        .await?;
    let said = scene.app.run(&["webhook", "rotate", &id, "--json"]).await?;
    let rotated: Value = serde_json::from_str(&said)?;
    let secret = rotated["secret"].as_str().context("no secret")?.to_owned();
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    let received = receiver.gets("the event", |received| received.len() == 1).await?;
    Ok((received[0].clone(), [former, secret]))
}

#[tokio::test]
async fn the_published_verifier_and_the_guides_shell_take_our_signatures_under_both_secrets() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    let (received, secrets) = delivered(&scene, &receiver).await?;
    let folder = tempfile::tempdir()?;
    let body = folder.path().join("body");
    std::fs::write(&body, &received.body)?;
    let body = body.display().to_string();
    let [id, timestamp, signature] = &received.headers;
    ensure!(signature.split(' ').count() == 2, "{signature}");

    let shell = Program::of(GUIDE, Language::Shell)?;
    for secret in &secrets {
        let mut variables = vec![
            ("WEBHOOK_SECRET", secret.as_str()),
            ("ID", id),
            ("TIMESTAMP", timestamp),
            ("SIGNATURE", signature),
            ("BODY", &body),
        ];
        ensure!(shell.run(&variables).await?.trim() == "genuine");
        variables[1] = ("ID", "another");
        ensure!(shell.run(&variables).await.is_err(), "another id was taken");
    }

    let python = std::env::var("BITPRO_PYTHON")
        .context("BITPRO_PYTHON names no interpreter: run the tests by `cargo xtask test integration`")?;
    let headers = json!({"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature});
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("it/verified.py"))
        .env("HEADERS", headers.to_string())
        .env("SECRETS", secrets.join(" "))
        .env("BODY", &body)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(said.trim() == "verified", "{said}{complaint}");

    // After the overlap, only the new secret signs.
    scene.pair.advance_secs(24 * 60 * 60 + 1).await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    let later = eventually("another event", async || {
        let received = receiver.received();
        received.get(1).cloned().context("nothing came")
    })
    .await?;
    ensure!(!later.headers[2].contains(' '), "{}", later.headers[2]);
    Ok(())
}
