//! How long HTTP/2 is waited for. Its streams have windows of their own, so a client can read the connection, answer pings, and
//! take nothing of an answer for ever; and it can keep a connection open without asking anything.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bitpro_limits::{Http2Permit, refused};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::Instant;

/// An answer is handed on in pieces of this size: the next one is asked for when there is room for it, and that is progress.
const PIECE: usize = 16 * 1024;

tokio::task_local! {
    /// The stream that the present task serves.
    static SERVED: Stream;
}

/// Since when the client is waited for; `None` while it waits for us.
#[derive(Debug, Clone)]
struct Stream(Arc<watch::Sender<Option<Instant>>>);

impl Stream {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Returns when the client has been waited for for `patience` at one stretch.
    async fn stalled(&self, patience: Duration) {
        let mut since = self.0.subscribe();
        loop {
            let began = *since.borrow_and_update();
            let Some(began) = began else {
                // The sender lives as long as this.
                let _ = since.changed().await;
                continue;
            };
            tokio::select! {
                _ = since.changed() => {}
                () = tokio::time::sleep_until(began + patience) => return,
            }
        }
    }
}

/// Runs the streams of one connection, and ends those whose client takes nothing. Clones share the count.
#[derive(Debug, Clone)]
pub struct OpenStreams {
    count: Arc<watch::Sender<usize>>,
    patience: Duration,
}

impl OpenStreams {
    /// Streams whose clients may take nothing for `patience`.
    pub fn new(patience: Duration) -> Self {
        Self {
            count: Arc::new(watch::Sender::new(0)),
            patience,
        }
    }

    /// Returns when no stream has been open for `after` at one stretch.
    pub async fn idle(&self, after: Duration) {
        let mut count = self.count.subscribe();
        loop {
            if count.wait_for(|count| *count == 0).await.is_err() {
                return;
            }
            tokio::select! {
                _ = count.changed() => {}
                () = tokio::time::sleep(after) => return,
            }
        }
    }
}

/// One off the count when it is dropped, however its stream has ended.
struct Counted(Arc<watch::Sender<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl<F: Future + Send + 'static> hyper::rt::Executor<F> for OpenStreams {
    fn execute(&self, serving: F) {
        self.count.send_modify(|count| *count += 1);
        let counted = Counted(Arc::clone(&self.count));
        let (stream, patience) = (Stream::new(), self.patience);
        let served = SERVED.scope(stream.clone(), async move {
            tokio::select! {
                _ = serving => {}
                // What is dropped here is reset.
                () = stream.stalled(patience) => refused("http2_stalled"),
            }
            drop(counted);
        });
        tokio::spawn(served);
    }
}

/// The response, whose body tells the task that serves it whether it waits for the client; `permit` goes with it.
pub fn watched(response: Response, permit: Http2Permit) -> Response {
    let Ok(stream) = SERVED.try_with(Clone::clone) else {
        return response;
    };
    response.map(|body| {
        Body::new(Watched {
            body,
            rest: Bytes::new(),
            stream,
            _permit: permit,
        })
    })
}

struct Watched {
    body: Body,
    /// What was taken out of the body, and is still to be handed on.
    rest: Bytes,
    stream: Stream,
    _permit: Http2Permit,
}

impl Watched {
    /// The next piece. The last byte of a body comes by itself: it is asked for only when all before it has found room, so that
    /// the task lasts as long as the answer is not taken.
    fn piece(&mut self) -> Bytes {
        let is_last = self.body.is_end_stream();
        let size = match self.rest.len() {
            len if len > PIECE => PIECE,
            len if is_last && len > 1 => len - 1,
            len => len,
        };
        self.rest.split_to(size)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => {
                    self.stream.0.send_replace(None);
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => self.rest = bytes,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                Poll::Ready(other) => return Poll::Ready(other),
            }
        }
        self.stream.0.send_replace(Some(Instant::now()));
        let piece = self.piece();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let held = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(held));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use bitpro_limits::Connections;
    use futures::FutureExt as _;
    use http_body_util::BodyExt as _;
    use hyper::rt::Executor as _;
    use tokio::sync::oneshot;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    fn response(body: impl Into<Body>) -> Response {
        let connections = Connections::new(100, 100, Vec::new());
        let connection = connections.admit([192, 0, 2, 1].into()).unwrap();
        watched(Response::new(body.into()), connection.stream().unwrap())
    }

    /// Serves `body` as hyper does, with a client that takes `takes` pieces and no more. Tells what was taken, when it has ended.
    fn serve(
        open: &OpenStreams,
        body: Body,
        takes: usize,
    ) -> (oneshot::Receiver<()>, Arc<parking_lot::Mutex<Vec<usize>>>) {
        let (ends, ended) = oneshot::channel();
        let taken = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let log = Arc::clone(&taken);
        open.execute(async move {
            let _ends = ends;
            let mut body = response(body).into_body();
            for _ in 0..takes {
                let Some(frame) = body.frame().await else { return };
                log.lock().push(frame.unwrap().into_data().unwrap().len());
            }
            std::future::pending().await
        });
        (ended, taken)
    }

    #[tokio::test]
    async fn an_answer_of_which_the_last_byte_is_not_taken_is_not_taken() {
        let open = OpenStreams::new(PATIENCE);
        let size = PIECE + 100;
        let (all, _) = serve(&open, Body::from(vec![0; size]), 10);
        all.await.unwrap_err();
        let (ended, taken) = serve(&open, Body::from(vec![0; size]), 2);
        ended.await.unwrap_err();
        assert_eq!(*taken.lock(), [PIECE, 99]);
        open.idle(Duration::ZERO).await;
    }

    #[tokio::test]
    async fn a_stream_that_has_nothing_to_say_waits_for_nobody() {
        let open = OpenStreams::new(PATIENCE);
        let quiet = Body::from_stream(futures::stream::pending::<Result<Bytes, axum::Error>>());
        let (mut quiet, _) = serve(&open, quiet, 10);
        // One that began later and is not taken has ended, so patience has passed for both.
        let (stalled, _) = serve(&open, Body::from("hello"), 1);
        stalled.await.unwrap_err();
        assert!((&mut quiet).now_or_never().is_none());
        // And a connection with such a stream is not idle.
        assert!(open.idle(Duration::ZERO).now_or_never().is_none());
    }

    #[tokio::test]
    async fn the_answers_size_is_told_and_its_place_given_back() {
        let connections = Connections::new(100, 100, Vec::new());
        let connection = connections.admit([192, 0, 2, 1].into()).unwrap();
        let served = SERVED.scope(Stream::new(), async {
            let mut body = watched(Response::new(vec![1; 1_000].into()), connection.stream().unwrap()).into_body();
            assert_eq!(HttpBody::size_hint(&body).exact(), Some(1_000));
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!((first.len(), HttpBody::size_hint(&body).exact()), (999, Some(1)));
            assert!(!HttpBody::is_end_stream(&body));
            let last = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(last.len() == 1 && HttpBody::is_end_stream(&body));
        });
        served.await;
        let all = (0..64).map(|_| connection.stream());
        assert!(all.collect::<Vec<_>>().iter().all(Option::is_some));
    }
}
