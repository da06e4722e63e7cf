//! People: accounts, sessions, teams, and the log of what they changed.

mod accounts;
mod audit;
mod passkeys;
mod restored;
mod sessions;
mod team;
mod wallets;

use sqlx::SqliteConnection;

pub(crate) use accounts::{AccountRow, TokenPurpose};
pub(crate) use audit::{AuditLine, AuditRow};
pub(crate) use passkeys::PasskeyRow;
pub(in crate::store) use restored::DOORS_OPEN;
pub(crate) use sessions::{Login, SessionRow};
pub(crate) use team::{Invitation, MemberRow, Membership};
pub(crate) use wallets::PendingWallet;

use super::Session;

/// People's rows, on a connection that may write or one that reads.
pub(crate) struct People<'c> {
    connection: &'c mut SqliteConnection,
}

impl<'c> People<'c> {
    /// The rows as `connection` sees them.
    pub(in crate::store) const fn on(connection: &'c mut SqliteConnection) -> Self {
        Self { connection }
    }
}

impl Session {
    /// People's rows, on the writing connection.
    pub(in crate::store) const fn people(&mut self) -> People<'_> {
        People::on(&mut self.connection)
    }
}
