//! Instants and intervals, in milliseconds since the Unix epoch. No clock is read here.

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// An instant given in whole Unix seconds.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole Unix seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant, `secs` seconds later; saturates at the end of time.
    #[must_use]
    pub const fn plus_secs(self, secs: u32) -> Self {
        Self(self.0.saturating_add(secs as i64 * 1000))
    }

    /// Seconds from this instant to `later`, rounded up; zero once it has passed.
    #[must_use]
    pub const fn secs_until(self, later: Self) -> u32 {
        let millis = later.0.saturating_sub(self.0);
        if millis <= 0 {
            return 0;
        }
        let secs = (millis - 1) / 1000 + 1;
        if secs > u32::MAX as i64 {
            return u32::MAX;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked above"
        )]
        {
            secs as u32
        }
    }
}

/// So many lower bounds are kept beside the one that counts: reports that contradict each other are few.
const MOST_BOUNDS: usize = 16;

/// When something first happened, as precisely as we could know it (R5): not before `earliest`, not after `latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// It did not happen before this.
    pub earliest: Timestamp,
    /// It had happened by then.
    pub latest: Timestamp,
}

impl Interval {
    /// A moment known exactly, such as our own receipt of a transaction.
    #[must_use]
    pub const fn at(instant: Timestamp) -> Self {
        Self {
            earliest: instant,
            latest: instant,
        }
    }

    /// Takes in another report of the same instant (R5). It had happened by the least of what they say at the latest, and not
    /// before the greatest of what they say at the earliest; a lower bound above the upper one is a mistake of somebody's
    /// clock and bounds nothing.
    #[must_use]
    pub fn narrowed(self, report: Self) -> Self {
        self.narrowed_among(&[], report).0
    }

    /// The same, with the lower bounds that stood below `self` so far; the second value is those that stand below now. They
    /// count again when a later report lowers the upper bound below the present lower one, so that the order in which reports
    /// come decides nothing.
    pub(crate) fn narrowed_among(self, lower: &[Timestamp], report: Self) -> (Self, Vec<Timestamp>) {
        let latest = self.latest.min(report.latest);
        let mut bounds: Vec<Timestamp> = lower.to_vec();
        bounds.extend([self.in_order().earliest, report.in_order().earliest]);
        bounds.retain(|&bound| bound <= latest);
        bounds.sort_unstable();
        bounds.dedup();
        // The report with the least upper bound has a lower one that is not above it: there always is one.
        let earliest = bounds.pop().unwrap_or(latest);
        bounds.drain(..bounds.len().saturating_sub(MOST_BOUNDS));
        (Self { earliest, latest }, bounds)
    }

    /// The interval, or its end where it begins after its end.
    pub(crate) fn in_order(self) -> Self {
        Self {
            earliest: self.earliest.min(self.latest),
            latest: self.latest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_left_round_up_and_end_at_zero() {
        let start = Timestamp(1_000);
        assert_eq!(start.secs_until(Timestamp(1_001)), 1);
        assert_eq!(start.as_secs(), 1);
        assert_eq!(Timestamp(-1).as_secs(), -1);
        assert_eq!(start.secs_until(Timestamp(3_000)), 2);
        assert_eq!(start.secs_until(Timestamp(1_000)), 0);
        assert_eq!(start.secs_until(Timestamp(0)), 0);
        assert_eq!(Timestamp(0).secs_until(Timestamp(i64::MAX)), u32::MAX);
    }
}
