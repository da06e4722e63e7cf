//! Opening a database: its shape, its identity, and whether it is as new as the issuance mark beside it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitpro_charge::{Network, Timestamp};
use tokio::sync::mpsc;

use super::secret::Secret;
use super::sqlite::{DOORS_OPEN, connect};
use super::{Fatal, Faults, News, Store, StoreError, Tx, WatchMap, Writer, load};
use crate::clock::Kept;
use crate::rng::Rng;
use crate::seal::{Seal, SealError};
use crate::store::mark::{IssuanceMark, MarkError};

/// Units that may wait before callers do.
const WAITING_UNITS: usize = 4_096;

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process serves this database.
    #[error("{0} is in use by another server")]
    InUse(String),
    /// The database has a second name, by which another server could open it beside this one.
    #[error(
        "{0} has another name as well (a hard link): two servers could use it at once and destroy it; nothing was changed: \
         remove the other name, or copy the file"
    )]
    SecondName(String),
    /// The mark lies where an earlier release looked for it.
    #[error(
        "the issuance mark lies at {found}, beside a link to the database: move it to {wanted}, and the `.nonces` file with it; \
         nothing was changed"
    )]
    MarkAtLink {
        /// Where it is.
        found: String,
        /// Where it belongs.
        wanted: String,
    },
    /// The database belongs to another network (R42).
    #[error("the database belongs to {stored}, the configuration says {configured}")]
    WrongNetwork {
        /// What the database says.
        stored: String,
        /// What the configuration says.
        configured: String,
    },
    /// The database was made under another secret: its descriptors cannot be verified.
    #[error("the database was created with a different secret_key than the configured one")]
    WrongSecret,
    /// The database's secrets do not open.
    #[error(transparent)]
    Sealed(SealError),
    /// The file is not, or no more, what was written.
    #[error("the database {path} is damaged or truncated ({cause}); nothing was changed: restore a backup")]
    Unreadable {
        /// The file.
        path: String,
        /// What was noticed.
        cause: String,
    },
    /// A step to the current shape failed.
    #[error(
        "the database {path} could not be brought to the shape of this version ({cause}); nothing was changed: it is as the earlier \
         version left it, which still opens it"
    )]
    Migration {
        /// The file.
        path: String,
        /// What the engine said.
        cause: String,
    },
    /// A later program wrote it.
    #[error(
        "the database was written by a later version of bitpro (its shape is {stored}, this version knows {known}); \
         nothing was changed: install that version, or a later one"
    )]
    Newer {
        /// The number of the last change of its shape.
        stored: i64,
        /// The last one that is known here.
        known: i64,
    },
    /// The SQLite in this program can lose commits.
    #[error("SQLite {0} is too old: 3.51.3 or later is needed")]
    Engine(String),
    /// The file beside the database cannot be read or written.
    #[error("the issuance mark {path}: {cause}")]
    Mark {
        /// The file.
        path: String,
        /// What went wrong.
        cause: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            // What the operator has to mend is said without what surrounds it.
            StoreError::Sealed(error) => Self::Sealed(error),
            error => Self::Store(error),
        }
    }
}

/// How to open the store.
pub(crate) struct StoreOptions {
    pub(crate) database: PathBuf,
    pub(crate) network: Network,
    pub(crate) secret: Secret,
    pub(crate) seal: Seal,
    pub(crate) rng: Arc<dyn Rng>,
    /// The time of the opening.
    pub(crate) now: Timestamp,
    /// Whether addresses are given out here, and the issuance mark is held.
    pub(crate) issues: bool,
    pub(crate) fatal: Fatal,
    pub(crate) faults: Arc<dyn Faults>,
}

/// An open store.
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// To be run.
    pub(crate) writer: Writer,
    /// To be taken in before the writer runs.
    pub(crate) news: News,
    pub(crate) watch_map: WatchMap,
    /// Random per database, and new after a restore (R31).
    pub(crate) epoch: String,
    /// The time that was seen (R32).
    pub(crate) time: Kept,
}

/// Opens the store.
///
/// # Errors
/// [`OpenError`].
pub(crate) async fn open(options: StoreOptions) -> Result<Opened, OpenError> {
    refuse_cut_off(&options.database)?;
    let mark = if options.issues {
        let opened = IssuanceMark::open(&mark_path(&options.database));
        Some(Arc::new(opened.map_err(|error| mark_error(&options, &error))?))
    } else {
        None
    };
    refuse_second_name(&options)?;
    let connections = connect(&options.database).await?;
    let mut tx = Tx::new(connections.session, &options, mark.clone());
    tx.session.begin().await?;
    let prepared = prepare(&mut tx, &options).await;
    let (epoch, time) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = tx.session.rollback().await;
            return Err(error);
        }
    };
    tx.write_rest().await?;
    tx.session.commit().await?;
    // Only now may the mark be there: had the process ended before, it would have to be missed again.
    if let Some(mark) = &mark {
        mark.create().map_err(|error| mark_error(&options, &error))?;
        tx.note_mark_made().await?;
    }
    tx.session.was_changed_elsewhere().await?;
    let news = tx.committed();
    let watch_map = WatchMap::new(options.rng.bytes());
    tx.session
        .for_each_script(|id, script| watch_map.fill([(script, id)]))
        .await?;
    let (units, taken) = mpsc::channel(WAITING_UNITS);
    Ok(Opened {
        store: Store {
            units: parking_lot::RwLock::new(Some(units)),
            readers: connections.readers,
            network: options.network,
            database: options.database,
        },
        writer: Writer {
            tx,
            units: taken,
            fatal: options.fatal,
            faults: options.faults,
        },
        news,
        watch_map,
        epoch,
        time,
    })
}

/// Checks whose database it is, loads it, and brings its counters and the issuance mark together.
async fn prepare(tx: &mut Tx, options: &StoreOptions) -> Result<(String, Kept), OpenError> {
    let stored = identity(tx, "network", options.network.as_str().to_owned()).await?;
    if stored != options.network.as_str() {
        return Err(OpenError::WrongNetwork {
            stored,
            configured: options.network.as_str().to_owned(),
        });
    }
    if identity(tx, "secret", options.secret.check()).await? != options.secret.check() {
        return Err(OpenError::WrongSecret);
    }
    tx.check_seals().await?;
    load::reload(tx).await?;
    let fresh = hex::encode(options.rng.bytes());
    let is_older = tx.meet_mark_at_start().await?;
    if is_older {
        tx.session.set_meta("epoch", &fresh).await?;
    }
    if is_older || tx.session.meta(DOORS_OPEN).await?.is_some() {
        let [a, b, c, d, ..] = options.rng.bytes();
        let epochs = u32::from_be_bytes([a, b, c, d]);
        tx.session.people().close_doors(epochs).await?;
        tracing::warn!(
            "the database was put back from an earlier time: all sessions, links in letters, invitations, known browsers and changes \
             of wallets that waited are ended; members, passwords, second factors, keys and webhooks are those of then"
        );
    }
    let epoch = identity(tx, "epoch", fresh).await?;
    let time = tx.kept_time().await?;
    if is_older {
        tx.move_numbers(options.now.max(time.seen.unwrap_or(options.now)))
            .await?;
    }
    tx.take_up_numbers().await?;
    Ok((epoch, time))
}

/// Refuses a file that was cut off where the engine does not notice: within its last page, or at nothing. One of no length is a new
/// database, but not where addresses were given out before.
fn refuse_cut_off(database: &Path) -> Result<(), OpenError> {
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
pub(crate) const ASIDE: &str = ".before-restore";

/// The engine's locks and its log go by the name of the file: by another name, another server would not see them.
fn refuse_second_name(options: &StoreOptions) -> Result<(), OpenError> {
    let database = &options.database;
    if options.issues
        && let Err(error) = forget_second_names(database)
    {
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
pub(crate) fn forget_second_names(database: &Path) -> std::io::Result<()> {
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
pub(crate) fn folder_of(path: &Path) -> &Path {
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

/// A fact that a database is born with.
async fn identity(tx: &mut Tx, name: &str, fresh: String) -> Result<String, StoreError> {
    if let Some(stored) = tx.session.meta(name).await? {
        return Ok(stored);
    }
    tx.session.set_meta(name, &fresh).await?;
    Ok(fresh)
}

/// The mark stands beside the database, and in no backup of it.
pub(crate) fn mark_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".issued");
    PathBuf::from(name)
}

fn mark_error(options: &StoreOptions, error: &MarkError) -> OpenError {
    match error {
        MarkError::InUse => OpenError::InUse(options.database.display().to_string()),
        MarkError::Failed(cause) => OpenError::Mark {
            path: mark_path(&options.database).display().to_string(),
            cause: cause.to_string(),
        },
    }
}
