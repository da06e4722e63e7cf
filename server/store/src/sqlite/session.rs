//! The one writing connection, and the transaction on it.

use sqlx::SqliteConnection;

use crate::StoreError;
use crate::secret::Identity;

/// How many commits processes beside the server have made.
const COMMITS_BESIDE: &str = "commits_beside";

/// What was written beside this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WrittenBeside {
    /// Commits of other processes of ours.
    ours: i64,
    /// The count that Litestream keeps in a table of its own; `None` where it never ran.
    replicator: Option<i64>,
}

impl WrittenBeside {
    /// Whether what was written since `before` is what a replicator wrote into its own table, as far as the counts tell. One that
    /// has not counted has not written, so it was somebody else.
    fn is_the_replicators_alone(self, before: Self) -> bool {
        self.ours == before.ours && before.replicator.is_some() && self.replicator != before.replicator
    }
}

/// The writing connection.
pub(crate) struct Session {
    pub(super) connection: SqliteConnection,
    pub(super) identity: Identity,
    /// What SQLite said when this process last looked: another value means that another process wrote.
    seen_version: Option<i64>,
    /// How much other processes of ours, and a replicator, had written then.
    seen_beside: WrittenBeside,
}

impl Session {
    /// A session on `connection`.
    pub(super) const fn new(connection: SqliteConnection, identity: Identity) -> Self {
        Self {
            connection,
            identity,
            seen_version: None,
            seen_beside: WrittenBeside {
                ours: 0,
                replicator: None,
            },
        }
    }

    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE").await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.run("COMMIT").await
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), StoreError> {
        self.run("ROLLBACK").await
    }

    pub(crate) async fn savepoint(&mut self) -> Result<(), StoreError> {
        self.run("SAVEPOINT unit").await
    }

    pub(crate) async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        self.run("RELEASE unit").await
    }

    pub(crate) async fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.run("ROLLBACK TO unit").await?;
        self.run("RELEASE unit").await
    }

    pub(crate) async fn was_changed_elsewhere(&mut self) -> Result<bool, StoreError> {
        let version: i64 = sqlx::query_scalar("PRAGMA data_version")
            .fetch_one(&mut self.connection)
            .await?;
        let seen = self.seen_version.replace(version);
        if seen == Some(version) {
            return Ok(false);
        }
        let beside = self.written_beside().await?;
        let before = std::mem::replace(&mut self.seen_beside, beside);
        Ok(seen.is_none() || !beside.is_the_replicators_alone(before))
    }

    pub(crate) async fn count_commit_beside(&mut self) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES (?, '1') \
             ON CONFLICT (name) DO UPDATE SET value = CAST(meta.value AS INTEGER) + 1",
        )
        .bind(COMMITS_BESIDE)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    async fn written_beside(&mut self) -> Result<WrittenBeside, StoreError> {
        let ours = self.meta(COMMITS_BESIDE).await?;
        let has_replicator: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_litestream_seq')")
                .fetch_one(&mut self.connection)
                .await?;
        let replicator = if has_replicator {
            sqlx::query_scalar("SELECT seq FROM _litestream_seq")
                .fetch_optional(&mut self.connection)
                .await?
        } else {
            None
        };
        Ok(WrittenBeside {
            ours: ours.and_then(|count| count.parse().ok()).unwrap_or(0),
            replicator,
        })
    }

    /// Takes it that another process may have written.
    pub(crate) const fn look_again(&mut self) {
        self.seen_version = None;
    }

    pub(crate) async fn close(self) {
        use sqlx::Connection as _;
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
    }

    /// A fact about the database.
    pub(crate) async fn meta(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let value = sqlx::query_scalar("SELECT value FROM meta WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(value)
    }

    pub(crate) async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn raise_meta(&mut self, name: &str, value: i64) -> Result<(), StoreError> {
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

    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.run(statement).await
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::query(statement).execute(&mut self.connection).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bitpro_charge::Network;

    use super::Identity;
    use crate::secret::Secret;
    use crate::sqlite::connect;
    use crate::testing::meddle;

    const COUNT: &str = "UPDATE _litestream_seq SET seq = seq + 1";

    #[tokio::test]
    async fn a_replicators_own_count_is_no_change_and_everything_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bitpro.db");
        let identity = Identity {
            network: Network::Regtest,
            secret: Secret::new([7; 32]),
        };
        let mut session = connect(&path, &identity).await.unwrap().0;
        let mut tool = connect(&path, &identity).await.unwrap().0;
        assert!(session.was_changed_elsewhere().await.unwrap(), "nobody knows");
        assert!(!session.was_changed_elsewhere().await.unwrap());

        meddle(
            &path,
            "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)",
        )
        .await;
        meddle(&path, "INSERT INTO _litestream_seq (id, seq) VALUES (1, 1)").await;
        assert!(session.was_changed_elsewhere().await.unwrap());
        for _ in 0..2 {
            meddle(&path, COUNT).await;
            assert!(!session.was_changed_elsewhere().await.unwrap());
        }
        meddle(&path, "INSERT INTO meta (name, value) VALUES ('by', 'hand')").await;
        assert!(session.was_changed_elsewhere().await.unwrap(), "it has not counted");

        // Another process of ours, and the replicator after it.
        tool.begin().await.unwrap();
        tool.count_commit_beside().await.unwrap();
        tool.commit().await.unwrap();
        meddle(&path, COUNT).await;
        assert!(session.was_changed_elsewhere().await.unwrap());
        assert!(!session.was_changed_elsewhere().await.unwrap());
    }
}
