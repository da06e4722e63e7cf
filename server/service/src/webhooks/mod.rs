//! Webhooks: what merchants are told, brought to their servers.
//!
//! The writer makes a delivery for each event and webhook, in the transaction that decides ([`bitpro_store`]). The sender
//! holds all deliveries that are still to be made in a queue, makes the attempts, and has their results stored. What it
//! holds can always be read again, so that a crash costs nothing but a repetition with the same event id.

mod client;
mod error;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod queue;
mod ready;
mod recorder;
mod report;
mod requests;
mod schedule;
mod sender;
mod service;
mod sign;
mod stepped;
mod tidy;
mod unit;

pub use error::{WebhookError, WebhookId};
pub use failure::FailureKind;
pub use report::{DeliveryReport, PastAttemptReport, TestReport, WebhookReport};
pub use sender::Sender;
pub use service::{MAX_WEBHOOKS, Webhooks};
pub use sign::is_genuine;
pub use stepped::{Attempt, SteppedSender};
