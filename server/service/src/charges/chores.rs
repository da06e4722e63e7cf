//! What is done beside the requests: addresses derived ahead, the time noted, personal data erased in time, charges read
//! again after another process wrote.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bitpro_base::clock::Moment;
use bitpro_merchant::wallet::{Derived, DescriptorId};
use bitpro_store::{Low, StoreError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::shared::Chore;
use super::{Charges, Inner, Role, retention};

/// How often the highest time seen is stored (R32): coarsely, for each is a commit.
const NOTE_TIME: Duration = Duration::from_secs(60);

/// How often personal data that is too old is looked for.
const ERASE_OLD: Duration = Duration::from_secs(60 * 60);
/// And when first: a machine that starts with a wrong clock has set it by then, and what is erased does not come back.
const ERASE_FIRST: Duration = Duration::from_secs(10 * 60);

/// Does the chores until the charges are closed.
pub(super) async fn run(inner: Weak<Inner>, mut chores: mpsc::UnboundedReceiver<Chore>) {
    let deriving: Arc<parking_lot::Mutex<HashSet<DescriptorId>>> = Arc::default();
    let mut watch = Watch::default();
    let mut note_time = tokio::time::interval(NOTE_TIME);
    note_time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut erase_old = tokio::time::interval_at(Instant::now() + ERASE_FIRST, ERASE_OLD);
    erase_old.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let upgraded = || inner.upgrade().map(|inner| Charges { inner });
    loop {
        let chore = tokio::select! {
            chore = chores.recv() => chore,
            _ = note_time.tick() => {
                let Some(charges) = upgraded() else { return };
                watch.look(charges.inner.clock.moment());
                report(note_the_time(&charges).await);
                continue;
            }
            _ = erase_old.tick() => {
                let Some(charges) = upgraded() else { return };
                // Addresses must not wait for it.
                tokio::spawn(async move { report(retention::erase_old(&charges).await) });
                continue;
            }
        };
        let (Some(chore), Some(charges)) = (chore, upgraded()) else {
            return;
        };
        match chore {
            Chore::Derive(low) if charges.inner.role == Role::Server => {
                // Only one at a time for each descriptor: a second would find that the first was faster.
                if deriving.lock().insert(low.descriptor) {
                    let deriving = Arc::clone(&deriving);
                    tokio::spawn(async move {
                        let descriptor = low.descriptor;
                        report(derive(&charges, low).await);
                        deriving.lock().remove(&descriptor);
                    });
                }
            }
            Chore::Derive(_) => {}
            Chore::Reread(ids) => {
                for id in ids {
                    if let Ok(Some(snapshot)) = charges.snapshot(id).await {
                        charges.inner.shared.publish_depth(&snapshot);
                    }
                }
            }
        }
    }
}

/// Derives addresses off the writer, and has them watched.
pub(super) async fn derive(charges: &Charges, low: Low) -> Result<(), StoreError> {
    let Low {
        descriptor,
        receive,
        from,
        count,
    } = low;
    let derived: Vec<Derived> = tokio::task::spawn_blocking(move || {
        (from..from.saturating_add(count))
            .map_while(|index| receive.derive(index))
            .collect()
    })
    .await
    .map_err(|_| StoreError::Closed)?;
    charges
        .inner
        .store
        .write(move |tx| {
            Box::pin(async move {
                tx.learn(descriptor);
                tx.extend(descriptor, from, derived).await
            })
        })
        .await
}

/// Stores the highest time seen.
pub(super) async fn note_the_time(charges: &Charges) -> Result<(), StoreError> {
    if charges.inner.role != Role::Server {
        return Ok(());
    }
    let kept = charges.inner.clock.kept();
    charges
        .inner
        .store
        .write(move |tx| Box::pin(async move { tx.keep_time(kept).await }))
        .await
}

/// Looks at the clock, and says once when it is not as it should be, and once when it is again.
#[derive(Default)]
struct Watch {
    was_far_ahead: bool,
}

impl Watch {
    fn look(&mut self, moment: Moment) {
        let is_far_ahead = moment.is_far_ahead();
        if is_far_ahead != std::mem::replace(&mut self.was_far_ahead, is_far_ahead) {
            if is_far_ahead {
                tracing::warn!(
                    ahead_secs = moment.lead_ms() / 1_000,
                    "the latest stored time is ahead of the machine's clock: the clock was wrong, or is wrong now; see `bitpro clock show`"
                );
            } else {
                tracing::info!("the machine's clock has caught up with the latest stored time");
            }
        }
    }
}

fn report(done: Result<(), StoreError>) {
    match done {
        Ok(()) | Err(StoreError::Closed) => {}
        Err(error) => tracing::error!(%error, "a chore failed; will retry with the next commit"),
    }
}
