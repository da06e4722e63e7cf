//! The copy of the database that a backup is made of.

use std::path::Path;

use bitpro_service::charges::Charges;
use serde_json::json;

use super::wire::{Failure, Kind, Reply};
use crate::backup::leftovers;

/// Copies the database beside itself. Whoever asked has to remove the copy.
pub(super) async fn execute(charges: &Charges) -> Reply {
    let database = charges.store().database();
    leftovers::clear_copies(database, Some(charges.now()));
    let mut path = database.as_os_str().to_owned();
    path.push(leftovers::COPY);
    path.push(hex::encode(charges.random()));
    let text = path
        .to_str()
        .ok_or_else(|| Failure::new(Kind::Invalid, format!("{} is not UTF-8", database.display())))?
        .to_owned();
    charges.store().copy_into(Path::new(&path)).await.map_err(|error| {
        if error.is_disk_full() {
            return Failure::new(
                Kind::Unavailable,
                format!("{text}: the disk is full: a backup briefly needs as much space there as the database"),
            );
        }
        error.into()
    })?;
    Ok(json!({ "path": text }))
}
