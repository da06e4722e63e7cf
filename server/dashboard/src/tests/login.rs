//! From the first visit to a session, and what keeps others out.

use bitpro_config::Signup;

use super::*;
use crate::layout::SANDBOX;

#[tokio::test]
async fn an_address_that_leads_nowhere_is_answered_in_the_readers_language() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    ada.post("/account", "name=Ada&language=fr").await;
    for path in [
        &format!("/dashboard/{merchant}/nothing"),
        "/dashboard/",
        "/account/nothing",
        "/login/nothing",
    ] {
        let answer = ada.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("unknown-page ·") && answer.body.contains("href=\"/dashboard\""));
        assert_eq!(answer.header("content-language"), "fr");
        let stranger = world.browser().get(path).await;
        assert!(stranger.body.contains("unknown-page ·"), "{path}");
        assert_eq!(stranger.header("content-language"), "en");
        let french = [("accept-language", "fr")];
        let stranger = world.browser().send(Method::GET, path, &french, "").await;
        assert!(stranger.body.contains("unknown-page ·"), "{path}");
        assert_eq!(stranger.header("content-language"), "fr");
    }
    let put = ada.send(Method::PUT, "/account", &[], "").await;
    assert_eq!(put.status, 405);
    assert!(put.body.contains("method-not-allowed ·") && put.body.contains("href=\"/dashboard\""));
    // Shoppers have a page of their own, and programs a problem.
    let shopper = ada.get("/app/nothing").await;
    assert_eq!(shopper.status, 404);
    assert!(!shopper.body.contains("/dashboard"), "{}", shopper.body);
    let json = [("accept", "application/json")];
    let program = world.app.ask(Method::GET, "/account/nothing", &json, "").await;
    assert_eq!(program.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn somebody_asks_is_approved_chooses_a_password_and_logs_in() {
    let world = World::new().await;
    let browser = world.browser();
    assert_leads_to(&browser.get("/").await, "/login");
    assert!(says(&browser.get("/signup").await.body, said::SIGN_UP));
    let form = "name=Ada+Lovelace&email=Ada%40Tea.example&company=Analytical+Tea&site=tea.example";
    let answer = browser.post("/signup", form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Nobody gets in before somebody says so, and the mailbox knows.
    assert_eq!(world.letters().await.len(), 1);
    let listed = world.accounts().list().await.unwrap();
    assert_eq!(
        (listed[0].email.as_str(), listed[0].is_approved),
        ("ada@tea.example", false)
    );

    let email = Email::read("ada@tea.example").unwrap();
    let merchant = world.accounts().approve(&email).await.unwrap();
    assert!(world.accounts().approve(&email).await.is_err(), "approved twice");
    let settings = world.app.charges.merchant(merchant).unwrap().settings.clone();
    assert_eq!(settings.name, "Analytical Tea");
    assert_eq!(
        settings.text_of(bitpro_merchant::SettingName::AllowedOrigins),
        "https://tea.example"
    );

    let link = world.link_to("ada@tea.example").await;
    let page = browser.get(&link).await;
    assert!(says(&page.body, said::CHOOSE_PASSWORD) && page.body.contains("ada@tea.example"));
    let token = link.split_once("token=").unwrap().1;
    for weak in ["short", "password1234", "analytical+tea"] {
        let answer = browser
            .post("/password", &format!("token={token}&password={weak}"))
            .await;
        assert_eq!(answer.status, 422, "{weak}");
        assert!(answer.body.contains("aria-invalid"), "{}", answer.body);
    }
    let form = format!("token={token}&password=seven+green+kettles+sing");
    assert_leads_to(&browser.post("/password", &form).await, "/dashboard");
    assert_leads_to(&browser.get("/dashboard").await, &format!("/dashboard/{merchant}"));
    assert_leads_to(
        &browser.get("/dashboard/merchant").await,
        &format!("/dashboard/{merchant}/settings"),
    );
    // The link counts once.
    assert_eq!(browser.get(&link).await.status, 410);
    assert_eq!(browser.post("/password", &form).await.status, 410);

    assert_leads_to(&browser.post("/logout", "").await, "/login");
    assert_leads_to(&browser.get("/account").await, "/login?then=%2Faccount");
    let wrong = browser.post("/login", "email=ada@tea.example&password=wrong").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("ada@tea.example"), "what was typed is kept");
    let form = "email=ADA@tea.example&password=seven+green+kettles+sing&then=%2Faccount";
    assert_leads_to(&browser.post("/login", form).await, "/account");
    assert!(browser.get("/account").await.body.contains("Ada Lovelace"));
}

#[tokio::test]
async fn nobody_learns_which_addresses_have_an_account() {
    let world = World::new().await;
    world.person("ada@tea.example").await;
    let same = |one: &Answer, other: &Answer| {
        let without_nonce = |answer: &Answer| {
            let nonce = answer
                .body
                .split("nonce=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .to_owned();
            answer.body.replace(&nonce, "").replace("ada@tea", "eve@tea")
        };
        assert_eq!(one.status, other.status);
        assert_eq!(without_nonce(one), without_nonce(other));
    };
    let ask = |email: &'static str| {
        let browser = world.browser();
        async move {
            let form = format!("name=A&email={email}&company=C");
            let asked = browser.post("/signup", &form).await;
            let forgot = browser.post("/password/forgot", &format!("email={email}")).await;
            let login = browser.post("/login", &format!("email={email}&password=wrong")).await;
            [asked, forgot, login]
        }
    };
    let (known, unknown) = (ask("ada@tea.example").await, ask("eve@tea.example").await);
    for (known, unknown) in known.iter().zip(&unknown) {
        same(known, unknown);
    }
    // Ada's mailbox is told of both; nobody is told that Eve has none.
    let letters = world.letters().await;
    let to = |email: &str| letters.iter().filter(|letter| letter.to == email).count();
    assert_eq!(to("eve@tea.example"), 1, "her own request");
    assert_eq!(to("ada@tea.example"), 4);
}

#[tokio::test]
async fn a_forged_form_changes_nothing() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let body = format!("name=Eve&language=fr&csrf={}", ada.csrf());
    let urlencoded = ("content-type", "application/x-www-form-urlencoded");
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), Some("http://localhost:8080")),
        (Some("none"), None),
        (None, Some("https://evil.example")),
        (None, Some("null")),
        (None, None),
    ] {
        let mut headers = vec![urlencoded];
        headers.extend(site.map(|site| ("sec-fetch-site", site)));
        headers.extend(origin.map(|origin| ("origin", origin)));
        let answer = ada.send(Method::POST, "/account", &headers, &body).await;
        assert_eq!(answer.status, 403, "{site:?} {origin:?}");
    }
    for csrf in ["", "0", &"a".repeat(32)] {
        let answer = ada
            .send(Method::POST, "/account", &OWN_FORM, &format!("name=Eve&csrf={csrf}"))
            .await;
        assert_eq!(answer.status, 403, "{csrf:?}");
    }
    let multipart = [OWN_FORM[1], ("content-type", "text/plain")];
    assert_eq!(ada.send(Method::POST, "/account", &multipart, &body).await.status, 415);
    assert!(ada.get("/account").await.body.contains("value=\"Ada\""));
    // An older browser says its origin only.
    let headers = [urlencoded, ("origin", "http://localhost:8080")];
    let answer = ada.send(Method::POST, "/account", &headers, &body).await;
    assert_leads_to(&answer, "/account?done=saved");
}

#[tokio::test]
async fn a_session_ends_by_idleness_and_by_age() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let pass = |secs: u32| world.app.clock.advance_secs(secs);
    pass(12 * 60 * 60 - 1);
    assert_eq!(ada.get("/account").await.status, 200);
    pass(12 * 60 * 60 - 1);
    assert_eq!(ada.get("/account").await.status, 200, "used in between");
    pass(12 * 60 * 60);
    assert_eq!(ada.get("/account").await.status, 303);

    let login = "email=ada@tea.example&password=seven+green+kettles+sing";
    assert_eq!(ada.post("/login", login).await.status, 303);
    for _ in 0..14 * 24 / 6 - 1 {
        pass(6 * 60 * 60);
        assert_eq!(ada.get("/account").await.status, 200);
    }
    pass(6 * 60 * 60);
    assert_eq!(ada.get("/account").await.status, 303, "14 days old");
}

#[tokio::test]
async fn a_login_begins_a_session_of_its_own_and_ends_the_one_before() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let former = ada.cookie.lock().clone();
    let login = "email=ada@tea.example&password=seven+green+kettles+sing";
    let answer = ada.post("/login", login).await;
    let given = answer.header("set-cookie");
    assert!(given.contains("HttpOnly; SameSite=Strict"), "{given}");
    assert_ne!(*ada.cookie.lock(), former);
    let thief = world.browser();
    *thief.cookie.lock() = former;
    assert_eq!(thief.get("/account").await.status, 303);
    *thief.cookie.lock() = Some("bitpro=0123".to_owned());
    assert_eq!(thief.get("/account").await.status, 303);
}

#[tokio::test]
async fn a_guesser_has_to_wait_and_the_owner_need_not() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let guesser = world.browser();
    let mut last = 0;
    for n in 0..12 {
        let form = format!("email=ada@tea.example&password=guess{n}");
        last = guesser.post("/login", &form).await.status.as_u16();
    }
    assert_eq!(last, 429);
    let right = "email=ada@tea.example&password=seven+green+kettles+sing";
    let answer = guesser.post("/login", right).await;
    assert_eq!(answer.status, 429, "the right password too");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(ada.post("/login", right).await.status, 303);
    world.app.clock.advance_secs(60);
    assert_eq!(guesser.post("/login", right).await.status, 303);
}

#[tokio::test]
async fn who_guesses_where_a_change_is_confirmed_waits_too() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let mut last = 0;
    for n in 0..12 {
        let form = format!("own_password=guess{n}&then=%2Faccount");
        let answer = ada.post("/confirm", &form).await;
        last = answer.status.as_u16();
        assert_eq!(last == 429, !answer.header("retry-after").is_empty());
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn pages_are_framed_by_nobody_and_run_only_what_is_ours() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    for page in [
        "/login",
        "/signup",
        "/account",
        &format!("/dashboard/{merchant}/team"),
        "/dashboard/nothing/team",
    ] {
        let answer = ada.get(page).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{page}: {policy}");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        for inline in [" style=", " onclick=", " onload="] {
            assert!(!answer.body.contains(inline), "{page} has {inline}");
        }
    }
}

#[tokio::test]
async fn french_is_spoken_to_those_who_read_it() {
    let world = World::new().await;
    let browser = world.browser();
    let answer = browser
        .send(Method::GET, "/login", &[("accept-language", "fr")], "")
        .await;
    assert!(answer.body.contains(said::LOG_IN.fr) && answer.body.contains("lang=\"fr\""));
    let answer = browser.get("/login?lang=fr&then=%2Faccount").await;
    assert!(answer.body.contains(said::PASSWORD.fr));
    assert!(
        answer.body.contains("/login?then=%2Faccount&amp;lang=en"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_form_that_anyone_may_open_counts_from_within_a_session_too() {
    let world = World::new().await;
    let (browser, _) = world.person("ada@tea.example").await;
    let forgot = browser.post("/password/forgot", "email=ada@tea.example").await;
    assert_eq!(forgot.status, 200, "{}", forgot.body);
    let link = world.link_to("ada@tea.example").await;
    for page in ["/signup", "/password/forgot", &link] {
        let answer = browser.get(page).await;
        // The bar above has a form of its own.
        let (_, form) = answer.body.split_once("<main").unwrap();
        let token = format!("name=\"csrf\" value=\"{}\"", browser.csrf());
        assert!(form.contains(&token), "{page}: {form}");
    }
}

#[tokio::test]
async fn no_name_holds_what_cannot_be_seen() {
    let world = World::new().await;
    let stranger = world.browser();
    for (name, company) in [("A%E2%80%AEda", "Tea"), ("Ada", "Te%E2%80%8Ba")] {
        let form = format!("name={name}&email=ada@tea.example&company={company}");
        let answer = stranger.post("/signup", &form).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.body.matches("1 to 60 visible characters").count(), 1);
    }
    assert!(world.letters().await.is_empty());
    let (ada, merchant) = world.person("ada@tea.example").await;
    for (path, form) in [
        ("/account".to_owned(), "name=A%E2%80%AEda&language=en"),
        ("/dashboard/new".to_owned(), "name=Te%E2%80%AEa"),
        (format!("/dashboard/{merchant}/settings"), "name=Te%E2%80%AEa"),
        (
            format!("/dashboard/{merchant}/settings/keys"),
            "name=a%E2%80%AEb&scope=charges:read",
        ),
    ] {
        let answer = ada.post(&path, form).await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(
            answer.body.contains("1 to 60 visible characters"),
            "{path}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_request_names_a_mailbox_and_a_site_as_people_have_them() {
    let world = World::new().await;
    let stranger = world.browser();
    for (field, value) in [
        ("site", "https://user:pw@x.example"),
        ("site", "user@x.example"),
        ("email", "a@[127.0.0.1]"),
        ("email", "%22a+b%22@c.example"),
    ] {
        let mut form = vec![
            ("name", "Ada"),
            ("company", "Tea"),
            ("email", "ada@tea.example"),
            ("site", ""),
        ];
        form.retain(|(name, _)| *name != field);
        form.push((field, value));
        let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = stranger.post("/signup", &form.join("&")).await;
        assert_eq!(answer.status, 422, "{value}");
        assert!(
            answer.body.contains(&format!("id=\"{field}-error\"")),
            "{value}: {}",
            answer.body
        );
    }
    assert!(world.letters().await.is_empty());
}

#[tokio::test]
async fn where_accounts_cannot_be_requested_the_form_says_so_too() {
    let world = World {
        app: app(Setup {
            signup: Signup::Closed,
            ..Setup::default()
        })
        .await,
    };
    let stranger = world.browser();
    let asked = stranger
        .post("/signup", "name=Ada&email=ada@tea.example&company=Tea")
        .await;
    for answer in [stranger.get("/signup").await, asked] {
        assert_eq!(answer.status, 403);
        assert!(says_why(&answer.body, &AccountError::Closed), "{}", answer.body);
    }
    assert!(world.letters().await.is_empty());
}

#[tokio::test]
async fn r37_the_front_door_leads_to_the_login() {
    let app = shop(&[]).await;
    let page = app.get("/").await;
    assert_eq!(page.status, 303);
    assert_eq!(page.header("location"), "/login");
    let login = app.get("/login").await;
    assert!(
        says(&login.body, SANDBOX) && says(&login.body, said::SHOPPER),
        "{}",
        login.body
    );
    assert_eq!(app.ask(Method::DELETE, "/", &[], "").await.status, 405);
}
