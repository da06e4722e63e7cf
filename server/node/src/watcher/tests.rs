//! What the watcher hands on of the clock, with a node that is never asked.

use std::convert::Infallible;

use bitpro_base::clock::{Kept, ManualClock};
use bitpro_charge::{BlockHash, Interval};
use tokio::sync::Notify;

use super::*;
use crate::fixtures::{block, tip};
use crate::port::{IssuedRange, KnownTx, ScanRequest};
use crate::testing::nowhere;
use crate::view::{Fingerprint, Hole, ScriptId};

/// A shop that has nothing yet.
#[derive(Default)]
struct Empty {
    asks: Arc<Notify>,
}

impl ChargesPort for Empty {
    type Error = Infallible;

    fn script(&self, _: &[u8]) -> Option<ScriptId> {
        None
    }

    fn fingerprint(&self, _: &[u8]) -> Fingerprint {
        Fingerprint(0)
    }

    fn is_watched(&self, _: Fingerprint) -> bool {
        false
    }

    fn newly_watched(&self) -> Vec<Fingerprint> {
        Vec::new()
    }

    fn asks(&self) -> Arc<Notify> {
        Arc::clone(&self.asks)
    }

    fn stored_tip(&self) -> Option<Tip> {
        None
    }

    fn observed_until(&self) -> Option<Timestamp> {
        None
    }

    fn first_issued(&self) -> Option<Timestamp> {
        None
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    fn hole(&self) -> Option<Hole> {
        None
    }

    fn set_node_condition(&self, _: &Condition) {}

    async fn stored_hash(&self, _: u32) -> Result<Option<BlockHash>, Infallible> {
        Ok(None)
    }

    async fn known_txs(&self) -> Result<Vec<KnownTx>, Infallible> {
        Ok(Vec::new())
    }

    async fn set_first_tip(&self, _: Tip) -> Result<(), Infallible> {
        Ok(())
    }

    async fn observe(&self, _: View) -> Result<(), Infallible> {
        Ok(())
    }

    async fn set_hole(&self, _: Option<Hole>) -> Result<(), Infallible> {
        Ok(())
    }

    async fn issued(&self) -> Result<Vec<IssuedRange>, Infallible> {
        Ok(Vec::new())
    }

    fn scans_wanted(&self) -> Vec<ScanRequest> {
        Vec::new()
    }

    async fn watch_ahead(&self, _: i64, _: Option<u32>) -> Result<(), Infallible> {
        Ok(())
    }

    async fn finish_scan(&self, _: i64) -> Result<(), Infallible> {
        Ok(())
    }
}

fn watcher(clock: Arc<ManualClock>) -> Watcher<Empty, RealNode> {
    let runtime = Handle::current();
    Watcher::new(
        nowhere(),
        Arc::default(),
        Arc::new(RealNode::new(&nowhere(), runtime.clone())),
        clock,
        Waiter::Others(runtime),
        CancellationToken::new(),
        watch::channel(NodeStatus::starting()).0,
    )
}

#[tokio::test]
async fn r32_the_watcher_judges_first_sights_by_when_our_time_went_on() {
    const HOUR: i64 = 3_600_000;
    const START: Timestamp = Timestamp(1_800_000_000_000);
    let after = |millis: i64| Timestamp(START.0 + millis);
    // The process before this one was two hours ahead; the machine's clock was set right while none ran.
    let clock = Arc::new(ManualClock::new(after(HOUR)));
    clock.resume(Kept {
        seen: Some(after(2 * HOUR)),
        steady: Some(START),
    });
    clock.advance_secs(60);
    let mut watcher = watcher(Arc::clone(&clock));
    watcher.offset_millis = HOUR;
    let stand = Stand {
        tip: tip(block(100)),
        tip_received: START,
        observed_until: Some(START),
        stored_until: Some(START),
    };
    // By their clocks, both came an hour before our time went on. Our time stood still until then, so they may have come as late as that.
    let theirs = after(0).as_secs();
    let resumed = after(2 * HOUR);
    assert_eq!(
        watcher.sight_of_mempool(stand).in_mempool(theirs),
        Interval {
            earliest: after(HOUR),
            latest: resumed
        }
    );
    assert_eq!(
        watcher.sight_of_blocks(stand).in_block(theirs),
        Interval {
            earliest: START,
            latest: resumed
        }
    );
}
