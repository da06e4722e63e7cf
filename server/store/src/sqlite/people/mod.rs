//! People: accounts, sessions, teams, and the log of what they changed.

mod accounts;
mod audit;
mod passkeys;
mod restored;
mod sessions;
mod team;
mod wallets;

use sqlx::Sqlite;
use sqlx::pool::MaybePoolConnection;

use super::{Readers, Session};
use crate::StoreError;

/// People's rows, on the connection that writes or on one that reads.
pub(crate) struct People<'c> {
    connection: MaybePoolConnection<'c, Sqlite>,
}

impl Session {
    /// People's rows, on the writing connection.
    pub(crate) const fn people(&mut self) -> People<'_> {
        People {
            connection: MaybePoolConnection::Connection(&mut self.connection),
        }
    }
}

impl Readers {
    /// People's rows, as they were last committed.
    pub(crate) async fn people(&self) -> Result<People<'static>, StoreError> {
        Ok(People {
            connection: MaybePoolConnection::PoolConnection(self.acquire().await?),
        })
    }
}
