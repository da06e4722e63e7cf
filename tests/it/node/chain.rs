//! Reorgs, and chains that must not be followed.

use anyhow::{Result, ensure};
use bitpro_charge::wire::NodeView;
use bitpro_charge::{Loss, Place};
use bitpro_node::{Condition, HoldReason, NodeStatus};
use bitpro_tests::Pair;
use serde_json::json;

use super::watched::{Watched, config, id};

#[tokio::test]
async fn a_real_reorg_takes_a_mined_payment_back_and_its_next_block_is_found() -> Result<()> {
    let pair = Pair::start().await?;
    let (watched, txid) = Watched::paid(&pair).await?;
    pair.part().await?;
    let lost_block = pair.server.mine(1).await?[0];
    watched.sees_mined(txid, lost_block).await?;
    pair.shopper.mine_empty(2).await?;
    pair.join().await?;
    watched.sees(txid).await?;
    let change = watched.views().pop().expect("a view brought it back");
    ensure!(
        change.connected.len() == 2 && change.fork_height + 2 == change.tip.block.height,
        "R2: {change:?}"
    );
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(txid, block).await?;
    ensure!(watched.has_lost_nothing());
    Ok(())
}

#[tokio::test]
async fn r02_a_payment_that_is_in_both_branches_only_moves() -> Result<()> {
    let pair = Pair::start().await?;
    let (watched, txid) = Watched::paid(&pair).await?;
    pair.part().await?;
    let lost_block = pair.server.mine(1).await?[0];
    watched.sees_mined(txid, lost_block).await?;
    let block = pair.shopper.mine(1).await?[0];
    pair.shopper.mine_empty(1).await?;
    pair.join().await?;
    watched.sees_mined(txid, block).await?;
    let reports: Vec<Place> = watched
        .views()
        .iter()
        .flat_map(|view| &view.transactions)
        .map(|tx| tx.place)
        .collect();
    ensure!(reports.len() == 3, "mempool, first block, second block: {reports:?}");
    ensure!(watched.has_lost_nothing());
    Ok(())
}

#[tokio::test]
async fn r03_a_mined_conflict_that_never_was_in_our_mempool_is_found() -> Result<()> {
    let pair = Pair::start().await?;
    let (watched, txid) = Watched::paid(&pair).await?;
    let payment = pair.wallet.transaction(txid).await?;
    let conflict = pair.wallet.conflict_with(&payment).await?;
    pair.shopper.mine_only(std::slice::from_ref(&conflict)).await?;
    watched.loses(txid, Loss::Replaced).await?;
    let lost: Vec<_> = watched.views().into_iter().flat_map(|view| view.gone).collect();
    ensure!(
        lost.len() == 1 && lost[0].replaced_by == Some(id(conflict.compute_txid())),
        "{lost:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_coinbase_payment_is_seen_and_is_gone_with_its_block() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let hash = pair.server.mine_to(&address).await?;
    watched.stands_on(hash).await?;
    let found: Vec<_> = watched.views().into_iter().flat_map(|view| view.transactions).collect();
    let [coinbase] = found.as_slice() else {
        anyhow::bail!("{found:?}")
    };
    ensure!(coinbase.coinbase && coinbase.inputs.is_empty());
    let tip = pair.server.undo(1).await?;
    watched.stands_on(tip).await?;
    let lost: Vec<_> = watched.views().into_iter().flat_map(|view| view.gone).collect();
    ensure!(
        lost.len() == 1 && lost[0].loss == Loss::Reorged && lost[0].txid == coinbase.txid,
        "{lost:?}"
    );
    Ok(())
}

#[tokio::test]
async fn r06_less_work_holds_everything_until_there_is_more() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let txid = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(txid).await?;
    // Made before the block, so that it is final on the shorter chain too.
    let draft = pair.wallet.draft(&address, 50_000).await?;
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(txid, block).await?;
    let views = watched.views().len();

    pair.server.rpc().value("invalidateblock", json!([block])).await?;
    is_held_for(&watched, HoldReason::LessWork).await?;
    let second = pair.server.send(&draft).await?;
    ensure!(watched.views().len() == views, "all events are held");

    pair.server.rpc().value("reconsiderblock", json!([block])).await?;
    watched.sees(second).await?;
    watched.is_ready().await?;
    ensure!(watched.has_lost_nothing());
    Ok(())
}

#[tokio::test]
async fn r06_a_reorg_beyond_the_limit_waits_for_the_operator() -> Result<()> {
    let pair = Pair::start().await?;
    let mut config = config(&pair.server)?;
    config.reorg_limit = 2;
    let mut watched = Watched::with(config);
    watched.resume()?;
    watched.is_ready().await?;
    let before = watched.charges.read(|kept| kept.tip);
    pair.server.undo(2).await?;
    watched.is_in_step_with(&pair.server).await?;
    let tip = pair.server.undo(3).await?;
    is_held_for(&watched, HoldReason::DeepReorg { depth: 3, limit: 2 }).await?;
    ensure!(watched.charges.read(|kept| kept.tip) != before);

    watched.stop().await?;
    watched.config.accept_block = Some(bitpro_charge::BlockHash(*tip.as_ref()));
    watched.resume()?;
    watched.is_ready().await?;
    watched.stands_on(tip).await
}

#[tokio::test]
async fn r06_a_node_that_never_saw_our_tip_waits_for_the_operator() -> Result<()> {
    let pair = Pair::start().await?;
    let mut watched = Watched::start(&pair.server).await?;
    pair.part().await?;
    pair.server.mine(1).await?;
    watched.is_in_step_with(&pair.server).await?;
    watched.stop().await?;
    // Another node, on another branch, with more work.
    pair.shopper.mine(2).await?;
    watched.config = config(&pair.shopper)?;
    watched.resume()?;
    is_held_for(&watched, HoldReason::UnknownTip).await?;

    watched.stop().await?;
    let tip = pair.shopper.tip().await?.hash;
    watched.config.accept_block = Some(bitpro_charge::BlockHash(*tip.as_ref()));
    watched.resume()?;
    watched.stands_on(tip).await
}

async fn is_held_for(watched: &Watched, reason: HoldReason) -> Result<()> {
    let is_held = |status: &NodeStatus| matches!(status.condition, Condition::Held(hold) if hold.reason == reason);
    watched.becomes("a hold", is_held).await?;
    ensure!(watched.charges.read(|kept| kept.condition) == Some(NodeView::Away));
    Ok(())
}
