//! When a payment was first seen (R5): what each kind of report is worth. The minimum of all reports is kept by the domain.

use bitpro_base::clock::Moment;
use bitpro_charge::{Interval, Network, Timestamp};

use super::error::NodeError;

/// A miner may set a block's time back to the median of the eleven before it, and forward by two hours.
pub const MINERS_CLOCK_SECS: i64 = 2 * 60 * 60;

/// What has to be added to the node's clock to get our time, in milliseconds. A regtest node runs on our own machine, and `setmocktime`
/// moves its records without moving the clock that it tells; our time may be ahead of the machine's all the same (R32).
pub(super) fn clock_offset(
    network: Network,
    node_millis: impl FnOnce() -> Result<i64, NodeError>,
    moment: impl FnOnce() -> Moment,
) -> Result<i64, NodeError> {
    if network == Network::Regtest {
        return Ok(moment().lead_ms());
    }
    let node = node_millis()?;
    Ok(moment().now.0.saturating_sub(node))
}

/// What a report is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    /// The time of our receipt.
    pub now: Timestamp,
    /// Until then we saw everything: a payment that we did not know by then came later. `None` when we never saw anything.
    pub since: Option<Timestamp>,
    /// What has to be added to the node's clock to get ours, in milliseconds.
    pub offset_millis: i64,
    /// How far our time is ahead of the machine's clock, and so of the times that miners write, in milliseconds (R32).
    pub lead_millis: i64,
    /// What other clocks say of an instant before this may have been as late as this one (R32).
    pub aligned_from: Timestamp,
}

impl Sight {
    /// A transaction of the mempool by the node's own record, in whole seconds of its clock: no earlier than the start of our
    /// blind gap, no later than now.
    pub(super) fn in_mempool(self, entry_secs: i64) -> Interval {
        let entered = Timestamp::from_secs(entry_secs).0.saturating_add(self.offset_millis);
        // Whole seconds are rounded down: it came within the second that follows.
        let latest = Timestamp(entered.saturating_add(999)).max(self.aligned_from);
        self.between(Timestamp(entered), latest)
    }

    /// A transaction that is first met in a block: `min(receipt, max(block time, parent's receipt))` at the latest, where
    /// `since` is the parent's receipt, or the start of our blind gap when the parent was missed too.
    pub(super) fn in_block(self, block_secs: i64) -> Interval {
        // Where our clock and the node's disagree, a block may be as young as either says: no money is somebody else's because our clock
        // is ahead of the world's (R27).
        let ahead = self.lead_millis.max(self.offset_millis);
        let found = Timestamp::from_secs(block_secs).0.saturating_add(ahead);
        let by_then = self.clamp(Timestamp(found).max(self.aligned_from));
        Interval {
            earliest: self.since.unwrap_or(by_then).min(by_then),
            latest: by_then,
        }
    }

    /// When a block was found at the earliest. Nodes take no block whose miner's clock is more than two hours ahead of theirs, and none
    /// that is not after the median of the eleven before it, `median_secs`: most miners' clocks together are right.
    pub(super) fn block_found_after(self, block_secs: i64, median_secs: Option<i64>) -> Timestamp {
        let by_miner = block_secs.saturating_sub(MINERS_CLOCK_SECS);
        self.ours(median_secs.map_or(by_miner, |median| median.max(by_miner)))
    }

    /// When a block was found by its miner's word.
    pub(super) fn block_claims(self, block_secs: i64) -> Timestamp {
        self.ours(block_secs)
    }

    /// A miner's time in ours, and never in our future.
    fn ours(self, secs: i64) -> Timestamp {
        Timestamp(Timestamp::from_secs(secs).0.saturating_add(self.lead_millis)).min(self.now)
    }

    fn between(self, earliest: Timestamp, latest: Timestamp) -> Interval {
        Interval {
            earliest: self.clamp(earliest),
            latest: self.clamp(latest),
        }
    }

    fn clamp(self, instant: Timestamp) -> Timestamp {
        self.since.map_or(instant, |since| instant.max(since)).min(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGHT: Sight = Sight {
        now: Timestamp(100_000),
        since: Some(Timestamp(40_000)),
        offset_millis: 0,
        lead_millis: 0,
        aligned_from: Timestamp(i64::MIN),
    };

    fn interval(earliest: i64, latest: i64) -> Interval {
        Interval {
            earliest: Timestamp(earliest),
            latest: Timestamp(latest),
        }
    }

    #[test]
    fn r05_a_mempool_entry_counts_by_the_nodes_record_corrected_by_its_clock() {
        assert_eq!(SIGHT.in_mempool(60), interval(60_000, 60_999));
        let fast_node = Sight {
            offset_millis: -5_250,
            ..SIGHT
        };
        assert_eq!(fast_node.in_mempool(60), interval(54_750, 55_749));
    }

    #[test]
    fn r05_a_mempool_entry_is_no_older_than_our_blind_gap_and_no_younger_than_now() {
        assert_eq!(SIGHT.in_mempool(10), interval(40_000, 40_000));
        assert_eq!(SIGHT.in_mempool(100), interval(100_000, 100_000));
        assert_eq!(SIGHT.in_mempool(500), interval(100_000, 100_000));
        let first_start = Sight { since: None, ..SIGHT };
        assert_eq!(first_start.in_mempool(10), interval(10_000, 10_999));
    }

    #[test]
    fn r05_a_payment_met_in_a_block_is_as_old_as_the_block_within_what_we_know() {
        assert_eq!(SIGHT.in_block(70), interval(40_000, 70_000));
        // A miner's clock neither makes it older than what we saw before, nor younger than its receipt.
        assert_eq!(SIGHT.in_block(10), interval(40_000, 40_000));
        assert_eq!(SIGHT.in_block(7_000), interval(40_000, 100_000));
        // Nor does a clock of ours that is ahead of the node's.
        let ahead = Sight {
            offset_millis: 20_000,
            ..SIGHT
        };
        assert_eq!(ahead.in_block(70), interval(40_000, 90_000));
    }

    #[test]
    fn r12_a_block_was_certainly_found_two_hours_before_its_miners_time_at_the_earliest() {
        let late = Sight {
            now: Timestamp(20_000_000),
            ..SIGHT
        };
        assert_eq!(late.block_found_after(10_000, None), Timestamp(2_800_000));
        assert_eq!(late.block_claims(10_000), Timestamp(10_000_000));
        // The median of those before it is what most miners say.
        assert_eq!(late.block_found_after(10_000, Some(9_500)), Timestamp(9_500_000));
        assert_eq!(late.block_found_after(10_000, Some(1_000)), Timestamp(2_800_000));
        // By our own time, and never in its future.
        let ahead = Sight {
            lead_millis: 20_000,
            ..late
        };
        assert_eq!(ahead.block_found_after(10_000, None), Timestamp(2_820_000));
        assert_eq!(late.block_found_after(90_000, None), Timestamp(20_000_000));
    }

    #[test]
    fn r32_a_regtest_nodes_clock_is_the_machines_and_any_other_is_asked() {
        let moment = || Moment {
            now: Timestamp(50_000),
            outside: Timestamp(30_000),
            shown: Timestamp(30_000),
            aligned_from: Timestamp(i64::MIN),
            running: std::time::Duration::ZERO,
        };
        assert_eq!(clock_offset(Network::Regtest, || Ok(1), moment).unwrap(), 20_000);
        assert_eq!(clock_offset(Network::Signet, || Ok(45_000), moment).unwrap(), 5_000);
    }

    #[test]
    fn r32_what_came_while_our_time_stood_still_may_have_come_until_it_went_on() {
        let resumed = Sight {
            aligned_from: Timestamp(80_000),
            ..SIGHT
        };
        assert_eq!(resumed.in_mempool(60), interval(60_000, 80_000));
        assert_eq!(resumed.in_mempool(90), interval(90_000, 90_999));
        assert_eq!(resumed.in_block(70), interval(40_000, 80_000));
        assert_eq!(resumed.in_block(90), interval(40_000, 90_000));
    }

    #[test]
    fn r32_a_block_found_while_our_time_is_ahead_is_as_old_in_our_time() {
        let ahead = Sight {
            lead_millis: 20_000,
            ..SIGHT
        };
        assert_eq!(ahead.in_block(50), interval(40_000, 70_000));
    }
}
