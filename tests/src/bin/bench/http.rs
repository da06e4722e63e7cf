//! A bare HTTP/1.1 client on a connection that stays open: nothing between the measurement and the socket.

use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stopwatch::now;

/// What a browser says when a person follows a link.
pub const NAVIGATION: &str = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";

/// How much of an unexpected answer is shown.
const SHOWN: usize = 160;

/// A connection to a server on this machine.
pub struct Connection {
    stream: TcpStream,
    port: u16,
    received: Vec<u8>,
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body, without the transfer's own framing.
    pub body: Vec<u8>,
    /// All bytes of the answer as they came over the wire.
    pub wire_bytes: usize,
}

impl Connection {
    /// Connects to `port` of this machine.
    pub async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            port,
            received: Vec::with_capacity(16 * 1024),
        })
    }

    /// Asks for `path`; `headers` are whole lines.
    pub async fn get(&mut self, path: &str, headers: &str) -> Result<Answer> {
        self.ask(path, headers).await?;
        self.answer().await.with_context(|| format!("GET {path}"))
    }

    /// Asks for a stream of events and waits for its first one.
    pub async fn into_events(mut self, path: &str) -> Result<EventSocket> {
        self.ask(path, "Accept: text/event-stream\r\n").await?;
        let mut events = EventSocket {
            stream: self.stream,
            received: self.received,
        };
        events.first().await.with_context(|| format!("the stream {path}"))?;
        Ok(events)
    }

    /// Sends a whole request, and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.answer().await
    }

    async fn ask(&mut self, path: &str, headers: &str) -> Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n{headers}\r\n", self.port);
        Ok(self.stream.write_all(request.as_bytes()).await?)
    }

    async fn answer(&mut self) -> Result<Answer> {
        self.received.clear();
        let head_end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            self.read().await?;
        };
        let head = String::from_utf8(self.received[..head_end].to_vec())?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .context("an answer without a status")?;
        let body = match header(&head, "content-length") {
            Some(length) => {
                let end = head_end + length.parse::<usize>()?;
                while self.received.len() < end {
                    self.read().await?;
                }
                self.received[head_end..end].to_vec()
            }
            None if header(&head, "transfer-encoding") == Some("chunked") => self.chunks(head_end).await?,
            None => Vec::new(),
        };
        Ok(Answer {
            status,
            head,
            body,
            wire_bytes: self.received.len(),
        })
    }

    async fn chunks(&mut self, mut at: usize) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size_end = loop {
                if let Some(end) = find(&self.received[at..], b"\r\n") {
                    break at + end;
                }
                self.read().await?;
            };
            let size = usize::from_str_radix(std::str::from_utf8(&self.received[at..size_end])?.trim(), 16)?;
            let next = size_end + 2 + size + 2;
            while self.received.len() < next {
                self.read().await?;
            }
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&self.received[size_end + 2..size_end + 2 + size]);
            at = next;
        }
    }

    async fn read(&mut self) -> Result<()> {
        ensure!(
            self.stream.read_buf(&mut self.received).await? > 0,
            "the server closed the connection"
        );
        Ok(())
    }
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    /// The same, if the status is `status`.
    ///
    /// # Errors
    /// When it is another.
    pub fn expect(self, status: u16) -> Result<Self> {
        let said: String = String::from_utf8_lossy(&self.body).chars().take(SHOWN).collect();
        ensure!(self.status == status, "{} instead of {status}: {said}", self.status);
        Ok(self)
    }
}

/// An open stream of events.
pub struct EventSocket {
    stream: TcpStream,
    received: Vec<u8>,
}

impl EventSocket {
    /// Reads until `wanted` has come, and gives the time when it had. What came before is forgotten.
    pub async fn until(&mut self, wanted: &[u8]) -> Result<Instant> {
        loop {
            if let Some(at) = find(&self.received, wanted) {
                let came = now();
                self.received.drain(..at + wanted.len());
                return Ok(came);
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the stream ended: {}", String::from_utf8_lossy(&self.received));
            }
        }
    }

    /// The socket alone, for a reader that serves many.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    async fn first(&mut self) -> Result<()> {
        self.until(b"\r\n\r\n").await?;
        self.until(b"\ndata: ").await?;
        self.until(b"\n\n").await?;
        Ok(())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Where `wanted` begins in `bytes`.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answered(text: &'static str) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        });
        let mut connection = Connection::open(port).await.unwrap();
        let answer = connection.get("/", "").await.unwrap();
        drop(server.await.unwrap());
        answer
    }

    #[tokio::test]
    async fn a_body_of_known_length_is_read() {
        let text = "HTTP/1.1 303 See Other\r\nLocation: /x\r\ncontent-length: 2\r\n\r\nab";
        let answer = answered(text).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.header("location"), Some("/x"));
        assert_eq!(answer.body, b"ab");
        assert_eq!(answer.wire_bytes, text.len());
    }

    #[tokio::test]
    async fn a_body_in_chunks_is_put_together() {
        let answer =
            answered("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n").await;
        assert_eq!(answer.text().unwrap(), "abc");
    }
}
