//! What a merchant’s team does to a charge by hand: accept, cancel, note, erase. Each is one unit.

use std::sync::Arc;

use bitpro_charge::{ChargeId, MerchantId, Observation, Outpoint, Quote, Timestamp};
use bitpro_store::Tx;

use super::command::commanded_in_step;
use super::shared::Shared;
use super::{Charges, CommandError, Note, Snapshot};

/// Something that a person does to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManualChange {
    /// Takes what is there, whatever its amount and time (R14).
    Accept {
        /// The payments meant.
        outpoints: Vec<Outpoint>,
        /// The charge's sequence as the person saw it.
        sequence: u64,
    },
    /// Withdraws the charge (R15).
    Cancel {
        /// The charge's sequence as the person saw it.
        sequence: u64,
    },
    /// Puts a note beside it; an empty one takes the note away.
    Note(String),
    /// Erases everything that may name a person (R31).
    ErasePersonal,
}

impl Charges {
    /// Does `change` to a charge of `merchant`. A charge of another merchant is not there.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is changed then.
    pub async fn change_manually(
        &self,
        merchant: MerchantId,
        id: ChargeId,
        change: ManualChange,
    ) -> Result<Arc<Snapshot>, CommandError> {
        let now = self.now();
        let rate = self.inner.rates.fresh(now);
        let shared = Arc::clone(&self.inner.shared);
        let erases = change == ManualChange::ErasePersonal;
        let changed = self
            .inner
            .store
            .write(move |tx| Box::pin(async move { changed(tx, &shared, merchant, id, change, now, rate).await }))
            .await?;
        if erases {
            // It is read again without what is erased.
            self.inner.shared.cache.remove(&id);
        }
        Ok(changed)
    }
}

async fn changed(
    tx: &mut Tx,
    shared: &Shared,
    merchant: MerchantId,
    id: ChargeId,
    change: ManualChange,
    now: Timestamp,
    rate: Option<Quote>,
) -> Result<Arc<Snapshot>, CommandError> {
    let found = tx.charge(id).await?;
    let before = found
        .filter(|snapshot| snapshot.charge.merchant == merchant)
        .ok_or(CommandError::UnknownCharge)?;
    match change {
        ManualChange::Accept { outpoints, sequence } => {
            let observation = Observation::Accept { outpoints, sequence };
            commanded_in_step(tx, shared, id, &observation, now, rate).await
        }
        ManualChange::Cancel { sequence } => {
            commanded_in_step(tx, shared, id, &Observation::Cancel { sequence }, now, rate).await
        }
        ManualChange::Note(text) => {
            let note = Note { text, written_at: now };
            tx.put_note(&before, (!note.text.is_empty()).then_some(&note)).await?;
            Ok(before)
        }
        ManualChange::ErasePersonal => {
            tx.erase_personal(&before).await?;
            Ok(before)
        }
    }
}
