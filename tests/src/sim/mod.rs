//! The simulation: the real charges, store, watcher and queue of webhooks in one thread, against a chain, a node, clocks, receivers and
//! people that are not there, all from one seed. A model of few lines says what must have come of it.

pub mod act;
mod bounds;
pub mod campaign;
pub mod check;
pub mod coverage;
pub mod dice;
pub mod doubles;
mod finale;
pub mod model;
pub mod net;
pub mod node;
pub mod opened;
pub mod peer;
pub mod plot;
pub mod receivers;
pub mod seed;
pub mod server;
pub mod shrink;
pub mod told;
pub mod wallets;
pub mod world;

pub use seed::Seed;

/// What was found to be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which rule or invariant, in a word that does not change with the history.
    pub what: &'static str,
    /// Where and how.
    pub how: String,
}

/// Says that a rule is broken.
///
/// # Errors
/// Always: that is what it is for.
pub fn broken<T>(what: &'static str, how: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { what, how: how.into() })
}
