//! The list and what finds something in it.

use bitpro_charge::State;

use super::super::state_word;
use super::*;

#[tokio::test]
async fn a_new_shop_is_shown_the_way_to_its_first_payment() {
    let desk = Desk::new().await;
    let answer = desk.get("charges").await;
    assert_eq!(answer.status, 200);
    assert!(answer.has("No charges yet") && answer.has("/snippet\"") && !answer.has("<table"));
    let nothing = desk.get("charges?q=A-1").await;
    assert!(nothing.has("No charge matches"), "{}", nothing.body);
}

#[tokio::test]
async fn the_list_is_newest_first_and_each_role_sees_what_it_may() {
    let mut desk = Desk::new().await;
    desk.make("A-1", "anna@shop.example").await;
    let newest = desk.make("A-2", "").await;
    let list = desk.get("charges").await.body;
    assert!(list.find("A-2").unwrap() < list.find("A-1").unwrap());
    assert!(list.contains("anna@shop.example") && list.contains("€42.00") && list.contains("0.00084000\u{a0}BTC"));
    assert!(list.contains(&format!("/charges/{newest}\"")) && list.contains("charges.csv"));
    desk.role = Role::Viewer;
    let list = desk.get("charges").await.body;
    assert!(list.contains("a…@shop.example") && !list.contains("anna@") && !list.contains("charges.csv"));
    desk.language = Language::Fr;
    let list = desk.get("charges").await.body;
    assert!(list.contains("42,00\u{a0}€") && list.contains(state_word(State::Pending).fr));
}

#[tokio::test]
async fn a_charge_is_found_by_whatever_is_known_of_it() {
    let mut desk = Desk::new().await;
    let (one, other) = (desk.make("A-17", "anna@shop.example").await, desk.make("B-1", "").await);
    desk.pay(one).await;
    let charge = desk.app.charges.snapshot(one).await.unwrap().unwrap().charge.clone();
    let txid = charge.payments[0].outpoint.txid.to_string();
    for needle in [
        "A-1",
        "A-17",
        &charge.address,
        &charge.address.to_uppercase(),
        &txid,
        &format!("{txid}:0"),
        "Anna@shop.example",
        &one.to_string(),
    ] {
        let list = desk.get(&format!("charges?q={needle}")).await;
        assert!(list.has(&one.to_string()) && !list.has(&other.to_string()), "{needle}");
    }
    for needle in ["17", "A-18", "a-17", "%25", "_", "bob@shop.example"] {
        let list = desk.get(&format!("charges?q={needle}")).await;
        assert!(!list.has(&one.to_string()) && !list.has(&other.to_string()), "{needle}");
    }
    desk.role = Role::Viewer;
    let list = desk.get("charges?q=anna@shop.example").await;
    assert!(!list.has(&one.to_string()));
}

#[tokio::test]
async fn nobody_finds_another_merchants_charges() {
    let desk = Desk::new().await;
    let other = desk.app.another_merchant().await;
    let foreign = desk.make_for(other, "A-1", "anna@shop.example").await;
    desk.make("B-1", "").await;
    let charge = desk
        .app
        .charges
        .snapshot(foreign)
        .await
        .unwrap()
        .unwrap()
        .charge
        .clone();
    for needle in ["", "A-1", "anna@shop.example", &charge.address, &foreign.to_string()] {
        let list = desk.get(&format!("charges?q={needle}")).await;
        assert!(!list.has(&format!("/charges/{foreign}")), "{needle}");
    }
    for path in [
        format!("charges/{foreign}"),
        format!("charges/{foreign}/receipt"),
        "charges/00000000-0000-4000-8000-000000000000".to_owned(),
        "charges/nonsense".to_owned(),
    ] {
        assert_eq!(
            desk.refused(Verb::Get, &path, "").await,
            Refusal::UNKNOWN_CHARGE,
            "{path}"
        );
    }
    for action in ["accept", "cancel", "note", "erase", "redeliver"] {
        let path = format!("charges/{foreign}/{action}");
        let form = "sequence=0&payment=&sure=yes&note=x";
        assert_eq!(desk.refused(Verb::Post, &path, form).await, Refusal::UNKNOWN_CHARGE);
    }
    assert_eq!(desk.sequence(foreign).await, 0);
}

#[tokio::test]
async fn states_and_days_narrow_the_list() {
    let desk = Desk::new().await;
    let (seen, pending) = (desk.make("A-1", "").await, desk.make("A-2", "").await);
    desk.pay(seen).await;
    let list = desk.get("charges?state=seen").await;
    assert!(list.has(&seen.to_string()) && !list.has(&pending.to_string()));
    let list = desk.get("charges?state=seen&q=A-2").await;
    assert!(!list.has(&seen.to_string()) && !list.has(&pending.to_string()));
    // The clock stands at 2027-01-15T08:00Z.
    for (days, is_there) in [
        ("from=2027-01-15", true),
        ("to=2027-01-15", true),
        ("from=2027-01-15&to=2027-01-15", true),
        ("from=2027-01-16", false),
        ("to=2027-01-14", false),
    ] {
        let list = desk.get(&format!("charges?{days}")).await;
        assert_eq!(list.has(&seen.to_string()), is_there, "{days}");
    }
    for (query, said) in [
        ("from=yesterday", "Enter a date like"),
        ("state=paid", "Choose a state from the list"),
        ("from=2027-01-15&to=2027-01-14", "is not before the first one"),
    ] {
        let answer = desk.get(&format!("charges?{query}")).await;
        assert_eq!(answer.status, 422);
        assert!(
            answer.has(said) && answer.has("aria-invalid=\"true\""),
            "{}",
            answer.body
        );
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_and_keep_what_narrows() {
    let desk = Desk::new().await;
    let mut made = Vec::new();
    for i in 0..103 {
        made.push(desk.make(&format!("A-{i}"), "").await);
    }
    desk.make("B-1", "").await;
    made.reverse();
    let mut path = "charges?q=A-&state=pending".to_owned();
    let mut listed = Vec::new();
    for page in 0.. {
        let answer = desk.get(&path).await;
        let ids: Vec<ChargeId> = answer
            .body
            .split("scope=\"row\"><a href=\"")
            .skip(1)
            .map(|row| {
                row[..row.find('"').unwrap()]
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .parse()
                    .unwrap()
            })
            .collect();
        assert_eq!(ids.len(), [50, 50, 3][page]);
        listed.extend(ids);
        let Some((before, _)) = answer.body.split_once("\">Older</a>") else {
            break;
        };
        let (_, link) = before.rsplit_once("href=\"").unwrap();
        assert!(link.contains("q=A-&amp;state=pending&amp;after="), "{link}");
        path = link.split_once("/charges").unwrap().1.replace("&amp;", "&");
        path.insert_str(0, "charges");
        // What is made meanwhile shifts nothing.
        desk.make("A-new", "").await;
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn a_common_beginning_and_a_rare_one_find_alike() {
    let desk = Desk::new().await;
    for i in 0..2_010 {
        desk.make(&format!("2027-{i:04}"), "").await;
    }
    let common = desk.get("charges?q=2027-").await;
    assert!(common.has(">2027-2009</bdi></a>") && common.has("Older"));
    assert!(desk.get("charges?q=2027-0000").await.has(">2027-0000</bdi></a>"));
}

#[tokio::test]
async fn what_strangers_write_is_text_on_every_page() {
    let desk = Desk::new().await;
    let id = desk.make(PROBE, "\"><b>@x.example").await;
    let query = "charges?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        "charges".to_owned(),
        query.to_owned(),
        format!("charges/{id}"),
        format!("charges/{id}/receipt"),
    ] {
        let page = desk.get(&path).await;
        assert!(page.has("&quot;&gt;&lt;script&gt;"), "{path}");
        assert!(
            !page.has("<script>") && !page.has("><b>") && !page.has("style="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_another_hand_has_changed_is_named_and_hides_no_other() {
    let mut desk = Desk::new().await;
    desk.log_in().await;
    let broken = desk.make("A-1", "").await;
    let elsewhere = desk.make("A-2", "").await;
    let whole = desk.make("A-3", "").await;
    for statement in [
        "UPDATE charges SET terms = '{}' WHERE order_id = 'A-1'",
        "UPDATE scripts SET script = x'00140000000000000000000000000000000000000001' \
         WHERE id = (SELECT script FROM charges WHERE order_id = 'A-2')",
    ] {
        bitpro_store::testing::meddle(&desk.app.database(), statement).await;
    }
    let list = desk.get("charges").await;
    assert_eq!(list.status, 200);
    assert!(list.has(&format!("/charges/{whole}\"")), "{}", list.body);
    assert!(list.has("bitpro reconcile"), "{}", list.body);
    for id in [broken, elsewhere] {
        assert!(
            list.has(&id.to_string()) && !list.has(&format!("/charges/{id}\"")),
            "{id}"
        );
    }
    desk.language = Language::Fr;
    assert!(desk.get("charges").await.has("modifiées hors de Bitpro"));
    let file = desk.get("charges.csv").await.body;
    assert!(file.contains(&format!("{broken},,unreadable,")), "{file}");
    assert!(file.contains("A-3") && !file.contains("A-2"), "{file}");
}

#[tokio::test]
async fn a_long_history_is_shown_part_by_part() {
    let desk = Desk::new().await;
    let id = desk.make("A-1", "").await;
    for _ in 0..60 {
        desk.pay(id).await;
        desk.app.confirm(&format!("/{id}")).await;
    }
    let whole = desk.app.charges.history(id).await.unwrap().unwrap().len();
    let entries = |answer: &Answer| {
        let from = answer.body.find("<ol class=\"history\">").unwrap();
        let list = &answer.body[from..from + answer.body[from..].find("</ol>").unwrap()];
        list.matches("<li>").count()
    };
    let newest = desk.get(&format!("charges/{id}")).await;
    assert_eq!(entries(&newest), 200);
    let left = whole - 200;
    assert!(newest.has("Earlier events"), "{}", newest.body);
    assert!(newest.has(&format!("?before={}#history", left + 1)));
    assert!(!newest.has("Latest events"));
    let oldest = desk.get(&format!("charges/{id}?before={}", left + 1)).await;
    // The making of the charge is an entry, too.
    assert_eq!(entries(&oldest), left + 1);
    assert!(oldest.has("Latest events") && !oldest.has("Earlier events"));
    // What nobody asked for is read as the nearest that there is.
    for before in ["0", "1", "x", "18446744073709551615"] {
        assert_eq!(desk.get(&format!("charges/{id}?before={before}")).await.status, 200);
    }
}

#[tokio::test]
async fn an_order_id_turns_nothing_that_stands_beside_it() {
    let desk = Desk::new().await;
    let id = desk.make("x\u{202e}y", "").await;
    let list = desk.get("charges").await;
    assert!(list.has("<bdi>x\u{202e}y</bdi>"), "{}", list.body);
    let page = desk.get(&format!("charges/{id}")).await;
    let (head, _) = page.body.split_once("</title>").unwrap();
    assert!(head.contains("x\\u{202e}y") && !head.contains('\u{202e}'), "{head}");
    // Elsewhere it is all that its block holds.
    let marked = page.body.matches('\u{202e}').count();
    assert_eq!(
        page.body.matches("<dd>x\u{202e}y</dd>").count(),
        marked,
        "{}",
        page.body
    );
    let receipt = desk.get(&format!("charges/{id}/receipt")).await;
    let marked = receipt.body.matches('\u{202e}').count();
    assert_eq!(
        receipt.body.matches("<dd>x\u{202e}y</dd>").count(),
        marked,
        "{}",
        receipt.body
    );
}
