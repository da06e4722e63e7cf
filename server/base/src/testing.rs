//! What tests of several crates need: a seal, and a look at who may read a folder.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::seal::{Seal, SealKeys, Secret};

/// Seals secrets under a key of tests.
pub fn seal() -> Seal {
    Seal::new(&SealKeys::first(Secret([9; 32])))
}

/// The files below `folder` that others may do anything with.
pub fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(open_to_others(&entry.path()));
        } else if entry.metadata().unwrap().permissions().mode() & 0o077 != 0 {
            found.push(entry.path());
        }
    }
    found
}

/// Lets everybody read what is below `folder`, as a careless copy does.
pub fn open_all(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o644)).unwrap();
        }
    }
}
