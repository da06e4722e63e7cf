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
        Nonces::open_at(&path, [], true, Timestamp(now), boot).unwrap()
    }

    /// One that has nothing to doubt.
    fn fresh(&self, now: i64) -> Nonces {
        let path = self.0.path().join("nonces");
        Nonces::open_at(&path, [], false, Timestamp(now), BOOT).unwrap()
    }
}

async fn take(nonces: &Nonces, nonce: u8, signed_at: i64, now: i64) -> Result<(), NonceError> {
    nonces.take(1, [nonce; 16], Timestamp(signed_at), Timestamp(now)).await
}

#[tokio::test]
async fn r33_a_nonce_is_taken_once_by_each_key_for_half_an_hour() {
    let place = Place::new();
    let nonces = place.fresh(NOW);
    assert_eq!(take(&nonces, 1, NOW, NOW).await, Ok(()));
    assert_eq!(take(&nonces, 1, NOW + 1_000, NOW).await, Err(NonceError::Replayed));
    assert_eq!(nonces.take(2, [1; 16], Timestamp(NOW), Timestamp(NOW)).await, Ok(()));
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
