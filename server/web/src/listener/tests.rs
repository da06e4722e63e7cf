use std::time::Duration;

use axum::response::IntoResponse as _;
use axum::routing::get;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::*;

/// A server with a stream that a test feeds.
struct Served {
    address: SocketAddr,
    closing: CancellationToken,
    /// What `/stream`, or `/download`, sends.
    feed: mpsc::UnboundedSender<bytes::Bytes>,
    task: JoinHandle<()>,
}

/// An answer larger than every buffer between here and a reader.
const LARGE: usize = 64 * 1024 * 1024;

async fn serve_one_stream() -> Served {
    serve_with(Connections::new(100, 100, Vec::new())).await
}

async fn serve_with(connections: Connections) -> Served {
    serve_patiently(connections, Duration::from_millis(300), Duration::from_secs(1)).await
}

async fn serve_patiently(connections: Connections, header_timeout: Duration, write_timeout: Duration) -> Served {
    let (feed, chunks) = mpsc::unbounded_channel::<bytes::Bytes>();
    let chunks = Arc::new(parking_lot::Mutex::new(Some(chunks)));
    let closing = CancellationToken::new();
    let ends = closing.clone();
    let fed = move || {
        let chunks = chunks.lock().take().expect("one test opens one stream");
        let chunks = UnboundedReceiverStream::new(chunks).map(Ok::<_, Infallible>);
        Body::from_stream(chunks.take_until(ends.clone().cancelled_owned())).into_response()
    };
    let download = fed.clone();
    let stream = move || async move {
        let mut response = fed();
        response.extensions_mut().insert(LongLived);
        response
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/download", get(move || async move { download() }))
        .route("/stream", get(stream));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let treatment = Treatment {
        header_timeout,
        write_timeout,
        max_connections: 100,
        connections,
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
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
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

#[tokio::test]
async fn a_reader_who_takes_nothing_of_an_answer_is_let_go() {
    for path in ["/download", "/stream"] {
        let served = serve_one_stream().await;
        let mut client = TcpStream::connect(served.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        served.feed.send(vec![0; LARGE].into()).unwrap();
        // The answer's body is dropped, and its channel with it, while the client goes on holding the connection.
        served.feed.closed().await;
        drop(client);
        served.closing.cancel();
        served.task.await.unwrap();
    }
}

/// Longer than any test lasts.
const FOR_EVER: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_reader_who_is_waited_for_longest_gives_way_to_others() {
    // Fifteen strangers, of whom three may be waited for.
    let connections = Connections::new(16, 16, Vec::new());
    let served = serve_patiently(connections.clone(), FOR_EVER, FOR_EVER).await;
    let mut reader = TcpStream::connect(served.address).await.unwrap();
    reader
        .write_all(b"GET /download HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut reader, "\r\n\r\n").await;
    served.feed.send(vec![0; LARGE].into()).unwrap();
    while connections.resting() == 0 {
        tokio::task::yield_now().await;
    }
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(TcpStream::connect(served.address).await.unwrap());
    }
    served.feed.closed().await;
    served.closing.cancel();
    served.task.await.unwrap();
}

#[tokio::test]
async fn of_too_many_heads_that_are_not_whole_those_waited_for_longest_are_closed() {
    let frame_of_a_head = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x01\0\0\0\x01\x82";
    for beginning in [&b"GET / HTTP/1.1\r\nhost: x\r\nlong: "[..], frame_of_a_head] {
        let served = serve_patiently(Connections::new(16, 16, Vec::new()), FOR_EVER, FOR_EVER).await;
        let mut held = Vec::new();
        for _ in 0..5 {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            stream.write_all(beginning).await.unwrap();
            held.push(stream);
        }
        for longest in &mut held[..2] {
            let mut rest = Vec::new();
            // It ends, with or without a word.
            let _ = longest.read_to_end(&mut rest).await;
        }
        let last = held.last_mut().unwrap();
        if beginning != frame_of_a_head {
            last.write_all(b"1\r\n\r\n").await.unwrap();
            read_until(last, "hello").await;
        }
        drop(held);
        served.closing.cancel();
        served.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_of_http_2_that_is_not_taken_is_reset_and_the_others_go_on() {
    let served = serve_one_stream().await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1_000)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let request = |path: &str| {
        let request = http::Request::get(format!("http://x{path}"));
        request.body(Empty::<bytes::Bytes>::new()).unwrap()
    };
    let unread = sender.send_request(request("/download")).await.unwrap();
    served.feed.send(vec![0; 100_000].into()).unwrap();
    served.feed.closed().await;
    let answer = sender.send_request(request("/")).await.unwrap().into_body();
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "hello");
    let rest = unread.into_body().collect().await;
    assert!(rest.is_err(), "it was reset");
    drop(sender);
    served.closing.cancel();
    served.task.await.unwrap();
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_of_http_2_on_which_nothing_is_asked_is_closed() {
    let served = serve_one_stream().await;
    for asks_once in [false, true] {
        let stream = TcpStream::connect(served.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        if asks_once {
            let request = http::Request::get("http://x/")
                .body(Empty::<bytes::Bytes>::new())
                .unwrap();
            let answer = sender.send_request(request).await.unwrap().into_body();
            assert_eq!(answer.collect().await.unwrap().to_bytes(), "hello");
        }
        // The server says goodbye although the client would go on.
        connection.await.unwrap().unwrap();
        assert!(sender.is_closed());
    }
    served.closing.cancel();
    served.task.await.unwrap();
}

#[tokio::test]
async fn whoever_has_all_their_connections_is_closed_at_once_and_the_others_are_served() {
    let connections = Connections::new(100, 3, vec!["127.0.0.9/32".parse().unwrap()]);
    let served = serve_with(connections.clone()).await;
    let from = async |address: &str| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        socket.connect(served.address).await.unwrap()
    };
    let answered = async |stream: &mut TcpStream| {
        let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut bytes = [0; 12];
        asked.is_ok() && stream.read_exact(&mut bytes).await.is_ok() && &bytes == b"HTTP/1.1 200"
    };
    let mut held = Vec::new();
    for nth in 0..10 {
        let mut stream = from("127.0.0.2").await;
        assert_eq!(answered(&mut stream).await, nth < 3, "{nth}");
        held.push(stream);
    }
    assert!(answered(&mut from("127.0.0.3").await).await);
    for _ in 0..20 {
        let mut proxy = from("127.0.0.9").await;
        assert!(answered(&mut proxy).await, "a proxy carries everybody");
        held.push(proxy);
    }
    drop(held);
    // What is closed can be opened again.
    while !answered(&mut from("127.0.0.2").await).await {}
    served.closing.cancel();
    served.task.await.unwrap();
    assert_eq!(connections.total(), 0);
}

#[tokio::test]
async fn a_beginning_in_pieces_is_read_to_its_end() {
    let served = serve_one_stream().await;
    let mut client = TcpStream::connect(served.address).await.unwrap();
    client.set_nodelay(true).unwrap();
    for piece in ["P", "RI", " / HTTP/1.1\r\nhost: x\r\n\r\n"] {
        client.write_all(piece.as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
    }
    // No method is called PRI, but the request arrived whole.
    let answer = read_until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");

    let mut client = TcpStream::connect(served.address).await.unwrap();
    for piece in [
        &b"PRI * HTTP/2.0\r\n\r"[..],
        b"\nSM\r\n\r\n",
        &[0, 0, 0, 4, 0, 0, 0, 0, 0],
    ] {
        client.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut frame = [0; 9];
    client.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "the server's settings");
    drop(client);
    served.closing.cancel();
    served.task.await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_system_ends_connections_whose_peer_is_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    give_up_the_unreachable(&stream, Duration::from_secs(7));
    let patience = socket2::SockRef::from(&stream).tcp_user_timeout().unwrap();
    assert_eq!(patience, Some(Duration::from_secs(7)));
}
