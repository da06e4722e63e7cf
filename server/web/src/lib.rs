//! HTTP: connections, the edge that every request passes, headers, problems; the application that handlers share; and what shoppers and
//! monitors see.

#![warn(missing_docs)]

pub mod app;
mod bodies;
pub mod checkout;
pub mod context;
pub mod edge;
pub mod encoding;
mod fixed;
pub mod headers;
pub mod health;
pub mod knocks;
pub mod listener;
mod noted;
pub mod outside;
mod patience;
pub mod problem;
pub mod refusal;
mod resting;
pub mod router;
mod socket;
mod stream;
mod takeover;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use bodies::Bodies;
pub use context::{Context, Peer, RequestId, RequestIds};
pub use fixed::Fixed;
pub use noted::Noted;
pub use problem::Problem;
pub use stream::event_stream;
pub use takeover::LongLived;
