//! Acquia HTTP HMAC 2.0, the server's side: pure functions of what was sent.

mod credentials;
mod signature;

pub use credentials::{Credentials, Malformed};
pub use signature::{SignedRequest, body_hash, response_signature, sign};
