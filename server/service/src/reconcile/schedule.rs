//! Comparing by itself, every so often, without anybody noticing but when something is found.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use super::{Outcome, Reconciler, Request, Since};

/// After a start the watcher, and shoppers, come first.
const FIRST: Duration = Duration::from_secs(5 * 60);
/// When chain and mempool could not be read, it is tried again after this.
const AGAIN: Duration = Duration::from_secs(10 * 60);

impl Reconciler {
    /// Compares soon after the start and then every so often, until `closing` is cancelled. Nothing is changed.
    pub async fn keep(self, every: Duration, closing: CancellationToken) {
        let mut pause = FIRST.min(every);
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = closing.cancelled() => return,
            }
            let complete = tokio::select! {
                complete = self.compare_quietly() => complete,
                () = closing.cancelled() => return,
            };
            pause = if complete { every } else { AGAIN.min(every) };
        }
    }

    /// Whether everything could be compared.
    async fn compare_quietly(&self) -> bool {
        let request = Request {
            since: Since::TheOldestOpen,
            ..Request::default()
        };
        match self.run_at(request, Pace::Quarter).await {
            Ok(report) => {
                for difference in &report.differences {
                    tracing::error!(
                        code = %difference.code,
                        charge = difference.charge.map(|id| id.to_string()),
                        subject = difference.subject,
                        reason = difference.reason,
                        "stored data differs from what it should be"
                    );
                }
                tracing::info!(
                    charges = report.charges,
                    scripts = report.scripts,
                    from = report.from_height,
                    to = report.to_height,
                    differences = report.left(),
                    complete = report.complete,
                    "compared everything with chain and mempool"
                );
                report.complete
            }
            Err(error) => {
                tracing::error!(%error, "cannot compare with chain and mempool");
                false
            }
        }
    }
}

/// Shows an outcome in the metrics.
pub(super) fn record(outcome: Outcome) {
    let left = u32::try_from(outcome.left).unwrap_or(u32::MAX);
    metrics::gauge!("bitpro_reconcile_differences").set(f64::from(left));
    let at = u32::try_from(outcome.at.as_secs()).unwrap_or(u32::MAX);
    metrics::gauge!("bitpro_reconcile_last_run_timestamp_seconds").set(f64::from(at));
    let word = if outcome.complete { "complete" } else { "incomplete" };
    metrics::counter!("bitpro_reconcile_runs_total", "outcome" => word).increment(1);
}
