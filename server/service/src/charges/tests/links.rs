//! What a payment link leads to.

use super::*;

async fn follow(shop: &Shop, request: NewCharge) -> LinkOutcome {
    shop.charges.for_link(request).await.unwrap()
}

async fn make(shop: &Shop, request: NewCharge) -> ChargeId {
    match follow(shop, request).await {
        LinkOutcome::Made(id) => id,
        other => panic!("expected a new charge, got {other:?}"),
    }
}

#[tokio::test]
async fn r22_the_same_link_shows_the_same_charge() {
    let shop = Shop::new().await;
    let first = make(&shop, shop.link("A-1", 100)).await;
    assert_eq!(follow(&shop, shop.link("A-1", 100)).await, LinkOutcome::Reused(first));
    let spelled = NewCharge {
        buyer_email: Some(" Anna@Shop.Example ".to_owned()),
        ..shop.link("A-1", 100)
    };
    assert_eq!(follow(&shop, spelled).await, LinkOutcome::Reused(first));
}

#[tokio::test]
async fn r22_after_a_restart_a_signed_link_shows_the_same_charge_and_an_unsigned_one_a_new_one() {
    let shop = Shop::new().await;
    let link = |signed| shop.link_of(Follower { signed, ..shopper() }, "A-1", 100);
    let (unsigned, signed) = (link(false), link(true));
    let (of_unsigned, of_signed) = (make(&shop, unsigned.clone()).await, make(&shop, signed.clone()).await);
    let shop = shop.restart().await;
    assert_eq!(follow(&shop, signed).await, LinkOutcome::Reused(of_signed));
    // Whose the charge is was in memory only: it is nobody's now.
    let again = make(&shop, unsigned.clone()).await;
    assert_ne!(again, of_unsigned);
    assert_eq!(follow(&shop, unsigned).await, LinkOutcome::Reused(again));
}

#[tokio::test]
async fn r29_without_a_rate_nothing_is_made_but_what_was_promised_is_shown() {
    let shop = Shop::new().await;
    let first = make(&shop, shop.link("A-1", 100)).await;
    *shop.world.rates.0.write() = None;
    assert_eq!(follow(&shop, shop.link("A-1", 100)).await, LinkOutcome::Reused(first));
    let other = shop.charges.for_link(shop.link("A-2", 100)).await;
    assert!(matches!(other, Err(CreateError::NoRate)), "{other:?}");
}

#[tokio::test]
async fn r22_another_price_shopper_or_signature_is_another_charge() {
    let shop = Shop::new().await;
    make(&shop, shop.link("A-1", 100)).await;
    make(&shop, shop.link("A-1", 200)).await;
    make(
        &shop,
        NewCharge {
            buyer_email: None,
            ..shop.link("A-1", 100)
        },
    )
    .await;
    make(&shop, shop.link_of(signed_shopper(), "A-1", 100)).await;
    make(&shop, shop.link("A-2", 100)).await;
}

#[tokio::test]
async fn r22_without_an_order_id_nothing_is_reused() {
    let shop = Shop::new().await;
    for order_id in [None, Some(String::new())] {
        for _ in 0..5 {
            let request = NewCharge {
                order_id: order_id.clone(),
                ..shop.link("", 100)
            };
            make(&shop, request).await;
        }
    }
}

#[tokio::test]
async fn r22_a_charge_of_the_api_never_matches_a_link() {
    let shop = Shop::new().await;
    let new = NewCharge {
        order_id: Some("A-1".to_owned()),
        buyer_email: Some("anna@shop.example".to_owned()),
        ..shop.new_charge(100)
    };
    shop.charges.create(new).await.unwrap();
    make(&shop, shop.link("A-1", 100)).await;
}

#[tokio::test]
async fn r22_with_less_than_five_minutes_left_a_new_charge_is_made() {
    let shop = Shop::new().await;
    let first = make(&shop, shop.link("A-1", 100)).await;
    shop.world.clock.advance_secs(15 * 60);
    assert_eq!(follow(&shop, shop.link("A-1", 100)).await, LinkOutcome::Reused(first));
    shop.world.clock.advance_secs(1);
    make(&shop, shop.link("A-1", 100)).await;
}

#[tokio::test]
async fn r22_under_another_descriptor_a_new_charge_is_made() {
    let shop = Shop::new().await;
    let first = make(&shop, shop.link("A-1", 100)).await;
    let changes = MerchantChanges {
        wallet: Some(WalletText {
            text: TPUB.to_owned(),
            script_type: Some("tr".to_owned()),
        }),
        ..MerchantChanges::default()
    };
    shop.charges.change_merchant(shop.merchant, changes).await.unwrap();
    finish_scans(&shop.charges).await;
    let second = make(&shop, shop.link("A-1", 100)).await;
    assert_ne!(first, second);
    assert!(shop.now(second).await.charge.address.starts_with("bcrt1p"));
}

#[tokio::test]
async fn r22_once_a_payment_is_known_the_link_shows_the_outcome_for_ever() {
    let mut shop = Shop::new().await;
    let id = make(&shop, shop.link("A-1", 1_000)).await;
    let address = shop.now(id).await.charge.address.clone();
    let tx = shop.pay(&[(&address, 20_000)]);
    shop.see(&[&tx]).await;
    assert_eq!(follow(&shop, shop.link("A-1", 1_000)).await, LinkOutcome::Paid(id));
    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(id).await.0, State::Confirmed);
    shop.pass(100_000).await;
    let shop = shop.restart().await;
    assert_eq!(follow(&shop, shop.link("A-1", 1_000)).await, LinkOutcome::Paid(id));
}

#[tokio::test]
async fn r22_a_charge_that_is_paid_in_many_small_pieces_is_shown_to_nobody_else() {
    let mut shop = Shop::new().await;
    let link = |shop: &Shop| shop.link_of(signed_shopper(), "A-1", 5_000);
    let id = make(&shop, link(&shop)).await;
    let charge = shop.now(id).await.charge.clone();
    let piece = charge.terms.significant().to_sat() - 1;
    let one = shop.pay(&[(&charge.address, piece)]);
    shop.see(&[&one]).await;
    assert_eq!(follow(&shop, link(&shop)).await, LinkOutcome::Reused(id));
    let many = shop.pay(&[(&charge.address, piece), (&charge.address, piece)]);
    shop.see(&[&one, &many]).await;
    assert_eq!(shop.state(id).await.0, State::Pending);
    assert_eq!(follow(&shop, link(&shop)).await, LinkOutcome::Paid(id));
    let shop = shop.restart().await;
    assert_eq!(follow(&shop, link(&shop)).await, LinkOutcome::Paid(id));
}

#[tokio::test]
async fn r22_in_one_group_the_second_link_sees_the_first() {
    let shop = Shop::new().await;
    let (one, other) = tokio::join!(
        follow(&shop, shop.link("A-1", 100)),
        follow(&shop, shop.link("A-1", 100))
    );
    let LinkOutcome::Made(id) = one else {
        panic!("the first makes a charge");
    };
    assert_eq!(other, LinkOutcome::Reused(id));
}

#[tokio::test]
async fn r25_a_client_with_three_unpaid_charges_of_an_order_presses_the_button_and_is_not_refused() {
    let mut shop = Shop::new().await;
    for cents in [100, 200, 300] {
        make(&shop, shop.link("A-1", cents)).await;
    }
    assert_eq!(follow(&shop, shop.link("A-1", 400)).await, LinkOutcome::NeedsButton);
    let pressed = shop.link_of(pressing_shopper(), "A-1", 400);
    make(&shop, pressed).await;
    // Unsigned links cost nothing of signed ones, and one order nothing of another.
    let signed = shop.link_of(signed_shopper(), "A-1", 500);
    make(&shop, signed).await;
    make(&shop, shop.link("A-2", 100)).await;
    // Those that ran out do not count.
    shop.pass(1_200 + 90).await;
    make(&shop, shop.link("A-1", 400)).await;
}

#[tokio::test]
async fn r25_strangers_who_open_charges_of_an_order_cost_its_shopper_nothing() {
    let shop = Shop::new().await;
    for nth in 0..30 {
        let stranger = shop.link_of(
            Follower {
                client: client(&format!("198.51.100.{nth}")),
                ..shopper()
            },
            "A-1",
            100 + nth % 5,
        );
        make(&shop, stranger).await;
    }
    make(&shop, shop.link("A-1", 1_000)).await;
}

#[tokio::test]
async fn r22_whoever_guesses_order_price_and_shopper_of_an_unsigned_link_gets_a_charge_of_their_own() {
    let shop = Shop::new().await;
    let first = make(&shop, shop.link("A-1", 100)).await;
    let stranger = |signed| {
        let client = client("198.51.100.1");
        shop.link_of(
            Follower {
                client,
                signed,
                ..shopper()
            },
            "A-1",
            100,
        )
    };
    let theirs = make(&shop, stranger(false)).await;
    assert_ne!(
        shop.now(first).await.charge.address,
        shop.now(theirs).await.charge.address
    );
    assert_eq!(follow(&shop, shop.link("A-1", 100)).await, LinkOutcome::Reused(first));
    assert_eq!(follow(&shop, stranger(false)).await, LinkOutcome::Reused(theirs));
    // Nobody guesses a signed link: whoever has it may have it on two devices.
    let signed = make(&shop, shop.link_of(signed_shopper(), "A-1", 100)).await;
    assert_eq!(follow(&shop, stranger(true)).await, LinkOutcome::Reused(signed));
}

#[tokio::test]
async fn r26_past_a_run_of_unpaid_addresses_an_unsigned_link_needs_the_button() {
    let mut shop = Shop::with(&[("gap_warning", "2"), ("gap_button", "3")]).await;
    let mut ids = Vec::new();
    for order in ["A", "B", "C"] {
        ids.push(make(&shop, shop.link(order, 1_000)).await);
    }
    assert_eq!(follow(&shop, shop.link("D", 1_000)).await, LinkOutcome::NeedsButton);
    // Reusing takes no address.
    assert_eq!(follow(&shop, shop.link("C", 1_000)).await, LinkOutcome::Reused(ids[2]));
    let pressed = shop.link_of(pressing_shopper(), "D", 1_000);
    make(&shop, pressed).await;
    let signed = shop.link_of(signed_shopper(), "E", 1_000);
    make(&shop, signed).await;
    let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
    assert_eq!((report.unpaid_run, report.next_index), (5, Some(5)));
    assert_eq!(report.gap_limit, 25);

    // Money on the third leaves two unpaid behind it, once it is in a block: before, it can be taken back.
    let address = shop.now(ids[2]).await.charge.address.clone();
    let tx = shop.pay(&[(&address, 20_000)]);
    shop.see(&[&tx]).await;
    let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
    assert_eq!(report.unpaid_run, 5);
    shop.mine(&[&tx]).await;
    let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
    assert_eq!(report.unpaid_run, 2);
    make(&shop, shop.link("F", 1_000)).await;
    let shop = shop.restart().await;
    let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
    assert_eq!(report.unpaid_run, 3);
}

#[tokio::test]
async fn r26_an_address_whose_payment_left_the_chain_is_unpaid_again() {
    let mut shop = Shop::new().await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(shop.make(1_000).await.charge.id);
    }
    let told = async |shop: &Shop| {
        let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
        (report.unpaid_run, report.longest_run, report.gap_limit)
    };
    let mut pay = Vec::new();
    for index in [4, 20, 39] {
        let address = shop.now(ids[index]).await.charge.address.clone();
        pay.push(shop.pay(&[(&address, 20_000)]));
    }
    shop.mine(&[&pay[0]]).await;
    shop.mine(&[&pay[1]]).await;
    assert_eq!(told(&shop).await, (19, 19, 39));
    shop.reorg(&[&pay[1]], &[]).await;
    assert_eq!(told(&shop).await, (35, 35, 55));
    // It is mined again, and one above it, and lost for good below that one.
    shop.mine(&[&pay[1]]).await;
    assert_eq!(told(&shop).await, (19, 19, 39));
    shop.mine(&[&pay[1], &pay[2]]).await;
    assert_eq!(told(&shop).await, (0, 18, 38));
    shop.lose(&pay[1], Loss::Replaced, &[]).await;
    assert_eq!(told(&shop).await, (0, 34, 54));
    // Without the highest one, the run goes down to what is paid still; so it is known after a start.
    shop.lose(&pay[2], Loss::Replaced, &[]).await;
    assert_eq!(told(&shop).await, (35, 35, 55));
    let mut shop = shop.restart().await;
    assert_eq!(told(&shop).await, (35, 35, 55));
    shop.lose(&pay[0], Loss::Replaced, &[]).await;
    assert_eq!(told(&shop).await, (40, 40, 60));
}

#[tokio::test]
async fn r26_a_gap_below_a_paid_address_counts_for_ever() {
    let mut shop = Shop::new().await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(shop.make(1_000).await.charge.id);
    }
    let pay = async |shop: &mut Shop, index: usize| {
        let address = shop.now(ids[index]).await.charge.address.clone();
        let tx = shop.pay(&[(&address, 20_000)]);
        shop.mine(&[&tx]).await;
        let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
        (report.unpaid_run, report.longest_run, report.gap_limit)
    };
    assert_eq!(pay(&mut shop, 2).await, (27, 27, 47));
    // The run at the end is over; whoever has only the seed still has to look across it.
    assert_eq!(pay(&mut shop, 29).await, (0, 26, 46));
    assert_eq!(pay(&mut shop, 10).await, (0, 26, 46));
    let shop = shop.restart().await;
    let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
    assert_eq!((report.unpaid_run, report.longest_run), (0, 26));
}
