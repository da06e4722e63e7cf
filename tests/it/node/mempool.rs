//! Payments before they are mined: seen, replaced, forgotten by the node, dropped.

use anyhow::{Context as _, Result, ensure};
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Transaction, Txid};
use bitpro_base::clock::Clock as _;
use bitpro_charge::{Loss, Place};
use bitpro_tests::{Pair, Wallet};
use serde_json::{Value, json};

use super::watched::{Watched, id, script_of};

#[tokio::test]
async fn a_payment_is_seen_at_once_and_then_in_its_block() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let before = watched.clock.now();
    let txid = pair.wallet.pay(&address, 250_000).await?;
    let seen = watched.sees(txid).await?;
    ensure!(seen.first_seen.earliest <= seen.first_seen.latest);
    ensure!(before <= seen.first_seen.latest && seen.first_seen.latest <= watched.clock.now());
    let [output] = seen.outputs.as_slice() else {
        anyhow::bail!("{seen:?}")
    };
    ensure!(output.value.to_sat() == 250_000 && !seen.coinbase && !seen.inputs.is_empty());
    ensure!(bitcoin::consensus::encode::deserialize::<Transaction>(&seen.raw)?.compute_txid() == txid);

    let block = pair.server.mine(1).await?[0];
    let mined = watched.sees_mined(txid, block).await?;
    ensure!(mined.first_seen == seen.first_seen);
    watched.is_in_step_with(&pair.server).await?;
    ensure!(watched.has_lost_nothing());
    Ok(())
}

#[tokio::test]
async fn what_does_not_concern_us_is_not_reported() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let elsewhere = pair.wallet.address().await?;
    pair.wallet.pay(&elsewhere, 50_000).await?;
    let ours = pair.wallet.pay(&address, 50_000).await?;
    watched.sees(ours).await?;
    let reported: Vec<_> = watched.views().into_iter().flat_map(|view| view.transactions).collect();
    ensure!(reported.iter().all(|tx| tx.txid == id(ours)), "{reported:?}");
    Ok(())
}

#[tokio::test]
async fn r02_a_replacement_that_still_pays_us_is_one_change_of_view() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let first = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(first).await?;
    let second = pair.wallet.bump_fee(first).await?;
    watched.sees(second).await?;
    watched.loses(first, Loss::Replaced).await?;
    let views = watched.views();
    let change = views
        .iter()
        .find(|view| view.gone.iter().any(|lost| lost.txid == id(first)))
        .context("the loss was not reported")?;
    ensure!(change.gone[0].replaced_by == Some(id(second)));
    ensure!(change.transactions.iter().any(|tx| tx.txid == id(second)), "{change:?}");
    Ok(())
}

#[tokio::test]
async fn r03_a_replacement_away_from_us_is_proven_by_the_conflicting_spend() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let first = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(first).await?;
    let taker = pair.wallet.double_spend(first).await?;
    watched.loses(first, Loss::Replaced).await?;
    let lost: Vec<_> = watched.views().into_iter().flat_map(|view| view.gone).collect();
    ensure!(lost.len() == 1 && lost[0].replaced_by == Some(id(taker)), "{lost:?}");
    Ok(())
}

#[tokio::test]
async fn r03_the_replacement_of_an_unconfirmed_ancestor_takes_the_payment_with_it() -> Result<()> {
    let pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let (parent, child) = pay_through(&pair.wallet, &address).await?;
    let seen = watched.sees(child).await?;
    ensure!(!seen.ancestor_inputs.is_empty(), "{seen:?}");
    pair.wallet.double_spend(parent).await?;
    watched.loses(child, Loss::Replaced).await?;
    Ok(())
}

#[tokio::test]
async fn r03_a_node_that_lost_its_mempool_gets_the_payments_back() -> Result<()> {
    let mut pair = Pair::start().await?;
    let watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let plain = pair.wallet.pay(&address, 250_000).await?;
    let (_, child) = pay_through(&pair.wallet, &address).await?;
    watched.sees(plain).await?;
    watched.sees(child).await?;
    // The nodes are not joined again: only the watcher can bring the transactions back, ancestors first.
    pair.server.restart_with_empty_mempool().await?;
    pair.server.has_in_mempool(plain).await?;
    pair.server.has_in_mempool(child).await?;
    let block = pair.server.mine(1).await?[0];
    watched.sees_mined(plain, block).await?;
    watched.sees_mined(child, block).await?;
    ensure!(watched.has_lost_nothing());
    Ok(())
}

#[tokio::test]
async fn r03_only_a_refused_resubmission_and_half_an_hour_drop_a_payment_and_it_may_come_back() -> Result<()> {
    let mut pair = Pair::start().await?;
    let (watched, parent, child) = forgotten(&mut pair).await?;
    watched.clock.advance_secs(29 * 60);
    watched.knows_everything().await?;
    ensure!(watched.has_lost_nothing(), "R3: absence alone proves nothing");
    watched.clock.advance_secs(2 * 60);
    watched.loses(child, Loss::Dropped).await?;

    for txid in [parent, child] {
        let raw = pair.wallet.transaction(txid).await?;
        pair.server.send(&raw).await?;
    }
    let back = watched.sees(child).await?;
    ensure!(back.place == Place::Mempool);
    Ok(())
}

#[tokio::test]
async fn r03_what_takes_the_place_of_a_payment_that_the_node_had_forgotten_is_met_with_the_next_poll() -> Result<()> {
    let mut pair = Pair::start().await?;
    let (watched, parent, child) = forgotten(&mut pair).await?;
    ensure!(watched.has_lost_nothing());
    // The node removes nothing for it, so that it announces no removal; and the clock stands: it is not time to send again.
    let taker = pair.wallet.double_spend(parent).await?;
    pair.server.send(&pair.wallet.transaction(taker).await?).await?;
    watched.loses(child, Loss::Replaced).await?;
    Ok(())
}

/// A watcher of a payment that its node has forgotten; the payment's parent, and the payment.
async fn forgotten(pair: &mut Pair) -> Result<(Watched, Txid, Txid)> {
    let mut watched = Watched::start(&pair.server).await?;
    let address = watched.address(&pair.wallet).await?;
    let (parent, child) = pay_through(&pair.wallet, &address).await?;
    watched.sees(child).await?;
    // A restarted watcher does not know the parent, without which the node refuses the child.
    watched.stop().await?;
    pair.server.restart_with_empty_mempool().await?;
    watched.resume()?;
    watched.is_ready().await?;
    watched.knows_everything().await?;
    Ok((watched, parent, child))
}

/// Pays `address` from an output that is itself unconfirmed, and gives both transactions.
async fn pay_through(wallet: &Wallet, address: &str) -> Result<(Txid, Txid)> {
    let own = wallet.address().await?;
    let parent = wallet.pay(&own, 40_000_000).await?;
    let raw = wallet.transaction(parent).await?;
    let script = script_of(&own)?;
    let vout = raw
        .output
        .iter()
        .position(|output| output.script_pubkey == script)
        .context("no output")?;
    let draft: String = wallet
        .rpc()
        .call(
            "createrawtransaction",
            json!([[{ "txid": parent, "vout": vout }], { address: "0.39990000" }]),
        )
        .await?;
    let signed: Value = wallet
        .rpc()
        .call("signrawtransactionwithwallet", json!([draft]))
        .await?;
    let hex = signed["hex"].as_str().context("not signed")?;
    let child: Transaction = deserialize_hex(hex)?;
    wallet.rpc().value("sendrawtransaction", json!([hex])).await?;
    Ok((parent, child.compute_txid()))
}
