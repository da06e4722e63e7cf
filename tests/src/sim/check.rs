//! When everything was observed, every charge must be what the model says; and some things must hold at every instant.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use bitcoin::OutPoint;
use bitpro_charge::{Charge, ChargeId, Event, State};
use bitpro_service::charges::{Filter, Snapshot};

use super::model::{Case, Pay, SLACK, Truth};
use super::net::Net;
use super::peer::Tid;
use super::server::URL;
use super::world::{Made, World};
use super::{Broken, broken, coverage};

impl World {
    /// Compares all charges with the truth, if there is a truth that the server could know.
    ///
    /// # Errors
    /// What is broken.
    pub fn check_all(&mut self) -> Result<(), Broken> {
        if !self.is_in_step() {
            return Ok(());
        }
        let all: Vec<Made> = self.charges.values().filter(|made| !made.lost).cloned().collect();
        for (made, snapshot) in all.iter().zip(self.snapshots(&all)?) {
            self.check_one(made, &snapshot.charge)?;
        }
        self.count("model: a look at all charges");
        Ok(())
    }

    /// The same by the list of charges, that is, as they are stored: cheaper when most are settled and in nobody's memory.
    ///
    /// # Errors
    /// What is broken.
    pub fn check_list(&mut self) -> Result<(), Broken> {
        if !self.is_in_step() {
            return Ok(());
        }
        let listed = self.listed()?;
        let all: Vec<Made> = self.charges.values().filter(|made| !made.lost).cloned().collect();
        for made in &all {
            match listed.get(&made.id) {
                Some(charge) => self.check_one(made, charge)?,
                None => return broken("r30 a charge is gone from the list", made.id.to_string()),
            }
        }
        self.count("model: a look at the list of charges");
        Ok(())
    }

    fn listed(&self) -> Result<HashMap<ChargeId, Charge>, Broken> {
        let server = self.server.as_ref().expect("only a running server is looked at");
        let mut listed = HashMap::new();
        let mut after = None;
        loop {
            let page = server.run(server.charges.list(Filter::default(), after, 100));
            let page = page.map_err(|error| Broken {
                what: "charges cannot be listed",
                how: error.to_string(),
            })?;
            listed.extend(page.charges.into_iter().map(|found| (found.charge.id, found.charge)));
            after = page.next;
            if after.is_none() {
                return Ok(listed);
            }
        }
    }

    /// A charge as the server has it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn snapshot(&self, id: ChargeId) -> Result<Arc<Snapshot>, Broken> {
        let server = self.server.as_ref().expect("only a running server is looked at");
        there(id, server.run(server.charges.snapshot(id)))
    }

    /// Charges as the server has them.
    fn snapshots(&self, all: &[Made]) -> Result<Vec<Arc<Snapshot>>, Broken> {
        let server = self.server.as_ref().expect("only a running server is looked at");
        server.run(async {
            let mut found = Vec::with_capacity(all.len());
            for made in all {
                found.push(there(made.id, server.charges.snapshot(made.id).await)?);
            }
            Ok(found)
        })
    }

    /// The log of a charge: when, and what.
    ///
    /// # Errors
    /// When it is not there.
    pub fn log(&self, id: ChargeId) -> Result<Vec<(i64, Event)>, Broken> {
        let server = self.server.as_ref().expect("only a running server is looked at");
        match server.run(server.charges.history(id)) {
            Ok(Some(log)) => Ok(log
                .into_iter()
                .map(|recorded| (recorded.at.0, recorded.event))
                .collect()),
            Ok(None) => broken("r30 a log is gone", id.to_string()),
            Err(error) => broken("a log cannot be read", error.to_string()),
        }
    }

    /// What a charge takes, at each of its events (R34).
    fn weigh(&mut self, charge: &Charge) -> Result<(), Broken> {
        if self.weighed.insert(charge.id, charge.sequence) == Some(charge.sequence) {
            return Ok(());
        }
        self.check_size(charge)
    }

    fn check_one(&mut self, made: &Made, charge: &Charge) -> Result<(), Broken> {
        self.weigh(charge)?;
        let pays = self.pays(made, charge.required);
        let accepted = self.accepted(made);
        self.check_rates(charge)?;
        self.check_silence(charge, self.heard)?;
        let mut case = Case {
            charge,
            now: self.server_now(),
            pays: &pays,
            missed_some: self
                .paying
                .get(&made.script)
                .is_some_and(|sent| sent.len() > pays.len()),
            accepted: &accepted,
            cancelled: made.cancelled.is_some(),
            confirmed: None,
            slack: self.slack(),
        };
        if let Err(suspected) = case.check() {
            // Whether it was once confirmed only its log says; it is read when it matters.
            let log = self.log(made.id)?;
            let confirmed = |(at, event): &(i64, Event)| {
                let is_so = matches!(event, Event::StateChanged { verdict, .. } if verdict.state == State::Confirmed);
                is_so.then_some(*at)
            };
            case.confirmed = log.iter().find_map(confirmed);
            case.check().map_err(|broken| Broken {
                how: format!(
                    "charge {}: {}\n  truth: {pays:?}\n  charge: {charge:?}",
                    made.id, broken.how
                ),
                ..broken
            })?;
            let _ = suspected;
        }
        Ok(())
    }

    /// How precisely the server's clock says when something was.
    #[must_use]
    pub const fn slack(&self) -> i64 {
        SLACK + self.plot.node_ahead.abs() + self.clock_trouble
    }

    /// At the end of a history: logs give the same charges as were live (R31).
    ///
    /// # Errors
    /// What is broken.
    pub fn check_logs(&mut self) -> Result<(), Broken> {
        let mut told = 0;
        let all: Vec<Made> = self.charges.values().filter(|made| !made.lost).cloned().collect();
        for made in &all {
            let live = self.snapshot(made.id)?;
            let log = self.log(made.id)?;
            let Charge {
                id,
                merchant,
                address,
                terms,
                ..
            } = live.charge.clone();
            let mut folded = Charge::new(id, merchant, address, terms);
            for (_, event) in &log {
                told += u64::from(matches!(event, Event::Announced { .. }));
                folded.apply(event);
                self.count(&name_of(event));
            }
            for rule in coverage::decided(&live.charge, &log) {
                self.count(rule);
            }
            if folded != live.charge {
                return broken(
                    "r31 the log does not give the charge",
                    format!("folded {folded:?}\n  live {:?}", live.charge),
                );
            }
            self.count(&format!("end: {} {:?}", live.charge.state, live.charge.reason));
        }
        self.check_shown(told)
    }

    /// Everything that was told can be fetched as it stood then (R19).
    fn check_shown(&self, told: u64) -> Result<(), Broken> {
        let server = self.server.as_ref().expect("only a running server is looked at");
        let mut shown = 0;
        for &shop in &self.shops {
            let mut after = 0;
            loop {
                let page = server.run(server.charges.events_after(shop, after, 100, URL));
                let page = page.map_err(|error| Broken {
                    what: "r19 what was told cannot be fetched",
                    how: error.to_string(),
                })?;
                let Some(last) = page.last() else { break };
                after = last.num;
                shown += u64::try_from(page.len()).expect("a page is short");
            }
        }
        if shown < told {
            return broken("r19 not all that was told can be fetched", format!("{shown} of {told}"));
        }
        Ok(())
    }

    fn accepted(&self, made: &Made) -> Vec<(bool, Vec<(Tid, u32)>)> {
        let net = self.net();
        let named = |outpoint: &OutPoint| Some((*net.registry.by_id.get(&outpoint.txid)?, outpoint.vout));
        let sets = made.accepted.iter();
        sets.map(|accepted| {
            (
                accepted.was_short,
                accepted.outpoints.iter().filter_map(named).collect(),
            )
        })
        .collect()
    }

    /// Since when a transaction is known to be so deep.
    fn deep_since(&self, net: &Net, tid: Tid, required: u32) -> Option<i64> {
        let required = if net.registry.txs[tid].tx.is_coinbase() {
            required.max(100)
        } else {
            required
        };
        let height = net.near.mined.get(&tid)? + required - 1;
        let first = self.sights[&tid].mined?;
        self.heights
            .iter()
            .find(|(at, seen)| *at >= first && *seen >= height)
            .map(|(at, _)| *at)
    }

    /// When the block was truly found that made a transaction so deep, if it is.
    fn deepened(net: &Net, tid: Tid, required: u32) -> Option<i64> {
        let required = if net.registry.txs[tid].tx.is_coinbase() {
            required.max(100)
        } else {
            required
        };
        let height = usize::try_from(net.near.mined.get(&tid)? + required - 1).expect("heights are small");
        let block = &net.registry.blocks[*net.near.active.get(height)?];
        // A block's reward is as old as the block.
        net.registry.txs[*block.tids.first()?].born
    }

    /// When the block before that of a transaction was truly found. What is first met in a block may be as old (R5), and the server may
    /// have known that block when the model could not look, as after a commit that was answered with an error.
    fn parent_found(net: &Net, tid: Tid) -> Option<i64> {
        let height = usize::try_from(net.near.mined.get(&tid)?.checked_sub(1)?).expect("heights are small");
        let block = &net.registry.blocks[*net.near.active.get(height)?];
        net.registry.txs[*block.tids.first()?].born
    }

    /// What truly paid a charge, of what was ever seen.
    fn pays(&self, made: &Made, required: u32) -> Vec<Pay> {
        let Some(outputs) = self.paying.get(&made.script) else {
            return Vec::new();
        };
        let seen: Vec<(Tid, u32, u64)> = outputs
            .iter()
            .copied()
            .filter(|(tid, ..)| self.sights.contains_key(tid))
            .collect();
        let net = self.net();
        let mut tids: Vec<Tid> = seen.iter().map(|(tid, ..)| *tid).collect();
        tids.dedup();
        let families = families(&net, &tids);
        seen.into_iter()
            .map(|(tid, vout, value)| {
                let sight = self.sights[&tid];
                let deepened = Self::deepened(&net, tid, required);
                let rivals = tids
                    .iter()
                    .copied()
                    .filter(|&other| other != tid && conflict(&net, tid, other));
                Pay {
                    tid,
                    vout,
                    value,
                    truth: truth(&net, tid),
                    after: match Self::parent_found(&net, tid) {
                        Some(found) if sight.mined == Some(sight.by) => sight.after.min(found),
                        _ => sight.after,
                    },
                    by: sight.by,
                    unmined: sight.unmined,
                    // The height may have been reached by a branch that is gone.
                    deep: self
                        .deep_since(&net, tid, required)
                        .map(|at| deepened.map_or(at, |found| at.max(found))),
                    deepened,
                    had_rival: had_rival(&net, tid),
                    reward: net.registry.txs[tid].tx.is_coinbase(),
                    family: families[&tid],
                    rivals: rivals.collect(),
                }
            })
            .collect()
    }
}

/// A charge that was looked for, if it was found.
fn there<E: Display>(id: ChargeId, found: Result<Option<Arc<Snapshot>>, E>) -> Result<Arc<Snapshot>, Broken> {
    match found {
        Ok(Some(snapshot)) => Ok(snapshot),
        Ok(None) => broken("r30 a charge is gone", id.to_string()),
        Err(error) => broken("a charge cannot be read", error.to_string()),
    }
}

/// Whether anything that anybody ever saw takes the place of a transaction, or of what it builds on.
fn had_rival(net: &Net, tid: Tid) -> bool {
    net.registry.inputs(tid).any(|input| {
        let mut rivals = net.registry.spenders[&input].iter().filter(|&&other| other != tid);
        let parent = net.registry.by_id.get(&input.txid);
        rivals.any(|&other| net.registry.txs[other].born.is_some())
            || parent.is_some_and(|&parent| had_rival(net, parent))
    })
}

fn conflict(net: &Net, one: Tid, other: Tid) -> bool {
    net.registry
        .inputs(one)
        .any(|input| net.registry.inputs(other).any(|same| same == input))
}

/// Transactions that share inputs, directly or through others among them.
fn families(net: &Net, tids: &[Tid]) -> HashMap<Tid, usize> {
    let mut family: HashMap<Tid, usize> = tids.iter().map(|&tid| (tid, tid)).collect();
    for (n, &one) in tids.iter().enumerate() {
        for &other in &tids[n + 1..] {
            if conflict(net, one, other) {
                let (from, to) = (family[&other], family[&one]);
                for name in family.values_mut().filter(|name| **name == from) {
                    *name = to;
                }
            }
        }
    }
    family
}

/// Where a transaction truly is, for our node.
fn truth(net: &Net, tid: Tid) -> Truth {
    if let Some(&height) = net.near.mined.get(&tid) {
        let tip = net.registry.blocks[net.near.tip()].height;
        return Truth::Mined(tip - height + 1);
    }
    if net.near.pool.contains_key(&tid) {
        return Truth::Waiting;
    }
    if net.registry.txs[tid].tx.is_coinbase() {
        return Truth::Unmade;
    }
    if is_impossible(net, tid) {
        Truth::Replaced
    } else {
        Truth::Floating
    }
}

/// Whether an input of it, or of an ancestor, is spent by another.
fn is_impossible(net: &Net, tid: Tid) -> bool {
    net.registry.inputs(tid).any(|input| {
        let spender = net.near.spent.get(&input).or_else(|| net.near.pool_spent.get(&input));
        // What stands in a block that was deleted nobody can show.
        let is_shown = |spender: &Tid| {
            net.near
                .mined
                .get(spender)
                .is_none_or(|height| *height >= net.kept_from)
        };
        if spender.is_some_and(|spender| *spender != tid && is_shown(spender)) {
            return true;
        }
        let parent = net.registry.by_id.get(&input.txid).copied();
        parent.is_some_and(|parent| {
            let is_made = net.near.mined.contains_key(&parent) || net.near.pool.contains_key(&parent);
            !is_made && is_impossible(net, parent)
        })
    })
}

/// What an event is called in the coverage.
fn name_of(event: &Event) -> String {
    match event {
        Event::PaymentLost { loss, .. } => format!("event: lost, {}", loss.as_str()),
        Event::Judged { judgement, .. } => format!("event: judged, {judgement:?}"),
        Event::Announced { announcement, .. } => format!("event: told, {}", announcement.as_str()),
        Event::StateChanged { verdict, .. } => match verdict.reason {
            Some(reason) => format!("event: {} {}", verdict.state, reason),
            None => format!("event: {}", verdict.state),
        },
        other => {
            let text = format!("{other:?}");
            let end = text.find([' ', '(', '{']).unwrap_or(text.len());
            format!("event: {}", &text[..end])
        }
    }
}
