//! What is made and changed.

use super::*;

#[tokio::test]
async fn a_charge_is_made_with_all_that_was_asked_for() {
    let shop = Shop::usual().await;
    let body = json!({
        "fiat_price_cents": 4205,
        "fiat_currency": "EUR",
        "external_order_id": "A/1 é",
        "buyer_email": "Ann@Shop.Example",
        "lang": "fr",
        "success_url": "https://shop.example/thanks?order=1",
        "metadata": {"cart": [1, 2]},
        "window_secs": 600,
        "confirmations": 2,
    });
    let answer = shop
        .send(&shop.ask(Method::POST, "/mapi/charges", &body.to_string()))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let charge: Value = serde_json::from_str(&answer.body).unwrap();
    let path = format!("/mapi/charges/{}", charge["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), path);
    for (name, value) in [
        ("fiat_price", json!(42.05)),
        ("fiat_price_cents", json!(4205)),
        ("external_order_id", json!("A/1 é")),
        ("buyer_email", json!("ann@shop.example")),
        ("state", json!("pending")),
        ("price_verified", json!(true)),
        ("order_conflict", json!(false)),
        ("origin", json!("api")),
        ("metadata", json!({"cart": [1, 2]})),
        ("confirmations_required", json!(2)),
        ("sequence", json!(0)),
    ] {
        assert_eq!(charge[name], value, "{name}");
    }
    assert_eq!(charge["created_at"], "2027-01-15T08:00:00Z");
    assert_eq!(charge["expires_at"], "2027-01-15T08:10:00Z");
    assert_eq!(shop.told(&shop.get(&path)).await, (200, charge.clone()));
    let page = charge["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    shop.app.pay(&page).await;
    let (_, paid) = shop.told(&shop.get(&path)).await;
    assert_eq!(
        (&paid["state"], &paid["payments"][0]["value_sat"]),
        (&json!("seen"), &charge["amount_sat"])
    );
    // The order id now stands for two prices.
    let (_, other) = shop
        .post(
            "/mapi/charges",
            &json!({"fiat_price_cents": 1000, "external_order_id": "A/1 é"}),
        )
        .await;
    assert_eq!(other["order_conflict"], true);
    let shown = shop.app.navigate(&page).await;
    assert!(
        shown.body.contains("https://shop.example/thanks?order=1"),
        "{}",
        shown.body
    );
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_by_a_code_and_the_field() {
    let shop = Shop::usual().await;
    let cases = [
        (json!({}), "400 missing-field", "fiat_price_cents"),
        (
            json!({"fiat_price_cents": "100"}),
            "400 malformed-field",
            "fiat_price_cents",
        ),
        (
            json!({"fiat_price_cents": 1.5}),
            "400 malformed-price",
            "fiat_price_cents",
        ),
        (
            json!({"fiat_price_cents": -1}),
            "400 negative-price",
            "fiat_price_cents",
        ),
        (json!({"fiat_price_cents": 0}), "422 zero-price", "fiat_price_cents"),
        (
            json!({"fiat_price_cents": 10_000_001}),
            "422 price-above-limit",
            "fiat_price_cents",
        ),
        (json!({"fiat_price_cents": 1}), "422 price-too-small", ""),
        (
            json!({"fiat_price_cents": 100, "fiat_currency": "usd"}),
            "422 unsupported-currency",
            "fiat_currency",
        ),
        (
            json!({"fiat_price_cents": 100, "external_order_id": "é".repeat(201)}),
            "400 order-id-too-long",
            "external_order_id",
        ),
        (
            json!({"fiat_price_cents": 100, "success_url": "https://evil.example/"}),
            "422 unlisted-domain",
            "success_url",
        ),
        (
            json!({"fiat_price_cents": 100, "success_url": "https://shop.example@evil.example/"}),
            "400 malformed-field",
            "success_url",
        ),
        (
            json!({"fiat_price_cents": 100, "success_url": "javascript:alert(1)"}),
            "400 malformed-field",
            "success_url",
        ),
        (
            json!({"fiat_price_cents": 100, "metadata": []}),
            "400 malformed-field",
            "metadata",
        ),
        (
            json!({"fiat_price_cents": 100, "metadata": {"a": "x".repeat(4096)}}),
            "422 metadata-too-large",
            "metadata",
        ),
        (
            json!({"fiat_price_cents": 100, "window_secs": 299}),
            "422 out-of-bounds",
            "window_secs",
        ),
        (
            json!({"fiat_price_cents": 100, "window_secs": 3601}),
            "422 out-of-bounds",
            "window_secs",
        ),
        (
            json!({"fiat_price_cents": 100, "confirmations": 0}),
            "422 out-of-bounds",
            "confirmations",
        ),
        (
            json!({"fiat_price_cents": 200_000, "confirmations": 2}),
            "422 out-of-bounds",
            "confirmations",
        ),
        (
            json!({"fiat_price_cents": 100, "descriptor": "wpkh(x)"}),
            "400 unknown-field",
            "descriptor",
        ),
    ];
    for (body, code, field) in cases {
        let ask = shop.ask(Method::POST, "/mapi/charges", &body.to_string());
        let answer = shop.send(&ask).await;
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        let told = format!("{} {}", answer.status.as_u16(), problem["code"].as_str().unwrap());
        assert_eq!(
            (told.as_str(), problem["field"].as_str().unwrap_or_default()),
            (code, field),
            "{body}"
        );
    }
    for (body, code) in [
        ("{", "400 malformed-body"),
        ("[]", "400 malformed-body"),
        (r#"{"fiat_price_cents":1,"fiat_price_cents":2}"#, "400 malformed-body"),
    ] {
        assert_eq!(shop.code(&shop.ask(Method::POST, "/mapi/charges", body)).await, code);
    }
    let mut form = shop.ask(Method::POST, "/mapi/charges", "fiat_price_cents=100");
    form.content_type = Some("application/x-www-form-urlencoded".to_owned());
    assert_eq!(shop.code(&form).await, "415 unsupported-media-type");
    let (_, list) = shop.told(&shop.get("/mapi/charges")).await;
    assert_eq!(list["charges"], json!([]));
}

#[tokio::test]
async fn r38_optional_fields_never_lose_a_sale() {
    let shop = Shop::usual().await;
    let body = json!({"fiat_price_cents": 100, "buyer_email": "nonsense", "lang": "de", "external_order_id": "", "success_url": null});
    let (status, charge) = shop.post("/mapi/charges", &body).await;
    assert_eq!(status, 201, "{charge}");
    assert_eq!(charge["buyer_email"], Value::Null);
    let id = charge["id"].as_str().unwrap().parse().unwrap();
    let notes = shop.app.charges.personal(id).await.unwrap().unwrap().notes.unwrap();
    assert_eq!(notes.lines().count(), 2, "{notes}");
}

#[tokio::test]
async fn the_same_idempotency_key_gets_the_same_answer_for_a_day() {
    let shop = Shop::usual().await;
    let body = json!({"fiat_price_cents": 4200}).to_string();
    let post = |body: &str, name: &str| {
        shop.ask(Method::POST, "/mapi/charges", body)
            .header("idempotency-key", name)
    };
    let (first, second) = (post(&body, "one"), post(&body, "\"one\""));
    let (one, same) = tokio::join!(shop.send(&first), shop.send(&second));
    assert_eq!((one.status, same.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(one.body, same.body);
    assert_eq!(one.header("location"), same.header("location"));
    let other = json!({"fiat_price_cents": 4201}).to_string();
    assert_eq!(shop.code(&post(&other, "one")).await, "409 idempotency-key-reused");
    // A refusal is an answer too.
    let dust = json!({"fiat_price_cents": 1}).to_string();
    let (refused, again) = (
        shop.send(&post(&dust, "dust")).await,
        shop.send(&post(&dust, "dust")).await,
    );
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body, again.body);
    for bad in ["", "é", &"x".repeat(256)] {
        assert_eq!(
            shop.code(&post(&body, bad)).await,
            "400 malformed-idempotency-key",
            "{bad}"
        );
    }
    shop.app.clock.advance_secs(24 * 60 * 60 + 1);
    let later = shop.send(&post(&body, "one")).await;
    assert_eq!(later.status, StatusCode::CREATED);
    assert_ne!(later.body, one.body);
}

#[tokio::test]
async fn r15_a_charge_is_cancelled_by_its_sequence() {
    let shop = Shop::usual().await;
    let charge = shop.make("A").await;
    let url = format!("/mapi/charges/{}/cancel", charge["id"].as_str().unwrap());
    let (status, problem) = shop.post(&url, &json!({"sequence": 7})).await;
    assert_eq!(
        (status, &problem["code"], &problem["sequence"]),
        (409, &json!("stale-sequence"), &json!(0))
    );
    let (status, problem) = shop.post(&url, &json!({})).await;
    assert_eq!((status, &problem["code"]), (400, &json!("missing-field")));
    let (status, cancelled) = shop.post(&url, &json!({"sequence": 0})).await;
    assert_eq!(
        (status, &cancelled["state"], &cancelled["reason"]),
        (200, &json!("failed"), &json!("cancelled"))
    );
    let sequence = cancelled["sequence"].as_u64().unwrap();
    let (status, problem) = shop.post(&url, &json!({"sequence": sequence})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not-pending")));
}

#[tokio::test]
async fn r06_a_command_while_the_chain_is_held_is_refused_and_can_be_made_again_with_its_key() {
    use bitpro_node::{ChargesPort as _, Condition};

    let shop = Shop::usual().await;
    let charge = shop.make("A").await;
    let url = format!("/mapi/charges/{}/cancel", charge["id"].as_str().unwrap());
    let body = json!({"sequence": 0}).to_string();
    let cancel = || shop.ask(Method::POST, &url, &body).header("idempotency-key", "one");
    shop.app.charges.set_node_condition(&bitpro_node::testing::held());
    assert_eq!(shop.code(&cancel()).await, "409 chain-held");
    let accept = json!({"sequence": 0, "payments": [format!("{}:0", "ab".repeat(32))]});
    let (status, problem) = shop.post(&url.replace("cancel", "accept"), &accept).await;
    assert_eq!((status, &problem["code"]), (409, &json!("chain-held")));
    shop.app.charges.set_node_condition(&Condition::Ready);
    assert_eq!(shop.send(&cancel()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn r14_accepting_names_live_payments() {
    let shop = Shop::usual().await;
    let charge = shop.make("A").await;
    let url = format!("/mapi/charges/{}/accept", charge["id"].as_str().unwrap());
    let outpoint = format!("{}:0", "ab".repeat(32));
    let (status, problem) = shop.post(&url, &json!({"sequence": 0, "payments": [outpoint]})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("no-live-payment")));
    for payments in [json!([]), json!(["x"]), json!("x"), json!([1])] {
        let (status, problem) = shop.post(&url, &json!({"sequence": 0, "payments": payments})).await;
        assert_eq!((status, &problem["code"]), (400, &json!("malformed-field")));
    }
}
