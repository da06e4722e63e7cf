//! Why a merchant is not obeyed.

use std::fmt;

/// Why a merchant's command is refused. Each is a conflict: the charge is not what they thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The charge has moved on since the merchant looked; its sequence now.
    Stale(u64),
    /// None of the named payments is live, or one is not known (R14).
    NoLiveMoney,
    /// The charge is confirmed, and all that was named counts already: there is no amount and no time to waive (R14).
    NothingToAccept,
    /// Only a pending charge can be cancelled (R15).
    NotPending,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale(sequence) => {
                write!(f, "the charge has changed; its sequence is now {sequence}")
            }
            Self::NoLiveMoney => f.write_str("there is no live payment to accept"),
            Self::NothingToAccept => f.write_str("the charge is confirmed, and what was named counts already"),
            Self::NotPending => f.write_str("only a pending charge can be cancelled"),
        }
    }
}

impl std::error::Error for Refusal {}
