//! Comparing everything that is stored with itself and with the node.

use bitpro_service::accounts::Accounts;
use bitpro_service::reconcile::{ReconcileError, Reconciler, Request};
use serde_json::json;

use super::execute::execute;
use super::wire::{Command, Failure, Kind, Reply};

/// Carries out any command: on `accounts` and their charges, or by the `reconciler` that compares them.
///
/// # Errors
/// [`Failure`]; nothing is changed then, unless by a repair that was broken off.
pub async fn carry_out(accounts: &Accounts, reconciler: &Reconciler, command: Command) -> Reply {
    match command {
        Command::Reconcile { from, fix } => compare(reconciler, from, fix).await,
        command => execute(accounts, command).await,
    }
}

/// Compares, and repairs if it is asked for.
async fn compare(reconciler: &Reconciler, from: Option<u32>, fix: bool) -> Reply {
    let request = Request {
        from,
        fix,
        ..Request::default()
    };
    let report = reconciler.run(request).await?;
    Ok(json!(report))
}

impl From<ReconcileError> for Failure {
    fn from(error: ReconcileError) -> Self {
        let kind = match &error {
            ReconcileError::TooHigh { .. } => Kind::Invalid,
            ReconcileError::NoThread(_) | ReconcileError::Store(_) => Kind::Unavailable,
        };
        Self::new(kind, error)
    }
}
