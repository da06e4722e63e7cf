//! Where a backup may be written: to a new file, or over an earlier backup. The path comes from a person or a script at three in the
//! morning; whatever else stands there is worth more than the backup.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bitpro_base::private::real_path;
use bitpro_config::{Config, MailTransport, SealSource, SecretSource, UNREADY_SOCKET};

use super::leftovers::{COPY, UNPACKED};
use super::sealed::MAGIC;
use super::{BackupError, LONGEST_TEXT, MANIFEST};

/// What stands at the end of a backup's name while it is written.
pub(super) const PARTIAL: &str = ".partial";
/// The bytes of an archive's head.
const TAR_HEAD: usize = 512;

/// The files that an instance lives on, as far as a configuration tells, and `others` that it was told of.
pub fn files_of<'a>(config: &Config, others: impl IntoIterator<Item = &'a Path>) -> Vec<PathBuf> {
    let database = |ending: &str| super::archive::with_ending(&config.database, ending);
    let mut files: Vec<PathBuf> = ["", "-wal", "-shm", "-journal", ".issued", ".nonces", ".nonces.before"]
        .map(database)
        .into();
    files.extend([
        config.admin_socket.clone(),
        config.admin_socket.with_extension(UNREADY_SOCKET),
    ]);
    // A folder that may still have to be made.
    if let MailTransport::Files(folder) = &config.mail.transport {
        files.push(folder.clone());
    }
    if let SecretSource::Kept(path) = &config.secret {
        files.push(path.clone());
    }
    if let SealSource::Kept(path) = &config.seal_keys {
        files.push(path.clone());
    }
    files.extend(others.into_iter().map(Path::to_owned));
    files
}

/// Refuses to write to `to` unless nothing is there, or an earlier backup. `own` are the files of the instance; the first of them is
/// its database.
///
/// # Errors
/// [`BackupError::TargetInUse`], [`BackupError::TargetIsNoBackup`], [`BackupError::TargetIsUnfinished`],
/// [`BackupError::TargetIsFolder`], and what the file system says.
pub fn refuse(to: &Path, own: &[PathBuf]) -> Result<(), BackupError> {
    let shown = || to.display().to_string();
    // A path's parts leave out a dot or a slash at its end, by which it is a folder's all the same.
    if matches!(
        to.as_os_str().as_bytes().rsplit(|byte| *byte == b'/').next(),
        Some(b"" | b"." | b"..")
    ) {
        return Err(BackupError::TargetIsFolder(shown()));
    }
    if to.to_string_lossy().ends_with(PARTIAL) {
        return Err(BackupError::TargetIsUnfinished(shown()));
    }
    let found = match fs::symlink_metadata(to) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(BackupError::at(to)(error)),
    };
    // Its own name for the time of writing must not be one of them either.
    let names = [to.to_owned(), super::archive::with_ending(to, PARTIAL)].map(|name| real_path(&name));
    let same_file = |path: &Path| {
        let (Some(found), Ok(own)) = (&found, fs::metadata(path)) else {
            return false;
        };
        (found.dev(), found.ino()) == (own.dev(), own.ino())
    };
    if own
        .iter()
        .any(|path| names.contains(&real_path(path)) || same_file(path))
        || own
            .first()
            .is_some_and(|database| would_be_cleared(&names[0], database))
    {
        return Err(BackupError::TargetInUse(shown()));
    }
    match found {
        None => Ok(()),
        Some(found) if is_backup(to, &found).map_err(BackupError::at(to))? => Ok(()),
        Some(_) => Err(BackupError::TargetIsNoBackup(shown())),
    }
}

/// Whether a file of this name beside the database would be taken for what a dead command has left.
fn would_be_cleared(to: &Path, database: &Path) -> bool {
    let (Some(name), Some(database_name)) = (to.file_name(), database.file_name()) else {
        return false;
    };
    let (name, database_name) = (name.to_string_lossy(), database_name.to_string_lossy());
    to.parent() == real_path(database).parent()
        && (name.starts_with(UNPACKED) || name.starts_with(&format!("{database_name}{COPY}")))
}

/// Whether the file at `path` begins like a backup of ours. Anything but a regular file is none, whatever it leads to.
///
/// # Errors
/// The file system's.
pub(super) fn is_backup(path: &Path, found: &Metadata) -> io::Result<bool> {
    if !found.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    File::open(path)?
        .take(TAR_HEAD as u64 + LONGEST_TEXT)
        .read_to_end(&mut head)?;
    Ok(head.starts_with(MAGIC) || has_manifest(&head))
}

/// Whether these are the first bytes of an archive that begins with a manifest.
fn has_manifest(head: &[u8]) -> bool {
    let Some((block, rest)) = head.split_first_chunk::<TAR_HEAD>() else {
        return false;
    };
    let mut header = tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    if header.path_bytes() != MANIFEST.as_bytes() {
        return false;
    }
    let text = header.entry_size().ok().and_then(|size| usize::try_from(size).ok());
    text.and_then(|size| rest.get(..size))
        .and_then(|text| serde_json::from_slice::<serde_json::Value>(text).ok())
        .is_some_and(|manifest| manifest["format"].is_u64())
}
