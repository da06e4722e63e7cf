//! Waiting for something that will be true soon, with a deadline and the last reason why it was not.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

/// How long anything may take that is expected to happen at once. Generous, because test machines are slow and shared; a test
/// that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(45);

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Asks `probe` until it answers, for at most [`PATIENCE`].
///
/// # Errors
/// Names `what` was awaited, and the last error of `probe`.
pub async fn eventually<T, F>(what: &str, probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    eventually_within(PATIENCE, what, probe).await
}

/// Asks `probe` until it answers, for at most `patience`.
///
/// # Errors
/// Names `what` was awaited, and the last error of `probe`.
pub async fn eventually_within<T, F>(patience: Duration, what: &str, mut probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut last = anyhow!("it was never asked");
    let asking = async {
        let mut pause = FIRST_PAUSE;
        loop {
            match probe().await {
                Ok(answer) => return answer,
                Err(error) => last = error,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    match tokio::time::timeout(patience, asking).await {
        Ok(answer) => Ok(answer),
        Err(_) => Err(last).with_context(|| format!("waited {patience:?} in vain for: {what}")),
    }
}
