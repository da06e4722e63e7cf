//! Shops and shoppers ask for charges.

use std::net::IpAddr;

use bitpro_base::client::Client;
use bitpro_charge::{Cents, ChargeId, State};
use bitpro_service::charges::{CreateError, Follower, LinkOutcome, NewCharge};

use crate::sim::peer::Tid;
use crate::sim::plot::{By, ONE_SHOPPER};
use crate::sim::world::{Made, World};
use crate::sim::{Broken, broken, wallets};

/// Indices that are looked through for an address.
const INDICES: u32 = 2_600;

impl World {
    pub(super) fn create(&mut self, slot: u16, shop: usize, by: By, cents: u32, order: u16) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let order_id = (order > 0).then(|| format!("order-{order}"));
        let merchant = self.shops[shop];
        let made = match by {
            By::Api => {
                let new = new_charge(merchant, cents, order_id);
                server.run(server.charges.create(new)).map(LinkOutcome::Made)
            }
            By::Link | By::Signed => {
                let new = NewCharge {
                    follower: Some(Follower {
                        client: client_of(slot, order),
                        signed: by == By::Signed,
                        pressed: false,
                    }),
                    ..new_charge(merchant, cents, order_id)
                };
                server.run(server.charges.for_link(new))
            }
        };
        match made {
            Ok(LinkOutcome::Made(id)) => {
                self.take(slot, shop, id, cents, order)?;
            }
            Ok(LinkOutcome::Paid(id)) => self.check_paid(id)?,
            Ok(LinkOutcome::Reused(id)) => self.check_reused(id)?,
            Ok(LinkOutcome::NeedsButton) => self.count("R25"),
            Err(error) => self.check_refused(&error)?,
        }
        self.after_step()
    }

    pub(super) fn crowd(&mut self, slot: u16, count: u8, shop: usize, cents: u32) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let merchant = self.shops[shop];
        let creating = (0..count).map(|_| server.charges.create(new_charge(merchant, cents, None)));
        let made = server.run(futures::future::join_all(creating));
        self.count("R30");
        for (slot, made) in (slot..).zip(made) {
            match made {
                Ok(id) => self.take(slot, shop, id, cents, 0)?,
                Err(error) => self.check_refused(&error)?,
            }
        }
        self.after_step()
    }

    /// Takes over a charge that was given out, and looks whether it is what was asked for.
    fn take(&mut self, slot: u16, shop: usize, id: ChargeId, cents: u32, order: u16) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let Ok(Some(snapshot)) = server.run(server.charges.snapshot(id)) else {
            return broken("r30 a charge that was answered is not there", id.to_string());
        };
        let charge = &snapshot.charge;
        let address: bitcoin::Address<bitcoin::address::NetworkUnchecked> = match charge.address.parse() {
            Ok(address) => address,
            Err(error) => return broken("an address cannot be read", format!("{}: {error}", charge.address)),
        };
        let script = address.assume_checked().script_pubkey();
        if let Some(other) = self.addresses.insert(charge.address.clone(), id) {
            return broken(
                "r28 an address is given out twice",
                format!("{} to {other} and to {id}", charge.address),
            );
        }
        let Some(place) = wallets::index_of(&script, INDICES) else {
            return broken("r27 an address is not of the wallet", charge.address.clone());
        };
        if place.0 != self.wallets[shop] {
            return broken(
                "r27 an address is of another wallet",
                format!("{} of {place:?}", charge.address),
            );
        }
        // The price in satoshis, by the rate of the moment, rounded up.
        let rate = self.around.rates.cents().unwrap_or(1);
        let amount = (u128::from(cents) * 100_000_000).div_ceil(u128::from(rate));
        if u128::from(charge.terms.amount.to_sat()) != amount {
            return broken(
                "r29 the amount is wrong",
                format!("{} for {cents} cents at {rate}", charge.terms.amount),
            );
        }
        let made = Made {
            id,
            shop,
            script,
            amount: charge.terms.amount.to_sat(),
            made: charge.terms.created_at.0,
            place,
            accepted: Vec::new(),
            cancelled: None,
            order,
            lost: false,
        };
        let already = self.paying.get(&made.script).into_iter().flatten();
        let seen: Vec<_> = already
            .filter(|(tid, ..)| self.sights.get(tid).is_some_and(|sight| sight.by < made.made))
            .collect();
        if !seen.is_empty() && self.is_in_step() {
            return broken(
                "r27 an address is given out that was paid before",
                format!("{} was paid by {seen:?}", charge.address),
            );
        }
        self.count_issued(&made);
        self.charges.insert(slot, made);
        self.count("act: a charge was made");
        Ok(())
    }

    /// Counts what decided which index was given out, and whether the node was there.
    fn count_issued(&mut self, made: &Made) {
        let of_wallet = self.charges.values().filter(|other| other.place.0 == made.place.0);
        let after = |lost: bool| {
            let known = of_wallet.clone().filter(|other| lost || !other.lost);
            known.map(|other| other.place.1 + 1).max().unwrap_or(0)
        };
        // What the database that was put back does not know was given out all the same.
        let (next, next_by_database) = (after(true), after(false));
        if next > next_by_database && made.place.1 >= next {
            self.count("R28");
        } else if made.place.1 > next {
            self.count("R27");
        }
        if !self.net().is_up {
            self.count("R39");
        }
    }

    fn check_refused(&mut self, error: &CreateError) -> Result<(), Broken> {
        let is_expected = match error {
            CreateError::NoRate => self.around.rates.cents().is_none(),
            CreateError::IssuanceBlocked(_) | CreateError::Price(_) | CreateError::Terms(_) => true,
            CreateError::Store(_) => self.doomed,
            CreateError::UnknownMerchant | CreateError::NoDescriptor => false,
        };
        self.count("act: a charge was refused");
        if matches!(error, CreateError::NoRate) {
            self.count("R29");
        }
        if is_expected {
            Ok(())
        } else {
            broken("r39 a charge is refused without need", error.to_string())
        }
    }

    /// An order is closed only by money that matters (R22).
    fn check_paid(&mut self, id: ChargeId) -> Result<(), Broken> {
        self.count("act: a link led to a paid charge");
        self.count("R22");
        let Some(made) = self.charges.values().find(|made| made.id == id).cloned() else {
            return Ok(());
        };
        let paid = || self.paying.get(&made.script).into_iter().flatten();
        let dust = made.amount / 100;
        let known = paid().filter(|(tid, ..)| self.sights.contains_key(tid));
        let together: u64 = known.map(|(.., value)| *value).sum();
        let net = self.net();
        let matters = together >= dust * 9 / 10
            || paid().any(|&(tid, _, value)| {
                let is_there = net.near.pool.contains_key(&tid) || net.near.mined.contains_key(&tid);
                is_there || value >= dust * 9 / 10 || !self.sights.contains_key(&tid)
            });
        drop(net);
        if matters || !self.is_in_step() || !made.accepted.is_empty() {
            return Ok(());
        }
        broken(
            "r22 dust that is gone closes an order",
            format!("order {} by charge {id}", made.order),
        )
    }

    fn check_reused(&mut self, id: ChargeId) -> Result<(), Broken> {
        self.count("act: a link led to an open charge");
        self.count("R22");
        let Some(server) = &self.server else { return Ok(()) };
        let Ok(Some(snapshot)) = server.run(server.charges.snapshot(id)) else {
            return Ok(());
        };
        let charge = &snapshot.charge;
        if charge.state != State::Pending {
            return broken(
                "r22 a charge that is not pending is shown again",
                charge.state.to_string(),
            );
        }
        // What was there at the last look, and is still, the server knows too, in however many pieces it came.
        let Some(made) = self.charges.values().find(|made| made.id == id) else {
            return Ok(());
        };
        let net = self.net();
        let is_there = |tid: &Tid| net.near.pool.contains_key(tid) || net.near.mined.contains_key(tid);
        let own = |tid: &Tid| {
            self.sights
                .get(tid)
                .is_some_and(|sight| sight.after > made.made + self.slack())
        };
        let paid = self.paying.get(&made.script).into_iter().flatten();
        let paid: u64 = paid
            .filter(|(tid, ..)| is_there(tid) && own(tid))
            .map(|(.., value)| value)
            .sum();
        let need = charge.terms.amount.to_sat() - charge.terms.forgiven.to_sat();
        let matters = charge.terms.dust_limit.to_sat().max(need.div_ceil(100));
        drop(net);
        if paid < matters || !self.is_in_step() {
            return Ok(());
        }
        broken(
            "r22 a charge that somebody has paid into is shown to another",
            format!("{paid} were paid to charge {id} of order {}", made.order),
        )
    }
}

/// Another client for nearly every charge; some orders are one shopper's who comes again and again.
fn client_of(slot: u16, order: u16) -> Client {
    let [high, low] = if order >= ONE_SHOPPER { order } else { slot }.to_be_bytes();
    IpAddr::from([8, 8, high, low]).into()
}

fn new_charge(merchant: bitpro_charge::MerchantId, cents: u32, order_id: Option<String>) -> NewCharge {
    NewCharge {
        order_id,
        ..NewCharge::of(merchant, Cents(u64::from(cents)))
    }
}
