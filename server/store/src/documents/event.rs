//! Events as they are stored: a batch is one JSON array.

use bitpro_charge::{Amount, Event, Payment, Quote, Reason, State, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

use super::BadDocument;
use super::parts::{
    StoredInterval, StoredJudgement, StoredLoss, StoredPayment, StoredQuote, StoredWhereabouts, optional_quote,
    outpoint_from, outpoints_from, outpoints_to, place_from,
};
use super::snapshot::announcement;

/// The names are those of `Event::kind`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredEvent {
    PaymentFound {
        #[serde(flatten)]
        payment: StoredPayment,
    },
    PaymentMoved {
        outpoint: String,
        #[serde(flatten)]
        place: StoredWhereabouts,
    },
    FirstSeenCorrected {
        outpoint: String,
        first_seen: StoredInterval,
    },
    PaymentLost {
        outpoint: String,
        loss: StoredLoss,
    },
    ConfirmationsRaised {
        required: u32,
    },
    DeadlineExtended {
        deadline: i64,
        compared: StoredQuote,
    },
    DeadlineObserved {
        observed_until: i64,
    },
    Stalled {
        outpoints: Vec<String>,
    },
    Judged {
        outpoint: String,
        judgement: StoredJudgement,
        compared: Option<StoredQuote>,
    },
    Accepted {
        outpoints: Vec<String>,
        suffices_sat: Option<u64>,
    },
    Cancelled {
        at: i64,
    },
    MadeEarlier {
        at: i64,
    },
    StateChanged {
        state: String,
        reason: Option<String>,
        tip: u32,
    },
    Restored {
        sequence: u64,
    },
    Announced {
        announcement: String,
        tip: u32,
    },
}

/// The document for a batch.
pub(crate) fn events_to(events: &[Event]) -> String {
    let stored: Vec<StoredEvent> = events.iter().map(StoredEvent::from).collect();
    serde_json::to_string(&stored).expect("plain texts and numbers always serialize")
}

/// The batch in `document`.
///
/// # Errors
/// [`BadDocument`].
pub(crate) fn events_from(document: &str) -> Result<Vec<Event>, BadDocument> {
    let stored: Vec<StoredEvent> = serde_json::from_str(document)?;
    stored.into_iter().map(Event::try_from).collect()
}

impl From<&Event> for StoredEvent {
    fn from(event: &Event) -> Self {
        match event {
            Event::PaymentFound(payment) => Self::PaymentFound {
                payment: payment.into(),
            },
            Event::PaymentMoved { outpoint, place } => Self::PaymentMoved {
                outpoint: outpoint.to_string(),
                place: bitpro_charge::Whereabouts::Live(*place).into(),
            },
            Event::FirstSeenCorrected { outpoint, first_seen } => Self::FirstSeenCorrected {
                outpoint: outpoint.to_string(),
                first_seen: (*first_seen).into(),
            },
            Event::PaymentLost { outpoint, loss } => Self::PaymentLost {
                outpoint: outpoint.to_string(),
                loss: (*loss).into(),
            },
            Event::ConfirmationsRaised { required } => Self::ConfirmationsRaised { required: *required },
            Event::DeadlineExtended { deadline, compared } => Self::DeadlineExtended {
                deadline: deadline.0,
                compared: compared.into(),
            },
            Event::DeadlineObserved { observed_until } => Self::DeadlineObserved {
                observed_until: observed_until.0,
            },
            Event::Stalled { outpoints } => Self::Stalled {
                outpoints: outpoints_to(outpoints),
            },
            Event::Judged {
                outpoint,
                judgement,
                compared,
            } => Self::Judged {
                outpoint: outpoint.to_string(),
                judgement: (*judgement).into(),
                compared: compared.as_ref().map(StoredQuote::from),
            },
            Event::Accepted { outpoints, suffices } => Self::Accepted {
                outpoints: outpoints_to(outpoints),
                suffices_sat: suffices.map(Amount::to_sat),
            },
            Event::Cancelled { at } => Self::Cancelled { at: at.0 },
            Event::MadeEarlier { at } => Self::MadeEarlier { at: at.0 },
            Event::StateChanged { verdict, tip } => Self::StateChanged {
                state: verdict.state.as_str().to_owned(),
                reason: verdict.reason.map(|reason| reason.as_str().to_owned()),
                tip: *tip,
            },
            Event::Restored { sequence } => Self::Restored { sequence: *sequence },
            Event::Announced { announcement, tip } => Self::Announced {
                announcement: announcement.as_str().to_owned(),
                tip: *tip,
            },
        }
    }
}

impl TryFrom<StoredEvent> for Event {
    type Error = BadDocument;

    fn try_from(stored: StoredEvent) -> Result<Self, BadDocument> {
        Ok(match stored {
            StoredEvent::PaymentFound { payment } => Self::PaymentFound(Payment::try_from(payment)?),
            StoredEvent::PaymentMoved { outpoint, place } => Self::PaymentMoved {
                outpoint: outpoint_from(&outpoint)?,
                place: place_from(place)?,
            },
            StoredEvent::FirstSeenCorrected { outpoint, first_seen } => Self::FirstSeenCorrected {
                outpoint: outpoint_from(&outpoint)?,
                first_seen: first_seen.into(),
            },
            StoredEvent::PaymentLost { outpoint, loss } => Self::PaymentLost {
                outpoint: outpoint_from(&outpoint)?,
                loss: loss.into(),
            },
            StoredEvent::ConfirmationsRaised { required } => Self::ConfirmationsRaised { required },
            StoredEvent::DeadlineExtended { deadline, compared } => Self::DeadlineExtended {
                deadline: Timestamp(deadline),
                compared: Quote::try_from(compared)?,
            },
            StoredEvent::DeadlineObserved { observed_until } => Self::DeadlineObserved {
                observed_until: Timestamp(observed_until),
            },
            StoredEvent::Stalled { outpoints } => Self::Stalled {
                outpoints: outpoints_from(&outpoints)?,
            },
            StoredEvent::Judged {
                outpoint,
                judgement,
                compared,
            } => Self::Judged {
                outpoint: outpoint_from(&outpoint)?,
                judgement: judgement.into(),
                compared: optional_quote(compared)?,
            },
            StoredEvent::Accepted {
                outpoints,
                suffices_sat,
            } => Self::Accepted {
                outpoints: outpoints_from(&outpoints)?,
                suffices: suffices_sat.map(Amount::from_sat),
            },
            StoredEvent::Cancelled { at } => Self::Cancelled { at: Timestamp(at) },
            StoredEvent::MadeEarlier { at } => Self::MadeEarlier { at: Timestamp(at) },
            StoredEvent::StateChanged { state, reason, tip } => Self::StateChanged {
                verdict: Verdict {
                    state: state
                        .parse::<State>()
                        .map_err(|()| BadDocument(format!("{state:?} is not a state")))?,
                    reason: match reason {
                        Some(reason) => Some(
                            reason
                                .parse::<Reason>()
                                .map_err(|()| BadDocument(format!("{reason:?} is not a reason")))?,
                        ),
                        None => None,
                    },
                },
                tip,
            },
            StoredEvent::Restored { sequence } => Self::Restored { sequence },
            StoredEvent::Announced {
                announcement: word,
                tip,
            } => Self::Announced {
                announcement: announcement(&word)?,
                tip,
            },
        })
    }
}
