//! How many charges links of one kind may make.

use bitpro_base::client::Client;
use bitpro_charge::{MerchantId, Timestamp};
use bitpro_config as config;

use super::{Buckets, RetryAfter};

/// The budgets of signed or of unsigned links, each apart from the other (R25).
#[derive(Debug)]
pub struct LinkBudgets {
    clients: Buckets<Client>,
    merchants: Buckets<MerchantId>,
    /// For presses of the button: what is left when the merchant's budget is spent.
    presses: Buckets<MerchantId>,
    /// For all merchants together. Strangers have one; signed links are bounded by merchant, for nobody else can make them.
    instance: Option<Buckets<()>>,
}

/// One charge, taken from the budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenCharge {
    client: Client,
    merchant: MerchantId,
    /// Whether it was the press of the button that bought it.
    pub by_press: bool,
}

/// One charge that was taken for whoever may want one: given back when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Reservation<'b> {
    budgets: &'b LinkBudgets,
    taken: Option<TakenCharge>,
}

impl Reservation<'_> {
    /// Takes it for good: from now on only [`LinkBudgets::give_back`] gives it back.
    pub fn spend(mut self) -> TakenCharge {
        self.taken
            .take()
            .expect("it is there until it is spent, which ends the reservation")
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some(taken) = self.taken.take() {
            self.budgets.give_back(taken);
        }
    }
}

impl LinkBudgets {
    /// Budgets of unsigned links as configured, all untouched.
    #[must_use]
    pub fn unsigned(limits: &config::Limits) -> Self {
        let (by_link, by_press) = (limits.merchant_create_per_minute, limits.merchant_press_per_minute);
        let together = limits.instance_create_per_minute;
        Self {
            clients: Buckets::new("link_client", limits.create_per_minute, limits.create_burst),
            merchants: Buckets::new("link_merchant", by_link, by_link),
            presses: Buckets::new("press_merchant", by_press, by_press),
            instance: Some(Buckets::new("link_instance", together, together)),
        }
    }

    /// Budgets of signed links as configured, all untouched.
    #[must_use]
    pub fn signed(limits: &config::Limits) -> Self {
        let (by_link, by_press) = (limits.merchant_create_per_minute, limits.merchant_press_per_minute);
        Self {
            clients: Buckets::new("signed_link_client", limits.create_per_minute, limits.create_burst),
            merchants: Buckets::new("signed_link_merchant", by_link, by_link),
            presses: Buckets::new("signed_press_merchant", by_press, by_press),
            instance: None,
        }
    }

    /// Takes one charge. `None`: the merchant's budget is spent, and shoppers press a button instead of being turned away, so
    /// that a spammer cannot close the shop. `waited`: the button was pressed, after its delay.
    ///
    /// # Errors
    /// [`RetryAfter`] when the client's budget is spent, the instance's, or that of presses. Nothing is taken then.
    pub fn take(
        &self,
        client: Client,
        merchant: MerchantId,
        waited: bool,
        now: Timestamp,
    ) -> Result<Option<TakenCharge>, RetryAfter> {
        self.clients.take(client, now)?;
        let by_press = match self.lane(merchant, waited, now) {
            Ok(Some(by_press)) => by_press,
            refused => {
                self.clients.give_back(client);
                return refused.map(|_| None);
            }
        };
        let taken = TakenCharge {
            client,
            merchant,
            by_press,
        };
        if let Some(Err(retry)) = self.instance.as_ref().map(|instance| instance.take((), now)) {
            self.give_back_of_merchant(taken);
            return Err(retry);
        }
        Ok(Some(taken))
    }

    /// Takes one charge until it is known whether one is to be made; see [`LinkBudgets::take`].
    ///
    /// # Errors
    /// [`RetryAfter`]; nothing is taken then.
    pub fn reserve(
        &self,
        client: Client,
        merchant: MerchantId,
        waited: bool,
        now: Timestamp,
    ) -> Result<Option<Reservation<'_>>, RetryAfter> {
        let taken = self.take(client, merchant, waited, now)?;
        Ok(taken.map(|taken| Reservation {
            budgets: self,
            taken: Some(taken),
        }))
    }

    /// From which of the merchant's budgets a charge comes: that of presses (`true`), the usual one, or none yet.
    fn lane(&self, merchant: MerchantId, waited: bool, now: Timestamp) -> Result<Option<bool>, RetryAfter> {
        if !waited {
            return Ok(self.merchants.take(merchant, now).is_ok().then_some(false));
        }
        match self.presses.take(merchant, now) {
            Ok(()) => Ok(Some(true)),
            Err(_) => self.merchants.take(merchant, now).map(|()| Some(false)),
        }
    }

    /// Gives back what was taken for a charge that was not made after all.
    pub fn give_back(&self, taken: TakenCharge) {
        self.give_back_of_merchant(taken);
        if let Some(instance) = &self.instance {
            instance.give_back(());
        }
    }

    fn give_back_of_merchant(&self, taken: TakenCharge) {
        self.clients.give_back(taken.client);
        let lane = if taken.by_press { &self.presses } else { &self.merchants };
        lane.give_back(taken.merchant);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const SHOP: MerchantId = MerchantId([1; 16]);

    fn limits() -> config::Limits {
        config::Limits {
            merchant_create_per_minute: 5,
            merchant_press_per_minute: 3,
            instance_create_per_minute: 20,
            ..bitpro_config::testing::default_limits()
        }
    }

    fn client(nth: u32) -> Client {
        IpAddr::V4(Ipv4Addr::from_bits(0xC633_6400 + nth)).into()
    }

    fn took(budgets: &LinkBudgets, merchant: MerchantId, waited: bool) -> usize {
        let taken = (0..100).filter(|nth| matches!(budgets.take(client(*nth), merchant, waited, NOW), Ok(Some(_))));
        taken.count()
    }

    #[test]
    fn r25_presses_have_a_ceiling_of_their_own_per_merchant_however_many_clients_press() {
        for budgets in [LinkBudgets::unsigned(&limits()), LinkBudgets::signed(&limits())] {
            assert_eq!(took(&budgets, SHOP, false), 5);
            assert_eq!(
                budgets.take(client(1), SHOP, false, NOW),
                Ok(None),
                "a button, no refusal"
            );
            assert_eq!(took(&budgets, SHOP, true), 3);
            assert!(budgets.take(client(1), SHOP, true, NOW).is_err());
        }
    }

    #[test]
    fn r25_unsigned_links_have_a_ceiling_for_the_whole_instance_and_signed_ones_do_not_share_it() {
        let (unsigned, signed) = (LinkBudgets::unsigned(&limits()), LinkBudgets::signed(&limits()));
        let made = |budgets: &LinkBudgets| -> usize {
            let shops = (1..=10).map(|nth| MerchantId([nth; 16]));
            shops
                .map(|shop| took(budgets, shop, false) + took(budgets, shop, true))
                .sum()
        };
        assert_eq!(made(&unsigned), 20);
        let refused = unsigned.take(client(1), MerchantId([99; 16]), false, NOW);
        assert_eq!(refused, Err(RetryAfter(3)));
        assert_eq!(made(&signed), 80);
    }

    #[test]
    fn a_reservation_that_ends_unspent_costs_nothing_and_a_spent_one_costs_a_charge() {
        let budgets = LinkBudgets::unsigned(&limits());
        for _ in 0..100 {
            assert!(budgets.reserve(client(1), SHOP, false, NOW).unwrap().is_some());
        }
        for nth in 0..5 {
            budgets.reserve(client(nth), SHOP, false, NOW).unwrap().unwrap().spend();
        }
        assert!(budgets.reserve(client(9), SHOP, false, NOW).unwrap().is_none());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_from_every_budget() {
        let budgets = LinkBudgets::unsigned(&limits());
        for _ in 0..100 {
            for waited in [false, true] {
                let taken = budgets.take(client(1), SHOP, waited, NOW).unwrap().unwrap();
                budgets.give_back(taken);
            }
        }
        // A refusal for the whole instance takes nothing of the shop's.
        assert_eq!(
            (1..=3)
                .map(|nth| took(&budgets, MerchantId([nth; 16]), false))
                .sum::<usize>(),
            15
        );
        assert_eq!(took(&budgets, SHOP, true), 3);
    }
}
