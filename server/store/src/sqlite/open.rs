//! Connections: one that writes, a few that read.

use std::path::Path;
use std::time::Duration;

use bitpro_base::private;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{Readers, Session};
use crate::secret::Identity;
use crate::{OpenError, StoreError};

/// Below this, SQLite can lose commits in WAL mode with several connections.
const LEAST_VERSION: [u32; 3] = [3, 51, 3];

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Opens the file at `path`, making it if it is not there, and brings it to the current shape: the connection that writes, and those that read.
///
/// # Errors
/// [`OpenError`].
pub(crate) async fn connect(path: &Path, identity: &Identity) -> Result<(Session, Readers), OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        // What is erased is overwritten (R31).
        .pragma("secure_delete", "ON")
        .statement_cache_capacity(256)
        .row_buffer_size(512)
        .disable_statement_logging();
    keep_private(path);
    let unreadable = |error: sqlx::Error| match StoreError::from(error) {
        StoreError::Damaged(cause) => OpenError::Unreadable {
            path: path.display().to_string(),
            cause,
        },
        error => OpenError::Store(error),
    };
    let mut writer = SqliteConnection::connect_with(&options.clone().thread_name(|_| "store-writer".to_owned()))
        .await
        .map_err(unreadable)?;
    check_version(&mut writer).await?;
    check_shape(&mut writer).await.map_err(unreadable)??;
    migrate(&mut writer, path).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(
            options
                .read_only(true)
                .create_if_missing(false)
                .thread_name(|n| format!("store-reader-{n}")),
        )
        .await
        .map_err(StoreError::from)?;
    Ok((
        Session::new(writer, identity.clone()),
        Readers::new(readers, identity.clone()),
    ))
}

/// Makes the file before the engine does, which would leave its mode to the umask: what the engine puts beside it later gets the
/// mode of the file itself. What an earlier release has left open is closed.
fn keep_private(path: &Path) {
    // When it cannot be made, the engine says why.
    let _ = private::make(path);
    private::tighten(path);
    for beside in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        private::tighten(Path::new(&name));
    }
}

/// Brings the database to the current shape by all the steps that it lacks, or by none: one that failed halfway would be of a shape
/// that no version has, and the version that it comes from would not open it any more.
async fn migrate(writer: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let mut steps = writer.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::from)?;
    MIGRATIONS
        .run(&mut *steps)
        .await
        .map_err(|error| OpenError::Migration {
            path: path.display().to_string(),
            cause: error.to_string(),
        })?;
    steps.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// A database that a later program wrote is left as it is: what that program knows of it, this one would lose. The outer error is that
/// of reading it.
async fn check_shape(connection: &mut SqliteConnection) -> Result<Result<(), OpenError>, sqlx::Error> {
    let has_any: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')")
            .fetch_one(&mut *connection)
            .await?;
    if !has_any {
        return Ok(Ok(()));
    }
    let stored: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    Ok(if stored > known {
        Err(OpenError::Newer { stored, known })
    } else {
        Ok(())
    })
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(StoreError::from)?;
    if is_safe(&version) {
        Ok(())
    } else {
        Err(OpenError::Engine(version))
    }
}

fn is_safe(version: &str) -> bool {
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    numbers >= LEAST_VERSION.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_that_can_lose_commits_is_refused() {
        for (version, safe) in [
            ("3.51.3", true),
            ("3.52.0", true),
            ("4.0.0", true),
            ("3.51.2", false),
            ("3.7.17", false),
            ("", false),
        ] {
            assert_eq!(is_safe(version), safe, "{version}");
        }
    }
}
