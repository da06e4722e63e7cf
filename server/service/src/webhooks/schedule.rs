//! When a delivery that failed is tried again: 15 attempts in three days.

use bitpro_charge::Timestamp;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;

/// The pauses after each failed attempt, in seconds. The third attempt is made after five minutes; once it has failed, newer
/// events of the charge may overtake (R19). Together they are three days.
const PAUSES: [u32; 14] = [
    30,
    4 * MINUTE + 30,
    10 * MINUTE,
    20 * MINUTE,
    40 * MINUTE,
    75 * MINUTE,
    150 * MINUTE,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    9 * HOUR,
    10 * HOUR,
    14 * HOUR,
    16 * HOUR,
];

/// A delivery with so many failures does not hold back newer ones of its charge (R19).
pub(super) const OVERTAKEN_AFTER: u32 = 3;

/// When the attempt after the one numbered `failed` (from 1) is due; `None` when that was the last. `jitter` spreads what failed
/// together over a tenth of the pause either way.
pub(super) fn retry_at(failed: u32, now: Timestamp, jitter: u16) -> Option<Timestamp> {
    let pause = i64::from(*PAUSES.get(usize::try_from(failed).ok()?.checked_sub(1)?)?) * 1_000;
    // From 900 to 1,100 thousandths.
    let share = 900 + i64::from(jitter) * 200 / i64::from(u16::MAX);
    Some(Timestamp(now.0 + pause * share / 1_000))
}

/// How long a receiver that cannot be reached is left alone after so many failures in a row, in seconds: a backlog must not
/// knock at a closed door all day.
pub(super) fn rest_after(failures: u32) -> u32 {
    if failures < OVERTAKEN_AFTER {
        return 0;
    }
    1_u32
        .checked_shl(failures - OVERTAKEN_AFTER)
        .unwrap_or(MINUTE)
        .min(MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_attempts_are_made_in_three_days() {
        let mut now = Timestamp(0);
        let mut attempts = 1;
        while let Some(next) = retry_at(attempts, now, u16::MAX / 2) {
            attempts += 1;
            now = next;
            if attempts == 3 {
                let minutes = now.as_secs() / 60;
                assert!((4..=5).contains(&minutes), "the third attempt after {minutes} min");
            }
        }
        assert_eq!(attempts, 15);
        let hours = now.as_secs() / 3_600;
        assert!((71..=72).contains(&hours), "the last after {hours} h");
        assert_eq!(retry_at(0, now, 0), None);
        assert_eq!(retry_at(u32::MAX, now, 0), None);
    }

    #[test]
    fn jitter_is_a_tenth_either_way() {
        let at = |jitter| retry_at(3, Timestamp(0), jitter).unwrap().as_secs();
        assert_eq!((at(0), at(u16::MAX)), (540, 660));
    }

    #[test]
    fn a_receiver_that_cannot_be_reached_is_left_alone_for_up_to_a_minute() {
        let rests: Vec<u32> = (0..12).map(rest_after).collect();
        assert_eq!(rests, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(rest_after(u32::MAX), 60);
    }
}
