//! What the log says of requests: those that went wrong by their names, so that whoever quotes one can be helped; and all, if the operator
//! wants that.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Context;

/// So many error pages a minute get a line. Strangers can make as many as they like.
const MOST_IN_A_MINUTE: u32 = 100;
const MINUTE: Duration = Duration::from_secs(60);

/// Notes requests.
#[derive(Debug)]
pub struct Noted {
    /// Whether each request gets a line.
    all: bool,
    errors: Mutex<Errors>,
}

#[derive(Debug, Default)]
struct Errors {
    since: Option<Instant>,
    count: u32,
}

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'r> {
    /// What was found out about it.
    pub context: Context,
    /// Its method.
    pub method: &'r http::Method,
    /// The pattern of its path: the path itself holds capabilities, and the query what shoppers wrote (R37).
    pub route: &'r str,
    /// The status of its answer.
    pub status: u16,
    /// Until the answer began.
    pub taken: Duration,
}

impl Noted {
    /// Notes errors, and with `all` every request.
    #[must_use]
    pub const fn new(all: bool) -> Self {
        Self {
            all,
            errors: Mutex::new(Errors { since: None, count: 0 }),
        }
    }

    /// Writes down what became of a request.
    pub(super) fn note(&self, outcome: Outcome<'_>) {
        let Outcome {
            context,
            method,
            route,
            status,
            taken,
        } = outcome;
        let (request, micros) = (context.id, taken.as_micros());
        if self.all {
            let client = context.client;
            tracing::info!(target: "bitpro::access", %request, %client, %method, route, status, micros, "request");
            return;
        }
        tracing::debug!(%request, %method, route, status, micros, "request");
        if status < 400 {
            return;
        }
        match self.errors.lock().counted(Instant::now()) {
            1..=MOST_IN_A_MINUTE => tracing::info!(%request, %method, route, status, "a request was refused"),
            // A bound that was reached says so, once.
            count if count == MOST_IN_A_MINUTE + 1 => {
                tracing::info!("more requests were refused in this minute than are written down");
            }
            _ => {}
        }
    }
}

impl Errors {
    /// The number of this error within its minute.
    fn counted(&mut self, now: Instant) -> u32 {
        match self.since {
            Some(since) if now.duration_since(since) < MINUTE => self.count = self.count.saturating_add(1),
            _ => (self.since, self.count) = (Some(now), 1),
        }
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_refused_requests_no_more_than_a_hundred_a_minute_are_written_down() {
        let (mut errors, start) = (Errors::default(), Instant::now());
        let counted: Vec<u32> = (0..=MOST_IN_A_MINUTE).map(|_| errors.counted(start)).collect();
        let written = counted.iter().filter(|count| **count <= MOST_IN_A_MINUTE);
        assert_eq!(written.count(), 100);
        assert!(errors.counted(start + Duration::from_secs(59)) > MOST_IN_A_MINUTE);
        assert_eq!(errors.counted(start + MINUTE), 1);
    }
}
