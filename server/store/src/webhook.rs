//! Webhooks and their deliveries, as the store knows them.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_charge::{Announcement, MerchantId, Timestamp};

use super::{Snapshot, Told};

/// A webhook: one state, one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its row.
    pub num: i64,
    /// Its public id.
    pub id: [u8; 16],
    /// Whose webhook.
    pub merchant: MerchantId,
    /// What it is told of.
    pub announcement: Announcement,
    /// Where deliveries go.
    pub url: Arc<str>,
    /// Sealed.
    pub secret: Vec<u8>,
    /// The sealed secret before, and until when it signs beside the new one.
    pub former: Option<(Vec<u8>, Timestamp)>,
    /// Since when nothing is sent (R20).
    pub paused_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// The webhooks of each merchant, in the order in which they were added; removed ones are not in it.
pub type WebhookMap = HashMap<MerchantId, Vec<Arc<Webhook>>>;

/// An event with the charge as it stood, kept from the moment of the decision: what is sent first need not be read again.
#[derive(Debug)]
pub struct Fresh {
    /// Without its conflict, which only the database knows.
    pub told: Told,
    /// The charge right after the decision.
    pub snapshot: Snapshot,
    /// The height of the tip that confirmations count under.
    pub tip: u32,
}

/// A delivery that is to be made.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its row.
    pub num: i64,
    /// The webhook's row.
    pub webhook: i64,
    /// The event's row in the outbox.
    pub outbox: i64,
    /// The charge's row.
    pub charge: i64,
    /// The event's id.
    pub event: [u8; 16],
    /// Attempts made so far.
    pub attempts: u32,
    /// When the next one is due.
    pub at: Timestamp,
    /// The id of a newer event of the charge that has overtaken this one (R19).
    pub superseded_by: Option<[u8; 16]>,
    /// Only of an event that was just decided.
    pub fresh: Option<Arc<Fresh>>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The delivery's row.
    pub delivery: i64,
    /// From 1.
    pub attempt: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The HTTP status; `None` without an answer.
    pub status: Option<u16>,
    /// Why there was no answer, by its code.
    pub failure: Option<String>,
    /// The beginning of the answer, printable.
    pub excerpt: Option<String>,
    /// How it goes on.
    pub next: Next,
}

/// How a delivery goes on after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// Again, then.
    Retry(Timestamp),
    /// Not again by itself.
    GivenUp,
}

/// A delivery, for who asks what became of it.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// Its row; grows with time.
    pub num: i64,
    /// The event's id.
    pub event: [u8; 16],
    /// What is told.
    pub announcement: Announcement,
    /// When the event happened.
    pub at: Timestamp,
    /// `pending`, `delivered`, `given_up` or `cancelled`.
    pub state: String,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// The id of a newer event of the charge that has overtaken this one (R19).
    pub superseded_by: Option<[u8; 16]>,
    /// Oldest first.
    pub attempts: Vec<PastAttempt>,
}

/// A delivery of what was told about a charge, with where it goes.
#[derive(Debug, Clone)]
pub struct ChargeDelivery {
    /// The delivery.
    pub delivery: DeliveryRow,
    /// The webhook's id.
    pub webhook: [u8; 16],
    /// Where it goes.
    pub url: String,
    /// Whether the webhook was removed since.
    pub is_removed: bool,
}

/// An attempt that was made.
#[derive(Debug, Clone)]
pub struct PastAttempt {
    /// From 1.
    pub attempt: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The HTTP status; `None` without an answer.
    pub status: Option<u16>,
    /// Why there was no answer, by its code.
    pub failure: Option<String>,
    /// The beginning of the answer, printable.
    pub excerpt: Option<String>,
}
