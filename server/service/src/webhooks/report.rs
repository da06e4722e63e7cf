//! Webhooks, deliveries and attempts as merchants and operators are shown them.

use bitpro_base::instants::{instant, instant_millis};
use bitpro_charge::Timestamp;
use bitpro_store::webhook::{DeliveryRow, PastAttempt, Webhook};
use serde::Serialize;

use super::sign::SigningSecret;
use super::{FailureKind, WebhookId};

/// A webhook, for who asks. Its secret is shown only when it is made.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookReport {
    /// Its id.
    pub id: String,
    /// The merchant's id.
    pub merchant_id: String,
    /// What it is told of, as `charge:seen`.
    pub state: &'static str,
    /// Where.
    pub url: String,
    /// When it was added.
    pub created_at: String,
    /// Since when nothing is sent, because the receiver answered 410 (R20).
    pub paused_at: Option<String>,
    /// Until when the former secret signs beside the new one.
    pub former_secret_until: Option<String>,
    /// How many deliveries are still to be made.
    pub pending: i64,
    /// What deliveries are signed with; only when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What came of a test delivery.
#[derive(Debug, Clone, Serialize)]
pub struct TestReport {
    /// The id that it carried.
    pub event_id: String,
    /// Whether the answer was in the two hundreds.
    pub delivered: bool,
    /// The answer's status.
    pub status: Option<u16>,
    /// Why there was none.
    pub failure: Option<String>,
    /// How long it took.
    pub took_ms: u64,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
}

/// A delivery with its attempts.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryReport {
    /// Its place: grows with time.
    pub number: i64,
    /// The event's id, the same at every attempt.
    pub event_id: String,
    /// As `charge:seen`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When the event happened.
    pub occured_at: String,
    /// `pending`, `delivered`, `given_up`, `cancelled`.
    pub state: String,
    /// When the next attempt is due, while it is pending.
    pub next_attempt_at: Option<String>,
    /// The newer event of the charge that arrived before it (R19).
    pub superseded_by: Option<String>,
    /// The attempts of the last 90 days.
    pub attempts: Vec<PastAttemptReport>,
}

/// An attempt that was made.
#[derive(Debug, Clone, Serialize)]
pub struct PastAttemptReport {
    /// From 1.
    pub attempt: u32,
    /// When.
    pub at: String,
    /// How long it took.
    pub took_ms: u64,
    /// The answer's status.
    pub status: Option<u16>,
    /// Why there was none.
    pub failure: Option<String>,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
}

pub(super) fn report(webhook: &Webhook, pending: i64, secret: Option<&SigningSecret>) -> WebhookReport {
    WebhookReport {
        id: WebhookId(webhook.id).to_string(),
        merchant_id: webhook.merchant.to_string(),
        state: webhook.announcement.as_str(),
        url: webhook.url.to_string(),
        created_at: instant(webhook.created_at),
        paused_at: webhook.paused_at.map(instant),
        former_secret_until: webhook.former.as_ref().map(|(_, until)| instant(*until)),
        pending,
        secret: secret.map(SigningSecret::to_text),
    }
}

pub(super) fn delivery_report(row: DeliveryRow) -> DeliveryReport {
    DeliveryReport {
        number: row.num,
        event_id: WebhookId(row.event).to_string(),
        kind: row.announcement.as_str(),
        occured_at: instant_millis(row.at),
        next_attempt_at: (row.state == "pending").then(|| instant(row.due_at)),
        state: row.state,
        superseded_by: row.superseded_by.map(|newer| WebhookId(newer).to_string()),
        attempts: row.attempts.into_iter().map(past_attempt_report).collect(),
    }
}

fn past_attempt_report(past: PastAttempt) -> PastAttemptReport {
    let PastAttempt {
        attempt,
        at,
        took_ms,
        status,
        failure,
        excerpt,
    } = past;
    PastAttemptReport {
        attempt,
        at: instant_millis(Timestamp(at.0)),
        took_ms,
        status,
        failure: failure.as_deref().map(FailureKind::told),
        excerpt,
    }
}
