//! How fast a comparison goes, and where its blocking work is done.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::ReconcileError;

/// How much of the time is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// All of it: somebody waits.
    Full,
    /// A quarter: shoppers, and the node, come first.
    Quarter,
}

impl Pace {
    /// How long to rest after work that took so long.
    fn rest(self, worked: Duration) -> Duration {
        match self {
            Self::Full => Duration::ZERO,
            Self::Quarter => worked.saturating_mul(3),
        }
    }

    /// Rests after work that began at `started`.
    pub(super) async fn after(self, started: Instant) {
        let rest = self.rest(started.elapsed());
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }

    /// The same on a thread that may block; the next piece of work begins now.
    pub(super) fn block_after(self, started: &mut Instant) {
        let rest = self.rest(started.elapsed());
        if !rest.is_zero() {
            std::thread::sleep(rest);
        }
        *started = Instant::now();
    }
}

/// Does what blocks on a thread of its own: the runtime's threads serve shoppers, and are waited for at the end of the process.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReconcileError> {
    let (done, result) = oneshot::channel();
    let working = move || {
        // Whoever asked may have gone.
        let _ = done.send(work());
    };
    std::thread::Builder::new()
        .name("reconcile".to_owned())
        .spawn(working)
        .map_err(|error| ReconcileError::NoThread(error.to_string()))?;
    result
        .await
        .map_err(|_| ReconcileError::NoThread("the work has failed".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_schedule_a_quarter_of_the_time_is_worked() {
        let worked = Duration::from_secs(2);
        assert_eq!(Pace::Full.rest(worked), Duration::ZERO);
        assert_eq!(Pace::Quarter.rest(worked), Duration::from_secs(6));
    }
}
