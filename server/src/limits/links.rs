//! How many charges links of one kind may make.

use bitpro_charge::{MerchantId, Timestamp};

use super::{Buckets, Client, RetryAfter};
use crate::config;

/// The budgets of signed or of unsigned links, each apart from the other (R25).
#[derive(Debug)]
pub struct LinkBudgets {
    clients: Buckets<Client>,
    merchants: Buckets<MerchantId>,
}

impl LinkBudgets {
    /// Budgets as configured, all untouched.
    #[must_use]
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            clients: Buckets::new("link_client", limits.create_per_minute, limits.create_burst),
            merchants: Buckets::new(
                "link_merchant",
                limits.merchant_create_per_minute,
                limits.merchant_create_per_minute,
            ),
        }
    }

    /// Takes one charge from the client's budget.
    ///
    /// # Errors
    /// [`RetryAfter`] when it is spent.
    pub fn take_for_client(&self, client: Client, now: Timestamp) -> Result<(), RetryAfter> {
        self.clients.take(client, now)
    }

    /// Takes one charge from the budget that all links of this kind share with a merchant. When it is spent, shoppers press a
    /// button instead of being turned away, so that a spammer cannot close the shop (R25).
    ///
    /// # Errors
    /// [`RetryAfter`] when it is spent.
    pub fn take_for_merchant(&self, merchant: MerchantId, now: Timestamp) -> Result<(), RetryAfter> {
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
