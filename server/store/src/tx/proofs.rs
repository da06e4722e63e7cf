//! The proofs of what charges were created with: made with each charge, and once for those of earlier releases.

use std::path::Path;

use super::Tx;
use crate::{StoreError, mark};

/// The fact that every charge has its proof.
const PROVED: &str = "charges_proved";

impl Tx {
    /// Proves the charges of a database that an earlier release left, as they stand. A second time is no upgrade: whether the mark at
    /// `mark` says that they were proved before, so that the database was put back from an earlier time, or the proofs taken away.
    pub(crate) async fn prove_charges(&mut self, mark: &Path) -> Result<bool, StoreError> {
        let fact = self.secret.of_proved_charges();
        if self.session.meta(PROVED).await?.as_deref() == Some(&fact) {
            return Ok(false);
        }
        let charges = self.session.prove_charges().await?;
        self.session.set_meta(PROVED, &fact).await?;
        let were_proved = mark::knows_of_proofs(mark);
        if were_proved {
            tracing::error!(
                charges,
                "the proofs of what charges were created with are gone, and were there before: the database is an old copy, or was changed \
                 by another hand; the charges are taken as they stand"
            );
        } else if charges > 0 {
            tracing::info!(charges, "proved what charges of an earlier version were created with");
        }
        Ok(were_proved)
    }
}
