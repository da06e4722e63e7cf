//! What each receiver must have been told (R17 to R20).

use std::collections::{BTreeMap, HashMap};

use bitpro_charge::{ChargeId, Event, State};

use super::receivers::{Heard, Mood};
use super::world::{World, subscriptions, url};
use super::{Broken, broken};

/// How a charge stands, whose it is, and what was announced of it.
type End = (State, usize, Vec<(u64, String)>);

impl World {
    /// Looks through what the receivers were told, once nothing is to be told any more.
    ///
    /// # Errors
    /// What is broken.
    pub fn check_told(&mut self) -> Result<(), Broken> {
        let mut ends: HashMap<ChargeId, End> = HashMap::new();
        for made in self.charges.values().filter(|made| !made.lost) {
            let snapshot = self.snapshot(made.id)?;
            let log = self.log(made.id)?;
            let mut sequence = 0;
            let told = log.iter().filter_map(|(_, event)| {
                sequence = event.number_after(sequence);
                match event {
                    Event::Announced { announcement, .. } => Some((sequence, announcement.as_str().to_owned())),
                    _ => None,
                }
            });
            ends.insert(made.id, (snapshot.charge.state, made.shop, told.collect()));
        }
        for shop in 0..self.shops.len() {
            for (number, kinds) in subscriptions() {
                let receiver = &self.receivers.0[&url(shop, number)];
                let mut by_charge: BTreeMap<[u8; 16], Vec<&Heard>> = BTreeMap::new();
                for heard in &receiver.heard {
                    by_charge.entry(heard.charge.0).or_default().push(heard);
                }
                for (id, (state, owner, told)) in &ends {
                    if *owner != shop {
                        continue;
                    }
                    let heard = by_charge.remove(&id.0).unwrap_or_default();
                    let is_calm = receiver.mood == Mood::Well;
                    check_url(
                        &receiver.url,
                        *id,
                        *state,
                        &heard,
                        told,
                        &kinds,
                        is_calm,
                        self.was_restored(),
                        receiver.was_gone,
                    )?;
                }
            }
        }
        let heard = self.receivers.0.values().flat_map(|receiver| &receiver.heard);
        let again = heard.filter(|one| one.attempt > 1).count();
        for _ in 0..again {
            self.count("R19");
        }
        self.count("model: a look at all receivers");
        Ok(())
    }

    /// Whether a backup was ever put back.
    pub(super) fn was_restored(&self) -> bool {
        self.tally.contains_key("act: a backup was restored")
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one place compares all that is known of one charge at one receiver"
)]
fn check_url(
    url: &str,
    id: ChargeId,
    state: State,
    heard: &[&Heard],
    told: &[(u64, String)],
    kinds: &[&str],
    is_calm: bool,
    was_restored: bool,
    was_gone: bool,
) -> Result<(), Broken> {
    let how = |what: &str| {
        let list: Vec<String> = heard
            .iter()
            .map(|one| format!("{}#{}", one.kind, one.sequence))
            .collect();
        format!("{what}; charge {id} at {url}: told {told:?}, heard {list:?}")
    };
    let mut once: BTreeMap<u64, &Heard> = BTreeMap::new();
    for &one in heard {
        if !kinds.contains(&one.kind.as_str()) {
            return broken("r18 told what was not asked for", how(&one.kind));
        }
        if !was_restored
            && !told
                .iter()
                .any(|(sequence, kind)| *sequence == one.sequence && *kind == one.kind)
        {
            return broken("r17 told what never was", how(&one.event));
        }
        if let Some(before) = once.insert(one.sequence, one)
            && before.event != one.event
            && !was_restored
        {
            return broken("r17 one event has two ids", how(&one.event));
        }
    }
    if !was_gone {
        check_order(heard, &how)?;
    }
    let mut last: Option<&str> = None;
    for one in once.values() {
        let kind = one.kind.as_str();
        if kind == "charge:updated" {
            continue;
        }
        let is_yes = matches!(kind, "charge:seen" | "charge:confirmed");
        let repeats = last == Some(kind) || kind == "charge:seen" && last == Some("charge:confirmed");
        if is_yes && repeats && !was_restored {
            return broken("r17 told twice without the loss between", how(kind));
        }
        last = Some(kind);
    }
    let ended = matches!(state, State::Failed | State::TimedOut);
    if is_calm && ended && matches!(last, Some("charge:seen" | "charge:confirmed")) {
        return broken("r17 left with a stale yes", how(&format!("it is {state}")));
    }
    let is_told_of_losses = kinds.contains(&"charge:reverted");
    if is_calm && is_told_of_losses && state != State::Confirmed && last == Some("charge:confirmed") {
        return broken(
            "r17 left with a confirmation that is none",
            how(&format!("it is {state}")),
        );
    }
    if is_calm && state == State::Confirmed && last != Some("charge:confirmed") {
        return broken("r17 never told that it is confirmed", how(&format!("it is {state}")));
    }
    if is_calm && kinds.len() == 6 && !was_restored {
        let missing = told.iter().find(|(sequence, _)| !once.contains_key(sequence));
        if let Some((sequence, kind)) = missing {
            return broken("r19 never told", how(&format!("{kind} at {sequence}")));
        }
    }
    Ok(())
}

/// A newer event waits for an older one until that has failed three times (R19).
fn check_order(heard: &[&Heard], how: &impl Fn(&str) -> String) -> Result<(), Broken> {
    let mut failures: HashMap<u64, u64> = HashMap::new();
    let mut taken: Vec<u64> = Vec::new();
    for one in heard {
        let older = heard
            .iter()
            .map(|other| other.sequence)
            .filter(|&older| older < one.sequence);
        for older in older {
            let may_overtake = taken.contains(&older) || failures.get(&older).is_some_and(|count| *count >= 3);
            if !may_overtake && !taken.contains(&one.sequence) {
                return broken(
                    "r19 a newer event overtakes",
                    how(&format!("{} before {older}", one.sequence)),
                );
            }
        }
        if one.taken {
            taken.push(one.sequence);
        } else {
            *failures.entry(one.sequence).or_default() += 1;
        }
    }
    Ok(())
}
