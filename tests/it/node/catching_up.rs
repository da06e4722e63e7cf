//! What happened while nobody watched.

use anyhow::{Context as _, Result, ensure};
use bitpro_base::clock::Clock as _;
use bitpro_charge::Place;
use bitpro_node::{IssuedRange, ScanRequest};
use bitpro_tests::{Pair, eventually};

use super::watched::{Watched, config, id};

#[tokio::test]
async fn r05_a_payment_made_and_mined_meanwhile_counts_by_its_block() -> Result<()> {
    let pair = Pair::start().await?;
    let mut watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    watched.stop().await?;
    let blind_since = watched.charges.read(|kept| kept.observed_until);
    let txid = pair.wallet.pay(&address, 250_000).await?;
    let block = pair.shopper.mine(3).await?[0];
    pair.agree().await?;
    watched.clock.advance_secs(3_600);
    watched.resume()?;
    let found = watched.sees_mined(txid, block).await?;
    ensure!(
        Some(found.first_seen.earliest) == blind_since,
        "no earlier than the gap: {found:?}"
    );
    let an_hour_ago = watched.clock.now().as_secs() - 1_800;
    ensure!(
        found.first_seen.latest.as_secs() < an_hour_ago,
        "by the block, not by our receipt: {found:?}"
    );
    Ok(())
}

#[tokio::test]
async fn r05_a_payment_made_meanwhile_counts_by_the_nodes_own_record() -> Result<()> {
    let pair = Pair::start().await?;
    let mut watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    watched.stop().await?;
    let blind_since = watched
        .charges
        .read(|kept| kept.observed_until)
        .context("nothing was observed")?;
    let txid = pair.wallet.pay(&address, 250_000).await?;
    pair.server.has_in_mempool(txid).await?;
    let paid_by = watched.clock.now();
    watched.clock.advance_secs(3_600);
    watched.resume()?;
    let found = watched.sees(txid).await?.first_seen;
    ensure!(
        blind_since <= found.earliest && found.latest.0 <= paid_by.0 + 1_000,
        "{found:?}"
    );
    Ok(())
}

#[tokio::test]
async fn r05_mining_during_the_gap_does_not_make_a_known_payment_younger() -> Result<()> {
    let pair = Pair::start().await?;
    let mut watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let txid = pair.wallet.pay(&address, 250_000).await?;
    let seen = watched.sees(txid).await?;
    watched.stop().await?;
    let block = pair.shopper.mine(1).await?[0];
    pair.agree().await?;
    watched.clock.advance_secs(3_600);
    watched.resume()?;
    ensure!(watched.sees_mined(txid, block).await?.first_seen == seen.first_seen);
    Ok(())
}

#[tokio::test]
async fn a_long_way_is_gone_in_stretches_and_nothing_on_it_is_missed() -> Result<()> {
    let pair = Pair::start().await?;
    let mut watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    watched.stop().await?;
    let views = watched.views().len();
    let first = pair.wallet.pay(&address, 250_000).await?;
    pair.server.has_in_mempool(first).await?;
    let block = pair.server.mine(1).await?[0];
    pair.server.mine(1_050).await?;
    pair.agree().await?;
    let second = pair.wallet.pay(&address, 250_000).await?;
    watched.resume()?;
    watched.is_in_step_with(&pair.server).await?;
    watched.sees_mined(first, block).await?;
    watched.sees(second).await?;
    let stretches = watched.views()[views..]
        .iter()
        .filter(|view| !view.connected.is_empty())
        .count();
    ensure!(stretches == 2, "{stretches}");
    Ok(())
}

#[tokio::test]
async fn a_reorg_during_the_gap_is_one_change_of_view() -> Result<()> {
    let pair = Pair::start().await?;
    let mut watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let txid = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(txid).await?;
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(txid, block).await?;
    watched.stop().await?;
    let views = watched.views().len();
    let tip = pair.server.undo(1).await?;
    watched.resume()?;
    watched.stands_on(tip).await?;
    watched.sees(txid).await?;
    ensure!(watched.views().len() == views + 1, "R2");
    ensure!(watched.has_lost_nothing());
    Ok(())
}

#[tokio::test]
async fn a_fresh_database_starts_below_the_charges_that_were_made_while_there_was_no_node() -> Result<()> {
    let pair = Pair::start().await?;
    let mut watched = Watched::with(config(&pair.server)?);
    let address = watched.address(&pair.wallet).await?;
    let now = watched.clock.now();
    watched.charges.change(|kept| kept.first_issued = Some(now));
    let txid = pair.wallet.pay(&address, 250_000).await?;
    let block = pair.shopper.mine(3).await?[0];
    pair.agree().await?;
    watched.resume()?;
    watched.sees_mined(txid, block).await?;
    Ok(())
}

#[tokio::test]
async fn five_hundred_payments_in_one_block_are_one_change_of_view() -> Result<()> {
    const PAYMENTS: usize = 500;
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let mut outputs = Vec::with_capacity(PAYMENTS);
    for _ in 0..PAYMENTS {
        outputs.push((watched.address(&pair.wallet).await?, 10_000));
    }
    let mut txids = Vec::new();
    for page in outputs.chunks(100) {
        txids.push(pair.wallet.pay_many(page).await?);
    }
    for &txid in &txids {
        watched.sees(txid).await?;
    }
    let before = watched.views().len();
    let block = pair.server.mine(1).await?[0];
    watched.stands_on(block).await?;
    let views = watched.views().split_off(before);
    let mined: usize = views
        .last()
        .map(|view| {
            view.transactions
                .iter()
                .filter(|tx| tx.place != Place::Mempool)
                .map(|tx| tx.outputs.len())
                .sum()
        })
        .context("no view")?;
    ensure!(mined == PAYMENTS, "{mined}");
    ensure!(views.len() == 1, "{}", views.len());
    Ok(())
}

#[tokio::test]
async fn r27_a_descriptor_that_was_used_before_is_found_in_the_utxo_set() -> Result<()> {
    let pair = Pair::start().await?;
    let descriptor = pair.wallet.descriptor("wpkh(").await?;
    let addresses: Vec<String> = pair
        .wallet
        .rpc()
        .call("deriveaddresses", serde_json::json!([descriptor, [0, 9]]))
        .await?;
    let txid = pair.wallet.pay(&addresses[7], 100_000).await?;
    pair.server.has_in_mempool(txid).await?;
    pair.server.mine(1).await?;
    let watched = Watched::with(config(&pair.server)?);
    watched.charges.change(|kept| {
        kept.wanted = vec![ScanRequest {
            id: 4,
            range: IssuedRange {
                descriptor: descriptor.clone(),
                highest: 9,
            },
        }];
    });
    let mut watched = watched;
    watched.resume()?;
    eventually("the end of the scan", async || {
        let (scanned, wanted) = watched.charges.read(|kept| (kept.scanned.clone(), kept.wanted.clone()));
        ensure!(
            scanned == [(4, Some(7))] && wanted.is_empty(),
            "{scanned:?}; {:?}",
            watched.status()?
        );
        Ok(())
    })
    .await?;
    ensure!(
        watched.charges.read(|kept| kept.whereabouts(id(txid))).is_none(),
        "the scan makes no payments"
    );
    Ok(())
}
