//! Nodes that are away, that refuse us, or that are the wrong ones.

use anyhow::{Context as _, Result, ensure};
use bitpro_base::clock::{Clock as _, SystemClock};
use bitpro_charge::Network;
use bitpro_charge::wire::NodeView;
use bitpro_node::{Condition, Level, NodeAuth, NodeError, NodeStatus, probe};
use bitpro_tests::{Clock, Node, Pair, Role};
use serde_json::{Value, json};

use super::watched::{Watched, config};

#[tokio::test]
async fn wrong_credentials_are_told_and_nothing_is_done() -> Result<()> {
    let node = node_with_blocks().await?;
    let mut config = config(&node)?;
    config.auth = NodeAuth::Password {
        user: "shop".to_owned(),
        password: "wrong".to_owned(),
    };
    let lines = tokio::task::spawn_blocking({
        let config = config.clone();
        move || probe(&config, || SystemClock::default().now())
    })
    .await?;
    ensure!(lines.len() == 1 && lines[0].level == Level::Failure, "{lines:?}");
    ensure!(lines[0].text.contains("credentials"), "{lines:?}");
    let mut watched = Watched::with(config);
    watched.resume()?;
    watched
        .becomes("a refusal", |status| {
            matches!(status.condition, Condition::Failing(NodeError::Unauthorized(401)))
        })
        .await?;
    ensure!(
        watched
            .charges
            .read(|kept| kept.tip.is_none() && kept.condition == Some(NodeView::Away))
    );
    Ok(())
}

#[tokio::test]
async fn another_network_is_told_by_its_first_block() -> Result<()> {
    let node = node_with_blocks().await?;
    let mut config = config(&node)?;
    config.network = Network::Signet;
    let mut watched = Watched::with(config);
    watched.resume()?;
    watched
        .becomes("the wrong network", |status| {
            matches!(status.condition, Condition::Failing(NodeError::WrongNetwork { .. }))
        })
        .await?;
    ensure!(watched.charges.read(|kept| kept.tip.is_none()));
    Ok(())
}

#[tokio::test]
async fn testnet4_and_signet_are_known_by_their_first_block_and_waited_for() -> Result<()> {
    for network in [Network::Testnet4, Network::Signet] {
        let node = Node::start_on(network, Role::Server, &Clock::new()?).await?;
        let mut config = config(&node)?;
        config.network = network;
        let lines = tokio::task::spawn_blocking({
            let config = config.clone();
            move || probe(&config, || SystemClock::default().now())
        })
        .await?;
        let level = |subject| lines.iter().find(|line| line.subject == subject).map(|line| line.level);
        ensure!(level("network") == Some(Level::Fine), "{lines:#?}");
        ensure!(level("sync") != Some(Level::Fine), "{lines:#?}");
        let mut watched = Watched::with(config);
        watched.resume()?;
        watched.becomes("a node without the chain", is_syncing).await?;
        ensure!(
            watched
                .charges
                .read(|kept| kept.tip.is_none() && kept.condition == Some(NodeView::Syncing))
        );
    }
    Ok(())
}

#[tokio::test]
async fn r03_a_node_in_its_initial_download_proves_nothing() -> Result<()> {
    let pair = Pair::start().await?;
    let node = Node::start(Role::Server, &Clock::new()?).await?;
    let hashes = pair.shopper.mine(1).await?;
    let mut hash = *hashes.first().context("nothing was mined")?;
    let mut chain: Vec<(Value, Value)> = Vec::new();
    loop {
        let header: Value = pair.shopper.rpc().call("getblockheader", json!([hash, false])).await?;
        let parent: Value = pair.shopper.rpc().call("getblockheader", json!([hash])).await?;
        let Some(previous) = parent["previousblockhash"].as_str() else {
            break;
        };
        chain.push((header, pair.shopper.rpc().call("getblock", json!([hash, 0])).await?));
        hash = previous.parse()?;
    }
    chain.reverse();
    for (header, _) in &chain {
        node.rpc().value("submitheader", json!([header])).await?;
    }
    let mut watched = Watched::with(config(&node)?);
    watched.resume()?;
    watched.becomes("the initial download", is_syncing).await?;
    ensure!(watched.charges.read(|kept| kept.views.is_empty()));
    for (_, block) in &chain {
        node.rpc().value("submitblock", json!([block])).await?;
    }
    watched.is_ready().await?;
    watched.is_in_step_with(&node).await
}

#[tokio::test]
async fn a_node_that_restarts_has_another_cookie_and_is_found_again() -> Result<()> {
    let mut node = node_with_blocks().await?;
    let watched = Watched::start(&node).await?;
    let cookie = std::fs::read_to_string(node.rpc().cookie())?;
    node.stop().await?;
    watched.becomes("the node's absence", is_away).await?;
    node.start_again().await?;
    ensure!(std::fs::read_to_string(node.rpc().cookie())? != cookie);
    watched.is_ready().await?;
    node.mine(1).await?;
    watched.is_in_step_with(&node).await
}

#[tokio::test]
async fn a_node_that_is_not_there_yet_is_waited_for() -> Result<()> {
    let mut node = node_with_blocks().await?;
    node.stop().await?;
    let mut watched = Watched::with(config(&node)?);
    watched.resume()?;
    watched.becomes("the node's absence", is_away).await?;
    node.start_again().await?;
    watched.is_ready().await?;
    watched.is_in_step_with(&node).await
}

#[tokio::test]
async fn r04_with_the_node_away_no_deadline_is_observed() -> Result<()> {
    let mut node = node_with_blocks().await?;
    let watched = Watched::start(&node).await?;
    watched.knows_everything().await?;
    node.stop().await?;
    watched.becomes("the node's absence", is_away).await?;
    watched.clock.advance_secs(3_600);
    let deadline = watched.clock.now();
    watched.charges.change(|kept| kept.deadline = Some(deadline));
    node.start_again().await?;
    watched.is_ready().await?;
    watched.knows_everything().await?;
    let views = watched.charges.read(|kept| kept.views.clone());
    // Whatever was observed up to the deadline or beyond was observed after the node had come back.
    ensure!(views.iter().filter(|view| view.observed_until >= deadline).count() >= 1);
    Ok(())
}

#[tokio::test]
async fn a_watcher_that_fails_starts_anew_from_what_is_stored() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    watched.charges.change(|kept| kept.has_defect = true);
    let first = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(first).await?;
    ensure!(!watched.charges.read(|kept| kept.has_defect));
    watched.is_ready().await?;
    let second = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(second).await?;
    Ok(())
}

#[tokio::test]
async fn r30_a_view_that_was_stored_although_the_answer_was_an_error_is_not_offered_for_ever() -> Result<()> {
    let pair = Pair::start().await?;
    let (watched, txid) = Watched::paid(&pair).await?;
    watched.charges.change(|kept| kept.loses_answer = true);
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(txid, block).await?;
    let address = watched.address(&pair.wallet).await?;
    let second = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(second).await?;
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(second, block).await?;
    watched.is_ready().await?;
    ensure!(watched.has_lost_nothing());
    Ok(())
}

#[tokio::test]
async fn a_healthy_node_passes_the_check() -> Result<()> {
    let pair = Pair::start().await?;
    let config = config(&pair.server)?;
    let lines = tokio::task::spawn_blocking(move || probe(&config, || SystemClock::default().now())).await?;
    ensure!(lines.iter().all(|line| line.level == Level::Fine), "{lines:#?}");
    let subjects: Vec<&str> = lines.iter().map(|line| line.subject).collect();
    ensure!(
        subjects
            == [
                "node", "network", "peers", "relay", "sync", "clock", "zmq", "rest", "pruning"
            ],
        "{subjects:?}"
    );
    Ok(())
}

fn is_away(status: &NodeStatus) -> bool {
    matches!(
        status.condition,
        Condition::Failing(NodeError::Unreachable(_) | NodeError::Cookie { .. } | NodeError::WarmingUp(_))
    )
}

fn is_syncing(status: &NodeStatus) -> bool {
    matches!(status.condition, Condition::Syncing { .. })
}

async fn node_with_blocks() -> Result<Node> {
    let node = Node::start(Role::Server, &Clock::new()?).await?;
    node.mine(3).await?;
    Ok(node)
}
