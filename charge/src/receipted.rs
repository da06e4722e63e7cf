//! What a receipt may name: the money that is confirmed, whatever else has come.

use bitcoin_units::Amount;

use crate::apply::total;
use crate::{Charge, Payment};

impl Charge {
    /// Of what was received, that which may be called confirmed under a tip at height `tip`: what is as deep as it must be, and beyond
    /// the amount only what is as deep as all that came is worth (R9). The rest can still be spent elsewhere, so whoever holds a
    /// receipt that names it could ask back what never came.
    #[must_use]
    pub fn confirmed(&self, tip: u32) -> Amount {
        let deep = self.received_as_deep_as(tip, |payment| self.required_of(payment));
        let with_the_excess = self.received_as_deep_as(tip, self.awaited());
        deep.min(self.terms.amount).max(with_the_excess)
    }

    /// Of what was received, that which is not [confirmed](Self::confirmed) yet.
    #[must_use]
    pub fn unconfirmed(&self, tip: u32) -> Amount {
        let rest = self.received().checked_sub(self.confirmed(tip));
        rest.unwrap_or(Amount::ZERO)
    }

    fn received_as_deep_as(&self, tip: u32, required: impl Fn(&Payment) -> u32) -> Amount {
        let deep = self.payments.iter().filter(|payment| {
            payment.is_live() && self.is_own(payment) && payment.confirmations(tip) >= required(payment)
        });
        total(deep.map(|payment| payment.value))
    }
}
