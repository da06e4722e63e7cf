//! Decisions, as they are stored: the log of a charge, from which its live state is replayed.

use bitcoin_units::Amount;

use crate::{Interval, Judgement, Loss, Outpoint, Payment, Place, Quote, Reason, State, Timestamp};

/// A state with its reason: what the state function answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The public state.
    pub state: State,
    /// Why, where there is something to say.
    pub reason: Option<Reason>,
}

/// What the merchant is told, in the words of the wire (R17, R18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Announcement {
    /// `charge:seen`
    Seen,
    /// `charge:timedout`
    TimedOut,
    /// `charge:confirmed`
    Confirmed,
    /// `charge:failed`
    Failed,
    /// `charge:reverted`, additive: what was announced as seen or confirmed has fallen back.
    Reverted,
    /// `charge:updated`, additive: more money, a partial payment completed, an excess, a stuck payment.
    Updated,
}

impl Announcement {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Seen,
        Self::TimedOut,
        Self::Confirmed,
        Self::Failed,
        Self::Reverted,
        Self::Updated,
    ];

    /// The event's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "charge:seen",
            Self::TimedOut => "charge:timedout",
            Self::Confirmed => "charge:confirmed",
            Self::Failed => "charge:failed",
            Self::Reverted => "charge:reverted",
            Self::Updated => "charge:updated",
        }
    }
}

/// One decision. Whatever was random, timed or looked up stands in it, so that replaying needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An outpoint that pays the charge was seen for the first time.
    PaymentFound(Payment),
    /// A known payment is somewhere else: mined, back in the mempool, in another block, or back from being lost.
    PaymentMoved {
        /// Which.
        outpoint: Outpoint,
        /// Where it is now.
        place: Place,
    },
    /// A better report of a first sight came in (R5).
    FirstSeenCorrected {
        /// Which.
        outpoint: Outpoint,
        /// What all reports together say.
        first_seen: Interval,
    },
    /// A payment is proven lost.
    PaymentLost {
        /// Which.
        outpoint: Outpoint,
        /// How.
        loss: Loss,
    },
    /// The charge needs more confirmations than before (R9).
    ConfirmationsRaised {
        /// The new number.
        required: u32,
    },
    /// A partial payment in time gave the shopper more time for the rest (R16).
    DeadlineExtended {
        /// The new deadline.
        deadline: Timestamp,
        /// The rate that was compared with the quote.
        compared: Quote,
    },
    /// Chain and mempool are known beyond the deadline and its grace (R4).
    DeadlineObserved {
        /// How far they are known.
        observed_until: Timestamp,
    },
    /// The settlement deadline passed with these payments not deep (R12).
    Stalled {
        /// The payments concerned.
        outpoints: Vec<Outpoint>,
    },
    /// The late policy, or the merchant's hand, decided about a payment (R12 to R14).
    Judged {
        /// Which.
        outpoint: Outpoint,
        /// What.
        judgement: Judgement,
        /// The rate that was compared with the quote, where one was.
        compared: Option<Quote>,
    },
    /// The merchant's hand took payments (R14). Logs from before this event have a [`Event::Judged`] for each instead.
    Accepted {
        /// The payments that they named, ascending.
        outpoints: Vec<Outpoint>,
        /// What suffices from now on: the value of what they named, where the charge was short, and never more than before.
        suffices: Option<Amount>,
    },
    /// The merchant withdrew the charge (R15).
    Cancelled {
        /// When: money first seen by then still counts.
        at: Timestamp,
    },
    /// The clock by which the charge was made had run ahead and was taken back behind its creation (R32): it was there by then.
    MadeEarlier {
        /// The instant by the clock that is right.
        at: Timestamp,
    },
    /// The state function's answer has changed.
    StateChanged {
        /// The new answer.
        verdict: Verdict,
        /// The tip it was given under.
        tip: u32,
    },
    /// The instance went on from an older state of its database. What was decided after that state is lost, and numbers up to this
    /// one may have been told of it: they are not given again (R17).
    Restored {
        /// The number of this event; the next one follows it.
        sequence: u64,
    },
    /// The merchant is told. Each is one webhook event, with the charge as it stood here.
    Announced {
        /// What they are told.
        announcement: Announcement,
        /// The tip under which confirmations of the payload count.
        tip: u32,
    },
}

impl Event {
    /// Its number in a log whose last event is number `last`: the next one, but for a restore, which moves numbers ahead (R17).
    #[must_use]
    pub fn number_after(&self, last: u64) -> u64 {
        match self {
            Self::Restored { sequence } => (*sequence).max(last + 1),
            _ => last + 1,
        }
    }

    /// The event's name in the log.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PaymentFound(_) => "payment_found",
            Self::PaymentMoved { .. } => "payment_moved",
            Self::FirstSeenCorrected { .. } => "first_seen_corrected",
            Self::PaymentLost { .. } => "payment_lost",
            Self::ConfirmationsRaised { .. } => "confirmations_raised",
            Self::DeadlineExtended { .. } => "deadline_extended",
            Self::DeadlineObserved { .. } => "deadline_observed",
            Self::Stalled { .. } => "stalled",
            Self::Judged { .. } => "judged",
            Self::Accepted { .. } => "accepted",
            Self::Cancelled { .. } => "cancelled",
            Self::MadeEarlier { .. } => "made_earlier",
            Self::StateChanged { .. } => "state_changed",
            Self::Restored { .. } => "restored",
            Self::Announced { .. } => "announced",
        }
    }
}

/// An event with its place in the charge's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Dense from 1 in each charge, but for a jump at [`Event::Restored`]; the creation itself is 0 (R17).
    pub sequence: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}
