//! The merchant's commands, and lists.

use bitpro_charge::{Reason, Refusal};
use bitpro_node::{Condition, NodeError};

use super::*;

#[tokio::test]
async fn r14_money_is_taken_by_hand_also_after_everything_is_settled() {
    let mut shop = Shop::new().await;
    let made = shop.make(1_000).await;
    let id = made.charge.id;
    let tx = shop.pay(&[(&made.charge.address, 5_000)]);
    shop.mine(&[&tx]).await;
    shop.pass(5_000).await;
    assert_eq!(shop.state(id).await, (State::Failed, Some(Reason::Underpaid)));
    let shop = shop.restart().await;
    let failed = shop.now(id).await;
    let outpoints = vec![failed.charge.payments[0].outpoint];
    let stale = shop.charges.accept(id, outpoints.clone(), 1).await.unwrap_err();
    assert!(matches!(stale, CommandError::Refused(Refusal::Stale(_))));
    let taken = shop
        .charges
        .accept(id, outpoints, failed.charge.sequence)
        .await
        .unwrap();
    assert_eq!(
        (taken.charge.state, taken.charge.reason),
        (State::Confirmed, Some(Reason::Manual))
    );
    shop.assert_replay_equals_live(id).await;
}

#[tokio::test]
async fn r15_only_a_pending_charge_is_cancelled_and_by_its_sequence() {
    let mut shop = Shop::new().await;
    let (made, paid) = (shop.make(1_000).await, shop.make(1_000).await);
    let tx = shop.pay(&[(&paid.charge.address, 20_000)]);
    shop.see(&[&tx]).await;
    let sequence = shop.now(paid.charge.id).await.charge.sequence;
    assert!(matches!(
        shop.charges.cancel(paid.charge.id, sequence).await,
        Err(CommandError::Refused(Refusal::NotPending))
    ));
    let cancelled = shop.charges.cancel(made.charge.id, 0).await.unwrap();
    assert_eq!(
        (cancelled.charge.state, cancelled.charge.reason),
        (State::Failed, Some(Reason::Cancelled))
    );
    assert!(matches!(
        shop.charges.cancel(ChargeId([9; 16]), 0).await,
        Err(CommandError::UnknownCharge)
    ));
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn r06_while_the_chain_is_held_nothing_is_accepted_or_cancelled() {
    let mut shop = Shop::new().await;
    let (short, open) = (shop.make(1_000).await, shop.make(1_000).await);
    let tx = shop.pay(&[(&short.charge.address, 5_000)]);
    shop.mine(&[&tx]).await;
    let (short, open) = (shop.now(short.charge.id).await, shop.now(open.charge.id).await);
    let id = short.charge.id;
    let outpoints = vec![short.charge.payments[0].outpoint];
    let told = outbox(&shop.world.database()).await;
    // Neither the node's absence nor its way back to the chain says that the charges stand on it again.
    for condition in [
        Condition::Starting,
        Condition::Syncing { blocks: 1, headers: 2 },
        bitpro_node::testing::held(),
        Condition::Failing(NodeError::Unreachable("refused".to_owned())),
        Condition::CatchingUp { height: 1, target: 2 },
    ] {
        shop.charges.set_node_condition(&condition);
        let accepted = shop.charges.accept(id, outpoints.clone(), short.charge.sequence).await;
        assert!(
            matches!(accepted, Err(CommandError::ChainHeld)),
            "{condition}: {accepted:?}"
        );
        let cancelled = shop.charges.cancel(open.charge.id, open.charge.sequence).await;
        assert!(
            matches!(cancelled, Err(CommandError::ChainHeld)),
            "{condition}: {cancelled:?}"
        );
        let by_hand = ManualChange::Accept {
            outpoints: outpoints.clone(),
            sequence: short.charge.sequence,
        };
        let by_hand = shop.charges.change_manually(shop.merchant, id, by_hand).await;
        assert!(
            matches!(by_hand, Err(CommandError::ChainHeld)),
            "{condition}: {by_hand:?}"
        );
    }
    // What concludes nothing is done all the same.
    let note = ManualChange::Note("Called".to_owned());
    shop.charges.change_manually(shop.merchant, id, note).await.unwrap();
    assert_eq!(shop.now(id).await.charge, short.charge);
    assert_eq!(shop.now(open.charge.id).await.charge, open.charge);
    assert_eq!(outbox(&shop.world.database()).await, told);

    shop.charges.set_node_condition(&Condition::Ready);
    let taken = shop.charges.accept(id, outpoints, short.charge.sequence).await.unwrap();
    assert_eq!(taken.charge.state, State::Confirmed);
    let cancelled = shop.charges.cancel(open.charge.id, open.charge.sequence).await.unwrap();
    assert_eq!(cancelled.charge.reason, Some(Reason::Cancelled));
}

#[tokio::test]
async fn charges_are_listed_newest_first_and_page_by_page() {
    let shop = Shop::new().await;
    let other = add_merchant(&shop.charges, &[], "wpkh").await;
    let mut made = Vec::new();
    for i in 0..5 {
        let new = NewCharge {
            order_id: Some(format!("A-{}", i % 2)),
            ..shop.new_charge(100 + i)
        };
        made.push(shop.charges.create(new).await.unwrap());
    }
    let foreign = NewCharge {
        merchant: other,
        ..shop.new_charge(100)
    };
    shop.charges.create(foreign).await.unwrap();
    shop.charges.cancel(made[1], 0).await.unwrap();
    made.reverse();

    let mine = Filter {
        merchant: Some(shop.merchant),
        ..Filter::default()
    };
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = shop.charges.list(mine.clone(), after, 2).await.unwrap();
        assert!(page.charges.len() <= 2);
        listed.extend(page.charges.iter().map(|snapshot| snapshot.charge.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, made);

    let count = async |filter: Filter| shop.charges.list(filter, None, 100).await.unwrap().charges.len();
    assert_eq!(count(Filter::default()).await, 6);
    assert_eq!(
        count(Filter {
            state: Some(State::Failed),
            ..Filter::default()
        })
        .await,
        1
    );
    assert_eq!(
        count(Filter {
            order_id: Some("A-0".to_owned()),
            ..mine
        })
        .await,
        3
    );
}
