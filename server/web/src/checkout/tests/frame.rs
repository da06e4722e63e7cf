//! Pages in frames: where they may stand, and where not.

use http::{Method, StatusCode};

use super::{charges_made, hidden};
use crate::testing::TestApp;

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
