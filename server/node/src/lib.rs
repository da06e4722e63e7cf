//! The Bitcoin node: reading chain and mempool, and telling the charges what has changed.
//!
//! One loop, [`watch()`], owns all that is known. ZMQ and polling only wake it; what it reports comes from an answer of the node's RPC
//! or from a block whose hash and merkle root were checked (R7). From the stored view and what was read, `diff` makes the new
//! view, which the charges take in one transaction (R2).

#![warn(missing_docs)]

pub mod api;
mod checks;
mod config;
mod convert;
mod diff;
mod endpoint;
mod error;
mod first_seen;
#[cfg(test)]
mod fixtures;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod known;
mod matching;
mod mirror;
mod poll;
mod port;
mod probe;
mod rpc;
mod scan;
mod status;
pub mod survey;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod view;
mod watcher;
mod zmq;
mod zmtp;

pub use config::{NodeAuth, NodeConfig, ZmqSource};
pub use error::NodeError;
pub use port::{ChargesPort, IssuedRange, KnownTx, ScanRequest};
pub use probe::{CheckLine, Level, probe, stale};
pub use status::{Condition, Hearing, Hold, HoldReason, NodeStatus, ZmqState};
pub use watcher::{Stepped, Watching, watch};
