//! What beside its state must be right of a charge and of a shop: what a charge takes, which rate a payment has, and how long the
//! run of unpaid addresses is.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::ScriptBuf;
use bitpro_charge::{Charge, Txid};

use super::act::bitcoin_id;
use super::peer::Tid;
use super::world::{Made, World};
use super::{Broken, broken, wallets};

/// What a charge may take of memory and log for each of its payments, in characters of its print-out (R34).
const PER_PAYMENT: usize = 3_000;
/// So many payments of one transaction a charge keeps apart (R34).
const APART: usize = 100;
/// So long a rate is that of a moment, and so far may a miner's clock have moved what is said of that moment, in milliseconds.
const RATE_ERROR: i64 = 120_000 + 3_600_000;
/// Indices that are looked through for an address.
const INDICES: u32 = 2_600;

impl World {
    /// While our node has no peers, nothing is concluded from what it does not hear (R4).
    pub(super) fn check_cut_off(&self) -> Result<(), Broken> {
        let (Some(since), Some(_)) = (self.cut_off, &self.server) else {
            return Ok(());
        };
        for made in self.charges.values().filter(|made| !made.lost) {
            self.check_silence(&self.snapshot(made.id)?.charge, since)?;
        }
        Ok(())
    }

    /// No deadline is observed beyond what our node could hear (R4).
    pub(super) fn check_silence(&self, charge: &Charge, heard: i64) -> Result<(), Broken> {
        if charge.deadline_observed && !charge.cancelled && charge.deadline.0 > heard + self.slack() {
            return broken(
                "r04 a deadline is concluded from silence",
                format!(
                    "charge {}: deadline {}, and nothing was heard since {heard}",
                    charge.id, charge.deadline.0
                ),
            );
        }
        Ok(())
    }

    /// What a charge takes grows with its payments, and with nothing else (R34).
    pub(super) fn check_size(&self, charge: &Charge) -> Result<(), Broken> {
        let printed = format!("{charge:?}").len();
        if printed > PER_PAYMENT * (charge.payments.len() + 2) {
            return broken(
                "r34 a charge takes more than its payments are worth",
                format!("{printed} characters for {} payments", charge.payments.len()),
            );
        }
        let mut apart: BTreeMap<Txid, usize> = BTreeMap::new();
        for payment in &charge.payments {
            *apart.entry(payment.outpoint.txid).or_default() += 1;
        }
        if let Some((txid, count)) = apart.iter().find(|(_, count)| **count > APART) {
            return broken(
                "r34 a transaction takes more of a charge than it may",
                format!("{count} payments of {txid}"),
            );
        }
        // Each input takes the place of one transaction at the most, for what that one replaced is known from itself.
        let names: usize = charge.payments.iter().map(|payment| payment.replaced.len()).sum();
        let net = self.net();
        let inputs = apart.keys().filter_map(|&txid| {
            let tid = net.registry.by_id.get(&bitcoin_id(txid))?;
            Some(net.registry.inputs(*tid).count())
        });
        let inputs: usize = inputs.sum();
        if names > inputs {
            return broken(
                "r34 what was replaced is named over and over",
                format!("{names} names of what {inputs} inputs replaced"),
            );
        }
        Ok(())
    }

    /// From now on a bitcoin costs so many cents; at none there is no market.
    pub(super) fn set_rate(&mut self, cents: u64) {
        self.around.rates.set(cents);
        self.market.push((self.around.clock.truth(), cents));
    }

    /// A payment has the rate of the moment at which it was first seen, or none (R44).
    pub(super) fn check_rates(&self, charge: &Charge) -> Result<(), Broken> {
        for payment in &charge.payments {
            let Some(quote) = &payment.rate else { continue };
            let cents = quote.rate.cents_per_btc();
            let from = payment.first_seen.earliest.0 - RATE_ERROR - self.slack();
            let to = payment.first_seen.latest.0 + RATE_ERROR + self.slack();
            let before = self.market.iter().rfind(|(at, _)| *at <= from);
            let since = self.market.iter().filter(|(at, _)| *at > from && *at <= to);
            if !before.into_iter().chain(since).any(|(_, then)| *then == cents) {
                return broken(
                    "r44 a payment has the rate of another time",
                    format!(
                        "{cents} cents, first seen from {} to {}; the market: {:?}",
                        payment.first_seen.earliest.0, payment.first_seen.latest.0, self.market
                    ),
                );
            }
        }
        Ok(())
    }

    /// The run of unpaid addresses begins above the last that a block has paid, and is not ended by what was taken back (R26).
    pub(super) fn check_gaps(&self) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        // A block that has left the chain since counts as well, and an address that nobody was given yet.
        let mined: BTreeSet<Tid> = {
            let net = self.net();
            let all = net.registry.blocks.iter().flat_map(|block| &block.tids);
            all.copied().collect()
        };
        let paid = self.paying.iter();
        let paid = paid.filter(|(_, outputs)| outputs.iter().any(|(tid, ..)| mined.contains(tid)));
        let places: Vec<(usize, u32)> = paid
            .filter_map(|(script, _)| wallets::index_of(script, INDICES))
            .collect();
        let highest = |all: Vec<u32>| all.into_iter().max().map_or(-1, i64::from);
        for (shop, &id) in self.shops.iter().enumerate() {
            let Ok(report) = server.run(server.charges.merchant_report(id)) else {
                continue;
            };
            let wallet = self.wallets[shop];
            let run = i64::from(report.unpaid_run);
            let next = report.next_index.map_or(0, i64::from);
            let made = self
                .charges
                .values()
                .filter(|made| made.place.0 == wallet && !made.lost);
            let given = highest(made.clone().map(|made| made.place.1).collect());
            let once = highest(
                places
                    .iter()
                    .filter(|(of, _)| *of == wallet)
                    .map(|(_, index)| *index)
                    .collect(),
            );
            let told = |paid: i64| {
                format!("wallet {wallet}: a run of {run} below {next}, {given} was given out, {paid} was paid")
            };
            if run < given - once {
                return broken(
                    "r26 a run of unpaid addresses ends by what no block has paid",
                    told(once),
                );
            }
            let is_there = |made: &&Made| self.is_in_chain(&made.script);
            let now = highest(made.filter(is_there).map(|made| made.place.1).collect());
            if now >= 0 && run > next - 1 - now {
                return broken("r26 a run of unpaid addresses goes on over a paid one", told(now));
            }
        }
        Ok(())
    }

    /// Whether a block of the best chain pays a script.
    fn is_in_chain(&self, script: &ScriptBuf) -> bool {
        let net = self.net();
        let outputs = self.paying.get(script).into_iter().flatten();
        outputs.into_iter().any(|(tid, ..)| net.near.mined.contains_key(tid))
    }
}
