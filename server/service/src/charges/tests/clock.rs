//! A machine's clock that was wrong: what it does to charges, and how the operator takes it back (R32).

use bitpro_base::clock::Clock as _;
use bitpro_charge::Reason;

use super::*;

const TWO_HOURS: u32 = 7_200;
const TEN_YEARS_MS: i64 = 10 * 365 * 24 * 3_600_000;

/// The machine's clock is right again, and the operator takes back the time that ran ahead.
async fn taken_back(shop: Shop) -> Shop {
    shop.world.clock.turn_to(START);
    let shop = shop.restart().await;
    shop.charges.close().await;
    let tool = Charges::open(shop.world.opening(Role::Tool)).await.unwrap();
    tool.accept_clock().await.unwrap();
    tool.close().await;
    shop.restart().await
}

#[tokio::test]
async fn r32_after_a_wrong_moment_a_charge_ends_when_its_window_ends() {
    let mut shop = Shop::new().await;
    shop.world.clock.turn_to(START.plus_secs(TWO_HOURS));
    // Made in the wrong moment, and after it.
    let within = shop.make(1_000).await;
    shop.world.clock.turn_to(START);
    let after = shop.make(1_000).await;
    assert!(shop.charges.moment().is_far_ahead());
    let mut shop = {
        shop.pass(600).await;
        shop.restart().await
    };
    for made in [&within, &after] {
        assert_eq!(shop.state(made.charge.id).await.0, State::Pending);
    }
    shop.pass(600 + 90).await;
    for made in [&within, &after] {
        assert_eq!(shop.state(made.charge.id).await.0, State::TimedOut);
    }
}

#[tokio::test]
async fn r32_time_does_not_fall_back_behind_a_charge_when_the_process_dies() {
    let shop = Shop::new().await;
    shop.world.clock.turn_to(START.plus_secs(TWO_HOURS));
    let made = shop.make(1_000).await;
    // The minute in which the time is stored has not come, and never does. The next process finds a clock that is right.
    let mut opening = shop.world.opening(Role::Tool);
    opening.clock = Arc::new(ManualClock::new(START));
    let next = Charges::open(opening).await.unwrap();
    assert!(next.now() >= made.charge.terms.created_at);
    next.close().await;
}

#[tokio::test]
async fn r32_the_operator_takes_back_a_time_ten_years_ahead() {
    let mut shop = Shop::new().await;
    let early = shop.make(1_000).await;
    let future = Timestamp(START.0 + TEN_YEARS_MS);
    shop.world.clock.turn_to(future);
    let pending = shop.make(1_000).await;
    let partial = shop.make(1_000).await;
    let tx = shop.pay(&[(&partial.charge.address, 5_000)]);
    shop.see(&[&tx]).await;
    assert_eq!(
        shop.state(early.charge.id).await.0,
        State::TimedOut,
        "its window is long over"
    );
    shop.charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    shop.charges
        .rotate_link_key(shop.merchant, 3_600, CommitHook::none())
        .await
        .unwrap();

    // The next start has the right clock, and would wait for ten years.
    shop.world.clock.turn_to(START);
    let shop = shop.restart().await;
    assert_eq!(shop.charges.now(), future);
    assert_eq!(shop.charges.clock_report().ahead_secs, TEN_YEARS_MS / 1_000);
    assert!(shop.charges.begin_anew() && shop.charges.begins_anew().is_cancelled());
    shop.charges.close().await;

    let tool = Charges::open(shop.world.opening(Role::Tool)).await.unwrap();
    let accepted = tool.accept_clock().await.unwrap();
    assert_eq!(accepted.stepped_secs, TEN_YEARS_MS / 1_000);
    assert_eq!(accepted.withdrawn, [pending.charge.id]);
    assert_eq!(accepted.kept, [partial.charge.id]);
    assert_eq!(
        tool.accept_clock().await.unwrap(),
        Accepted::default(),
        "there is nothing more to accept"
    );
    tool.close().await;

    let mut shop = shop.restart().await;
    assert_eq!(shop.charges.moment().lead_ms(), 0);
    assert_eq!(shop.charges.now(), START);
    assert_eq!(
        shop.state(pending.charge.id).await,
        (State::Failed, Some(Reason::Cancelled))
    );
    let keys = shop.charges.link_keys(shop.merchant).unwrap();
    let ends = keys.iter().find_map(|key| key.ends_at);
    assert_eq!(
        ends,
        Some(START.plus_secs(3_600)),
        "the old key does not sign for ten years"
    );
    // What is made now has its whole window, and ends with it.
    let fresh = shop.make(1_000).await;
    shop.pass(1_200).await;
    assert_eq!(shop.state(fresh.charge.id).await.0, State::Pending);
    shop.pass(91).await;
    assert_eq!(shop.state(fresh.charge.id).await.0, State::TimedOut);
    for id in [early.charge.id, pending.charge.id, partial.charge.id, fresh.charge.id] {
        shop.assert_replay_equals_live(id).await;
    }
}

#[tokio::test]
async fn r32_a_wallet_that_waits_keeps_its_day_and_its_proof_when_the_time_is_taken_back() {
    use bitpro_config::Signup;
    use bitpro_merchant::wallet::Receive;

    use crate::accounts::{Accounts, Email};

    let shop = Shop::new().await;
    shop.world.clock.turn_to(Timestamp(START.0 + TEN_YEARS_MS));
    let accounts = |shop: &Shop| Accounts::new(shop.charges.clone(), Signup::Approval, "https://pay.example", None);
    let ada = Email::read("ada@shop.example").unwrap();
    accounts(&shop).adopt(shop.merchant, &ada).await.unwrap();
    let tr = WalletText {
        text: TPUB.to_owned(),
        script_type: Some("tr".to_owned()),
    };
    let receive = Receive::parse(&tr, Network::Regtest).unwrap();
    let client = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    accounts(&shop)
        .give_wallet("ada@shop.example", shop.merchant, receive, client)
        .await
        .unwrap();
    let before = shop.charges.merchant_report(shop.merchant).await.unwrap().receive;

    let shop = taken_back(shop).await;
    let accounts = accounts(&shop);
    accounts.take_due_wallets().await.unwrap();
    let waits = accounts.pending_wallet(shop.merchant).await.unwrap().unwrap();
    assert_eq!((waits.asked_at, waits.due_at), (START, START.plus_secs(86_400)));
    shop.world.clock.advance_secs(86_399);
    accounts.take_due_wallets().await.unwrap();
    let still = shop.charges.merchant_report(shop.merchant).await.unwrap().receive;
    assert_eq!(still, before);
    shop.world.clock.advance_secs(1);
    accounts.take_due_wallets().await.unwrap();
    let now = shop.charges.merchant_report(shop.merchant).await.unwrap().receive;
    assert_ne!(now, before);
}

#[tokio::test]
async fn r32_money_that_comes_after_the_time_was_taken_back_was_sent_for_its_charge() {
    let mut shop = Shop::new().await;
    shop.world.clock.turn_to(Timestamp(START.0 + TEN_YEARS_MS));
    let withdrawn = shop.make(10_000).await;
    let cancelled = shop.make(10_000).await;
    shop.charges.cancel(cancelled.charge.id, 0).await.unwrap();
    let partial = shop.make(10_000).await;
    let first = shop.pay(&[(&partial.charge.address, 5_000)]);
    shop.see(&[&first]).await;
    let need = partial.charge.terms.amount.to_sat();

    let mut shop = taken_back(shop).await;
    shop.pass(60).await;

    // R15: what was withdrawn is paid all the same, so the merchant is told and decides.
    let late = shop.pay(&[
        (&withdrawn.charge.address, need),
        (&cancelled.charge.address, need),
        (&partial.charge.address, need - 5_000),
    ]);
    shop.see(&[&late]).await;
    for made in [&withdrawn, &cancelled] {
        assert_eq!(shop.state(made.charge.id).await, (State::Failed, Some(Reason::Late)));
    }
    // The rest of a charge that keeps its deadline counts like the first part.
    assert_eq!(shop.state(partial.charge.id).await, (State::Seen, None));
    for made in [&withdrawn, &cancelled, &partial] {
        shop.assert_replay_equals_live(made.charge.id).await;
    }
}

#[tokio::test]
async fn r32_what_is_erased_for_good_goes_by_the_machines_clock() {
    let shop = Shop::with(&[("retention_days", "30")]).await;
    let new = NewCharge {
        buyer_email: Some("anna@shop.example".to_owned()),
        ..shop.new_charge(1_000)
    };
    let id = shop.charges.create(new).await.unwrap();
    shop.charges.cancel(id, 0).await.unwrap();
    shop.world.clock.turn_to(Timestamp(START.0 + TEN_YEARS_MS));
    assert_eq!(shop.charges.now().0, START.0 + TEN_YEARS_MS);
    shop.world.clock.turn_to(START);
    retention::erase_old(&shop.charges).await.unwrap();
    let personal = shop.charges.personal(id).await.unwrap().unwrap();
    assert_eq!(personal.buyer_email.as_deref(), Some("anna@shop.example"));
    shop.world.clock.advance_secs(31 * 24 * 3_600);
    shop.world.clock.now();
    retention::erase_old(&shop.charges).await.unwrap();
    let personal = shop.charges.personal(id).await.unwrap().unwrap();
    assert_eq!(personal.buyer_email, None);
}
