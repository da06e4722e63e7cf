use std::collections::HashMap;

use super::*;
use crate::sample;

fn screen(view: &ChargeView) -> Screen {
    Screen::of(&sample::page(), false, view, view.now, Lang::En)
}

fn named(name: &str) -> ChargeView {
    let found = sample::all().into_iter().find(|(other, _)| *other == name);
    found.map(|(_, view)| view).expect("a sample of this name")
}

#[test]
fn every_situation_has_its_sentence_its_step_and_its_title() {
    let shop = || Step::Shop(Some("https://shop.example/".to_owned()));
    let wallet = |name| Step::Wallet(named(name).uri.unwrap());
    let again = || Step::StartAgain(sample::page().start_again.unwrap());
    let price = "€42.00 · Maison Lumen";
    for (name, phase, sentence, step, title) in [
        (
            "waiting",
            Phase::Waiting,
            "Waiting for your payment.",
            wallet("waiting"),
            price,
        ),
        (
            "last-minutes",
            Phase::Waiting,
            "Waiting for your payment.",
            wallet("waiting"),
            price,
        ),
        (
            "node-away",
            Phase::Waiting,
            "You can pay safely: it will show here once we are back online.",
            wallet("waiting"),
            price,
        ),
        (
            "node-syncing",
            Phase::Waiting,
            "You can pay safely: it will show here once we have caught up.",
            wallet("waiting"),
            price,
        ),
        (
            "waiting-again",
            Phase::WaitingAgain,
            "Your earlier payment was withdrawn, so please pay again.",
            wallet("waiting"),
            price,
        ),
        (
            "partial",
            Phase::Partial,
            "Received 0.00020000 of 0.00067372\u{a0}BTC. Please send 0.00047372\u{a0}BTC.",
            wallet("partial"),
            "Partly paid · Maison Lumen",
        ),
        (
            "closing",
            Phase::Closing,
            "Time is up. Checking for a payment sent in time…",
            shop(),
            "◔ Checking · Maison Lumen",
        ),
        (
            "seen",
            Phase::Seen,
            "Payment received, 0 of 1 confirmation: you may close this page.",
            shop(),
            "◔ Received · Maison Lumen",
        ),
        (
            "seen-1-of-3",
            Phase::Seen,
            "Payment received, 1 of 3 confirmations: you may close this page.",
            shop(),
            "◔ Received · Maison Lumen",
        ),
        (
            "seen-manual-12-of-100",
            Phase::Seen,
            "Payment received, 12 of 100 confirmations: you may close this page.",
            shop(),
            "◔ Received · Maison Lumen",
        ),
        (
            "seen-node-away",
            Phase::Seen,
            "Payment received: you may close this page.",
            shop(),
            "◔ Received · Maison Lumen",
        ),
        (
            "stuck",
            Phase::Stuck,
            "Your payment is taking longer than usual, but nothing is lost.",
            shop(),
            "◔ Received · Maison Lumen",
        ),
        (
            "confirmed",
            Phase::Confirmed,
            "Payment confirmed, thank you!",
            shop(),
            "✓ Paid · Maison Lumen",
        ),
        (
            "overpaid",
            Phase::Overpaid,
            "Payment confirmed, but you sent more than the amount due.",
            shop(),
            "✓ Paid · Maison Lumen",
        ),
        (
            "timedout",
            Phase::TimedOut,
            "Time ran out and no payment arrived.",
            again(),
            "! Timed out · Maison Lumen",
        ),
        (
            "late",
            Phase::Late,
            "Your payment arrived after time ran out.",
            shop(),
            "! Too late · Maison Lumen",
        ),
        (
            "underpaid",
            Phase::Underpaid,
            "Only 0.00020000 of 0.00067372\u{a0}BTC arrived before time ran out.",
            shop(),
            "! Amount too low · Maison Lumen",
        ),
        (
            "replaced",
            Phase::Replaced,
            "Your payment was replaced by another one.",
            shop(),
            "! Payment gone · Maison Lumen",
        ),
        (
            "dropped",
            Phase::Dropped,
            "The network dropped your payment, so the shop received nothing.",
            shop(),
            "! Payment gone · Maison Lumen",
        ),
        (
            "reorged",
            Phase::Reorged,
            "The network reversed your payment, so the shop received nothing.",
            shop(),
            "! Payment gone · Maison Lumen",
        ),
        (
            "cancelled",
            Phase::Cancelled,
            "The shop cancelled this payment. Please do not pay.",
            shop(),
            "! Cancelled · Maison Lumen",
        ),
        (
            "failed-unknown",
            Phase::Failed,
            "This payment could not be completed.",
            shop(),
            "! Not completed · Maison Lumen",
        ),
    ] {
        let screen = screen(&named(name));
        assert_eq!(screen.phase, phase, "{name}");
        assert_eq!(screen.sentence, sentence, "{name}");
        assert_eq!(screen.step, step, "{name}");
        assert_eq!(screen.title, title, "{name}");
    }
}

#[test]
fn every_sample_is_in_the_table_above() {
    assert_eq!(sample::all().len(), 22);
}

#[test]
fn sentences_and_facts_fit_the_room_that_is_kept_for_them() {
    for (name, view) in sample::all() {
        for lang in Lang::ALL {
            let screen = Screen::of(&sample::page(), false, &view, view.now, lang);
            let length = screen.sentence.chars().count();
            assert!((1..=72).contains(&length), "{name} {lang:?}: {length}");
            assert!(screen.facts.len() <= 3, "{name} {lang:?}");
            assert!(screen.meaning.chars().count() <= 200, "{name} {lang:?}");
            assert_eq!(screen.meaning.is_empty(), screen.way.is_some(), "{name} {lang:?}");
        }
    }
}

#[test]
fn both_languages_say_different_things_in_every_situation() {
    let mut seen = HashMap::new();
    for (name, view) in sample::all() {
        for lang in Lang::ALL {
            let screen = Screen::of(&sample::page(), false, &view, view.now, lang);
            if let Some(other) = seen.insert(screen.sentence.clone(), lang) {
                assert_eq!(other, lang, "{name}: {}", screen.sentence);
            }
        }
    }
}

#[test]
fn every_end_quotes_the_order_id_first() {
    for (name, view) in sample::all() {
        let screen = screen(&view);
        if screen.way.is_none() {
            assert_eq!(screen.facts[0].value, "A-1001", "{name}");
        }
    }
    let mut view = named("late");
    view.order_id = None;
    assert_eq!(screen(&view).facts[0].value, view.id);
    assert_eq!(screen(&view).facts[0].label, "Payment number");
}

#[test]
fn r10_a_partial_payment_asks_for_the_rest_and_codes_it_at_once() {
    let screen = screen(&named("partial"));
    assert!(screen.is_rest);
    assert_eq!(screen.btc, "0.00047372");
    assert_eq!(screen.plain_btc, "0.00047372");
    let way = screen.way.unwrap();
    assert_eq!(
        way.qr_text,
        "bitcoin:BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080?amount=0.00047372"
    );
}

#[test]
fn r01_a_receipt_names_what_is_confirmed_and_the_rest_apart() {
    let mut view = named("confirmed");
    view.received_sat += 300_000_000;
    view.payments.push(sample::payment(300_000_000, 0));
    for (lang, expected) in [
        (
            Lang::En,
            [
                ("Received", "0.00067372\u{a0}BTC"),
                ("Not confirmed yet", "3.00000000\u{a0}BTC"),
            ],
        ),
        (
            Lang::Fr,
            [
                ("Reçu", "0,00067372\u{a0}BTC"),
                ("Pas encore confirmé", "3,00000000\u{a0}BTC"),
            ],
        ),
    ] {
        let screen = Screen::of(&sample::page(), false, &view, view.now, lang);
        let facts: Vec<_> = screen.facts.iter().map(|row| (row.label, row.value.as_str())).collect();
        assert_eq!(facts[1..], expected);
    }
    // An excess that is confirmed is told, and none beyond it.
    let mut view = named("overpaid");
    view.received_sat += 300_000_000;
    let facts = screen(&view).facts;
    assert_eq!(facts[1].value, "0.00087372\u{a0}BTC");
    assert_eq!(facts[2].value, "0.00020000\u{a0}BTC");
}

#[test]
fn r08_dust_that_moves_no_state_is_shown_all_the_same() {
    let mut view = sample::view();
    view.received_sat = 300;
    view.payments = vec![sample::payment(300, 0)];
    view.remaining_sat -= 300;
    assert_eq!(
        screen(&view).sentence,
        "Received 0.00000300 of 0.00067372\u{a0}BTC. Please send 0.00067072\u{a0}BTC."
    );
}

#[test]
fn r22_starting_again_is_offered_only_while_no_payment_is_known() {
    let mut view = named("timedout");
    view.gone_payments = vec![sample::gone("replaced")];
    assert_eq!(screen(&view).step, Step::Shop(Some("https://shop.example/".to_owned())));
    view.gone_payments.clear();
    view.payments = vec![sample::payment(300, 1)];
    assert_eq!(screen(&view).step, Step::Shop(Some("https://shop.example/".to_owned())));
}

#[test]
fn the_way_back_is_the_better_of_what_the_merchant_gave() {
    let mut page = sample::page();
    page.success_url = Some("https://shop.example/thanks".to_owned());
    page.back_url = Some("https://shop.example/cart".to_owned());
    let step = |page: &ChargePage, framed, name| {
        let view = named(name);
        Screen::of(page, framed, &view, view.now, Lang::En).step
    };
    assert_eq!(
        step(&page, false, "confirmed"),
        Step::Shop(Some("https://shop.example/thanks".to_owned()))
    );
    assert_eq!(
        step(&page, false, "late"),
        Step::Shop(Some("https://shop.example/cart".to_owned()))
    );
    assert_eq!(
        step(&page, false, "seen"),
        Step::Shop(Some("https://shop.example/cart".to_owned()))
    );
    page.success_url = None;
    page.back_url = None;
    page.merchant.site = None;
    assert_eq!(step(&page, true, "confirmed"), Step::Shop(None));
    assert_eq!(step(&page, false, "confirmed"), Step::Print);
    assert_eq!(step(&page, false, "late"), Step::Quote("A-1001".to_owned()));
    page.start_again = None;
    assert_eq!(step(&page, false, "timedout"), Step::Quote("A-1001".to_owned()));
}

#[test]
fn seconds_are_shown_only_in_the_last_five_minutes() {
    let text = |left_ms: i64| {
        let time = Screen::of(
            &sample::page(),
            false,
            &sample::view(),
            sample::EXPIRES - left_ms,
            Lang::En,
        )
        .time;
        time.map(|time| (time.text, time.permille))
    };
    let shown = |text: &str, permille| Some((text.to_owned(), permille));
    assert_eq!(text(20 * 60_000), shown("expires in 20\u{a0}min", 1_000));
    assert_eq!(text(11 * 60_000 + 1), shown("expires in 12\u{a0}min", 550));
    assert_eq!(text(300_001), shown("expires in 6\u{a0}min", 250));
    assert_eq!(text(300_000), shown("expires in 5:00", 250));
    assert_eq!(text(1), shown("expires in 0:01", 0));
    assert_eq!(text(0), None);
    // A shopper whose clock runs behind the charge's making sees a full bar, not an overflowing one.
    assert_eq!(text(30 * 60_000), shown("expires in 20\u{a0}min", 1_000));
}

#[test]
fn r04_after_the_deadline_nothing_is_asked_for_though_the_server_has_not_decided() {
    let mut view = sample::view();
    assert_eq!(Phase::of(&view, sample::EXPIRES - 1), Phase::Waiting);
    assert_eq!(Phase::of(&view, sample::EXPIRES), Phase::Closing);
    view.uri = None;
    assert_eq!(Phase::of(&view, sample::NOW), Phase::Closing);
    let mut partial = named("partial");
    partial.now = sample::EXPIRES;
    let screen = screen(&partial);
    assert_eq!(screen.phase, Phase::Closing);
    assert_eq!((screen.way, screen.time), (None, None));
}

#[test]
fn details_link_transactions_only_when_an_explorer_is_configured() {
    let view = named("confirmed");
    let mut page = sample::page();
    let link = |page: &ChargePage| {
        let screen = Screen::of(page, false, &view, view.now, Lang::En);
        let row = screen.details.into_iter().find(|row| row.label == "Transaction");
        row.unwrap().link
    };
    let txid = &view.payments[0].txid;
    assert_eq!(link(&page), Some(format!("https://explorer.example/tx/{txid}")));
    page.explorer = None;
    assert_eq!(link(&page), None);
}

#[test]
fn r39_with_the_node_away_the_sentence_says_that_paying_is_safe() {
    let screen = screen(&named("node-away"));
    assert!(screen.sentence.contains("safely"));
    assert!(screen.way.is_some());
}
