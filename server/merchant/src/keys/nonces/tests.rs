//! The journal over restarts, kills and boots.

use super::*;

const NOW: i64 = 1_800_000_000_000;
const BOOT: Option<[u8; 16]> = Some([1; 16]);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, now: i64, boot: Option<[u8; 16]>) -> Nonces {
        let path = self.0.path().join("nonces");
        Nonces::open_at(&path, [], true, at(now), boot).unwrap()
    }

    /// One that has nothing to doubt.
    fn fresh(&self, now: i64) -> Nonces {
        let path = self.0.path().join("nonces");
        Nonces::open_at(&path, [], false, at(now), BOOT).unwrap()
    }
}

async fn take(nonces: &Nonces, nonce: u8, signed_at: i64, now: i64) -> Result<(), NonceError> {
    nonces.take(1, [nonce; 16], Timestamp(signed_at), at(now)).await
}

/// All clocks are right, and the process began at [`NOW`] or before.
fn at(now: i64) -> Moment {
    moment(now, now, now - NOW)
}

fn moment(now: i64, outside: i64, running: i64) -> Moment {
    Moment {
        now: Timestamp(now),
        outside: Timestamp(outside),
        shown: Timestamp(outside),
        aligned_from: Timestamp(i64::MIN),
        running: std::time::Duration::from_millis(running.unsigned_abs()),
    }
}

#[tokio::test]
async fn r33_a_nonce_is_taken_once_by_each_key_for_half_an_hour() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    assert_eq!(take(&nonces, 1, NOW, NOW).await, Ok(()));
    assert_eq!(take(&nonces, 1, NOW + 1_000, NOW).await, Err(NonceError::Replayed));
    assert_eq!(nonces.take(2, [1; 16], Timestamp(NOW), at(NOW)).await, Ok(()));
    let last = NOW + KEPT_MS - 1;
    assert_eq!(take(&nonces, 1, last, last).await, Err(NonceError::Replayed));
    assert_eq!(take(&nonces, 1, last + 1, last + 1).await, Ok(()));
}

#[tokio::test]
async fn r33_a_killed_process_forgets_nothing_and_refuses_nothing_else() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    for nonce in 1..=3 {
        assert_eq!(take(&nonces, nonce, NOW, NOW).await, Ok(()));
    }
    let again = place.open(NOW + 1, BOOT);
    assert_eq!(take(&again, 2, NOW, NOW + 1).await, Err(NonceError::Replayed));
    assert_eq!(take(&again, 4, NOW, NOW + 1).await, Ok(()));
    let once_more = place.open(NOW + 2, BOOT);
    assert_eq!(take(&once_more, 4, NOW, NOW + 2).await, Err(NonceError::Replayed));
}

#[tokio::test]
async fn r33_after_an_unclean_boot_what_may_be_forgotten_is_refused() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    assert_eq!(take(&nonces, 1, NOW, NOW).await, Ok(()));
    let ceiling = NOW + USUAL_AHEAD_MS + STEP_MS;
    let forgotten = Err(NonceError::Forgotten {
        until: Timestamp(ceiling),
    });
    let later = NOW + 30_000;
    let rebooted = place.open(later, Some([2; 16]));
    assert_eq!(take(&rebooted, 9, ceiling, later).await, forgotten);
    assert_eq!(take(&rebooted, 9, ceiling + 1, later).await, Ok(()));
    // Dying again in the same boot makes the doubt no smaller.
    let again = place.open(later, Some([2; 16]));
    assert_eq!(take(&again, 8, ceiling, later).await, forgotten);
    assert_eq!(take(&again, 9, ceiling + 1, later).await, Err(NonceError::Replayed));
}

#[tokio::test]
async fn r33_after_an_orderly_end_a_new_boot_doubts_nothing() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    assert_eq!(take(&nonces, 1, NOW, NOW).await, Ok(()));
    nonces.close().unwrap();
    let rebooted = place.open(NOW, Some([2; 16]));
    assert_eq!(take(&rebooted, 1, NOW, NOW).await, Err(NonceError::Replayed));
    assert_eq!(take(&rebooted, 2, NOW, NOW).await, Ok(()));
    // That end does not speak for this run.
    let unclean = place.open(NOW, Some([3; 16]));
    assert!(matches!(
        take(&unclean, 3, NOW, NOW).await,
        Err(NonceError::Forgotten { .. })
    ));
}

#[tokio::test]
async fn r33_without_a_journal_what_was_signed_before_the_start_is_refused() {
    let place = Place::new();
    let nonces = place.open(NOW, BOOT);
    assert!(matches!(
        take(&nonces, 1, NOW, NOW).await,
        Err(NonceError::Forgotten { .. })
    ));
    assert_eq!(take(&nonces, 1, NOW + 1, NOW + 1).await, Ok(()));
}

#[tokio::test]
async fn r33_without_a_journal_what_was_signed_ahead_and_changed_something_is_not_taken_again() {
    let place = Place::new();
    let ahead = Timestamp(NOW + i64::from(crate::keys::SKEW_SECS) * 1_000);
    let path = place.0.path().join("nonces");
    // The first stands in the database, as the nonces of changes do; the second was a look.
    let stored = [(1, [1; 16], Timestamp(NOW - 1_000))];
    let nonces = Nonces::open_at(&path, stored, true, at(NOW), BOOT).unwrap();
    let take = async |nonce: u8, now: i64| nonces.take(1, [nonce; 16], ahead, at(now)).await;
    for now in [NOW, ahead.0, ahead.0 + KEPT_MS / 2 - 2_000] {
        assert_eq!(take(1, now).await, Err(NonceError::Replayed));
    }
    assert_eq!(take(2, NOW).await, Ok(()));
    assert_eq!(take(2, NOW).await, Err(NonceError::Replayed));
}

#[tokio::test]
async fn r32_a_journal_of_a_clock_that_was_ahead_locks_nobody_out() {
    const DAYS: i64 = 2 * 86_400_000;
    let place = Place::new();
    // Its first start was by a clock that nobody had set yet.
    drop(place.open(NOW + DAYS, BOOT));
    for (boot, first) in [(BOOT, 1), (Some([2; 16]), 11)] {
        let start = NOW + 60_000;
        let nonces = place.open(start, boot);
        // What was signed before this start may have been used before.
        assert!(matches!(
            take(&nonces, first, start, start).await,
            Err(NonceError::Forgotten { .. })
        ));
        assert_eq!(take(&nonces, first + 1, start + 1, start + 1).await, Ok(()));
        assert_eq!(
            take(&nonces, first + 1, start + 2, start + 2).await,
            Err(NonceError::Replayed)
        );
        // When time gets there, nothing that was signed before this start is fresh any more.
        assert_eq!(take(&nonces, first + 2, NOW + DAYS, NOW + DAYS).await, Ok(()));
    }
}

#[tokio::test]
async fn r33_a_clock_that_is_behind_at_the_start_does_not_lower_the_floor() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    assert_eq!(take(&nonces, 1, NOW, NOW).await, Ok(()));
    // After an unclean boot, years before its time: then the clock is set.
    let (path, behind) = (place.0.path().join("nonces"), NOW - 500_000_000_000);
    let rebooted = Nonces::open_at(&path, [], true, moment(behind, behind, 0), Some([2; 16])).unwrap();
    let set = moment(NOW + 30_000, NOW + 30_000, 10_000);
    let again = rebooted.take(1, [9; 16], Timestamp(NOW + 20_000), set).await;
    assert!(matches!(again, Err(NonceError::Forgotten { .. })));
}

#[tokio::test]
async fn r32_a_wrong_moment_forgets_no_nonce_and_locks_nobody_out() {
    const HOURS: i64 = 2 * 3_600_000;
    let place = Place::new();
    let nonces = place.fresh(NOW);
    let take =
        async |nonce: u8, signed_at: i64, now: Moment| nonces.take(1, [nonce; 16], Timestamp(signed_at), now).await;
    assert_eq!(take(1, NOW, at(NOW)).await, Ok(()));
    // For a second the machine's clock is two hours ahead, and a client on the same machine signs by it.
    let wrong = moment(NOW + HOURS, NOW + HOURS, 500);
    assert_eq!(take(2, NOW + HOURS, wrong).await, Ok(()));
    let right = moment(NOW + HOURS + 1_000, NOW + 1_500, 1_500);
    assert_eq!(take(1, NOW, right).await, Err(NonceError::Replayed));
    assert_eq!(take(3, NOW + 1_000, right).await, Ok(()));
    // An hour later the first is stale by any clock, and the second is not yet by the machine's.
    let later = moment(NOW + HOURS + HOURS / 2, NOW + HOURS / 2, HOURS / 2);
    assert_eq!(take(4, NOW + HOURS / 2, later).await, Ok(()));
    let there = moment(NOW + 2 * HOURS, NOW + HOURS, HOURS);
    assert_eq!(take(2, NOW + HOURS, there).await, Err(NonceError::Replayed));
    // After the machine's death, only those are doubted who signed by about then: the ceiling is by their clocks.
    let path = place.0.path().join("nonces");
    let rebooted = Nonces::open_at(&path, [], true, there, Some([2; 16])).unwrap();
    let fresh = NOW + HOURS + USUAL_AHEAD_MS + STEP_MS + 1;
    assert_eq!(rebooted.take(1, [9; 16], Timestamp(fresh), there).await, Ok(()));
}

#[tokio::test]
async fn the_journal_turns_and_what_is_forgotten_goes_with_it() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    let hour = 2 * KEPT_MS;
    for (nonce, at) in [(1, NOW), (2, NOW + KEPT_MS), (3, NOW + hour), (4, NOW + hour + 1)] {
        assert_eq!(take(&nonces, nonce, at, at).await, Ok(()));
    }
    let again = place.open(NOW + hour + 2, BOOT);
    assert_eq!(again.0.seen.lock().entries.len(), 2);
    let size = fs::metadata(place.0.path().join("nonces")).unwrap().len();
    assert_eq!(size, (HEAD + 2 * RECORD) as u64);
}

#[tokio::test]
async fn a_record_that_was_cut_off_shifts_nothing() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    assert_eq!(take(&nonces, 1, NOW, NOW).await, Ok(()));
    let path = place.0.path().join("nonces");
    OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"torn")
        .unwrap();
    let again = place.open(NOW, BOOT);
    assert_eq!(take(&again, 2, NOW, NOW).await, Ok(()));
    let once_more = place.open(NOW, BOOT);
    for nonce in [1, 2] {
        assert_eq!(take(&once_more, nonce, NOW, NOW).await, Err(NonceError::Replayed));
    }
}
