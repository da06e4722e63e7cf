//! Blocks that could not be read, as they are remembered (R6).

use bitpro_charge::Timestamp;
use bitpro_node::view::Hole;
use serde::{Deserialize, Serialize};

use super::{BadDocument, expect_version};

#[derive(Serialize, Deserialize)]
struct StoredHole {
    version: u32,
    from: u32,
    to: u32,
    since: i64,
    until: i64,
}

/// The document for a hole; empty when there is none.
pub(crate) fn hole_to(hole: Option<Hole>) -> String {
    let Some(hole) = hole else {
        return String::new();
    };
    let stored = StoredHole {
        version: 1,
        from: hole.from,
        to: hole.to,
        since: hole.since.0,
        until: hole.until.0,
    };
    serde_json::to_string(&stored).expect("numbers always serialize")
}

/// The hole in `document`, if there is one.
///
/// # Errors
/// [`BadDocument`].
pub(crate) fn hole_from(document: Option<&str>) -> Result<Option<Hole>, BadDocument> {
    let Some(document) = document.filter(|document| !document.is_empty()) else {
        return Ok(None);
    };
    let stored: StoredHole = serde_json::from_str(document)?;
    expect_version(stored.version)?;
    Ok(Some(Hole {
        from: stored.from,
        to: stored.to,
        since: Timestamp(stored.since),
        until: Timestamp(stored.until),
    }))
}
