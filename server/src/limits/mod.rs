//! What anonymous clients may do before they are told to wait: always at once, never by making them wait here (R25).

pub mod bounded;
mod bucket;
mod client;
mod links;
mod press;
mod streams;

pub use bounded::Bounded;
pub use bucket::{Buckets, RetryAfter, Standing};
pub use client::{Client, client_of, is_proxied};
pub use links::LinkBudgets;
pub use press::{Press, PressKey};
pub use streams::{StreamPermit, Streams, TooManyStreams, Topic};

use crate::config;

/// All limits of one server.
#[derive(Debug)]
pub struct Limits {
    /// Of links that anyone can write.
    unsigned: LinkBudgets,
    /// Of links that a merchant has signed: a flood of the others leaves them untouched (R25).
    signed: LinkBudgets,
    /// Open streams.
    pub streams: Streams,
}

impl Limits {
    /// Limits as configured, all untouched.
    #[must_use]
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            unsigned: LinkBudgets::new(limits),
            signed: LinkBudgets::new(limits),
            streams: Streams::new(limits.streams_per_address, limits.streams_per_charge),
        }
    }

    /// The budgets of links that are signed, or of those that are not.
    #[must_use]
    pub const fn links(&self, signed: bool) -> &LinkBudgets {
        if signed { &self.signed } else { &self.unsigned }
    }
}
