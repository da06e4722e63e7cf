//! What people do to their own account, and what it takes.

use bitpro_service::accounts::CodeSecret;

use super::*;

fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    after.split('"').next().unwrap()
}

/// The secret for the app that a page shows, and what its form brings back.
fn offered(page: &str) -> (String, String) {
    let secret = page.split("Or enter this key: <code>").nth(1).unwrap();
    let secret = secret.split('<').next().unwrap();
    (secret.to_owned(), field(page, "offer").to_owned())
}

/// Turns the second factor on; its secret, and the recovery codes.
pub(super) async fn factor(world: &World, browser: &Browser<'_>) -> (CodeSecret, Vec<String>) {
    let page = browser.get("/account/factor").await;
    assert!(page.body.contains("<svg"), "{}", page.body);
    let (secret, offer) = offered(&page.body);
    let wrong = browser
        .post("/account/factor", &format!("offer={offer}&code=000000"))
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(
        offered(&wrong.body),
        (secret.clone(), offer.clone()),
        "the same is shown again"
    );
    let secret = CodeSecret::read(&secret).unwrap();
    let code = secret.code_at(world.app.charges.now());
    let form = format!("offer={offer}&code={code}");
    let shown = browser.post("/account/factor", &form).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let codes: Vec<String> = shown
        .body
        .split("<li><code>")
        .skip(1)
        .map(|part| part.split('<').next().unwrap().to_owned())
        .collect();
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_opens_nothing() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let (secret, codes) = factor(&world, &ada).await;
    assert!(
        world
            .letters()
            .await
            .iter()
            .any(|letter| letter.to == "ada@tea.example" && letter.text.contains("second factor"))
    );

    let thief = world.browser();
    let login = "email=ada@tea.example&password=seven+green+kettles+sing";
    assert_leads_to(&thief.post("/login", login).await, "/login/code?then=%2Fdashboard");
    for page in ["/account", "/dashboard", &format!("/dashboard/{merchant}/team")] {
        let answer = thief.get(page).await;
        assert!(answer.header("location").starts_with("/login/code?"), "{page}");
    }
    let form = format!("name=Eve&csrf={}", thief.csrf());
    assert!(
        thief
            .post("/account", &form)
            .await
            .header("location")
            .starts_with("/login/code?")
    );
    assert_eq!(thief.post("/login/code", "code=123456").await.status, 422);
    // The code that was used to turn it on is used up.
    let used = secret.code_at(world.app.charges.now());
    assert_eq!(thief.post("/login/code", &format!("code={used}")).await.status, 422);

    world.app.clock.advance_secs(30);
    let half = thief.cookie.lock().clone();
    let code = secret.code_at(world.app.charges.now());
    assert_leads_to(&thief.post("/login/code", &format!("code={code}")).await, "/dashboard");
    assert_ne!(*thief.cookie.lock(), half, "the session is another one after each step");
    assert_eq!(thief.get("/account").await.status, 200);

    // A recovery code counts once, however it is typed, and a letter tells of it.
    for (code, status) in [(codes[0].to_uppercase(), 303), (codes[0].clone(), 422)] {
        let other = world.browser();
        other.post("/login", login).await;
        assert_eq!(other.post("/login/code", &format!("code={code}")).await.status, status);
    }
    assert!(
        ada.get("/account")
            .await
            .body
            .contains(&format!("9 {}", said::CODES_LEFT.en))
    );
    let subjects = world.subjects("ada@tea.example").await;
    let told = subjects
        .iter()
        .filter(|subject| subject.contains("recovery code was used"));
    assert_eq!(told.count(), 1, "{subjects:?}");
}

#[tokio::test]
async fn sensitive_changes_ask_for_the_password_again() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    world.app.clock.advance_secs(15 * 60);
    let team = format!("/dashboard/{merchant}/team");
    for (path, form) in [
        ("/account/password".to_owned(), "password=eight+blue+kettles+hum"),
        ("/account/email".to_owned(), "email=eve@tea.example"),
        (format!("{team}/invite"), "email=eve@tea.example&role=owner"),
    ] {
        let answer = ada.post(&path, form).await;
        assert!(answer.status == 422 && says(&answer.body, said::CONFIRM), "{path}");
    }
    assert!(
        ada.get("/account/factor")
            .await
            .header("location")
            .starts_with("/confirm?then=")
    );
    assert_eq!(
        world
            .letters()
            .await
            .iter()
            .filter(|letter| letter.to == "eve@tea.example")
            .count(),
        0
    );

    let wrong = ada.post("/confirm", "own_password=wrong&then=%2Faccount").await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.body.contains(&AccountError::WrongPassword.words_inside().0)
            && !says_why(&wrong.body, &AccountError::WrongPassword),
        "{}",
        wrong.body
    );
    // What was filled in goes on with the password, and not with a wrong one.
    let form = "password=eight+blue+kettles+hum";
    let asked = ada.post("/account/password", form).await;
    assert!(
        asked.body.contains("action=\"/account/password\"") && asked.body.contains("value=\"eight blue kettles hum\""),
        "{}",
        asked.body
    );
    let wrong = ada
        .post(
            "/account/password",
            &format!("{form}&own_password=eight+blue+kettles+hum"),
        )
        .await;
    assert!(wrong.status == 422 && wrong.body.contains("value=\"eight blue kettles hum\""));
    assert!(!wrong.body.contains("own_password\" value"));
    let answer = ada
        .post(
            "/account/password",
            &format!("{form}&own_password=seven+green+kettles+sing"),
        )
        .await;
    assert_leads_to(&answer, "/account?done=password");
    assert_eq!(ada.get("/account").await.status, 200);
    let old = world
        .browser()
        .post("/login", "email=ada@tea.example&password=seven+green+kettles+sing")
        .await;
    assert_eq!(old.status, 422);
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let phone = world.browser();
    phone
        .post("/login", "email=ada@tea.example&password=seven+green+kettles+sing")
        .await;
    assert_eq!(phone.get("/account").await.status, 200);
    ada.post("/account/password", "password=eight+blue+kettles+hum").await;
    assert_eq!(phone.get("/account").await.status, 303);
    // A reset ends them too, the one that asked for it included.
    ada.post("/password/forgot", "email=ada@tea.example").await;
    let link = world.link_to("ada@tea.example").await;
    let token = link.split_once("token=").unwrap().1;
    let form = format!("token={token}&password=nine+red+kettles+roar");
    assert_eq!(phone.post("/password", &form).await.status, 303);
    assert_eq!(ada.get("/account").await.status, 303);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let phone = world.browser();
    let agent = [OWN_FORM[0], OWN_FORM[1], ("user-agent", "<script>alert(1)</script>")];
    let login = "email=ada@tea.example&password=seven+green+kettles+sing";
    phone.send(Method::POST, "/login", &agent, login).await;
    let page = ada.get("/account").await;
    assert!(page.body.contains("&lt;script&gt;alert(1)") && !page.body.contains("<script>alert"));
    let path = page.body.split("action=\"/account/sessions/").nth(1).unwrap();
    let path = format!("/account/sessions/{}", path.split('"').next().unwrap());
    // Nobody ends somebody else's.
    let (eve, _) = world.person("eve@tea.example").await;
    assert_eq!(eve.post(&path, "").await.status, 404);
    assert_eq!(phone.get("/account").await.status, 200);
    assert_leads_to(&ada.post(&path, "").await, "/account?done=ended");
    assert_eq!(phone.get("/account").await.status, 303);
}

#[tokio::test]
async fn an_account_moves_to_an_address_that_is_its_owners() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    world.person("eve@tea.example").await;
    // An address that is taken gets a letter, and whoever asked learns nothing.
    assert_leads_to(
        &ada.post("/account/email", "email=eve@tea.example").await,
        "/account?done=asked",
    );
    assert!(world.link_to("eve@tea.example").await.contains("/login"));
    assert_leads_to(
        &ada.post("/account/email", "email=countess@tea.example").await,
        "/account?done=asked",
    );
    assert!(
        ada.get("/account").await.body.contains("ada@tea.example"),
        "not moved yet"
    );
    let link = world.link_to("countess@tea.example").await;
    assert!(ada.get(&link).await.body.contains("countess@tea.example"));
    let form = format!("token={}", link.split_once("token=").unwrap().1);
    assert_leads_to(&ada.post("/email", &form).await, "/account?done=email");
    assert_eq!(ada.post("/email", &form).await.status, 410);
    let login = "email=countess@tea.example&password=seven+green+kettles+sing";
    assert_eq!(world.browser().post("/login", login).await.status, 303);
    assert!(
        world
            .letters()
            .await
            .iter()
            .any(|letter| letter.to == "ada@tea.example" && letter.text.contains("countess@tea.example"))
    );
}

#[tokio::test]
async fn a_new_password_ends_what_a_thief_has_begun() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    // The thief has the session, and is about to take the account along.
    ada.post("/account/email", "email=eve@evil.example").await;
    let warned = world.letters().await;
    let warned = warned.iter().rfind(|letter| letter.to == "ada@tea.example").unwrap();
    assert!(
        warned.text.contains("asked to change its e-mail address") && warned.text.contains("eve@evil.example"),
        "{}",
        warned.text
    );
    let link = world.link_to("eve@evil.example").await;

    let owner = world.browser();
    owner.post("/password/forgot", "email=ada@tea.example").await;
    let token = world.link_to("ada@tea.example").await;
    let form = format!(
        "token={}&password=nine+blue+pans+hum+along",
        token.split_once("token=").unwrap().1
    );
    assert_eq!(owner.post("/password", &form).await.status, 303);

    let thief = world.browser();
    let form = format!("token={}", link.split_once("token=").unwrap().1);
    assert_eq!(thief.post("/email", &form).await.status, 410);
    assert!(owner.get("/account").await.body.contains("ada@tea.example"));
}

#[tokio::test]
async fn the_secret_of_an_app_is_one_that_was_shown_to_this_session_lately() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let (eve, _) = world.person("eve@tea.example").await;
    let own = offered(&ada.get("/account/factor").await.body);
    let other = offered(&eve.get("/account/factor").await.body);
    let post = async |offer: &str, secret: &str| {
        let code = CodeSecret::read(secret).unwrap().code_at(world.app.charges.now());
        ada.post("/account/factor", &format!("offer={offer}&code={code}")).await
    };
    // Of another session, of nobody, and a secret as it stands.
    let mut edited = own.1.clone();
    edited.replace_range(..2, "ff");
    for offer in [&other.1, &edited, &own.0, "", "zz"] {
        let answer = post(offer, &other.0).await;
        assert_eq!(answer.status, 422, "{offer}");
        assert!(says_why(&answer.body, &AccountError::StaleOffer), "{}", answer.body);
        assert_ne!(offered(&answer.body).0, own.0, "a fresh one is shown");
    }
    assert!(says(&ada.get("/account").await.body, said::FACTOR_OFF));
    // Of the same session, but an hour old.
    world.app.clock.advance_secs(60 * 60);
    assert_leads_to(
        &ada.post("/confirm", "own_password=seven+green+kettles+sing&then=%2Faccount")
            .await,
        "/account",
    );
    assert_eq!(post(&own.1, &own.0).await.status, 422);
    let fresh = offered(&ada.get("/account/factor").await.body);
    assert_eq!(post(&fresh.1, &fresh.0).await.status, 200);
}
