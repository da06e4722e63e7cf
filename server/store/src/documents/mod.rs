//! The stored shapes of terms, charges and events: JSON with a version. Each is a counterpart of a domain type, made at
//! this boundary, so that a change of the domain cannot silently change what an old database means.

mod event;
mod hole;
mod letter;
mod parts;
mod snapshot;
mod terms;

use super::StoreError;
pub(crate) use event::{events_from, events_to};
pub(crate) use hole::{hole_from, hole_to};
pub use letter::letter_from;
pub(crate) use letter::letter_to;
pub(crate) use snapshot::{payment_to, snapshot_from, snapshot_to};
pub(crate) use terms::{terms_from, terms_to};

/// A document that is not one of ours, or of a later release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored document cannot be read: {0}")]
pub struct BadDocument(String);

impl From<BadDocument> for StoreError {
    fn from(error: BadDocument) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<serde_json::Error> for BadDocument {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// `found` is the version of this release, or the document is not read at all.
fn expect_version(found: u32) -> Result<(), BadDocument> {
    if found == 1 {
        Ok(())
    } else {
        Err(BadDocument(format!("version {found} is not known here")))
    }
}
