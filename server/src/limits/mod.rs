//! What anonymous clients may do before they are told to wait: always at once, never by making them wait here (R25).
//! docs/limits.md lists every bound, and a test keeps it and the code together.

pub mod bounded;
mod bucket;
mod client;
mod connections;
mod exports;
mod keys;
mod links;
#[cfg(test)]
mod page;
mod press;
mod streams;

pub use bounded::Bounded;
pub use bucket::{Buckets, RetryAfter, Standing};
pub use client::{Client, client_of, is_proxied};
pub use connections::{ConnectionPermit, Connections, Http2Permit, Rest};
pub use exports::{ExportPermit, Exports, TooManyExports};
pub use keys::KeyLimit;
pub use links::{LinkBudgets, TakenCharge};
pub use press::{Press, Presses, Spending, Spent};
pub use streams::{Maker, StreamPermit, Streams, TooManyStreams, Topic};

use crate::config;

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

/// Counts that somebody came up against `limit`, which is its name in docs/limits.md.
pub(crate) fn refused(limit: &'static str) {
    metrics::counter!("bitpro_limits_refused_total", "limit" => limit).increment(1);
}
