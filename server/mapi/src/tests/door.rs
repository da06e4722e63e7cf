//! Who is let in, and who is not.

use super::*;

#[tokio::test]
async fn a_signed_request_is_answered_and_the_answer_is_signed() {
    let shop = Shop::usual().await;
    let (status, list) = shop.told(&shop.get("/mapi/charges?page=1")).await;
    assert_eq!(
        (status, list),
        (
            200,
            json!({"charges": [], "page": 1, "next_cursor": null, "unreadable": []})
        )
    );
    let head = shop.send(&shop.ask(Method::HEAD, "/mapi/charges", "")).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.header("x-server-authorization-hmac-sha256"), "");
}

#[tokio::test]
async fn tests_of_webhooks_by_keys_have_the_budget_of_the_merchant() {
    let shop = Shop::open(&[], "webhooks:write").await;
    let test = || {
        let webhook = KeyId(uuid(&SystemRng));
        shop.ask(Method::POST, &format!("/mapi/webhooks/{webhook}/test"), "{}")
    };
    for _ in 0..10 {
        assert_eq!(shop.code(&test()).await, "404 unknown-webhook");
    }
    assert_eq!(shop.code(&test()).await, "429 too-many-requests");
    assert!(!shop.send(&test()).await.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_timestamp_may_be_900_seconds_off() {
    let shop = Shop::usual().await;
    for (off, status) in [(-900, 200), (900, 200), (-901, 401), (901, 401)] {
        let mut ask = shop.get("/mapi/charges");
        ask.timestamp += off;
        let answer = shop.send(&ask).await;
        assert_eq!(answer.status.as_u16(), status, "{off}");
        assert!(status == 200 || answer.body.contains("timestamp-skew"));
    }
}

#[tokio::test]
async fn r32_a_clock_set_back_opens_no_door() {
    let shop = Shop::usual().await;
    let old = shop.get("/mapi/charges");
    assert_eq!(shop.told(&old).await.0, 200);
    shop.app.clock.advance_secs(4_000);
    assert_eq!(shop.told(&shop.get("/mapi/charges")).await.0, 200);
    shop.app.clock.set(START);
    assert_eq!(shop.code(&old).await, "401 timestamp-skew");
}

#[tokio::test]
async fn r32_a_wrong_moment_locks_nobody_out_and_lets_nobody_in_twice() {
    let shop = Shop::usual().await;
    let before = shop.get("/mapi/charges");
    assert_eq!(shop.told(&before).await.0, 200);
    shop.app.clock.turn_to(START.plus_secs(7_200));
    assert_eq!(shop.app.charges.now(), START.plus_secs(7_200));
    shop.app.clock.turn_to(START);
    shop.app.clock.advance_secs(1);
    assert_eq!(shop.code(&before).await, "401 nonce-replayed");
    // One whose clock is right, and one who goes by what our answers say.
    for behind in [7_200, 0] {
        let mut ask = shop.get("/mapi/charges");
        ask.timestamp -= behind;
        assert_eq!(shop.told(&ask).await.0, 200, "{behind}");
    }
    let mut wrong = shop.get("/mapi/charges");
    wrong.timestamp -= 3_600;
    assert_eq!(shop.code(&wrong).await, "401 timestamp-skew");
    // Long after, what was sent before is not let in again.
    for _ in 0..4 {
        shop.app.clock.advance_secs(1_000);
        assert!(["401 nonce-replayed", "401 timestamp-skew"].contains(&shop.code(&before).await.as_str()));
    }
}

#[tokio::test]
async fn r33_a_nonce_is_used_once() {
    let shop = Shop::usual().await;
    let ask = shop.get("/mapi/charges");
    assert_eq!(shop.told(&ask).await.0, 200);
    assert_eq!(shop.code(&ask).await, "401 nonce-replayed");
    let mut again = shop.get("/mapi/rate");
    again.nonce.clone_from(&ask.nonce);
    assert_eq!(shop.code(&again).await, "401 nonce-replayed");
}

#[tokio::test]
async fn what_is_not_signed_as_it_is_sent_is_refused_alike() {
    let shop = Shop::usual().await;
    let charge = shop.make("A").await;
    let url = format!("/mapi/charges/{}", charge["id"].as_str().unwrap());
    let body = r#"{"fiat_price_cents":100}"#;
    let get = || shop.get("/mapi/charges?page=1");
    let post = || shop.ask(Method::POST, "/mapi/charges", body);
    let mut cases: Vec<(&str, Ask, &str)> = Vec::new();
    let mut case = |name, ask: Ask, code| cases.push((name, ask, code));
    const WRONG: &str = "401 signature-invalid";
    const MALFORMED: &str = "401 authorization-malformed";
    let with = |mut ask: Ask, change: &dyn Fn(&mut Ask)| {
        change(&mut ask);
        ask
    };
    case("wrong secret", with(get(), &|ask| ask.secret[0] ^= 1), WRONG);
    case(
        "unknown key",
        with(get(), &|ask| ask.id = KeyId([1; 16]).to_string()),
        WRONG,
    );
    case("no key", with(get(), &|ask| ask.id = "admin".to_owned()), WRONG);
    case(
        "other query",
        with(get(), &|ask| ask.signed_target = Some("/mapi/charges?page=2".into())),
        WRONG,
    );
    case(
        "trailing slash",
        with(get(), &|ask| ask.signed_target = Some("/mapi/charges/?page=1".into())),
        WRONG,
    );
    case(
        "other host",
        with(get(), &|ask| ask.host = "localhost:8080".to_uppercase()),
        "200",
    );
    case(
        "unknown host",
        with(get(), &|ask| ask.host = "evil.example".into()),
        "421 unknown-host",
    );
    case(
        "port left out",
        with(get(), &|ask| ask.host = "localhost".into()),
        "421 unknown-host",
    );
    case("wrong realm", with(get(), &|ask| ask.realm = "Other".into()), MALFORMED);
    case(
        "upper-case nonce",
        with(get(), &|ask| ask.nonce = ask.nonce.to_uppercase()),
        MALFORMED,
    );
    case(
        "two timestamps",
        get().header("x-authorization-timestamp", "1"),
        MALFORMED,
    );
    case(
        "two authorizations",
        get().header("authorization", "acquia-http-hmac"),
        MALFORMED,
    );
    case("a proxy's header", get().header("x-authenticated-id", "x"), MALFORMED);
    case("no hash", with(post(), &|ask| ask.hash = None), MALFORMED);
    case(
        "wrong hash",
        with(post(), &|ask| ask.hash = Some(body_hash(b"other"))),
        WRONG,
    );
    case(
        "other body",
        with(post(), &|ask| ask.body = r#"{"fiat_price_cents":1}"#.into()),
        WRONG,
    );
    case(
        "hash of nothing",
        with(get(), &|ask| ask.hash = Some(body_hash(b""))),
        WRONG,
    );
    case(
        "a coded body",
        post().header("content-encoding", "gzip"),
        "415 unsupported-encoding",
    );
    case(
        "a large body",
        shop.ask(Method::POST, "/mapi/charges", &" ".repeat(1 << 20)),
        "413 body-too-large",
    );
    case(
        "a signed header",
        with(get(), &|ask| ask.signed = vec![("x-shop".into(), "a b".into())]),
        "200",
    );
    case("nothing there", shop.get("/mapi/charge"), "404 unknown-path");
    case("nothing below", shop.get("/mapi/charges/"), "404 unknown-path");
    case(
        "wrong method",
        shop.ask(Method::DELETE, "/mapi/charges", ""),
        "405 method-not-allowed",
    );
    case("no id", shop.get("/mapi/charges/1"), "400 malformed-charge-id");
    case(
        "no charge",
        shop.get(&format!("/mapi/charges/{}", KeyId([9; 16]))),
        "404 unknown-charge",
    );
    case("a charge", shop.get(&url), "200");
    for (name, ask, code) in cases {
        if code == "200" {
            assert_eq!(shop.told_or_signed_otherwise(&ask).await, 200, "{name}");
        } else {
            assert_eq!(shop.code(&ask).await, code, "{name}");
        }
    }
}

#[tokio::test]
async fn problems_of_a_known_caller_are_signed_too() {
    let shop = Shop::open(&[], "charges:read").await;
    let (status, problem) = shop.told(&shop.get("/mapi/nothing")).await;
    assert_eq!((status, &problem["code"]), (404, &json!("unknown-path")));
    let (status, problem) = shop.post("/mapi/charges", &json!({"fiat_price_cents": 1})).await;
    assert_eq!((status, &problem["scope"]), (403, &json!("charges:write")));
    let (status, problem) = shop
        .told(&shop.get("/mapi/charges").header("accept", "text/html;q=1"))
        .await;
    assert_eq!((status, &problem["code"]), (406, &json!("unknown-version")));
    assert_eq!(problem["supported"][0], MEDIA_TYPE);
}

#[tokio::test]
async fn the_version_is_answered_with_its_content_type() {
    let shop = Shop::usual().await;
    let answer = shop.send(&shop.get("/mapi/charges").header("accept", MEDIA_TYPE)).await;
    assert_eq!(answer.header("content-type"), MEDIA_TYPE);
    let answer = shop.send(&shop.get("/mapi/charges")).await;
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_for_a_while_and_a_revoked_one_none() {
    let shop = Shop::usual().await;
    let rotated = shop
        .app
        .charges
        .rotate_key(shop.id, 60, CommitHook::none())
        .await
        .unwrap();
    let mut new = shop.get("/mapi/charges");
    new.secret = rotated.secret.to_vec();
    assert_eq!(shop.told(&new).await.0, 200);
    // The answer is signed with the secret that the request was signed with.
    assert_eq!(shop.told(&shop.get("/mapi/charges")).await.0, 200);
    shop.app.clock.advance_secs(60);
    assert_eq!(shop.code(&shop.get("/mapi/charges")).await, "401 signature-invalid");
    let mut new = shop.get("/mapi/charges");
    new.secret = rotated.secret.to_vec();
    assert_eq!(shop.told(&new).await.0, 200);
    shop.app.charges.revoke_key(shop.id, CommitHook::none()).await.unwrap();
    new.nonce = KeyId(SystemRng.bytes()).to_string();
    assert_eq!(shop.code(&new).await, "401 signature-invalid");
    assert!(
        shop.app
            .charges
            .rotate_key(shop.id, 60, CommitHook::none())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn r25_only_right_signatures_count_against_a_keys_limit() {
    let limits = Limits {
        api_per_minute: 60,
        api_burst: 2,
        ..default_limits()
    };
    let shop = Shop::with(app(&[], limits).await, "charges:read").await;
    for _ in 0..5 {
        let mut wrong = shop.get("/mapi/charges");
        wrong.secret[0] ^= 1;
        assert_eq!(shop.code(&wrong).await, "401 signature-invalid");
    }
    let first = shop.get("/mapi/charges");
    let answer = shop.send(&first).await;
    assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=2;w=2");
    assert_eq!(answer.header("ratelimit"), "\"key\";r=1;t=1");
    assert_eq!(shop.code(&first).await, "401 nonce-replayed");
    assert_eq!(shop.told(&shop.get("/mapi/charges")).await.0, 200);
    let spent = shop.send(&shop.get("/mapi/charges")).await;
    assert_eq!((spent.status.as_u16(), spent.header("retry-after")), (429, "1"));
}

#[tokio::test]
async fn a_body_of_the_largest_size_is_read() {
    let shop = Shop::usual().await;
    let start = r#"{"fiat_price_cents":100}"#;
    let whole = format!("{start}{}", " ".repeat(MAX_BODY - start.len()));
    let (status, _) = shop.told(&shop.ask(Method::POST, "/mapi/charges", &whole)).await;
    assert_eq!(status, 201);
    assert_eq!(
        shop.code(&shop.ask(Method::POST, "/mapi/charges", &(whole + " ")))
            .await,
        "413 body-too-large"
    );
}

#[tokio::test]
async fn keys_survive_a_restart_and_their_secrets_are_sealed() {
    let shop = Shop::usual().await;
    let listed = shop.app.charges.keys(Some(shop.app.merchant));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].last_used_at(), None);
    assert_eq!(shop.told(&shop.get("/mapi/rate")).await.0, 200);
    assert_eq!(shop.app.charges.key(shop.id).unwrap().last_used_at(), Some(START));
    shop.app.charges.tidy_requests().await.unwrap();
    assert_eq!(shop.app.charges.reseal().await.unwrap(), (1, 0));
    let second = shop
        .app
        .charges
        .add_key(shop.app.merchant, "second", Scopes::default(), CommitHook::none())
        .await
        .unwrap();
    assert_ne!(second.key.id, shop.id);
    assert!(
        shop.app
            .charges
            .add_key(shop.app.merchant, " ", Scopes::default(), CommitHook::none())
            .await
            .is_err()
    );
    let unknown = bitpro_charge::MerchantId([3; 16]);
    assert!(
        shop.app
            .charges
            .add_key(unknown, "x", Scopes::default(), CommitHook::none())
            .await
            .is_err()
    );
    assert!(shop.app.charges.stored_nonces().await.unwrap().is_empty());
    shop.make("A").await;
    let stored = shop.app.charges.stored_nonces().await.unwrap();
    assert_eq!((stored.len(), stored[0].2), (1, START));
    shop.app.clock.set(Timestamp(START.0 + 2 * 900 * 1_000));
    shop.app.charges.tidy_requests().await.unwrap();
    assert!(shop.app.charges.stored_nonces().await.unwrap().is_empty());
}
