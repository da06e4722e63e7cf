//! An attempt, and what comes of it.

use bitpro_store::webhook::Next;

/// An attempt to be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webhooks) struct Job {
    pub(in crate::webhooks) delivery: i64,
    pub(in crate::webhooks) webhook: i64,
    pub(in crate::webhooks) outbox: i64,
    /// The event's id.
    pub(in crate::webhooks) event: [u8; 16],
    /// From 1.
    pub(in crate::webhooks) attempt: u32,
    pub(in crate::webhooks) superseded_by: Option<[u8; 16]>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webhooks) enum Ended {
    /// An answer in the two hundreds.
    Arrived,
    /// Another answer: the receiver lives.
    Refused,
    /// No answer.
    Unreachable,
}

/// What follows from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webhooks) struct Follows {
    pub(in crate::webhooks) next: Next,
    /// Older deliveries of the lane that this one has overtaken.
    pub(in crate::webhooks) overtaken: Vec<i64>,
}
