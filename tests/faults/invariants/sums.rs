//! For every address that was given out, what we say was paid is what the node says; and nothing is confirmed that the chain does not
//! confirm.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use bitcoin::Txid;
use bitpro_tests::eventually;

use super::book::{self, Paid};
use super::kept::{ChargeRow, Kept};
use crate::world::World;

/// Waits until the rows say what the chain says, and gives them.
///
/// # Errors
/// What differs.
pub async fn equal_the_chain(world: &World) -> Result<Kept> {
    let database = world.app.database();
    let kept = eventually("the rows to say what the chain says", async || {
        let kept = Kept::read(&database).await?;
        let payments = world.book.payments();
        for (id, charge) in &kept.charges {
            let none = HashMap::new();
            let in_chain = payments.get(&charge.script).unwrap_or(&none);
            let ours = ours(charge);
            ensure!(
                ours == *in_chain,
                "charge {id}: rows {ours:?}, chain {in_chain:?}; {charge:?}"
            );
            // The world is at rest: whatever is not in the chain now is lost.
            let floating = charge
                .payments
                .values()
                .find(|one| one.height.is_none() && one.loss.is_none());
            ensure!(floating.is_none(), "charge {id} still waits for {floating:?}");
        }
        Ok(kept)
    })
    .await?;
    let scripts = kept.charges.values().map(|charge| &charge.script);
    let unspent = book::unspent(&world.pair.shopper, scripts).await?;
    for (id, charge) in &kept.charges {
        let ours: u64 = ours(charge).values().map(|paid| paid.sats).sum();
        let theirs = unspent.get(&charge.script).copied().unwrap_or_default();
        ensure!(
            ours == theirs,
            "charge {id}: {ours} sat by its rows, {theirs} sat unspent"
        );
        is_rightly_confirmed(charge, world.book.height()).map_err(|error| error.context(format!("charge {id}")))?;
    }
    Ok(kept)
}

/// The live payments in blocks, summed by transaction.
fn ours(charge: &ChargeRow) -> HashMap<Txid, Paid> {
    let mut ours: HashMap<Txid, Paid> = HashMap::new();
    for payment in charge.payments.values().filter(|payment| payment.loss.is_none()) {
        if let Some(height) = payment.height {
            ours.entry(payment.txid).or_insert(Paid { sats: 0, height }).sats += payment.sats;
        }
    }
    ours
}

/// A charge is confirmed only by money that is as deep as it asks for. The suite's merchants forgive nothing; what they take by hand is
/// exempt from the amount.
fn is_rightly_confirmed(charge: &ChargeRow, tip: u32) -> Result<()> {
    if charge.state != "confirmed" || charge.reason.as_deref() == Some("manual") {
        return Ok(());
    }
    let snapshot = charge.snapshot.as_ref();
    let required = snapshot.and_then(|kept| kept["required"].as_u64()).unwrap_or(1);
    let is_deep = |paid: &&Paid| u64::from(tip + 1 - paid.height) >= required;
    let ours = ours(charge);
    let deep: u64 = ours.values().filter(is_deep).map(|paid| paid.sats).sum();
    ensure!(deep >= charge.amount(), "confirmed by {deep} sat: {charge:?}");
    Ok(())
}
