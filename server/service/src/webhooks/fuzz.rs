//! What a receiver of webhooks answers, byte by byte: whoever adds a webhook chooses who that is.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bitpro_base::fuzzing::{Memory, Target, assert_fit_to_show};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::FailureKind;
use super::client::{EXCERPT, TIMEOUT, answered};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[Target::new(
    "webhook-answer",
    8_000,
    &[
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 410 Gone\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n",
        "HTTP/1.1 204 No Content\r\n",
        "HTTP/2.0",
        " 999 ",
        "content-length: ",
        "18446744073709551615",
        "transfer-encoding: chunked\r\n",
        "connection: upgrade\r\n",
        "location: http://127.0.0.1/\r\n",
        "\r\n",
        "\r\n\r\n",
        "ffffffffffffffff\r\n",
        "0\r\n\r\n",
        "a;b=c\r\n",
        "x: y\r\n",
        "\u{202e}",
    ],
    webhook_answer,
)
.within(Memory {
    // A runtime, and the longest head that the client of HTTP holds.
    base: 2 * 1024 * 1024,
    per_byte: 64,
    times: 16,
})];

/// A status stands in the answer, what is kept of a body is short and can be shown, and one answer is all that is asked for.
fn webhook_answer(input: &[u8]) {
    let receiver = Receiver {
        answer: Bytes::copy_from_slice(input),
        connections: Arc::default(),
    };
    let connections = Arc::clone(&receiver.connections);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let came = runtime.expect("a runtime").block_on(async move {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(receiver);
        let request = Request::post("http://shop.example/hook").body(Full::new(Bytes::from_static(b"{}")));
        answered(&http, request.expect("a request of our own"), TIMEOUT).await
    });
    assert_eq!(
        connections.load(Ordering::Relaxed),
        1,
        "nothing is asked for twice, or elsewhere"
    );
    match came.outcome {
        Ok(status) => {
            let written = format!(" {status:03}");
            let is_said =
                |line: &[u8]| [&b"HTTP/1.0"[..], b"HTTP/1.1"].contains(&&line[..8]) && &line[8..] == written.as_bytes();
            assert!(input.windows(12).any(is_said), "nobody said {status}");
            if [204, 304].contains(&status) {
                assert_eq!(came.excerpt, None, "{status} has no body");
            }
        }
        Err(failure) => {
            // The connection was there, and not slow: what is wrong can only be the answer.
            let kinds = [FailureKind::Unreadable, FailureKind::BrokenOff];
            assert!(kinds.contains(&failure.kind), "{failure}");
            assert_fit_to_show(&failure.to_string());
            assert_eq!(came.excerpt, None);
        }
    }
    if let Some(excerpt) = came.excerpt {
        assert!(
            (1..=EXCERPT).contains(&excerpt.len()),
            "{} bytes are kept",
            excerpt.len()
        );
        assert!(!excerpt.chars().any(|c| c.is_control() && c != '\n'), "{excerpt:?}");
    }
}

/// Answers every request with the same bytes, and hangs up.
#[derive(Clone)]
struct Receiver {
    answer: Bytes,
    connections: Arc<AtomicUsize>,
}

impl tower::Service<Uri> for Receiver {
    type Response = TokioIo<Answering>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        self.connections.fetch_add(1, Ordering::Relaxed);
        ready(Ok(TokioIo::new(Answering {
            left: self.answer.clone(),
            was_asked: false,
            waits: None,
        })))
    }
}

/// A connection whose other end answers when it was asked something.
struct Answering {
    left: Bytes,
    was_asked: bool,
    waits: Option<Waker>,
}

impl Connection for Answering {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Answering {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.was_asked {
            self.waits = Some(context.waker().clone());
            return Poll::Pending;
        }
        let length = into.remaining().min(self.left.len());
        into.put_slice(&self.left.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Answering {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, written: &[u8]) -> Poll<io::Result<usize>> {
        self.was_asked = true;
        if let Some(reader) = self.waits.take() {
            reader.wake();
        }
        Poll::Ready(Ok(written.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
