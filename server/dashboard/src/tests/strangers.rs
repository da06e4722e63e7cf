//! What strangers without number can do to people who have an account: nothing that keeps them out.

use bitpro_service::accounts::{LINK_HOURS, MOST_LINKS};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::*;

const ADA: &str = "ada@tea.example";
const LOGIN: &str = "email=ada@tea.example&password=seven+green+kettles+sing";
const WRONG: &str = "email=ada@tea.example&password=wrong";

/// Strangers at many addresses try until everything is spent that they share.
async fn storm(world: &World) {
    for _ in 0..8 {
        let stranger = world.browser();
        for _ in 0..10 {
            stranger.post("/login", WRONG).await;
        }
    }
    // And from one place more each, lest anything be left of the account's budget.
    for _ in 0..70 {
        world.browser().post("/login", WRONG).await;
    }
    let refused = world.browser().post("/login", WRONG).await;
    assert_eq!(refused.status, 429, "the storm is none");
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_storm_of_wrong_log_ins_keeps_no_owner_out_of_a_browser_that_is_known() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    assert_leads_to(&ada.post("/logout", "").await, "/login");
    storm(&world).await;
    assert_eq!(
        world.browser().post("/login", LOGIN).await.status,
        429,
        "a new browser is a stranger"
    );
    assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
    // Whoever has the cookie alone guesses no faster than a stranger.
    let thief = world.browser();
    *thief.marks.lock() = ada.marks.lock().clone();
    let mut tried = 0;
    while thief.post("/login", WRONG).await.status == 422 {
        tried += 1;
    }
    assert_eq!(tried, 6);
}

#[tokio::test]
async fn a_storm_keeps_nobody_who_is_logged_in_from_confirming() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    *ada.marks.lock() = None;
    world.app.clock.advance_secs(15 * 60);
    storm(&world).await;
    let wrong = ada.post("/confirm", "own_password=wrong").await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    let form = "own_password=seven+green+kettles+sing&then=%2Faccount";
    assert_leads_to(&ada.post("/confirm", form).await, "/account");
    // A stolen session guesses no faster.
    let mut tried = 0;
    while ada.post("/confirm", "own_password=wrong").await.status == 422 {
        tried += 1;
    }
    assert_eq!(tried, 6);
    assert_eq!(ada.post("/confirm", form).await.status, 429);
}

#[tokio::test]
async fn the_mark_of_a_browser_ends_with_the_password_and_is_nobody_elses() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    let (bob, _) = world.person("bob@tea.example").await;
    let is_known = async |marks: &str| {
        let browser = world.browser();
        *browser.marks.lock() = Some(format!("bitpro-device={marks}"));
        let before = world.subjects(ADA).await.len();
        assert_leads_to(&browser.post("/login", LOGIN).await, "/dashboard");
        world.subjects(ADA).await.len() == before
    };
    let marks_of = |browser: &Browser<'_>| {
        let pair = browser.marks.lock().clone().unwrap();
        pair.split_once('=').unwrap().1.to_owned()
    };
    let own = marks_of(&ada);
    assert!(is_known(&own).await);
    // Another account's, an edited one, one cut off, and nonsense.
    let mut edited = own.clone().into_bytes();
    edited[40] = if edited[40] == b'0' { b'1' } else { b'0' };
    let edited = String::from_utf8(edited).unwrap();
    for marks in [&marks_of(&bob), &edited, &own[..own.len() - 2], "", "zz.zz.zz"] {
        assert!(!is_known(marks).await, "{marks}");
    }
    // A browser that both use knows both.
    ada.post("/logout", "").await;
    let form = "email=bob@tea.example&password=seven+green+kettles+sing";
    assert_leads_to(&ada.post("/login", form).await, "/dashboard");
    assert!(is_known(&marks_of(&ada)).await);
    // All others are forgotten at a word, and with the password.
    ada.post("/logout", "").await;
    assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
    let before = marks_of(&ada);
    assert_leads_to(&ada.post("/account/sessions/others", "").await, "/account?done=ended");
    assert!(!is_known(&before).await);
    let before = marks_of(&ada);
    assert!(is_known(&before).await);
    let answer = ada.post("/account/password", "password=eight+blue+kettles+hum").await;
    assert_leads_to(&answer, "/account?done=password");
    let stranger = world.browser();
    *stranger.marks.lock() = Some(format!("bitpro-device={before}"));
    let letters = world.subjects(ADA).await.len();
    let login = "email=ada@tea.example&password=eight+blue+kettles+hum";
    // The budget for such letters is an hour's.
    world.app.clock.advance_secs(60 * 60);
    assert_leads_to(&stranger.post("/login", login).await, "/dashboard");
    assert_eq!(world.subjects(ADA).await.len(), letters + 1);
    assert_leads_to(&ada.post("/logout", "").await, "/login");
    assert_leads_to(&ada.post("/login", login).await, "/dashboard");
    assert_eq!(
        world.subjects(ADA).await.len(),
        letters + 1,
        "her own browser is still known"
    );
}

#[tokio::test]
async fn the_mailbox_is_told_of_a_log_in_from_a_new_browser_and_not_flooded() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    ada.post("/account", "name=Ada&language=fr").await;
    let told = async || {
        let subjects = world.subjects(ADA).await;
        let told = subjects.iter().filter(|subject| *subject == subjects::NEW_DEVICE.fr);
        told.count()
    };
    assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
    assert_eq!(told().await, 0, "the one that chose the password is known");
    let other = world.browser();
    let agent = [OWN_FORM[0], OWN_FORM[1], ("user-agent", "Netscape Navigator")];
    let answer = other.send(Method::POST, "/login", &agent, LOGIN).await;
    assert_leads_to(&answer, "/dashboard");
    assert_eq!(told().await, 1);
    let letter = world.letters().await.pop().unwrap();
    assert!(
        letter.text.contains("Netscape Navigator") && letter.text.contains(&other.address),
        "{}",
        letter.text
    );
    assert_leads_to(&other.post("/login", LOGIN).await, "/dashboard");
    assert_eq!(told().await, 1, "from now on it is known");
    for _ in 0..10 {
        world.browser().post("/login", LOGIN).await;
        world.app.clock.advance_secs(20);
    }
    assert_eq!(told().await, 6);
}

#[tokio::test]
async fn forgot_always_answers_that_it_was_sent_and_links_count_until_one_is_used() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    // The request for her account was a letter of this hour.
    world.app.clock.advance_secs(60 * 60);
    let first = {
        world.browser().post("/password/forgot", &format!("email={ADA}")).await;
        world.link_to(ADA).await
    };
    world.app.clock.advance_secs(1);
    let letters = async || {
        let subjects = world.subjects(ADA).await;
        subjects
            .iter()
            .filter(|subject| *subject == letters::RESET_PASSWORD.en)
            .count()
    };
    // Every stranger is answered the same, and the mailbox gets few.
    for _ in 0..20 {
        let answer = world.browser().post("/password/forgot", &format!("email={ADA}")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("is on its way"), "{}", answer.body);
    }
    assert_eq!(letters().await, 4, "an hour's");
    for _ in 0..20 {
        world.app.clock.advance_secs(60 * 60);
        world.browser().post("/password/forgot", &format!("email={ADA}")).await;
    }
    assert_eq!(
        letters().await,
        usize::try_from(MOST_LINKS).unwrap(),
        "there are enough that count"
    );
    assert_eq!(world.browser().get(&first).await.status, 200, "the first one, too");
    // A browser that is known gets one more all the same.
    ada.post("/password/forgot", &format!("email={ADA}")).await;
    assert_eq!(letters().await, usize::try_from(MOST_LINKS).unwrap() + 1);
    let links: Vec<String> = {
        let letters = world.letters().await;
        let links = letters
            .iter()
            .filter(|letter| letter.subject == letters::RESET_PASSWORD.en);
        links
            .map(|letter| {
                letter
                    .text
                    .split_whitespace()
                    .find(|word| word.contains("/password?token="))
                    .unwrap()
            })
            .map(|url| url.trim_start_matches(world.origin()).to_owned())
            .collect()
    };
    let counts = async |link: &str| world.browser().get(link).await.status == 200;
    assert!(!counts(&links[0]).await, "the oldest made room");
    for link in &links[1..] {
        assert!(counts(link).await);
    }
    // One is used: none counts any more.
    let token = links[3].split_once("token=").unwrap().1;
    let form = format!("token={token}&password=eight+blue+kettles+hum");
    assert_eq!(world.browser().post("/password", &form).await.status, 303);
    for link in &links {
        assert!(!counts(link).await);
    }
    // And they end by themselves.
    world.app.clock.advance_secs(60 * 60);
    ada.post("/password/forgot", &format!("email={ADA}")).await;
    let link = world.link_to(ADA).await;
    assert!(counts(&link).await);
    world.app.clock.advance_secs(LINK_HOURS * 60 * 60);
    assert!(!counts(&link).await);
}

#[tokio::test]
async fn who_asks_for_addresses_that_nobody_has_makes_nothing_be_kept() {
    let world = World::new().await;
    let before = world.accounts().list().await.unwrap().len();
    for n in 0..20 {
        let form = format!("email={n}@nobody.example");
        assert_eq!(world.browser().post("/password/forgot", &form).await.status, 200);
    }
    assert!(world.letters().await.is_empty());
    assert_eq!(world.accounts().list().await.unwrap().len(), before);
    let mut reader = world.app.charges.store().people().await.unwrap();
    assert_eq!(reader.count_personal_lines().await.unwrap(), 0);
}

#[tokio::test]
async fn while_strangers_fill_the_queue_they_are_told_so_at_once_and_who_is_known_gets_in() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    let held = world.accounts().keep_strangers_waiting().await;
    let strangers: Vec<Browser<'_>> = (0..16).map(|_| world.browser()).collect();
    let tries = strangers.iter().enumerate().map(|(n, stranger)| async move {
        let form = format!("email={n}@tea.example&password=wrong");
        stranger.post("/login", &form).await.status.as_u16()
    });
    let mut waiting: FuturesUnordered<_> = tries.collect();
    while world.accounts().strangers_present() < 16 {
        tokio::select! {
            answer = waiting.next() => panic!("nobody's turn has come: {answer:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    let next = world.browser().post("/login", LOGIN).await;
    assert_eq!(next.status, 503);
    assert!(
        !next.header("retry-after").is_empty() && next.body.contains("busy"),
        "{}",
        next.body
    );
    assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
    let form = "own_password=seven+green+kettles+sing&then=%2Faccount";
    assert_leads_to(&ada.post("/confirm", form).await, "/account");
    assert_eq!(waiting.len(), 16);
    drop(held);
    while let Some(status) = waiting.next().await {
        assert_eq!(status, 422);
    }
}

#[tokio::test]
async fn an_account_has_so_many_sessions_and_the_oldest_end() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    for _ in 0..49 {
        world.app.clock.advance_secs(20);
        assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
        // A log-in ends the session that the browser had; this one has lost it.
        *ada.cookie.lock() = None;
    }
    let first = world.browser();
    world.app.clock.advance_secs(20);
    assert_leads_to(&first.post("/login", LOGIN).await, "/dashboard");
    for _ in 0..49 {
        world.app.clock.advance_secs(20);
        assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
        *ada.cookie.lock() = None;
    }
    assert_eq!(first.get("/account").await.status, 200, "one of fifty");
    for _ in 0..50 {
        world.app.clock.advance_secs(20);
        assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
        *ada.cookie.lock() = None;
    }
    assert_eq!(first.get("/account").await.status, 303);
}

#[tokio::test]
async fn requests_beside_each_other_add_no_merchant_beyond_the_last() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    for n in 1..18 {
        let answer = ada.post("/dashboard/new", &format!("name=Shop{n}")).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
    let more = futures::future::join_all((0..6).map(|_| ada.post("/dashboard/new", "name=More"))).await;
    let added = more.iter().filter(|answer| answer.status == 303).count();
    assert_eq!(added, 2);
    let refused = more.iter().find(|answer| answer.status == 422).unwrap();
    assert!(
        says_why(&refused.body, &AccountError::ManyMerchants(20)),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn the_operator_sets_how_many_merchants_somebody_adds() {
    let world = World::new().await;
    world.person(ADA).await;
    let accounts = world.accounts().clone().within(&bitpro_config::Ceilings {
        merchants_per_account: 2,
        ..Default::default()
    });
    let mut people = world.app.charges.store().people().await.unwrap();
    let owner = people.account_of(ADA).await.unwrap().unwrap().num;
    let add = |name: &str| accounts.add_merchant(owner, name.to_owned(), String::new());
    assert!(add("Second").await.is_ok());
    let refused = add("Third").await.unwrap_err();
    assert!(refused.to_string().contains("belongs to 2 merchants"), "{refused}");
}

#[tokio::test]
async fn pages_of_the_dashboard_run_no_wasm() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    for path in ["/login", "/account", &format!("/dashboard/{merchant}/settings")] {
        let browser = world.browser();
        let answer = if path == "/login" {
            browser.get(path).await
        } else {
            ada.get(path).await
        };
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'nonce-") && !policy.contains("wasm"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test]
async fn a_browser_is_known_to_four_accounts_and_forgets_the_oldest() {
    let world = World::new().await;
    let browser = world.browser();
    for n in 0..5 {
        let email = format!("{n}@tea.example");
        world.person(&email).await;
        let form = format!("email={email}&password={}", PASSWORD.replace(' ', "+"));
        assert_leads_to(&browser.post("/login", &form).await, "/dashboard");
        world.app.clock.advance_secs(60 * 60);
    }
    let marks = browser.marks.lock().clone().unwrap();
    assert_eq!(marks.split('.').count(), 4);
    // To the first one it is a stranger's browser again, and the mailbox is told.
    for (n, letters) in [(0, 1), (4, 0)] {
        let email = format!("{n}@tea.example");
        let told = |subjects: Vec<String>| {
            subjects
                .iter()
                .filter(|subject| subject.contains("new browser"))
                .count()
        };
        let before = told(world.subjects(&email).await);
        let form = format!("email={email}&password={}", PASSWORD.replace(' ', "+"));
        assert_leads_to(&browser.post("/login", &form).await, "/dashboard");
        assert_eq!(told(world.subjects(&email).await) - before, letters, "{email}");
    }
}

#[tokio::test]
async fn a_form_that_is_too_large_is_not_read() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let stranger = format!("email={}", "x".repeat(16 * 1_024));
    assert_eq!(world.browser().post("/login", &stranger).await.status, 413);
    let file = [
        ("content-type", "multipart/form-data; boundary=edge"),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = world.browser().send(Method::POST, "/login", &file, "--edge--").await;
    assert_eq!(answer.status, 415, "strangers send no files: {}", answer.body);
    let long = format!("text={}", "x".repeat(64 * 1_024));
    let answer = ada
        .post(&format!("/dashboard/{merchant}/settings/domains"), &long)
        .await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    let picture = format!("--edge\r\n{}", "x".repeat(1_280 * 1_024));
    let multipart = [
        ("content-type", "multipart/form-data; boundary=edge"),
        ("sec-fetch-site", "same-origin"),
    ];
    let path = format!("/dashboard/{merchant}/settings/look/logo");
    let answer = ada.send(Method::POST, &path, &multipart, &picture).await;
    assert_eq!(answer.status, 413, "{}", answer.body);
}

#[tokio::test]
async fn a_member_who_changes_things_without_end_is_stopped_and_a_full_log_forgets_its_oldest_lines() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let path = format!("/dashboard/{merchant}/settings/domains");
    let (mut changes, mut last) = (0, 0);
    while changes < 1_000 && last != 429 {
        last = ada
            .post(&path, &format!("origins=a{changes}.example"))
            .await
            .status
            .as_u16();
        changes += 1;
    }
    assert_eq!((changes, last), (241, 429));
    let most = bitpro_config::Ceilings {
        audit_lines: 100,
        ..Default::default()
    };
    let accounts = world.accounts().clone().within(&most);
    accounts.tidy().await.unwrap();
    let lines = accounts.changes(merchant, None, 1_000).await.unwrap();
    assert_eq!(lines.len(), 100);
    assert!(lines[0].detail.contains("a239.example"), "{:?}", lines[0]);
    accounts.tidy().await.unwrap();
    assert_eq!(accounts.changes(merchant, None, 1_000).await.unwrap().len(), 100);
}
