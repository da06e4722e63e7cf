//! Every route of the table, for everybody who may and may not come: a route that is added is tried here too.

use super::*;
use crate::route::{Access, Verb};
use crate::routes;

/// The path with its merchant, and something that is not there in every other place.
fn path(pattern: &str, merchant: MerchantId) -> String {
    let nothing = "00000000-0000-4000-8000-000000000000";
    let parts = pattern.split('/').map(|part| match part {
        "{merchant}" => merchant.to_string(),
        part if part.starts_with('{') => nothing.to_owned(),
        part => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn tried(browser: &Browser<'_>, verb: Verb, path: &str) -> Answer {
    match verb {
        Verb::Get => browser.get(path).await,
        Verb::Post => browser.post(path, "").await,
    }
}

#[tokio::test]
async fn an_address_for_forms_leads_back_to_the_page_that_they_stand_on() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let mut led = 0;
    for route in routes().filter(|route| route.verb == Verb::Post) {
        if routes().any(|other| other.verb == Verb::Get && other.path == route.path) {
            continue;
        }
        led += 1;
        let answer = ada.get(&path(route.path, merchant)).await;
        assert_eq!(answer.status, 303, "{}", route.path);
        let page = answer.header("location");
        let is_page = routes().any(|page_route| {
            page_route.verb == Verb::Get
                && path(page_route.path, merchant) == page
                && route.path.starts_with(page_route.path)
        });
        assert!(is_page || page == "/", "{} leads to {page}", route.path);
    }
    assert!(led > 10, "{led}");
    let nothing = "00000000-0000-4000-8000-000000000000";
    let webhook = format!("/dashboard/{merchant}/settings/webhooks/{nothing}");
    assert_leads_to(&ada.get(&format!("{webhook}/test")).await, &webhook);
    assert_leads_to(
        &ada.get(&format!("/dashboard/{merchant}/settings/wallet/confirm")).await,
        &format!("/dashboard/{merchant}/settings/wallet"),
    );
    // Where no such address is, there is nothing.
    assert_eq!(ada.get("/dashboard/nothing/nothing").await.status, 404);
}

#[tokio::test]
async fn every_route_lets_in_exactly_whom_its_rule_names() {
    let world = World::new().await;
    let (owner, merchant) = world.person("owner@tea.example").await;
    let (_, other) = world.person("other@tea.example").await;
    let mut people = vec![(Role::Owner, owner)];
    for role in [Role::Manager, Role::Developer, Role::Accountant, Role::Viewer] {
        let member = world
            .member(&people[0].1, merchant, &format!("{role}@tea.example"), role)
            .await;
        people.push((role, member));
    }
    let mut tried_routes = 0;
    for route in routes() {
        let is_members = route.access.permission().is_some();
        assert_eq!(is_members, route.path.contains("{merchant}"), "{}", route.path);
        // Streams do not end, and leaving the team or the session changes who asks.
        if ["/logout", "/dashboard/{merchant}/team/leave"].contains(&route.path) || route.path.ends_with("/live") {
            continue;
        }
        tried_routes += 1;
        let place = path(route.path, merchant);
        let stranger = tried(&world.browser(), route.verb, &place).await;
        let is_sent_away = stranger.status == 303 && stranger.header("location").starts_with("/login?then=");
        assert_eq!(
            is_sent_away,
            !matches!(route.access, Access::Anyone),
            "a stranger at {place}"
        );
        let Some(permission) = route.access.permission() else {
            continue;
        };
        for (role, browser) in &people {
            let answer = tried(browser, route.verb, &place).await;
            let was_refused = answer.status == 403 && answer.body.contains("not-allowed");
            assert_eq!(
                was_refused,
                !role.may(permission),
                "{role} at {:?} {place}: {}",
                route.verb,
                answer.status
            );
            // Another merchant is as unknown as one that never was.
            let elsewhere = tried(browser, route.verb, &path(route.path, other)).await;
            let nowhere = tried(browser, route.verb, &path(route.path, MerchantId([9; 16]))).await;
            assert_eq!(
                (elsewhere.status.as_u16(), nowhere.status.as_u16()),
                (404, 404),
                "{role} at {place}"
            );
        }
    }
    assert!(tried_routes > 40, "{tried_routes}");
}
