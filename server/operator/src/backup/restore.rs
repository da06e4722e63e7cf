//! Putting a backup in place of the database. The one instant that counts is a rename: before it nothing has changed, after it the
//! restored database is there.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bitpro_base::private;
use bitpro_base::rng::Rng;
use bitpro_charge::{Network, Timestamp};
use bitpro_config::{Config, SealSource, SecretSource};
use bitpro_store::secret::Secret;
use bitpro_store::{ASIDE, StoreError, Unfit, adopt, folder_of, forget_second_names, mark_path, settle};

use super::archive::{self, Unpacked, private_file, with_ending};
use super::leftovers::{self, UNPACKED};
use super::{BackupError, Manifest};

/// What a restore has done, and what the next start has to look up again.
pub struct Restored {
    /// What the backup says of itself; a bare database says nothing.
    pub manifest: Option<Manifest>,
    /// Whether it was sealed, and so by somebody who knows the passphrase.
    pub was_sealed: bool,
    /// Up to when it knows anything, where it does.
    pub known_until: Option<Timestamp>,
    /// Charges in it.
    pub charges: i64,
    /// Of these, charges that were pending or seen.
    pub open: i64,
    /// Deliveries that are made again, with their own ids.
    pub deliveries: i64,
    /// The last block that it knows: the chain is read from there on.
    pub height: Option<i64>,
    /// Whether the issuance mark is there. Without it nothing is given out before the chain was scanned (R28).
    pub has_mark: bool,
    /// Where the database that was there before lies now.
    pub kept: Option<PathBuf>,
}

/// Restores the backup `from` into the instance that `config` describes, which must not run.
///
/// # Errors
/// [`BackupError`]; the present database is untouched then.
pub async fn restore(
    from: &Path,
    config: &Config,
    passphrase: Option<&str>,
    replace: bool,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Restored, BackupError> {
    if !fs::metadata(from).map_err(BackupError::at(from))?.is_file() {
        return Err(BackupError::NoFile(from.display().to_string()));
    }
    private::make_folder(&config.data_dir).map_err(BackupError::at(&config.data_dir))?;
    // Where the name leads: a link to another disk stays one.
    let database = &private::real_path(&config.database);
    let mark = mark_path(database);
    let _alone = alone(&mark, database)?;
    let is_there = database.try_exists().map_err(BackupError::at(database))?;
    if is_there && !replace {
        return Err(BackupError::Occupied(database.display().to_string()));
    }
    leftovers::clear_unpacked(database);
    let folder = tempfile::Builder::new()
        .prefix(UNPACKED)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder_of(database))
        .map_err(BackupError::at(folder_of(database)))?;
    let held = File::open(folder.path()).map_err(BackupError::at(folder.path()))?;
    private::hold(&held).map_err(BackupError::at(folder.path()))?;
    let unpacked = archive::unpack(from, folder.path(), passphrase)?;
    let wrong_network = |stored: &str| BackupError::WrongNetwork {
        // What stands there was written by whoever made the file.
        stored: stored
            .parse::<Network>()
            .map_or("a network that is not known here", Network::as_str)
            .to_owned(),
        configured: config.network.as_str().to_owned(),
    };
    if let Some(manifest) = &unpacked.manifest
        && manifest.network != config.network.as_str()
    {
        return Err(wrong_network(&manifest.network));
    }
    let identity = adopt(&unpacked.database, &hex::encode(rng.bytes()), now)
        .await
        .map_err(|error| match error {
            Unfit::Newer { stored, known } => BackupError::NewerDatabase { stored, known },
            Unfit::Store(error) if error.is_disk_full() => BackupError::DiskFull {
                path: unpacked.database.display().to_string(),
            },
            Unfit::Store(error) => BackupError::Database(error.to_string()),
        })?;
    // The manifest is what the archive says of itself; what counts is the database.
    if let Some(stored) = identity
        .network
        .as_deref()
        .filter(|stored| *stored != config.network.as_str())
    {
        return Err(wrong_network(stored));
    }
    // We put keys into sealed backups only: in an open one they are the hand's that wrote it, and so is whatever they open.
    if unpacked.keys.is_some() && !unpacked.is_sealed {
        return Err(BackupError::KeysNotSealed(from.display().to_string()));
    }
    let missing_keys = check_keys(&unpacked, identity.secret.as_deref(), config)?;

    let kept = if is_there {
        Some(set_aside(database).await?)
    } else {
        None
    };
    // A replicator's account of the database that was there: it would go on with it, and put the restored one's changes on top of that.
    // Only now is it certain that no replicator is at work.
    for name in [Some(database), config.database_link.as_ref()].into_iter().flatten() {
        forget_replication(name)?;
    }
    write_keys(&missing_keys)?;
    fs::rename(&unpacked.database, database).map_err(BackupError::at(database))?;
    archive::sync_folder_of(database).map_err(BackupError::at(database))?;
    Ok(Restored {
        known_until: unpacked.manifest.as_ref().map(Manifest::taken_at).or(identity.time),
        manifest: unpacked.manifest,
        was_sealed: unpacked.is_sealed,
        charges: identity.charges,
        open: identity.open,
        deliveries: identity.deliveries,
        height: identity.height,
        has_mark: fs::metadata(&mark).is_ok_and(|mark| mark.len() > 0),
        kept,
    })
}

/// Nobody else may use the instance: a server holds the issuance mark for as long as it runs. A mark that is not there is not made,
/// for a new one would claim that nothing was ever given out.
fn alone(mark: &Path, database: &Path) -> Result<Option<File>, BackupError> {
    let file = match File::open(mark) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BackupError::at(mark)(error)),
    };
    match private::hold_alone(&file) {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(BackupError::InUse(database.display().to_string()))
        }
        Err(error) => Err(BackupError::at(mark)(error)),
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
        Err(error) => tracing::warn!(%error, "the existing database cannot be opened; it is kept as it is"),
    }
    // A restore that died here has given it such a name already.
    forget_second_names(database).map_err(BackupError::at(database))?;
    let kept = keep(database, &log)?;
    for beside in [log, with_ending(database, "-shm")] {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BackupError::at(&beside)(error)),
            _ => {}
        }
    }
    Ok(kept)
}

/// Keeps the database under a name that nothing has yet: whoever restores the wrong backup and then the right one still has what was
/// there before both.
fn keep(database: &Path, log: &Path) -> Result<PathBuf, BackupError> {
    for number in 1_u32.. {
        let kept = match number {
            1 => with_ending(database, ASIDE),
            number => with_ending(database, &format!("{ASIDE}-{number}")),
        };
        let kept_log = with_ending(&kept, "-wal");
        if fs::symlink_metadata(&kept_log).is_ok() {
            continue;
        }
        match fs::hard_link(database, &kept) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            linked => linked.map_err(BackupError::at(&kept))?,
        }
        return match fs::hard_link(log, &kept_log) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BackupError::at(&kept_log)(error)),
            _ => Ok(kept),
        };
    }
    Err(BackupError::Occupied(database.display().to_string()))
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
    let present = match &config.seal_keys {
        SealSource::Given(keys) => Some(("seal_keys".to_owned(), keys.to_string())),
        SealSource::Kept(path) => match (read_text(path)?, from_backup) {
            (Some(text), _) => Some((path.display().to_string(), text)),
            (None, Some(keys)) => {
                missing.push((path.as_path(), keys.seals.clone()));
                None
            }
            (None, None) => return Err(BackupError::MissingKeys(path.display().to_string())),
        },
    };
    // The backup's keys must all be among the present ones: what they sealed has to be opened.
    if let (Some((name, present)), Some(keys)) = (present, from_backup)
        && !holds_all(&present, &keys.seals)
    {
        return Err(BackupError::OtherKeys(name));
    }
    Ok(missing)
}

/// Whether every line of `keys` stands in `present`.
fn holds_all(present: &str, keys: &str) -> bool {
    keys.lines()
        .all(|key| present.lines().any(|known| known.trim() == key.trim()))
}

fn parsed(path: &Path, text: &str) -> Result<bitpro_base::seal::Secret, BackupError> {
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
