//! From an observation to decisions.

use std::fmt;

use crate::{Charge, Context, Event, Observation};

/// Why a merchant's command is refused. Each is a conflict: the charge is not what he thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The charge has moved on since the merchant looked; its sequence now.
    Stale(u64),
    /// None of the named payments is live, or one is not known (R14).
    NoLiveMoney,
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
            Self::NotPending => f.write_str("only a pending charge can be cancelled"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Decides what `observation` means for `charge`.
///
/// # Errors
/// [`Refusal`], for the merchant's commands only; a view is never refused.
pub fn decide(
    charge: &Charge,
    observation: &Observation,
    context: &Context,
) -> Result<Vec<Event>, Refusal> {
    let _ = (charge, observation, context);
    Ok(Vec::new())
}
