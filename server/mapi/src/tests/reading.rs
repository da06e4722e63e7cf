//! What is listed and shown.

use super::*;

#[tokio::test]
async fn another_merchants_charge_is_as_unknown_as_one_that_never_was() {
    let shop = Shop::usual().await;
    let other = shop
        .app
        .charges
        .add_merchant(bitpro_service::charges::MerchantChanges {
            settings: bitpro_merchant::SettingsPatch::read(&[("name", "Other")]).unwrap(),
            ..Default::default()
        })
        .await
        .unwrap();
    let charge = shop.make("A").await;
    let id = charge["id"].as_str().unwrap();
    let issued = shop
        .app
        .charges
        .add_key(
            other,
            "x",
            "charges:read charges:write".parse().unwrap(),
            CommitHook::none(),
        )
        .await
        .unwrap();
    for (method, target, body) in [
        (Method::GET, format!("/mapi/charges/{id}"), ""),
        (Method::POST, format!("/mapi/charges/{id}/cancel"), r#"{"sequence":0}"#),
    ] {
        let mut ask = shop.ask(method, &target, body);
        ask.id = issued.key.id.to_string();
        ask.secret = issued.secret.to_vec();
        assert_eq!(shop.told(&ask).await.1["code"], "unknown-charge");
    }
    let mut ask = shop.get("/mapi/charges");
    ask.id = issued.key.id.to_string();
    ask.secret = issued.secret.to_vec();
    assert_eq!(shop.told(&ask).await.1["charges"], json!([]));
}

#[tokio::test]
async fn r36_the_list_is_stable_by_its_cursor_and_filtered() {
    let shop = Shop::usual().await;
    for order in ["A", "B", "C", "D", "E"] {
        shop.make(order).await;
        shop.app.clock.advance_secs(1);
    }
    let orders = |list: &Value| -> Vec<String> {
        let charges = list["charges"].as_array().unwrap().iter();
        charges
            .map(|charge| charge["external_order_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let answer = shop.send(&shop.get("/mapi/charges?per_page=2")).await;
    let first: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(orders(&first), ["E", "D"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert!(
        answer
            .header("link")
            .contains(&format!("per_page=2&cursor={cursor}>; rel=\"next\""))
    );
    shop.make("F").await;
    let (_, second) = shop
        .told(&shop.get(&format!("/mapi/charges?per_page=2&cursor={cursor}")))
        .await;
    assert_eq!(
        (orders(&second), &second["page"]),
        (vec!["C".to_owned(), "B".to_owned()], &json!(2))
    );
    let (_, second) = shop.told(&shop.get("/mapi/charges?per_page=2&page=2")).await;
    assert_eq!(orders(&second), ["D", "C"]);
    let (status, past) = shop.told(&shop.get("/mapi/charges?page=4294967295")).await;
    assert_eq!(
        (status, past["charges"].clone(), past["next_cursor"].clone()),
        (200, json!([]), Value::Null)
    );
    for (query, found) in [
        ("external_order_id=C", vec!["C"]),
        ("external_order_id=%43&", vec!["C"]),
        ("state=seen", vec![]),
        ("state=pending&created_to=2027-01-15T08:00:02Z", vec!["B", "A"]),
        ("created_from=2027-01-15T08:00:04Z", vec!["F", "E"]),
        ("", vec!["F", "E", "D", "C", "B", "A"]),
    ] {
        let (status, list) = shop.told(&shop.get(&format!("/mapi/charges?{query}"))).await;
        assert_eq!(
            (status, orders(&list)),
            (200, found.into_iter().map(str::to_owned).collect()),
            "{query}"
        );
    }
    for (query, code) in [
        ("page=1&page=1", "400 repeated-parameter"),
        ("page=0", "400 malformed-parameter"),
        ("page=+1", "400 malformed-parameter"),
        ("per_page=101", "400 malformed-parameter"),
        ("state=paid", "400 malformed-parameter"),
        ("created_from=yesterday", "400 malformed-parameter"),
        ("external_order_id=%FF", "400 malformed-parameter"),
        ("stat=seen", "400 unknown-parameter"),
        ("cursor=x", "400 malformed-cursor"),
        (&format!("page=7&cursor={cursor}"), "400 contradicting-page"),
    ] {
        assert_eq!(
            shop.code(&shop.get(&format!("/mapi/charges?{query}"))).await,
            code,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_log_of_events_goes_on_where_it_was_left() {
    let shop = Shop::usual().await;
    let (_, none) = shop.told(&shop.get("/mapi/events")).await;
    assert_eq!((&none["events"], &none["has_more"]), (&json!([]), &json!(false)));
    let charge = shop.make("A").await;
    let page = charge["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    shop.app.pay(&page).await;
    let after = none["next_cursor"].as_str().unwrap();
    let (_, one) = shop.told(&shop.get(&format!("/mapi/events?after={after}"))).await;
    assert_eq!(
        (&one["events"][0]["type"], &one["events"][0]["data"]["id"]),
        (&json!("charge:seen"), &charge["id"])
    );
    let after = one["next_cursor"].as_str().unwrap();
    let (_, rest) = shop
        .told(&shop.get(&format!("/mapi/events?after={after}&per_page=1")))
        .await;
    assert_eq!(
        (&rest["events"], rest["next_cursor"].as_str()),
        (&json!([]), Some(after))
    );
    assert_eq!(
        shop.code(&shop.get("/mapi/events?after=zz")).await,
        "400 malformed-cursor"
    );
}

#[tokio::test]
async fn the_rate_is_shown_with_its_source() {
    let shop = Shop::open(&[("rate_spread_bps", "50")], "charges:read").await;
    let (status, rate) = shop.told(&shop.get("/mapi/rate")).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&rate["cents_per_btc"], &rate["source"], &rate["spread_bps"]),
        (&json!(5_000_000), &json!("fixed"), &json!(50))
    );
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_says() {
    let shop = Shop::usual().await;
    let document: Value = serde_json::from_str(&shop.app.get("/mapi/openapi.json").await.body).unwrap();
    let schemas = &document["components"]["schemas"];
    let charge = shop.make("A").await;
    let page = charge["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    shop.app.pay(&page).await;
    let (_, list) = shop.told(&shop.get("/mapi/charges")).await;
    let (_, events) = shop.told(&shop.get("/mapi/events")).await;
    let (_, rate) = shop.told(&shop.get("/mapi/rate")).await;
    for (name, answered) in [
        ("ChargeList", &list),
        ("Charge", &list["charges"][0]),
        ("Payment", &list["charges"][0]["payments"][0]),
        ("QuotedRate", &list["charges"][0]["rate"]),
        ("EventList", &events),
        ("Event", &events["events"][0]),
        ("Rate", &rate),
    ] {
        let names = |value: &Value| -> Vec<String> {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&schemas[name]["properties"]), names(answered), "{name}");
    }
}

#[tokio::test]
async fn r36_what_another_hand_has_changed_is_named_in_a_list_and_hides_no_other() {
    let shop = Shop::usual().await;
    for order in ["A", "B"] {
        shop.make(order).await;
    }
    let (_, whole) = shop.told(&shop.get("/mapi/charges")).await;
    assert_eq!(whole["unreadable"], json!([]));
    let id = whole["charges"][1]["id"].clone();
    bitpro_store::testing::meddle(
        &shop.app.database(),
        "UPDATE charges SET terms = '{}' WHERE order_id = 'A'",
    )
    .await;
    let (status, list) = shop.told(&shop.get("/mapi/charges")).await;
    assert_eq!((status, list["charges"].as_array().unwrap().len()), (200, 1));
    assert_eq!(list["unreadable"], json!([id]));
}
