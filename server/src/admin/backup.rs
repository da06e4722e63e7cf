//! The copy of the database that a backup is made of.

use std::ffi::OsStr;
use std::path::Path;

use bitpro_charge::Timestamp;
use serde_json::json;

use super::wire::{Failure, Kind, Reply};
use crate::backup::is_older_than;
use crate::charges::Charges;

/// Between the database's name and a copy's own.
const COPY: &str = ".copy-";
/// A copy this old was left behind by a command that died.
const LEFT_BEHIND_SECS: u32 = 24 * 60 * 60;

/// Copies the database beside itself. Whoever asked has to remove the copy.
pub(super) async fn execute(charges: &Charges) -> Reply {
    let database = charges.store().database();
    remove_old_copies(database, charges.now());
    let mut path = database.as_os_str().to_owned();
    path.push(COPY);
    path.push(hex::encode(charges.random()));
    let text = path
        .to_str()
        .ok_or_else(|| Failure::new(Kind::Invalid, format!("{} is not UTF-8", database.display())))?
        .to_owned();
    charges.store().copy_into(Path::new(&path)).await?;
    Ok(json!({ "path": text }))
}

/// Space that nobody would miss is given back; what cannot be removed is in nobody's way.
fn remove_old_copies(database: &Path, now: Timestamp) {
    let (Some(folder), Some(name)) = (database.parent(), database.file_name().and_then(OsStr::to_str)) else {
        return;
    };
    let prefix = format!("{name}{COPY}");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_copy = entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix));
        if is_copy && is_older_than(&entry, LEFT_BEHIND_SECS, now) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
