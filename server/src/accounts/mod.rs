//! People: who they are, how they prove it, and for which merchants they may do what.

pub mod role;

pub use role::{Permission, Role};
