//! What a link leads to.

use bitpro_charge::wire::ChargeView;
use bitpro_checkout_app::copy::Lang;
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

/// The application past its budget, so that every charge needs a press; and the form of a page's button.
async fn pressing(limits: impl FnOnce(&mut bitpro_config::Limits)) -> (TestApp, String) {
    let app = TestApp::with(&[], |changed| {
        changed.merchant_create_per_minute = 1;
        limits(changed);
    })
    .await;
    app.open("fiat_price_cents=4200").await;
    let form = form_for(&app, &[]).await;
    app.clock.advance_secs(2);
    (app, form)
}

/// The form of the button, from a page that is fetched now.
async fn form_for(app: &TestApp, by: &[(&str, &str)]) -> String {
    let headers = [&NAVIGATION[..], by].concat();
    let page = app
        .ask(Method::GET, &app.link("fiat_price_cents=4200"), &headers, "")
        .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    format!("fiat_price_cents=4200&press={}", hidden(&page.body, "press"))
}

#[tokio::test]
async fn r25_a_press_makes_one_charge_however_often_and_by_whomever_it_is_sent() {
    let (app, form) = pressing(|_| {}).await;
    let first = app.press(&form, &[]).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    assert_eq!(charges_made(&app).await, 2);
    // Twice, as by a double click, it leads to the charge that it has made.
    for _ in 0..50 {
        let again = app.press(&form, &[]).await;
        assert_eq!(again.header("location"), first.header("location"));
    }
    // For another price, or from another network, it is worth nothing.
    assert_eq!(
        app.press(&form.replace("4200", "4300"), &[]).await.status,
        StatusCode::OK
    );
    for nth in 0..50 {
        let network = format!("203.0.113.{nth}");
        let answer = app.press(&form, &[("x-forwarded-for", &network)]).await;
        assert_eq!(answer.status, StatusCode::OK, "a page with a button of its own");
    }
    assert_eq!(charges_made(&app).await, 2);
}

#[tokio::test]
async fn r25_a_press_is_good_at_one_shop() {
    let (app, form) = pressing(|_| {}).await;
    let other = app.another_merchant().await;
    let path = format!("/app/checkout/{other}");
    let mut headers = NAVIGATION.to_vec();
    headers.push(("content-type", "application/x-www-form-urlencoded"));
    let query = format!("{path}?fiat_price_cents=4200");
    assert_eq!(
        app.ask(Method::GET, &query, &NAVIGATION, "").await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        app.ask(Method::POST, &path, &headers, &form).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn r25_presses_from_ever_new_networks_end_at_the_merchants_ceiling_and_say_when_to_come_back() {
    let (app, _) = pressing(|limits| limits.merchant_press_per_minute = 5).await;
    let networks: Vec<String> = (0..8).map(|nth| format!("203.0.113.{nth}")).collect();
    let mut forms = Vec::new();
    for network in &networks {
        forms.push(form_for(&app, &[("x-forwarded-for", network)]).await);
    }
    app.clock.advance_secs(2);
    let mut statuses = Vec::new();
    for (network, form) in networks.iter().zip(&forms) {
        let answer = app.press(form, &[("x-forwarded-for", network)]).await;
        assert_eq!(
            answer.header("retry-after").is_empty(),
            answer.status != StatusCode::TOO_MANY_REQUESTS
        );
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [303, 303, 303, 303, 303, 429, 429, 429]);
    assert_eq!(charges_made(&app).await, 6);
    // A press that was refused was not spent.
    app.clock.advance_secs(60);
    let later = app.press(&forms[7], &[("x-forwarded-for", &networks[7])]).await;
    assert_eq!(later.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn r22_of_a_guessed_order_no_more_is_told_than_that_there_is_a_payment() {
    let app = TestApp::with_merchant(&[]).await;
    let query = "fiat_price_cents=4200&external_order_id=A-1";
    let charge = app.open(query).await;
    app.pay(&charge).await;
    let own = app.navigate(&app.link(query)).await;
    assert!(own.body.contains("data-state=\"seen\""), "{}", own.body);
    let mut stranger = NAVIGATION.to_vec();
    stranger.push(("x-forwarded-for", "203.0.113.9"));
    let seen = app.ask(Method::GET, &app.link(query), &stranger, "").await.body;
    app.confirm(&charge).await;
    let confirmed = app.ask(Method::GET, &app.link(query), &stranger, "").await.body;
    for told in [&seen, &confirmed] {
        assert!(told.contains(Lang::En.page_words().outcome_unsaid.sentence), "{told}");
        assert!(
            !told.contains("data-state") && !told.contains(charge.rsplit('/').next().unwrap()),
            "{told}"
        );
    }
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
    // Strangers are told so much and no more.
    assert_eq!(ready.body, "{\"status\":\"degraded\"}");
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
        .list(bitpro_service::charges::Filter::default(), None, 10)
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
