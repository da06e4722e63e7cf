//! Putting a backup in place of the database. The one instant that counts is a rename: before it nothing has changed, after it the
//! restored database is there.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use bitpro_charge::Timestamp;

use super::archive::{self, Unpacked, private_file, with_ending};
use super::{BackupError, Keys, Manifest, is_older_than};
use crate::config::{Config, SealSource, SecretSource};
use crate::private;
use crate::rng::Rng;
use crate::store::secret::Secret;
use crate::store::{StoreError, adopt, mark_path, settle};

/// What a restore has done, and what the next start has to look up again.
pub(crate) struct Restored {
    /// What the backup says of itself; a bare database says nothing.
    pub(crate) manifest: Option<Manifest>,
    /// Up to when it knows anything, where it does.
    pub(crate) known_until: Option<Timestamp>,
    /// Charges in it.
    pub(crate) charges: i64,
    /// Of these, charges that were pending or seen.
    pub(crate) open: i64,
    /// Deliveries that are made again, with their own ids.
    pub(crate) deliveries: i64,
    /// The last block that it knows: the chain is read from there on.
    pub(crate) height: Option<i64>,
    /// Whether the issuance mark is there. Without it nothing is given out before the chain was scanned (R28).
    pub(crate) has_mark: bool,
    /// Where the database that was there before lies now.
    pub(crate) kept: Option<PathBuf>,
}

/// Restores the backup `from` into the instance that `config` describes, which must not run.
///
/// # Errors
/// [`BackupError`]; the present database is untouched then.
pub(crate) async fn restore(
    from: &Path,
    config: &Config,
    passphrase: Option<&str>,
    replace: bool,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Restored, BackupError> {
    let database = &config.database;
    private::make_folder(&config.data_dir).map_err(BackupError::at(&config.data_dir))?;
    let mark = mark_path(database);
    let _alone = alone(&mark, database)?;
    let is_there = database.try_exists().map_err(BackupError::at(database))?;
    if is_there && !replace {
        return Err(BackupError::Occupied(database.display().to_string()));
    }
    remove_leftovers(database, now);
    let folder = tempfile::Builder::new()
        .prefix(UNPACKED)
        .tempdir_in(folder_of(database))
        .map_err(BackupError::at(database))?;
    let unpacked = archive::unpack(from, folder.path(), passphrase)?;
    let wrong_network = |stored: &str| BackupError::WrongNetwork {
        stored: stored.to_owned(),
        configured: config.network.as_str().to_owned(),
    };
    if let Some(manifest) = &unpacked.manifest
        && manifest.network != config.network.as_str()
    {
        return Err(wrong_network(&manifest.network));
    }
    let identity = adopt(&unpacked.database, &hex::encode(rng.bytes()), now)
        .await
        .map_err(|error| BackupError::Database(error.to_string()))?;
    // The manifest is what the archive says of itself; what counts is the database.
    if let Some(stored) = identity
        .network
        .as_deref()
        .filter(|stored| *stored != config.network.as_str())
    {
        return Err(wrong_network(stored));
    }
    let missing_keys = check_keys(&unpacked, identity.secret.as_deref(), config)?;

    let kept = if is_there {
        Some(set_aside(database).await?)
    } else {
        None
    };
    // A replicator's account of the database that was there: it would go on with it, and put the restored one's changes on top of that.
    // Only now is it certain that no replicator is at work.
    forget_replication(database)?;
    write_keys(&missing_keys)?;
    fs::rename(&unpacked.database, database).map_err(BackupError::at(database))?;
    archive::sync_folder_of(database).map_err(BackupError::at(database))?;
    Ok(Restored {
        known_until: unpacked.manifest.as_ref().map(Manifest::taken_at).or(identity.time),
        manifest: unpacked.manifest,
        charges: identity.charges,
        open: identity.open,
        deliveries: identity.deliveries,
        height: identity.height,
        has_mark: fs::metadata(&mark).is_ok_and(|mark| mark.len() > 0),
        kept,
    })
}

/// Where a backup is unpacked, beside the database.
const UNPACKED: &str = ".restoring-";
/// A folder this old was left behind by a restore that died, and holds a whole database.
const LEFT_BEHIND_SECS: u32 = 60 * 60;

/// Removes what restores that died have left; what cannot be removed is in nobody's way.
fn remove_leftovers(database: &Path, now: Timestamp) {
    for entry in fs::read_dir(folder_of(database)).into_iter().flatten().flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(UNPACKED));
        if is_ours && is_older_than(&entry, LEFT_BEHIND_SECS, now) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Nobody else may use the instance: a server holds the issuance mark for as long as it runs. A mark that is not there is not made,
/// for a new one would claim that nothing was ever given out.
fn alone(mark: &Path, database: &Path) -> Result<Option<File>, BackupError> {
    let file = match File::open(mark) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BackupError::at(mark)(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse(database.display().to_string())),
        Err(TryLockError::Error(error)) => Err(BackupError::at(mark)(error)),
    }
}

/// Gives the present database a second name. It keeps its first one until the restored one takes it, so that a death in between
/// leaves what was there.
async fn set_aside(database: &Path) -> Result<PathBuf, BackupError> {
    let log = with_ending(database, "-wal");
    match settle(database).await {
        Ok(()) => {}
        Err(StoreError::Unavailable(cause)) if cause.contains("locked") => {
            return Err(BackupError::InUse(database.display().to_string()));
        }
        // A database that is damaged is just what is replaced by a restore; its log must not be taken for the restored one's.
        Err(error) => tracing::warn!(%error, "the present database cannot be opened; it is kept as it is"),
    }
    let kept = with_ending(database, ".before-restore");
    for (present, aside) in [
        (database.to_owned(), kept.clone()),
        (log.clone(), with_ending(&kept, "-wal")),
    ] {
        let _ = fs::remove_file(&aside);
        match fs::hard_link(&present, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BackupError::at(&present)(error)),
            _ => {}
        }
    }
    for beside in [log, with_ending(database, "-shm")] {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BackupError::at(&beside)(error)),
            _ => {}
        }
    }
    Ok(kept)
}

/// Removes what Litestream keeps beside a database about where it is in its replica; it begins anew with a whole copy then.
fn forget_replication(database: &Path) -> Result<(), BackupError> {
    let Some(name) = database.file_name() else {
        return Ok(());
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push("-litestream");
    let folder = folder_of(database).join(hidden);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BackupError::at(&folder)(error)),
        _ => Ok(()),
    }
}

/// A key file that is to be made.
type KeyFile<'a> = (&'a Path, String);

/// Whether the instance's keys are those that the database was made under; the key files that have to be made.
fn check_keys<'c>(
    unpacked: &Unpacked,
    check: Option<&str>,
    config: &'c Config,
) -> Result<Vec<KeyFile<'c>>, BackupError> {
    let mut missing = Vec::new();
    let from_backup = unpacked.keys.as_ref();
    let secret = match &config.secret {
        SecretSource::Given(secret) => Some(("secret_key".to_owned(), secret.clone())),
        SecretSource::Kept(path) => match read_text(path)? {
            Some(text) => Some((path.display().to_string(), parsed(path, &text)?)),
            None => {
                let keys = from_backup.ok_or_else(|| BackupError::MissingKeys(path.display().to_string()))?;
                missing.push((path.as_path(), keys.secret.clone()));
                Some(("the secret key in it".to_owned(), parsed(path, &keys.secret)?))
            }
        },
    };
    if let Some((name, secret)) = secret
        && check.is_some_and(|check| check != Secret::new(secret.0).check())
    {
        return Err(BackupError::OtherKeys(name));
    }
    if let SealSource::Kept(path) = &config.seal_keys {
        match (read_text(path)?, from_backup) {
            (None, None) => return Err(BackupError::MissingKeys(path.display().to_string())),
            (None, Some(Keys { seals, .. })) => missing.push((path.as_path(), seals.clone())),
            // The backup's keys must all be among the present ones: what they sealed has to be opened.
            (Some(present), Some(Keys { seals, .. }))
                if !seals
                    .lines()
                    .all(|key| present.lines().any(|known| known.trim() == key.trim())) =>
            {
                return Err(BackupError::OtherKeys(path.display().to_string()));
            }
            _ => {}
        }
    }
    Ok(missing)
}

fn parsed(path: &Path, text: &str) -> Result<crate::config::Secret, BackupError> {
    text.trim()
        .parse()
        .map_err(|()| BackupError::OtherKeys(path.display().to_string()))
}

fn read_text(path: &Path) -> Result<Option<String>, BackupError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BackupError::at(path)(error)),
    }
}

fn write_keys(missing: &[KeyFile<'_>]) -> Result<(), BackupError> {
    use std::io::Write as _;
    for (path, text) in missing {
        let failed = BackupError::at(path);
        // A death in the middle leaves no half of a key: it would be taken for another one.
        let partial = with_ending(path, ".partial");
        let _ = fs::remove_file(&partial);
        let mut file = private_file(&partial).map_err(&failed)?;
        writeln!(file, "{}", text.trim_end()).map_err(&failed)?;
        file.sync_all().map_err(&failed)?;
        fs::rename(&partial, path).map_err(&failed)?;
        archive::sync_folder_of(path).map_err(&failed)?;
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}
