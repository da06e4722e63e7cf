//! What anonymous clients may do before they are told to wait: always at once, never by making them wait here (R25).

mod bucket;
mod client;
mod press;
mod streams;

use bitpro_charge::{MerchantId, Timestamp};

pub use bucket::{Buckets, RetryAfter};
pub use client::{Client, client_of, is_proxied};
pub use press::{Press, PressKey};
pub use streams::{StreamPermit, Streams, TooManyStreams};

use crate::config;

/// All limits of one server.
#[derive(Debug)]
pub struct Limits {
    clients: Buckets<Client>,
    merchants: Buckets<MerchantId>,
    /// Open streams.
    pub streams: Streams,
}

impl Limits {
    /// Limits as configured, all untouched.
    #[must_use]
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            clients: Buckets::new(limits.create_per_minute, limits.create_burst),
            merchants: Buckets::new(limits.merchant_create_per_minute, limits.merchant_create_per_minute),
            streams: Streams::new(limits.streams_per_address, limits.streams_per_charge),
        }
    }

    /// Takes one charge from the client's budget.
    ///
    /// # Errors
    /// [`RetryAfter`] when it is spent.
    pub fn take_for_client(&self, client: Client, now: Timestamp) -> Result<(), RetryAfter> {
        self.clients.take(client, now)
    }

    /// Takes one charge from the budget that all unsigned links of a merchant share. When it is spent, shoppers press a
    /// button instead of being turned away, so that a spammer cannot close the shop (R25).
    ///
    /// # Errors
    /// [`RetryAfter`] when it is spent.
    pub fn take_for_unsigned_links(&self, merchant: MerchantId, now: Timestamp) -> Result<(), RetryAfter> {
        self.merchants.take(merchant, now)
    }

    /// Gives back what was taken for a charge that was not made after all.
    pub fn give_back(&self, client: Client, merchant: Option<MerchantId>) {
        self.clients.give_back(client);
        if let Some(merchant) = merchant {
            self.merchants.give_back(merchant);
        }
    }
}
