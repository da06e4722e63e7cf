//! What must not outlive somebody's part in a team, or their session.

use std::time::Duration;

use bitpro_charge::Cents;
use bitpro_operator::admin::{self, AccountCommand, Command};
use bitpro_service::charges::NewCharge;
use futures::StreamExt as _;

use super::team::member_id;
use super::waiting::{OTHER, ask, descriptor, wait_a_day};
use super::*;

const ADA: &str = "ada@tea.example";
const BOB: &str = "bob@books.example";

/// The ways in which an owner loses what an owner may.
const WAYS: [&str; 5] = ["removed", "demoted", "leaves", "blocked", "deleted"];

/// Two owners; `act` is what becomes of the second.
async fn act(ada: &Browser<'_>, bob: &Browser<'_>, merchant: MerchantId, way: &str) {
    let world = ada.world;
    let team = format!("/dashboard/{merchant}/team");
    let operate = async |command| {
        admin::execute(world.accounts(), Command::Account(command))
            .await
            .unwrap()
    };
    let email = BOB.to_owned();
    let answer = match way {
        "blocked" => {
            operate(AccountCommand::Disable { email, force: false }).await;
            return;
        }
        "deleted" => {
            operate(AccountCommand::Remove { email }).await;
            return;
        }
        "leaves" => bob.post(&format!("{team}/leave"), "").await,
        _ => {
            let id = member_id(&ada.get(&team).await.body, BOB);
            match way {
                "removed" => ada.post(&format!("{team}/members/{id}/remove"), "").await,
                _ => ada.post(&format!("{team}/members/{id}"), "role=developer").await,
            }
        }
    };
    assert_eq!(answer.status, 303, "{way}: {}", answer.body);
}

#[tokio::test]
async fn r27_a_wallet_that_somebody_asked_for_does_not_outlive_their_part() {
    for way in WAYS {
        let world = World::new().await;
        let (ada, merchant) = world.person(ADA).await;
        let bob = world.member(&ada, merchant, BOB, Role::Owner).await;
        ask(&world, BOB, merchant).await;
        let before = descriptor(&world, merchant).await;
        act(&ada, &bob, merchant, way).await;
        let waits = world.accounts().pending_wallet(merchant).await.unwrap();
        assert!(waits.is_none(), "{way}");
        let subjects = world.subjects(ADA).await;
        assert!(
            subjects.contains(&subjects::WALLET_WITHDRAWN.en.to_owned()),
            "{way}: {subjects:?}"
        );
        let log = world.accounts().changes(merchant, None, 10).await.unwrap();
        let line = log.iter().find(|line| line.action == "settings/wallet/withdrawn");
        assert_eq!(line.unwrap().who, BOB, "{way}");
        wait_a_day(&world, world.accounts()).await;
        assert_eq!(descriptor(&world, merchant).await, before, "{way}");
        assert_eq!(world.accounts().forged_wallets(), 0);
    }
}

#[tokio::test]
async fn r27_a_wallet_is_not_taken_when_who_asked_lost_their_part_by_another_hand() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    world.member(&ada, merchant, BOB, Role::Owner).await;
    ask(&world, BOB, merchant).await;
    let before = descriptor(&world, merchant).await;
    world
        .meddle("UPDATE members SET role = 'viewer' WHERE account = 2")
        .await;
    wait_a_day(&world, world.accounts()).await;
    assert_eq!(descriptor(&world, merchant).await, before);
}

#[tokio::test]
async fn r27_a_wallet_that_another_owner_asked_for_goes_on_waiting() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let bob = world.member(&ada, merchant, BOB, Role::Owner).await;
    ask(&world, ADA, merchant).await;
    act(&ada, &bob, merchant, "removed").await;
    // Who asked moves to another address, and is the same person.
    ada.post("/account/email", "email=countess@tea.example").await;
    let link = world.link_to("countess@tea.example").await;
    let form = format!("token={}", link.split_once("token=").unwrap().1);
    assert_leads_to(&ada.post("/email", &form).await, "/account?done=email");
    let waits = world.accounts().pending_wallet(merchant).await.unwrap();
    assert_eq!(waits.unwrap().asked_by, "countess@tea.example");
    wait_a_day(&world, world.accounts()).await;
    assert_eq!(descriptor(&world, merchant).await.as_deref(), Some(OTHER));
}

#[tokio::test]
async fn an_invitation_does_not_outlive_the_part_of_who_sent_it() {
    for way in WAYS {
        let world = World::new().await;
        let (ada, merchant) = world.person(ADA).await;
        let bob = world.member(&ada, merchant, BOB, Role::Owner).await;
        let invite = format!("/dashboard/{merchant}/team/invite");
        bob.post(&invite, "email=evil@books.example&role=owner").await;
        ada.post(&invite, "email=carl@tea.example&role=viewer").await;
        let (evil, carl) = (
            world.link_to("evil@books.example").await,
            world.link_to("carl@tea.example").await,
        );
        act(&ada, &bob, merchant, way).await;
        let token = evil.split_once("token=").unwrap().1;
        let form = format!("token={token}&name=E&password=seven+green+kettles+sing");
        let stranger = world.browser();
        assert_eq!(stranger.post("/invitation/new", &form).await.status, 410, "{way}");
        assert_eq!(stranger.get(&carl).await.status, 200, "{way}: others stay");
        let (team, invited) = world.accounts().team(merchant).await.unwrap();
        assert!(team.iter().all(|member| member.email != "evil@books.example"), "{way}");
        assert_eq!(invited.len(), 1, "{way}");
        let log = world.accounts().changes(merchant, None, 10).await.unwrap();
        let line = log.iter().find(|line| line.action == "team/invitations/withdrawn");
        // What the operator did is not told as the deed of whom it befell.
        let (who, detail) = match way {
            "blocked" | "deleted" => ("bitpro", "bob@books.example: evil@books.example"),
            _ => (BOB, "evil@books.example"),
        };
        let line = line.unwrap();
        assert_eq!((line.who.as_str(), line.detail.as_str()), (who, detail), "{way}");
        if way == "blocked" {
            let letters = world.letters().await;
            let told = letters.iter().rfind(|letter| letter.to == ADA).unwrap();
            assert_eq!(told.subject, subjects::MEMBER_DISABLED.en);
            assert!(told.text.contains("evil@books.\u{2060}example"), "{}", told.text);
            assert!(told.text.contains("bob@books.\u{2060}example"), "{}", told.text);
            let email = BOB.to_owned();
            let enable = Command::Account(AccountCommand::Enable { email });
            admin::execute(world.accounts(), enable).await.unwrap();
            assert_eq!(stranger.get(&evil).await.status, 410, "it does not come back");
            let subjects = world.subjects(ADA).await;
            assert_eq!(subjects.last().unwrap(), subjects::MEMBER_ENABLED.en);
            continue;
        }
        let letters = world.letters().await;
        let told = letters
            .iter()
            .rfind(|letter| letter.subject == subjects::TEAM_CHANGED.en);
        assert!(told.unwrap().text.contains("evil@books.\u{2060}example"), "{way}");
    }
}

#[tokio::test]
async fn an_invitation_counts_for_nothing_while_its_sender_is_no_owner() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let bob = world.member(&ada, merchant, BOB, Role::Owner).await;
    bob.post(
        &format!("/dashboard/{merchant}/team/invite"),
        "email=evil@books.example&role=owner",
    )
    .await;
    let link = world.link_to("evil@books.example").await;
    assert_eq!(world.browser().get(&link).await.status, 200);
    // As a version before left it, which did not look after invitations.
    world
        .meddle("UPDATE members SET role = 'viewer' WHERE account = 2")
        .await;
    assert_eq!(world.browser().get(&link).await.status, 410);
}

#[tokio::test]
async fn owners_are_told_which_keys_somebody_who_goes_still_knows() {
    let world = World::new().await;
    let (ada, merchant) = world.person(ADA).await;
    let bob = world.member(&ada, merchant, BOB, Role::Developer).await;
    let keys = format!("/dashboard/{merchant}/settings/keys");
    for name in ["till", "robot"] {
        let made = bob.post(&keys, &format!("name={name}&scope=charges:read")).await;
        assert_eq!(made.status, 200, "{}", made.body);
    }
    assert_eq!(ada.post(&keys, "name=office&scope=charges:read").await.status, 200);
    act(&ada, &bob, merchant, "removed").await;
    let letters = world.letters().await;
    let told = letters.iter().rfind(|letter| letter.to == ADA).unwrap();
    assert_eq!(told.subject, subjects::TEAM_CHANGED.en);
    assert!(
        told.text.contains("robot, till") && !told.text.contains("office"),
        "{}",
        told.text
    );
    assert!(told.text.contains("create new secrets for these keys"), "{}", told.text);
}

#[tokio::test]
async fn a_live_list_says_no_more_to_who_has_logged_out_or_left() {
    let world = World::new().await;
    let (ada, _) = world.person(ADA).await;
    // A shop that can sell: its list has news.
    let merchant = world.app.merchant;
    let owner = Email::read(ADA).unwrap();
    world.accounts().adopt(merchant, &owner).await.unwrap();
    for way in ["stays", "logs out", "is removed", "is blocked"] {
        let name = format!("{}@books.example", way.replace(' ', "-"));
        let bob = world.member(&ada, merchant, &name, Role::Viewer).await;
        let (cookie, marks) = (bob.cookie.lock().clone().unwrap(), bob.marks.lock().clone().unwrap());
        let path = format!("/dashboard/{merchant}/charges/live");
        let headers = [("cookie", cookie.as_str()), ("cookie", marks.as_str())];
        let answer = world.app.send(Method::GET, &path, &headers, "").await;
        assert_eq!(answer.status(), 200);
        let mut stream = answer.into_body().into_data_stream();
        assert!(stream.next().await.is_some());
        let team = format!("/dashboard/{merchant}/team");
        match way {
            "logs out" => assert_eq!(bob.post("/logout", "").await.status, 303),
            "is removed" => {
                let id = member_id(&ada.get(&team).await.body, &name);
                ada.post(&format!("{team}/members/{id}/remove"), "").await;
            }
            "is blocked" => {
                let command = AccountCommand::Disable {
                    email: name,
                    force: false,
                };
                admin::execute(world.accounts(), Command::Account(command))
                    .await
                    .unwrap();
            }
            _ => {}
        }
        let new = NewCharge::of(merchant, Cents(4_200));
        world.app.charges.create(new).await.unwrap();
        let said = tokio::time::timeout(Duration::from_secs(60), stream.next())
            .await
            .unwrap();
        assert_eq!(said.is_some(), way == "stays", "{way}");
    }
}
