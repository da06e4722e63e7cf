//! Payments in blocks that the node had deleted: only a scan of the UTXO set tells of them (R6).

use bitpro_charge::Reason;
use bitpro_node::view::Hole;

use super::*;

/// What the watcher reports of a transaction that the scan found: its outputs, and nothing else.
fn found_by_scan(shop: &Shop, tx: &Transaction, block: BlockRef) -> PayingTx {
    PayingTx {
        raw: Vec::new(),
        inputs: Vec::new(),
        ..shop.paying(tx, Place::Block(block)).unwrap()
    }
}

/// Goes past a deleted block in which the scan found these transactions.
async fn skip(shop: &mut Shop, txs: &[&Transaction]) -> BlockRef {
    shop.height += 1;
    shop.work += 1;
    let mut view = shop.quiet();
    view.tip = shop.tip();
    let block = view.tip.block;
    view.connected = vec![block.into()];
    view.transactions = txs.iter().map(|tx| found_by_scan(shop, tx, block)).collect();
    shop.charges.observe(view).await.unwrap();
    block
}

fn hole(shop: &Shop) -> Hole {
    Hole {
        from: shop.height + 1,
        to: shop.height + 1,
        since: START,
        until: shop.world.clock.now(),
    }
}

#[tokio::test]
async fn r06_a_payment_that_only_the_scan_found_is_taken_at_its_word() {
    let mut shop = Shop::new().await;
    let (paid, partly) = (shop.make(1_000).await, shop.make(1_000).await);
    let full = shop.pay(&[(&paid.charge.address, 20_000)]);
    let half = shop.pay(&[(&partly.charge.address, 10_000)]);
    let hole = hole(&shop);
    shop.charges.set_hole(Some(hole)).await.unwrap();
    let block = skip(&mut shop, &[&full, &half]).await;
    let shop = shop.restart().await;

    assert_eq!(
        shop.state(paid.charge.id).await,
        (State::Confirmed, Some(Reason::Exact))
    );
    let found = shop.now(partly.charge.id).await;
    assert_eq!(
        (found.charge.state, found.charge.reason),
        (State::Seen, Some(Reason::Underpaid))
    );
    let payment = &found.charge.payments[0];
    assert_eq!(
        (payment.outpoint, payment.value.to_sat()),
        (
            Outpoint {
                txid: txid(&half),
                vout: 0
            },
            10_000
        )
    );
    // A watcher that starts anew knows where it is and what it pays, without its bytes.
    let known = shop.charges.known_txs().await.unwrap();
    let known = known.iter().find(|known| known.txid == txid(&half)).unwrap();
    assert!(known.raw.is_empty() && known.inputs.is_empty());
    assert_eq!(known.place, Place::Block(block));
    assert_eq!(known.outputs, found_by_scan(&shop, &half, block).outputs);

    let accepted = shop
        .charges
        .accept(partly.charge.id, vec![payment.outpoint], found.charge.sequence);
    let accepted = accepted.await.unwrap();
    assert_eq!(
        (accepted.charge.state, accepted.charge.reason),
        (State::Confirmed, Some(Reason::Manual))
    );
    shop.assert_replay_equals_live(paid.charge.id).await;
    shop.assert_replay_equals_live(partly.charge.id).await;
}

#[tokio::test]
async fn r34_what_the_scan_found_is_compared_with_the_whole_script_too() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let stranger = shop.pay(&[("bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202", 20_000)]);
    let mut view = shop.quiet();
    view.transactions = vec![PayingTx {
        txid: txid(&stranger),
        raw: Vec::new(),
        inputs: Vec::new(),
        ancestor_inputs: Vec::new(),
        outputs: vec![PayingOutput {
            vout: 0,
            script: made.script,
            script_pubkey: stranger.output[0].script_pubkey.clone(),
            value: stranger.output[0].value,
        }],
        place: Place::Block(view.tip.block),
        first_seen: Interval::at(START),
        coinbase: false,
    }];
    shop.charges.observe(view).await.unwrap();
    assert_eq!(shop.state(made.charge.id).await.0, State::Pending);
}

#[tokio::test]
async fn r06_a_payment_found_by_the_scan_gets_its_bytes_when_its_block_is_reorganised_away() {
    let mut shop = Shop::with(&[("confirmations", "2 3 6")]).await;
    let made = shop.make(1_000).await;
    let tx = shop.pay(&[(&made.charge.address, 20_000)]);
    skip(&mut shop, &[&tx]).await;
    // The block is lost, and the transaction is in the mempool again, as far as is known without its bytes.
    let mut view = shop.quiet();
    shop.work += 1;
    view.fork_height = shop.height - 1;
    view.tip = shop.tip();
    view.connected = vec![view.tip.block.into()];
    view.transactions = vec![PayingTx {
        place: Place::Mempool,
        ..found_by_scan(&shop, &tx, view.tip.block)
    }];
    shop.charges.observe(view).await.unwrap();
    let mut shop = shop.restart().await;
    assert_eq!(shop.state(made.charge.id).await, (State::Seen, None));
    let known = shop.charges.known_txs().await.unwrap();
    assert_eq!((known[0].place, known[0].outputs.len()), (Place::Mempool, 1));

    shop.see(&[&tx]).await;
    let mut shop = shop.restart().await;
    let known = shop.charges.known_txs().await.unwrap();
    assert_eq!(known[0].raw, bitcoin::consensus::encode::serialize(&tx));
    assert_eq!(known[0].inputs, [outpoint(tx.input[0].previous_output)]);
    assert!(known[0].outputs.is_empty(), "they are read from the bytes");
    // What takes its place is known as such from here on.
    let taker = spend(tx.input[0].previous_output, &[(&made.charge.address, 5_000)]);
    shop.lose(&tx, Loss::Replaced, &[&taker]).await;
    assert_eq!(shop.state(made.charge.id).await, (State::Seen, Some(Reason::Underpaid)));
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn r06_the_charges_that_were_open_in_the_hole_are_listed_until_somebody_vouches_for_it() {
    let mut shop = Shop::new().await;
    let settled = shop.make(1_000).await;
    shop.pass(5_000).await;
    assert_eq!(shop.state(settled.charge.id).await.0, State::TimedOut);
    let open = [shop.make(1_000).await, shop.make(1_000).await];
    assert!(shop.charges.unread().await.unwrap().is_none());
    let hole = hole(&shop);
    shop.charges.set_hole(Some(hole)).await.unwrap();
    shop.world.clock.advance_secs(1);
    shop.make(1_000).await;
    let unread = shop.charges.unread().await.unwrap().unwrap();
    assert_eq!(unread.hole, hole);
    let ids: Vec<ChargeId> = unread.charges.iter().map(|held| held.charge.id).collect();
    assert_eq!(ids, open.map(|made| made.charge.id));
    assert_eq!(unread.ids(1), format!("{}, and 1 more", ids[0]));
    shop.charges.set_hole(None).await.unwrap();
    assert!(shop.charges.unread().await.unwrap().is_none());
}
