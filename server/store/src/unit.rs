//! A unit of work for the writer: all of it happens, or none (R30).

use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::{StoreError, Tx};

/// A unit, whatever it answers.
pub(super) trait Unit: Send {
    /// Does the work inside the group's transaction.
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx) -> BoxFuture<'t, Ran>;

    /// Tells the caller that the work was not begun.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// How a unit went.
pub(super) enum Ran {
    /// It waits for the group's commit, whose outcome it is to be given.
    Done(Box<dyn FnOnce(Result<(), StoreError>) + Send>),
    /// It failed: its changes are to be taken back, then its caller is to be told.
    Failed(Box<dyn FnOnce() + Send>),
}

/// Work and the way back to whoever asked for it.
pub(super) struct Work<F, T, E> {
    pub(super) work: F,
    pub(super) answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Unit for Work<F, T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx) -> BoxFuture<'t, Ran> {
        let Self { work, answer } = *self;
        Box::pin(async move {
            // A caller that has gone away is no error: its charge is made and will be found by its order id.
            match work(tx).await {
                Ok(value) => Ran::Done(Box::new(move |committed| {
                    let _ = answer.send(committed.map(|()| value).map_err(E::from));
                })),
                Err(error) => Ran::Failed(Box::new(move || {
                    let _ = answer.send(Err(error));
                })),
            }
        })
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.answer.send(Err(error.into()));
    }
}
