//! The merchant's commands on a charge (R14, R15).

use std::sync::Arc;

use bitpro_charge::{ChargeId, Context, Observation, Quote, Timestamp, decide};

use super::shared::Shared;
use super::{CommandError, Inner};
use crate::store::{Batch, Snapshot, Tx};

impl Inner {
    /// Decides about `observation`, a command, under what the writer knows.
    pub(super) async fn command(&self, id: ChargeId, observation: Observation) -> Result<Arc<Snapshot>, CommandError> {
        let now = self.now();
        let rate = self.rates.fresh(now);
        let shared = Arc::clone(&self.shared);
        self.store
            .write(move |tx| Box::pin(async move { commanded_in_step(tx, &shared, id, &observation, now, rate).await }))
            .await
    }

    pub(super) async fn erase_personal(&self, id: ChargeId) -> Result<(), CommandError> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let charge = tx.charge(id).await?.ok_or(CommandError::UnknownCharge)?;
                    Ok::<_, CommandError>(tx.erase_personal(&charge).await?)
                })
            })
            .await?;
        // It is read again without what is erased.
        self.shared.cache.remove(&id);
        Ok(())
    }
}

/// Does what a merchant's people or server command, inside a unit. While the node's chain is held, they are refused (R6): an acceptance
/// could confirm what stands in a branch that was left, and a cancellation fail what the node's chain has paid.
pub(super) async fn commanded_in_step(
    tx: &mut Tx,
    shared: &Shared,
    id: ChargeId,
    observation: &Observation,
    now: Timestamp,
    rate: Option<Quote>,
) -> Result<Arc<Snapshot>, CommandError> {
    if shared.is_chain_held() {
        return Err(CommandError::ChainHeld);
    }
    commanded(tx, id, observation, now, rate).await
}

/// Decides about a command inside a unit.
pub(super) async fn commanded(
    tx: &mut Tx,
    id: ChargeId,
    observation: &Observation,
    now: Timestamp,
    rate: Option<Quote>,
) -> Result<Arc<Snapshot>, CommandError> {
    let before = tx.charge(id).await?.ok_or(CommandError::UnknownCharge)?;
    let context = Context {
        now,
        tip: tx.memory().tip_height(),
        observed_until: tx.memory().observed_until(),
        rate,
        found: [].into(),
    };
    let events = decide(&before.charge, observation, &context)?;
    let batch = Batch {
        before: Arc::clone(&before),
        events,
    };
    let after = tx.record(vec![batch], now).await?.pop();
    Ok(after.unwrap_or(before))
}
