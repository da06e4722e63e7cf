//! Where a shopper stands: finer than the five public states, and aware of the clock.

use bitpro_charge::wire::{ChargeView, NodeView};

/// What the page has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was paid yet.
    Waiting,
    /// An earlier payment was lost, and there is time for another.
    WaitingAgain,
    /// A part was paid, and there is time for the rest.
    Partial,
    /// The deadline has passed by the clock; the server has not yet looked that far (R4).
    Closing,
    /// Enough is known, not yet deep enough.
    Seen,
    /// The same, for very long (R12).
    Stuck,
    /// Enough, and deep enough.
    Confirmed,
    /// The same, and more than was asked for.
    Overpaid,
    /// The window passed without a payment.
    TimedOut,
    /// All or the rest came late.
    Late,
    /// Not enough came in time.
    Underpaid,
    /// A conflicting transaction took the money elsewhere.
    Replaced,
    /// The network forgot it and refuses it.
    Dropped,
    /// Its block left the chain for good.
    Reorged,
    /// Withdrawn by the merchant.
    Cancelled,
    /// Failed for a reason that is newer than this page.
    Failed,
}

/// How a phase feels: it chooses the colour, never alone (the icon says it too).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The shopper has something to do.
    Calm,
    /// The network has something to do.
    Busy,
    /// All is well, for good.
    Good,
    /// Somebody has to look after it.
    Care,
}

impl Phase {
    /// The phase of a charge at `now`, by the server's clock.
    #[must_use]
    pub fn of(view: &ChargeView, now: i64) -> Self {
        let reason = view.reason.as_deref().unwrap_or_default();
        match view.state.as_str() {
            "confirmed" if reason == "overpaid" => Self::Overpaid,
            "confirmed" => Self::Confirmed,
            "seen" if reason == "stuck" => Self::Stuck,
            "seen" if reason != "underpaid" => Self::Seen,
            "timedout" => Self::TimedOut,
            "failed" => match reason {
                "late" => Self::Late,
                "underpaid" => Self::Underpaid,
                "replaced" => Self::Replaced,
                "dropped" => Self::Dropped,
                "reorged" => Self::Reorged,
                "cancelled" => Self::Cancelled,
                _ => Self::Failed,
            },
            // `pending`, and `seen` with too little: open, as long as the server gives a link and the clock runs.
            _ if view.uri.is_none() || now >= view.expires_at => Self::Closing,
            _ if view.received_sat > 0 => Self::Partial,
            _ if !view.gone_payments.is_empty() => Self::WaitingAgain,
            _ => Self::Waiting,
        }
    }

    /// Whether the shopper is asked to pay.
    #[must_use]
    pub const fn is_payable(self) -> bool {
        matches!(self, Self::Waiting | Self::WaitingAgain | Self::Partial)
    }

    /// Whether something is still expected, so that a page that cannot listen should look again.
    #[must_use]
    pub const fn is_open(self) -> bool {
        self.is_payable() || matches!(self, Self::Closing | Self::Seen | Self::Stuck)
    }

    /// Its tone.
    #[must_use]
    pub const fn tone(self) -> Tone {
        match self {
            Self::Waiting | Self::WaitingAgain | Self::Partial => Tone::Calm,
            Self::Closing | Self::Seen | Self::Stuck => Tone::Busy,
            Self::Confirmed | Self::Overpaid => Tone::Good,
            Self::TimedOut
            | Self::Late
            | Self::Underpaid
            | Self::Replaced
            | Self::Dropped
            | Self::Reorged
            | Self::Cancelled
            | Self::Failed => Tone::Care,
        }
    }
}

impl Tone {
    /// The word in `data-tone`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Busy => "busy",
            Self::Good => "good",
            Self::Care => "care",
        }
    }
}

/// Whether our node would notice a payment now.
#[must_use]
pub(super) const fn is_listening(view: &ChargeView) -> bool {
    matches!(view.node, NodeView::Ready)
}
