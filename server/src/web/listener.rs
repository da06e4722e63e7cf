//! Accepting connections and serving them until the end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::Version;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::Peer;
use super::takeover::{self, LongLived, Socket};

/// How the listener treats its clients.
#[derive(Debug, Clone, Copy)]
pub struct Treatment {
    /// For the head of a request to come in, also between two requests.
    pub header_timeout: Duration,
    /// Connections at once; more wait in the system's queue.
    pub max_connections: usize,
    /// How long connections may go on after `closing`.
    pub grace: Duration,
}

/// The most that the head of a request may be, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// After an error of `accept` that concerns us and not one client, such as too many open files.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `closing` is cancelled; returns when every connection has ended, or when the grace
/// is over.
pub async fn serve(listener: TcpListener, router: Router, treatment: Treatment, closing: CancellationToken) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(treatment.max_connections));
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit.expect("the semaphore is never closed"),
            () = closing.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = Connection {
                    router: router.clone(),
                    peer,
                    closing: closing.clone(),
                    streams: connections.clone(),
                    permit: Arc::new(permit),
                };
                connections.spawn(connection.run(stream, treatment));
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
        tracing::warn!(open = connections.len(), "connections were cut at the end of the grace");
    }
}

fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct Connection {
    router: Router,
    peer: SocketAddr,
    closing: CancellationToken,
    streams: TaskTracker,
    permit: Arc<OwnedSemaphorePermit>,
}

impl Connection {
    async fn run(self, stream: TcpStream, treatment: Treatment) {
        // Events are small and must not wait for more of them.
        let _ = stream.set_nodelay(true);
        let protocol = tokio::select! {
            found = tokio::time::timeout(treatment.header_timeout, protocol(&stream)) => found,
            () = self.closing.cancelled() => return,
        };
        let Ok(Some(protocol)) = protocol else {
            return;
        };
        let socket = Socket::new(stream);
        let taken = Arc::new(Notify::new());
        let service = {
            let socket = socket.clone();
            let taken = Arc::clone(&taken);
            let (router, peer) = (self.router, self.peer);
            let (streams, permit) = (self.streams, self.permit);
            service_fn(move |request: Request<Incoming>| {
                let version = request.version();
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(Peer(peer));
                let answer = router.clone().call(request);
                let socket = socket.clone();
                let taken = Arc::clone(&taken);
                let (streams, permit) = (streams.clone(), Arc::clone(&permit));
                async move {
                    let response: Response = answer.await?;
                    if version != Version::HTTP_11 || response.extensions().get::<LongLived>().is_none() {
                        return Ok::<_, Infallible>(response);
                    }
                    if let Some(stream) = socket.take() {
                        streams.spawn(async move {
                            takeover::write_out(stream, response).await;
                            drop(permit);
                        });
                    }
                    taken.notify_one();
                    // Whoever waits for this answer is dropped with the connection.
                    std::future::pending().await
                }
            })
        };
        let io = TokioIo::new(socket);
        // The two kinds of connection have no trait in common, and the same few words are said to both.
        macro_rules! until_closed {
            ($serving:expr) => {{
                let mut serving = std::pin::pin!($serving);
                tokio::select! {
                    // An error here is the client's: a broken request, a cut line.
                    _ = serving.as_mut() => return,
                    () = taken.notified() => return,
                    () = self.closing.cancelled() => serving.as_mut().graceful_shutdown(),
                }
                tokio::select! {
                    _ = serving.as_mut() => {}
                    () = taken.notified() => {}
                }
            }};
        }
        match protocol {
            Protocol::Http1 => until_closed!(
                http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(treatment.header_timeout)
                    .max_buf_size(MAX_HEAD)
                    .serve_connection(io, service)
            ),
            Protocol::Http2 => until_closed!(
                http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .keep_alive_interval(Duration::from_secs(30))
                    .keep_alive_timeout(Duration::from_secs(10))
                    .max_concurrent_streams(128)
                    .max_header_list_size(16 * 1024)
                    .serve_connection(io, service)
            ),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// The first bytes of HTTP/2 without TLS (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How often an unfinished beginning is looked at again; the socket would report it as readable all the while.
const PAUSE_BEFORE_NEXT_LOOK: Duration = Duration::from_millis(5);

/// Looks at what the client begins with. `None` when he hangs up.
async fn protocol(stream: &TcpStream) -> Option<Protocol> {
    let mut beginning = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut beginning).await.ok()? {
            0 => return None,
            read if beginning[..read] != PREFACE[..read] => return Some(Protocol::Http1),
            read if read == PREFACE.len() => return Some(Protocol::Http2),
            _ => tokio::time::sleep(PAUSE_BEFORE_NEXT_LOOK).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::IntoResponse as _;
    use axum::routing::get;
    use futures::StreamExt as _;
    use http_body_util::{BodyExt as _, Empty};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;
    use tokio_stream::wrappers::UnboundedReceiverStream;

    use super::*;

    /// A server with a stream that a test feeds.
    struct Served {
        address: SocketAddr,
        closing: CancellationToken,
        feed: mpsc::UnboundedSender<bytes::Bytes>,
        task: JoinHandle<()>,
    }

    async fn serve_one_stream() -> Served {
        let (feed, chunks) = mpsc::unbounded_channel::<bytes::Bytes>();
        let chunks = Arc::new(parking_lot::Mutex::new(Some(chunks)));
        let closing = CancellationToken::new();
        let ends = closing.clone();
        let stream = move || async move {
            let chunks = chunks.lock().take().expect("one test opens one stream");
            let chunks = UnboundedReceiverStream::new(chunks).map(Ok::<_, Infallible>);
            let mut response = Body::from_stream(chunks.take_until(ends.cancelled_owned())).into_response();
            response.extensions_mut().insert(LongLived);
            response
        };
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/stream", get(stream));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let treatment = Treatment {
            header_timeout: Duration::from_millis(300),
            max_connections: 100,
            grace: Duration::from_secs(5),
        };
        let task = tokio::spawn(serve(listener, router, treatment, closing.clone()));
        Served {
            address,
            closing,
            feed,
            task,
        }
    }

    /// Reads until `end` has come.
    async fn read_until(stream: &mut TcpStream, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let mut bytes = [0; 1024];
            let read = stream.read(&mut bytes).await.unwrap();
            assert!(read > 0, "the connection ended after {text:?}");
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        text
    }

    #[tokio::test]
    async fn a_stream_leaves_hyper_and_goes_on_even_on_a_connection_that_was_used_before() {
        let served = serve_one_stream().await;
        let mut client = TcpStream::connect(served.address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        read_until(&mut client, "hello").await;
        client
            .write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let head = read_until(&mut client, "\r\n\r\n").await;
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("connection: close"),
            "{head}"
        );
        assert!(!head.contains("transfer-encoding"), "{head}");
        for chunk in ["one\n", "two\n"] {
            served.feed.send(chunk.into()).unwrap();
            assert_eq!(read_until(&mut client, "\n").await, chunk);
        }
        served.closing.cancel();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
        served.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_ends_his_stream() {
        let served = serve_one_stream().await;
        let mut client = TcpStream::connect(served.address).await.unwrap();
        client
            .write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        read_until(&mut client, "\r\n\r\n").await;
        drop(client);
        // The body is dropped, and its channel with it.
        served.feed.closed().await;
        served.closing.cancel();
        served.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_stream_is_read_over_http_2_as_well() {
        let served = serve_one_stream().await;
        let stream = TcpStream::connect(served.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::get("http://x/stream")
            .body(Empty::<bytes::Bytes>::new())
            .unwrap();
        let mut body = sender.send_request(request).await.unwrap().into_body();
        served.feed.send("one\n".into()).unwrap();
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&frame[..], b"one\n");
        served.closing.cancel();
        assert!(body.collect().await.unwrap().to_bytes().is_empty());
        drop(sender);
        served.task.await.unwrap();
        connection.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn whoever_does_not_say_what_he_wants_is_let_go() {
        let served = serve_one_stream().await;
        for beginning in ["", "PRI * HT", "GET / HTTP/1.1\r\nhost"] {
            let mut client = TcpStream::connect(served.address).await.unwrap();
            client.write_all(beginning.as_bytes()).await.unwrap();
            let mut rest = Vec::new();
            // What is said in farewell does not matter, only that it ends.
            let _ = client.read_to_end(&mut rest).await;
        }
        let mut idle = TcpStream::connect(served.address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        read_until(&mut idle, "hello").await;
        let mut rest = Vec::new();
        let _ = idle.read_to_end(&mut rest).await;
        served.closing.cancel();
        served.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_closing_server_finishes_what_it_was_asked() {
        let served = serve_one_stream().await;
        let mut client = TcpStream::connect(served.address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        read_until(&mut client, "hello").await;
        served.closing.cancel();
        served.task.await.unwrap();
        assert!(TcpStream::connect(served.address).await.is_err());
    }
}
