//! What is committed in one unit with a change: its line in the audit log, and letters about it.

use bitpro_store::{StoreError, Tx};
use futures::future::BoxFuture;

type Hook = Box<dyn for<'t> FnOnce(&'t mut Tx, String) -> BoxFuture<'t, Result<(), StoreError>> + Send>;

/// Runs in the unit of a change and gets what was changed, in words. If it fails, nothing is changed.
pub struct CommitHook(Option<Hook>);

impl CommitHook {
    /// Adds `hook` to the unit of the change.
    pub fn new(
        hook: impl for<'t> FnOnce(&'t mut Tx, String) -> BoxFuture<'t, Result<(), StoreError>> + Send + 'static,
    ) -> Self {
        Self(Some(Box::new(hook)))
    }

    /// For a change that the caller reports by itself.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Does what is to be done with the change of `what`.
    ///
    /// # Errors
    /// [`StoreError`]; the unit has to fail then.
    pub async fn run(self, tx: &mut Tx, what: String) -> Result<(), StoreError> {
        match self.0 {
            Some(hook) => hook(tx, what).await,
            None => Ok(()),
        }
    }
}
