//! Seeing from outside that the watcher goes on: whatever may hold it up, it cannot tell of that itself.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::rpc::Pulse;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);

/// Calls `tell` again and again while there was no beat for as long as `patience`, until `stop` is cancelled.
pub(super) async fn keep(pulse: Pulse, patience: Duration, stop: CancellationToken, tell: impl Fn()) {
    let mut finger = Finger::on(&pulse, Instant::now());
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        if finger.still_for(&pulse, Instant::now()) >= patience {
            tell();
        }
    }
}

/// What was felt of a pulse at last.
struct Finger {
    count: u64,
    since: Instant,
}

impl Finger {
    fn on(pulse: &Pulse, now: Instant) -> Self {
        Self {
            count: pulse.count(),
            since: now,
        }
    }

    /// For how long there was no beat.
    fn still_for(&mut self, pulse: &Pulse, now: Instant) -> Duration {
        if pulse.count() != self.count {
            *self = Self::on(pulse, now);
        }
        now.duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_that_stands_still_is_felt_until_it_beats_again() {
        let (pulse, start) = (Pulse::default(), Instant::now());
        let mut finger = Finger::on(&pulse, start);
        let mut still_at = |secs| finger.still_for(&pulse, start + Duration::from_secs(secs)).as_secs();
        assert_eq!(still_at(50), 50);
        pulse.beat();
        assert_eq!(still_at(55), 0);
        assert_eq!(still_at(115), 60);
        assert_eq!(still_at(900), 845);
        pulse.beat();
        assert_eq!(still_at(905), 0);
    }
}
