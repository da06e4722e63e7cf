//! Files that only the server's own user may read, whatever the folder they lie in and the umask allow: they hold password hashes,
//! descriptors and buyers' addresses.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How a file is opened that is made for nobody else's eyes, if it is made.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes an empty file where none is, so that whoever opens it next need not know about modes.
///
/// # Errors
/// The file system's.
pub fn make(path: &Path) -> io::Result<()> {
    options().create(true).append(true).open(path).map(|_| ())
}

/// Makes a folder, and those above it, that nobody else can look into. One that is there stays as it is.
///
/// # Errors
/// The file system's.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The file that `path` names, links followed, whether it is there yet or not: two names of one file are one path.
pub fn real_path(path: &Path) -> PathBuf {
    /// As many links in a row as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Ok(real) = path.canonicalize() {
            return real;
        }
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    let folder = path.parent().map(|folder| match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    });
    match (folder.map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// Takes from others what an earlier release, or a copy, let them do with a file or folder. One that is not there is fine, and one that
/// belongs to somebody else is told of: nobody but its owner can change it.
pub fn tighten(path: &Path) {
    let Ok(found) = fs::metadata(path) else {
        return;
    };
    let mode = found.permissions().mode();
    if mode & 0o077 == 0 {
        return;
    }
    let path_shown = path.display();
    match fs::set_permissions(path, Permissions::from_mode(mode & 0o700)) {
        Ok(()) => {
            tracing::warn!(path = %path_shown, "other users of this machine could read this file; its permissions are now private")
        }
        Err(error) => tracing::error!(path = %path_shown, %error, "other users of this machine can read this file"),
    }
}

/// Takes hold of an open file or folder for as long as it stays open.
///
/// # Errors
/// The file system's; that somebody else holds it is [`io::ErrorKind::WouldBlock`].
pub fn hold(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether another process holds what lies at `path`, which may be missing. Whoever only looks is in nobody's way, but for an instant in
/// which [`hold_alone`] waits for it.
///
/// # Errors
/// The file system's.
pub fn is_held(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Takes hold of an open file as [`hold`] does, also when somebody looks by [`is_held`] at this very instant.
///
/// # Errors
/// As those of [`hold`].
pub fn hold_alone(file: &File) -> io::Result<()> {
    loop {
        match hold(file) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            held => return held,
        }
        // Who looks shares it with others who look; who holds it shares it with nobody.
        match file.try_lock_shared() {
            Ok(()) => file.unlock()?,
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{open_all, open_to_others};

    #[test]
    fn whoever_looks_sees_who_holds_a_file_and_keeps_nobody_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("held");
        assert!(!is_held(&path).unwrap(), "nobody holds what is not there");
        let file = options().create(true).write(true).open(&path).unwrap();
        assert!(!is_held(&path).unwrap());
        // Others who look all the time, with the lock that a look takes.
        let ends = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !ends.load(std::sync::atomic::Ordering::Relaxed) {
                        let _ = is_held(&path).unwrap();
                    }
                });
            }
            for _ in 0..1_000 {
                let alone = options().write(true).open(&path).unwrap();
                hold_alone(&alone).unwrap();
            }
            ends.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        hold_alone(&file).unwrap();
        assert!(is_held(&path).unwrap());
        let second = options().write(true).open(&path).unwrap();
        assert_eq!(hold_alone(&second).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn what_is_made_is_for_nobody_else_and_what_was_open_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        make(&made).unwrap();
        fs::write(&made, "kept").unwrap();
        assert!(open_to_others(folder.path()).is_empty());
        open_all(folder.path());
        assert_eq!(open_to_others(folder.path()), std::slice::from_ref(&made));
        make(&made).unwrap();
        tighten(&made);
        assert!(open_to_others(folder.path()).is_empty());
        assert_eq!(fs::read_to_string(&made).unwrap(), "kept");
        tighten(&folder.path().join("missing"));
    }
}
