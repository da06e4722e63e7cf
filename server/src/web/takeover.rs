//! Long-lived responses without the machinery of a connection.
//!
//! An open stream does nothing for most of its life. Inside hyper it would keep a read buffer, a write buffer and the state
//! of the connection, about 20 KiB. After an HTTP/1.1 request for a stream nothing else can come on that connection, so its
//! socket is taken out of hyper, the response's head is written by hand, and a task of a few hundred bytes writes what
//! the body yields until one side ends it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use http::header;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

/// Marks a response whose body lasts.
#[derive(Debug, Clone, Copy)]
pub struct LongLived;

/// How long a reader may take none of what is written before it is given up.
const STALLED: Duration = Duration::from_secs(30);

/// A socket that can be taken away from whoever uses it; it is broken for him then.
#[derive(Debug, Clone)]
pub struct Socket(Arc<Mutex<Option<TcpStream>>>);

impl Socket {
    pub fn new(stream: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    pub fn take(&self) -> Option<TcpStream> {
        self.0.lock().take()
    }

    fn with<T>(&self, act: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match self.0.lock().as_mut() {
            Some(stream) => act(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }
}

/// Writes `response` to `stream` until its body or the client ends it. The body is delimited by the end of the connection
/// (RFC 9112, section 6.3).
pub async fn write_out(mut stream: TcpStream, response: Response) {
    let (parts, mut body) = response.into_parts();
    let head = head(&parts);
    if !write(&mut stream, &head).await {
        return;
    }
    drop((head, parts));
    loop {
        let chunk = tokio::select! {
            chunk = next_chunk(&mut body) => chunk,
            () = hung_up(&stream) => return,
        };
        match chunk {
            Some(chunk) if write(&mut stream, &chunk).await => {}
            Some(_) => return,
            None => break,
        }
    }
    // The client may have gone first, and then there is nobody to say goodbye to.
    let _ = stream.shutdown().await;
}

fn head(parts: &http::response::Parts) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(header::CONNECTION.as_str().as_bytes());
    head.extend_from_slice(b": close\r\n\r\n");
    head
}

async fn next_chunk(body: &mut Body) -> Option<bytes::Bytes> {
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
        // Trailers have no place in a body that ends with the connection.
        if let Ok(chunk) = frame.ok()?.into_data() {
            return Some(chunk);
        }
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    // Nearly always the socket's buffer takes it at once, and then no timer is needed.
    let written = match stream.try_write(bytes) {
        Ok(written) => written,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(_) => return false,
    };
    if written == bytes.len() {
        return true;
    }
    let rest = Box::pin(tokio::time::timeout(STALLED, stream.write_all(&bytes[written..])));
    matches!(rest.await, Ok(Ok(())))
}

/// Returns when the client has closed his side. What he sends instead is read and forgotten.
async fn hung_up(stream: &TcpStream) {
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        let mut scrap = [0; 256];
        match stream.try_read(&mut scrap) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
