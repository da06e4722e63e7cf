//! The doors that are open to everybody.

use serde::{Deserialize, Serialize};

/// One of them, and what strangers do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Door {
    /// Unsigned links, each followed to a charge.
    Creations,
    /// Passwords: wrong ones for the owner's account, and any for accounts that nobody has.
    LogIn,
    /// Requests for accounts.
    SignUp,
    /// "Forgot my password" for the owner's mailbox and for others.
    Letters,
    /// Challenges for passkeys, by sessions that nobody has.
    Passkeys,
    /// Live streams of charges, kept open.
    Streams,
    /// Connections on which nothing is said.
    Idle,
    /// Connections that say half a request and that they will say no more.
    HalfClosed,
    /// Heads that come byte by byte.
    SlowHeads,
    /// Bodies that come byte by byte.
    SlowBodies,
    /// Answers that nobody reads.
    SlowReaders,
    /// HTTP/2 whose windows stay shut.
    Http2,
    /// Files of the checkout.
    Assets,
    /// The merchant API with signatures that are wrong.
    Signatures,
    /// The state of charges, asked again and again.
    Status,
}

/// All of them with their rows' names, and what is measured there.
pub const DOORS: [(Door, &str, &str); 15] = [
    (
        Door::Creations,
        "siege-creations",
        "strangers make charges by unsigned links",
    ),
    (Door::LogIn, "siege-log-in", "strangers try passwords"),
    (Door::SignUp, "siege-sign-up", "strangers ask for accounts"),
    (Door::Letters, "siege-letters", "strangers have letters sent"),
    (Door::Passkeys, "siege-passkeys", "strangers ask for challenges"),
    (Door::Streams, "siege-streams", "strangers hold live streams"),
    (Door::Idle, "siege-idle", "strangers hold connections and say nothing"),
    (
        Door::HalfClosed,
        "siege-half-closed",
        "strangers say half a request and no more",
    ),
    (Door::SlowHeads, "siege-slow-heads", "strangers send heads byte by byte"),
    (
        Door::SlowBodies,
        "siege-slow-bodies",
        "strangers send bodies byte by byte",
    ),
    (Door::SlowReaders, "siege-slow-readers", "strangers ask and do not read"),
    (
        Door::Http2,
        "siege-http2",
        "strangers open HTTP/2 streams and take nothing",
    ),
    (Door::Assets, "siege-assets", "strangers fetch files"),
    (
        Door::Signatures,
        "siege-signatures",
        "strangers sign for the API, wrongly",
    ),
    (Door::Status, "siege-status", "strangers ask how charges stand"),
];

impl Door {
    /// Whether strangers hold something there, rather than ask and go.
    pub const fn is_held(self) -> bool {
        matches!(
            self,
            Self::Streams
                | Self::Idle
                | Self::HalfClosed
                | Self::SlowHeads
                | Self::SlowBodies
                | Self::SlowReaders
                | Self::Http2
        )
    }
}
