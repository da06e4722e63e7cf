//! HTTP itself: connections, the edge that every request passes, headers, problems. Nothing here knows what a charge is.

mod bodies;
pub mod context;
pub mod edge;
pub mod encoding;
mod fixed;
pub mod headers;
pub mod listener;
mod patience;
pub mod problem;
mod resting;
mod socket;
mod stream;
mod takeover;
pub mod urls;

pub use bodies::Bodies;
pub use context::{Context, Peer, RequestId, RequestIds};
pub use fixed::Fixed;
pub use problem::Problem;
pub use stream::event_stream;
pub use takeover::LongLived;
