//! What shops, shoppers and merchants do with the server.

use std::net::IpAddr;

use bitpro_charge::{Cents, ChargeId, Judgement, Outpoint, Reason, Refusal, State};
use bitpro_server::charges::{
    ChargeOptions, CommandError, CreateError, LinkOutcome, LinkRequest, MerchantChanges, NewCharge,
};

use bitpro_server::limits::Client;

use super::node_outpoint;
use crate::sim::plot::{Act, By};
use crate::sim::world::{Accepted, Made, World, wallet_text};
use crate::sim::{Broken, broken, wallets};

/// Indices that are looked through for an address.
const INDICES: u32 = 2_600;

impl World {
    pub(super) fn by_people(&mut self, act: &Act) -> Result<(), Broken> {
        match *act {
            Act::Create {
                slot,
                shop,
                by,
                cents,
                order,
            } => self.create(slot, usize::from(shop), by, cents, order),
            Act::Crowd {
                slot,
                count,
                shop,
                cents,
            } => self.crowd(slot, count, usize::from(shop), cents),
            Act::Accept { slot, which, stale } => self.accept(slot, which, stale),
            Act::Cancel { slot, stale } => self.cancel(slot, stale),
            Act::Settings { shop, window, grace } => self.settings(usize::from(shop), window, grace),
            Act::Wallet { shop, wallet } => self.connect(usize::from(shop), usize::from(wallet)),
            _ => Ok(()),
        }
    }

    fn create(&mut self, slot: u16, shop: usize, by: By, cents: u32, order: u16) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let order_id = (order > 0).then(|| format!("order-{order}"));
        let merchant = self.shops[shop];
        let made = match by {
            By::Api => {
                let new = new_charge(merchant, cents, order_id);
                server.run(server.charges.create(new)).map(LinkOutcome::Made)
            }
            By::Link | By::Signed => server.run(server.charges.for_link(LinkRequest {
                merchant,
                price: Cents(u64::from(cents)),
                order_id,
                buyer_email: None,
                language: None,
                signed: by == By::Signed,
                client: client_of(slot),
                pressed: false,
                notes: Vec::new(),
            })),
        };
        match made {
            Ok(LinkOutcome::Made(id)) => {
                self.take(slot, shop, id, cents, order)?;
            }
            Ok(LinkOutcome::Paid(id)) => self.check_paid(id)?,
            Ok(LinkOutcome::Reused(id)) => self.check_reused(id)?,
            Ok(LinkOutcome::NeedsButton) => {}
            Err(error) => self.check_refused(&error)?,
        }
        self.after_step()
    }

    fn crowd(&mut self, slot: u16, count: u8, shop: usize, cents: u32) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let merchant = self.shops[shop];
        let creating = (0..count).map(|_| server.charges.create(new_charge(merchant, cents, None)));
        let made = server.run(futures::future::join_all(creating));
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
        self.charges.insert(slot, made);
        self.count("act: a charge was made");
        Ok(())
    }

    fn check_refused(&mut self, error: &CreateError) -> Result<(), Broken> {
        let is_expected = match error {
            CreateError::NoRate => self.around.rates.cents().is_none(),
            CreateError::IssuanceBlocked(_) | CreateError::Price(_) | CreateError::Terms(_) => true,
            CreateError::Store(_) => self.doomed,
            CreateError::UnknownMerchant | CreateError::NoDescriptor => false,
        };
        self.count("act: a charge was refused");
        if is_expected {
            Ok(())
        } else {
            broken("r39 a charge is refused without need", error.to_string())
        }
    }

    /// An order is closed only by money that matters (R22).
    fn check_paid(&mut self, id: ChargeId) -> Result<(), Broken> {
        self.count("act: a link led to a paid charge");
        let Some(made) = self.charges.values().find(|made| made.id == id).cloned() else {
            return Ok(());
        };
        let paid = self.paying.get(&made.script).into_iter().flatten();
        let dust = made.amount / 100;
        let net = self.net();
        let matters = paid.into_iter().any(|&(tid, _, value)| {
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
        let Some(server) = &self.server else { return Ok(()) };
        match server.run(server.charges.snapshot(id)) {
            Ok(Some(snapshot)) if snapshot.charge.state == State::Pending => Ok(()),
            Ok(Some(snapshot)) => broken(
                "r22 a charge that is not pending is shown again",
                snapshot.charge.state.to_string(),
            ),
            _ => Ok(()),
        }
    }

    fn accept(&mut self, slot: u16, which: u8, stale: bool) -> Result<(), Broken> {
        let (Some(server), Some(made)) = (&self.server, self.charges.get(&slot)) else {
            return Ok(());
        };
        let id = made.id;
        let Ok(Some(snapshot)) = server.run(server.charges.snapshot(id)) else {
            return Ok(());
        };
        let live = snapshot.charge.payments.iter().filter(|payment| payment.is_live());
        let named: Vec<_> = live
            .enumerate()
            .filter(|(n, _)| which >> (n % 8) & 1 == 1)
            .map(|(_, payment)| payment.outpoint)
            .collect();
        let sequence = snapshot.charge.sequence;
        // What is enough already is not made less by taking more (R14).
        let was_short = match snapshot.charge.state {
            State::Confirmed => false,
            State::Seen => snapshot.charge.reason == Some(Reason::Underpaid),
            State::Pending | State::Failed | State::TimedOut => true,
        };
        // What was not named may be waited for beside it; only what was named altogether is surely enough.
        let live = snapshot.charge.payments.iter().filter(|payment| payment.is_live());
        let was_short = was_short && live.into_iter().all(|payment| named.contains(&payment.outpoint));
        let old = if stale { sequence.wrapping_sub(1) } else { sequence };
        let answer = server.run(server.charges.accept(id, named.clone(), old));
        let now = self.server_now();
        match answer {
            Ok(_) if stale || named.is_empty() => {
                return broken("r14 a stale or empty command is taken", id.to_string());
            }
            Ok(after) => {
                self.count("act: payments were accepted");
                // Of a confirmed charge, what counts already is not taken.
                let is_taken = |outpoint: &Outpoint| {
                    snapshot.charge.state != State::Confirmed
                        || after
                            .charge
                            .payment(*outpoint)
                            .is_some_and(|payment| payment.judgement == Some(Judgement::ByHand))
                };
                let taken = named.into_iter().filter(is_taken);
                let outpoints = taken.map(node_outpoint).collect();
                if let Some(made) = self.charges.get_mut(&slot) {
                    made.accepted.push(Accepted {
                        at: now,
                        outpoints,
                        was_short,
                    });
                }
            }
            Err(CommandError::Refused(_)) if stale || named.is_empty() => {}
            Err(CommandError::Refused(Refusal::NothingToAccept)) if snapshot.charge.state == State::Confirmed => {}
            Err(CommandError::Store(_)) if self.doomed => {
                // It may have been done all the same; nobody can say.
                if let Some(made) = self.charges.get_mut(&slot) {
                    made.lost = true;
                }
            }
            Err(error) => return broken("r14 a command is refused", error.to_string()),
        }
        self.after_step()
    }

    fn cancel(&mut self, slot: u16, stale: bool) -> Result<(), Broken> {
        let (Some(server), Some(made)) = (&self.server, self.charges.get(&slot)) else {
            return Ok(());
        };
        let id = made.id;
        let Ok(Some(snapshot)) = server.run(server.charges.snapshot(id)) else {
            return Ok(());
        };
        let sequence = snapshot.charge.sequence;
        let old = if stale { sequence.wrapping_sub(1) } else { sequence };
        let may = !stale && snapshot.charge.state == State::Pending;
        let answer = server.run(server.charges.cancel(id, old));
        let now = self.server_now();
        match answer {
            Ok(_) if !may => return broken("r15 a charge is cancelled that must not be", id.to_string()),
            Ok(_) => {
                self.count("act: a charge was cancelled");
                if let Some(made) = self.charges.get_mut(&slot) {
                    made.cancelled = Some(now);
                }
            }
            Err(CommandError::Refused(_)) if !may => {}
            Err(CommandError::Store(_)) if self.doomed => {
                if let Some(made) = self.charges.get_mut(&slot) {
                    made.lost = true;
                }
            }
            Err(error) => return broken("r15 a command is refused", error.to_string()),
        }
        self.after_step()
    }

    /// Two pages are saved at once; both say that they are.
    fn settings(&mut self, shop: usize, window: u16, grace: u16) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let id = self.shops[shop];
        let change = |name: &str, value: u16| {
            let changes = MerchantChanges {
                settings: vec![(name.to_owned(), value.to_string())],
                ..MerchantChanges::default()
            };
            server.charges.change_merchant(id, changes)
        };
        let both = futures::future::join(change("window_secs", window), change("grace_secs", grace));
        let (first, second) = server.run(both);
        let kept = server.charges.merchant(id).map(|merchant| merchant.settings.clone());
        if let (Ok(()), Ok(()), Some(kept)) = (&first, &second, kept)
            && (kept.window_secs, kept.grace_secs) != (u32::from(window), u32::from(grace))
        {
            return broken(
                "r30 a setting that was saved is gone",
                format!("{} {}", kept.window_secs, kept.grace_secs),
            );
        }
        for error in [first.err(), second.err()].into_iter().flatten() {
            if !self.doomed {
                return broken("settings are refused", error.to_string());
            }
        }
        self.count("act: settings were changed");
        self.after_step()
    }

    fn connect(&mut self, shop: usize, wallet: usize) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let changes = MerchantChanges {
            wallet: Some(wallet_text(wallet)),
            ..MerchantChanges::default()
        };
        match server.run(server.charges.change_merchant(self.shops[shop], changes)) {
            Ok(()) => {
                self.wallets[shop] = wallet;
                self.count("act: a wallet was connected");
            }
            Err(_) if self.doomed => self.look_at_wallets(),
            Err(error) => return broken("a wallet is refused", error.to_string()),
        }
        self.after_step()
    }
}

/// Another client for nearly every charge.
fn client_of(slot: u16) -> Client {
    let [high, low] = slot.to_be_bytes();
    IpAddr::from([8, 8, high, low]).into()
}

fn new_charge(merchant: bitpro_charge::MerchantId, cents: u32, order_id: Option<String>) -> NewCharge {
    NewCharge {
        merchant,
        price: Cents(u64::from(cents)),
        order_id,
        buyer_email: None,
        metadata: None,
        language: None,
        options: ChargeOptions::default(),
    }
}
