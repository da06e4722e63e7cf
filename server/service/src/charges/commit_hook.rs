//! What is committed in one unit with a change: its line in the audit log, and letters about it.

use bitpro_store::{StoreError, Tx};
use futures::future::BoxFuture;

/// Runs in the unit of a change and gets what was changed, in words. If it fails, nothing is changed.
pub type CommitHook = Box<dyn for<'t> FnOnce(&'t mut Tx, String) -> BoxFuture<'t, Result<(), StoreError>> + Send>;

/// For a change that the caller reports by itself.
pub fn nothing() -> CommitHook {
    Box::new(|_, _| Box::pin(async { Ok(()) }))
}
