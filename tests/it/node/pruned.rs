//! A node that had deleted blocks before they were read (R6).

use anyhow::{Context as _, Result, ensure};
use bitpro_server::node::{Condition, IssuedRange};
use bitpro_tests::{Pair, Role};
use serde_json::{Value, json};

use super::watched::{Watched, script_of};

#[tokio::test]
async fn r06_pruned_blocks_are_a_hole_whose_unspent_payments_are_found() -> Result<()> {
    let pair = Pair::start_with(Role::PrunedServer).await?;
    let mut watched = Watched::start(&pair.server).await?;
    let descriptor = pair.wallet.descriptor("wpkh(").await?;
    let [address]: [String; 1] = pair
        .wallet
        .rpc()
        .call("deriveaddresses", json!([descriptor, [5, 5]]))
        .await?;
    watched.charges.watch(script_of(&address)?.as_bytes());
    watched.charges.change(|kept| {
        kept.issued = vec![IssuedRange {
            descriptor: descriptor.clone(),
            highest: 9,
        }];
    });
    watched.stop().await?;

    let txid = pair.wallet.pay(&address, 250_000).await?;
    pair.server.has_in_mempool(txid).await?;
    let block = pair.server.mine(1).await?[0];
    let paid_at = pair.server.tip().await?.height;
    // A pruned node serves no peer that is far behind, so the shopper's has to keep up.
    for _ in 0..7 {
        pair.server.mine(100).await?;
        pair.agree().await?;
    }
    let pruned: u32 = pair
        .server
        .rpc()
        .call("pruneblockchain", json!([paid_at + 300]))
        .await?;
    ensure!(pruned > paid_at, "block {paid_at} is still there: pruned to {pruned}");

    watched.resume()?;
    watched.is_in_step_with(&pair.server).await?;
    let found = watched.sees_mined(txid, block).await?;
    ensure!(
        found.raw.is_empty() && found.outputs[0].value.to_sat() == 250_000,
        "{found:?}"
    );
    let hole = watched.charges.read(|kept| kept.hole).context("no hole was recorded")?;
    let state: Value = pair.server.rpc().value("getblockchaininfo", json!([])).await?;
    ensure!(
        Some(u64::from(hole.to) + 1) == state["pruneheight"].as_u64(),
        "{hole:?} {state}"
    );
    ensure!(hole.from == paid_at && hole.since < hole.until, "{hole:?}");
    let status = watched
        .becomes("a reported hole", |status| status.hole.is_some())
        .await?;
    ensure!(!status.is_well(), "{status:?}");
    watched
        .becomes("the watcher in step", |status| status.condition == Condition::Ready)
        .await?;

    watched.stop().await?;
    let tip = pair.server.tip().await?.hash;
    watched.config.accept_block = Some(bitpro_charge::BlockHash(*tip.as_ref()));
    watched.resume()?;
    watched.becomes("no hole", |status| status.is_well()).await?;
    ensure!(watched.charges.read(|kept| kept.hole.is_none()));
    Ok(())
}
