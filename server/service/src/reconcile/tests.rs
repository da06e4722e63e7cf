//! Comparing what is stored with itself, on a real database that another hand has been in. The node is away here: what is
//! compared with a real one stands among the integration tests.

use bitpro_store::testing::meddle;

use super::*;
use crate::testing::TestShop;

/// A shop with a charge that is paid and confirmed, one that is not paid, and a webhook that was told.
async fn shop() -> TestShop {
    let app = TestShop::with_merchant(&[]).await;
    let paid = app.charge(4_200).await;
    app.pay(paid).await;
    app.confirm(paid).await;
    app.charge(100).await;
    app
}

/// The codes of what is found after `statement` was carried out behind the server's back.
async fn found_after(statement: &'static str) -> Vec<&'static str> {
    let app = shop().await;
    meddle(&app.database(), statement).await;
    let report = app.reconciler.run(Request::default()).await.unwrap();
    report
        .differences
        .iter()
        .map(|difference| difference.code.as_str())
        .collect()
}

#[tokio::test]
async fn nothing_is_found_where_nothing_was_changed() {
    let app = shop().await;
    let report = app.reconciler.run(Request::default()).await.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!(report.charges, 2);
    assert!(report.scripts > 2, "the look-ahead is looked at, too");
    // Without a node, nobody may think that the chain was looked at.
    assert!(!report.complete);
    assert_eq!(report.notes[0].code, "chain-not-read");
}

#[tokio::test]
async fn a_row_that_the_log_does_not_make_is_found() {
    assert_eq!(
        found_after("UPDATE charges SET state = 'confirmed' WHERE state = 'pending'").await,
        ["row-not-log"]
    );
    assert_eq!(
        found_after("UPDATE charges SET snapshot = replace(snapshot, '\"round\":0', '\"round\":3')").await,
        ["row-not-log"]
    );
    assert_eq!(found_after("UPDATE charges SET is_paid = 0").await, ["row-not-log"]);
    assert_eq!(
        found_after("UPDATE charges SET snapshot = '{}' WHERE snapshot IS NOT NULL").await,
        ["row-unreadable"]
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_read_or_has_a_gap_is_found() {
    assert_eq!(
        found_after("UPDATE events SET body = '[]x' WHERE first_sequence = 1").await,
        ["log-unreadable"]
    );
    assert_eq!(
        found_after("DELETE FROM events WHERE first_sequence = 1").await,
        ["log-unreadable"]
    );
}

#[tokio::test]
async fn a_table_of_payments_that_the_log_does_not_make_is_found() {
    for statement in [
        "DELETE FROM payments",
        "UPDATE payments SET value = value + 1",
        "UPDATE payments SET height = NULL",
        "UPDATE payments SET loss = 'replaced'",
        "UPDATE payments SET first_seen_latest = first_seen_latest - 1",
        "INSERT INTO payments (txid, vout, charge, value, first_seen_earliest, first_seen_latest) \
         SELECT zeroblob(32), 0, num, 84000, 0, 0 FROM charges WHERE state = 'pending'",
    ] {
        assert_eq!(found_after(statement).await, ["payments-not-log"], "{statement}");
    }
}

#[tokio::test]
async fn a_payment_whose_transaction_is_gone_is_found() {
    assert_eq!(found_after("DELETE FROM payment_txs").await, ["transaction-missing"]);
}

/// What another hand may do to the transaction of a payment, and whether its own bytes are left to tell.
const CHANGED: [(&str, bool); 9] = [
    ("UPDATE payment_txs SET followed = 0", true),
    ("UPDATE payment_txs SET height = height - 1", true),
    ("UPDATE payment_txs SET height = NULL, block = NULL", true),
    ("UPDATE payment_txs SET block = zeroblob(32)", true),
    ("UPDATE payment_txs SET loss = 'replaced'", true),
    ("UPDATE payment_txs SET inputs = zeroblob(length(inputs))", true),
    ("UPDATE payment_txs SET coinbase = 1", true),
    ("UPDATE payment_txs SET raw = x'00'", false),
    (
        "UPDATE payment_txs SET raw = CAST(substr(raw, 1, length(raw) - 1) || x'01' AS BLOB)",
        false,
    ),
];

#[tokio::test]
async fn r03_a_transaction_that_another_hand_has_changed_is_found() {
    for (statement, _) in CHANGED {
        assert_eq!(found_after(statement).await, ["transaction-changed"], "{statement}");
    }
}

#[tokio::test]
async fn r03_what_follows_from_the_bytes_of_a_transaction_is_written_anew_by_a_repair() {
    for (statement, can_be_mended) in CHANGED {
        let (app, found) = repaired_after(statement).await;
        assert_eq!(found, [(Code::TransactionChanged, can_be_mended)], "{statement}");
        // It goes on from there as if nothing had been.
        let more = app.charge(4_200).await;
        app.pay(more).await;
        app.confirm(more).await;
        let left = app.reconciler.run(Request::default()).await.unwrap().found;
        assert_eq!(left, u64::from(!can_be_mended), "{statement}");
    }
}

#[tokio::test]
async fn an_open_charge_that_nobody_would_look_at_after_a_start_is_found() {
    assert_eq!(
        found_after("UPDATE charges SET is_open = 0 WHERE state = 'pending'").await,
        ["open-unmarked"]
    );
    // What has ended may be marked as open until the next start looks at it.
    assert!(found_after("UPDATE charges SET is_open = 1").await.is_empty());
}

#[tokio::test]
async fn a_wrong_count_of_a_state_is_found() {
    assert_eq!(
        found_after("UPDATE state_counts SET charges = charges + 1 WHERE state = 'pending'").await,
        ["count-wrong"]
    );
    assert_eq!(
        found_after("DELETE FROM state_counts WHERE state = 'confirmed'").await,
        ["count-wrong"]
    );
}

/// What is found after `statement`, repaired, and found again: whether each was repaired, and what is left.
async fn repaired_after(statement: &'static str) -> (TestShop, Vec<(Code, bool)>) {
    let app = shop().await;
    meddle(&app.database(), statement).await;
    let before = bitpro_store::testing::outbox(&app.database()).await;
    let fix = Request {
        fix: true,
        ..Request::default()
    };
    let report = app.reconciler.run(fix).await.unwrap();
    let left = report.left();
    assert_eq!(app.reconciler.run(Request::default()).await.unwrap().found, left);
    assert_eq!(
        bitpro_store::testing::outbox(&app.database()).await,
        before,
        "nobody is told anything"
    );
    let found = report
        .differences
        .iter()
        .map(|difference| (difference.code, difference.repaired));
    (app, found.collect())
}

#[tokio::test]
async fn counts_are_counted_anew_by_a_repair_and_kept_along_from_then_on() {
    for statement in [
        "UPDATE state_counts SET charges = charges + 7",
        "DELETE FROM state_counts",
        "INSERT INTO state_counts VALUES ('nonsense', 3)",
        "INSERT INTO state_counts VALUES ('nonsense', 0), (x'ff', 'many')",
        "UPDATE state_counts SET charges = 'many'",
    ] {
        let (app, found) = repaired_after(statement).await;
        assert!(!found.is_empty());
        assert!(
            found.iter().all(|found| *found == (Code::CountWrong, true)),
            "{found:?}"
        );
        let more = app.charge(4_200).await;
        app.pay(more).await;
        let counts = app.charges.count_by_state().await.unwrap();
        let count = |state| {
            counts
                .iter()
                .find(|(counted, _)| *counted == state)
                .map(|(_, number)| *number)
        };
        use bitpro_charge::State;
        assert_eq!(
            [State::Pending, State::Seen, State::Confirmed].map(count),
            [Some(1), Some(1), Some(1)]
        );
        assert_eq!(app.reconciler.run(Request::default()).await.unwrap().found, 0);
    }
}

#[tokio::test]
async fn where_rows_contradict_their_logs_nothing_is_counted_anew() {
    let (_, found) = repaired_after(
        "UPDATE charges SET state = 'failed' WHERE state = 'pending'; UPDATE state_counts SET charges = 9 WHERE state = 'seen'",
    )
    .await;
    assert_eq!(found, [(Code::RowNotLog, false)]);
}

#[tokio::test]
async fn r04_a_charge_that_was_marked_as_ended_is_looked_at_again_after_a_repair() {
    let (app, found) = repaired_after("UPDATE charges SET is_open = 0 WHERE state = 'pending'").await;
    assert_eq!(found, [(Code::OpenUnmarked, true)]);
    app.pass(1_200 + 91).await;
    let counts = app.charges.count_by_state().await.unwrap();
    assert!(counts.contains(&(bitpro_charge::State::TimedOut, 1)), "{counts:?}");
}

#[tokio::test]
async fn a_transaction_is_not_made_up_where_no_node_can_be_asked() {
    let (_, found) = repaired_after("DELETE FROM payment_txs").await;
    assert_eq!(found, [(Code::TransactionMissing, false)]);
}

#[tokio::test]
async fn what_was_announced_and_is_not_told_or_told_and_was_not_announced_is_found() {
    assert_eq!(
        found_after("DELETE FROM outbox WHERE announcement = 'charge:confirmed'").await,
        ["announcement-missing"]
    );
    assert_eq!(
        found_after(
            "INSERT INTO outbox (num, id, merchant, charge, sequence, announcement, at) \
             SELECT 900, zeroblob(16), merchant, num, 1, 'charge:confirmed', 0 FROM charges WHERE state = 'pending'"
        )
        .await,
        ["announcement-invented"]
    );
    assert_eq!(
        found_after("UPDATE outbox SET announcement = 'charge:failed' WHERE announcement = 'charge:confirmed'").await,
        ["announcement-missing", "announcement-invented"]
    );
    assert_eq!(
        found_after("INSERT INTO deliveries (num, outbox, webhook, state, due_at) VALUES (1, 77, 77, 'delivered', 0)")
            .await,
        ["row-orphaned", "row-orphaned"]
    );
}

#[tokio::test]
async fn an_address_that_another_hand_wrote_is_found() {
    assert_eq!(
        found_after(
            "UPDATE scripts SET script = x'00140000000000000000000000000000000000000001' \
             WHERE id = (SELECT script FROM charges WHERE state = 'pending')"
        )
        .await,
        ["charge-changed", "script-not-derived"]
    );
    assert_eq!(
        found_after("UPDATE scripts SET idx = 5000 WHERE id = (SELECT MAX(id) FROM scripts)").await,
        ["script-not-derived"]
    );
}

#[tokio::test]
async fn a_wallet_that_another_hand_wrote_is_found() {
    assert_eq!(
        found_after("UPDATE descriptors SET mac = x'00'").await,
        ["wallet-changed"]
    );
    assert_eq!(
        found_after("UPDATE merchants SET descriptor_mac = x'00'").await,
        ["wallet-changed"]
    );
}

#[tokio::test]
async fn r28_a_counter_or_a_mark_that_is_behind_what_was_given_out_is_found() {
    assert_eq!(
        found_after("UPDATE descriptors SET next_index = 1").await,
        ["counter-behind"]
    );
    let app = shop().await;
    std::fs::remove_file(app.database().with_extension("db.issued")).unwrap();
    let report = app.reconciler.run(Request::default()).await.unwrap();
    let codes: Vec<Code> = report.differences.iter().map(|difference| difference.code).collect();
    assert_eq!(codes, [Code::MarkBehind]);
}

#[tokio::test]
async fn nothing_is_changed_by_looking_nor_by_a_repair_that_is_not_one() {
    let app = shop().await;
    meddle(&app.database(), "DELETE FROM payments").await;
    let before = bitpro_store::testing::outbox(&app.database()).await;
    for fix in [false, true] {
        let request = Request {
            fix,
            ..Request::default()
        };
        let report = app.reconciler.run(request).await.unwrap();
        assert_eq!((report.found, report.repaired), (1, 0));
    }
    assert_eq!(bitpro_store::testing::outbox(&app.database()).await, before);
}
