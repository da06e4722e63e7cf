//! The one writing connection, and the transaction on it.

use sqlx::SqliteConnection;

use crate::store::StoreError;

/// The writing connection.
pub(in crate::store) struct Session {
    pub(super) connection: SqliteConnection,
    /// What SQLite said when this process last looked: another value means that another process wrote.
    seen_version: Option<i64>,
}

impl Session {
    /// A session on `connection`.
    pub(super) const fn new(connection: SqliteConnection) -> Self {
        Self {
            connection,
            seen_version: None,
        }
    }

    /// Begins a transaction that may write, waiting for another process to finish.
    pub(in crate::store) async fn begin(&mut self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE").await
    }

    /// Makes the transaction durable.
    pub(in crate::store) async fn commit(&mut self) -> Result<(), StoreError> {
        self.run("COMMIT").await
    }

    /// Takes the transaction back.
    pub(in crate::store) async fn rollback(&mut self) -> Result<(), StoreError> {
        self.run("ROLLBACK").await
    }

    /// From here on, [`Session::rollback_to_savepoint`] takes back only what follows.
    pub(in crate::store) async fn savepoint(&mut self) -> Result<(), StoreError> {
        self.run("SAVEPOINT unit").await
    }

    /// Forgets the savepoint; what followed it stays.
    pub(in crate::store) async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        self.run("RELEASE unit").await
    }

    /// Takes back what followed the savepoint, and forgets it.
    pub(in crate::store) async fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.run("ROLLBACK TO unit").await?;
        self.run("RELEASE unit").await
    }

    /// Whether another process has written since this was last asked; the first time, whether anyone may have.
    pub(in crate::store) async fn was_changed_elsewhere(&mut self) -> Result<bool, StoreError> {
        let version: i64 = sqlx::query_scalar("PRAGMA data_version")
            .fetch_one(&mut self.connection)
            .await?;
        Ok(self.seen_version.replace(version) != Some(version))
    }

    /// Takes it that another process may have written.
    pub(in crate::store) const fn look_again(&mut self) {
        self.seen_version = None;
    }

    /// Closes the connection.
    pub(in crate::store) async fn close(self) {
        use sqlx::Connection as _;
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
    }

    /// A fact about the database.
    pub(in crate::store) async fn meta(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let value = sqlx::query_scalar("SELECT value FROM meta WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(value)
    }

    /// Records a fact about the database.
    pub(in crate::store) async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Records a number as a fact about the database, unless a higher one stands there.
    pub(in crate::store) async fn raise_meta(&mut self, name: &str, value: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value \
             WHERE CAST(meta.value AS INTEGER) < CAST(excluded.value AS INTEGER)",
        )
        .bind(name)
        .bind(value.to_string())
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Runs a statement of a test's own.
    #[cfg(test)]
    pub(in crate::store) async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.run(statement).await
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::query(statement).execute(&mut self.connection).await?;
        Ok(())
    }
}
