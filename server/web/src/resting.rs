//! When a connection rests: nothing was asked on it yet, or everything that was asked is answered. Those that rest give way when
//! there are too many of them; see [`bitpro_limits::Connections`].

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bitpro_limits::{ConnectionPermit, Rest};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;

/// What one connection is at work on. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Work(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    open: u32,
    was_asked: bool,
    rest: Option<Rest>,
}

/// One request of it, until its answer is handed on or dropped.
#[derive(Debug)]
pub(super) struct Asked {
    work: Work,
    permit: Arc<dyn Resting>,
}

/// Something that can begin to rest.
pub(super) trait Resting: std::fmt::Debug + Send + Sync {
    /// It rests from now on, until what is returned is dropped.
    fn rest(&self) -> Option<Rest>;
    /// Whether it was told to end, for others need its place.
    fn gave_way(&self) -> bool;
}

impl Resting for ConnectionPermit {
    fn rest(&self) -> Option<Rest> {
        self.rests()
    }

    fn gave_way(&self) -> bool {
        self.gives_way().is_cancelled()
    }
}

impl Work {
    /// A connection that begins with a rest.
    pub(super) fn none(permit: &dyn Resting) -> Self {
        let rest = permit.rest();
        Self(Arc::new(Mutex::new(State {
            open: 0,
            was_asked: false,
            rest,
        })))
    }

    /// Whether anything was ever asked: the end of an answer may still be on its way.
    pub(super) fn was_asked(&self) -> bool {
        self.0.lock().was_asked
    }

    /// A request has come.
    pub(super) fn begin(&self, permit: Arc<dyn Resting>) -> Asked {
        let mut state = self.0.lock();
        state.open += 1;
        state.was_asked = true;
        let rest = state.rest.take();
        drop(state);
        drop(rest);
        Asked {
            work: self.clone(),
            permit,
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut state = self.work.0.lock();
        state.open -= 1;
        if state.open == 0 {
            state.rest = self.permit.rest();
        }
    }
}

impl Asked {
    /// The answer, which is work until all of it is handed on.
    pub(super) fn answered(self, response: Response) -> Response {
        response.map(|inner| Body::new(Answer { inner, _asked: self }))
    }
}

struct Answer {
    inner: Body,
    _asked: Asked,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
