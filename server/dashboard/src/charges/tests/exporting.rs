//! The export, and the figures.

use futures::StreamExt as _;

use super::*;

fn records(csv: &str) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

#[tokio::test]
async fn the_export_has_a_line_a_charge_with_what_the_accountant_asks_for() {
    let mut desk = Desk::new().await;
    desk.role = Role::Accountant;
    desk.log_in().await;
    let paid = desk.make("=HYPERLINK(\"x\")", "anna@shop.example").await;
    desk.pay(paid).await;
    desk.make("A-2", "").await;
    let answer = desk.get("charges.csv").await;
    let lines = records(&answer.body);
    assert_eq!(lines.len(), 2);
    let line = &lines[1];
    let charge = desk.app.charges.snapshot(paid).await.unwrap().unwrap().charge.clone();
    for (column, value) in [
        ("charge_id", paid.to_string().as_str()),
        ("created_at", "2027-01-15T09:00:00+01:00"),
        ("state", "seen"),
        ("reason", ""),
        ("order_id", "'=HYPERLINK(\"x\")"),
        ("buyer_email", "anna@shop.example"),
        ("price_eur", "42.00"),
        ("amount_sat", "84000"),
        ("quote_rate_eur_per_btc", "50000.00"),
        ("received_sat", "84000"),
        ("received_eur_at_quote", "42.00"),
        ("received_eur_at_payment", "42.00"),
        ("first_payment_at", "2027-01-15T09:00:01+01:00"),
        ("txids", charge.payments[0].outpoint.txid.to_string().as_str()),
        ("address", charge.address.as_str()),
        ("origin", "api"),
    ] {
        assert_eq!(line[column], value, "{column}");
    }
    assert_eq!(lines[0]["received_eur_at_payment"], "0.00");
    assert_eq!(records(&desk.get("charges.csv?state=seen").await.body).len(), 1);
    let wrong = desk.get("charges.csv?from=x").await;
    assert!(wrong.location.ends_with("/charges?from=x"), "{}", wrong.location);
}

#[tokio::test]
async fn r01_the_export_tells_what_is_confirmed_from_what_came() {
    let desk = Desk::new().await;
    desk.log_in().await;
    let id = desk.make("A-1", "").await;
    desk.app.confirm(&format!("/{id}")).await;
    desk.app.pay_more(&format!("/{id}"), 300_000_000).await;
    let lines = records(&desk.get("charges.csv").await.body);
    let line = &lines[0];
    assert_eq!(
        (&*line["state"], &*line["received_sat"], &*line["confirmed_sat"]),
        ("confirmed", "300084000", "84000")
    );
}

#[tokio::test]
async fn an_export_of_more_than_one_group_is_whole() {
    let desk = Desk::new().await;
    desk.log_in().await;
    for i in 0..1_001 {
        desk.make(&format!("A-{i}"), "").await;
    }
    let other = desk.app.another_merchant().await;
    desk.make_for(other, "foreign", "").await;
    let lines = records(&desk.get("charges.csv").await.body);
    let mut orders: Vec<&str> = lines.iter().map(|line| line["order_id"].as_str()).collect();
    assert_eq!((orders[0], orders[1_000]), ("A-1000", "A-0"));
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 1_001);
}

#[tokio::test]
async fn an_export_under_way_is_cut_when_whoever_asked_for_it_may_no_longer() {
    let desk = Desk::new().await;
    desk.log_in().await;
    let accounts = &desk.app.app.accounts;
    let merchant = desk.app.merchant;
    let other = bitpro_service::accounts::Email::read("other@shop.example").unwrap();
    accounts.adopt(merchant, &other).await.unwrap();
    // The longest part that is read at once, and one more.
    for i in 0..501 {
        desk.make(&format!("A-{i}"), "").await;
    }
    let begin = async || {
        let reply = desk.respond(Verb::Get, "charges.csv", "").await.unwrap();
        let mut stream = reply.response.into_body().into_data_stream();
        assert!(stream.next().await.unwrap().unwrap().starts_with(b"charge_id,"));
        let group = stream.next().await.unwrap().unwrap();
        assert_eq!(group.iter().filter(|byte| **byte == b'\n').count(), 500);
        stream
    };
    let Person { token, email, .. } = Person::sample("owner@shop.example");
    let client = Ipv4Addr::LOCALHOST.into();
    for way in ["stays", "demoted", "signed out", "removed"] {
        let mut stream = begin().await;
        let (members, _) = accounts.team(merchant).await.unwrap();
        let id = members.iter().find(|member| member.email == email).unwrap().id;
        match way {
            "demoted" => drop(accounts.set_role(merchant, id, Role::Developer, client).await.unwrap()),
            "signed out" => accounts.leave(&token).await.unwrap(),
            "removed" => drop(accounts.remove(merchant, id, client).await.unwrap()),
            _ => {}
        }
        let rest = stream.next().await.unwrap();
        // A clean end would let the file be taken for whole.
        assert_eq!(rest.is_ok(), way == "stays", "{way}");
        assert!(stream.next().await.is_none());
        match way {
            "demoted" => drop(accounts.set_role(merchant, id, Role::Owner, client).await.unwrap()),
            "signed out" => desk.log_in().await,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_third_export_of_an_account_is_refused_until_one_has_ended() {
    let desk = Desk::new().await;
    desk.log_in().await;
    desk.make("A-1", "").await;
    let first = desk.respond(Verb::Get, "charges.csv", "").await.unwrap();
    let _second = desk.respond(Verb::Get, "charges.csv", "").await.unwrap();
    let refused = desk.respond(Verb::Get, "charges.csv", "").await.unwrap_err();
    assert_eq!((refused.status().as_u16(), refused.code()), (429, "too-many-exports"));
    assert!(refused.retry_after().is_some());
    // A browser that goes away has ended its export as one that reads it whole has.
    drop(first);
    assert_eq!(records(&desk.get("charges.csv").await.body).len(), 1);
    assert_eq!(records(&desk.get("charges.csv").await.body).len(), 1);
}

#[tokio::test]
async fn figures_count_a_charge_on_its_day_and_as_money_only_when_it_is_confirmed() {
    let desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    for _ in 0..3 {
        desk.make("", "").await;
    }
    desk.pay(id).await;
    let figures = desk.get("figures").await;
    assert_eq!(figures.body.matches("/charges\" aria-current=\"true\"").count(), 1);
    assert!(figures.has("15 January 2027") && figures.has("17 December 2026") && !figures.has("style="));
    assert!(figures.has("<dd>€0.00</dd>") && figures.has("<dd>4</dd>") && figures.has("<dd>0\u{a0}%</dd>"));
    desk.app.confirm(&format!("/{id}")).await;
    let figures = desk.get("figures").await;
    assert!(
        figures.has("<dd>€42.00</dd>") && figures.has("<dd>25\u{a0}%</dd>"),
        "{}",
        figures.body
    );
    assert_eq!(figures.body.matches("<rect").count(), 120);
}
