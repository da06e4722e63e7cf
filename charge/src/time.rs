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
    /// before the greatest of what they say at the earliest, as far as that is not above the upper bound: a coarse report from behind,
    /// such as a block whose miner's clock lags, never makes an exact one wider. The order in which reports come decides nothing.
    #[must_use]
    pub fn narrowed(self, report: Self) -> Self {
        Self {
            earliest: self.earliest.max(report.earliest),
            latest: self.latest.min(report.latest),
        }
        .in_order()
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
