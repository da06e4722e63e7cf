use bitpro_charge::{Amount, Event, Payment};
use bitpro_node::view::ScriptId;

use super::*;
use crate::testing::TestShop;

/// A charge that was paid in the block that is the tip, as it is stored, and the output as the chain has it.
async fn paid() -> (StoredAt, FoundOutput) {
    let app = TestShop::with_merchant(&[]).await;
    let id = app.charge(4_200).await;
    app.pay(id).await;
    app.confirm(id).await;
    let store = app.charges.store();
    let mut page = store.audited_after(0, 10).await.unwrap();
    let row = page.charges.pop().unwrap().row.unwrap();
    let payment = &row.charge.payments[0];
    let found = FoundOutput {
        outpoint: payment.outpoint,
        value: payment.value,
        script_pubkey: row.script_pubkey.to_vec(),
        place: Place::Block(payment.block().unwrap()),
        at: row.charge.terms.created_at,
        coinbase: false,
    };
    let heights = [payment.block().unwrap().height];
    let stored = store
        .stored_at(std::slice::from_ref(&found.script_pubkey), &[], &heights)
        .await
        .unwrap();
    assert_eq!(stored.charges.len(), 1);
    assert_eq!(stored.blocks.len(), 1);
    (stored, found)
}

fn codes(found: &[FoundOutput], conflicts: &[FoundConflict], stored: &StoredAt) -> Vec<Code> {
    compare(found, conflicts, stored)
        .into_iter()
        .map(|finding| finding.difference.code)
        .collect()
}

/// The payment is stored elsewhere.
fn moved(stored: &mut StoredAt, place: Place) {
    let charge = &mut stored.charges[0].charge;
    let outpoint = charge.payments[0].outpoint;
    charge.apply(&Event::PaymentMoved { outpoint, place });
}

fn other_block(height: u32) -> BlockRef {
    BlockRef {
        height,
        hash: BlockHash([0xbb; 32]),
    }
}

fn block_of(found: &FoundOutput) -> BlockRef {
    match found.place {
        Place::Block(block) => block,
        Place::Mempool => panic!("it is in a block"),
    }
}

#[tokio::test]
async fn what_is_stored_as_it_is_makes_no_difference() {
    let (stored, found) = paid().await;
    assert_eq!(codes(std::slice::from_ref(&found), &[], &stored), []);
}

#[tokio::test]
async fn a_payment_that_is_not_stored_is_missing_and_no_older_than_its_charge() {
    let (mut stored, found) = paid().await;
    let created_at = stored.charges[0].charge.terms.created_at;
    stored.charges[0].charge.payments.clear();
    let [finding] = compare(std::slice::from_ref(&found), &[], &stored).try_into().unwrap();
    assert_eq!(finding.difference.code, Code::PaymentMissing);
    assert_eq!(finding.difference.charge, Some(stored.charges[0].charge.id));
    assert_eq!(
        finding.remedy,
        Some(Remedy::Sight {
            found,
            since: created_at
        })
    );
}

#[tokio::test]
async fn r27_money_from_before_a_charge_is_not_its_own_and_not_missed() {
    let (mut stored, mut found) = paid().await;
    let created_at = stored.charges[0].charge.terms.created_at;
    stored.charges[0].charge.payments.clear();
    // Within what miners' clocks may differ, it may be from after it.
    found.at = Timestamp(created_at.0 - MINERS_CLOCK_SECS * 1_000);
    assert_eq!(
        codes(std::slice::from_ref(&found), &[], &stored),
        [Code::PaymentMissing]
    );
    found.at = Timestamp(created_at.0 - (MINERS_CLOCK_SECS + 1) * 1_000);
    assert_eq!(codes(&[found], &[], &stored), []);
}

#[tokio::test]
async fn a_payment_in_another_place_or_stored_as_lost_is_told() {
    let (mut stored, found) = paid().await;
    let found = [found];
    moved(&mut stored, Place::Mempool);
    assert_eq!(codes(&found, &[], &stored), [Code::PaymentElsewhere]);
    moved(&mut stored, Place::Block(other_block(99)));
    assert_eq!(codes(&found, &[], &stored), [Code::PaymentElsewhere]);
    let charge = &mut stored.charges[0].charge;
    charge.apply(&Event::PaymentLost {
        outpoint: found[0].outpoint,
        loss: Loss::Replaced,
    });
    assert_eq!(codes(&found, &[], &stored), [Code::PaymentNotLost]);
}

#[tokio::test]
async fn another_value_is_told_and_no_observation_can_mend_it() {
    let (mut stored, found) = paid().await;
    let charge = &mut stored.charges[0].charge;
    let other = Payment {
        value: Amount::from_sat(1),
        ..Payment::clone(&charge.payments[0])
    };
    charge.payments.clear();
    charge.apply(&Event::PaymentFound(other));
    let [finding] = compare(&[found], &[], &stored).try_into().unwrap();
    assert_eq!(finding.difference.code, Code::PaymentValue);
    assert_eq!(finding.remedy, None);
}

#[tokio::test]
async fn a_block_that_the_charges_do_not_stand_on_proves_nothing_about_them() {
    let (mut stored, found) = paid().await;
    stored.charges[0].charge.payments.clear();
    // They have followed another branch, or are about to.
    stored.blocks.insert(block_of(&found).height, BlockHash([0xcc; 32]));
    assert_eq!(codes(std::slice::from_ref(&found), &[], &stored), []);
    // So deep that it is not kept any more: there is only one chain there.
    stored.blocks.clear();
    assert_eq!(codes(&[found], &[], &stored), [Code::PaymentMissing]);
}

#[tokio::test]
async fn in_the_mempool_a_payment_stored_in_a_block_proves_nothing() {
    let (stored, mut found) = paid().await;
    found.place = Place::Mempool;
    assert_eq!(codes(&[found], &[], &stored), []);
}

#[tokio::test]
async fn r03_what_a_block_took_the_place_of_is_lost_and_nothing_follows_from_absence() {
    let (mut stored, found) = paid().await;
    let conflict = FoundConflict {
        victim: found.outpoint.txid,
        spender: Txid([9; 32]),
        block: block_of(&found),
    };
    // It is in a block itself: whether it still is, is looked for there.
    assert_eq!(codes(&[], &[conflict], &stored), []);
    moved(&mut stored, Place::Mempool);
    assert_eq!(codes(&[], &[], &stored), []);
    assert_eq!(codes(&[], &[conflict], &stored), [Code::PaymentReplaced]);
    let unread = FoundConflict {
        block: other_block(conflict.block.height),
        ..conflict
    };
    assert_eq!(codes(&[], &[unread], &stored), []);
}

#[tokio::test]
async fn r27_money_to_an_address_that_was_not_given_out_keeps_it_back() {
    let (mut stored, found) = paid().await;
    let found = [found];
    stored.charges.clear();
    stored.scripts = vec![StoredScript {
        id: ScriptId(7),
        descriptor: DescriptorId(1),
        index: 70,
        script_pubkey: found[0].script_pubkey.clone(),
        is_ahead: true,
        is_skipped: false,
        charge: None,
    }];
    assert_eq!(codes(&found, &[], &stored), [Code::UnissuedPaid]);
    stored.scripts[0].is_skipped = true;
    assert_eq!(codes(&found, &[], &stored), []);
    // The counter has jumped past it: it will never be given out.
    stored.scripts[0].is_skipped = false;
    stored.scripts[0].is_ahead = false;
    assert_eq!(codes(&found, &[], &stored), []);
    let merchants_of = |descriptor| match descriptor {
        DescriptorId(1) => vec![MerchantId([3; 16])],
        _ => Vec::new(),
    };
    let without = without_charge(&found, &stored, Network::Regtest, merchants_of);
    assert_eq!(without[0].0, found[0].outpoint, "a lost charge may have been paid");
    let address = address_of(&found[0].script_pubkey, Network::Regtest).unwrap();
    for part in [&address, "index 70 of descriptor 1", &MerchantId([3; 16]).to_string()] {
        assert!(without[0].1.contains(part), "{}", without[0].1);
    }
}

#[tokio::test]
async fn a_script_that_only_meets_another_in_the_look_up_is_nobodys() {
    let (mut stored, mut found) = paid().await;
    stored.charges[0].charge.payments.clear();
    found.script_pubkey.push(0);
    assert_eq!(codes(&[found], &[], &stored), []);
}

#[tokio::test]
async fn of_very_many_outputs_to_one_charge_the_sum_is_compared() {
    let (mut stored, found) = paid().await;
    let total = found.value.to_sat();
    let outputs: Vec<FoundOutput> = (0..150)
        .map(|vout| FoundOutput {
            outpoint: Outpoint { vout, ..found.outpoint },
            value: Amount::from_sat(if vout == 0 { total - 149 } else { 1 }),
            ..found.clone()
        })
        .collect();
    // One row stands for all of them.
    assert_eq!(stored.charges[0].charge.payments.len(), 1);
    assert_eq!(codes(&outputs, &[], &stored), []);
    assert_eq!(codes(&outputs[..149], &[], &stored), [Code::PaymentMissing]);
    stored.charges[0].charge.payments.clear();
    assert_eq!(codes(&outputs, &[], &stored), [Code::PaymentMissing]);
}

#[tokio::test]
async fn what_just_came_into_the_mempool_need_not_be_known_yet() {
    let (_, found) = paid().await;
    let entered = |millis| FoundOutput {
        place: Place::Mempool,
        at: Timestamp(millis),
        ..found.clone()
    };
    let kept = long_there(vec![entered(1_000), entered(3_000), entered(5_000)], Timestamp(5_000));
    assert_eq!(kept, [entered(1_000), entered(3_000)]);
}

#[test]
fn a_payment_is_looked_for_in_the_block_in_which_it_is_stored() {
    let block = |height: u32, branch: u8| BlockRef {
        height,
        hash: BlockHash([branch; 32]),
    };
    let found = |n: u8, place| FoundOutput {
        outpoint: Outpoint {
            txid: Txid([n; 32]),
            vout: 0,
        },
        value: Amount::from_sat(1),
        script_pubkey: Vec::new(),
        place: Place::Block(place),
        at: Timestamp(0),
        coinbase: false,
    };
    let mut scanned = Scanned::new(10, [1; 16]);
    scanned.extend(&[block(10, 1), block(11, 2)], &[found(5, block(11, 2))]);
    let outpoint = |n: u8| found(n, block(0, 0)).outpoint;
    assert_eq!(scanned.seen(outpoint(5), block(11, 2)), Seen::There);
    assert_eq!(scanned.seen(outpoint(5), block(10, 1)), Seen::NotThere);
    assert_eq!(scanned.seen(outpoint(6), block(11, 2)), Seen::NotThere);
    assert_eq!(scanned.seen(outpoint(5), block(11, 3)), Seen::OtherBlock);
    assert_eq!(scanned.seen(outpoint(5), block(9, 2)), Seen::NotRead);
    assert_eq!(scanned.seen(outpoint(5), block(12, 2)), Seen::NotRead);
    let charge = ChargeId([3; 16]);
    let finding = not_in_chain(charge, outpoint(5), block(11, 3), Seen::OtherBlock, None);
    assert_eq!(finding.remedy, Some(Remedy::Unplace(Txid([5; 32]))));
    let finding = not_in_chain(charge, outpoint(5), block(11, 3), Seen::NotThere, Some(Txid([8; 32])));
    assert!(matches!(
        finding.remedy,
        Some(Remedy::Lose {
            loss: Loss::Replaced,
            ..
        })
    ));
}
