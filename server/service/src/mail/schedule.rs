//! When a letter that could not be sent is tried again, and when it is given up.

use bitpro_charge::Timestamp;

/// The wait after the first attempt in vain, in seconds; each further one doubles it.
const FIRST_WAIT: i64 = 60;
/// The longest wait, in seconds: six hours.
const LONGEST_WAIT: i64 = 6 * 60 * 60;
/// How long after the first attempt the last one is made, in seconds: three days.
const PATIENCE: i64 = 3 * 24 * 60 * 60;
/// Attempts at a letter that the mail server refuses for good: whoever sends on and on to addresses that are none is soon
/// taken for a spammer, but a mail server that is set up wrong for some minutes must not cost a letter.
const TRIES_WHEN_REFUSED: u32 = 4;

/// The next attempt after `attempts` in vain, the first of them at `first_at` and the last one now; `None`: it is given up.
pub(super) fn next_attempt(attempts: u32, first_at: Timestamp, now: Timestamp, is_refused: bool) -> Option<Timestamp> {
    let end = first_at.0.saturating_add(PATIENCE * 1_000);
    if now.0 >= end || is_refused && attempts >= TRIES_WHEN_REFUSED {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = (FIRST_WAIT << doublings).min(LONGEST_WAIT);
    Some(Timestamp(now.0.saturating_add(wait * 1_000).min(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    #[test]
    fn waits_double_from_a_minute_to_six_hours_and_end_after_three_days() {
        let first_at = Timestamp(1_000);
        let mut now = first_at;
        let mut waits = Vec::new();
        let mut attempts = 1;
        while let Some(next) = next_attempt(attempts, first_at, now, false) {
            waits.push(next.0 - now.0);
            now = next;
            attempts += 1;
        }
        let minutes: Vec<i64> = waits.iter().take(10).map(|wait| wait / MINUTE).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]);
        assert!(waits.iter().all(|wait| *wait <= 6 * HOUR));
        assert_eq!(waits.iter().sum::<i64>(), 72 * HOUR);
        assert!(attempts < 25, "{attempts}");
    }

    #[test]
    fn what_is_refused_for_good_is_tried_a_few_times_only() {
        let now = Timestamp(0);
        assert!(next_attempt(3, now, now, true).is_some());
        assert_eq!(next_attempt(4, now, now, true), None);
    }

    #[test]
    fn any_number_of_attempts_has_a_wait() {
        let now = Timestamp(0);
        assert_eq!(next_attempt(u32::MAX, now, now, false), Some(Timestamp(6 * HOUR)));
    }
}
