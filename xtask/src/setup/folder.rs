//! Folders that are either complete or not there at all, so that a stopped installation never looks finished.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// Where a folder is prepared before it is moved to its `place`.
pub fn partial(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Makes an empty folder, whatever was there.
///
/// # Errors
/// When the operating system refuses.
pub fn fresh(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))
}

/// Moves a finished folder to where it is looked for.
///
/// # Errors
/// When the operating system refuses.
pub fn put_in_place(finished: &Path, place: &Path) -> Result<()> {
    remove(place)?;
    fs::rename(finished, place).map_err(|error| Failure::file("move", finished, &error))
}

/// Removes a folder and all in it; one that is not there counts as removed.
///
/// # Errors
/// When the operating system refuses.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::file("remove", folder, &error)),
        _ => Ok(()),
    }
}
