//! Forgetting deliveries and attempts that are too old.

use std::sync::Arc;

use bitpro_charge::Timestamp;
use bitpro_store::{Store, StoreError};

/// How long deliveries and attempts are kept, in days.
pub(crate) const KEPT_DAYS: i64 = 90;
/// The same in seconds.
const KEPT_SECS: i64 = KEPT_DAYS * 24 * 60 * 60;
/// Deliveries forgotten in one commit.
const FORGOTTEN: u32 = 1_000;

/// Forgets what ended too long ago, by the machine's clock.
pub(super) async fn forget_old(store: Arc<Store>, outside: Timestamp) {
    let until = Timestamp(outside.0 - KEPT_SECS * 1_000);
    loop {
        let forgotten = forget_some(&store, until).await;
        match forgotten {
            Ok(true) => {}
            Ok(false) | Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "old deliveries were not deleted");
                return;
            }
        }
    }
}

/// Forgets some deliveries that ended before `until`; whether there may be more.
async fn forget_some(store: &Store, until: Timestamp) -> Result<bool, StoreError> {
    let nums = store.deliveries_ended(until, FORGOTTEN).await?;
    let is_full = u32::try_from(nums.len()).is_ok_and(|count| count >= FORGOTTEN);
    if !nums.is_empty() {
        store
            .write(move |tx| Box::pin(async move { tx.forget_deliveries(&nums).await }))
            .await?;
    }
    Ok(is_full)
}
