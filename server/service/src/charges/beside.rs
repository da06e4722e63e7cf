//! What is to be committed together with a change: its line in the log of changes, letters to those who should know.

use bitpro_store::{StoreError, Tx};
use futures::future::BoxFuture;

/// Carried out in the unit of a change, once it is known what was changed, which it is told. When it fails, nothing is changed.
pub type Beside = Box<dyn for<'t> FnOnce(&'t mut Tx, String) -> BoxFuture<'t, Result<(), StoreError>> + Send>;

/// Nothing else: somebody else tells of the change.
pub fn nothing() -> Beside {
    Box::new(|_, _| Box::pin(async { Ok(()) }))
}
