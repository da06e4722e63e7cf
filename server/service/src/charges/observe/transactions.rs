//! Paying and lost transactions: which charges they concern, and how.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{Amount, Gone, Interval, MerchantId, Outpoint, Place, Quote, Sighting, Txid, Whereabouts};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::ScriptId;
use bitpro_rates::FRESH_SECS;
use bitpro_store::{Snapshot, StoreError, StoredTx, Tx, TxPlace};

use super::{Concerns, Sight};
use crate::charges::decoded_tx::{DecodedOutput, DecodedTx};

/// So many payments of one charge by one transaction stand for themselves; the last of them stands for what is beyond. Nobody pays
/// so, and each costs a row and a place in every sum.
pub const MOST_PAYMENTS: usize = 100;

/// An output, or the last one of too many, and the charge that it pays.
struct Paid {
    vout: u32,
    value: Amount,
    charge: Arc<Snapshot>,
}

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
    for decoded in &sight.transactions {
        let mut paid: Vec<Paid> = Vec::new();
        for output in &decoded.outputs {
            if let Some(charge) = charge_paid_by(tx, output, &mut found, charges).await? {
                paid.push(Paid {
                    vout: output.vout,
                    value: output.value,
                    charge: Arc::clone(charge),
                });
            }
        }
        if paid.is_empty() {
            continue;
        }
        note_used(tx, decoded, &paid);
        let paid = summed(decoded.tx.txid, paid);
        let place = place_of(tx, decoded, &paid);
        sight_outputs(tx, sight, &place, &paid, concerns, decoded);
        let raw = &decoded.tx.raw;
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
    let seen: HashSet<Txid> = sight.transactions.iter().map(|decoded| decoded.tx.txid).collect();
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
    transactions: &[DecodedTx],
    charges: &mut HashMap<i64, Arc<Snapshot>>,
) -> Result<HashMap<ScriptId, Arc<Snapshot>>, StoreError> {
    let mut found: HashMap<ScriptId, Arc<Snapshot>> = HashMap::new();
    let mut missing = Vec::new();
    for output in transactions.iter().flat_map(|decoded| &decoded.outputs) {
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
    found.retain(|_, charge| follows_from_descriptor(tx, charge));
    for charge in found.values() {
        charges.insert(charge.num, Arc::clone(charge));
    }
    Ok(found)
}

/// The writer's own check that a charge's script follows from its descriptor: money to a script that another hand wrote
/// into the database is nobody's. It is passed over, not an error: one row must not keep all others from being observed.
fn follows_from_descriptor(tx: &Tx, charge: &Snapshot) -> bool {
    if !charge.is_genuine {
        tracing::error!(charge = %charge.charge.id, "money to a charge whose terms were changed by another hand is not counted");
        return false;
    }
    if charge.verified.get() {
        return true;
    }
    let issuer = tx.memory().issuer(charge.descriptor);
    let derived = issuer.and_then(|issuer| issuer.receive.derive(charge.index));
    if derived.is_some_and(|derived| derived.script[..] == *charge.script_pubkey) {
        charge.verified.set();
        return true;
    }
    tracing::error!(charge = %charge.charge.id, "money to an address that does not follow from its descriptor is ignored");
    false
}

/// Scripts without a charge: one of the look-ahead that receives money is never given out, and whatever receives money
/// ends the run of unpaid addresses (R26, R27).
async fn note_early_money(tx: &mut Tx, transactions: &[DecodedTx], ids: &[ScriptId]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    // Whether some transaction really pays a script, and whether one in a block does.
    let mut paid: HashMap<(ScriptId, &[u8]), bool> = HashMap::new();
    for decoded in transactions {
        for output in &decoded.outputs {
            let is_mined = paid.entry((output.script, &output.script_pubkey)).or_default();
            *is_mined |= matches!(decoded.tx.place, Place::Block(_));
        }
    }
    let mut skipped: HashMap<DescriptorId, Vec<ScriptId>> = HashMap::new();
    for (id, descriptor, index, script) in tx.scripts(ids).await? {
        let Some(&is_mined) = paid.get(&(id, &script[..])) else {
            continue;
        };
        if is_mined {
            tx.note_used(descriptor, index);
        }
        if tx.memory().issuer(descriptor).is_some_and(|issuer| issuer.is_ahead(id)) {
            skipped.entry(descriptor).or_default().push(id);
        } else {
            tracing::warn!(
                descriptor = descriptor.0,
                index,
                "money arrived at an address that no charge has: a restore may have lost its charge, or another program uses the wallet"
            );
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
    output: &DecodedOutput,
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
        if let Some(charge) = charge.filter(|charge| follows_from_descriptor(tx, charge)) {
            charges.insert(charge.num, Arc::clone(&charge));
            found.insert(script, charge);
        }
    }
    Ok(found.get(&script))
}

/// Notes addresses that received money, for the run of unpaid ones (R26): once it is in a block. What is not can be taken back, and
/// would hide a gap from the wallet that the merchant restores. Where a block leaves the chain it is counted again.
fn note_used(tx: &mut Tx, decoded: &DecodedTx, paid: &[Paid]) {
    if matches!(decoded.tx.place, Place::Block(_)) {
        for Paid { charge, .. } in paid {
            tx.note_used(charge.descriptor, charge.index);
        }
    }
}

/// The same, with at most [`MOST_PAYMENTS`] of each charge, that come to the same sum.
fn summed(txid: Txid, paid: Vec<Paid>) -> Vec<Paid> {
    if paid.len() <= MOST_PAYMENTS {
        return paid;
    }
    let mut kept: Vec<Paid> = Vec::with_capacity(paid.len());
    let mut of_charge: HashMap<i64, (usize, usize)> = HashMap::new();
    let mut beyond: u64 = 0;
    for paid in paid {
        let (number, last) = of_charge.entry(paid.charge.num).or_default();
        *number += 1;
        if *number <= MOST_PAYMENTS {
            *last = kept.len();
            kept.push(paid);
        } else {
            let sum = kept[*last].value.to_sat().saturating_add(paid.value.to_sat());
            kept[*last].value = Amount::from_sat(sum);
            beyond += 1;
        }
    }
    if beyond > 0 {
        tracing::warn!(%txid, beyond, "a transaction pays one charge with very many outputs: the last payment includes the rest");
        metrics::counter!("bitpro_summed_outputs_total").increment(beyond);
    }
    kept
}

/// The rate of the first sight (R44): today's is another when it lies back further than a rate stays fresh.
fn rate_at(sight: &Sight, first_seen: Interval) -> Option<Quote> {
    let is_of_now = sight.now <= first_seen.latest.plus_secs(FRESH_SECS);
    sight.rate.clone().filter(|_| is_of_now)
}

/// The transaction as it is to be stored: where it is now, with what was recorded at first sight.
fn place_of(tx: &Tx, decoded: &DecodedTx, paid: &[Paid]) -> TxPlace {
    let known = tx.memory().followed(decoded.tx.txid);
    TxPlace {
        txid: decoded.tx.txid,
        // The scan of the UTXO set tells no inputs (R6).
        inputs: known
            .filter(|_| decoded.tx.raw.is_empty())
            .map_or_else(|| decoded.tx.inputs.clone(), |known| known.inputs.clone()),
        ancestor_inputs: known.map_or_else(
            || decoded.tx.ancestor_inputs.clone(),
            |known| known.ancestor_inputs.clone(),
        ),
        coinbase: decoded.tx.coinbase,
        whereabouts: Whereabouts::Live(decoded.tx.place),
        lost_at: None,
        replaced_by: None,
        first_seen: known.map_or(decoded.tx.first_seen, |known| {
            known.first_seen.narrowed(decoded.tx.first_seen)
        }),
        pays: paid.iter().map(|paid| (paid.vout, paid.charge.num)).collect(),
    }
}

fn sight_outputs(tx: &Tx, sight: &Sight, place: &TxPlace, paid: &[Paid], concerns: &mut Concerns, decoded: &DecodedTx) {
    let mut totals: HashMap<MerchantId, u64> = HashMap::new();
    for paid in paid {
        let total = totals.entry(paid.charge.charge.merchant).or_default();
        *total = total.saturating_add(paid.value.to_sat());
    }
    let conflicts = if place.coinbase {
        Arc::default()
    } else {
        tx.conflicts(place.txid, &place.inputs)
    };
    for Paid { vout, value, charge } in paid {
        let outpoint = Outpoint {
            txid: place.txid,
            vout: *vout,
        };
        // A payment that is known keeps what all reports said; one that is not learns what is known of its transaction.
        let first_seen = match charge.charge.payment(outpoint) {
            Some(_) => decoded.tx.first_seen,
            None => place.first_seen,
        };
        concerns.entry(charge.num).or_default().sightings.push(Sighting {
            outpoint,
            value: *value,
            place: decoded.tx.place,
            first_seen,
            coinbase: place.coinbase,
            merchant_total: Amount::from_sat(totals[&charge.charge.merchant]),
            conflicts: Arc::clone(&conflicts),
            rate: rate_at(sight, first_seen),
        });
    }
}
