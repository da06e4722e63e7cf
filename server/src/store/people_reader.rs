//! Reading people's rows beside the writer.

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;

use super::sqlite::People;

/// A reading connection for people's rows.
pub(crate) struct PeopleReader(pub(super) PoolConnection<Sqlite>);

impl PeopleReader {
    /// The rows as they were last committed.
    pub(crate) fn rows(&mut self) -> People<'_> {
        People::on(&mut self.0)
    }
}
