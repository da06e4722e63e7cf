//! Webhooks: what merchants are told, brought to their servers.
//!
//! The writer makes a delivery for each event and webhook, in the transaction that decides ([`crate::store`]). The sender
//! holds all deliveries that are still to be made in a queue, makes the attempts, and has their results stored. What it
//! holds can always be read again, so that a crash costs nothing but a repetition with the same event id.

mod client;
mod policy;
mod queue;
mod recorder;
mod requests;
mod schedule;
mod sender;
mod service;
mod sign;

pub use policy::{Policy, Target, UrlError};
pub use sender::Sender;
pub use service::{
    DeliveryReport, MAX_WEBHOOKS, PastAttemptReport, TestReport, WebhookError, WebhookId, WebhookReport, Webhooks,
};
pub use sign::is_genuine;
