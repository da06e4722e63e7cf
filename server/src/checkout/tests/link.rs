//! What a link leads to.

use bitpro_charge::wire::ChargeView;
use http::{Method, StatusCode};

use super::{charges_made, hidden};
use crate::testing::{NAVIGATION, TestApp, sats};

#[tokio::test]
async fn r23_the_link_leads_to_the_charges_own_address_and_nothing_of_the_buyer_is_shown() {
    let app = TestApp::with_merchant(&[]).await;
    let link = app.link("fiat_price_cents=4200&buyer_email=ann%40shop.example&lang=fr&external_order_id=A-1");
    let answer = app.navigate(&link).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let location = answer.header("location").to_owned();
    let (path, query) = location.split_once('?').unwrap();
    assert!(
        path.starts_with(&format!("/app/checkout/{}/", app.merchant)),
        "{location}"
    );
    assert_eq!(query, "lang=fr");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");

    let page = app.navigate(&location).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let status = app.get(&format!("{path}/status")).await;
    let view: ChargeView = serde_json::from_str(&status.body).unwrap();
    assert_eq!(view.amount_sat, sats(4200).to_sat());
    assert!(
        page.body.contains(&view.address) && page.body.contains("data-state=\"pending\""),
        "{}",
        page.body
    );
    for shown in [&page.body, &status.body] {
        assert!(!shown.contains("ann@") && !shown.contains("ann%40"), "{shown}");
    }
    // A refresh of the charge's address makes nothing.
    app.navigate(&location).await;
    assert_eq!(charges_made(&app).await, 1);
}

#[tokio::test]
async fn r22_robots_prefetches_and_head_get_no_charge() {
    let app = TestApp::with_merchant(&[]).await;
    let link = app.link("fiat_price_cents=4200");
    let robot = app.get(&link).await;
    assert_eq!(robot.status, StatusCode::OK);
    assert!(robot.body.contains("<form"), "{}", robot.body);
    assert!(robot.header("content-security-policy").contains("form-action 'self'"));
    let mut prefetch = NAVIGATION.to_vec();
    prefetch.push(("sec-purpose", "prefetch"));
    assert_eq!(app.ask(Method::GET, &link, &prefetch, "").await.status, StatusCode::OK);
    let head = app.ask(Method::HEAD, &link, &NAVIGATION, "").await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(charges_made(&app).await, 0);

    // The robot's page has a button, and a person may press it.
    let form = format!(
        "fiat_price_cents={}&press={}",
        hidden(&robot.body, "fiat_price_cents"),
        hidden(&robot.body, "press")
    );
    assert_eq!(app.press(&form, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(charges_made(&app).await, 1);
}

#[tokio::test]
async fn r22_a_paid_link_shows_the_outcome_without_address() {
    let app = TestApp::with_merchant(&[]).await;
    let query = "fiat_price_cents=4200&external_order_id=A-1";
    let path = app.open(query).await;
    assert_eq!(app.open(query).await, path);
    let status = app.get(&format!("{path}/status")).await;
    let view: ChargeView = serde_json::from_str(&status.body).unwrap();
    app.pay(&path).await;
    let outcome = app.navigate(&app.link(query)).await;
    assert_eq!(outcome.status, StatusCode::OK);
    for secret in [view.address.as_str(), view.id.as_str()] {
        assert!(!outcome.body.contains(secret), "{secret} is shown: {}", outcome.body);
    }
    assert_eq!(charges_made(&app).await, 1);
}

#[tokio::test]
async fn r25_the_twenty_first_charge_of_a_client_is_refused_at_once() {
    let app = TestApp::with_merchant(&[]).await;
    for _ in 0..20 {
        app.open("fiat_price_cents=4200").await;
    }
    let refused = app.navigate(&app.link("fiat_price_cents=4200")).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "6");
    assert!(
        refused.body.contains("data-problem=\"too-many-requests\""),
        "{}",
        refused.body
    );
    // Another client is not concerned, and after six seconds this one is served again.
    let mut other = NAVIGATION.to_vec();
    other.push(("x-forwarded-for", "203.0.113.9"));
    let served = app
        .ask(Method::GET, &app.link("fiat_price_cents=4200"), &other, "")
        .await;
    assert_eq!(served.status, StatusCode::SEE_OTHER);
    app.clock.advance_secs(6);
    app.open("fiat_price_cents=4200").await;
}

#[tokio::test]
async fn r25_looking_at_an_open_charge_again_costs_nothing() {
    let app = TestApp::with_merchant(&[]).await;
    for _ in 0..40 {
        app.open("fiat_price_cents=4200&external_order_id=A-1").await;
    }
    assert_eq!(charges_made(&app).await, 1);
}

#[tokio::test]
async fn r25_when_the_budget_of_unsigned_links_is_spent_a_button_takes_over() {
    let app = TestApp::with(&[], |limits| limits.merchant_create_per_minute = 1).await;
    app.open("fiat_price_cents=4200").await;
    let page = app.navigate(&app.link("fiat_price_cents=4200")).await;
    assert_eq!(page.status, StatusCode::OK);
    let form = format!("fiat_price_cents=4200&press={}", hidden(&page.body, "press"));
    // Pressed before anyone can have read it: the page again.
    assert_eq!(app.press(&form, &[]).await.status, StatusCode::OK);
    app.clock.advance_secs(2);
    assert_eq!(app.press(&form, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(charges_made(&app).await, 2);
}

#[tokio::test]
async fn r26_past_a_run_of_unpaid_addresses_the_button_is_needed() {
    let app = TestApp::with_merchant(&[("gap_warning", "1"), ("gap_button", "2")]).await;
    app.open("fiat_price_cents=4200").await;
    app.open("fiat_price_cents=4200").await;
    let page = app.navigate(&app.link("fiat_price_cents=4200")).await;
    assert_eq!(page.status, StatusCode::OK);
    app.clock.advance_secs(2);
    let form = format!("fiat_price_cents=4200&press={}", hidden(&page.body, "press"));
    assert_eq!(app.press(&form, &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn r39_a_charge_is_made_while_the_node_is_away() {
    let app = TestApp::with_merchant(&[]).await;
    app.open("fiat_price_cents=4200").await;
    let ready = app.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    let told: serde_json::Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!(told["status"], "degraded");
}

#[tokio::test]
async fn a_link_without_a_price_asks_for_it() {
    let app = TestApp::with_merchant(&[]).await;
    let form = app.navigate(&app.link("external_order_id=A-1")).await;
    assert_eq!(form.status, StatusCode::OK);
    assert!(form.body.contains("name=\"amount\""), "{}", form.body);
    for (typed, status) in [
        ("", 200),
        ("abc", 422),
        ("0", 422),
        ("0.01", 422),
        ("999999999", 422),
        ("42,50", 303),
    ] {
        let body = format!("external_order_id=A-1&amount={typed}");
        assert_eq!(app.press(&body, &[]).await.status.as_u16(), status, "{typed}");
    }
    let made = app
        .charges
        .list(crate::charges::Filter::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(made.charges[0].charge.terms.price.0, 4250);
    assert_eq!(made.charges[0].order_id.as_deref(), Some("A-1"));
}

#[tokio::test]
async fn a_form_that_is_too_large_or_none_is_refused() {
    let app = TestApp::with_merchant(&[]).await;
    let large = format!("external_order_id={}", "x".repeat(20_000));
    assert_eq!(app.press(&large, &[]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = app.press("{}", &[("content-type", "application/json")]).await;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let long = app.get(&format!("/{}", "x".repeat(9_000))).await;
    assert_eq!(long.status, StatusCode::URI_TOO_LONG);
}
