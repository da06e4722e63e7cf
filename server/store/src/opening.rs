//! Opening a database: its shape, its identity, and whether it is as new as the issuance mark beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitpro_base::clock::Kept;
use bitpro_base::rng::Rng;
use bitpro_base::seal::{Seal, SealError};
use bitpro_charge::{Network, Timestamp};
use tokio::sync::mpsc;

use super::engine::{check, connect};
use super::secret::{Identity, Secret};
use super::{Fatal, Faults, News, Store, StoreError, Tx, WatchMap, Writer, load};
use crate::mark::{IssuanceMark, MarkError};

/// Units that may wait before callers do.
const WAITING_UNITS: usize = 4_096;

/// The fact that the database was restored and that its doors stand open as they did then.
pub(crate) const DOORS_OPEN: &str = "doors_open";

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
pub struct StoreOptions {
    /// The database file. Its issuance mark lies next to it (R28).
    pub database: PathBuf,
    /// A database belongs to one network.
    pub network: Network,
    /// Authenticates descriptors and hashes e-mail addresses.
    pub secret: Secret,
    /// Seals secrets at rest.
    pub seal: Seal,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// The time of the opening.
    pub now: Timestamp,
    /// Whether addresses are given out here, and the issuance mark is held.
    pub issues: bool,
    /// Is called once when the disk does not confirm a write; the process has to end then (R30).
    pub fatal: Fatal,
    /// What befalls commits, in tests.
    pub faults: Arc<dyn Faults>,
}

/// An open store.
pub struct Opened {
    /// The handle that everybody else holds.
    pub store: Store,
    /// To be run.
    pub writer: Writer,
    /// To be taken in before the writer runs.
    pub news: News,
    /// The scripts that are watched.
    pub watch_map: WatchMap,
    /// Random per database, and new after a restore (R31).
    pub epoch: String,
    /// The time that was seen (R32).
    pub time: Kept,
}

/// Opens the store.
///
/// # Errors
/// [`OpenError`].
pub async fn open(options: StoreOptions) -> Result<Opened, OpenError> {
    check(&options.database)?;
    let mark = if options.issues {
        let opened = IssuanceMark::open(&mark_path(&options.database));
        Some(Arc::new(opened.map_err(|error| mark_error(&options, &error))?))
    } else {
        None
    };
    let identity = Identity {
        network: options.network,
        secret: options.secret.clone(),
    };
    let (session, readers) = connect(&options.database, &identity, options.issues).await?;
    let mut tx = Tx::new(session, &options, mark.clone());
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
        mark.note_proofs().await?;
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
            readers,
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
    // Proofs first: what is read is held against them.
    let lacks_proofs = tx.prove_charges(&mark_path(&options.database)).await?;
    load::reload(tx).await?;
    let fresh = hex::encode(options.rng.bytes());
    let is_older = tx.meet_mark_at_start().await? || lacks_proofs;
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

/// A fact that a database is born with.
async fn identity(tx: &mut Tx, name: &str, fresh: String) -> Result<String, StoreError> {
    if let Some(stored) = tx.session.meta(name).await? {
        return Ok(stored);
    }
    tx.session.set_meta(name, &fresh).await?;
    Ok(fresh)
}

/// The mark stands beside the database, and in no backup of it.
pub fn mark_path(database: &Path) -> PathBuf {
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
