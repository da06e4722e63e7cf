//! The harness itself: what the other tests take for granted about their nodes.

use anyhow::{Result, ensure};
use bitpro_tests::{Pair, eventually};

#[tokio::test]
async fn a_payment_reaches_the_other_node_and_a_block_takes_it() -> Result<()> {
    let pair = Pair::start().await?;
    let address = pair.wallet.address().await?;
    let txid = pair.wallet.pay(&address, 50_000).await?;
    pair.server.has_in_mempool(txid).await?;
    pair.mine(1).await?;
    ensure!(pair.server.mempool().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn parted_nodes_make_a_real_reorg_when_they_are_joined() -> Result<()> {
    let pair = Pair::start().await?;
    let address = pair.wallet.address().await?;
    let txid = pair.wallet.pay(&address, 50_000).await?;
    pair.server.has_in_mempool(txid).await?;
    pair.part().await?;
    pair.server.mine(1).await?;
    ensure!(pair.server.mempool().await?.is_empty());
    pair.shopper.mine_empty(2).await?;
    pair.join().await?;
    // The losing block's transaction is back in the mempool.
    pair.server.has_in_mempool(txid).await
}

#[tokio::test]
async fn a_payment_can_be_replaced_and_taken_back() -> Result<()> {
    let pair = Pair::start().await?;
    let address = pair.wallet.address().await?;
    let first = pair.wallet.pay(&address, 50_000).await?;
    pair.server.has_in_mempool(first).await?;
    let bumped = pair.wallet.bump_fee(first).await?;
    pair.server.has_in_mempool(bumped).await?;
    let back = pair.wallet.double_spend(bumped).await?;
    pair.server.has_in_mempool(back).await?;
    ensure!(pair.server.mempool().await? == [back]);
    Ok(())
}

#[tokio::test]
async fn a_conflict_can_be_mined_that_never_was_in_a_mempool() -> Result<()> {
    let pair = Pair::start().await?;
    let payment = pair.wallet.draft(&pair.wallet.address().await?, 50_000).await?;
    let conflict = pair.wallet.conflict_with(&payment).await?;
    pair.part().await?;
    pair.server.send(&payment).await?;
    pair.shopper.mine_only(&[conflict]).await?;
    pair.join().await?;
    ensure!(pair.server.mempool().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn time_moves_for_the_nodes_and_they_still_relay() -> Result<()> {
    let pair = Pair::start().await?;
    pair.advance_secs(7200).await?;
    let address = pair.wallet.address().await?;
    let txid = pair.wallet.pay(&address, 50_000).await?;
    pair.server.has_in_mempool(txid).await?;
    pair.mine(1).await
}

#[tokio::test]
async fn a_node_restarts_with_and_without_its_mempool() -> Result<()> {
    let mut pair = Pair::start().await?;
    let address = pair.wallet.address().await?;
    let txid = pair.wallet.pay(&address, 50_000).await?;
    pair.server.has_in_mempool(txid).await?;
    pair.server.stop().await?;
    pair.server.start_again().await?;
    pair.server.has_in_mempool(txid).await?;
    pair.server.restart_with_empty_mempool().await?;
    ensure!(pair.server.mempool().await?.is_empty());
    pair.server.kill()?;
    pair.server.start_again().await?;
    pair.join().await?;
    eventually("a tip", async || pair.server.tip().await).await?;
    Ok(())
}

#[tokio::test]
async fn blocks_are_undone_by_a_branch_with_more_work() -> Result<()> {
    let pair = Pair::start().await?;
    let address = pair.wallet.address().await?;
    let txid = pair.wallet.pay(&address, 50_000).await?;
    pair.server.has_in_mempool(txid).await?;
    pair.mine(2).await?;
    let height = pair.server.tip().await?.height;
    pair.server.undo(2).await?;
    ensure!(pair.server.tip().await?.height == height + 1);
    pair.server.has_in_mempool(txid).await?;
    pair.agree().await
}
