//! What is stored of one charge against itself: its log decides, and everything else has to follow from it. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use bitpro_charge::{Charge, Event, Outpoint, Payment, Place, Whereabouts};
use bitpro_node::survey::transaction_in;
use bitpro_node::view::is_settled;
use bitpro_store::audit::{StoredCharge, StoredPayment, StoredTransaction};

use super::difference::{Code, Difference};

/// By so many blocks the tip may be lower than it was when a charge was marked as ended.
const REORG: u32 = 20;

/// Compares all that is stored of a charge; `tip` is the height of the block that the charges stand on.
pub(super) fn compare(stored: &StoredCharge, tip: Option<u32>) -> Vec<Difference> {
    let id = stored.id;
    let mut found = Vec::new();
    if let Err(why) = &stored.log {
        found.push(Difference::of_charge(Code::LogUnreadable, id, why.clone()));
    }
    let row = match &stored.row {
        Ok(row) => row,
        Err(why) => {
            found.push(Difference::of_charge(Code::RowUnreadable, id, why.clone()));
            return found;
        }
    };
    if !row.is_genuine {
        let reason = "its terms, its origin, its order id or its address are not what this server created it with";
        found.push(Difference::of_charge(Code::ChargeChanged, id, reason));
        // What else is stored was decided by what it was created with, and cannot follow from this.
        return found;
    }
    let Ok(log) = &stored.log else { return found };
    let (folded, told) = fold(&row.charge, log);
    let payments = payments(stored, &folded);
    let mut charge = row.charge.clone();
    if !payments.is_empty() {
        // Told payment by payment.
        charge.payments.clone_from(&folded.payments);
    }
    let parts = differing(&folded, &charge, stored);
    if !parts.is_empty() {
        let reason = format!("the row differs from the log in: {}", parts.join(", "));
        found.push(Difference::of_charge(Code::RowNotLog, id, reason));
    }
    found.extend(payments);
    found.extend(transactions(stored, &folded, tip));
    if let Some(tip) = tip {
        // A few blocks may have left the chain since it was marked.
        if parts.is_empty() && !stored.columns.is_open && row.is_open(tip.saturating_add(REORG)) {
            let reason = "chain or time can still change it, but it is marked as ended";
            found.push(Difference::of_charge(Code::OpenUnmarked, id, reason));
        }
        let verdict = folded.verdict(tip);
        if (verdict.state, verdict.reason) != (folded.state, folded.reason) {
            let word = |state: bitpro_charge::State, reason: Option<bitpro_charge::Reason>| match reason {
                Some(reason) => format!("{state} ({reason})"),
                None => state.to_string(),
            };
            let reason = format!(
                "it is {}, but at block {tip} its payments make it {}",
                word(folded.state, folded.reason),
                word(verdict.state, verdict.reason)
            );
            found.push(Difference::of_charge(Code::StateNotVerdict, id, reason));
        }
    }
    found.extend(announcements(stored, &told));
    found
}

/// The charge that a log makes, and what it announced: sequence and announcement.
fn fold(made: &Charge, log: &[Event]) -> (Charge, Vec<(i64, String)>) {
    let mut charge = Charge::new(made.id, made.merchant, made.address.clone(), made.terms.clone());
    let mut told = Vec::new();
    for event in log {
        charge.apply(event);
        if let Event::Announced { announcement, .. } = event {
            let sequence = i64::try_from(charge.sequence).unwrap_or(i64::MAX);
            told.push((sequence, announcement.as_str().to_owned()));
        }
    }
    (charge, told)
}

/// The names of what differs between the charge that the log makes and its row.
fn differing(folded: &Charge, row: &Charge, stored: &StoredCharge) -> Vec<&'static str> {
    let columns = &stored.columns;
    let facts = [
        (
            "state",
            folded.state == row.state && columns.state == folded.state.as_str(),
        ),
        (
            "reason",
            folded.reason == row.reason && columns.reason.as_deref() == folded.reason.map(|reason| reason.as_str()),
        ),
        (
            "sequence",
            folded.sequence == row.sequence && u64::try_from(columns.sequence) == Ok(folded.sequence),
        ),
        (
            "payments",
            folded.payments == row.payments && is_paid_as_told(folded, columns.is_paid),
        ),
        ("deadline", folded.deadline == row.deadline),
        ("confirmations needed", folded.required == row.required),
        ("what was told", (folded.told, folded.round) == (row.told, row.round)),
    ];
    let mut parts: Vec<&str> = facts
        .into_iter()
        .filter(|(_, is_same)| !is_same)
        .map(|(name, _)| name)
        .collect();
    if parts.is_empty() && folded != row {
        parts.push("the decisions about its payments and its time");
    }
    parts
}

/// Whether the mark of paid charges fits: money that is there sets it. Dust that is gone or came in many pieces, somebody else's
/// money, or a charge that ended without any may have left it or not, for earlier releases took notice of other things.
fn is_paid_as_told(charge: &Charge, is_paid: bool) -> bool {
    let is_dust = |payment: &Arc<Payment>| payment.value < charge.terms.significant();
    match is_paid {
        true => !charge.payments.is_empty() || charge.was_announced || charge.is_paid_into(),
        false => {
            !charge.is_paid_into()
                || charge.payments.is_empty()
                || !charge.was_announced && charge.payments.iter().all(is_dust)
        }
    }
}

/// The table of payments against the payments of the log.
fn payments(stored: &StoredCharge, folded: &Charge) -> Vec<Difference> {
    let rows: BTreeMap<Outpoint, &StoredPayment> = stored.payments.iter().map(|row| (row.outpoint, row)).collect();
    let mut found = Vec::new();
    let mut differs = |outpoint: Outpoint, reason: String| {
        found.push(Difference::of_charge(Code::PaymentsNotLog, stored.id, reason).about(outpoint));
    };
    for payment in &folded.payments {
        match rows.get(&payment.outpoint) {
            None => differs(
                payment.outpoint,
                "the log has it, but the table of payments does not".to_owned(),
            ),
            Some(row) if **row != row_of(payment) => differs(
                payment.outpoint,
                format!(
                    "the table of payments has {}, but the log has {}",
                    in_words(row),
                    in_words(&row_of(payment))
                ),
            ),
            Some(_) => {}
        }
    }
    for outpoint in rows.keys().filter(|outpoint| folded.payment(**outpoint).is_none()) {
        differs(
            *outpoint,
            "the table of payments has it, but the log does not".to_owned(),
        );
    }
    found
}

/// The row that a payment has to have.
fn row_of(payment: &Payment) -> StoredPayment {
    let (height, loss) = match payment.whereabouts {
        Whereabouts::Live(Place::Block(block)) => (Some(block.height), None),
        Whereabouts::Live(Place::Mempool) => (None, None),
        Whereabouts::Gone(loss) => (None, Some(loss.as_str().to_owned())),
    };
    StoredPayment {
        outpoint: payment.outpoint,
        value: payment.value,
        height,
        loss,
        first_seen: payment.first_seen,
    }
}

fn in_words(row: &StoredPayment) -> String {
    let place = match (&row.loss, row.height) {
        (Some(loss), _) => loss.clone(),
        (None, Some(height)) => format!("in block {height}"),
        (None, None) => "unconfirmed".to_owned(),
    };
    format!(
        "{} sat {place}, first seen {} to {}",
        row.value.to_sat(),
        row.first_seen.earliest.0,
        row.first_seen.latest.0
    )
}

/// The payments whose transaction is not stored.
pub(super) fn without_transaction(stored: &StoredCharge) -> Vec<Outpoint> {
    let outpoints = stored.payments.iter().map(|payment| payment.outpoint);
    outpoints
        .filter(|outpoint| !stored.transactions.contains_key(&outpoint.txid))
        .collect()
}

/// The stored transactions of the payments of the log, whose others were told.
fn transactions(stored: &StoredCharge, folded: &Charge, tip: Option<u32>) -> Vec<Difference> {
    let mut found = Vec::new();
    for outpoint in without_transaction(stored) {
        if folded.payment(outpoint).is_some() {
            let reason = "the payment is stored, but its transaction is not";
            found.push(Difference::of_charge(Code::TransactionMissing, stored.id, reason).about(outpoint));
        }
    }
    for payment in &folded.payments {
        let txid = payment.outpoint.txid;
        let is_first = folded.payments_of(txid).first() == Some(payment);
        if let (true, Some(kept)) = (is_first, stored.transactions.get(&txid)) {
            let flaws = flaws(kept, payment, tip);
            if !flaws.is_empty() {
                let reason = format!("these parts of its transaction are wrong: {}", flaws.join(", "));
                found.push(Difference::of_charge(Code::TransactionChanged, stored.id, reason).about(txid));
            }
        }
    }
    found
}

/// The names of what is wrong with a stored transaction, by its own bytes and by where its payment is.
fn flaws(kept: &StoredTransaction, payment: &Payment, tip: Option<u32>) -> Vec<&'static str> {
    let mut flaws = Vec::new();
    match transaction_in(&kept.raw) {
        // It was found in a deleted block.
        None if kept.raw.is_empty() => {}
        Some((txid, spent, coinbase)) if txid == payment.outpoint.txid => {
            // A coinbase transaction spends nothing, in whatever words.
            if (kept.inputs.as_ref() != Some(&spent) && !coinbase) || kept.coinbase != coinbase {
                flaws.push("what it spends");
            }
        }
        _ => flaws.push("its bytes"),
    }
    // What was lost once it was not followed any more was not moved.
    let block = payment.block();
    let is_there = match payment.whereabouts {
        Whereabouts::Live(_) => {
            let place = (
                block.map(|block| i64::from(block.height)),
                block.map(|block| block.hash.0.to_vec()),
            );
            kept.loss.is_none() && kept.block == place
        }
        Whereabouts::Gone(_) => kept.loss.is_some() || !kept.followed,
    };
    if !is_there {
        flaws.push("where it is");
    }
    // Following ends under the tip of then, which may have been a little higher.
    let is_over = |since: u32| tip.is_none_or(|tip| is_settled(since, tip.saturating_add(REORG)));
    let must_be_followed = match payment.whereabouts {
        Whereabouts::Live(_) => block.is_none_or(|block| !is_over(block.height)),
        Whereabouts::Gone(_) => kept.lost_at.is_some_and(|lost_at| !is_over(lost_at)),
    };
    if must_be_followed && !kept.followed {
        flaws.push("that it is followed");
    }
    flaws
}

/// What the log announced against what the outbox holds.
fn announcements(stored: &StoredCharge, told: &[(i64, String)]) -> Vec<Difference> {
    let mut balance: BTreeMap<&(i64, String), i64> = BTreeMap::new();
    for announced in told {
        *balance.entry(announced).or_default() += 1;
    }
    for row in &stored.outbox {
        *balance.entry(row).or_default() -= 1;
    }
    let unequal = balance.into_iter().filter(|(_, balance)| *balance != 0);
    unequal
        .map(|((sequence, announcement), balance)| {
            let (code, reason) = if balance > 0 {
                (
                    Code::AnnouncementMissing,
                    "the log announces it, but it is not in the outbox",
                )
            } else {
                (
                    Code::AnnouncementInvented,
                    "it is in the outbox, but the log does not announce it",
                )
            };
            Difference::of_charge(code, stored.id, reason).about(format!("{announcement} at sequence {sequence}"))
        })
        .collect()
}
