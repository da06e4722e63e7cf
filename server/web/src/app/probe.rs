//! Whether the disk takes what is written.

use bitpro_base::clock::Clock;
use bitpro_charge::Timestamp;
use bitpro_service::charges::Charges;
use tokio::sync::Mutex;

/// How long an answer of the disk counts, in milliseconds.
pub(crate) const PROBED_FOR_MS: i64 = 5_000;

/// Whether charges can be stored. To ask costs a commit, so whoever asks often is told what the disk said last.
#[derive(Debug, Default)]
pub struct Probe(Mutex<Option<(Timestamp, bool)>>);

impl Probe {
    /// Whether charges could be stored a few seconds ago, or can be now. However many ask, one asks the disk.
    pub async fn stores(&self, charges: &Charges, clock: &dyn Clock) -> bool {
        let mut last = self.0.lock().await;
        let now = clock.now();
        let fresh = last.filter(|(at, _)| (at.0..at.0 + PROBED_FOR_MS).contains(&now.0));
        if let Some((_, stores)) = fresh {
            return stores;
        }
        let stores = charges.is_writable().await;
        *last = Some((now, stores));
        stores
    }
}
