//! A shop is set up by people who were let in: from the wallet to a confirmed payment, and what its owners are told.

use bitpro_charge::State;
use bitpro_merchant::keys::Scopes;
use bitpro_merchant::wallet::{Receive, WalletText};
use bitpro_node::ChargesPort as _;
use bitpro_service::accounts::KeyChange;
use bitpro_service::charges::CommitHook;
use bitpro_store::StoreError;

use super::*;
use crate::charges::state_word;
use crate::onboarding;
use crate::settings::LOGO_NO_PICTURE;
use crate::shop::FIRST;

const TPUB: &str =
    "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp";

#[tokio::test]
async fn a_newcomer_comes_from_the_wallet_to_a_confirmed_payment() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let base = format!("/dashboard/{merchant}");
    let home = ada.get(&base).await;
    assert!(says(&home.body, onboarding::WALLET.0), "{}", home.body);

    let form = format!("wallet={TPUB}&script_type=tr");
    let shown = ada.post(&format!("{base}/settings/wallet"), &form).await;
    assert_eq!(shown.body.matches("<li><code>bcrt1p").count(), 3, "{}", shown.body);
    let saved = ada
        .post(
            &format!("{base}/settings/wallet/confirm"),
            &format!("{form}&compared=yes"),
        )
        .await;
    assert_leads_to(&saved, &format!("{base}/settings/wallet?done=saved"));
    assert!(ada.get(&base).await.body.contains("under way"));
    let given = world.letters().await.pop().unwrap();
    assert_eq!(given.subject, subjects::WALLET_GIVEN.en);
    assert!(
        given
            .text
            .contains(&format!("{}{base}/settings/wallet\n", world.origin())),
        "{}",
        given.text
    );
    for scan in world.app.charges.scans_wanted() {
        world.app.charges.watch_ahead(scan.id, None).await.unwrap();
        world.app.charges.finish_scan(scan.id).await.unwrap();
    }
    let domains = ada
        .post(
            &format!("{base}/settings/domains"),
            "origins=tea.example%0Ashop.tea.example",
        )
        .await;
    assert_leads_to(&domains, &format!("{base}/settings/domains?done=saved"));

    let link = format!("/app/checkout/{merchant}?fiat_price_cents=4200&external_order_id=A-1");
    let snippet = ada.get(&format!("{base}/snippet?price=42&order_id=A-1")).await;
    assert!(snippet.body.contains(&link.replace('&', "&amp;")), "{}", snippet.body);
    let opened = world.app.navigate(&link).await;
    let charge = opened.header("location").split('?').next().unwrap().to_owned();
    world.app.confirm(&charge).await;
    let home = ada.get(&base).await.body;
    assert!(home.contains("A-1") && says(&home, state_word(State::Confirmed)) && !says(&home, FIRST));
    assert!(says(&home, onboarding::WEBHOOK.0));

    let log = ada.get(&format!("{base}/log")).await.body;
    assert!(log.contains("settings/wallet/confirm") && log.contains("tr(tpub") && log.contains("settings/domains"));
    // What was only looked at is no change.
    assert!(!log.contains(">settings/wallet</code>"));
    ada.post("/account", "name=Ada&language=fr").await;
    let log = ada.get(&format!("{base}/log")).await.body;
    assert!(log.contains("<div>Domaines autorisés modifiés</div>"), "{log}");
}

#[tokio::test]
async fn r14_a_developers_key_accepts_no_money_that_they_may_not_accept() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let dev = world.member(&ada, merchant, "dev@tea.example", Role::Developer).await;
    let keys = format!("/dashboard/{merchant}/settings/keys");
    let asked = "name=Shop&scope=charges:read&scope=charges:accept";
    let refused = dev.post(&keys, asked).await;
    assert_eq!(refused.status, 422);
    assert!(
        !refused.body.contains("value=\"charges:accept\""),
        "it is not even offered"
    );
    assert!(world.app.charges.keys(Some(merchant)).is_empty());

    // Nor by a new secret for a key that an owner made.
    assert_eq!(ada.post(&keys, asked).await.status, 200);
    let id = world.app.charges.keys(Some(merchant))[0].id;
    let rotated = dev.post(&format!("{keys}/{id}/rotate"), "overlap=0").await;
    assert_eq!(rotated.status, 403);
    // What is in the wrong hands anybody who keeps keys may end.
    dev.post(&format!("{keys}/{id}/revoke"), "").await;
    assert!(world.app.charges.key(id).unwrap().revoked_at.is_some());
}

#[tokio::test]
async fn owners_are_told_of_keys_and_wallets_by_letter() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let dev = world.member(&ada, merchant, "dev@tea.example", Role::Developer).await;
    let base = format!("/dashboard/{merchant}");
    let made = dev
        .post(&format!("{base}/settings/keys"), "name=Shop&scope=charges:read")
        .await;
    assert_eq!(made.status, 200, "{}", made.body);
    let id = world.app.charges.keys(Some(merchant))[0].id;
    dev.post(&format!("{base}/settings/keys/{id}/revoke"), "").await;
    let wallet = format!("wallet={TPUB}&script_type=tr&compared=yes");
    let forbidden = dev.post(&format!("{base}/settings/wallet/confirm"), &wallet).await;
    assert_eq!(forbidden.status, 403);
    ada.post(&format!("{base}/settings/wallet/confirm"), &wallet).await;

    let told = world.subjects("ada@tea.example").await;
    assert_eq!(
        told[told.len() - 3..],
        [
            subjects::KEY_ADDED.en,
            subjects::KEY_REVOKED.en,
            subjects::WALLET_GIVEN.en
        ]
    );
    let other = WalletText {
        text: TPUB.to_owned(),
        script_type: Some("wpkh".to_owned()),
    };
    let other = Receive::parse(&other, world.app.charges.network()).unwrap();
    let (who, client) = ("ada@tea.example", std::net::IpAddr::from([10, 0, 0, 1]));
    world
        .accounts()
        .give_wallet(who, merchant, other, client)
        .await
        .unwrap();
    let asked = world.letters().await.pop().unwrap();
    assert_eq!(asked.subject, subjects::WALLET_ASKED.en);
    let page = format!("{}{base}/settings/wallet", world.origin());
    assert!(
        asked.text.contains(&page) && asked.html.contains(&format!("href=\"{page}\"")),
        "{}",
        asked.text
    );
    let secret = made
        .body
        .split("id=\"secret\"")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let secret = secret.split('>').nth(1).unwrap().trim();
    let log = ada.get(&format!("{base}/log")).await.body;
    assert!(log.contains(&id.to_string()) && !log.contains(secret));
}

#[tokio::test]
async fn what_leads_money_or_secrets_elsewhere_asks_for_the_password_again() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    world.app.clock.advance_secs(16 * 60);
    let base = format!("/dashboard/{merchant}/settings");
    for path in ["wallet/confirm", "keys", "links/rotate", "webhooks"] {
        let answer = ada.post(&format!("{base}/{path}"), "").await;
        assert!(answer.status == 422 && says(&answer.body, said::CONFIRM), "{path}");
    }
    let calm = ada.post(&format!("{base}/domains"), "origins=tea.example").await;
    assert_leads_to(&calm, &format!("{base}/domains?done=saved"));
}

#[tokio::test]
async fn a_changed_key_its_line_and_the_letters_are_one_unit() {
    let world = World::new().await;
    let (_, merchant) = world.person("ada@tea.example").await;
    let (accounts, charges) = (world.accounts(), &world.app.charges);
    let begin = async || {
        let begun = accounts.begin_change(Some(merchant), None, "ada", "settings/keys", "::1");
        begun.await.unwrap()
    };
    let lines = async || accounts.changes(merchant, None, 100).await.unwrap();
    let client = std::net::Ipv4Addr::LOCALHOST.into();

    let begun = begin().await;
    let told = accounts.key_hook(merchant, KeyChange::Added, client, Some(begun));
    let made = charges
        .add_key(merchant, "Shop", Scopes::default(), told)
        .await
        .unwrap();
    // The server may end here: nobody has to be told afterwards.
    let line = &lines().await[0];
    let named = format!("{} Shop", made.key.id);
    assert_eq!(
        (line.detail.as_str(), line.outcome.as_deref()),
        (named.as_str(), Some("done"))
    );
    assert_eq!(
        world.subjects("ada@tea.example").await.last().unwrap(),
        subjects::KEY_ADDED.en
    );
    // What came of the answer changes nothing about that.
    accounts.end_change(begun, None).await.unwrap();
    assert_eq!(lines().await[0].outcome.as_deref(), Some("done"));

    let (begun, letters) = (begin().await, world.letters().await.len());
    let told = accounts.key_hook(merchant, KeyChange::Revoked, client, Some(begun));
    let fails = CommitHook::new(move |tx, what| {
        Box::pin(async move {
            told.run(tx, what).await?;
            Err(StoreError::Closed)
        })
    });
    let refused = charges.revoke_key(made.key.id, fails).await;
    assert!(refused.is_err());
    assert_eq!(charges.key(made.key.id).unwrap().revoked_at, None);
    assert_eq!(world.letters().await.len(), letters);
    assert_eq!(lines().await[0].outcome, None);
    accounts.end_change(begun, None).await.unwrap();
    assert_eq!(lines().await[0].detail, named);
}

#[tokio::test]
async fn an_upload_carries_the_sessions_token_beside_its_file() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let send = async |csrf: &str| {
        let body = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--edge\r\nContent-Disposition: form-data; \
             name=\"logo\"; filename=\"a.png\"\r\n\r\nno picture\r\n--edge--\r\n"
        );
        let headers = [("content-type", "multipart/form-data; boundary=edge"), OWN_FORM[1]];
        let path = format!("/dashboard/{merchant}/settings/look/logo");
        ada.send(Method::POST, &path, &headers, &body).await
    };
    assert_eq!(send("").await.status, 403);
    let read = send(&ada.csrf()).await;
    assert_eq!(read.status, 422);
    assert!(says(&read.body, LOGO_NO_PICTURE), "{}", read.body);
}
