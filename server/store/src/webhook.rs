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
    pub id: [u8; 16],
    pub merchant: MerchantId,
    /// What it is told of.
    pub announcement: Announcement,
    pub url: Arc<str>,
    /// Sealed.
    pub secret: Vec<u8>,
    /// The sealed secret before, and until when it signs beside the new one.
    pub former: Option<(Vec<u8>, Timestamp)>,
    /// Since when nothing is sent (R20).
    pub paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// The webhooks of each merchant, in the order in which they were added; removed ones are not in it.
pub type WebhookMap = HashMap<MerchantId, Vec<Arc<Webhook>>>;

/// An event with the charge as it stood, kept from the moment of the decision: what is sent first need not be read again.
#[derive(Debug)]
pub struct Fresh {
    /// Without its conflict, which only the database knows.
    pub told: Told,
    pub snapshot: Snapshot,
    /// The height of the tip that confirmations count under.
    pub tip: u32,
}

/// A delivery that is to be made.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its row.
    pub num: i64,
    pub webhook: i64,
    pub outbox: i64,
    /// The charge's row.
    pub charge: i64,
    /// The event's id.
    pub event: [u8; 16],
    /// Attempts made so far.
    pub attempts: u32,
    /// When the next one is due.
    pub at: Timestamp,
    pub superseded_by: Option<[u8; 16]>,
    /// Only of an event that was just decided.
    pub fresh: Option<Arc<Fresh>>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    pub delivery: i64,
    /// From 1.
    pub attempt: u32,
    pub at: Timestamp,
    pub took_ms: u64,
    pub status: Option<u16>,
    pub failure: Option<String>,
    pub excerpt: Option<String>,
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
    pub num: i64,
    pub event: [u8; 16],
    pub announcement: Announcement,
    /// When the event happened.
    pub at: Timestamp,
    pub state: String,
    pub due_at: Timestamp,
    pub superseded_by: Option<[u8; 16]>,
    pub attempts: Vec<PastAttempt>,
}

/// A delivery of what was told about a charge, with where it goes.
#[derive(Debug, Clone)]
pub struct ChargeDelivery {
    pub delivery: DeliveryRow,
    /// The webhook's id.
    pub webhook: [u8; 16],
    pub url: String,
    /// Whether the webhook was removed since.
    pub is_removed: bool,
}

/// An attempt that was made.
#[derive(Debug, Clone)]
pub struct PastAttempt {
    pub attempt: u32,
    pub at: Timestamp,
    pub took_ms: u64,
    pub status: Option<u16>,
    pub failure: Option<String>,
    pub excerpt: Option<String>,
}
