//! One charge, and what people do to it.

use super::*;

#[tokio::test]
async fn a_charge_is_shown_with_all_that_is_known_of_it() {
    let desk = Desk::new().await;
    let id = desk.make("A-1", "anna@shop.example").await;
    desk.pay(id).await;
    let page = desk.get(&format!("charges/{id}")).await;
    for text in [
        "Order A-1",
        "€42.00",
        "0.00084000\u{a0}BTC",
        "€50,000.00 for 1 BTC, fixed rate,",
        "anna@shop.example",
        "0 of 1",
        "Created by your server (API).",
        "arrived with transaction",
        "Event for your server: charge:seen.",
        "15 January 2027, 09:00:00\u{a0}CET",
        "No event of this charge was sent to a webhook.",
    ] {
        assert!(page.has(text), "{text}\n{}", page.body);
    }
}

#[tokio::test]
async fn late_money_is_accepted_by_the_sequence_that_was_shown() {
    let desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    desk.app.clock.advance_secs(3_600);
    desk.pay(id).await;
    let page = desk.get(&format!("charges/{id}")).await;
    assert!(
        page.has("Accept this money") && page.has("name=\"sequence\""),
        "{}",
        page.body
    );
    let charge = desk.app.charges.snapshot(id).await.unwrap().unwrap().charge.clone();
    let outpoint = charge.payments[0].outpoint;
    let path = format!("charges/{id}/accept");

    let none = desk.post(&path, &format!("sequence={}", charge.sequence)).await;
    assert_eq!(none.status, 422);
    assert!(none.has("Choose at least one payment."));

    let stale = desk.post(&path, &format!("sequence=0&payment={outpoint}")).await;
    assert_eq!(stale.status, 409);
    assert!(
        stale.has("What happened since") && stale.has("arrived with transaction"),
        "{}",
        stale.body
    );

    let form = format!("sequence={}&payment={outpoint}", charge.sequence);
    let done = desk.post(&path, &form).await;
    assert_eq!((done.status, done.location.ends_with("?done=accepted")), (303, true));
    let page = desk.get(&format!("charges/{id}?done=accepted")).await;
    assert!(page.has("Money accepted.") && page.has("accepted manually") && !page.has("Accept this money"));
    let again = desk.post(&path, &form).await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn only_what_waits_is_cancelled() {
    let desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    assert!(desk.get(&format!("charges/{id}")).await.has("Cancel the charge"));
    let path = format!("charges/{id}/cancel");
    assert_eq!(desk.post(&path, "sequence=0").await.status, 303);
    let again = desk.post(&path, &format!("sequence={}", desk.sequence(id).await)).await;
    assert_eq!(again.status, 409);
    assert!(again.has("only while it waits for money"));
    assert!(!desk.get(&format!("charges/{id}")).await.has("Cancel the charge"));
    let malformed = desk.refused(Verb::Post, &path, "sequence=x").await;
    assert_eq!(malformed.status().as_u16(), 400);
}

#[tokio::test]
async fn r06_while_the_chain_is_held_the_page_says_why_nothing_is_done() {
    use bitpro_node::ChargesPort as _;

    let mut desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    desk.app.charges.set_node_condition(&bitpro_node::testing::held());
    let path = format!("charges/{id}/cancel");
    let refused = desk.post(&path, "sequence=0").await;
    assert_eq!(refused.status, 409);
    assert!(
        refused.has("Nothing was changed") && refused.has("follows a chain that contradicts"),
        "{}",
        refused.body
    );
    desk.language = Language::Fr;
    let refused = desk.post(&path, "sequence=0").await;
    assert!(refused.has("suit une chaîne qui contredit"), "{}", refused.body);
    assert_eq!(desk.sequence(id).await, 0);
}

#[tokio::test]
async fn a_note_is_kept_within_bounds_and_erased_by_an_empty_one() {
    let mut desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    let (path, note) = (format!("charges/{id}"), format!("charges/{id}/note"));
    assert_eq!(desk.post(&note, "note=first%0D%0A%3Cb%3E").await.status, 303);
    assert!(desk.get(&path).await.has("first\n&lt;b&gt;</textarea>"));
    let long = desk.post(&note, &format!("note={}", "é".repeat(2_001))).await;
    assert_eq!(long.status, 422);
    assert!(long.has("more than 2,000") && long.has(&"é".repeat(2_001)));
    assert_eq!(
        desk.post(&note, &format!("note={}", "é".repeat(2_000))).await.status,
        303
    );
    desk.role = Role::Viewer;
    let read = desk.get(&path).await;
    assert!(read.has(&"é".repeat(2_000)) && !read.has("<textarea"));
    desk.role = Role::Owner;
    assert_eq!(desk.post(&note, "note=").await.status, 303);
    assert!(!desk.get(&path).await.has("ééé"));
}

#[tokio::test]
async fn r31_personal_data_is_erased_and_the_money_stays() {
    let desk = Desk::new().await;
    let id = desk.make("A-1", "anna@shop.example").await;
    let path = format!("charges/{id}");
    desk.post(&format!("{path}/note"), "note=Anna+called").await;
    let unsure = desk.post(&format!("{path}/erase"), "").await;
    assert_eq!(unsure.status, 422);
    assert!(unsure.has("Tick the box first.") && unsure.has("anna@"));
    assert_eq!(desk.post(&format!("{path}/erase"), "sure=yes").await.status, 303);
    let page = desk.get(&path).await;
    assert!(!page.has("anna@") && !page.has("Anna called") && page.has("A-1"));
    assert!(!desk.get("charges?q=anna@shop.example").await.has(&id.to_string()));
}

#[tokio::test]
async fn who_only_reads_is_offered_no_form() {
    let mut desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    for role in [Role::Viewer, Role::Accountant] {
        desk.role = role;
        let page = desk.get(&format!("charges/{id}")).await;
        // The one that is left logs out.
        assert_eq!(page.body.matches("<form").count(), 1, "{role}");
    }
}

#[tokio::test]
async fn a_delivery_is_shown_with_its_attempts_and_made_again() {
    let desk = Desk::new().await;
    let webhooks = bitpro_service::webhooks::Webhooks::of(desk.app.charges.clone());
    let url = "https://93.184.216.34/hook?<b>";
    webhooks.add(desk.app.merchant, "charge:seen", url).await.unwrap();
    let (id, other) = (desk.make("A-1", "").await, desk.make("A-2", "").await);
    desk.pay(id).await;
    let page = desk.get(&format!("charges/{id}")).await;
    assert!(page.has("charge:seen") && page.has("pending") && page.has("Deliver again") && !page.has("<b>"));
    let hidden = |name: &str| {
        let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest[..36].to_owned()
    };
    let form = format!("webhook={}&event={}", hidden("webhook"), hidden("event"));
    let done = desk.post(&format!("charges/{id}/redeliver"), &form).await;
    assert!(
        done.location.ends_with("?done=redelivered#deliveries"),
        "{}",
        done.location
    );
    // An event of another charge is not there.
    let path = format!("charges/{other}/redeliver");
    assert_eq!(desk.refused(Verb::Post, &path, &form).await, Refusal::UNKNOWN_PAGE);
}

#[tokio::test]
async fn r01_a_receipt_names_what_is_confirmed_and_the_rest_apart() {
    let mut desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    desk.app.confirm(&format!("/{id}")).await;
    desk.app.pay_more(&format!("/{id}"), 300_000_000).await;
    let fact = |name: &str, value: &str| format!("<dt>{name}</dt> <dd>{value}\u{a0}BTC</dd>").replace("> <", "><");
    let receipt = desk.get(&format!("charges/{id}/receipt")).await;
    assert!(!receipt.has("not proof of payment"), "{}", receipt.body);
    assert!(
        receipt.has(&fact("Received and confirmed", "0.00084000")),
        "{}",
        receipt.body
    );
    assert!(
        receipt.has(&fact("Not confirmed yet", "3.00000000")),
        "{}",
        receipt.body
    );
    let page = desk.get(&format!("charges/{id}")).await;
    assert!(page.has(&fact("Received", "3.00084000")), "{}", page.body);
    assert!(page.has(&fact("Not confirmed yet", "3.00000000")), "{}", page.body);
    desk.language = Language::Fr;
    let receipt = desk.get(&format!("charges/{id}/receipt")).await;
    assert!(receipt.has(&fact("Reçu et confirmé", "0,00084000")), "{}", receipt.body);
    assert!(
        receipt.has(&fact("Pas encore confirmé", "3,00000000")),
        "{}",
        receipt.body
    );
}

#[tokio::test]
async fn a_receipt_says_whether_it_is_one() {
    let mut desk = Desk::new().await;
    let id = desk.make("A-1", "anna@shop.example").await;
    let receipt = desk.get(&format!("charges/{id}/receipt")).await;
    assert!(receipt.has("This is not proof of payment") && receipt.has("Shop") && receipt.has("€42.00"));
    desk.pay(id).await;
    let receipt = desk.get(&format!("charges/{id}/receipt")).await;
    let charge = desk.app.charges.snapshot(id).await.unwrap().unwrap().charge.clone();
    assert!(receipt.has(&charge.payments[0].outpoint.to_string()));
    assert!(receipt.has("0 of 1 confirmation<") && receipt.has("fixed rate"));
    desk.language = Language::Fr;
    let receipt = desk.get(&format!("charges/{id}/receipt")).await;
    assert!(
        receipt.has("0 confirmation sur 1<") && receipt.has("cours fixe"),
        "{}",
        receipt.body
    );
}
