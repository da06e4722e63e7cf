//! The shell around the domain: HTTP, storage, the node, the clock. `main.rs` builds the binary `bitpro` from it.

pub mod clock;
pub mod node;
