//! The shopper's side over HTTP, against a real database.

use std::time::Duration;

use bitpro_charge::wire::ChargeView;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use crate::testing::{NAVIGATION, TestApp, sats};

const SHOP: (&str, &str) = ("allowed_origins", "shop.example");

fn framed(referer: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut headers = vec![
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", "cross-site"),
    ];
    if !referer.is_empty() {
        headers.push(("referer", referer));
    }
    headers
}

async fn charges_made(app: &TestApp) -> usize {
    let page = app
        .charges
        .list(crate::charges::Filter::default(), None, 100)
        .await
        .unwrap();
    page.charges.len()
}

/// The value of a hidden field of a form.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let field = page
        .split("<input")
        .find(|field| field.contains(&format!("name=\"{name}\"")))
        .unwrap();
    let (_, value) = field.split_once("value=\"").unwrap();
    value.split('"').next().unwrap()
}

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
async fn r24_a_frame_is_served_under_a_listed_origin_only() {
    let app = TestApp::with_merchant(&[SHOP]).await;
    let link = app.link("fiat_price_cents=4200");
    let listed = app
        .ask(Method::GET, &link, &framed("https://shop.example/cart"), "")
        .await;
    assert_eq!(listed.status, StatusCode::SEE_OTHER);
    let location = listed.header("location").to_owned();
    let page = app.ask(Method::GET, &location, &framed(""), "").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("frame-ancestors https://shop.example"), "{policy}");
    assert!(page.header("x-frame-options").is_empty());

    let evil = framed("https://evil.example/");
    for path in [&link, &location] {
        let notice = app.ask(Method::GET, path, &evil, "").await;
        assert_eq!(notice.status, StatusCode::FORBIDDEN);
        assert!(!notice.header("content-security-policy").contains("frame-ancestors"));
        assert!(
            !notice.body.contains("Shop<") && !notice.body.contains("4200"),
            "{}",
            notice.body
        );
    }
    assert_eq!(charges_made(&app).await, 1);
}

#[tokio::test]
async fn r24_a_frame_without_a_referer_gets_a_button_that_works() {
    let app = TestApp::with_merchant(&[SHOP]).await;
    let page = app
        .ask(Method::GET, &app.link("fiat_price_cents=4200"), &framed(""), "")
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors https://shop.example")
    );
    assert_eq!(charges_made(&app).await, 0);
    let form = format!("fiat_price_cents=4200&press={}", hidden(&page.body, "press"));
    let pressed = app
        .press(
            &form,
            &[("sec-fetch-dest", "iframe"), ("sec-fetch-site", "same-origin")],
        )
        .await;
    assert_eq!(pressed.status, StatusCode::SEE_OTHER);
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
async fn r33_another_host_is_misdirected() {
    let app = TestApp::with_merchant(&[]).await;
    for host in ["evil.example", "localhost", "localhost:8081"] {
        let answer = app.ask(Method::GET, "/", &[("host", host)], "").await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let browser = app
            .ask(Method::GET, "/", &[("host", host), ("accept", "text/html")], "")
            .await;
        assert_eq!(browser.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(
            browser.body.contains("data-problem=\"unknown-host\""),
            "{}",
            browser.body
        );
        let health = app.ask(Method::GET, "/healthz", &[("host", host)], "").await;
        assert_eq!(health.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn r38_each_refusal_has_its_status_its_code_and_a_page() {
    let app = TestApp::with_merchant(&[]).await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (path, status, code) in [
        (
            "/app/checkout/x?fiat_price_cents=1".to_owned(),
            400,
            "malformed-merchant-id",
        ),
        (format!("/app/checkout/{nobody}"), 404, "unknown-merchant"),
        (app.link("fiat_price_cents=-1"), 400, "negative-price"),
        (app.link("fiat_price_cents=1.5"), 400, "malformed-price"),
        (app.link("fiat_price_cents=0"), 422, "zero-price"),
        (app.link("fiat_price_cents=1"), 422, "price-too-small"),
        (app.link("fiat_price_cents=10000001"), 422, "price-above-limit"),
        (
            app.link("fiat_price_cents=100&fiat_currency=usd"),
            422,
            "unsupported-currency",
        ),
        (
            app.link("fiat_price_cents=100&fiat_price_cents=1"),
            400,
            "repeated-parameter",
        ),
        (
            format!("/app/checkout/{}/{nobody}", app.merchant),
            404,
            "unknown-charge",
        ),
        (format!("/app/checkout/{}/x", app.merchant), 400, "malformed-charge-id"),
        ("/nowhere".to_owned(), 404, "unknown-page"),
    ] {
        let page = app.navigate(&path).await;
        assert_eq!(page.status.as_u16(), status, "{path}");
        assert!(
            page.body.contains(&format!("data-problem=\"{code}\"")),
            "{path}: {}",
            page.body
        );
        let json = app.ask(Method::GET, &path, &[("accept", "application/json")], "").await;
        if json.status.as_u16() == status {
            assert_eq!(json.header("content-type"), "application/problem+json", "{path}");
            let problem: serde_json::Value = serde_json::from_str(&json.body).unwrap();
            assert_eq!(problem["code"], code);
            assert_eq!(problem["request_id"], json.header("x-request-id"));
        }
    }
    assert_eq!(charges_made(&app).await, 0);
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
async fn r40_the_language_stays_in_the_charges_address() {
    let app = TestApp::with_merchant(&[]).await;
    let mut french = NAVIGATION.to_vec();
    french.push(("accept-language", "fr"));
    let answer = app
        .ask(Method::GET, &app.link("fiat_price_cents=4200"), &french, "")
        .await;
    assert!(answer.header("location").ends_with("?lang=fr"));
    let page = app.navigate(answer.header("location")).await;
    assert!(page.body.contains("<html lang=\"fr\""), "{}", page.body);
    assert_eq!(page.header("content-language"), "fr");
    let asked = app
        .ask(Method::GET, &app.link("fiat_price_cents=4200&lang=en"), &french, "")
        .await;
    assert!(asked.header("location").ends_with("?lang=en"));
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
async fn the_page_has_a_nonce_of_its_own_and_no_style_outside_it() {
    let app = TestApp::with_merchant(&[]).await;
    let path = app.open("fiat_price_cents=4200").await;
    let (first, second) = (app.navigate(&path).await, app.navigate(&path).await);
    let nonce = |policy: &str| {
        policy
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap()
            .to_owned()
    };
    let policy = first.header("content-security-policy");
    assert_ne!(nonce(policy), nonce(second.header("content-security-policy")));
    assert!(first.body.contains(&format!("nonce=\"{}\"", nonce(policy))));
    for weak in ["'unsafe-inline'", "'unsafe-eval'", "http:", "https:"] {
        assert!(!policy.contains(weak), "{policy}");
    }
    assert!(!first.body.contains(" style="), "{}", first.body);
    assert!(first.header("set-cookie").is_empty());
    assert_eq!(first.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_page_is_compressed_for_whoever_takes_it() {
    let app = TestApp::with_merchant(&[]).await;
    let path = app.open("fiat_price_cents=4200").await;
    let response = app
        .send(Method::GET, &path, &[("accept-encoding", "gzip, br")], "")
        .await;
    assert_eq!(response.headers()["content-encoding"], "br");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let mut html = Vec::new();
    brotli::BrotliDecompress(&mut &body[..], &mut html).unwrap();
    assert!(html.starts_with(b"<!doctype html>"));
    assert!(body.len() * 2 < html.len());
}

#[tokio::test]
async fn the_status_is_json_with_a_tag_that_changes_with_the_charge() {
    let app = TestApp::with_merchant(&[]).await;
    let path = format!("{}/status", app.open("fiat_price_cents=4200").await);
    let first = app.get(&path).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.header("cache-control"), "no-store");
    let tag = first.header("etag").to_owned();
    let again = app.ask(Method::GET, &path, &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    app.pay(path.strip_suffix("/status").unwrap()).await;
    let paid = app.ask(Method::GET, &path, &[("if-none-match", &tag)], "").await;
    let view: ChargeView = serde_json::from_str(&paid.body).unwrap();
    assert_eq!(view.state, "seen");
    // The window's end changes what is shown without any event.
    let tag = paid.header("etag").to_owned();
    app.clock.advance_secs(3 * 3600);
    let late = app.ask(Method::GET, &path, &[("if-none-match", &tag)], "").await;
    assert!(late.status == StatusCode::NOT_MODIFIED || late.header("etag") != tag);

    let nobody = format!(
        "/app/checkout/{}/00000000-0000-4000-8000-000000000000/status",
        app.merchant
    );
    let missing = app.get(&nobody).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.header("content-type"), "application/problem+json");
}

/// The next bytes of a stream.
async fn next(response: &mut axum::response::Response) -> Option<String> {
    let frame = tokio::time::timeout(Duration::from_secs(5), response.body_mut().frame())
        .await
        .unwrap();
    let bytes = frame?.unwrap().into_data().unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

fn told(chunk: &str) -> ChargeView {
    let (_, data) = chunk.split_once("data: ").unwrap();
    serde_json::from_str(data.lines().next().unwrap()).unwrap()
}

fn id(chunk: &str) -> Option<&str> {
    chunk.lines().find_map(|line| line.strip_prefix("id: "))
}

#[tokio::test]
async fn r31_a_stream_begins_with_the_state_and_goes_on_with_what_happens() {
    let app = TestApp::with_merchant(&[]).await;
    let path = app.open("fiat_price_cents=4200").await;
    let events = format!("{path}/events");
    let mut stream = app.send(Method::GET, &events, &[], "").await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert!(!stream.headers().contains_key("content-encoding"));
    let first = next(&mut stream).await.unwrap();
    assert_eq!(told(&first).state, "pending");
    let cursor = id(&first).unwrap().to_owned();
    assert_eq!(cursor, format!("{}.0", app.charges.epoch()));
    app.pay(&path).await;
    let second = next(&mut stream).await.unwrap();
    assert_eq!(told(&second).state, "seen");
    let later = id(&second).unwrap().to_owned();

    // By header or by query, what was missed comes with its own id.
    for (path, headers) in [
        (events.clone(), vec![("last-event-id", cursor.as_str())]),
        (format!("{events}?after={cursor}"), vec![]),
        (
            format!("{events}?after=old.0"),
            vec![("last-event-id", cursor.as_str())],
        ),
    ] {
        let mut resumed = app.send(Method::GET, &path, &headers, "").await;
        let chunk = next(&mut resumed).await.unwrap();
        assert_eq!(
            (told(&chunk).state.as_str(), id(&chunk)),
            ("seen", Some(later.as_str()))
        );
    }
    // Nothing was missed: the state as it is, without an id.
    let mut current = app.send(Method::GET, &format!("{events}?after={later}"), &[], "").await;
    let chunk = next(&mut current).await.unwrap();
    assert_eq!((told(&chunk).state.as_str(), id(&chunk)), ("seen", None));
    // A cursor from before a restore gets the state as it is.
    let mut foreign = app.send(Method::GET, &format!("{events}?after=00ff.7"), &[], "").await;
    let chunk = next(&mut foreign).await.unwrap();
    assert_eq!(id(&chunk), Some(later.as_str()));
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let app = TestApp::with_merchant(&[]).await;
    let path = app.open("fiat_price_cents=4200").await;
    let mut stream = app.send(Method::GET, &format!("{path}/events"), &[], "").await;
    next(&mut stream).await.unwrap();
    app.closing.cancel();
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn r25_the_eleventh_stream_of_a_charge_is_refused_and_a_closed_one_makes_room() {
    let app = TestApp::with_merchant(&[]).await;
    let events = format!("{}/events", app.open("fiat_price_cents=4200").await);
    let mut open = Vec::new();
    for _ in 0..10 {
        let stream = app.send(Method::GET, &events, &[], "").await;
        assert_eq!(stream.status(), StatusCode::OK);
        open.push(stream);
    }
    let refused = app.get(&events).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.header("retry-after").is_empty());
    open.pop();
    assert_eq!(app.send(Method::GET, &events, &[], "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_loader_is_for_every_site_and_hashed_files_are_kept_for_ever() {
    let app = TestApp::with_merchant(&[]).await;
    for file in super::assets::LOADER {
        let path = format!("/libs/{}", file.name);
        let answer = app.ask(Method::GET, &path, &[("host", "localhost:8080")], "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        let is_fixed = file.name == "iframeBuilderV1.min.js";
        assert_eq!(
            answer.header("cache-control").contains("immutable"),
            !is_fixed,
            "{path}"
        );
        let unchanged = app.ask(Method::GET, &path, &[("if-none-match", file.etag)], "").await;
        assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
        assert!(unchanged.body.is_empty());
    }
    for file in super::assets::PAGE {
        let path = format!("/app/assets/{}", file.name);
        let response = app.send(Method::GET, &path, &[("accept-encoding", "br")], "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-encoding"], "br");
        assert_eq!(response.headers()["vary"], "accept-encoding");
        assert!(
            response.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        if file.name.ends_with(".wasm") {
            assert_eq!(response.headers()["content-type"], "application/wasm");
        }
    }
    assert_eq!(app.get("/libs/other.js").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn r37_the_front_door_says_what_this_is() {
    let app = TestApp::with_merchant(&[]).await;
    let page = app.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("sandbox"), "{}", page.body);
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(
        app.ask(Method::DELETE, "/", &[], "").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
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
