//! How a charge's events are numbered after the database went back to an older state (R17). What was decided after that state is
//! lost, and merchants may have been told of it: a number that was told once is not told of something else.
//!
//! Numbers go on from the time in milliseconds. It is the one thing that a database which knows nothing of its own future can be
//! sure to be above: no charge has an event a millisecond, and a second restore of the same backup is later than the first.

use bitpro_charge::{Event, Timestamp};

use super::Snapshot;

/// Where numbers go on, and for which charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbering {
    /// No number up to this one is given any more.
    above: u64,
    /// The last charge that was there then: later ones were never told of before.
    last_charge: i64,
}

impl Numbering {
    /// The name of the fact that the database keeps about it.
    pub(super) const FACT: &'static str = "restored";

    /// After a step back that was noticed at `now`, in a database whose last charge is in row `last_charge`.
    pub(super) fn after_restore(now: Timestamp, last_charge: i64) -> Self {
        Self {
            above: u64::try_from(now.0).unwrap_or(0),
            last_charge,
        }
    }

    /// What stands under [`Self::FACT`].
    pub(super) fn text(self) -> String {
        format!("{} {}", self.above, self.last_charge)
    }

    /// What a fact says; `None` when it was not written by us.
    pub(super) fn read(fact: &str) -> Option<Self> {
        let (above, last_charge) = fact.split_once(' ')?;
        Some(Self {
            above: above.parse().ok()?,
            last_charge: last_charge.parse().ok()?,
        })
    }

    /// What has to precede the next event of a charge, as it stands: nothing, once its numbers are above.
    pub(super) fn event_before(self, snapshot: &Snapshot) -> Option<Event> {
        let is_due = snapshot.num <= self.last_charge && snapshot.charge.sequence < self.above;
        is_due.then_some(Event::Restored { sequence: self.above })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let numbering = Numbering::after_restore(Timestamp(1_800_000_000_123), 41);
        assert_eq!(Numbering::read(&numbering.text()), Some(numbering));
        for text in ["", "1", "1 x", "x 1"] {
            assert_eq!(Numbering::read(text), None, "{text:?}");
        }
    }
}
