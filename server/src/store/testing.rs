//! The database seen from outside, for tests: what a restore, or a hand that should not, would do and see.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

/// A statement on the database, with the server closed.
pub(crate) async fn meddle(path: &Path, statement: &'static str) {
    let mut connection = connect(path).await;
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Sequence and announcement of each row of the outbox, oldest first.
pub(crate) async fn outbox(path: &Path) -> Vec<(u64, String)> {
    let mut connection = connect(path).await;
    let rows = sqlx::query("SELECT sequence, announcement FROM outbox ORDER BY num")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get::<i64, _>(0).unsigned_abs(), row.get(1)))
        .collect()
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
    options.connect().await.unwrap()
}
