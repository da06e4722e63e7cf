//! Every event reaches the merchant at least once, in the order of its charge at each URL, and none is invented.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::eventually;
use bitpro_tests::receiver::Received;
use serde_json::Value;

use super::kept::Kept;
use crate::world::{ALL, FOUR, World};

/// What the suite remembers of events: a restored backup takes some away that were told, and no check may forget that.
#[derive(Debug, Default)]
pub struct Told {
    /// All that `/mapi/events` gave, in its order.
    events: Vec<Value>,
    cursor: Option<String>,
    /// Deliveries that came before the last restore.
    before_restore: usize,
    /// Events that must have come since then, by where they begin.
    events_before_restore: usize,
}

impl Told {
    /// Notes that a backup was restored: what it does not hold may be told anew under other ids, and what was told before stays told.
    pub fn was_restored(&mut self, received: usize, kept: &Kept) {
        self.events.clear();
        self.cursor = None;
        self.before_restore = received;
        self.events_before_restore = kept.outbox.len();
    }
}

/// Compares what arrived with what was decided.
///
/// # Errors
/// What is missing, out of order, or invented.
pub async fn is_told(world: &mut World) -> Result<()> {
    read_events(world).await?;
    let database = world.app.database();
    eventually("every delivery to come to its end", async || {
        let kept = Kept::read(&database).await?;
        ensure!(kept.pending == 0, "{} are pending", kept.pending);
        Ok(())
    })
    .await?;
    let kept = Kept::read(&database).await?;
    let listed: Vec<&str> = world.told.events.iter().map(id).collect();
    let outbox: Vec<&str> = kept.outbox.iter().map(|row| row.id.as_str()).collect();
    ensure!(
        listed == outbox,
        "the API lists {} events, {} are to be told",
        listed.len(),
        outbox.len()
    );
    let received = world.receiver.received().split_off(world.told.before_restore);
    let fresh = &world.told.events[world.told.events_before_restore..];
    let known: HashMap<&str, &Value> = world.told.events.iter().map(|event| (id(event), event)).collect();
    for (path, kinds) in [(ALL, None), (FOUR, Some(FOUR_KINDS))] {
        let at_path: Vec<&Received> = received.iter().filter(|one| one.path == path).collect();
        let is_chosen = |event: &&Value| kinds.is_none_or(|kinds| kinds.contains(&kind(event)));
        let chosen: Vec<&Value> = fresh.iter().filter(is_chosen).collect();
        is_told_at(&at_path, &chosen, &known, kinds.is_none()).with_context(|| format!("at {path}"))?;
    }
    Ok(())
}

const FOUR_KINDS: [&str; 4] = ["charge:seen", "charge:confirmed", "charge:timedout", "charge:failed"];

fn is_told_at(received: &[&Received], chosen: &[&Value], known: &HashMap<&str, &Value>, hears_all: bool) -> Result<()> {
    let mut told = HashSet::new();
    let mut by_charge: BTreeMap<&str, Vec<&Received>> = BTreeMap::new();
    for one in received {
        let event = known
            .get(one.event())
            .with_context(|| format!("an event was invented: {}", one.json))?;
        ensure!(
            one.json["event"] == **event,
            "{} was told, {event} was decided",
            one.json["event"]
        );
        if told.insert(one.event()) {
            by_charge.entry(one.charge()).or_default().push(one);
        }
    }
    for (charge, heard) in &by_charge {
        let sequences: Vec<Option<u64>> = heard.iter().map(|one| sequence(&one.json["event"])).collect();
        ensure!(
            sequences.is_sorted_by(|a, b| a < b),
            "charge {charge} was told out of order: {sequences:?}"
        );
        is_no_second_yes(heard).with_context(|| format!("charge {charge}"))?;
    }
    // Whoever hears of every loss is told everything; an old integration is spared a second yes that it would take for another.
    let has_heard = |event: &Value| {
        let of_charge = event["data"]["id"].as_str().and_then(|charge| by_charge.get(charge));
        of_charge.is_some_and(|heard| heard.iter().any(|one| one.kind() == kind(event)))
    };
    let is_spared = |event: &Value| ["charge:seen", "charge:confirmed"].contains(&kind(event)) && has_heard(event);
    let missing: Vec<&&Value> = chosen
        .iter()
        .filter(|event| !told.contains(id(event)) && (hears_all || !is_spared(event)))
        .collect();
    ensure!(
        missing.is_empty(),
        "{} events were never told: {:?}",
        missing.len(),
        missing.first()
    );
    Ok(())
}

/// No URL is told `seen` or `confirmed` twice, unless it was told of the loss between (R17).
fn is_no_second_yes(heard: &[&Received]) -> Result<()> {
    for yes in ["charge:seen", "charge:confirmed"] {
        let mut stands = false;
        for one in heard {
            match one.kind() {
                kind if kind == yes => {
                    ensure!(
                        !stands,
                        "{yes} twice: {:?}",
                        heard.iter().map(|one| one.kind()).collect::<Vec<_>>()
                    );
                    stands = true;
                }
                "charge:reverted" | "charge:failed" | "charge:timedout" => stands = false,
                _ => {}
            }
        }
    }
    Ok(())
}

async fn read_events(world: &mut World) -> Result<()> {
    loop {
        let after = world.told.cursor.as_ref().map(|cursor| format!("&after={cursor}"));
        let target = format!("/mapi/events?per_page=100{}", after.unwrap_or_default());
        let page = world.api.get(&world.app, &target).await?.is(200)?;
        let events = page.body["events"].as_array().context("no events")?;
        world.told.events.extend(events.iter().cloned());
        world.told.cursor = page.body["next_cursor"].as_str().map(str::to_owned);
        if page.body["has_more"] != true {
            return Ok(());
        }
    }
}

fn id(event: &Value) -> &str {
    event["id"].as_str().unwrap_or_default()
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap_or_default()
}

fn sequence(event: &Value) -> Option<u64> {
    event["data"]["sequence"].as_u64()
}
