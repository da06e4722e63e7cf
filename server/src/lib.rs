//! The shell around the domain: HTTP, storage, the node, the clock. `main.rs` builds the binary `bitpro` from it.

pub mod charges;
pub mod clock;
pub mod config;
pub mod limits;
pub mod merchant;
pub mod node;
pub mod rates;
pub mod rng;
pub mod store;
pub mod wallet;
