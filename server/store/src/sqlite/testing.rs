//! The database seen from outside, for tests: what a restore, or a hand that should not, would do and see.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// A statement on the database, with the server closed.
pub async fn meddle(path: &Path, statement: &'static str) {
    let mut connection = connect(path).await;
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// How many rows there are of `what`: a table, or one with a condition.
pub async fn count(path: &Path, what: &str) -> i64 {
    let mut connection = connect(path).await;
    let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {what}")))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    count
}

/// A fact about the database.
pub async fn meta(path: &Path, name: &str) -> String {
    let mut connection = connect(path).await;
    let value = sqlx::query_scalar("SELECT value FROM meta WHERE name = ?")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    value
}

/// Sequence and announcement of each row of the outbox, oldest first.
pub async fn outbox(path: &Path) -> Vec<(u64, String)> {
    let mut connection = connect(path).await;
    let rows = sqlx::query("SELECT sequence, announcement FROM outbox ORDER BY num")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get::<i64, _>("sequence").unsigned_abs(), row.get("announcement")))
        .collect()
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
    options.connect().await.unwrap()
}

/// The numbers of the steps that this program knows, ascending.
pub fn steps() -> Vec<i64> {
    MIGRATIONS.iter().map(|step| step.version).collect()
}

/// Makes a database at `to` of the shape that step `last` left, with the rows of the database `from` that had a place in it. Of a
/// later shape than that of `from`, it is `from` with the steps between.
pub async fn reshape(from: &Path, to: &Path, last: i64) {
    let mut source = connect(from).await;
    let shape: i64 = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(&mut source)
        .await
        .unwrap();
    source.close().await.unwrap();
    if last >= shape {
        std::fs::copy(from, to).unwrap();
    }
    let options = SqliteConnectOptions::new()
        .filename(to)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(false);
    let mut connection = options.connect().await.unwrap();
    MIGRATIONS.run_to(last, &mut connection).await.unwrap();
    if last < shape {
        copy_rows(&mut connection, from).await;
    }
    sqlx::query("VACUUM").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn copy_rows(connection: &mut SqliteConnection, from: &Path) {
    sqlx::query("ATTACH ? AS source")
        .bind(from.to_str().unwrap())
        .execute(&mut *connection)
        .await
        .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    for table in tables {
        // What a table computes by itself is not among them.
        let columns: Vec<String> = sqlx::query_scalar(
            "SELECT ours.name FROM pragma_table_info(?1, 'main') ours \
             JOIN pragma_table_info(?1, 'source') theirs ON theirs.name = ours.name",
        )
        .bind(&table)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let columns = columns.join(", ");
        let statement = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table}");
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
}

/// Lets the step `version` fail at its end, as a full disk would.
pub async fn break_step(path: &Path, version: i64) {
    let mut connection = connect(path).await;
    let statement = format!(
        "CREATE TRIGGER broken BEFORE INSERT ON _sqlx_migrations WHEN NEW.version = {version} \
         BEGIN SELECT RAISE(ABORT, 'no room for it'); END"
    );
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Takes the fault of [`break_step`] away.
pub async fn mend_step(path: &Path) {
    meddle(path, "DROP TRIGGER broken").await;
}

/// What the database says of itself: name and value of each fact.
pub async fn facts(path: &Path) -> Vec<(String, String)> {
    let mut connection = connect(path).await;
    let rows = sqlx::query("SELECT name, value FROM meta ORDER BY name")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| (row.get("name"), row.get("value"))).collect()
}

/// How many statements over rows this thread has run since the last time: a test's store runs on the thread of the test.
pub fn statements() -> usize {
    super::statements()
}
