//! Making charges.

use std::collections::BTreeSet;

use bitpro_charge::{PriceError, TermsError};

use super::*;

#[tokio::test]
async fn a_charge_is_answered_as_it_is_stored() {
    let shop = Shop::with(&[
        ("tolerance_bps", "100"),
        ("late_policy", "accept"),
        ("window_secs", "600"),
    ])
    .await;
    let id = shop
        .charges
        .create(NewCharge {
            order_id: Some("A-1".to_owned()),
            language: Some(bitpro_merchant::Language::Fr),
            ..shop.new_charge(4_200)
        })
        .await
        .unwrap();
    let made = shop.now(id).await;
    assert_eq!(made.charge.terms.amount.to_sat(), 84_000);
    assert_eq!(made.charge.terms.forgiven.to_sat(), 840);
    assert_eq!(made.charge.deadline, START.plus_secs(600));
    assert!(made.charge.address.starts_with("bcrt1q"));

    let shop = shop.restart().await;
    let read = shop.now(id).await;
    assert_eq!(read.charge, made.charge);
    assert_eq!(read.order_id.as_deref(), Some("A-1"));
    assert_eq!(read.language, Some(bitpro_merchant::Language::Fr));
    assert_eq!(read.origin, ChargeOrigin::Api);
}

#[tokio::test]
async fn what_cannot_be_charged_makes_no_charge_and_takes_no_address() {
    let shop = Shop::new().await;
    let refused = async |new| shop.charges.create(new).await.unwrap_err();
    assert!(matches!(
        refused(NewCharge {
            merchant: MerchantId([9; 16]),
            ..shop.new_charge(100)
        })
        .await,
        CreateError::UnknownMerchant
    ));
    assert!(matches!(
        refused(shop.new_charge(0)).await,
        CreateError::Price(PriceError::Zero)
    ));
    assert!(matches!(
        refused(shop.new_charge(10_000_001)).await,
        CreateError::Price(PriceError::AboveLimit(10_000_000))
    ));
    // A cent is 20 satoshis; the least for such an address is 294.
    assert!(matches!(
        refused(shop.new_charge(14)).await,
        CreateError::Terms(TermsError::Dust { .. })
    ));
    *shop.world.rates.0.write() = None;
    assert!(matches!(refused(shop.new_charge(100)).await, CreateError::NoRate));
    *shop.world.rates.0.write() = Some(RATE);

    let made = shop.make(15).await;
    assert_eq!(made.index, 0);
    assert_eq!(shop.charges.count_by_state().await.unwrap()[0], (State::Pending, 1));
}

#[tokio::test]
async fn r29_the_merchants_spread_is_asked_for_and_stands_beside_the_markets_rate() {
    let shop = Shop::with(&[("rate_spread_bps", "150")]).await;
    let made = shop.make(100).await;
    let shop = shop.restart().await;
    let terms = shop.now(made.charge.id).await.charge.terms.clone();
    assert_eq!(terms.amount.to_sat(), 2_030);
    assert_eq!(terms.spread_bps, 150);
    assert_eq!(terms.quote.rate.cents_per_btc(), RATE);
}

#[tokio::test]
async fn r28_an_index_is_never_given_out_twice_under_concurrency() {
    let shop = Arc::new(Shop::new().await);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let shop = Arc::clone(&shop);
            tokio::spawn(async move {
                let mut made = Vec::new();
                for _ in 0..25 {
                    made.push(shop.make(100).await);
                }
                made
            })
        })
        .collect();
    let mut indices = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for task in tasks {
        for snapshot in task.await.unwrap() {
            assert!(indices.insert(snapshot.index));
            assert!(addresses.insert(snapshot.charge.address.clone()));
        }
    }
    assert_eq!(indices, (0..400).collect());
    assert_eq!(addresses.len(), 400);
}

#[tokio::test]
async fn r28_a_tool_beside_the_server_gives_out_no_address() {
    let shop = Shop::new().await;
    let tool = Charges::open(shop.world.opening(Role::Tool)).await.unwrap();
    let refused = tool.create(shop.new_charge(100)).await.unwrap_err();
    assert!(matches!(
        refused,
        CreateError::IssuanceBlocked(IssuanceBlock::NotTheServer)
    ));
    tool.close().await;
}

#[tokio::test]
async fn the_server_sees_what_a_tool_writes_beside_it() {
    let shop = Shop::new().await;
    let made = shop.make(100).await;
    let mut listener = shop.charges.subscribe(made.charge.id);
    let tool = Charges::open(shop.world.opening(Role::Tool)).await.unwrap();
    let blind = tool.cancel(made.charge.id, 0).await;
    assert!(
        matches!(blind, Err(CommandError::ChainHeld)),
        "R6: no node was looked at"
    );
    tool.set_node_condition(&bitpro_node::Condition::Ready);
    tool.cancel(made.charge.id, 0).await.unwrap();
    tool.close().await;
    // The writer looks once a second by itself; a unit makes it look at once.
    let next = shop.make(100).await;
    assert_eq!(next.index, 1);
    assert!(listener.next().await.is_some());
    assert_eq!(shop.state(made.charge.id).await.0, State::Failed);
    shop.assert_replay_equals_live(made.charge.id).await;
}

#[tokio::test]
async fn r31_personal_data_stands_apart_from_the_log_and_can_be_erased() {
    let mut shop = Shop::new().await;
    let request = NewCharge {
        ignored: vec![Ignored::Email, Ignored::Language],
        ..shop.link("A-1", 1_000)
    };
    let LinkOutcome::Made(id) = shop.charges.for_link(request).await.unwrap() else {
        panic!("a first link makes a charge");
    };
    let personal = shop.charges.personal(id).await.unwrap().unwrap();
    assert_eq!(personal.buyer_email.as_deref(), Some("anna@shop.example"));
    assert_eq!(personal.notes.as_deref(), Some("malformed-buyer-email\nunknown-lang"));

    let address = shop.now(id).await.charge.address.clone();
    let tx = shop.pay(&[(&address, 20_000)]);
    shop.see(&[&tx]).await;
    shop.charges.erase_personal(id).await.unwrap();
    assert_eq!(shop.charges.personal(id).await.unwrap(), Some(Personal::default()));
    assert_eq!(shop.now(id).await.email_key, None);
    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(id).await.0, State::Confirmed);
    shop.assert_replay_equals_live(id).await;
    shop.charges.close().await;
    let bytes = std::fs::read(shop.world.database()).unwrap();
    let has_address = bytes.windows(17).any(|window| window == b"anna@shop.example");
    assert!(!has_address, "what is erased is overwritten");
}
