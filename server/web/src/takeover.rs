//! Long-lived responses without the machinery of a connection.
//!
//! An open stream does nothing for most of its life. Inside hyper it would keep a read buffer, a write buffer and the state
//! of the connection, about 20 KiB. After an HTTP/1.1 request for a stream nothing else can come on that connection, so its
//! socket is taken out of hyper, the response's head is written by hand, and a task of a few hundred bytes writes what
//! the body yields until one side ends it.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use bitpro_limits::refused;
use http::header;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Marks a response whose body lasts.
#[derive(Debug, Clone, Copy)]
pub struct LongLived;

/// Writes `response` to `stream` until its body or the client ends it. The body is delimited by the end of the connection
/// (RFC 9112, section 6.3).
pub async fn write_out(mut stream: TcpStream, response: Response, patience: Duration) {
    let (parts, mut body) = response.into_parts();
    let head = head(&parts);
    if !write(&mut stream, &head, patience).await {
        return;
    }
    drop((head, parts));
    loop {
        let chunk = tokio::select! {
            chunk = next_chunk(&mut body) => chunk,
            () = hung_up(&stream) => return,
        };
        match chunk {
            Some(chunk) if write(&mut stream, &chunk, patience).await => {}
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

async fn write(stream: &mut TcpStream, bytes: &[u8], patience: Duration) -> bool {
    // Nearly always the socket's buffer takes it at once, and then no timer is needed.
    let written = match stream.try_write(bytes) {
        Ok(written) => written,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(_) => return false,
    };
    if written == bytes.len() {
        return true;
    }
    let rest = Box::pin(tokio::time::timeout(patience, stream.write_all(&bytes[written..])));
    match rest.await {
        Ok(written) => written.is_ok(),
        Err(_) => {
            refused("write_stalled");
            false
        }
    }
}

/// Returns when the client has closed their side. What they send instead is read and forgotten.
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
