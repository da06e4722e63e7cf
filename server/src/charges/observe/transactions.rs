//! Paying and lost transactions: which charges they concern, and how.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{Amount, Gone, MerchantId, Outpoint, Sighting, Txid, Whereabouts};

use super::{Concerns, Sight};
use crate::charges::sighted::{Sighted, SightedOutput};
use crate::node::view::ScriptId;
use crate::store::{DescriptorId, Snapshot, StoreError, StoredTx, Tx, TxPlace};

/// Takes in transactions that are new or have moved, and says which charges they concern.
pub(super) async fn take_in_transactions(
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
        let raw = &sighted.tx.raw;
        match tx.memory().followed(place.txid) {
            None => new.push(StoredTx {
                place,
                raw: raw.clone(),
            }),
            // It was found in a deleted block, and comes by in full after all: its bytes and inputs are kept now.
            Some(known) if known.inputs != place.inputs && !raw.is_empty() => {
                new.push(StoredTx {
                    place: place.clone(),
                    raw: raw.clone(),
                });
                moved.push(Arc::new(place));
            }
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

/// Takes in transactions that are proven lost (R3), and says which charges they concern.
pub(super) async fn take_in_losses(tx: &mut Tx, sight: &Sight, concerns: &mut Concerns) -> Result<(), StoreError> {
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

/// The transaction as it is to be stored: where it is now, with what was recorded at first sight.
fn place_of(tx: &Tx, sighted: &Sighted, paid: &[(&SightedOutput, Arc<Snapshot>)]) -> TxPlace {
    let known = tx.memory().followed(sighted.tx.txid);
    TxPlace {
        txid: sighted.tx.txid,
        // The scan of the UTXO set tells no inputs (R6).
        inputs: known
            .filter(|_| sighted.tx.raw.is_empty())
            .map_or_else(|| sighted.tx.inputs.clone(), |known| known.inputs.clone()),
        ancestor_inputs: known.map_or_else(
            || sighted.tx.ancestor_inputs.clone(),
            |known| known.ancestor_inputs.clone(),
        ),
        coinbase: sighted.tx.coinbase,
        whereabouts: Whereabouts::Live(sighted.tx.place),
        lost_at: None,
        replaced_by: None,
        first_seen: known.map_or(sighted.tx.first_seen, |known| {
            known.first_seen.narrowed(sighted.tx.first_seen)
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
        let outpoint = Outpoint {
            txid: place.txid,
            vout: output.vout,
        };
        // A payment that is known keeps what all reports said; one that is not learns what is known of its transaction.
        let first_seen = match charge.charge.payment(outpoint) {
            Some(_) => sighted.tx.first_seen,
            None => place.first_seen,
        };
        concerns.entry(charge.num).or_default().sightings.push(Sighting {
            outpoint,
            value: output.value,
            place: sighted.tx.place,
            first_seen,
            coinbase: place.coinbase,
            merchant_total: Amount::from_sat(totals[&charge.charge.merchant]),
            conflicts: conflicts.clone(),
            rate: sight.rate.clone(),
        });
    }
}
