//! What merchants do with the server.

use bitpro_charge::{Judgement, Outpoint, Reason, Refusal, State};
use bitpro_merchant::SettingsPatch;
use bitpro_service::charges::{CommandError, MerchantChanges};

use super::node_outpoint;
use crate::sim::plot::Act;
use crate::sim::world::{Accepted, World, wallet_text};
use crate::sim::{Broken, broken};

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
            Err(CommandError::ChainHeld) if server.charges.is_chain_held() => {
                self.count("act: nothing was accepted while the chain was held");
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
            Err(CommandError::ChainHeld) if server.charges.is_chain_held() => {
                self.count("act: nothing was cancelled while the chain was held");
            }
            Err(error) => return broken("r15 a command is refused", error.to_string()),
        }
        self.after_step()
    }

    /// Two pages are saved at once; both say that they are.
    fn settings(&mut self, shop: usize, window: u16, grace: u16) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let id = self.shops[shop];
        let change = |settings: SettingsPatch| {
            let changes = MerchantChanges {
                settings,
                ..MerchantChanges::default()
            };
            server.charges.change_merchant(id, changes)
        };
        let window_change = SettingsPatch {
            window_secs: Some(window.into()),
            ..SettingsPatch::default()
        };
        let grace_change = SettingsPatch {
            grace_secs: Some(grace.into()),
            ..SettingsPatch::default()
        };
        let both = futures::future::join(change(window_change), change(grace_change));
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
        self.count("R30");
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
                self.take_wallet(shop, wallet);
                self.count("act: a wallet was connected");
            }
            Err(_) if self.doomed => self.look_at_wallets(),
            Err(error) => return broken("a wallet is refused", error.to_string()),
        }
        self.after_step()
    }
}
