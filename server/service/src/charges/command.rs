//! The merchant's commands on a charge (R14, R15).

use std::sync::Arc;

use bitpro_charge::{ChargeId, Context, Observation, Outpoint, Quote, Timestamp, decide};
use bitpro_store::{Batch, Snapshot, Tx};

use super::shared::{Shared, genuine};
use super::{Charges, CommandError};

impl Charges {
    /// Takes what is there, whatever its amount and time (R14).
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn accept(
        &self,
        id: ChargeId,
        outpoints: Vec<Outpoint>,
        sequence: u64,
    ) -> Result<Arc<Snapshot>, CommandError> {
        self.command(id, Observation::Accept { outpoints, sequence }).await
    }

    /// Withdraws a charge (R15).
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn cancel(&self, id: ChargeId, sequence: u64) -> Result<Arc<Snapshot>, CommandError> {
        self.command(id, Observation::Cancel { sequence }).await
    }

    /// Decides about `observation`, a command, under what the writer knows.
    async fn command(&self, id: ChargeId, observation: Observation) -> Result<Arc<Snapshot>, CommandError> {
        let now = self.now();
        let rate = self.inner.rates.fresh(now);
        let shared = Arc::clone(&self.inner.shared);
        self.inner
            .store
            .write(move |tx| Box::pin(async move { commanded_in_step(tx, &shared, id, &observation, now, rate).await }))
            .await
    }

    /// Erases what stands apart from the log about a charge (R31). A link with the same e-mail leads to a new one then.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn erase_personal(&self, id: ChargeId) -> Result<(), CommandError> {
        self.inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let charge = tx.charge(id).await?.ok_or(CommandError::UnknownCharge)?;
                    Ok::<_, CommandError>(tx.erase_personal(&charge).await?)
                })
            })
            .await?;
        // It is read again without what is erased.
        self.inner.shared.cache.remove(&id);
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
    genuine(&before)?;
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
