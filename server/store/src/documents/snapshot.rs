//! A charge as it is stored beside its log: what its events have made of it, so that nobody has to fold them to read it.

use std::sync::Arc;

use bitpro_charge::{Amount, Announcement, Charge, Payment, Reason, State, Timestamp};
use serde::{Deserialize, Serialize};

use super::parts::StoredPayment;
use super::{BadDocument, expect_version};

const VERSION: u32 = 2;

/// Everything of a charge but its identity, its terms and its address, which never change and stand in columns, and its
/// payments, which have rows of their own: a stranger may send thousands, and each event writes this document anew.
#[derive(Serialize, Deserialize)]
struct StoredSnapshot {
    version: u32,
    /// Documents of version 1 have the payments in them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    payments: Vec<StoredPayment>,
    deadline: i64,
    extended: bool,
    deadline_observed: bool,
    stalled: bool,
    cancelled: bool,
    required: u32,
    by_hand_sat: Option<u64>,
    state: String,
    reason: Option<String>,
    sequence: u64,
    round: u32,
    reversals: u32,
    told: Option<String>,
    /// These two are younger than the rest: a document without them is read by what was told last.
    was_confirmed: Option<bool>,
    was_announced: Option<bool>,
    /// Only where it is not the creation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    made_by: Option<i64>,
}

/// The document for `charge`.
pub(crate) fn snapshot_to(charge: &Charge) -> String {
    let stored = StoredSnapshot {
        version: VERSION,
        payments: Vec::new(),
        deadline: charge.deadline.0,
        extended: charge.extended,
        deadline_observed: charge.deadline_observed,
        stalled: charge.stalled,
        cancelled: charge.cancelled,
        required: charge.required,
        by_hand_sat: charge.by_hand.map(Amount::to_sat),
        state: charge.state.as_str().to_owned(),
        reason: charge.reason.map(|reason| reason.as_str().to_owned()),
        sequence: charge.sequence,
        round: charge.round,
        reversals: charge.reversals,
        told: charge.told.map(|told| told.as_str().to_owned()),
        was_confirmed: Some(charge.was_confirmed),
        was_announced: Some(charge.was_announced),
        made_by: (charge.made_by != charge.terms.created_at).then_some(charge.made_by.0),
    };
    serde_json::to_string(&stored).expect("plain texts and numbers always serialize")
}

/// The document for a payment.
pub(crate) fn payment_to(payment: &Payment) -> String {
    serde_json::to_string(&StoredPayment::from(payment)).expect("plain texts and numbers always serialize")
}

/// `charge`, which is as it was made, brought to what `document` and the array of its `payments`' documents say; and whether
/// the payments are there.
///
/// # Errors
/// [`BadDocument`].
pub(crate) fn snapshot_from(
    document: &str,
    payments: Option<&str>,
    charge: Charge,
) -> Result<(Charge, bool), BadDocument> {
    let stored: StoredSnapshot = serde_json::from_str(document)?;
    let has_payments_apart = stored.version == VERSION;
    let payments: Vec<StoredPayment> = if has_payments_apart {
        payments.map_or(Ok(Vec::new()), serde_json::from_str)?
    } else {
        expect_version(stored.version)?;
        stored.payments
    };
    let payments = payments.into_iter().map(Payment::try_from);
    let mut payments = payments.collect::<Result<Vec<Payment>, BadDocument>>()?;
    payments.sort_unstable_by_key(|payment| payment.outpoint);
    let state = word::<State>(&stored.state)?;
    let told = stored.told.as_deref().map(announcement).transpose()?;
    let told_of_yes =
        state == State::Confirmed || matches!(told, Some(Announcement::Confirmed | Announcement::Reverted));
    let told_of_money = told.is_some_and(|told| told != Announcement::TimedOut);
    let charge = Charge {
        payments: payments.into_iter().map(Arc::new).collect(),
        deadline: Timestamp(stored.deadline),
        extended: stored.extended,
        deadline_observed: stored.deadline_observed,
        stalled: stored.stalled,
        cancelled: stored.cancelled,
        required: stored.required,
        by_hand: stored.by_hand_sat.map(Amount::from_sat),
        state,
        reason: stored.reason.as_deref().map(word::<Reason>).transpose()?,
        sequence: stored.sequence,
        round: stored.round,
        reversals: stored.reversals,
        told,
        was_confirmed: stored.was_confirmed.unwrap_or(told_of_yes),
        was_announced: stored.was_announced.unwrap_or(told_of_money),
        made_by: stored.made_by.map_or(charge.terms.created_at, Timestamp),
        ..charge
    };
    Ok((charge, has_payments_apart))
}

fn word<T: std::str::FromStr>(text: &str) -> Result<T, BadDocument> {
    text.parse()
        .map_err(|_| BadDocument(format!("{text:?} is not a word of ours")))
}

pub(super) fn announcement(text: &str) -> Result<Announcement, BadDocument> {
    Announcement::ALL
        .into_iter()
        .find(|announcement| announcement.as_str() == text)
        .ok_or_else(|| BadDocument(format!("{text:?} is not an announcement")))
}
