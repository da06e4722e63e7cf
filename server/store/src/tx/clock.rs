//! The time as it is stored (R32).

use bitpro_base::clock::Kept;
use bitpro_charge::{ChargeId, Timestamp};

use super::Tx;
use crate::StoreError;

/// The highest time seen.
const SEEN: &str = "time_seen";
/// What the machine's clock steadily showed.
const STEADY: &str = "time_steady";

impl Tx {
    /// The time that was stored last.
    pub(crate) async fn kept_time(&mut self) -> Result<Kept, StoreError> {
        let mut read = [None, None];
        for (name, time) in [SEEN, STEADY].into_iter().zip(&mut read) {
            let stored = self.session.meta(name).await?;
            *time = stored.and_then(|millis| millis.parse().ok()).map(Timestamp);
        }
        let [seen, steady] = read;
        Ok(Kept { seen, steady })
    }

    /// Stores the time, whatever this group has written so far: an operator may have taken a wrong one back.
    pub async fn keep_time(&mut self, kept: Kept) -> Result<(), StoreError> {
        self.latest = None;
        for (name, time) in [(SEEN, kept.seen), (STEADY, kept.steady)] {
            if let Some(time) = time {
                self.set_meta(name, &time.0.to_string()).await?;
            }
        }
        Ok(())
    }

    /// Notes an instant that is written into a charge or its log.
    pub(super) fn note_time(&mut self, at: Timestamp) {
        self.latest = self.latest.max(Some(at));
    }

    /// Lets the stored time be no earlier than `at`. It commits with what was written at that instant: were it left to the chore of
    /// the minute, a death in between would let our time fall back behind it, and what is paid then would be older than its charge.
    pub(super) async fn raise_time(&mut self, at: Timestamp) -> Result<(), StoreError> {
        self.session.raise_meta(SEEN, at.0).await
    }

    /// The charges that were made after `instant`, open or long ended.
    pub async fn charges_made_after(&mut self, instant: Timestamp) -> Result<Vec<ChargeId>, StoreError> {
        self.writing().await?.charges_made_after(instant).await
    }

    /// Brings everything that waits for an instant beyond `shown` back by `millis`, and how far the chain was read: nothing is known
    /// of what is the future now.
    pub async fn step_back(&mut self, shown: Timestamp, millis: i64) -> Result<(), StoreError> {
        self.writing().await?.step_back(shown, millis).await?;
        self.step_wallets_back(shown).await?;
        if let Some(tip) = self.memory.tip()
            && self.memory.observed_until() > shown
        {
            self.observe_until(tip, shown, true).await?;
        }
        Ok(())
    }
}
