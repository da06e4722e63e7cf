//! Webhooks and their deliveries, as the store knows them.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_charge::{Announcement, MerchantId, Timestamp};

use super::{Snapshot, Told};

/// A webhook: one state, one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Webhook {
    /// Its row.
    pub(crate) num: i64,
    pub(crate) id: [u8; 16],
    pub(crate) merchant: MerchantId,
    /// What it is told of.
    pub(crate) announcement: Announcement,
    pub(crate) url: Arc<str>,
    /// Sealed.
    pub(crate) secret: Vec<u8>,
    /// The sealed secret before, and until when it signs beside the new one.
    pub(crate) former: Option<(Vec<u8>, Timestamp)>,
    /// Since when nothing is sent (R20).
    pub(crate) paused_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

/// The webhooks of each merchant, in the order in which they were added; removed ones are not in it.
pub(crate) type WebhookMap = HashMap<MerchantId, Vec<Arc<Webhook>>>;

/// An event with the charge as it stood, kept from the moment of the decision: what is sent first need not be read again.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// Without its conflict, which only the database knows.
    pub(crate) told: Told,
    pub(crate) snapshot: Snapshot,
    /// The height of the tip that confirmations count under.
    pub(crate) tip: u32,
}

/// A delivery that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    /// Its row.
    pub(crate) num: i64,
    pub(crate) webhook: i64,
    pub(crate) outbox: i64,
    /// The charge's row.
    pub(crate) charge: i64,
    /// The event's id.
    pub(crate) event: [u8; 16],
    /// Attempts made so far.
    pub(crate) attempts: u32,
    /// When the next one is due.
    pub(crate) at: Timestamp,
    pub(crate) superseded_by: Option<[u8; 16]>,
    /// Only of an event that was just decided.
    pub(crate) fresh: Option<Arc<Fresh>>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptRow {
    pub(crate) delivery: i64,
    /// From 1.
    pub(crate) attempt: u32,
    pub(crate) at: Timestamp,
    pub(crate) took_ms: u64,
    pub(crate) status: Option<u16>,
    pub(crate) failure: Option<String>,
    pub(crate) excerpt: Option<String>,
    pub(crate) next: Next,
}

/// How a delivery goes on after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It arrived.
    Delivered,
    /// Again, then.
    Retry(Timestamp),
    /// Not again by itself.
    GivenUp,
}

/// A delivery, for who asks what became of it.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryRow {
    pub(crate) num: i64,
    pub(crate) event: [u8; 16],
    pub(crate) announcement: Announcement,
    /// When the event happened.
    pub(crate) at: Timestamp,
    pub(crate) state: String,
    pub(crate) due_at: Timestamp,
    pub(crate) superseded_by: Option<[u8; 16]>,
    pub(crate) attempts: Vec<PastAttempt>,
}

/// A delivery of what was told about a charge, with where it goes.
#[derive(Debug, Clone)]
pub(crate) struct ChargeDelivery {
    pub(crate) delivery: DeliveryRow,
    /// The webhook's id.
    pub(crate) webhook: [u8; 16],
    pub(crate) url: String,
    /// Whether the webhook was removed since.
    pub(crate) is_removed: bool,
}

/// An attempt that was made.
#[derive(Debug, Clone)]
pub(crate) struct PastAttempt {
    pub(crate) attempt: u32,
    pub(crate) at: Timestamp,
    pub(crate) took_ms: u64,
    pub(crate) status: Option<u16>,
    pub(crate) failure: Option<String>,
    pub(crate) excerpt: Option<String>,
}
