//! The database as one file with one name: whether it is whole, and whether another server could open it by another name.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::OpenError;
use crate::opening::mark_path;

/// Refuses a file that was cut off where the engine does not notice: within its last page, or at nothing. One of no length is a new
/// database, but not where addresses were given out before.
pub(crate) fn refuse_cut_off(database: &Path) -> Result<(), OpenError> {
    let length = |path: &Path| std::fs::metadata(path).ok().map(|found| found.len());
    let was_used = length(&mark_path(database)).is_some_and(|length| length > 0);
    let cause = match (length(database), page_size(database)) {
        (Some(0), _) if was_used => "it is empty, but addresses were issued from it",
        (Some(length), Some(page)) if !length.is_multiple_of(page) => "its last page is not whole",
        _ => return Ok(()),
    };
    Err(OpenError::Unreadable {
        path: database.display().to_string(),
        cause: cause.to_owned(),
    })
}

/// What stands behind the name of a database that was replaced by a restore.
pub const ASIDE: &str = ".before-restore";

/// The engine's locks and its log go by the name of the file: by another name, another server would not see them.
pub(crate) fn refuse_second_name(database: &Path, serves: bool) -> Result<(), OpenError> {
    if serves && let Err(error) = forget_second_names(database) {
        tracing::warn!(%error, "a file name left by a restore could not be removed");
    }
    let names = std::fs::metadata(database).map_or(1, |found| found.nlink());
    // Beside a server, a restore may just be at work.
    if names > 1 && second_names(database).len() as u64 + 1 < names {
        return Err(OpenError::SecondName(database.display().to_string()));
    }
    Ok(())
}

/// Removes the names that a restore which died has given the database that is still in its place.
///
/// # Errors
/// The file system's.
pub fn forget_second_names(database: &Path) -> std::io::Result<()> {
    for name in second_names(database) {
        std::fs::remove_file(&name)?;
        let mut log = name.into_os_string();
        log.push("-wal");
        if let Err(error) = std::fs::remove_file(&log)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    Ok(())
}

fn second_names(database: &Path) -> Vec<PathBuf> {
    let identity = |path: &Path| {
        let found = std::fs::symlink_metadata(path).ok()?;
        Some((found.dev(), found.ino()))
    };
    let (Some(own), Some(name)) = (identity(database), database.file_name()) else {
        return Vec::new();
    };
    let mut prefix = name.as_encoded_bytes().to_vec();
    prefix.extend_from_slice(ASIDE.as_bytes());
    let entries = std::fs::read_dir(folder_of(database)).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(&prefix))
        .map(|entry| entry.path())
        .filter(|path| identity(path) == Some(own))
        .collect()
}

/// The folder that `path` lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// What the file says of the size of its pages (SQLite's file format, 1.3.2); `None` for a file that is too short to say it.
fn page_size(database: &Path) -> Option<u64> {
    use std::os::unix::fs::FileExt as _;
    let mut size = [0; 2];
    std::fs::File::open(database).ok()?.read_exact_at(&mut size, 16).ok()?;
    match u16::from_be_bytes(size) {
        0 => None,
        1 => Some(65_536),
        size => Some(u64::from(size)),
    }
}
