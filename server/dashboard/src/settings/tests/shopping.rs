//! What shoppers see: general settings, look, domains; and the snippet.

use bitpro_merchant::SettingName;

use super::super::domains::LINE;
use super::super::general_fields::lines;
use super::super::look;
use super::super::preview::BLACK_TEXT;
use super::*;
use crate::onboarding;
use crate::snippet::NOT_YOURS;

/// Whether a text in English names a line of what was sent.
fn names_line(said: &str, line: usize) -> bool {
    let (begin, _) = LINE.en.split_once("{word}").unwrap();
    said.contains(&begin.replace("{line}", &line.to_string()))
}

/// The general form, with `changed` typed into it.
fn general(changed: &str) -> String {
    let usual = "name=Shop&site=&time_zone=UTC&price_limit_cents=100000&rate_spread_bps=0&tolerance_bps=0&tolerance_cap_cents=5\
                 &window_secs=20&api_window_limit_secs=60&extension_secs=10&grace_secs=1.5&settle_within_secs=48\
                 &small_limit_cents=1000&medium_limit_cents=10000&confirmations_small=1&confirmations_medium=3\
                 &confirmations_large=6&late_policy=ask&rate_move_limit_bps=2&retention_days=0&gap_warning=20&gap_button=100\
                 &languages=en&languages=fr&default_language=";
    let names: Vec<&str> = changed.split('&').filter_map(|pair| pair.split('=').next()).collect();
    let kept = usual
        .split('&')
        .filter(|pair| !names.contains(&pair.split('=').next().unwrap()));
    kept.chain(changed.split('&')).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn the_merchant_id_is_shown_with_its_name() {
    let desk = Desk::new().await;
    let page = desk.get("settings").await;
    assert!(page.has("Merchant ID"));
    assert_eq!(page.text_of("merchant-id"), desk.app.merchant.to_string());
    assert!(page.has("value=\"20\"") && !page.has("1200"));
}

#[tokio::test]
async fn general_settings_are_saved_in_friendly_units() {
    let desk = Desk::new().await;
    let nothing = desk.post("settings", &general("name=Shop")).await;
    assert!(nothing.status == 303 && nothing.is_unchanged);
    assert!(nothing.location.ends_with("/settings?done=saved"));
    let saved = desk
        .post(
            "settings",
            &general("name=Caf%C3%A9&window_secs=15&email_receipts=yes&languages=fr"),
        )
        .await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    assert!(saved.location.ends_with("/settings?done=saved"));
    let settings = desk.merchant().settings.clone();
    assert_eq!(
        (settings.name.as_str(), settings.window_secs, settings.email_receipts),
        ("Café", 900, true)
    );
    assert_eq!(settings.languages, [Language::Fr]);
    let what = saved.changed.unwrap();
    assert!(what.contains("window_secs = 900") && !what.contains("grace"), "{what}");
    assert!(desk.get("settings?done=saved").await.has("role=\"status\""));
}

#[tokio::test]
async fn a_save_that_changes_nothing_is_no_change() {
    let desk = Desk::new().await;
    for (path, form) in [
        ("settings/look", "colour=%231f5aa6"),
        ("settings/look", "colour=%231F5AA6"),
        ("settings/look/remove-logo", ""),
        ("settings/domains", "origins="),
        ("settings/links", ""),
    ] {
        let saved = desk.post(path, form).await;
        assert!(
            saved.status == 303 && saved.is_unchanged && saved.changed.is_none(),
            "{path}"
        );
    }
    for (path, form) in [
        ("settings/look", "colour=%23ffee00"),
        ("settings/domains", "origins=shop.example"),
        ("settings/links", "require_signed_links=yes"),
    ] {
        let first = desk.post(path, form).await;
        assert!(
            first.status == 303 && !first.is_unchanged && first.changed.is_some(),
            "{path}"
        );
        let again = desk.post(path, form).await;
        assert!(again.status == 303 && again.is_unchanged, "{path}");
        assert_eq!(first.location, again.location);
    }
    let added = desk.post("settings/domains/add", "origin=shop.example").await;
    assert!(added.is_unchanged, "it is there already");
}

#[tokio::test]
async fn what_is_wrong_is_told_beside_its_field_and_kept() {
    let desk = Desk::new().await;
    let form = general(&format!("name={PROBE_SENT}&window_secs=2&site={PROBE_SENT}"));
    let page = desk.post("settings", &form).await;
    assert_eq!((page.status, &page.changed), (422, &None));
    let line = lines().find(|line| line.setting == SettingName::WindowSecs).unwrap();
    assert_eq!(page.text_of("window_secs-error"), line.wanted.en);
    assert!(page.has("aria-describedby=\"window_secs-error window_secs-hint\"") && page.has("value=\"2\""));
    assert!(page.has("&lt;script&gt;") && !page.has(PROBE));
    assert_eq!(desk.merchant().settings.name, "Shop");
}

#[tokio::test]
async fn a_colour_is_tried_before_it_is_saved() {
    let desk = Desk::new().await;
    let tried = desk.post("settings/look/try", "colour=%23ffee00").await;
    assert!(tried.is_unchanged && tried.location.ends_with("/settings/look?colour=%23ffee00"));
    let page = desk.get("settings/look?colour=%23ffee00").await;
    assert!(
        page.text_of("contrast")
            .starts_with(BLACK_TEXT.en.split_once("{white}").unwrap().0),
        "{}",
        page.text_of("contrast")
    );
    assert!(page.has("value=\"#ffee00\"") && page.has("--p-brand:#ffee00"));
    assert!(page.has("class=\"preview light\"") && page.has("class=\"preview dark\""));
    assert_eq!(desk.merchant().settings.colour.to_string(), "#1f5aa6");
    assert_eq!(desk.post("settings/look", "colour=%23ffee00").await.status, 303);
    assert_eq!(desk.merchant().settings.colour.to_string(), "#ffee00");
    let wrong = desk.post("settings/look", "colour=red%7D%7D").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.has("colour-error") && wrong.has("value=\"red}}\""));
}

#[tokio::test]
async fn a_logo_is_uploaded_shown_and_removed() {
    let desk = Desk::new().await;
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4)
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    let saved = desk.upload(file.get_ref()).await;
    assert!(saved.location.ends_with("?done=logo"), "{}", saved.body);
    assert!(desk.merchant().logo.is_some());
    assert!(desk.get("settings/look").await.has("<img src=\"/app/logo/"));
    let removed = desk.post("settings/look/remove-logo", "").await;
    assert!(removed.location.ends_with("?done=no-logo"));
    assert!(desk.merchant().logo.is_none());
}

#[tokio::test]
async fn what_is_no_picture_is_told_beside_the_field() {
    let desk = Desk::new().await;
    for (file, says) in [
        (&b""[..], look::LOGO_MISSING),
        (b"<svg onload=alert(1)>", look::LOGO_NO_PICTURE),
        (&vec![0; 1024 * 1024 + 1], look::LOGO_TOO_LARGE),
    ] {
        let page = desk.upload(file).await;
        assert_eq!(page.status, 422);
        assert_eq!(page.text_of("logo-error"), says.en);
    }
    let without = desk.post("settings/look/logo", "").await;
    assert_eq!(without.text_of("logo-error"), look::LOGO_MISSING.en);
}

#[tokio::test]
async fn r41_domains_are_listed_tested_and_completed() {
    let desk = Desk::new().await;
    let saved = desk
        .post("settings/domains", "origins=shop.example%0D%0Ab%C3%BCcher.example")
        .await;
    assert_eq!(
        saved.changed.as_deref(),
        Some("https://shop.example https://xn--bcher-kva.example")
    );
    let page = desk.get("settings/domains?page=https://www.shop.example/cart").await;
    assert!(page.has("https://shop.example does not cover https://www.shop.example."));
    assert!(page.has("No: https://www.shop.example is not on the list."));
    let added = desk
        .post("settings/domains/add", "origin=https://www.shop.example")
        .await;
    assert_eq!(added.status, 303);
    let page = desk.get("settings/domains?page=www.shop.example/cart").await;
    assert!(page.has("Yes: pages on https://www.shop.example") && !page.has("does not cover https://www.shop.example"));
    let page = desk.get(&format!("settings/domains?page={PROBE_SENT}")).await;
    assert!(page.has("Pages like this") && !page.has(PROBE));
}

#[tokio::test]
async fn r41_each_wrong_line_is_named_and_kept() {
    let desk = Desk::new().await;
    let page = desk
        .post(
            "settings/domains",
            &format!("origins=shop.example%0A{PROBE_SENT}%0Ahttp://a.example"),
        )
        .await;
    assert_eq!(page.status, 422);
    let said = page.text_of("origins-error");
    assert!(
        names_line(said, 2) && names_line(said, 3) && !names_line(said, 1),
        "{said}"
    );
    assert!(page.has("http://a.example") && !page.has(PROBE));
    assert!(desk.merchant().settings.allowed_origins.is_empty());
}

#[tokio::test]
async fn a_snippet_is_filled_in_and_inert() {
    let desk = Desk::new().await;
    let page = desk.get("snippet?kind=widget&price=42&order_id=A-1&page_lang=fr").await;
    let id = desk.app.merchant;
    for text in [
        "iframeBuilderV1.min.js",
        "data-fiat-price-cents=&quot;4200&quot;",
        "data-external-order-id=&quot;A-1&quot;",
        &format!("http://localhost:8080/app/checkout/{id}?fiat_price_cents=4200&amp;external_order_id=A-1&amp;lang=fr"),
        "<svg viewBox",
        "settings/domains",
    ] {
        assert!(page.has(text), "{text}");
    }
    assert!(page.has("<div inert><button type=\"button\">Pay with Bitcoin</button></div>"));
    let page = desk
        .get(&format!(
            "snippet?kind=link&price=42&order_id={PROBE_SENT}&label={PROBE_SENT}"
        ))
        .await;
    assert_eq!(page.status, 200);
    assert!(!page.has(PROBE));
    assert!(page.has("<div inert><a href=\"#paste\">&quot;&gt;&lt;script&gt;"));
    let page = desk
        .get(&format!("snippet?price={PROBE_SENT}&email={PROBE_SENT}"))
        .await;
    assert_eq!(page.status, 422);
    assert!(page.has("price-error") && page.has("email-error") && !page.has(PROBE));
}

#[tokio::test]
async fn r21_a_signed_link_is_made_for_who_may_sign_and_opens_a_verified_charge() {
    let mut desk = Desk::with(&[("require_signed_links", "yes")]).await;
    assert!(
        desk.get("snippet?kind=signed&price=42")
            .await
            .text_of("kind-error")
            .contains("no link key")
    );
    desk.post("settings/links/rotate", "").await;
    let page = desk
        .get("snippet?kind=signed&price=42&order_id=A+1&email=Anna%40mail.example&days=2")
        .await;
    assert_eq!(page.status, 200);
    let link = page.text_of("link").replace("&amp;", "&");
    let path = link.strip_prefix("http://localhost:8080").unwrap();
    let answer = desk.app.navigate(path).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let edited = desk.app.navigate(&path.replace("4200", "4100")).await;
    assert_eq!(edited.status, 422);
    assert!(
        desk.get("snippet?kind=link&price=42")
            .await
            .has("refuse links that are not signed")
    );

    desk.role = Role::Manager;
    assert!(!desk.get("snippet?kind=widget").await.has("value=\"signed\""));
    let refused = desk.get("snippet?kind=signed&price=42").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text_of("kind-error").contains(NOT_YOURS.en) && !refused.has("sig="));
}

#[tokio::test]
async fn the_first_page_leads_to_the_first_payment() {
    let mut desk = Desk::new().await;
    let page = desk.get("").await;
    assert!(
        page.has("class=\"checklist\"") && page.has("bitcoin-cli -regtest"),
        "{}",
        page.body
    );
    assert!(page.has("No charges yet."));
    for (role, steps) in [(Role::Manager, 3), (Role::Developer, 3), (Role::Accountant, 0)] {
        desk.role = role;
        let page = desk.get("").await.body;
        assert_eq!(page.matches("<li class=\"").count(), steps, "{role}");
        assert_eq!(page.contains("bitcoin-cli"), steps > 0, "{role}");
        assert!(!page.contains(onboarding::WALLET.0.en), "{role}");
    }
    desk.role = Role::Owner;
    desk.app
        .open(&format!("fiat_price_cents=4200&external_order_id={PROBE_SENT}"))
        .await;
    let page = desk.get("").await;
    assert!(page.has("&lt;script&gt;") && !page.has(PROBE));
    assert!(page.has(&format!("/dashboard/{}/charges/", desk.app.merchant)));
}

#[tokio::test]
async fn a_page_says_by_a_code_what_was_done() {
    let desk = Desk::new().await;
    for (page, code) in [
        ("settings", "saved"),
        ("settings/domains", "saved"),
        ("settings/look", "no-logo"),
        ("settings/keys", "revoked"),
        ("settings/links", "removed"),
        ("settings/webhooks", "removed"),
    ] {
        let said = desk.get(&format!("{page}?done={code}")).await;
        assert!(
            said.has(&format!("role=\"status\" data-done=\"{code}\"")),
            "{page}: {}",
            said.body
        );
        assert!(
            !desk.get(&format!("{page}?done={PROBE_SENT}")).await.has("data-done"),
            "{page}"
        );
    }
}
