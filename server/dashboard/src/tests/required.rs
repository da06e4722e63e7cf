//! A second factor that an owner requires of the whole team.

use super::account::factor;
use super::*;

#[tokio::test]
async fn an_owner_requires_a_second_factor_of_everybody() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let bob = world.member(&ada, merchant, "bob@tea.example", Role::Manager).await;
    let cleo = world.member(&ada, merchant, "cleo@tea.example", Role::Viewer).await;
    factor(&world, &ada).await;
    factor(&world, &cleo).await;
    let page = format!("/dashboard/{merchant}");
    let rule = format!("{page}/team/factor");
    assert_eq!(bob.post(&rule, "required=yes").await.status, 403, "owners only");
    assert_eq!(bob.get(&format!("{page}/team")).await.status, 200);
    assert_leads_to(&ada.post(&rule, "required=yes").await, &format!("{page}/team?done=1"));

    // Whoever has one goes on; whoever has none is led to set one up, whatever they ask for.
    for member in [&ada, &cleo] {
        assert_eq!(member.get(&format!("{page}/team")).await.status, 200);
    }
    let led = format!("/account/factor?required={merchant}");
    for path in [
        page.clone(),
        format!("{page}/team"),
        format!("{page}/settings"),
        format!("{page}/charges.csv"),
    ] {
        assert_leads_to(&bob.get(&path).await, &led);
    }
    assert_leads_to(&bob.post(&format!("{page}/settings"), "name=Mine").await, &led);
    let asked = bob.get(&led).await;
    assert!(
        asked.status == 200 && asked.body.contains("requires a second factor"),
        "{}",
        asked.body
    );
    assert!(ada.get(&format!("{page}/team")).await.body.contains("no second factor"));
    // Whoever is affected is told, and nobody else.
    let told = async |email: &str| {
        let subjects = world.subjects(email).await;
        subjects
            .iter()
            .filter(|subject| *subject == subjects::FACTOR_REQUIRED.en)
            .count()
    };
    assert_eq!(
        (
            told("bob@tea.example").await,
            told("ada@tea.example").await,
            told("cleo@tea.example").await
        ),
        (1, 0, 0)
    );
    // Said again, it is no news.
    ada.post(&rule, "required=yes").await;
    assert_eq!(told("bob@tea.example").await, 1);

    factor(&world, &bob).await;
    assert_eq!(bob.get(&format!("{page}/team")).await.status, 200);
    // Without it they are where they were.
    assert_leads_to(&bob.post("/account/factor/remove", "").await, "/account/factor");
    assert_leads_to(&bob.get(&page).await, &led);

    // Whoever joins later needs one, too.
    let dan = world.member(&ada, merchant, "dan@tea.example", Role::Viewer).await;
    assert_leads_to(&dan.get(&page).await, &led);

    assert_leads_to(&ada.post(&rule, "required=no").await, &format!("{page}/team?done=1"));
    assert_eq!(bob.get(&format!("{page}/team")).await.status, 200);
    let subjects = world.subjects("ada@tea.example").await;
    assert_eq!(subjects.last().unwrap(), subjects::FACTOR_NOT_REQUIRED.en);
    let log = ada.get(&format!("{page}/log")).await.body;
    assert!(has_action(&log, "team/factor"), "{log}");
}

#[tokio::test]
async fn one_merchants_rule_binds_nobody_at_another() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let other = ada.post("/dashboard/new", "name=Books").await;
    let other = other.header("location").to_owned();
    ada.post(&format!("/dashboard/{merchant}/team/factor"), "required=yes")
        .await;
    assert_eq!(
        ada.get(&format!("/dashboard/{merchant}")).await.status,
        303,
        "herself as well"
    );
    assert_eq!(ada.get(&format!("{other}/team")).await.status, 200);
    assert_eq!(ada.get("/account").await.status, 200);
}
