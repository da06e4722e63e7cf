//! Time used by a step, for people to read.

use std::fmt;
use std::time::{Duration, Instant};

/// Runs from its start on; shown as `1 min 20 s`.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the automation measures how long its own steps take; the product asks its Clock"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

impl fmt::Display for Stopwatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&readable(self.elapsed()))
    }
}

/// A duration as `7 s` or `1 min 20 s`.
pub fn readable(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {:02} s", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_minutes_and_seconds() {
        assert_eq!(readable(Duration::from_millis(6_900)), "6 s");
        assert_eq!(readable(Duration::from_secs(80)), "1 min 20 s");
        assert_eq!(readable(Duration::from_secs(3_605)), "60 min 05 s");
    }
}
