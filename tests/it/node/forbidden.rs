//! Nodes that let us do only some things, and nodes that are not ours: what the server, its check and the guide say of them.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use bitpro_charge::Network;
use bitpro_tests::{App, Clock, Node, Pair, Role, Scene, Setup, guide};

/// The user `bitpro` with the password `hunter2`, as Bitcoin Core's `rpcauth.py` writes it.
const RPCAUTH: &str =
    "-rpcauth=bitpro:00112233445566778899aabbccddeeff$f595e32e70e0cb4698af3e4b966d9966543e02f1209cbc44b88cda990a8c308d";

/// An instance that goes to its node as that user.
fn as_user(setup: Setup) -> Setup {
    setup
        .with("BITPRO_NODE_COOKIE_FILE", "")
        .with("BITPRO_NODE_RPC_USER", "bitpro")
        .with("BITPRO_NODE_RPC_PASSWORD", "hunter2")
}

/// The line of the guide that limits the user.
fn whitelist() -> Result<String> {
    let text = fs::read_to_string(guide::folder().join("install.md"))?;
    let line = text.lines().find(|line| line.starts_with("rpcwhitelist=bitpro:"));
    Ok(format!("-{}", line.context("the guide has no line for rpcwhitelist")?))
}

#[tokio::test]
async fn with_the_guides_rpcwhitelist_a_charge_is_paid_and_confirmed_and_the_check_is_green() -> Result<()> {
    let mut pair = Pair::start().await?;
    pair.server.stop().await?;
    let options = [RPCAUTH, &whitelist()?, "-rpcwhitelistdefault=0"];
    pair.server.start_again_with(&options).await?;
    pair.join().await?;
    let setup = as_user(Setup::beside(&pair.server, &pair.clock));
    let scene = Scene::on(pair, setup, &[]).await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    let said = scene.app.run(&["check"]).await?;
    ensure!(!said.contains("forbids"), "{said}");
    let said = scene.app.run(&["reconcile"]).await?;
    ensure!(!said.contains("forbids"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_method_that_the_node_forbids_is_named_by_check_and_log() -> Result<()> {
    let mut node = Node::start(Role::Server, &Clock::new()?).await?;
    node.stop().await?;
    let without = whitelist()?.replace(",getmempoolinfo", "").replace(",scantxoutset", "");
    node.start_again_with(&[RPCAUTH, &without, "-rpcwhitelistdefault=0"])
        .await?;
    let mut app = App::prepare(as_user(Setup::beside(&node, &Clock::new()?)))?;
    let (code, said) = app.run_to_code(&["check"]).await?;
    ensure!(
        code == 1 && said.contains("the node forbids getmempoolinfo, scantxoutset"),
        "{said}"
    );
    app.start().await?;
    let said = app.degrades("the node to be refused", |name, _| name == "node").await?;
    ensure!(said.contains("the node forbids getmempoolinfo"), "{said}");
    Ok(())
}

#[tokio::test]
async fn serve_ends_at_a_node_of_another_network() -> Result<()> {
    let clock = Clock::new()?;
    let node = Node::start_on(Network::Signet, Role::Server, &clock).await?;
    let mut app = App::prepare(Setup::beside(&node, &clock))?;
    let said = app.refuses_to_start().await?;
    ensure!(
        said.contains("another network") && said.contains("check network"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn notifications_at_a_unix_socket_are_named_and_the_node_is_polled() -> Result<()> {
    let clock = Clock::new()?;
    let mut node = Node::start(Role::ServerWithoutZmq, &clock).await?;
    node.stop().await?;
    let folder = tempfile::tempdir()?;
    let at = |name: &str| format!("-zmqpub{name}=unix:{}", folder.path().join(name).display());
    if node.start_again_with(&[&at("rawtx"), &at("sequence")]).await.is_err() {
        // A node that is older than 28 does not know such addresses: there is nothing to name.
        return Ok(());
    }
    let app = App::prepare(Setup::beside(&node, &clock))?;
    let said = app.run(&["check"]).await?;
    ensure!(said.contains("only tcp:// can be used"), "{said}");
    Ok(())
}
