//! The binary `bitpro`: its command line, the start and the end of the server, and all paths together.

pub mod cli;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub mod lifecycle;
pub mod router;
pub mod telemetry;
