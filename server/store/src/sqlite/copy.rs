//! The database as a file: a copy of it while it is written to, and a look into one that nobody uses.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use bitpro_base::private::hold;
use bitpro_charge::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};

use super::Readers;
use crate::StoreError;
use crate::numbering::Numbering;
use crate::opening::DOORS_OPEN;

/// Migrations that this program knows; a database may know fewer, never more.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

impl Readers {
    pub(crate) async fn copy_into(&self, to: &Path) -> Result<(), StoreError> {
        let reader = &mut *self.acquire().await?;
        // The engine fills an empty file, and so one that was made for our own eyes.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
        // Held while it is written, so that nobody takes it for what a dead process has left.
        let _held = made
            .and_then(|file| hold(&file).map(|()| file))
            .map_err(|error| StoreError::Unavailable(format!("{}: {error}", to.display())))?;
        let name = to
            .to_str()
            .ok_or_else(|| StoreError::Unavailable(format!("{} is not UTF-8", to.display())))?;
        let copied = sqlx::query("VACUUM INTO ?").bind(name).execute(reader).await;
        if let Err(error) = copied {
            let _ = std::fs::remove_file(to);
            return Err(error.into());
        }
        Ok(())
    }
}

/// What a database file says of itself.
pub struct Identity {
    /// The network.
    pub network: Option<String>,
    /// The check value of the secret that it was made under.
    pub secret: Option<String>,
    /// Charges in it.
    pub charges: i64,
    /// Of these, charges that were pending or seen.
    pub open: i64,
    /// Pending webhook deliveries.
    pub deliveries: i64,
    /// The height of the last block that it knows.
    pub height: Option<i64>,
    /// The highest time that it knows (R32); `None` where it was never written to.
    pub time: Option<Timestamp>,
}

/// Why a database file cannot be put in place.
#[derive(Debug)]
pub enum Unfit {
    /// A later program wrote it.
    Newer {
        /// The number of the last change of its shape.
        stored: i64,
        /// The last one that is known here.
        known: i64,
    },
    /// It cannot be read or written, or contradicts itself.
    Store(StoreError),
}

impl<E: Into<StoreError>> From<E> for Unfit {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

/// Looks into the database file at `path` that nobody uses, checks that it is whole, and makes it one that was restored at `now`: its
/// `epoch` is a fresh one, for cursors from before a restore mean nothing after it (R31); numbers of events go on above what
/// may have been told (R17); and an issuance mark that is not beside it was lost, however young the database is (R28).
///
/// # Errors
/// [`Unfit`] with what is wrong.
pub async fn adopt(path: &Path, epoch: &str, now: Timestamp) -> Result<Identity, Unfit> {
    let mut connection = lone(path).await?;
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await?;
    if whole != "ok" {
        // What it says quotes names out of the file, which may be anybody's.
        return Err(StoreError::Damaged("it contradicts itself".to_owned()).into());
    }
    let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&mut connection)
        .await
        .map_err(|_| StoreError::Damaged("it is no database of this program".to_owned()))?;
    if applied.iter().any(|&version| !MIGRATIONS.version_exists(version)) {
        return Err(Unfit::Newer {
            stored: applied.last().copied().unwrap_or_default(),
            known: MIGRATIONS
                .iter()
                .map(|migration| migration.version)
                .max()
                .unwrap_or_default(),
        });
    }
    let identity = Identity {
        network: meta(&mut connection, "network").await?,
        secret: meta(&mut connection, "secret").await?,
        charges: count(&mut connection, "SELECT count(*) FROM charges").await?,
        open: count(
            &mut connection,
            "SELECT count(*) FROM charges WHERE state IN ('pending', 'seen')",
        )
        .await?,
        deliveries: count(
            &mut connection,
            "SELECT count(*) FROM deliveries WHERE state = 'pending'",
        )
        .await?,
        height: sqlx::query_scalar("SELECT height FROM tip")
            .fetch_optional(&mut connection)
            .await?,
        time: meta(&mut connection, "time_seen")
            .await?
            .and_then(|millis| millis.parse().ok())
            .map(Timestamp),
    };
    let last_charge = count(&mut connection, "SELECT COALESCE(MAX(num), 0) FROM charges").await?;
    let numbering = Numbering::after_restore(identity.time.unwrap_or(now).max(now), last_charge);
    for (name, value) in [
        ("epoch", epoch),
        (Numbering::FACT, &numbering.text()),
        ("mark", "made"),
        // What opens doors is ended by the first start, which brings the database to the present shape.
        (DOORS_OPEN, "yes"),
    ] {
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&mut connection)
        .await?;
    }
    connection.close().await?;
    Ok(identity)
}

/// Brings everything that a database at `path` has committed into its one file, so that the file can be moved. Nobody may use it.
///
/// # Errors
/// [`StoreError::Unavailable`] when somebody does, or it is no database.
pub async fn settle(path: &Path) -> Result<(), StoreError> {
    lone(path).await?.close().await?;
    Ok(())
}

/// A connection to a file that nobody else uses, with a rollback journal: no file is left beside it.
async fn lone(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        .busy_timeout(std::time::Duration::ZERO)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut connection).await?;
    sqlx::query("COMMIT").execute(&mut connection).await?;
    Ok(connection)
}

async fn meta(connection: &mut SqliteConnection, name: &str) -> Result<Option<String>, StoreError> {
    let value = sqlx::query_scalar("SELECT value FROM meta WHERE name = ?")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    Ok(value)
}

async fn count(connection: &mut SqliteConnection, statement: &'static str) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(statement).fetch_one(connection).await?)
}
