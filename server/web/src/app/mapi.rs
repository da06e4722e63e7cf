//! What the API keeps between requests.

use std::time::Duration;

use bitpro_limits::KeyLimit;
use bitpro_merchant::keys::Nonces;
use bitpro_service::charges::Charges;
use tokio_util::sync::CancellationToken;

/// How often uses are stored, and nonces and answers forgotten.
const TIDY: Duration = Duration::from_secs(60);

/// What the API keeps between requests.
pub struct Mapi {
    /// Nonces that were used.
    pub nonces: Nonces,
    /// What each key may ask.
    pub limit: KeyLimit,
    /// How long a handler may take: a little less than the edge waits, so that this answer too is signed.
    pub patience: Duration,
}

impl Mapi {
    /// Stores now and then when keys were used, and forgets what no longer counts, until `closing` is cancelled and once more
    /// then.
    pub async fn tidy(charges: Charges, closing: CancellationToken) {
        let mut every = tokio::time::interval(TIDY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_last = tokio::select! {
                _ = every.tick() => false,
                () = closing.cancelled() => true,
            };
            if let Err(error) = charges.tidy_requests().await {
                tracing::error!(%error, "old API requests were not deleted; will retry");
            }
            if is_last {
                return;
            }
        }
    }
}
