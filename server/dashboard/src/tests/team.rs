//! Teams: joining, parts, leaving; and the log of it.

use super::*;

/// The names by which the page's forms call members: address and id.
pub(super) fn member_id(page: &str, email: &str) -> String {
    let row = page.split("<tr").skip(1).find(|row| row.contains(email)).unwrap();
    let after = row.split("/team/members/").nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_invited_accountant_reads_and_exports_and_changes_nothing() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let bob = world
        .member(&ada, merchant, "bob@books.example", Role::Accountant)
        .await;
    let home = format!("/dashboard/{merchant}");
    assert_eq!(bob.get(&format!("{home}/charges")).await.status, 200);
    assert_eq!(bob.get(&format!("{home}/charges.csv")).await.status, 200);
    assert_eq!(bob.get(&format!("{home}/log")).await.status, 403);
    let answer = bob
        .post(&format!("{home}/team/invite"), "email=x@books.example&role=owner")
        .await;
    assert_eq!(answer.status, 403);
    let page = ada.get(&format!("{home}/team")).await;
    assert!(page.body.contains("bob@books.example"));
    let log = ada.get(&format!("{home}/log")).await;
    assert!(
        log.body.contains("team/invite") && log.body.contains("bob@books.example: accountant"),
        "{}",
        log.body
    );
}

#[tokio::test]
async fn an_owner_without_a_name_invites_by_address() {
    let world = World::new().await;
    let (_, merchant) = world.person("ada@tea.example").await;
    // As the command line makes an owner: with an address, and no name.
    let email = Email::read("grace@tea.example").unwrap();
    world.accounts().adopt(merchant, &email).await.unwrap();
    let link = world.link_to("grace@tea.example").await;
    let token = link.split_once("token=").unwrap().1;
    let grace = world.browser();
    let form = format!("token={token}&password={}", PASSWORD.replace(' ', "+"));
    assert_eq!(grace.post("/password", &form).await.status, 303);
    let invite = format!("/dashboard/{merchant}/team/invite");
    grace.post(&invite, "email=bob@books.example&role=viewer").await;
    let letters = world.letters().await;
    let invitation = letters.iter().rfind(|letter| letter.to == "bob@books.example").unwrap();
    assert!(invitation.text.contains("grace@tea.example"), "{}", invitation.text);
}

#[tokio::test]
async fn an_export_stands_in_the_log_before_its_first_byte() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let bob = world
        .member(&ada, merchant, "bob@books.example", Role::Accountant)
        .await;
    let home = format!("/dashboard/{merchant}");
    let lines = async || {
        let lines = world.accounts().changes(merchant, None, 100).await.unwrap();
        let exports = lines.into_iter().filter(|line| line.action == "charges.csv");
        exports
            .map(|line| (line.who, line.detail, line.outcome))
            .collect::<Vec<_>>()
    };
    let cookie = bob.cookie.lock().clone().unwrap();
    let path = format!("{home}/charges.csv?q=anna%40shop.example&state=seen&from=2027-01-01");
    // The answer has begun, and nobody has read of it yet.
    let unread = world.app.send(Method::GET, &path, &[("cookie", &cookie)], "").await;
    assert_eq!(unread.status(), 200);
    let what = "q = …, state = seen, from = 2027-01-01".to_owned();
    let line = ("bob@books.example".to_owned(), what, Some("done".to_owned()));
    assert_eq!(lines().await, [line]);
    // A refusal, and a way back to the list, are no export.
    assert_eq!(bob.get(&format!("{home}/charges.csv?from=x")).await.status, 303);
    let eve = world.member(&ada, merchant, "eve@tea.example", Role::Viewer).await;
    assert_eq!(eve.get(&format!("{home}/charges.csv")).await.status, 403);
    assert_eq!(lines().await.len(), 1);
    assert!(
        ada.get(&format!("{home}/log"))
            .await
            .body
            .contains("<div>Exported charges</div><code class=\"hint\">charges.csv</code>")
    );
}

#[tokio::test]
async fn an_invitation_is_for_its_address_and_counts_once() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let (eve, _) = world.person("eve@tea.example").await;
    let invite = format!("/dashboard/{merchant}/team/invite");
    ada.post(&invite, "email=bob@books.example&role=viewer").await;
    let link = world.link_to("bob@books.example").await;
    let token = link.split_once("token=").unwrap().1.to_owned();
    // Eve found the letter: her own account does not fit.
    assert_eq!(eve.post("/invitation", &format!("token={token}")).await.status, 410);
    // A newer letter takes the place of the older one.
    ada.post(&invite, "email=bob@books.example&role=manager").await;
    assert_eq!(eve.get(&link).await.status, 410);
    let newer = world.link_to("bob@books.example").await;
    let newer = newer.split_once("token=").unwrap().1;
    let bob = world.browser();
    let form = format!("token={newer}&name=Bob&password=seven+green+kettles+sing");
    assert_leads_to(
        &bob.post("/invitation/new", &form).await,
        &format!("/dashboard/{merchant}"),
    );
    assert_eq!(bob.get(&format!("/invitation?token={newer}")).await.status, 410);
    // Whoever has an account joins with it.
    ada.post(&invite, "email=eve@tea.example&role=developer").await;
    let link = world.link_to("eve@tea.example").await;
    let stranger = world.browser();
    assert!(says(&stranger.get(&link).await.body, said::LOG_IN_TO_JOIN));
    let token = link.split_once("token=").unwrap().1;
    let form = format!("token={token}&name=X&password=seven+green+kettles+sing");
    assert_eq!(
        stranger.post("/invitation/new", &form).await.status,
        410,
        "a password is not replaced this way"
    );
    assert_leads_to(
        &eve.post("/invitation", &format!("token={token}")).await,
        &format!("/dashboard/{merchant}"),
    );
    let shops = eve.get("/dashboard").await;
    assert!(
        shops.body.contains(&merchant.to_string()),
        "one person, two merchants: {}",
        shops.body
    );
    // One that was taken back counts no more.
    ada.post(&invite, "email=carl@books.example&role=viewer").await;
    let page = ada.get(&format!("/dashboard/{merchant}/team")).await;
    let path = page
        .body
        .split("/team/invitations/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    ada.post(&format!("/dashboard/{merchant}/team/invitations/{path}"), "")
        .await;
    let link = world.link_to("carl@books.example").await;
    assert_eq!(stranger.get(&link).await.status, 410);
}

#[tokio::test]
async fn there_is_always_an_owner() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let team = format!("/dashboard/{merchant}/team");
    let bob = world.member(&ada, merchant, "bob@books.example", Role::Viewer).await;
    let page = ada.get(&team).await.body;
    let (own, their) = (
        member_id(&page, "ada@tea.example"),
        member_id(&page, "bob@books.example"),
    );
    for (path, form) in [
        (format!("{team}/leave"), ""),
        (format!("{team}/members/{own}"), "role=viewer"),
        (format!("{team}/members/{own}/remove"), ""),
    ] {
        let answer = ada.post(&path, form).await;
        assert_eq!(answer.status, 409, "{path}");
        assert!(answer.body.contains("always has an owner"));
    }
    // The shop is handed over.
    assert_eq!(
        ada.post(&format!("{team}/members/{their}"), "role=owner").await.status,
        303
    );
    assert_leads_to(&ada.post(&format!("{team}/leave"), "").await, "/dashboard");
    assert_eq!(ada.get(&team).await.status, 404, "no such merchant to her any more");
    assert_eq!(bob.post(&format!("{team}/leave"), "").await.status, 409);
    assert_eq!(
        bob.post(&format!("{team}/members/{own}"), "role=owner").await.status,
        404,
        "she is gone"
    );
}

#[tokio::test]
async fn what_the_operator_changes_stands_in_the_merchants_log() {
    use bitpro_operator::admin::{Command, execute};

    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let add = |name: &str| Command::AddKey {
        merchant: merchant.to_string(),
        name: name.to_owned(),
        scopes: None,
    };
    execute(world.accounts(), add("")).await.unwrap_err();
    let log = format!("/dashboard/{merchant}/log");
    assert!(
        !ada.get(&log).await.body.contains("command line"),
        "refused, and so no change"
    );
    let made = execute(world.accounts(), add("shop")).await.unwrap();
    let line = world.accounts().changes(merchant, None, 1).await.unwrap().remove(0);
    assert_eq!(line.detail, format!("{} shop", made["id"].as_str().unwrap()));
    let page = ada.get(&log).await.body;
    assert!(
        page.contains("<div>Created an API key</div><code class=\"hint\">settings/keys</code>")
            && page.contains("command line"),
        "{page}"
    );
}

#[tokio::test]
async fn an_owner_whom_the_operator_adds_is_named_and_told_of() {
    use bitpro_operator::admin::{Command, MerchantEdit, execute};

    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    world.person("ann@b.example").await;
    let edit = |owner: &str| MerchantEdit {
        settings: vec![("name".to_owned(), " Renamed ".to_owned())],
        owner: Some(owner.to_owned()),
        ..MerchantEdit::default()
    };
    let set = async |owner: &str| {
        let id = merchant.to_string();
        let edit = edit(owner);
        execute(world.accounts(), Command::SetMerchant { id, edit })
            .await
            .unwrap()
    };
    set("ann@b.example").await;
    let log = world.accounts().changes(merchant, None, 1).await.unwrap();
    assert_eq!(log[0].detail, "owner: ann@b.example, name = Renamed");
    assert_eq!(world.subjects("ada@tea.example").await[2..], [subjects::NEW_OWNER.en]);
    // The same once more changes nothing, and leaves neither a line nor a letter.
    let letters = world.letters().await.len();
    let again = set("ann@b.example").await;
    assert_eq!(again["changed"].as_array().unwrap().len(), 0);
    assert_eq!(world.accounts().changes(merchant, None, 1).await.unwrap(), log);
    assert_eq!(world.letters().await.len(), letters);
    let letters = world.letters().await;
    let to_ann = letters
        .iter()
        .rev()
        .find(|letter| letter.to == "ann@b.example")
        .unwrap();
    assert_eq!(to_ann.subject, subjects::ROLE_CHANGED.en);
    assert!(
        to_ann.text.contains("Role: Owner\n") && to_ann.text.contains("From: the server's command line\n"),
        "{}",
        to_ann.text
    );
    // Who has no account gets the letter by which one begins, and who is an owner none.
    set("new@b.example").await;
    assert_eq!(world.subjects("new@b.example").await, [letters::CHOOSE_PASSWORD.en]);
    let before = world.letters().await.len();
    set("ada@tea.example").await;
    assert_eq!(world.letters().await.len(), before);
    assert_eq!(ada.get(&format!("/dashboard/{merchant}/team")).await.status, 200);
}

#[tokio::test]
async fn an_invitation_gives_no_member_another_part() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let invite = format!("/dashboard/{merchant}/team/invite");
    ada.post(&invite, "email=countess@tea.example&role=viewer").await;
    let invitation = world.link_to("countess@tea.example").await;
    // The only owner moves to the address that she has invited.
    ada.post("/account/email", "email=countess@tea.example").await;
    let link = world.link_to("countess@tea.example").await;
    let form = format!("token={}", link.split_once("token=").unwrap().1);
    assert_leads_to(&ada.post("/email", &form).await, "/account?done=email");
    let form = format!("token={}", invitation.split_once("token=").unwrap().1);
    let refused = ada.post("/invitation", &form).await;
    assert_eq!(refused.status, 410);
    assert!(refused.body.contains("already belongs to the team"), "{}", refused.body);
    assert_eq!(
        ada.get(&format!("/dashboard/{merchant}/log")).await.status,
        200,
        "an owner still"
    );
}

#[tokio::test]
async fn a_mailbox_is_not_flooded_with_invitations() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let invite = format!("/dashboard/{merchant}/team/invite");
    let mut last = None;
    for _ in 0..5 {
        last = Some(ada.post(&invite, "email=bob@books.example&role=viewer").await);
    }
    let last = last.unwrap();
    assert_eq!(last.status, 429);
    assert!(!last.header("retry-after").is_empty() && last.body.contains("bob@books.example"));
    let to_bob = |letter: &&Letter| letter.to == "bob@books.example";
    assert_eq!(world.letters().await.iter().filter(to_bob).count(), 4);
}

#[tokio::test]
async fn whoever_loses_a_part_is_told_and_so_is_every_owner() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let bob = world.member(&ada, merchant, "bob@books.example", Role::Owner).await;
    world.member(&ada, merchant, "eve@tea.example", Role::Viewer).await;
    assert_eq!(
        world.subjects("ada@tea.example").await[2..],
        [subjects::NEW_OWNER.en, subjects::TEAM_CHANGED.en]
    );
    let team = format!("/dashboard/{merchant}/team");
    let page = ada.get(&team).await.body;
    let id_of = |email: &str| member_id(&page, email);
    let eve = id_of("eve@tea.example");
    let before = world.letters().await.len();
    // The same role once more is no news.
    bob.post(&format!("{team}/members/{eve}"), "role=viewer").await;
    assert_eq!(world.letters().await.len(), before);
    bob.post(&format!("{team}/members/{eve}"), "role=manager").await;
    bob.post(&format!("{team}/members/{eve}/remove"), "").await;
    let to_eve = world.subjects("eve@tea.example").await;
    assert_eq!(to_eve[1..], [subjects::ROLE_CHANGED.en, subjects::REMOVED.en]);
    // An owner who is taken down and thrown out by another one hears of it twice.
    let ada_id = id_of("ada@tea.example");
    bob.post(&format!("{team}/members/{ada_id}"), "role=viewer").await;
    bob.post(&format!("{team}/members/{ada_id}/remove"), "").await;
    let to_ada = world.subjects("ada@tea.example").await;
    assert_eq!(
        to_ada[4..],
        [
            subjects::TEAM_CHANGED.en,
            subjects::TEAM_CHANGED.en,
            subjects::ROLE_CHANGED.en,
            subjects::REMOVED.en
        ]
    );
    let letters = world.letters().await;
    let last_to_bob = letters.iter().rev().find(|letter| letter.to == "bob@books.example");
    assert!(last_to_bob.unwrap().text.contains("ada@tea.\u{2060}example"));
}

#[tokio::test]
async fn whoever_came_otherwise_meanwhile_is_told_so() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let invite = format!("/dashboard/{merchant}/team/invite");
    ada.post(&invite, "email=bob@books.example&role=viewer").await;
    let link = world.link_to("bob@books.example").await;
    // The operator names them as an owner before they have opened the letter, or chosen a password.
    let bob = Email::read("bob@books.example").unwrap();
    world.accounts().adopt(merchant, &bob).await.unwrap();
    let token = link.split_once("token=").unwrap().1;
    let form = format!("token={token}&name=Bob&password=seven+green+kettles+sing");
    let answer = world.browser().post("/invitation/new", &form).await;
    assert_eq!(answer.status, 410);
    assert!(answer.body.contains("already belongs to the team"), "{}", answer.body);
}

#[tokio::test]
async fn owners_are_told_of_a_wallet_that_the_operator_gives() {
    use bitpro_operator::admin::{Command, MerchantEdit, execute};

    let world = World::new().await;
    let (_, merchant) = world.person("ada@tea.example").await;
    let set = Command::SetMerchant {
        id: merchant.to_string(),
        edit: MerchantEdit {
            descriptor: Some(bitpro_web::testing::WALLET.to_owned()),
            ..MerchantEdit::default()
        },
    };
    execute(world.accounts(), set).await.unwrap();
    let letters = world.letters().await;
    let told = letters.iter().rfind(|letter| letter.to == "ada@tea.example").unwrap();
    assert!(
        told.text.contains("command line") && told.text.contains(&format!("/dashboard/{merchant}/settings/wallet")),
        "{}",
        told.text
    );
}

#[tokio::test]
async fn a_team_has_fifty_people_at_most_invited_ones_included() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let path = format!("/dashboard/{merchant}/team/invite");
    for n in 1..50 {
        if n % 15 == 0 {
            // No more letters go out in an hour, and the password counts for a quarter of one.
            world.app.clock.advance_secs(60 * 60);
            let confirmed = format!("own_password={}", PASSWORD.replace(' ', "+"));
            assert_eq!(ada.post("/confirm", &confirmed).await.status, 303);
        }
        let answer = ada.post(&path, &format!("email={n}@tea.example&role=viewer")).await;
        assert_eq!(answer.status, 303, "{n}: {}", answer.body);
    }
    let answer = ada.post(&path, "email=50@tea.example&role=viewer").await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(says_why(&answer.body, &AccountError::TeamFull), "{}", answer.body);
}
