use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;

use super::*;

/// Longer than any test takes, where it is not the patience that is looked at.
const PATIENCE: Duration = Duration::from_secs(600);
/// More than the buffers of two sockets hold between them.
const BUFFERED: usize = 64 * 1024 * 1024;

/// A server whose connections are treated one after the other by `treat`, which is told how many there were before.
struct Server {
    line: Arc<Line>,
    stop: CancellationToken,
    connections: Arc<AtomicUsize>,
}

fn serve(treat: impl Fn(usize, &mut TcpStream) + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&connections);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let before = counting.fetch_add(1, Ordering::SeqCst);
            treat(before, &mut stream.unwrap());
        }
    });
    let stop = CancellationToken::new();
    Server {
        line: Arc::new(Line::new(server, 100_000, stop.clone())),
        stop,
        connections,
    }
}

/// Reads a request's head; these requests have no body. `false` when the other side has gone.
fn read_request(stream: &mut TcpStream) -> bool {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}

/// Answers with `bytes` and hangs up.
fn once(bytes: impl Into<Vec<u8>>) -> impl Fn(usize, &mut TcpStream) + Send + 'static {
    let bytes = bytes.into();
    move |_, stream| {
        read_request(stream);
        stream.write_all(&bytes).unwrap();
    }
}

/// Sends `beginning` and then `piece` for as long as somebody reads.
fn without_end(beginning: &'static [u8], piece: Vec<u8>, sent: Arc<AtomicUsize>) -> Server {
    serve(move |_, stream| {
        read_request(stream);
        let _ = stream.write_all(beginning);
        while stream.write_all(&piece).is_ok() {
            sent.fetch_add(piece.len(), Ordering::SeqCst);
        }
    })
}

fn ask(server: &Server, patience: Duration) -> Result<Response<Vec<u8>>, Silence> {
    let request = Request::get("/").body(Full::new(Bytes::new())).unwrap();
    server.line.ask(request, patience)
}

fn body(server: &Server) -> Vec<u8> {
    ask(server, PATIENCE).unwrap().into_body()
}

const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn an_answer_that_ends_within_its_head_is_an_error_and_the_next_is_heard() {
    for cut in [
        "",
        "H",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Ty",
        "HTTP/1.1 200 OK\r\nA: b\r\n",
    ] {
        let server = serve(move |before, stream| {
            read_request(stream);
            let answer = if before == 0 { cut.as_bytes() } else { WHOLE };
            stream.write_all(answer).unwrap();
        });
        let silence = ask(&server, PATIENCE).unwrap_err();
        assert!(matches!(silence, Silence::HungUp(_)), "{cut:?}: {silence:?}");
        assert_eq!(body(&server), b"ok", "{cut:?}");
    }
}

#[test]
fn a_body_that_is_cut_off_is_no_answer() {
    for cut in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    ] {
        let silence = ask(&serve(once(cut)), PATIENCE).unwrap_err();
        assert!(matches!(silence, Silence::Broken(_)), "{cut:?}: {silence:?}");
    }
}

#[test]
fn nothing_without_end_is_read_on() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000);
    for (what, beginning, piece) in [
        ("status line", &b"HTTP/1.1 200 "[..], vec![b'b'; 100_000]),
        ("header", b"HTTP/1.1 200 OK\r\nA: ", vec![b'b'; 100_000]),
        ("headers", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n".repeat(10_000)),
        ("interim answers", b"", interim),
        (
            "body by length",
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
            vec![b' '; 100_000],
        ),
        ("body to the end", b"HTTP/1.1 200 OK\r\n\r\n", vec![b' '; 100_000]),
        (
            "pieces",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1\r\n \r\n".repeat(10_000),
        ),
        (
            "a piece's mark",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
            vec![b'x'; 100_000],
        ),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let server = without_end(beginning, piece, Arc::clone(&sent));
        let silence = ask(&server, PATIENCE).unwrap_err();
        assert!(
            matches!(silence, Silence::Strange(_) | Silence::Broken(_)),
            "{what}: {silence:?}"
        );
        assert!(sent.load(Ordering::SeqCst) < BUFFERED, "{what}");
    }
}

#[test]
fn an_answer_that_drips_is_heard_until_the_deadline_of_the_whole() {
    let server = serve(|_, stream| {
        read_request(stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let patience = Duration::from_millis(200);
    assert_eq!(ask(&server, patience).unwrap_err(), Silence::Slow(patience));
}

#[test]
fn answers_by_length_and_in_pieces_come_on_one_connection() {
    let server = serve(|_, stream| {
        while read_request(stream) {
            stream.write_all(WHOLE).unwrap();
            if !read_request(stream) {
                return;
            }
            let pieces = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\npie\r\n3\r\nces\r\n0\r\n\r\n";
            stream.write_all(pieces).unwrap();
        }
    });
    for _ in 0..3 {
        assert_eq!(body(&server), b"ok");
        assert_eq!(body(&server), b"pieces");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_kept_connection_that_is_gone_is_made_anew_once() {
    let server = serve(|_, stream| {
        read_request(stream);
        stream.write_all(WHOLE).unwrap();
        // The next request is read, and met by silence.
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        read_request(stream);
    });
    for asked in 1..=5 {
        assert_eq!(body(&server), b"ok");
        assert_eq!(server.connections.load(Ordering::SeqCst), asked);
    }
    let never = serve(|before, stream| {
        read_request(stream);
        if before == 0 {
            stream.write_all(WHOLE).unwrap();
        }
    });
    assert_eq!(body(&never), b"ok");
    assert!(matches!(ask(&never, PATIENCE), Err(Silence::HungUp(_))));
    assert_eq!(never.connections.load(Ordering::SeqCst), 2);
}

#[test]
fn a_kept_connection_that_has_ended_keeps_nobody_waiting() {
    let (answered, is_answered) = std::sync::mpsc::channel();
    let (ends, ended) = std::sync::mpsc::channel();
    let server = serve(move |_, stream| {
        read_request(stream);
        stream.write_all(WHOLE).unwrap();
        // Not before the connection is kept.
        is_answered.recv().unwrap();
        stream.shutdown(std::net::Shutdown::Both).unwrap();
        ends.send(()).unwrap();
    });
    for asked in 1..=5 {
        assert_eq!(body(&server), b"ok");
        assert_eq!(server.connections.load(Ordering::SeqCst), asked);
        answered.send(()).unwrap();
        ended.recv().unwrap();
    }
}

#[test]
fn what_is_asked_is_broken_off_when_it_is_time_to_stop() {
    let (asked, is_asked) = std::sync::mpsc::channel();
    let server = serve(move |_, stream| {
        read_request(stream);
        asked.send(()).unwrap();
        let _ = stream.read(&mut [0]);
    });
    let line = Arc::clone(&server.line);
    let asking: JoinHandle<_> = std::thread::spawn(move || {
        let request = Request::get("/").body(Full::new(Bytes::new())).unwrap();
        line.ask(request, PATIENCE)
    });
    is_asked.recv().unwrap();
    server.stop.cancel();
    assert_eq!(asking.join().unwrap().unwrap_err(), Silence::Stopped);
    assert_eq!(ask(&server, PATIENCE).unwrap_err(), Silence::Stopped);
}

#[tokio::test]
async fn a_line_may_be_dropped_where_nothing_may_block() {
    let server = serve(once(WHOLE));
    let line = Arc::clone(&server.line);
    let asking = tokio::task::spawn_blocking(move || {
        let request = Request::get("/").body(Full::new(Bytes::new())).unwrap();
        line.ask(request, PATIENCE).unwrap();
    });
    asking.await.unwrap();
    drop(server);
}
