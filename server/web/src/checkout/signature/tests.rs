//! Signed links over HTTP, against a real database.

use bitpro_base::links::{Covered, Expiry};
use bitpro_service::charges::{ChargeOrigin, CommitHook, Filter};
use http::{Method, StatusCode};
use url::form_urlencoded::{Serializer, parse};

use crate::testing::{NAVIGATION, TestApp};

const DAY: u64 = 24 * 60 * 60;

/// A shop with a link key.
async fn shop(settings: &[(&str, &str)]) -> TestApp {
    let app = TestApp::with_merchant(settings).await;
    app.charges
        .rotate_link_key(app.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    app
}

fn in_secs(app: &TestApp, secs: u64) -> u64 {
    u64::try_from(app.charges.now().as_secs()).unwrap() + secs
}

/// `query` with the signature of what stands in it, good until `exp`.
fn signed_until(app: &TestApp, query: &str, exp: u64) -> String {
    let value = |name: &str| {
        let mut pairs = parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let covered = Covered {
        price: value("fiat_price_cents"),
        currency: value("fiat_currency"),
        order_id: value("external_order_id"),
        buyer_email: value("buyer_email"),
    };
    let expires = Expiry::from_secs(exp).unwrap();
    let sig = app.charges.sign_link(app.merchant, &covered, expires).unwrap();
    format!("{query}&exp={exp}&sig={sig}")
}

fn signed(app: &TestApp, query: &str) -> String {
    signed_until(app, query, in_secs(app, DAY))
}

async fn origins(app: &TestApp) -> Vec<ChargeOrigin> {
    let page = app.charges.list(Filter::default(), None, 100).await.unwrap();
    page.charges.iter().map(|charge| charge.origin).collect()
}

/// Goes to a link that must be refused, and checks that nothing came of it.
async fn refused(app: &TestApp, query: &str, status: u16, code: &str) {
    let before = origins(app).await.len();
    for path in [app.link(query), app.link(query).replace('?', "/?")] {
        let page = app.navigate(&path).await;
        assert_eq!(page.status.as_u16(), status, "{path}");
        assert!(
            page.body.contains(&format!("data-problem=\"{code}\"")),
            "{path}: {}",
            page.body
        );
        assert!(page.body.contains("<h1"), "{}", page.body);
    }
    assert_eq!(origins(app).await.len(), before, "{query} made a charge");
}

/// All hidden fields of the page's form, as they would be posted.
fn form(page: &str) -> String {
    let attribute = |field: &str, name: &str| {
        let (_, value) = field.split_once(&format!(" {name}=\"")).unwrap();
        let text = value.split('"').next().unwrap();
        text.replace("&quot;", "\"")
            .replace("&#x27;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    let mut fields = Serializer::new(String::new());
    for field in page.split("<input").skip(1) {
        let field = field.split('>').next().unwrap();
        if field.contains("type=\"hidden\"") {
            fields.append_pair(&attribute(field, "name"), &attribute(field, "value"));
        }
    }
    fields.finish()
}

#[tokio::test]
async fn r21_a_signed_link_makes_a_charge_whose_price_is_verified() {
    let app = shop(&[]).await;
    let query = signed(&app, "fiat_price_cents=4200&external_order_id=A-1");
    let answer = app.navigate(&app.link(&query)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    // Nothing of the signature stands in the charge's own address.
    let location = answer.header("location");
    assert!(
        location.ends_with("?lang=en") && !location.contains("sig"),
        "{location}"
    );
    assert_eq!(origins(&app).await, [ChargeOrigin::SignedLink]);
    assert!(ChargeOrigin::SignedLink.is_price_verified());
    // The slash at the end of the path and the order of parameters are nobody's word.
    let (first, rest) = query.split_once('&').unwrap();
    let other = app
        .link(&format!("utm_source=x&{rest}&lang=fr&{first}"))
        .replace('?', "/?");
    let again = app.navigate(&other).await;
    let path = |location: &str| location.split('?').next().unwrap().to_owned();
    assert_eq!(path(again.header("location")), path(location));
    // The same link unsigned is another charge, and marked (R22).
    app.open("fiat_price_cents=4200&external_order_id=A-1").await;
    let mut both = origins(&app).await;
    both.sort_unstable();
    assert_eq!(both, [ChargeOrigin::Link, ChargeOrigin::SignedLink]);
    assert!(!ChargeOrigin::Link.is_price_verified());
}

#[tokio::test]
async fn r21_what_a_shopper_edits_in_a_signed_link_makes_nothing() {
    let app = shop(&[]).await;
    let link = signed(
        &app,
        "fiat_price_cents=4200&fiat_currency=eur&external_order_id=A-1&buyer_email=ann%40shop.example",
    );
    app.open(&link).await;
    for (from, to) in [
        ("fiat_price_cents=4200", "fiat_price_cents=42"),
        ("fiat_price_cents=4200", "fiat_price_cents=04200"),
        ("fiat_currency=eur", "fiat_currency=EUR"),
        ("fiat_currency=eur&", ""),
        ("external_order_id=A-1", "external_order_id=A-2"),
        ("external_order_id=A-1", "external_order_id="),
        ("external_order_id=A-1&", ""),
        ("ann%40", "Ann%40"),
        ("&buyer_email=ann%40shop.example", ""),
        ("buyer_email=ann%40shop.example", "buyer_email="),
        ("&exp=1", "&exp=2"),
    ] {
        assert!(link.contains(from), "{link} has no {from}");
        refused(&app, &link.replacen(from, to, 1), 422, "wrong-signature").await;
    }
    // Values are compared as decoded, and the digits of the signature in either case.
    let (head, sig) = link.rsplit_once('=').unwrap();
    let spelled = format!("{}={}", head.replace("A-1", "%41%2d1"), sig.to_uppercase());
    app.open(&spelled).await;
}

#[tokio::test]
async fn r21_another_merchants_signature_is_worth_nothing() {
    let app = shop(&[]).await;
    let link = signed(&app, "fiat_price_cents=4200");
    let other = bitpro_service::charges::MerchantChanges {
        settings: bitpro_merchant::SettingsPatch::read(&[("name", "Other")]).unwrap(),
        ..Default::default()
    };
    let other = app.charges.add_merchant(other).await.unwrap();
    app.charges.rotate_link_key(other, 0, CommitHook::none()).await.unwrap();
    let elsewhere = app.link(&link).replace(&app.merchant.to_string(), &other.to_string());
    let page = app.navigate(&elsewhere).await;
    assert!(page.body.contains("data-problem=\"wrong-signature\""), "{}", page.body);
    // And so is any signature for a merchant without a key.
    let keyless = TestApp::with_merchant(&[]).await;
    refused(&keyless, &link, 422, "wrong-signature").await;
}

#[tokio::test]
async fn r38_each_way_of_being_no_signed_link_has_a_code() {
    let app = shop(&[]).await;
    let good = signed(&app, "fiat_price_cents=4200");
    let sig = good.rsplit_once('=').unwrap().1.to_owned();
    for (query, status, code) in [
        (format!("fiat_price_cents=4200&sig={sig}"), 400, "incomplete-signature"),
        (
            "fiat_price_cents=4200&exp=1800000000".to_owned(),
            400,
            "incomplete-signature",
        ),
        (
            "fiat_price_cents=4200&exp=1800000000&sig=00".to_owned(),
            400,
            "malformed-signature",
        ),
        (
            format!("fiat_price_cents=4200&exp=soon&sig={sig}"),
            400,
            "malformed-expiry",
        ),
        (format!("{good}&sig={sig}"), 400, "repeated-parameter"),
        (format!("{good}&fiat_price_cents=1"), 400, "repeated-parameter"),
        // What the amount form would ask for cannot be vouched for.
        (signed(&app, "external_order_id=A-1"), 422, "signature-without-price"),
        (
            format!("{}&amount=42", signed(&app, "external_order_id=A-1")),
            422,
            "signature-without-price",
        ),
    ] {
        refused(&app, &query, status, code).await;
    }
    // A typed amount beside a signed price changes nothing.
    app.open(&format!("{good}&amount=1")).await;
    let made = app.charges.list(Filter::default(), None, 10).await.unwrap();
    assert_eq!(made.charges[0].charge.terms.price.0, 4200);
}

#[tokio::test]
async fn a_signed_link_runs_out_at_the_second_that_it_names() {
    let app = shop(&[]).await;
    let query = signed_until(&app, "fiat_price_cents=4200", in_secs(&app, 60));
    app.open(&query).await;
    app.clock.advance_secs(59);
    app.open(&query).await;
    app.clock.advance_secs(1);
    refused(&app, &query, 422, "link-expired").await;
    let french = app.navigate(&app.link(&format!("{query}&lang=fr"))).await;
    assert!(french.body.contains("<html lang=\"fr\""), "{}", french.body);
}

#[tokio::test]
async fn r21_a_merchant_can_take_signed_links_only() {
    let app = shop(&[("require_signed_links", "yes")]).await;
    for query in [
        "fiat_price_cents=4200",
        "",
        "external_order_id=A-1",
        "fiat_price_cents=4200&sig=&exp=",
        "amount=42",
    ] {
        refused(&app, query, 422, "signature-required").await;
    }
    let form = app.press("fiat_price_cents=4200", &[]).await;
    assert_eq!(form.status, StatusCode::UNPROCESSABLE_ENTITY);
    app.open(&signed(&app, "fiat_price_cents=4200")).await;
    assert_eq!(origins(&app).await, [ChargeOrigin::SignedLink]);
}

#[tokio::test]
async fn the_button_and_the_language_switch_keep_the_signature_whole() {
    let app = shop(&[("require_signed_links", "yes")]).await;
    let query = signed(
        &app,
        "fiat_price_cents=04200&fiat_currency=EUR&external_order_id=A%26B%3C%22&buyer_email=+Ann%40Shop.Example",
    );
    // A robot gets the button, and a person may press it.
    let page = app.get(&app.link(&query)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let pressed = app.press(&form(&page.body), &[]).await;
    assert_eq!(pressed.status, StatusCode::SEE_OTHER, "{}", pressed.body);
    assert!(pressed.header("location").ends_with("?lang=en"));
    // The page's other language leads to the same link.
    let (_, rest) = page
        .body
        .split_once(&format!("href=\"/app/checkout/{}?", app.merchant))
        .unwrap();
    let switch = rest.split('"').next().unwrap().replace("&amp;", "&");
    assert!(switch.ends_with("&lang=fr"), "{switch}");
    let french = app.navigate(&app.link(&switch)).await;
    assert_eq!(french.status, StatusCode::SEE_OTHER, "{}", french.body);
    let path = |location: &str| location.split('?').next().unwrap().to_owned();
    assert_eq!(path(french.header("location")), path(pressed.header("location")));
    assert_eq!(origins(&app).await, [ChargeOrigin::SignedLink]);
    // What is not the merchant's word is not shown in a form either.
    let edited = app.get(&app.link(&query.replace("04200", "1"))).await;
    assert_eq!(edited.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn r25_unsigned_links_spend_nothing_of_what_signed_ones_may() {
    let app = TestApp::with(&[], |limits| limits.merchant_create_per_minute = 30).await;
    app.charges
        .rotate_link_key(app.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    for _ in 0..20 {
        app.open("fiat_price_cents=4200").await;
    }
    let refused = app.navigate(&app.link("fiat_price_cents=4200")).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..20 {
        app.open(&signed(&app, "fiat_price_cents=4200")).await;
    }
    let refused = app.navigate(&app.link(&signed(&app, "fiat_price_cents=4200"))).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.header("retry-after").is_empty());

    // The merchant's budgets are apart, too: of each kind, other shoppers get the ten that are left.
    for query in [
        "fiat_price_cents=4200".to_owned(),
        signed(&app, "fiat_price_cents=4200"),
    ] {
        for (nth, status) in (0..).zip([[StatusCode::SEE_OTHER; 10].as_slice(), &[StatusCode::OK]].concat()) {
            let client = format!("203.0.113.{nth}");
            let mut headers = NAVIGATION.to_vec();
            headers.push(("x-forwarded-for", &client));
            let answer = app.ask(Method::GET, &app.link(&query), &headers, "").await;
            assert_eq!(answer.status, status, "{nth}");
        }
    }
}

#[tokio::test]
async fn r25_whoever_has_a_signed_link_without_an_order_spends_nothing_of_those_for_orders() {
    let app = TestApp::with(&[], |limits| limits.merchant_create_per_minute = 3).await;
    app.charges
        .rotate_link_key(app.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    let reusable = app.link(&signed(&app, "fiat_price_cents=4200"));
    let mut statuses = Vec::new();
    for nth in 0..5 {
        let client = format!("203.0.113.{nth}");
        let mut headers = NAVIGATION.to_vec();
        headers.push(("x-forwarded-for", &client));
        statuses.push(app.ask(Method::GET, &reusable, &headers, "").await.status.as_u16());
    }
    assert_eq!(statuses, [303, 303, 303, 200, 200]);
    app.open(&signed(&app, "fiat_price_cents=4200&external_order_id=A-1"))
        .await;
}

#[tokio::test]
async fn r25_all_unsigned_links_of_the_instance_have_one_ceiling_and_signed_ones_no_part_in_it() {
    let app = TestApp::with(&[], |limits| limits.instance_create_per_minute = 3).await;
    app.charges
        .rotate_link_key(app.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    for _ in 0..3 {
        app.open("fiat_price_cents=4200").await;
    }
    let other = app.another_merchant().await;
    let refused = app
        .navigate(&format!("/app/checkout/{other}?fiat_price_cents=4200"))
        .await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "20");
    for _ in 0..10 {
        app.open(&signed(&app, "fiat_price_cents=4200")).await;
    }
}

#[tokio::test]
async fn r24_a_signature_opens_no_frame_that_is_not_listed() {
    let app = shop(&[("allowed_origins", "shop.example")]).await;
    let link = app.link(&signed(&app, "fiat_price_cents=4200"));
    let framed = |referer| {
        [
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-site", "cross-site"),
            ("referer", referer),
        ]
    };
    let evil = app.ask(Method::GET, &link, &framed("https://evil.example/"), "").await;
    assert_eq!(evil.status, StatusCode::FORBIDDEN);
    let listed = app.ask(Method::GET, &link, &framed("https://shop.example/"), "").await;
    assert_eq!(listed.status, StatusCode::SEE_OTHER);
}
