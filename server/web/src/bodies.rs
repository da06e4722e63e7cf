//! Bodies of requests that are still to come, of everybody together.
//!
//! What has come of a body is held until it is whole, so whoever sends many of them slowly makes the server hold them all. There
//! are so many at once, and when one more begins, the one that has been waited for longest gives way: a body that comes as fast as
//! lines are is never that one.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use bitpro_limits::refused;
use bytes::Bytes;
use futures::StreamExt as _;
use hyper::body::Body as _;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// So many are waited for at once.
pub(crate) const MOST_BODIES: usize = 1_024;

/// Those that are waited for. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Bodies(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    open: BTreeMap<u64, CancellationToken>,
}

/// The place of one body, given back when it is dropped.
#[derive(Debug)]
struct Place {
    bodies: Bodies,
    nth: u64,
    gives_way: CancellationToken,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.bodies.0.lock().open.remove(&self.nth);
    }
}

impl Bodies {
    /// Gives the body of a request a place, if there is more of it to come; and what tells that it had to give way.
    pub fn admit(&self, request: Request) -> (Request, Option<CancellationToken>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let place = self.enter();
        let gives_way = place.gives_way.clone();
        let request = request.map(|body| {
            let waiting = Some((body.into_data_stream(), place));
            Body::from_stream(futures::stream::unfold(waiting, next))
        });
        (request, Some(gives_way))
    }

    fn enter(&self) -> Place {
        let gives_way = CancellationToken::new();
        let mut waiting = self.0.lock();
        if waiting.open.len() >= MOST_BODIES
            && let Some((_, longest)) = waiting.open.pop_first()
        {
            refused("request_bodies");
            longest.cancel();
        }
        let nth = waiting.next;
        waiting.next += 1;
        waiting.open.insert(nth, gives_way.clone());
        drop(waiting);
        Place {
            bodies: self.clone(),
            nth,
            gives_way,
        }
    }
}

type Rest = Option<(BodyDataStream, Place)>;

/// The next piece of a body; the place goes with its end.
async fn next(rest: Rest) -> Option<(io::Result<Bytes>, Rest)> {
    let (mut body, place) = rest?;
    let gives_way = place.gives_way.clone();
    tokio::select! {
        biased;
        () = gives_way.cancelled() => Some((Err(io::Error::other("it gave way to others")), None)),
        piece = body.next() => match piece? {
            Ok(bytes) => Some((Ok(bytes), Some((body, place)))),
            Err(error) => Some((Err(io::Error::other(error)), None)),
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures::stream;

    use super::*;

    fn request(body: Body) -> Request {
        Request::new(body)
    }

    fn slow() -> Request {
        let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"a="))]);
        request(Body::from_stream(first.chain(stream::pending())))
    }

    #[tokio::test]
    async fn of_too_many_bodies_the_one_that_is_waited_for_longest_gives_way() {
        let bodies = Bodies::default();
        let mut waiting: Vec<_> = (0..MOST_BODIES).map(|_| bodies.admit(slow())).collect();
        assert!(
            waiting
                .iter()
                .all(|(_, gave_way)| gave_way.as_ref().is_some_and(|way| !way.is_cancelled()))
        );
        let (whole, gave_way) = bodies.admit(request(Body::from("a=1")));
        assert_eq!(to_bytes(whole.into_body(), 100).await.unwrap(), "a=1");
        assert!(!gave_way.unwrap().is_cancelled());
        let (longest, gave_way) = waiting.remove(0);
        assert!(gave_way.unwrap().is_cancelled());
        assert!(to_bytes(longest.into_body(), 100).await.is_err(), "half a form is none");
        assert!(
            waiting
                .iter()
                .all(|(_, gave_way)| !gave_way.as_ref().unwrap().is_cancelled())
        );
        drop(waiting);
        assert!(bodies.0.lock().open.is_empty());
    }

    #[test]
    fn a_request_without_a_body_takes_no_place() {
        let bodies = Bodies::default();
        let (_request, gave_way) = bodies.admit(request(Body::empty()));
        assert!(gave_way.is_none() && bodies.0.lock().open.is_empty());
    }
}
