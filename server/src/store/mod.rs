//! Where everything is kept: events, charges, scripts, chain position, outbox. Only this module sees SQL.

/// The row of a receive descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DescriptorId(pub i64);

/// Why the store could not do what it was asked for. The cause is logged where it happens, never shown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed; nothing was changed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The server is shutting down.
    #[error("the store is closed")]
    Closed,
    /// What is stored contradicts itself, or was changed by another hand.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}
