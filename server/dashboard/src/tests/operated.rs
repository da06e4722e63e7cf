//! What the operator does to accounts by the command line, and what people see of it.

use bitpro_operator::admin::{self, AccountCommand, Command, Kind, Reply};
use serde_json::{Value, json};

use super::account::factor;
use super::*;

const ADA: &str = "ada@tea.example";
const LOGIN: &str = "email=ada@tea.example&password=seven+green+kettles+sing";

async fn operate(world: &World, command: AccountCommand) -> Reply {
    admin::execute(world.accounts(), Command::Account(command)).await
}

fn email() -> String {
    ADA.to_owned()
}

#[track_caller]
fn assert_fails(reply: Reply, kind: Kind, words: &str) {
    let failure = reply.unwrap_err();
    assert!(failure.kind == kind && failure.message.contains(words), "{failure:?}");
}

/// The newest line of the merchant's log.
async fn noted(world: &World, merchant: MerchantId) -> (String, String, String) {
    let line = world.accounts().changes(merchant, None, 1).await.unwrap().remove(0);
    (line.action, line.who, line.detail)
}

#[tokio::test]
async fn a_lost_second_factor_is_reset() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let nothing = operate(&world, AccountCommand::ResetFactor { email: email() }).await;
    assert_fails(nothing, Kind::Conflict, "has no second factor");
    assert_eq!(
        ada.get("/account").await.status,
        200,
        "nothing was done, and nobody is told that it was"
    );
    factor(&world, &ada).await;
    let reply = operate(&world, AccountCommand::ResetFactor { email: email() }).await;
    assert_eq!(reply.unwrap(), json!({ "email": ADA }));
    assert_eq!(ada.get("/account").await.status, 303, "sessions end");
    assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
    assert!(says(&ada.get("/account").await.body, said::FACTOR_OFF));
    let subjects = world.subjects(ADA).await;
    assert!(subjects.contains(&subjects::FACTOR_RESET.en.to_owned()), "{subjects:?}");
    let line = ("account/reset-factor".to_owned(), "bitpro".to_owned(), ADA.to_owned());
    assert_eq!(noted(&world, merchant).await, line);
    let log = ada.get(&format!("/dashboard/{merchant}/log")).await.body;
    assert!(has_action(&log, "account/reset-factor"), "{log}");
}

#[tokio::test]
async fn a_second_factor_that_is_not_there_is_not_reset() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let letters = world.letters().await.len();
    let reply = operate(&world, AccountCommand::ResetFactor { email: email() }).await;
    assert_fails(reply, Kind::Conflict, "no second factor");
    assert_eq!(ada.get("/account").await.status, 200, "the session goes on");
    assert_eq!(world.letters().await.len(), letters);
    assert!(world.accounts().changes(merchant, None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_link_to_choose_a_password_is_sent_and_given() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let reply = operate(&world, AccountCommand::Link { email: email() }).await.unwrap();
    let link = reply["link"].as_str().unwrap().to_owned();
    let path = link.trim_start_matches(world.origin()).to_owned();
    assert_eq!(world.link_to(ADA).await, path, "the letter has the same");
    let letter = world.letters().await.pop().unwrap();
    assert!(letter.text.contains(letters::LINK_OF_OPERATOR.en), "{}", letter.text);
    assert_eq!(noted(&world, merchant).await.0, "account/link");
    let token = path.split_once("token=").unwrap().1;
    let form = format!("token={token}&password=eight+blue+kettles+hum");
    assert_leads_to(&world.browser().post("/password", &form).await, "/dashboard");
    assert_eq!(ada.get("/account").await.status, 303);

    let unknown = AccountCommand::Link {
        email: "eve@tea.example".to_owned(),
    };
    assert_fails(operate(&world, unknown).await, Kind::Unknown, "there is no account");
    let nonsense = AccountCommand::Link {
        email: "eve".to_owned(),
    };
    assert_fails(operate(&world, nonsense).await, Kind::Invalid, "wanted an address");
    world
        .browser()
        .post("/signup", "name=E&email=eve@tea.example&company=C")
        .await;
    let early = AccountCommand::Link {
        email: "eve@tea.example".to_owned(),
    };
    assert_fails(operate(&world, early).await, Kind::Conflict, "not approved yet");
}

#[tokio::test]
async fn a_blocked_account_lets_nobody_in_until_it_is_opened_again() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let disable = |force| AccountCommand::Disable { email: email(), force };
    let only = operate(&world, disable(false)).await;
    assert_fails(only, Kind::Conflict, &format!("the only owner of {merchant}"));
    let bob = world.member(&ada, merchant, "bob@tea.example", Role::Owner).await;
    world.browser().post("/password/forgot", &format!("email={ADA}")).await;
    let link = world.link_to(ADA).await;
    operate(&world, disable(false)).await.unwrap();
    assert_eq!(noted(&world, merchant).await.0, "account/disable");
    assert_eq!(ada.get("/account").await.status, 303, "sessions end");
    assert_eq!(ada.post("/login", LOGIN).await.status, 422);
    assert_eq!(ada.get(&link).await.status, 410, "links, too");
    let letters = world.letters().await.len();
    assert_eq!(
        ada.post("/password/forgot", &format!("email={ADA}")).await.status,
        200,
        "the answer is as ever"
    );
    assert_eq!(world.letters().await.len(), letters);
    assert_eq!(world.subjects(ADA).await.last().unwrap(), subjects::DISABLED.en);
    assert_fails(operate(&world, disable(false)).await, Kind::Conflict, "is blocked");
    let link = AccountCommand::Link { email: email() };
    assert_fails(operate(&world, link).await, Kind::Conflict, "is blocked");
    // An owner who cannot come does not count as one.
    let answer = bob.post(&format!("/dashboard/{merchant}/team/leave"), "").await;
    assert_eq!(answer.status, 409);
    let listed = admin::execute(world.accounts(), Command::ListAccounts).await.unwrap();
    let ada_listed = listed.as_array().unwrap().iter().find(|one| one["email"] == ADA);
    assert_eq!(ada_listed.unwrap()["state"], Value::from("disabled"));

    let enable = || AccountCommand::Enable { email: email() };
    operate(&world, enable()).await.unwrap();
    assert_fails(operate(&world, enable()).await, Kind::Conflict, "is not blocked");
    assert_eq!(noted(&world, merchant).await.0, "account/enable");
    assert_leads_to(&ada.post("/login", LOGIN).await, "/dashboard");
    // The only owner of a shop that is a nuisance can be blocked as well.
    let bobs = "bob@tea.example".to_owned();
    operate(
        &world,
        AccountCommand::Disable {
            email: bobs,
            force: false,
        },
    )
    .await
    .unwrap();
    operate(&world, disable(true)).await.unwrap();
    assert_eq!(ada.get("/account").await.status, 303);
}

#[tokio::test]
async fn a_request_is_refused_and_an_account_removed() {
    let world = World::new().await;
    let reject = |email: &str| AccountCommand::Reject {
        email: email.to_owned(),
    };
    let remove = |email: &str| AccountCommand::Remove {
        email: email.to_owned(),
    };
    world
        .browser()
        .post("/signup", "name=E&email=eve@tea.example&company=C")
        .await;
    assert_fails(
        operate(&world, remove("eve@tea.example")).await,
        Kind::Conflict,
        "not approved yet",
    );
    operate(&world, reject("eve@tea.example")).await.unwrap();
    assert!(world.accounts().list().await.unwrap().is_empty());
    assert_eq!(
        world.subjects("eve@tea.example").await.last().unwrap(),
        letters::REJECTED.en
    );
    assert_fails(
        operate(&world, reject("eve@tea.example")).await,
        Kind::Unknown,
        "there is no account",
    );

    let (ada, merchant) = world.person(ADA).await;
    assert_fails(operate(&world, reject(ADA)).await, Kind::Conflict, "already approved");
    let only = operate(&world, remove(ADA)).await;
    assert_fails(only, Kind::Conflict, &format!("the only owner of {merchant}"));
    let bob = world.member(&ada, merchant, "bob@tea.example", Role::Owner).await;
    factor(&world, &ada).await;
    let invited = ada
        .post(
            &format!("/dashboard/{merchant}/team/invite"),
            "email=dan@tea.example&role=viewer",
        )
        .await;
    assert_eq!(invited.status, 303, "{}", invited.body);
    operate(&world, remove(ADA)).await.unwrap();
    assert_eq!(ada.get("/account").await.status, 303);
    let listed = world.accounts().list().await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(world.subjects(ADA).await.last().unwrap(), subjects::ACCOUNT_REMOVED.en);
    let bobs = world.subjects("bob@tea.example").await;
    assert_eq!(bobs.last().unwrap(), subjects::TEAM_CHANGED.en);
    // What she did stays in the log under her address, and so does that she was removed.
    let log = bob.get(&format!("/dashboard/{merchant}/log")).await.body;
    assert!(log.contains(ADA) && has_action(&log, "account/remove"), "{log}");
    // Her address is free.
    let (again, _) = world.person(ADA).await;
    assert_eq!(again.get(&format!("/dashboard/{merchant}")).await.status, 404);
}
