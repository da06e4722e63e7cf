//! The clock of the measurements.

use std::time::{Duration, Instant};

/// Now, on the clock that never steps.
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is about the machine's own time, which no test may move"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds, with their fractions.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Milliseconds since `start`.
pub fn since(start: Instant) -> f64 {
    millis(now().duration_since(start))
}
