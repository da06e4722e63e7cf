//! The one writer: takes units as they come, and commits those that are waiting together (R30).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use std::vec::IntoIter;

use futures::FutureExt as _;
use tokio::sync::mpsc;

use super::unit::{Ran, Unit};
use super::{CommitPoint, Faults, News, StoreError, Tx, load};

/// Units in one commit, at most: more would only make the first wait.
const GROUP: usize = 1_000;
/// Charges that the units of one commit have changed, about: a view that changes as many is committed before the next unit begins,
/// so that nobody waits for more than one such view that came before them.
const GROUP_CHARGES: usize = 500;
/// How often to look for what another process wrote.
const LOOK_ELSEWHERE: Duration = Duration::from_secs(1);

/// Who keeps copies of what is stored, and is told after each commit: watch map first, then those who listen.
pub trait Listener: Send + Sync + 'static {
    /// A group was committed.
    fn committed(&self, news: News);
}

/// What happens when a sync has failed: nobody knows then what the disk holds, and no answer is right any more.
pub type Fatal = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// The writer, before it runs.
pub struct Writer {
    pub(super) tx: Tx,
    pub(super) units: mpsc::Receiver<Box<dyn Unit>>,
    pub(super) fatal: Fatal,
    pub(super) faults: Arc<dyn Faults>,
}

impl Writer {
    /// Works until every handle of the store is gone.
    pub async fn run(mut self, listener: Arc<dyn Listener>) {
        let mut look = tokio::time::interval(LOOK_ELSEWHERE);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut group = Vec::new();
        loop {
            tokio::select! {
                biased;
                received = self.units.recv_many(&mut group, GROUP) => {
                    if received == 0 {
                        break;
                    }
                    let mut waiting = std::mem::take(&mut group).into_iter();
                    while waiting.len() > 0 {
                        self.commit(&mut waiting, &*listener).await;
                    }
                }
                _ = look.tick() => {
                    if matches!(self.tx.session.was_changed_elsewhere().await, Ok(true)) {
                        self.look_at_what_is_stored(&*listener).await;
                    }
                }
            }
        }
        self.tx.session.close().await;
    }

    /// Commits the next units together: as many as there are, or until they have changed very many charges.
    async fn commit(&mut self, units: &mut IntoIter<Box<dyn Unit>>, listener: &dyn Listener) {
        if let Err(error) = self.begin().await {
            tracing::error!(%error, "cannot begin a database transaction");
            for unit in units {
                unit.refuse(error.clone());
            }
            return;
        }
        let start = self.tx.begin_unit();
        let mut waiting = Vec::with_capacity(units.len());
        let has_work = !units.as_slice().is_empty();
        let mut outcome = Ok(());
        for unit in units.by_ref() {
            match run(&mut self.tx, unit).await {
                Ok(Some(answer)) => waiting.push(answer),
                Ok(None) => {}
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
            if self.tx.news.touched.len() >= GROUP_CHARGES {
                break;
            }
        }
        if let Err(error) = &outcome {
            for unit in units {
                unit.refuse(StoreError::clone(error));
            }
        }
        if outcome.is_ok() {
            outcome = self.make_durable(has_work).await;
        }
        match &outcome {
            Ok(()) => {
                let news = self.tx.committed();
                listener.committed(news);
            }
            Err(error) => {
                tracing::error!(%error, units = waiting.len(), "a group was not committed");
                if matches!(error, StoreError::SyncFailed(_)) {
                    (self.fatal)(error);
                }
                // The engine may have taken the transaction back by itself already; then there is none to take back.
                let _ = self.tx.session.rollback().await;
                self.tx.discarded(start);
                // What another process wrote may have been read under this transaction only.
                self.tx.session.look_again();
                // Or all of it was committed, and only the answer was an error. Whoever is refused looks at what there is next.
                if has_work {
                    Box::pin(self.look_at_what_is_stored(listener)).await;
                }
            }
        }
        for answer in waiting {
            answer(outcome.clone());
        }
    }

    /// Reads everything again, by a group without work.
    async fn look_at_what_is_stored(&mut self, listener: &dyn Listener) {
        self.tx.session.look_again();
        self.commit(&mut Vec::new().into_iter(), listener).await;
    }

    /// Begins the group, and reads everything again when another process has written.
    async fn begin(&mut self) -> Result<(), StoreError> {
        self.tx.session.begin().await?;
        let fresh = async {
            if self.tx.session.was_changed_elsewhere().await? {
                let met = self.tx.memory().issuers().map(|(id, _)| id).collect();
                load::reload(&mut self.tx).await?;
                // The other process does not hold the mark: a descriptor that it took up has not met it yet (R28). Those that were
                // here before have: the mark may be ahead of them after a failed commit, whose addresses nobody was shown.
                self.tx.meet_mark(&met, false).await?;
            }
            Ok(())
        };
        let result: Result<(), StoreError> = fresh.await;
        if result.is_err() {
            self.tx.session.look_again();
            let _ = self.tx.session.rollback().await;
        }
        result
    }

    /// Commits, and syncs the issuance mark meanwhile: both before any answer (R28).
    async fn make_durable(&mut self, has_work: bool) -> Result<(), StoreError> {
        self.tx.write_rest().await?;
        if has_work && self.tx.mark.is_none() {
            self.tx.session.count_commit_beside().await?;
        }
        let issued = self.tx.issued();
        let marked = match &self.tx.mark {
            Some(mark) if !issued.is_empty() => Some(mark.raise(issued)),
            _ => None,
        };
        let committed = match self.faults.at(CommitPoint::BeforeCommit) {
            Ok(()) => self.tx.session.commit().await,
            Err(fault) => Err(StoreError::Unavailable(fault)),
        };
        #[cfg(any(test, feature = "testing"))]
        let committed = committed.and_then(|()| self.tx.answer());
        if let Some(marked) = marked {
            marked.await?;
        }
        committed?;
        // Not before: a note of what is not committed would look like a database from an earlier time.
        if let Some(mark) = &self.tx.mark {
            mark.note_told(self.tx.memory().last_told());
        }
        self.faults
            .at(CommitPoint::AfterCommit)
            .map_err(StoreError::Unavailable)
    }
}

/// Runs one unit. An error is the whole group's: the unit's changes could not be taken back.
async fn run(
    tx: &mut Tx,
    unit: Box<dyn Unit>,
) -> Result<Option<Box<dyn FnOnce(Result<(), StoreError>) + Send>>, StoreError> {
    let start = tx.begin_unit();
    match AssertUnwindSafe(unit.run(tx)).catch_unwind().await {
        Ok(Ran::Done(answer)) => match tx.end_unit().await {
            Ok(()) => Ok(Some(answer)),
            Err(error) => {
                answer(Err(error.clone()));
                Err(error)
            }
        },
        // Its caller is told with the others: what the group read of another process must be known by then, for they will look.
        Ok(Ran::Failed(answer)) => match tx.take_back(start).await {
            Ok(()) => Ok(Some(Box::new(move |_| answer()))),
            Err(error) => {
                answer();
                Err(error)
            }
        },
        Err(_) => {
            tracing::error!("a unit panicked; its changes were rolled back");
            tx.take_back(start).await.map(|()| None)
        }
    }
}
