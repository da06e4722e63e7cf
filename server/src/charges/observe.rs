//! A change of view becomes decisions: the whole of it in one unit (R2).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{
    Amount, BlockRef, Context, Gone, Interval, MerchantId, Observation, Outpoint, Quote, Sighting, Timestamp, Txid,
    Whereabouts, decide,
};

use super::sighted::{Sighted, SightedOutput};
use super::{Inner, ObserveError};
use crate::node::view::{LostTx, ScriptId, Tip, View};
use crate::store::{Batch, DescriptorId, Snapshot, StoreError, StoredTx, Tx, TxPlace};

/// A transaction this deep is not followed any more (R34).
const FOLLOWED_DEPTH: u32 = 144;
/// How far the stored instant may lag behind the one in memory, for each is a commit: it is read from the node again at a
/// start.
const UNTIL_LAG_MILLIS: i64 = 30_000;

/// A view, checked as far as it can be without the writer.
struct Sight {
    tip: Tip,
    fork_height: u32,
    connected: Vec<BlockRef>,
    transactions: Vec<Sighted>,
    gone: Vec<LostTx>,
    observed_until: Timestamp,
    now: Timestamp,
    rate: Option<Quote>,
}

/// What a view means for one charge.
#[derive(Default)]
struct Concern {
    sightings: Vec<Sighting>,
    gone: Vec<Gone>,
}

type Concerns = BTreeMap<i64, Concern>;

impl Inner {
    pub(super) async fn observe(&self, view: View) -> Result<(), ObserveError> {
        let now = self.now();
        let sight = Sight {
            tip: view.tip,
            fork_height: view.fork_height,
            connected: view.connected,
            transactions: view.transactions.into_iter().filter_map(Sighted::read).collect(),
            gone: view.gone,
            observed_until: view.observed_until,
            now,
            rate: self.rates.fresh(now),
        };
        self.store
            .write(move |tx| Box::pin(async move { apply(tx, sight).await }))
            .await
    }
}

async fn apply(tx: &mut Tx, sight: Sight) -> Result<(), ObserveError> {
    let stored = check_continuity(tx, &sight).await?;
    let observed_until = sight.observed_until.max(tx.memory().observed_until());
    let has_moved = sight.tip.block != stored.block;

    let mut charges = HashMap::new();
    let mut concerns = Concerns::new();
    take_in_transactions(tx, &sight, &mut charges, &mut concerns).await?;
    take_in_losses(tx, &sight, &mut concerns).await?;

    let mut deepened = HashSet::new();
    if has_moved {
        deepened = moved_by_depth(tx, stored.block.height, sight.tip.block.height);
        for &num in &deepened {
            concerns.entry(num).or_default();
        }
    }
    for num in tx.memory().due_by(observed_until) {
        concerns.entry(num).or_default();
    }

    if has_moved {
        tx.move_chain(sight.fork_height, &sight.connected, sight.tip, observed_until)
            .await?;
        end_following(tx, sight.tip.block.height).await?;
    }
    let has_decided = conclude(tx, &sight, observed_until, charges, concerns, &deepened).await?;
    if !has_moved {
        let lag = observed_until.0.saturating_sub(tx.memory().stored_until().0);
        let store = has_decided || lag >= UNTIL_LAG_MILLIS;
        tx.observe_until(sight.tip, observed_until, store).await?;
    }
    Ok(())
}

/// The view must continue what is stored, with more work when it moves the chain (R6). The stored tip.
async fn check_continuity(tx: &mut Tx, sight: &Sight) -> Result<Tip, ObserveError> {
    let stored = tx.memory().tip().ok_or(ObserveError::NotContinuing)?;
    if sight.connected.is_empty() {
        let is_same = sight.tip.block == stored.block && sight.fork_height == stored.block.height;
        return if is_same {
            Ok(stored)
        } else {
            Err(ObserveError::NotContinuing)
        };
    }
    let mut height = sight.fork_height;
    for block in &sight.connected {
        height = height.saturating_add(1);
        if block.height != height {
            return Err(ObserveError::NotContinuing);
        }
    }
    let is_fork_known = sight.fork_height <= stored.block.height && tx.block_at(sight.fork_height).await?.is_some();
    if !is_fork_known || sight.connected.last() != Some(&sight.tip.block) {
        return Err(ObserveError::NotContinuing);
    }
    if sight.tip.work <= stored.work {
        return Err(ObserveError::LessWork);
    }
    Ok(stored)
}

/// Which charge each output pays; outputs to scripts that were never given out are not among them.
async fn resolve(
    tx: &mut Tx,
    transactions: &[Sighted],
    charges: &mut HashMap<i64, Arc<Snapshot>>,
) -> Result<HashMap<ScriptId, Arc<Snapshot>>, StoreError> {
    let mut found: HashMap<ScriptId, Arc<Snapshot>> = HashMap::new();
    let mut missing = Vec::new();
    for output in transactions.iter().flat_map(|sighted| &sighted.outputs) {
        match tx.memory().charge_of_script(output.script) {
            Some(charge) => {
                found.insert(output.script, Arc::clone(charge));
            }
            None => missing.push(output.script),
        }
    }
    missing.sort_unstable();
    missing.dedup();
    for charge in tx.settled_charges_of(&missing).await? {
        found.insert(charge.script, charge);
    }
    missing.retain(|script| !found.contains_key(script));
    note_early_money(tx, transactions, &missing).await?;
    for charge in found.values() {
        verify(tx, charge)?;
        tx.note_used(charge.descriptor, charge.index);
        charges.insert(charge.num, Arc::clone(charge));
    }
    Ok(found)
}

/// The writer's own check that a charge's script follows from its descriptor: money to a script that another hand wrote
/// into the database confirms nothing.
fn verify(tx: &Tx, charge: &Snapshot) -> Result<(), StoreError> {
    if charge.verified.get() {
        return Ok(());
    }
    let issuer = tx.memory().issuer(charge.descriptor);
    let derived = issuer.and_then(|issuer| issuer.receive.derive(charge.index));
    if derived.is_some_and(|derived| derived.script[..] == *charge.script_pubkey) {
        charge.verified.set();
        return Ok(());
    }
    Err(StoreError::Damaged(format!(
        "the address of charge {} does not follow from its descriptor",
        charge.charge.id
    )))
}

/// Scripts without a charge: one of the look-ahead that receives money is never given out, and whatever receives money
/// ends the run of unpaid addresses (R26, R27).
async fn note_early_money(tx: &mut Tx, transactions: &[Sighted], ids: &[ScriptId]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let outputs = || transactions.iter().flat_map(|sighted| &sighted.outputs);
    let mut skipped: HashMap<DescriptorId, Vec<ScriptId>> = HashMap::new();
    for (id, descriptor, index, script) in tx.scripts(ids).await? {
        if !outputs().any(|output| output.script == id && output.script_pubkey == script) {
            continue;
        }
        tx.note_used(descriptor, index);
        if tx.memory().issuer(descriptor).is_some_and(|issuer| issuer.is_ahead(id)) {
            skipped.entry(descriptor).or_default().push(id);
        }
    }
    for (descriptor, scripts) in skipped {
        tx.skip(descriptor, &scripts).await?;
    }
    Ok(())
}

/// The charge that an output pays. Where the watch map met another script, the whole script decides.
async fn charge_paid_by<'f>(
    tx: &mut Tx,
    output: &SightedOutput,
    found: &'f mut HashMap<ScriptId, Arc<Snapshot>>,
    charges: &mut HashMap<i64, Arc<Snapshot>>,
) -> Result<Option<&'f Arc<Snapshot>>, StoreError> {
    let is_right = |charge: &Arc<Snapshot>| charge.script_pubkey[..] == output.script_pubkey[..];
    if found.get(&output.script).is_some_and(is_right) {
        return Ok(found.get(&output.script));
    }
    // Nearly always a look-ahead's script: no charge has it.
    let Some(script) = tx.script(&output.script_pubkey).await? else {
        return Ok(None);
    };
    if script != output.script && !found.contains_key(&script) {
        let charge = match tx.memory().charge_of_script(script) {
            Some(charge) => Some(Arc::clone(charge)),
            None => tx.settled_charges_of(&[script]).await?.pop(),
        };
        if let Some(charge) = charge {
            verify(tx, &charge)?;
            charges.insert(charge.num, Arc::clone(&charge));
            found.insert(script, charge);
        }
    }
    Ok(found.get(&script))
}

async fn take_in_transactions(
    tx: &mut Tx,
    sight: &Sight,
    charges: &mut HashMap<i64, Arc<Snapshot>>,
    concerns: &mut Concerns,
) -> Result<(), StoreError> {
    let mut found = resolve(tx, &sight.transactions, charges).await?;
    let mut new = Vec::new();
    let mut moved = Vec::new();
    for sighted in &sight.transactions {
        let mut paid: Vec<(&SightedOutput, Arc<Snapshot>)> = Vec::new();
        for output in &sighted.outputs {
            if let Some(charge) = charge_paid_by(tx, output, &mut found, charges).await? {
                paid.push((output, Arc::clone(charge)));
            }
        }
        if paid.is_empty() {
            continue;
        }
        let place = place_of(tx, sighted, &paid);
        sight_outputs(tx, sight, &place, &paid, concerns, sighted);
        match tx.memory().followed(place.txid) {
            None => new.push(StoredTx {
                place,
                raw: sighted.tx.raw.clone(),
            }),
            Some(known) if **known != place => moved.push(Arc::new(place)),
            Some(_) => {}
        }
    }
    if !new.is_empty() {
        tx.insert_txs(new).await?;
    }
    if !moved.is_empty() {
        tx.move_txs(moved).await?;
    }
    Ok(())
}

/// The transaction as it is to be stored: where it is now, with what was recorded at first sight.
fn place_of(tx: &Tx, sighted: &Sighted, paid: &[(&SightedOutput, Arc<Snapshot>)]) -> TxPlace {
    let known = tx.memory().followed(sighted.tx.txid);
    TxPlace {
        txid: sighted.tx.txid,
        inputs: sighted.tx.inputs.clone(),
        ancestor_inputs: known.map_or_else(
            || sighted.tx.ancestor_inputs.clone(),
            |known| known.ancestor_inputs.clone(),
        ),
        coinbase: sighted.tx.coinbase,
        whereabouts: Whereabouts::Live(sighted.tx.place),
        lost_at: None,
        replaced_by: None,
        first_seen: known.map_or(sighted.tx.first_seen, |known| {
            Interval::min(known.first_seen, sighted.tx.first_seen)
        }),
        pays: paid.iter().map(|(output, charge)| (output.vout, charge.num)).collect(),
    }
}

fn sight_outputs(
    tx: &Tx,
    sight: &Sight,
    place: &TxPlace,
    paid: &[(&SightedOutput, Arc<Snapshot>)],
    concerns: &mut Concerns,
    sighted: &Sighted,
) {
    let mut totals: HashMap<MerchantId, u64> = HashMap::new();
    for (output, charge) in paid {
        let total = totals.entry(charge.charge.merchant).or_default();
        *total = total.saturating_add(output.value.to_sat());
    }
    let conflicts = if place.coinbase {
        Vec::new()
    } else {
        tx.conflicts(place.txid, &place.inputs)
    };
    for (output, charge) in paid {
        concerns.entry(charge.num).or_default().sightings.push(Sighting {
            outpoint: Outpoint {
                txid: place.txid,
                vout: output.vout,
            },
            value: output.value,
            place: sighted.tx.place,
            first_seen: place.first_seen,
            coinbase: place.coinbase,
            merchant_total: Amount::from_sat(totals[&charge.charge.merchant]),
            conflicts: conflicts.clone(),
            rate: sight.rate.clone(),
        });
    }
}

async fn take_in_losses(tx: &mut Tx, sight: &Sight, concerns: &mut Concerns) -> Result<(), StoreError> {
    let seen: HashSet<Txid> = sight.transactions.iter().map(|sighted| sighted.tx.txid).collect();
    let mut moved = Vec::new();
    for lost in &sight.gone {
        // What is both removed and there is there (R2).
        if seen.contains(&lost.txid) {
            continue;
        }
        for (vout, num) in tx.pays(lost.txid).await? {
            concerns.entry(num).or_default().gone.push(Gone {
                outpoint: Outpoint { txid: lost.txid, vout },
                loss: lost.loss,
            });
        }
        if let Some(known) = tx.memory().followed(lost.txid) {
            moved.push(Arc::new(TxPlace {
                whereabouts: Whereabouts::Gone(lost.loss),
                lost_at: Some(sight.tip.block.height),
                replaced_by: lost.replaced_by,
                ..TxPlace::clone(known)
            }));
        }
    }
    if !moved.is_empty() {
        tx.move_txs(moved).await?;
    }
    Ok(())
}

/// The charges that a move of the tip alone may move: those not deep yet, and after a reorg to a lower height those that
/// were.
fn moved_by_depth(tx: &Tx, before: u32, after: u32) -> HashSet<i64> {
    let mut nums: HashSet<i64> = tx.memory().shallow().collect();
    if after < before {
        let followed = tx.memory().all_followed();
        nums.extend(followed.flat_map(|place| &place.pays).map(|&(_, num)| num));
    }
    nums
}

async fn end_following(tx: &mut Tx, tip: u32) -> Result<(), StoreError> {
    let is_deep = |place: &&Arc<TxPlace>| {
        let since = match place.whereabouts {
            Whereabouts::Live(bitpro_charge::Place::Block(block)) => Some(block.height),
            Whereabouts::Live(bitpro_charge::Place::Mempool) => None,
            Whereabouts::Gone(_) => place.lost_at,
        };
        since.is_some_and(|since| (tip + 1).saturating_sub(since) >= FOLLOWED_DEPTH)
    };
    let deep: Vec<Txid> = tx
        .memory()
        .all_followed()
        .filter(is_deep)
        .map(|place| place.txid)
        .collect();
    if deep.is_empty() {
        return Ok(());
    }
    tx.leave_txs(&deep).await
}

/// Decides for every charge that the view concerns, and stores what was decided. Whether anything was.
async fn conclude(
    tx: &mut Tx,
    sight: &Sight,
    observed_until: Timestamp,
    mut charges: HashMap<i64, Arc<Snapshot>>,
    concerns: Concerns,
    deepened: &HashSet<i64>,
) -> Result<bool, StoreError> {
    let unread: Vec<i64> = concerns
        .keys()
        .copied()
        .filter(|num| !charges.contains_key(num))
        .collect();
    for charge in tx.charges(&unread).await? {
        charges.insert(charge.num, charge);
    }
    let context = Context {
        now: sight.now,
        tip: sight.tip.block.height,
        observed_until,
        rate: sight.rate.clone(),
    };
    let mut batches = Vec::new();
    let mut unmoved = Vec::new();
    for (num, Concern { sightings, gone }) in concerns {
        let before = charges
            .remove(&num)
            .ok_or_else(|| StoreError::Damaged(format!("charge {num} is gone")))?;
        let observation = Observation::View { sightings, gone };
        let context = match tx.memory().hole() {
            // Money may have come in blocks that could not be read: nothing is concluded from its absence (R6).
            Some(hole) if before.charge.terms.created_at <= hole.until => Context {
                observed_until: observed_until.min(hole.since),
                ..context.clone()
            },
            _ => context.clone(),
        };
        let events = decide(&before.charge, &observation, &context).expect("a view is never refused");
        if !events.is_empty() {
            batches.push(Batch { before, events });
        } else if deepened.contains(&num) {
            unmoved.push(before);
        }
    }
    let recorded = tx.record(batches, sight.now).await?;
    for charge in &unmoved {
        tx.deepen(charge);
    }
    Ok(!recorded.is_empty())
}
