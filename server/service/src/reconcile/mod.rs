//! Recomputing every charge from chain and mempool: what is stored is compared with itself and with the node, and every
//! difference is told with its reason.
//!
//! Nothing is changed unless it is asked for, and then only through observations: a payment that was not noticed is handed to
//! the charges as a view, like the watcher's own, and they decide. What follows from the logs and is kept beside them (marks, sums) is
//! written anew from them. What neither can mend is told and left as it is.

mod against_chain;
mod chain;
mod derived;
mod difference;
mod inward;
mod pace;
mod repair;
mod run;
mod schedule;
mod stored;
#[cfg(test)]
mod tests;
mod wallets;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitpro_charge::Timestamp;
use bitpro_node::NodeConfig;
use bitpro_store::{Store, StoreError};
use parking_lot::Mutex;

use crate::charges::Charges;

pub use difference::{Code, Difference, Note, Report};
use pace::Pace;
use run::Run;

/// What is to be compared, and whether it is to be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// The first block to look through; without one, [`Request::since`] says.
    pub from: Option<u32>,
    /// From which charge on the chain is looked through.
    pub since: Since,
    /// Whether what an observation can mend is mended.
    pub fix: bool,
}

/// From which charge on the chain is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Since {
    /// The first that was made.
    #[default]
    TheFirst,
    /// The oldest that chain or clock can still move.
    TheOldestOpen,
}

/// Why a comparison was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReconcileError {
    /// It was to begin above the block that the charges stand on.
    #[error("from = {from}: the charges are at block {tip}; wanted a height up to it")]
    TooHigh {
        /// Where it was to begin.
        from: u32,
        /// Where the charges stand.
        tip: u32,
    },
    /// The operating system refuses a thread.
    #[error("cannot start a thread: {0}")]
    NoThread(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How the last comparison came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// When it ended.
    pub at: Timestamp,
    /// How many differences are left.
    pub left: u64,
    /// Whether chain and mempool could be asked.
    pub complete: bool,
}

/// Compares, on demand and on schedule. A cheap handle.
#[derive(Clone)]
pub struct Reconciler {
    inner: Arc<Inner>,
}

struct Inner {
    charges: Charges,
    store: Arc<Store>,
    node: NodeConfig,
    /// The issuance mark beside the database.
    mark: PathBuf,
    last: Mutex<Option<Outcome>>,
}

impl Reconciler {
    /// Compares `charges`, whose database is the file `database`, with the node of `node`.
    #[must_use]
    pub fn new(charges: Charges, node: NodeConfig, database: &Path) -> Self {
        Self {
            inner: Arc::new(Inner {
                store: Arc::clone(charges.store()),
                charges,
                node,
                mark: bitpro_store::mark_path(database),
                last: Mutex::default(),
            }),
        }
    }

    /// How the last comparison of this process came out.
    #[must_use]
    pub fn last(&self) -> Option<Outcome> {
        *self.inner.last.lock()
    }

    /// Compares as fast as it goes.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn run(&self, request: Request) -> Result<Report, ReconcileError> {
        self.run_at(request, Pace::Full).await
    }

    async fn run_at(&self, request: Request, pace: Pace) -> Result<Report, ReconcileError> {
        let report = Run::new(&self.inner, request, pace).finish().await?;
        self.take_in(&report, request);
        Ok(report)
    }

    /// Remembers the outcome for `/readyz` and the metrics. A comparison of fewer blocks than usual is no reason to say that
    /// all is well again.
    fn take_in(&self, report: &Report, request: Request) {
        let outcome = Outcome {
            at: self.inner.charges.now(),
            left: report.left(),
            complete: report.complete,
        };
        let mut last = self.inner.last.lock();
        if request.from.is_some() && outcome.left == 0 && last.is_some_and(|last| last.left > 0) {
            return;
        }
        *last = Some(outcome);
        schedule::record(outcome);
    }
}
