//! What every page and file has in common.

use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use super::charges_made;
use crate::testing::{NAVIGATION, TestApp};

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
async fn the_loader_is_for_every_site_and_hashed_files_are_kept_for_ever() {
    let app = TestApp::with_merchant(&[]).await;
    for file in crate::checkout::assets::LOADER {
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
    for file in crate::checkout::assets::PAGE {
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
async fn a_script_that_reads_the_page_gets_no_style_that_its_own_policy_would_refuse() {
    let app = TestApp::with_merchant(&[]).await;
    let charge = app.open("fiat_price_cents=4200").await;
    let shown = app.navigate(&charge).await.body;
    assert_eq!(shown.matches("<style nonce=").count(), 1, "{shown}");
    let read = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
    let read = app.ask(Method::GET, &charge, &read, "").await.body;
    assert!(!read.contains("<style"), "{read}");
    // What it reads is there.
    let code = |page: &str| page.split("class=\"code\"").nth(1).map(str::to_owned);
    assert!(code(&read).is_some_and(|code| code.contains("<svg")), "{read}");
}

/// What a server shows that was built without the page's script, as the demo's first one is.
#[tokio::test]
async fn a_page_without_the_browsers_part_is_paid_by_looking_again() {
    let app = TestApp::with_merchant(&[]).await;
    let charge = app.open("fiat_price_cents=4200").await;
    let waiting = app.navigate(&charge).await.body;
    for needed in [
        "data-state=\"pending\"",
        "bitcoin:",
        "class=\"code\"",
        "location.reload()",
        "http-equiv=\"refresh\"",
    ] {
        assert!(waiting.contains(needed), "{needed}: {waiting}");
    }
    for foreign in ["/app/assets/", "type=\"module\"", "EventSource"] {
        assert!(!waiting.contains(foreign), "{foreign}: {waiting}");
    }
    app.pay(&charge).await;
    assert!(app.navigate(&charge).await.body.contains("data-state=\"seen\""));
    app.confirm(&charge).await;
    assert!(app.navigate(&charge).await.body.contains("data-state=\"confirmed\""));
}
