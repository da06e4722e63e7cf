//! ZMQ there, absent, silent and with gaps: it only changes how soon something is noticed.

use std::time::Duration;

use anyhow::{Result, ensure};
use bitpro_node::{ZmqSource, ZmqState};
use bitpro_tests::{Pair, Role};

use super::proxy::Proxy;
use super::watched::{Watched, config};

#[tokio::test]
async fn without_notifications_the_node_is_polled() -> Result<()> {
    let pair = Pair::start_with(Role::ServerWithoutZmq).await?;
    let watched = Watched::start(&pair.server).await?;
    ensure!(watched.status()?.zmq == ZmqState::Absent);
    let address = watched.address(&pair.wallet).await?;
    let first = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(first).await?;
    pair.wallet.double_spend(first).await?;
    watched.loses(first, bitpro_charge::Loss::Replaced).await?;
    let second = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(second).await?;
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(second, block).await?;
    watched.knows_everything().await
}

#[tokio::test]
async fn notifications_alone_bring_payments_replacements_and_blocks() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = start_without_polls(&pair, ZmqSource::Discover).await?;
    let address = watched.address(&pair.wallet).await?;
    let first = pair.wallet.pay(&address, 250_000).await?;
    let seen = watched.sees(first).await?.first_seen;
    ensure!(seen.earliest == seen.latest, "R5: our own receipt is exact: {seen:?}");
    pair.wallet.double_spend(first).await?;
    watched.loses(first, bitpro_charge::Loss::Replaced).await?;
    let second = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(second).await?;
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(second, block).await?;
    let tip = pair.server.undo(1).await?;
    watched.stands_on(tip).await?;
    watched.sees(second).await?;
    Ok(())
}

#[tokio::test]
async fn r07_a_gap_in_the_counter_is_closed_by_reading_everything() -> Result<()> {
    let pair = Pair::start().await?;
    let proxy = Proxy::before(&pair.server).await?;
    let watched = start_without_polls(&pair, proxy.source()).await?;
    let address = watched.address(&pair.wallet).await?;
    // The first message of a connection is a gap of its own; after this one, only what follows can be.
    let known = pair.wallet.pay(&address, 50_000).await?;
    watched.sees(known).await?;
    proxy.mute(true);
    let swallowed = pair.wallet.pay(&address, 250_000).await?;
    pair.server.has_in_mempool(swallowed).await?;
    // What the node publishes is on its way within a millisecond; give it many before the proxy speaks again.
    tokio::time::sleep(Duration::from_millis(300)).await;
    proxy.mute(false);
    let elsewhere = pair.wallet.address().await?;
    pair.wallet.pay(&elsewhere, 50_000).await?;
    watched.sees(swallowed).await?;
    Ok(())
}

#[tokio::test]
async fn r07_silence_is_noticed_by_the_poll_and_ends_when_something_is_heard() -> Result<()> {
    let pair = Pair::start().await?;
    let proxy = Proxy::before(&pair.server).await?;
    let mut config = config(&pair.server)?;
    config.zmq = proxy.source();
    let mut watched = Watched::with(config);
    watched.resume()?;
    watched
        .becomes("live notifications", |status| status.zmq == ZmqState::Live)
        .await?;
    let address = watched.address(&pair.wallet).await?;
    let first = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(first).await?;

    proxy.mute(true);
    let second = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(second).await?;
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(second, block).await?;
    pair.server.mine(1).await?;
    watched.is_in_step_with(&pair.server).await?;
    let third = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(third).await?;
    let fourth = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(fourth).await?;
    watched
        .becomes("silence", |status| status.zmq == ZmqState::Silent)
        .await?;

    proxy.mute(false);
    let fifth = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(fifth).await?;
    watched
        .becomes("live notifications", |status| status.zmq == ZmqState::Live)
        .await?;
    watched.knows_everything().await
}

#[tokio::test]
async fn a_restarted_node_is_heard_again() -> Result<()> {
    let mut pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    watched
        .becomes("live notifications", |status| status.zmq == ZmqState::Live)
        .await?;
    pair.server.stop().await?;
    watched
        .becomes("no connection", |status| status.zmq == ZmqState::Connecting)
        .await?;
    pair.server.start_again().await?;
    pair.join().await?;
    watched
        .becomes("live notifications", |status| status.zmq == ZmqState::Live)
        .await?;
    watched.is_ready().await?;
    let address = watched.address(&pair.wallet).await?;
    let txid = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(txid).await?;
    Ok(())
}

/// A watcher that polls once, at its start.
async fn start_without_polls(pair: &Pair, zmq: ZmqSource) -> Result<Watched> {
    let mut config = config(&pair.server)?;
    config.zmq = zmq;
    config.poll_interval = Duration::from_secs(3_600);
    let mut watched = Watched::with(config);
    watched.resume()?;
    watched.is_ready().await?;
    // Without polls the status moves only with notifications: this one makes them flow.
    let address = watched.address(&pair.wallet).await?;
    for _ in 0..50 {
        let txid = pair.wallet.pay(&address, 20_000).await?;
        let sees = tokio::time::timeout(Duration::from_secs(2), watched.sees(txid)).await;
        if sees.is_ok() {
            return Ok(watched);
        }
    }
    anyhow::bail!("nothing was heard")
}
