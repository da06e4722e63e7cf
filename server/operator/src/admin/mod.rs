//! What the command line does to merchants and charges: the same commands, carried out by the running server or, when none
//! runs, by the command line itself.
//!
//! The server is the one writer of its database, and holds merchants, watched scripts and open charges in memory (R30). A
//! second process that wrote beside it would leave that memory behind. So commands go through a socket in the file system,
//! which only the server's own user can open, and the server carries them out like its own.

mod backup;
mod clock;
mod execute;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod journal;
mod keys;
mod links;
mod mail;
mod people;
mod reconcile;
mod socket;
mod webhooks;
mod wire;

#[cfg(any(test, feature = "testing"))]
pub use execute::execute;
#[cfg(any(test, feature = "testing"))]
pub use journal::ACTIONS;
pub use links::{LinkCommand, LinkToSign, sign_offline};
pub use people::AccountCommand;
pub use reconcile::carry_out;
pub use socket::{AdminSocket, HEARD_WITHIN, Knock, SocketError, ask};
pub use webhooks::WebhookCommand;
pub use wire::{Command, Failure, Kind, ListQuery, MerchantEdit, Reply};
