//! Another wallet waits for a day, whatever is done to the database meanwhile.

use std::net::{IpAddr, Ipv4Addr};

use bitpro_charge::Network;
use bitpro_config::Signup;
use bitpro_merchant::wallet::Receive;
use bitpro_service::accounts::WALLET_SECS;
use bitpro_service::charges::WalletText;
use bitpro_web::Peer;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;

const ADA: &str = "ada@tea.example";
const TPUB: &str =
    "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp";
/// The wallet that is asked for in the place of the first.
pub(super) const OTHER: &str = "tr(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/0/*)";

fn wallet(script_type: &str) -> Receive {
    let text = WalletText {
        text: TPUB.to_owned(),
        script_type: Some(script_type.to_owned()),
    };
    Receive::parse(&text, Network::Regtest).unwrap()
}

/// Gives a merchant its first wallet, and asks for another one.
pub(super) async fn ask(world: &World, who: &str, merchant: MerchantId) {
    for script_type in ["wpkh", "tr"] {
        let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let accounts = world.accounts();
        accounts
            .give_wallet(who, merchant, wallet(script_type), client)
            .await
            .unwrap();
        // As it is looked every minute.
        accounts.take_due_wallets().await.unwrap();
    }
    assert!(world.accounts().pending_wallet(merchant).await.unwrap().is_some());
}

/// The wallet that a merchant's money goes to now.
pub(super) async fn descriptor(world: &World, merchant: MerchantId) -> Option<String> {
    let report = world.app.charges.merchant_report(merchant).await.unwrap();
    report
        .receive
        .map(|receive| receive.split('#').next().unwrap().to_owned())
}

/// A day passes, and it is looked whose wait is over.
pub(super) async fn wait_a_day(world: &World, accounts: &Accounts) {
    world.app.clock.advance_secs(WALLET_SECS);
    accounts.take_due_wallets().await.unwrap();
}

/// The accounts as the next start has them, which remember nothing.
fn restarted(world: &World) -> Accounts {
    Accounts::new(world.app.charges.clone(), Signup::Approval, world.origin(), None)
}

async fn is_told_inside(world: &World) -> bool {
    let request = http::Request::builder()
        .uri("/readyz")
        .header("host", "127.0.0.1:9464")
        .extension(Peer("127.0.0.1:40000".parse().unwrap()));
    let request = request.body(axum::body::Body::empty()).unwrap();
    let answer = bitpro_web::health::inside(world.app.app.clone())
        .oneshot(request)
        .await
        .unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let parts = told["parts"].as_array().unwrap();
    parts
        .iter()
        .any(|part| part["name"] == "wallet-changes" && part["ok"] == false)
}

#[tokio::test]
async fn r27_a_wallet_is_taken_by_nobodys_hand_before_its_day_is_over() {
    for statement in [
        "UPDATE pending_wallets SET due_at = asked_at",
        "UPDATE pending_wallets SET due_at = due_at - 1",
        "UPDATE pending_wallets SET asked_at = asked_at - 86400000",
        "UPDATE pending_wallets SET asked_by = 'bob@tea.example'",
        "UPDATE pending_wallets SET client = '192.0.2.1'",
        "UPDATE pending_wallets SET receive = replace(receive, 'tr(', 'pkh(')",
        "UPDATE pending_wallets SET merchant = (SELECT MIN(num) FROM merchants)",
    ] {
        let world = World::new().await;
        let (_, merchant) = world.person(ADA).await;
        let first = world.app.merchant;
        ask(&world, ADA, merchant).await;
        let before = (descriptor(&world, merchant).await, descriptor(&world, first).await);
        world.meddle(statement).await;
        assert!(!is_told_inside(&world).await);
        world.accounts().take_due_wallets().await.unwrap();
        for one in [merchant, first] {
            let waits = world.accounts().pending_wallet(one).await.unwrap();
            assert!(waits.is_none(), "{statement}");
        }
        assert_eq!(world.accounts().forged_wallets(), 1, "{statement}");
        assert!(is_told_inside(&world).await, "{statement}");
        wait_a_day(&world, world.accounts()).await;
        assert_eq!(
            (descriptor(&world, merchant).await, descriptor(&world, first).await),
            before,
            "{statement}"
        );
        if !statement.contains("SET merchant") {
            let subjects = world.subjects(ADA).await;
            assert_eq!(subjects.last().unwrap(), subjects::WALLET_WITHDRAWN.en, "{statement}");
        }
    }
}

#[tokio::test]
async fn r27_a_wallet_that_was_stopped_and_is_put_back_by_another_hand_is_not_taken() {
    let world = World::new().await;
    let (_, merchant) = world.person(ADA).await;
    ask(&world, ADA, merchant).await;
    let before = descriptor(&world, merchant).await;
    world.meddle("CREATE TABLE kept AS SELECT * FROM pending_wallets").await;
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert!(world.accounts().stop_wallet(merchant, client).await.unwrap());
    world.app.clock.advance_secs(WALLET_SECS);
    world.meddle("INSERT INTO pending_wallets SELECT * FROM kept").await;
    world.accounts().take_due_wallets().await.unwrap();
    assert_eq!(descriptor(&world, merchant).await, before);
    assert_eq!(world.accounts().forged_wallets(), 1);
    // Put back while no server runs, it waits for a whole day, and the owners are told of it.
    world.meddle("INSERT INTO pending_wallets SELECT * FROM kept").await;
    let next = restarted(&world);
    next.take_due_wallets().await.unwrap();
    assert_eq!(descriptor(&world, merchant).await, before);
    assert_eq!(world.subjects(ADA).await.last().unwrap(), subjects::WALLET_ASKED.en);
    assert!(next.stop_wallet(merchant, client).await.unwrap());
    wait_a_day(&world, &next).await;
    assert_eq!(descriptor(&world, merchant).await, before);
}

#[tokio::test]
async fn r27_owners_are_told_at_each_start_of_a_wallet_that_waits_for_it_may_be_one_that_they_stopped() {
    let world = World::new().await;
    let (_, merchant) = world.person(ADA).await;
    ask(&world, ADA, merchant).await;
    let asked = world.accounts().pending_wallet(merchant).await.unwrap().unwrap();
    world.meddle("CREATE TABLE kept AS SELECT * FROM pending_wallets").await;
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert!(world.accounts().stop_wallet(merchant, client).await.unwrap());
    // Put back while no server runs, long before its day is over.
    world.meddle("INSERT INTO pending_wallets SELECT * FROM kept").await;
    let before = world.subjects(ADA).await.len();
    let next = restarted(&world);
    next.take_due_wallets().await.unwrap();
    assert_eq!(world.subjects(ADA).await[before..], [subjects::WALLET_ASKED.en]);
    let log = next.changes(merchant, None, 1).await.unwrap();
    assert_eq!(log[0].action, "settings/wallet/waits");
    // It goes on as it was asked for, and is told once.
    assert_eq!(next.pending_wallet(merchant).await.unwrap(), Some(asked));
    next.take_due_wallets().await.unwrap();
    assert_eq!(world.subjects(ADA).await.len(), before + 1);
}

#[tokio::test]
async fn r27_a_wallet_waits_on_over_a_restart_and_anew_if_its_day_ended_meanwhile() {
    let world = World::new().await;
    let (_, merchant) = world.person(ADA).await;
    ask(&world, ADA, merchant).await;
    let before = descriptor(&world, merchant).await;
    let asked = world.accounts().pending_wallet(merchant).await.unwrap().unwrap();
    let next = restarted(&world);
    next.take_due_wallets().await.unwrap();
    let waits = next.pending_wallet(merchant).await.unwrap();
    assert_eq!(waits.as_ref(), Some(&asked));
    // Nobody runs at the end of the day.
    world.app.clock.advance_secs(WALLET_SECS);
    let last = restarted(&world);
    last.take_due_wallets().await.unwrap();
    assert_eq!(descriptor(&world, merchant).await, before);
    let waits = last.pending_wallet(merchant).await.unwrap().unwrap();
    assert_eq!(waits.due_at, world.app.charges.now().plus_secs(WALLET_SECS));
    wait_a_day(&world, &last).await;
    assert_eq!(descriptor(&world, merchant).await.as_deref(), Some(OTHER));
    assert_eq!(last.forged_wallets(), 0);
}
