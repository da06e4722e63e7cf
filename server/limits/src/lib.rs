//! What anonymous clients may do before they are told to wait: always at once, never by making them wait here (R25).
//! docs/limits.md lists every bound, and a test keeps it and the code together.

#![warn(missing_docs)]

pub mod bounded;
mod bucket;
mod connections;
mod exports;
mod keys;
mod links;
#[cfg(test)]
mod page;
mod press;
mod streams;

use bitpro_config as config;
pub use bounded::Bounded;
pub use bucket::{Buckets, RetryAfter, Standing};
pub use connections::{ConnectionPermit, Connections, Http2Permit, Rest};
pub use exports::{ExportPermit, Exports, TooManyExports};
pub use keys::KeyLimit;
pub use links::{LinkBudgets, TakenCharge};
pub use press::{Press, Presses, Spending, Spent};
pub use streams::{Maker, StreamPermit, Streams, TooManyStreams, Topic};

/// Every limit by the name that it has in docs/limits.md and in the metrics.
const NAMES: [&str; 52] = [
    "api_key",
    "connection_address",
    "connection_instance",
    "connection_resting",
    "export_account",
    "export_instance",
    "factor_streak",
    "gap_merchant",
    "http2_address",
    "http2_connection",
    "http2_instance",
    "http2_stalled",
    "invitation_instance",
    "invitation_mailbox",
    "known_streak",
    "letter_account",
    "letter_client",
    "letter_known",
    "letter_mailbox",
    "letter_new_device",
    "letter_sent_to",
    "link_client",
    "link_instance",
    "link_merchant",
    "login_account",
    "login_client",
    "login_instance",
    "login_known",
    "login_known_account",
    "login_pair",
    "login_streak",
    "member_change",
    "order_client",
    "password_change",
    "password_known",
    "password_strangers",
    "press_merchant",
    "press_tokens",
    "request_bodies",
    "request_head",
    "request_uri",
    "signed_link_client",
    "signed_link_merchant",
    "signed_press_merchant",
    "signup_instance",
    "signup_requests",
    "stream_anybody",
    "stream_client",
    "stream_instance",
    "stream_topic",
    "webhook_test",
    "write_stalled",
];

/// All limits of one server.
#[derive(Debug)]
pub struct Limits {
    /// Of links that anyone can write.
    unsigned: LinkBudgets,
    /// Of links that a merchant has signed for one order: a flood of the others leaves them untouched (R25), and one of them makes
    /// one charge at a time.
    signed: LinkBudgets,
    /// Of signed links without an order id. Whoever has one can make as many charges as they like.
    reusable: LinkBudgets,
    /// Open streams.
    pub streams: Streams,
    /// Exports under way.
    pub exports: Exports,
}

impl Limits {
    /// Limits as configured, all untouched, for a server of `max_connections`.
    #[must_use]
    pub fn new(limits: &config::Limits, max_connections: usize) -> Self {
        // Streams last, and whoever wants a page needs a connection too.
        let max_streams = limits.max_streams.min(max_connections - max_connections.div_ceil(8));
        Self {
            unsigned: LinkBudgets::unsigned(limits),
            signed: LinkBudgets::signed(limits),
            reusable: LinkBudgets::signed(limits),
            streams: Streams::new(limits.streams_per_address, limits.streams_per_charge, max_streams),
            exports: Exports::default(),
        }
    }

    /// The budgets of links that are signed or not, for an order or for none.
    #[must_use]
    pub const fn links(&self, signed: bool, for_order: bool) -> &LinkBudgets {
        match (signed, for_order) {
            (false, _) => &self.unsigned,
            (true, false) => &self.reusable,
            (true, true) => &self.signed,
        }
    }
}

/// Has every limit in the metrics before somebody comes up against it: a first count that comes out of nothing is no rise.
pub fn begin_at_zero() {
    for limit in NAMES {
        metrics::counter!("bitpro_limits_refused_total", "limit" => limit).increment(0);
    }
}

/// Counts that somebody came up against `limit`, which is its name in docs/limits.md.
pub fn refused(limit: &'static str) {
    metrics::counter!("bitpro_limits_refused_total", "limit" => limit).increment(1);
}
