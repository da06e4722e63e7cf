//! The demo as a person starts it: the real program, with its nodes, its server and its wallet.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{Charge, Checkout, eventually_within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long the whole demo may take to start, or to start its server anew, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);
/// The window of the examples that end by their deadline, and a little more.
const WINDOW_SECS: u64 = 301;

struct Demo {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    addresses: Value,
    http: reqwest::Client,
}

impl Demo {
    async fn start(options: &[&str]) -> Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_demo"))
            .args(["--json", "--for-tests"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("the demo has no output")?;
        let mut lines = BufReader::new(output).lines();
        let addresses = said(&mut lines).await?;
        Ok(Self {
            child,
            lines,
            addresses,
            http: reqwest::Client::new(),
        })
    }

    /// Ends it as Ctrl-C does: its children end with it, and their folders are gone.
    async fn stop(mut self) -> Result<()> {
        let id = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        kill_process(id.context("the demo has ended by itself")?, Signal::TERM)?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        ensure!(status.success(), "the demo ended with {status}");
        Ok(())
    }

    fn address(&self, name: &str) -> Result<&str> {
        self.addresses[name].as_str().with_context(|| format!("no {name}"))
    }

    async fn press(&self, button: &str, body: Value) -> Result<Value> {
        let url = format!("{}/api/{button}", self.address("wallet")?);
        let answer = self.http.post(url).json(&body).send().await?;
        let status = answer.status();
        let told: Value = answer.json().await?;
        ensure!(status.is_success(), "{button}: {told}");
        Ok(told)
    }

    async fn examples(&self) -> Result<Vec<Value>> {
        let url = format!("{}/api/state", self.address("wallet")?);
        let told: Value = self.http.get(url).send().await?.json().await?;
        Ok(told["examples"].as_array().context("no examples")?.clone())
    }

    /// Waits until every example but those that wait for `except` is in the state that it was made for.
    async fn has_examples(&self, except: &[&str]) -> Result<Vec<Value>> {
        eventually_within(PATIENCE, "the examples", async || {
            let examples = self.examples().await?;
            let waiting = |example: &&Value| {
                let is_excepted = except.iter().any(|wanted| example["wanted"] == *wanted);
                example["is_there"] != true && !is_excepted
            };
            ensure!(examples.len() == 10, "{} examples", examples.len());
            ensure!(!examples.iter().any(|example| waiting(&example)), "{examples:?}");
            Ok(examples)
        })
        .await
    }
}

async fn said(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Value> {
    let line = tokio::time::timeout(PATIENCE, lines.next_line())
        .await
        .context("the demo says nothing")?;
    Ok(serde_json::from_str(&line?.context("the demo has ended")?)?)
}

/// Something that builds the page when it is told to, by a file.
fn builder(folder: &Path) -> Result<String> {
    let script = folder.join("builder");
    let go = folder.join("go");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = demo-page ] || exit 2\nuntil [ -e '{0}' ]; do sleep 0.1; done\nexit \"$(cat '{0}')\"\n",
        go.display()
    );
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(script.display().to_string())
}

#[tokio::test]
async fn a_charge_waits_on_while_the_page_gets_its_script_behind_the_demo() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut demo = Demo::start(&["--page-by", &builder(folder.path())?]).await?;
    let checkout = Checkout::at(demo.address("server")?)?;
    let link = demo.address("checkout")?.to_owned();
    let charge: Charge = checkout.open_link(&link).await?;
    let before = checkout.view(&charge).await?;

    // Written elsewhere and moved, so that it is never found empty.
    fs::write(folder.path().join("next"), "0")?;
    fs::rename(folder.path().join("next"), folder.path().join("go"))?;
    ensure!(said(&mut demo.lines).await? == json!({ "page": "ready" }));

    let after = checkout.shows(&charge, "the charge", |_| true).await?;
    ensure!(after.state == "pending" && after.address == before.address, "{after:?}");
    demo.press("pay", json!({ "to": after.address, "sats": after.amount_sat }))
        .await?;
    checkout.becomes(&charge, "seen", None).await?;
    demo.press("mine", json!({})).await?;
    checkout.becomes(&charge, "confirmed", Some("exact")).await?;
    demo.stop().await
}

#[tokio::test]
async fn the_demo_goes_on_without_the_script_that_could_not_be_built() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("go"), "1")?;
    let demo = Demo::start(&["--page-by", &builder(folder.path())?]).await?;
    let checkout = Checkout::at(demo.address("server")?)?;
    let charge = checkout.open_link(demo.address("checkout")?).await?;
    let asked = checkout.view(&charge).await?;
    demo.press("pay", json!({ "to": asked.address, "sats": asked.amount_sat }))
        .await?;
    checkout.becomes(&charge, "seen", None).await?;
    demo.stop().await
}

#[tokio::test]
async fn the_demo_shows_a_charge_in_every_end_state_made_by_real_payments() -> Result<()> {
    let demo = Demo::start(&["--examples"]).await?;
    let by_deadline = ["timedout", "failed · underpaid", "failed · late", "failed · replaced"];
    demo.has_examples(&by_deadline).await?;
    demo.press("advance", json!({ "secs": WINDOW_SECS })).await?;
    let examples = demo.has_examples(&[]).await?;
    for wanted in [
        "pending",
        "seen",
        "confirmed · exact",
        "confirmed · overpaid",
        "confirmed · manual",
        "timedout",
        "failed · underpaid",
        "failed · late",
        "failed · replaced",
        "failed · cancelled",
    ] {
        let example = examples.iter().find(|example| example["state"] == wanted);
        let url = example.and_then(|example| example["url"].as_str());
        let page = demo
            .http
            .get(url.with_context(|| format!("no example of {wanted}"))?)
            .send()
            .await?;
        let (status, html) = (page.status(), page.text().await?);
        let state = wanted.split(' ').next().unwrap_or_default();
        ensure!(
            status.is_success() && html.contains(&format!("data-state=\"{state}\"")),
            "{wanted}: {status} {html}"
        );
    }
    demo.stop().await
}
