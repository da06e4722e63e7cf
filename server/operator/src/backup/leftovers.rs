//! What commands that were killed have left: whole copies of a database, and halves of backups. Whoever is at work on one holds a lock
//! on it, which goes with the process; what nobody holds is nobody's.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::UNIX_EPOCH;

use bitpro_base::private;
use bitpro_charge::Timestamp;
use bitpro_store::folder_of;

use super::target::{PARTIAL, is_backup};

/// Between the database's name and the name of a copy of it that a backup is made of.
pub(crate) const COPY: &str = ".copy-";
/// Where a backup is unpacked, beside the database.
pub(super) const UNPACKED: &str = ".restoring-";
/// What the engine puts beside a file that it writes.
const JOURNAL: &str = "-journal";
/// Between the server, which made a copy, and the command, which packs it, nobody holds it for an instant.
const HANDED_OVER_SECS: u32 = 60;

/// Removes copies and unpacked backups that were left beside `database`, at the start of a server.
pub fn clear(database: &Path) {
    clear_copies(database, None);
    clear_unpacked(database);
}

/// Removes copies of the database that were left. Beside others who may be making a backup, `now`, only those that have been left for a
/// while. What cannot be removed is in nobody's way.
pub(crate) fn clear_copies(database: &Path, now: Option<Timestamp>) {
    let Some(name) = database.file_name().and_then(OsStr::to_str) else {
        return;
    };
    let prefix = format!("{name}{COPY}");
    for (entry, name) in entries(folder_of(database)) {
        if !name.starts_with(&prefix) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let copy = entry.path().with_file_name(name.strip_suffix(JOURNAL).unwrap_or(&name));
        let was_left = now.is_none_or(|now| is_older_than(&entry, HANDED_OVER_SECS, now));
        if was_left && !is_held(&copy) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Removes the folders of restores that died.
pub(super) fn clear_unpacked(database: &Path) {
    for (entry, name) in entries(folder_of(database)) {
        let is_ours = name.starts_with(UNPACKED) && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && !is_held(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes the beginnings of backups that were left in `folder`, under whatever name.
pub(super) fn clear_partial(folder: &Path) {
    for (entry, name) in entries(folder) {
        let is_ours = name.ends_with(PARTIAL)
            && fs::symlink_metadata(entry.path()).is_ok_and(|found| begun(&entry.path(), &found));
        if is_ours && !is_held(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn begun(path: &Path, found: &fs::Metadata) -> bool {
    is_backup(path, found).unwrap_or(false)
}

/// Whether a process is at work on what lies at `path`. What cannot be looked at is left alone.
pub(super) fn is_held(path: &Path) -> bool {
    private::is_held(path).unwrap_or(true)
}

fn entries(folder: &Path) -> impl Iterator<Item = (DirEntry, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let name = entry.file_name().to_str()?.to_owned();
        Some((entry, name))
    })
}

/// Whether nobody has written to what `entry` names for so many seconds.
fn is_older_than(entry: &DirEntry, secs: u32, now: Timestamp) -> bool {
    let written = entry.metadata().and_then(|found| found.modified()).ok();
    let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    written.is_some_and(|at| {
        let written = Timestamp::from_secs(i64::try_from(at.as_secs()).unwrap_or(i64::MAX));
        written.plus_secs(secs) < now
    })
}
