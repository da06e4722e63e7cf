//! The dashboard on an origin of its own: nothing of shoppers is served there, and nothing of the dashboard where they are.

use std::io::Cursor;

use bitpro_merchant::Logo;
use bitpro_service::charges::MerchantChanges;
use bitpro_web::testing::{ORIGIN, Setup};

use super::*;
use crate::layout::TO_DASHBOARD;

const DASHBOARD: &str = "https://admin.example";
const AT_CHECKOUT: (&str, &str) = ("host", "localhost:8080");

impl World {
    async fn apart() -> Self {
        Self {
            app: app(Setup {
                dashboard_url: Some(DASHBOARD),
                ..Setup::default()
            })
            .await,
        }
    }
}

#[tokio::test]
async fn each_origin_serves_its_own_pages_only() {
    let world = World::apart().await;
    let browser = world.browser();
    let link = format!("/app/checkout/{}?fiat_price_cents=4200", world.app.merchant);
    let charge = world.app.open("fiat_price_cents=4200").await;
    for page in [
        &link,
        &charge,
        &format!("{charge}/events"),
        &format!("{charge}/status"),
        "/libs/iframeBuilderV1.min.js",
        "/mapi/charges",
        "/docs",
        "/docs/widget",
    ] {
        let answer = browser.get(page).await;
        assert_eq!(answer.status, 421, "{page}");
        let answer = browser.post(page, "").await;
        assert_eq!(answer.status, 421, "{page}");
    }
    for page in ["/", "/login?then=%2Faccount", "/account", "/dashboard/merchant"] {
        let answer = browser.send(Method::GET, page, &[AT_CHECKOUT], "").await;
        assert_leads_to(&answer, &format!("{DASHBOARD}{page}"));
        assert!(answer.headers.get("set-cookie").is_none(), "{page}");
    }
    // The dashboard's own address has a page of its own for what does not exist.
    let nowhere = browser.get("/nothing").await;
    assert_eq!(nowhere.status, 404);
    assert!(says(&nowhere.body, TO_DASHBOARD), "{}", nowhere.body);
    let nowhere = browser.send(Method::GET, "/nothing", &[AT_CHECKOUT], "").await;
    assert!(!says(&nowhere.body, TO_DASHBOARD));
    // An instance has no third address.
    let stranger = browser.send(Method::GET, "/login", &[("host", "localhost")], "").await;
    assert_eq!(stranger.status, 421);
    let secure = browser.get("/login").await;
    assert!(!secure.header("strict-transport-security").is_empty());
    let plain = world.app.get("/docs").await;
    assert_eq!(
        (plain.status.as_u16(), plain.header("strict-transport-security")),
        (200, "")
    );
}

#[tokio::test]
async fn people_log_in_at_the_dashboards_origin_and_nowhere_else() {
    let world = World::apart().await;
    // Letters lead there: `person` follows two of them.
    let (ada, merchant) = world.person("ada@tea.example").await;
    let login = "email=ada@tea.example&password=seven+green+kettles+sing";
    let answer = ada.post("/login", login).await;
    let given = answer.header("set-cookie");
    assert!(
        given.starts_with("__Host-bitpro=")
            && given.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict; Secure"),
        "{given}"
    );
    assert_leads_to(
        &ada.get("/dashboard/merchant").await,
        &format!("/dashboard/{merchant}/settings"),
    );

    let urlencoded = ("content-type", "application/x-www-form-urlencoded");
    let form = format!("name=Eve&csrf={}", ada.csrf());
    for (origin, status) in [(ORIGIN, 403), ("https://pay.example", 403), (DASHBOARD, 303)] {
        let answer = ada
            .send(Method::POST, "/account", &[urlencoded, ("origin", origin)], &form)
            .await;
        assert_eq!(answer.status, status, "{origin}");
    }
    // A page of the checkout is another site's to browsers, or the same site's, but never the same origin's.
    for site in ["same-site", "cross-site"] {
        let headers = [urlencoded, ("sec-fetch-site", site), ("origin", ORIGIN)];
        assert_eq!(
            ada.send(Method::POST, "/account", &headers, &form).await.status,
            403,
            "{site}"
        );
    }
    let headers = [urlencoded, OWN_FORM[1], AT_CHECKOUT];
    let misled = world.browser().send(Method::POST, "/login", &headers, login).await;
    assert_eq!(misled.status, 403);
    assert!(misled.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn previews_stay_at_home_and_what_shoppers_see_is_linked_to() {
    let world = World::apart().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let mut picture = Cursor::new(Vec::new());
    image::RgbImage::new(4, 4)
        .write_to(&mut picture, image::ImageFormat::Png)
        .unwrap();
    let changes = MerchantChanges {
        logo: Some(Some(Logo::from_upload(picture.into_inner()).await.unwrap())),
        ..MerchantChanges::default()
    };
    world.app.charges.change_merchant(merchant, changes).await.unwrap();

    let look = format!("/dashboard/{merchant}/settings/look");
    let page = ada.get(&look).await;
    let picture = page.body.split("img src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(picture.starts_with("/app/logo/"), "{picture}");
    assert!(page.header("content-security-policy").contains("img-src 'self' data:"));
    let shown = world
        .app
        .send(Method::GET, picture, &[("host", "admin.example")], "")
        .await;
    assert_eq!(
        (shown.status().as_u16(), &shown.headers()["content-type"]),
        (200, &"image/png".parse().unwrap())
    );
    // What the script of the preview asks for while the picker moves.
    let tried = ada.get(&format!("{look}?colour=%23ff8000")).await;
    assert!(tried.body.contains("data-brand=\"#ff8000\""), "{}", tried.body);

    let snippet = ada.get(&format!("/dashboard/{merchant}/snippet?price=42")).await.body;
    assert!(
        snippet.contains(&format!("{ORIGIN}/app/checkout/{merchant}")) && snippet.contains(&format!("{ORIGIN}/libs/"))
    );
    for (page, guide) in [
        ("snippet", "/docs/widget"),
        ("settings/webhooks", "/docs/webhooks"),
        ("settings/keys", "/docs"),
        ("settings/links", "/docs/signed-links"),
    ] {
        let body = ada.get(&format!("/dashboard/{merchant}/{page}")).await.body;
        assert!(body.contains(&format!("href=\"{ORIGIN}{guide}\"")), "{page}");
        assert!(!body.contains(DASHBOARD), "{page} names its own address");
    }
}
