//! Accepting connections and serving them until the end.
//!
//! Whoever is slow on purpose is let go, for a connection costs memory and a file: a head that does not come, an answer that is
//! not taken, a connection on which nothing is asked, a peer that is not there any more. And whoever comes too often is closed
//! at once, so that one address cannot hold what all others need.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bitpro_limits::{ConnectionPermit, Connections};
use http::{HeaderValue, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::Peer;
use super::patience::{self, OpenStreams};
use super::resting::{Resting, Work};
use super::socket::{Protocol, Socket};
use super::takeover::{self, LongLived};

/// How the listener treats its clients.
#[derive(Debug, Clone)]
pub struct Treatment {
    /// For the head of a request to come in, also between two requests, and for a connection to be idle.
    pub header_timeout: Duration,
    /// For a client to take what is written.
    pub write_timeout: Duration,
    /// Connections at once; more wait in the system's queue.
    pub max_connections: usize,
    /// Who may have how many of them.
    pub connections: Connections,
    /// How long connections may go on after `closing`.
    pub grace: Duration,
}

/// HTTP/2 streams at once on one connection of a trusted proxy, which carries many clients.
pub(crate) const HTTP2_STREAMS_OF_PROXY: u32 = 128;
/// The same on a stranger's connection.
pub(crate) const HTTP2_STREAMS_PER_CONNECTION: u32 = 16;
/// The most that hyper reads of a head before it gives up, in bytes; `edge` refuses whatever is over its own limit.
const MAX_HEAD_BUFFER: usize = 16 * 1024;
/// The same for HTTP/2, counted as RFC 9113 does.
pub(crate) const HTTP2_HEAD_BYTES: u32 = 16 * 1024;
/// What the system holds of answers that are on their way, in bytes: enough for the page and its script at once.
const SEND_BUFFER: usize = 128 * 1024;
/// For the head of a request when strangers hold nearly all connections that they may.
const HURRIED: Duration = Duration::from_secs(2);
/// After an error of `accept` that concerns us and not one client, such as too many open files.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `closing` is cancelled; returns when every connection has ended, or when the grace
/// is over.
pub async fn serve(listener: TcpListener, router: Router, treatment: Treatment, closing: CancellationToken) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(treatment.max_connections));
    loop {
        let room = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit.expect("the semaphore is never closed"),
            () = closing.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Whoever has too many is closed without a word: an answer would have to wait for the question.
                let Some(permit) = treatment.connections.admit(peer.ip()) else {
                    continue;
                };
                let connection = Connection {
                    router: router.clone(),
                    peer,
                    closing: closing.clone(),
                    streams: connections.clone(),
                    place: Arc::new(Place {
                        permit: Arc::new(permit),
                        _room: room,
                    }),
                };
                connections.spawn(connection.run(stream, treatment.clone()));
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(treatment.grace, connections.wait()).await.is_err() {
        tracing::warn!(
            open = connections.len(),
            "closed the remaining connections at the end of the grace period"
        );
    }
}

fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The place of one connection, among all and among those of its address.
struct Place {
    permit: Arc<ConnectionPermit>,
    _room: OwnedSemaphorePermit,
}

struct Connection {
    router: Router,
    peer: SocketAddr,
    closing: CancellationToken,
    streams: TaskTracker,
    place: Arc<Place>,
}

impl Connection {
    async fn run(self, stream: TcpStream, treatment: Treatment) {
        // Events are small and must not wait for more of them.
        let _ = stream.set_nodelay(true);
        // By itself the system takes megabytes of answers that nobody reads, for each connection.
        if let Err(error) = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER) {
            tracing::debug!(%error, "a connection has the system's own buffer");
        }
        // Later than we give up a reader who is there and takes nothing, who is counted.
        give_up_the_unreachable(&stream, treatment.write_timeout * 3);
        let header_timeout = if treatment.connections.is_tight() && !self.place.permit.is_trusted() {
            treatment.header_timeout.min(HURRIED)
        } else {
            treatment.header_timeout
        };
        let permit = Arc::clone(&self.place.permit);
        let socket = Socket::new(stream, treatment.write_timeout, Arc::clone(&permit) as Arc<dyn Resting>);
        let work = Work::none(&*permit);
        let asked_before = work.clone();
        let protocol = tokio::select! {
            found = tokio::time::timeout(header_timeout, socket.protocol()) => found,
            () = self.closing.cancelled() => return,
            () = permit.gives_way().cancelled() => return,
        };
        let Ok(Some(protocol)) = protocol else {
            return;
        };
        // What HTTP/2 keeps for one connection is several times as much: the fields of a head that is not whole, and windows.
        let _http2 = match protocol {
            Protocol::Http1 => None,
            Protocol::Http2 => match permit.speaks_http2() {
                Some(place) => Some(place),
                None => return,
            },
        };
        let streams_at_once = if self.place.permit.is_trusted() {
            HTTP2_STREAMS_OF_PROXY
        } else {
            HTTP2_STREAMS_PER_CONNECTION
        };
        let taken = Arc::new(Notify::new());
        let service = {
            let socket = socket.clone();
            let taken = Arc::clone(&taken);
            let (router, peer) = (self.router, self.peer);
            let (streams, place) = (self.streams, self.place);
            service_fn(move |request: Request<Incoming>| {
                let version = request.version();
                let asked = work.begin(Arc::clone(&place.permit) as Arc<dyn Resting>);
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(Peer(peer));
                let http2 = (version == Version::HTTP_2).then(|| place.permit.stream());
                let answer = router.clone().call(request);
                let socket = socket.clone();
                let taken = Arc::clone(&taken);
                let (streams, place) = (streams.clone(), Arc::clone(&place));
                async move {
                    if let Some(permit) = http2 {
                        let Some(permit) = permit else {
                            return Ok(too_many_streams());
                        };
                        return Ok(asked.answered(patience::watched(answer.await?, permit)));
                    }
                    let response: Response = answer.await?;
                    if version != Version::HTTP_11 || response.extensions().get::<LongLived>().is_none() {
                        return Ok::<_, Infallible>(asked.answered(response));
                    }
                    if let Some(stream) = socket.take() {
                        streams.spawn(async move {
                            // A live stream is work for as long as it lives.
                            let _asked = asked;
                            takeover::write_out(stream, response, treatment.write_timeout).await;
                            drop(place);
                        });
                    }
                    taken.notify_one();
                    // Whoever waits for this answer is dropped with the connection.
                    std::future::pending().await
                }
            })
        };
        let io = TokioIo::new(socket);
        let open = OpenStreams::new(treatment.write_timeout);
        // The two kinds of connection have no trait in common, and the same few words are said to both.
        macro_rules! until_closed {
            ($serving:expr, $idle:expr, $farewell:expr) => {{
                let mut serving = std::pin::pin!($serving);
                let farewell = tokio::select! {
                    // An error here is the client's: a broken request, a cut line.
                    _ = serving.as_mut() => return,
                    () = taken.notified() => return,
                    () = permit.gives_way().cancelled() => match asked_before.was_asked() {
                        false => return,
                        true => Some(HURRIED),
                    },
                    () = self.closing.cancelled() => None,
                    () = $idle => Some($farewell),
                };
                serving.as_mut().graceful_shutdown();
                let ended = async {
                    tokio::select! {
                        _ = serving.as_mut() => {}
                        () = taken.notified() => {}
                    }
                };
                match farewell {
                    None => ended.await,
                    Some(farewell) => tokio::time::timeout(farewell, ended).await.unwrap_or_default(),
                }
            }};
        }
        match protocol {
            Protocol::Http1 => until_closed!(
                http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(header_timeout)
                    .max_buf_size(MAX_HEAD_BUFFER)
                    .serve_connection(io, service),
                std::future::pending::<()>(),
                Duration::ZERO
            ),
            Protocol::Http2 => until_closed!(
                http2::Builder::new(open.clone())
                    .timer(TokioTimer::new())
                    .keep_alive_interval(Duration::from_secs(30))
                    .keep_alive_timeout(Duration::from_secs(10))
                    .max_concurrent_streams(streams_at_once)
                    .max_header_list_size(HTTP2_HEAD_BYTES)
                    .serve_connection(io, service),
                open.idle(header_timeout),
                header_timeout
            ),
        }
    }
}

/// Has the system end a connection whose peer has acknowledged nothing of what was sent for so long: a machine that lost its
/// network says no farewell, and a stream to it would stay for a quarter of an hour.
fn give_up_the_unreachable(stream: &TcpStream, after: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(after)) {
        tracing::debug!(%error, "a connection has the system's own patience");
    }
}

fn too_many_streams() -> Response {
    let retry = [(header::RETRY_AFTER, HeaderValue::from_static("10"))];
    (StatusCode::TOO_MANY_REQUESTS, retry).into_response()
}

#[cfg(test)]
mod tests;
