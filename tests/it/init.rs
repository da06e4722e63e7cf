//! `bitpro init`: from nothing to a server that can be started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use bitpro_charge::Network;
use bitpro_tests::process::Process;
use bitpro_tests::{Clock, Node, Proxy, Role, app, eventually};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A home with nothing in it, and a place for the data.
struct Home(TempDir);

impl Home {
    fn new() -> Result<Self> {
        Ok(Self(tempfile::Builder::new().prefix("bitpro-init-").tempdir()?))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// What a node of this person would have left there.
    fn has_node(&self, node: &Node) -> Result<()> {
        let data = self.path(".bitcoin");
        fs::create_dir_all(data.join("regtest"))?;
        fs::copy(node.rpc().cookie(), data.join("regtest/.cookie"))?;
        let (_, port) = node.rpc().url().rsplit_once(':').context("the node has a port")?;
        fs::write(
            data.join("bitcoin.conf"),
            format!("regtest=1\n[regtest]\nrpcport={port}\n"),
        )?;
        Ok(())
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(app::program()?);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BITPRO_") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.0.path())
            .env("NO_COLOR", "1")
            .current_dir(self.0.path());
        command.args(["--config", "bitpro.toml"]);
        Ok(command)
    }

    async fn init(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self
            .command()?
            .arg("init")
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await?)
    }

    /// Everything that lies in the home, but for what a node left.
    fn files(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.0.path())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name != ".bitcoin");
        names.sort();
        Ok(names)
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

#[tokio::test]
async fn init_finds_the_node_and_the_server_starts_and_a_second_run_changes_nothing() -> Result<()> {
    let node = Node::start(Role::Server, &Clock::new()?).await?;
    let home = Home::new()?;
    home.has_node(&node)?;
    let port = Proxy::free_port()?;
    let (data, url, listen) = (
        home.text("data"),
        format!("http://localhost:{port}"),
        format!("127.0.0.1:{port}"),
    );
    let arguments = [
        "--network",
        "regtest",
        "--data-dir",
        &data,
        "--public-url",
        &url,
        "--listen",
        &listen,
        "--owner",
        "ada@shop.example",
        "--merchant",
        "Corner Shop",
    ];
    let done = home.init(&arguments).await?;
    let said = out(&done);
    ensure!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    for part in ["wrote", "regtest", "secret.key", "Corner Shop", "serve", "check"] {
        ensure!(said.contains(part), "{part} is not told: {said}");
    }
    let link = said
        .split_whitespace()
        .find(|word| word.starts_with(&url))
        .context("no link")?
        .to_owned();
    let file = fs::read_to_string(home.path("bitpro.toml"))?;
    for line in [
        "network = \"regtest\"",
        "node_cookie_file = ",
        "# The chain this instance serves.",
    ] {
        ensure!(file.contains(line), "{line} is not in {file}");
    }
    ensure!(mode(&home.path("bitpro.toml"))? == 0o600 && mode(&home.path("data/secret.key"))? == 0o600);
    ensure!(mode(&home.path("data"))? == 0o700);

    let key = fs::read(home.path("data/secret.key"))?;
    let again = home.init(&arguments).await?;
    let said = out(&again);
    ensure!(
        again.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&again.stderr)
    );
    ensure!(said.contains("nothing to add") && said.contains("left"), "{said}");
    ensure!(fs::read_to_string(home.path("bitpro.toml"))? == file && fs::read(home.path("data/secret.key"))? == key);
    ensure!(home.files()? == ["bitpro.toml", "data"], "{:?}", home.files()?);

    let mut serve = home.command()?;
    let _server = Process::start("bitpro", serve.arg("serve").as_std(), &home.path("log"))?;
    let http = reqwest::Client::new();
    eventually("the link to lead to a form", async || {
        let page = http.get(&link).send().await?.error_for_status()?.text().await?;
        ensure!(page.contains("password"), "{page}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_half_done() -> Result<()> {
    let node = Node::start(Role::Server, &Clock::new()?).await?;
    let signet = Node::start_on(Network::Signet, Role::Server, &Clock::new()?).await?;
    let home = Home::new()?;
    let data = home.text("data");
    let (url, cookie) = (node.rpc().url().to_owned(), node.rpc().cookie().display().to_string());
    let (other_url, other_cookie) = (
        signet.rpc().url().to_owned(),
        signet.rpc().cookie().display().to_string(),
    );
    let ours = ["--node-url", &url, "--node-cookie", &cookie, "--data-dir", &data];
    let theirs = [
        "--node-url",
        &other_url,
        "--node-cookie",
        &other_cookie,
        "--data-dir",
        &data,
    ];
    let nobody = [
        "--node-url",
        "http://127.0.0.1:1",
        "--node-cookie",
        &cookie,
        "--data-dir",
        &data,
    ];
    for (node, more, code, wrong) in [
        (&ours, &["--network", "testnet3"][..], 2, "network-unknown"),
        (&ours, &[], 2, "network-missing"),
        (&ours, &["--network", "mainnet"], 2, "public-url-missing"),
        (
            &ours,
            &["--network", "regtest", "--public-url", "pay.example"],
            2,
            "public-url-wrong",
        ),
        (
            &ours,
            &["--network", "regtest", "--listen", "8080"],
            2,
            "configuration-wrong: listen",
        ),
        (
            &ours,
            &["--network", "regtest", "--owner", "ada", "--merchant", "Shop"],
            2,
            "owner-wrong",
        ),
        (
            &ours,
            &["--network", "regtest", "--owner", "a@shop.example", "--merchant", " "],
            2,
            "merchant-wrong",
        ),
        (&theirs, &["--network", "regtest"], 1, "another network"),
        (&nobody, &["--network", "regtest"], 1, "node-not-usable"),
    ] {
        let arguments: Vec<&str> = node.iter().chain(more).copied().collect();
        let output = home.init(&arguments).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(code) && said.contains(wrong),
            "{more:?}: {said}"
        );
        ensure!(home.files()?.is_empty(), "{more:?} left {:?}", home.files()?);
    }

    // What is written is not written over.
    fs::write(home.path("bitpro.toml"), "network = \"signet\" # mine\n")?;
    let arguments: Vec<&str> = ours.iter().chain(&["--network", "regtest"]).copied().collect();
    let output = home.init(&arguments).await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(2) && said.contains("already-set"),
        "{said}"
    );
    ensure!(fs::read_to_string(home.path("bitpro.toml"))? == "network = \"signet\" # mine\n");
    ensure!(home.files()? == ["bitpro.toml"]);
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_not_there_yet_can_be_left_for_later() -> Result<()> {
    let home = Home::new()?;
    let data = home.text("data");
    let arguments = ["--network", "regtest", "--data-dir", &data, "--without-node"];
    let output = home.init(&arguments).await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ensure!(home.path("data/secret.key").exists());
    Ok(())
}

#[tokio::test]
async fn at_a_terminal_it_asks_for_what_is_missing() -> Result<()> {
    let node = Node::start(Role::Server, &Clock::new()?).await?;
    let home = Home::new()?;
    home.has_node(&node)?;
    let program = app::program()?.display().to_string();
    // A terminal of its own, as a person has one. The answers: network, folder, a wrong address and none, owner, shop.
    let mut terminal = Command::new("script");
    let mut asked = terminal
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{program} --config bitpro.toml init"))
        .arg("/dev/null")
        .env("HOME", home.0.path())
        .env_remove("BITPRO_CONFIG")
        .current_dir(home.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let answers = format!(
        "regtest\n{}\npay.example\n\nada@shop.example\nCorner Shop\n",
        home.text("data")
    );
    let mut typed = asked.stdin.take().context("no input")?;
    typed.write_all(answers.as_bytes()).await?;
    let output = asked.wait_with_output().await?;
    drop(typed);
    let said = out(&output);
    ensure!(output.status.success(), "{said}");
    ensure!(
        said.contains("public-url-wrong") && said.contains("Corner Shop"),
        "{said}"
    );
    ensure!(home.path("data/secret.key").exists(), "{said}");
    Ok(())
}
