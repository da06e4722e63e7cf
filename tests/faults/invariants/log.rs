//! Folding the log of a charge gives its row. The fold here knows only what the words of the log mean, and shares nothing with the
//! server's.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::kept::{ChargeRow, Kept, PaymentRow};

/// What the log says of a payment: its value, the block's height, and how it was lost.
type Fact = (u64, Option<u64>, Option<String>);

/// What a log folds to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Folded {
    state: Option<(String, Option<String>)>,
    payments: BTreeMap<String, Fact>,
    told: Vec<(i64, String)>,
}

/// Folds every log and compares it with its rows, and with what is to be told.
///
/// # Errors
/// What differs.
pub fn folds_to_rows(kept: &Kept) -> Result<()> {
    let mut told: BTreeMap<&str, Vec<(i64, String)>> = BTreeMap::new();
    for row in &kept.outbox {
        told.entry(&row.charge)
            .or_default()
            .push((row.sequence, row.announcement.clone()));
    }
    for (id, charge) in &kept.charges {
        let folded = fold(charge).with_context(|| format!("charge {id}"))?;
        compare(charge, &folded).with_context(|| format!("charge {id}: its log folds to {folded:?}, {charge:?}"))?;
        let told = told.remove(id.as_str()).unwrap_or_default();
        ensure!(
            folded.told == told,
            "charge {id}: decided {:?}, to be told {told:?}",
            folded.told
        );
    }
    Ok(())
}

fn fold(charge: &ChargeRow) -> Result<Folded> {
    let mut folded = Folded::default();
    let mut sequence = 0;
    for (first, last, batch) in &charge.log {
        ensure!(*first == sequence + 1, "a batch begins at {first} after {sequence}");
        for event in batch {
            sequence += 1;
            if event["kind"] == "restored" {
                let moved = event["sequence"].as_i64().context("no number")?;
                ensure!(moved >= sequence, "a restore took numbers back to {moved}");
                sequence = moved;
            }
            apply(&mut folded, sequence, event).with_context(|| format!("event {sequence}: {event}"))?;
        }
        ensure!(
            *last == sequence,
            "a batch that ends at {last} has events up to {sequence}"
        );
    }
    ensure!(
        sequence == charge.sequence,
        "the log ends at {sequence}, the row at {}",
        charge.sequence
    );
    Ok(folded)
}

fn apply(folded: &mut Folded, sequence: i64, event: &Value) -> Result<()> {
    let text = |name: &str| event[name].as_str().map(str::to_owned);
    let payment = |folded: &mut Folded| -> Result<(String, Fact)> {
        let outpoint = text("outpoint").context("no outpoint")?;
        let known = folded
            .payments
            .remove(&outpoint)
            .context("a payment that was never found")?;
        Ok((outpoint, known))
    };
    match event["kind"].as_str().context("no kind")? {
        "payment_found" => {
            let outpoint = text("outpoint").context("no outpoint")?;
            let sats = event["value_sat"].as_u64().context("no value")?;
            let before = folded.payments.insert(outpoint, (sats, height(event), text("loss")));
            ensure!(before.is_none(), "a payment was found twice");
        }
        "payment_moved" => {
            let (outpoint, (sats, ..)) = payment(folded)?;
            folded.payments.insert(outpoint, (sats, height(event), None));
        }
        "payment_lost" => {
            let (outpoint, (sats, ..)) = payment(folded)?;
            folded.payments.insert(outpoint, (sats, None, text("loss")));
        }
        "state_changed" => folded.state = Some((text("state").context("no state")?, text("reason"))),
        "announced" => folded.told.push((sequence, text("announcement").context("no words")?)),
        // The rest moves neither money nor state by itself.
        _ => {}
    }
    Ok(())
}

fn compare(charge: &ChargeRow, folded: &Folded) -> Result<()> {
    let made = ("pending".to_owned(), None);
    let state = folded.state.as_ref().unwrap_or(&made);
    ensure!(
        *state == (charge.state.clone(), charge.reason.clone()),
        "the row has another state"
    );
    let rows: BTreeMap<String, Fact> = charge
        .payments
        .iter()
        .map(|(outpoint, row)| (outpoint.clone(), fact(row)))
        .collect();
    ensure!(rows == folded.payments, "the rows of its payments are {rows:?}");
    let Some(snapshot) = &charge.snapshot else {
        ensure!(charge.sequence == 0, "it has a log and no snapshot");
        return Ok(());
    };
    let text = |name: &str| snapshot[name].as_str().map(str::to_owned);
    ensure!(
        text("state").as_ref() == Some(&state.0) && text("reason") == state.1,
        "its snapshot has another state"
    );
    ensure!(
        snapshot["sequence"].as_i64() == Some(charge.sequence),
        "its snapshot has another sequence"
    );
    let told = folded.told.last().map(|(_, told)| told.clone());
    ensure!(text("told") == told, "its snapshot was told {:?}", text("told"));
    for (outpoint, row) in &charge.payments {
        let kept = &row.document;
        let sats = kept["value_sat"].as_u64().context("no value")?;
        let kept = (sats, height(kept), kept["loss"].as_str().map(str::to_owned));
        ensure!(kept == fact(row), "the document of {outpoint} says {kept:?}");
    }
    Ok(())
}

fn fact(row: &PaymentRow) -> Fact {
    (row.sats, row.height.map(u64::from), row.loss.clone())
}

fn height(place: &Value) -> Option<u64> {
    place["block"]["height"].as_u64()
}
