//! How often each rule decided something: a rule that stays at nought was not tried.

use bitpro_charge::{Amount, Announcement, Charge, Event, State};

/// The rules that a history can bring to decide, and what is counted of each.
pub const RULES: [(&str, &str); 30] = [
    ("R1", "a state was entered"),
    ("R2", "money was lost and found in one view, and the state stayed"),
    ("R3", "a loss was proven"),
    ("R4", "a deadline was observed"),
    ("R5", "a first sight was inherited or corrected"),
    (
        "R6",
        "a chain was not followed, or a hole was met, until the operator decided",
    ),
    ("R7", "something was seen although no notification came"),
    ("R8", "dust was there and moved no state"),
    ("R9", "more confirmations were asked for, or a block's reward paid"),
    ("R10", "less than the amount was enough"),
    ("R11", "a payment that is gone was kept apart from what was received"),
    ("R12", "a charge was not deep in time"),
    ("R13", "late money was judged by the shop's policy"),
    ("R14", "payments were accepted by hand"),
    ("R15", "a charge was cancelled"),
    ("R16", "a deadline was extended"),
    ("R17", "a merchant was told that something was taken back"),
    ("R18", "a merchant was told of more money"),
    ("R19", "a delivery was tried again"),
    ("R20", "a receiver was gone for good"),
    ("R22", "a link led to a charge that was there"),
    (
        "R25",
        "a shopper with too many open charges of one order met the button",
    ),
    ("R27", "an address that was paid before was skipped"),
    ("R28", "a database that was put back jumped past what was given out"),
    ("R29", "there was no rate, and no charge"),
    ("R30", "several units shared a commit, or one failed"),
    ("R31", "a log gave the charge"),
    ("R32", "the machine's clock fell back, and time went on"),
    ("R39", "a charge was made while the node was away"),
    ("R44", "a payment was found without a rate"),
];

/// Which rules decided something about a charge, by its log and by how it ended.
#[must_use]
pub fn decided(charge: &Charge, log: &[(i64, Event)]) -> Vec<&'static str> {
    let mut rules: Vec<&'static str> = log.iter().filter_map(|(_, event)| rule_of(event)).collect();
    let batches = log.chunk_by(|(one, _), (next, _)| one == next);
    rules.extend(batches.filter(|batch| is_net(batch)).map(|_| "R2"));
    let terms = &charge.terms;
    let need = terms.amount.to_sat().saturating_sub(terms.forgiven.to_sat());
    let matters = terms.dust_limit.to_sat().max(need.div_ceil(100));
    let mut live = charge.payments.iter().filter(|payment| payment.is_live()).peekable();
    let is_calm = matches!(charge.state, State::Pending | State::TimedOut);
    if is_calm && live.peek().is_some() && live.all(|payment| payment.value < Amount::from_sat(matters)) {
        rules.push("R8");
    }
    if charge.state == State::Confirmed && charge.by_hand.is_none() && charge.received() < terms.amount {
        rules.push("R10");
    }
    if charge.payments.iter().any(|payment| !payment.is_live()) {
        rules.push("R11");
    }
    rules.push("R31");
    rules
}

fn rule_of(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::StateChanged { .. } => "R1",
        Event::PaymentLost { .. } => "R3",
        Event::DeadlineObserved { .. } => "R4",
        Event::FirstSeenCorrected { .. } => "R5",
        Event::PaymentFound(payment) if !payment.replaced.is_empty() => "R5",
        Event::PaymentFound(payment) if payment.coinbase => "R9",
        Event::PaymentFound(payment) if payment.rate.is_none() => "R44",
        Event::ConfirmationsRaised { .. } => "R9",
        Event::Stalled { .. } => "R12",
        Event::Judged { .. } => "R13",
        Event::Accepted { .. } => "R14",
        Event::Cancelled { .. } => "R15",
        Event::DeadlineExtended { .. } => "R16",
        Event::Announced { announcement, .. } => match announcement {
            Announcement::Reverted => "R17",
            Announcement::Updated => "R18",
            _ => return None,
        },
        Event::MadeEarlier { .. } => "R32",
        Event::Restored { .. } => "R17",
        Event::PaymentFound(_) | Event::PaymentMoved { .. } => return None,
    })
}

/// Whether these events of one view took money away and brought money, and left the state alone.
fn is_net(batch: &[(i64, Event)]) -> bool {
    let any = |is: fn(&Event) -> bool| batch.iter().any(|(_, event)| is(event));
    any(|event| matches!(event, Event::PaymentLost { .. }))
        && any(|event| matches!(event, Event::PaymentFound(_) | Event::PaymentMoved { .. }))
        && !any(|event| matches!(event, Event::StateChanged { .. }))
}
