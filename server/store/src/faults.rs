//! What may befall a commit. Nothing does in a server; the simulation lets happen here what happens to disks and machines.

/// Decides what befalls the store at each moment of danger.
pub trait Faults: Send + Sync + 'static {
    /// This moment has come.
    ///
    /// # Errors
    /// What the database is made to answer.
    fn at(&self, moment: CommitPoint) -> Result<(), String>;
}

/// A moment of danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitPoint {
    /// Everything is written; the commit is yet to come.
    BeforeCommit,
    /// The commit is durable, and nobody knows of it yet.
    AfterCommit,
}

/// Where nothing ever happens but what really does.
pub struct NoFaults;

impl Faults for NoFaults {
    fn at(&self, _: CommitPoint) -> Result<(), String> {
        Ok(())
    }
}
