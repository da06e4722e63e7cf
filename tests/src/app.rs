//! The real `bitpro` binary: configured by environment, started, asked, stopped, killed, and started again on the same data.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::wait::eventually;
use crate::{Clock, Node, ports};

/// The fixed exchange rate: EUR 50,000.00 for one bitcoin, so that a cent is 20 satoshis.
pub const CENTS_PER_BTC: u64 = 5_000_000;

/// Guards nothing but play money.
const SECRET_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// How an instance is to be set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The port to listen on at `localhost`; `None` takes a free one.
    pub port: Option<u16>,
    /// Where the node's RPC server is.
    pub node_url: String,
    /// The node's cookie file.
    pub node_cookie: PathBuf,
    /// The clock to follow; `None` leaves the machine's own.
    pub clock: Option<Clock>,
    /// More settings, by the names of their environment variables.
    pub settings: Vec<(String, String)>,
}

/// An instance with its data, running or not.
#[derive(Debug)]
pub struct App {
    setup: Setup,
    port: u16,
    metrics_port: u16,
    folder: TempDir,
    process: Option<Process>,
}

impl Setup {
    /// An instance beside `node`, on its clock.
    #[must_use]
    pub fn beside(node: &Node, clock: &Clock) -> Self {
        Self {
            port: None,
            node_url: node.rpc().url().to_owned(),
            node_cookie: node.rpc().cookie().to_owned(),
            clock: Some(clock.clone()),
            settings: Vec::new(),
        }
    }

    /// An instance by itself, for what needs no node.
    #[must_use]
    pub fn without_node() -> Self {
        Self {
            port: None,
            node_url: "http://127.0.0.1:1".to_owned(),
            node_cookie: "/nowhere/.cookie".into(),
            clock: None,
            settings: Vec::new(),
        }
    }

    /// The same, with one more setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl App {
    /// Prepares an instance with an empty database; it is not running yet.
    ///
    /// # Errors
    /// When there is no folder or no free port.
    pub fn prepare(setup: Setup) -> Result<Self> {
        let [free, metrics_port] = ports::lasting()?;
        let port = setup.port.unwrap_or(free);
        Ok(Self {
            setup,
            port,
            metrics_port,
            folder: tempfile::Builder::new().prefix("bitpro-app-").tempdir()?,
            process: None,
        })
    }

    /// How it is set up, for another instance of the same kind.
    #[must_use]
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Its database: the file that is backed up, or changed by another hand.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        let named = self.setup.settings.iter().find(|(name, _)| name == "BITPRO_DATABASE");
        match named {
            Some((_, path)) => path.into(),
            None => self.folder.path().join("bitpro.db"),
        }
    }

    /// Its public address, as in `http://localhost:8080`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Where it serves metrics and the details of its readiness, as in `http://127.0.0.1:9464`.
    #[must_use]
    pub fn inside_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.metrics_port)
    }

    /// The server's time in Unix seconds.
    #[must_use]
    pub fn now_secs(&self) -> i64 {
        let millis = match &self.setup.clock {
            Some(clock) => clock.now_millis(),
            None => crate::clock::machine_millis(),
        };
        millis / 1000
    }

    /// The folder with all that it keeps.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged since it was prepared.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Changes a setting, by the name of its environment variable, from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.setup.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a setting away again, from the next start on.
    pub fn unset(&mut self, name: &str) {
        self.setup.settings.retain(|(known, _)| known != name);
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or does not become ready; the error carries the end of its log.
    pub async fn start(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "it is running already");
        let mut command = self.command()?;
        command.arg("serve");
        let mut process = Process::start("bitpro", &command, &self.log_file())?;
        let ready = format!("{}/readyz", self.url());
        let http = reqwest::Client::new();
        let started = eventually("bitpro to be ready", || {
            let ended = process.exit_status();
            let asking = http.get(&ready).send();
            async {
                if let Some(status) = ended? {
                    return Ok(Err(anyhow!("bitpro ended with {status}")));
                }
                let status = asking.await?.status();
                ensure!(status.is_success(), "/readyz answers {status}");
                Ok(Ok(()))
            }
        })
        .await
        .and_then(|ended| ended)
        .with_context(|| self.last_lines());
        self.process = Some(process);
        started
    }

    /// Starts it and lets it come up, or die, by itself: for a death at a random instant of the start.
    ///
    /// # Errors
    /// When it is running already or cannot be run.
    pub fn launch(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "it is running already");
        let mut command = self.command()?;
        command.arg("serve");
        self.process = Some(Process::start("bitpro", &command, &self.log_file())?);
        Ok(())
    }

    /// Starts it where it must not start, and gives what it says about that.
    ///
    /// # Errors
    /// When it does not end by itself, or ends with success.
    pub async fn refuses_to_start(&mut self) -> Result<String> {
        let before = self.log().len();
        self.launch()?;
        let mut process = self.process.take().context("it was just started")?;
        let status = process.ended().await?;
        let said = self.log().split_off(before);
        ensure!(!status.success(), "it ended as if all were well: {said}");
        Ok(said)
    }

    /// Waits until it is running and ready, or has ended by itself: then `false`.
    ///
    /// # Errors
    /// When it does neither.
    pub async fn recovers_or_ends(&mut self) -> Result<bool> {
        let mut process = self.process.take().context("it is not running")?;
        let ready = format!("{}/readyz", self.url());
        let http = reqwest::Client::new();
        let lives = eventually("bitpro to recover or to end", || {
            let ended = process.exit_status();
            let asking = http.get(&ready).send();
            async {
                if ended?.is_some() {
                    return Ok(false);
                }
                let status = asking.await?.status();
                ensure!(status.is_success(), "/readyz answers {status}");
                Ok(true)
            }
        })
        .await?;
        if lives {
            self.process = Some(process);
        }
        Ok(lives)
    }

    /// Waits until `/readyz` says of a part that it is not well, and gives what it says.
    ///
    /// # Errors
    /// When it does not come to it.
    pub async fn degrades(&self, what: &str, wanted: impl Fn(&str, &str) -> bool) -> Result<String> {
        let ready = format!("{}/readyz", self.inside_url());
        let http = reqwest::Client::new();
        eventually(what, async || {
            let told: Value = serde_json::from_str(&http.get(&ready).send().await?.text().await?)?;
            let parts = told["parts"].as_array().context("no parts")?;
            let text = |part: &Value, name: &str| part[name].as_str().unwrap_or_default().to_owned();
            parts
                .iter()
                .filter(|part| part["ok"] == false)
                .find(|part| wanted(&text(part, "name"), &text(part, "says")))
                .map(|part| text(part, "says"))
                .with_context(|| format!("/readyz says {told}"))
        })
        .await
    }

    /// Waits until nothing is degraded: the node is in step, and its notifications come.
    ///
    /// # Errors
    /// When it does not become so; the error shows what is missing.
    pub async fn is_well(&self) -> Result<()> {
        // Inside, where it says what is missing.
        let ready = format!("{}/readyz", self.inside_url());
        let http = reqwest::Client::new();
        eventually("bitpro to be well", async || {
            let answer = http.get(&ready).send().await?.text().await?;
            let told: Value = serde_json::from_str(&answer)?;
            ensure!(told["status"] == "ready", "/readyz says {answer}");
            Ok(())
        })
        .await
    }

    /// Stops it in order and checks that it says so by its exit code.
    ///
    /// # Errors
    /// When it does not end, or not with success.
    pub async fn stop(&mut self) -> Result<()> {
        let mut process = self.process.take().context("it is not running")?;
        let status = process.terminate().await?;
        ensure!(status.success(), "it ended with {status}\n{}", self.last_lines());
        Ok(())
    }

    /// Kills it with no chance to tidy up.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().context("it is not running")?.kill()
    }

    /// The running process.
    ///
    /// # Errors
    /// When it is not running.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("it is not running")
    }

    /// Runs a command of the binary, as `["merchant", "list"]`, and gives what it prints.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.command()?);
        let output = command.args(arguments).output().await?;
        if !output.status.success() {
            bail!(
                "bitpro {} ended with {}:\n{}{}",
                arguments.get(..2).unwrap_or(arguments).join(" "),
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a command of the binary, and gives its exit code and what it prints on standard output.
    ///
    /// # Errors
    /// When it does not end by itself.
    pub async fn run_to_code(&self, arguments: &[&str]) -> Result<(i32, String)> {
        let mut command = tokio::process::Command::from(self.command()?);
        let output = command.args(arguments).output().await?;
        let code = output.status.code().context("it was killed")?;
        Ok((code, String::from_utf8(output.stdout)?))
    }

    /// Waits until the server knows the chain up to `height`.
    ///
    /// # Errors
    /// When it does not come to it.
    pub async fn sees_height(&self, height: u32) -> Result<()> {
        let metrics = format!("{}/metrics", self.inside_url());
        let http = reqwest::Client::new();
        eventually(&format!("the server to know block {height}"), async || {
            let text = http.get(&metrics).send().await?.text().await?;
            let known = text
                .lines()
                .find_map(|line| line.strip_prefix("bitpro_tip_height "))
                .context("the metrics show no height")?;
            ensure!(known.trim() == height.to_string(), "it knows block {known}");
            Ok(())
        })
        .await
    }

    /// The binary with this instance's settings, for what is to be started and not waited for.
    ///
    /// # Errors
    /// When there is no binary.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(program()?);
        // No setting of the person who runs this may reach the instance.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("BITPRO_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.folder.path())
            // Nor may the file of an instance that is installed on this machine.
            .env("BITPRO_CONFIG", "/dev/null")
            .env("BITPRO_NETWORK", "regtest")
            .env("BITPRO_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("BITPRO_METRICS_LISTEN", format!("127.0.0.1:{}", self.metrics_port))
            .env("BITPRO_PUBLIC_URL", self.url())
            .env("BITPRO_DATA_DIR", self.folder.path())
            .env("BITPRO_SECRET_KEY", SECRET_KEY)
            .env("BITPRO_RATE_FIXED_CENTS_PER_BTC", CENTS_PER_BTC.to_string())
            .env("BITPRO_NODE_RPC_URL", &self.setup.node_url)
            .env("BITPRO_NODE_COOKIE_FILE", &self.setup.node_cookie)
            .env("NO_COLOR", "1")
            .envs(self.setup.settings.iter().map(|(name, value)| (name, value)));
        if let Some(clock) = &self.setup.clock {
            clock.follow(&mut command)?;
        }
        Ok(command)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("bitpro.log")
    }

    fn last_lines(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// The binary to test: the one that `BITPRO_BIN` names, else the one beside this program, where cargo puts it.
///
/// # Errors
/// When there is none, saying what to do.
pub fn program() -> Result<PathBuf> {
    if let Some(named) = env::var_os("BITPRO_BIN") {
        return Ok(named.into());
    }
    let this = env::current_exe()?;
    this.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("bitpro"))
        .find(|file| file.is_file())
        .context("there is no bitpro binary: name one by BITPRO_BIN, or run `cargo build -p bitpro-server` first")
}
