//! Shops that webhooks are delivered to, as bare as a socket allows: what arrives is timed and taken, or never answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::http::find;
use crate::stopwatch::now;

const TAKEN: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(60);

/// A receiver on a port of its own.
pub struct Sink {
    port: u16,
    is_dead: Arc<AtomicBool>,
    arrivals: mpsc::UnboundedReceiver<Instant>,
    serving: JoinHandle<()>,
}

impl Sink {
    /// One that takes everything.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let is_dead = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_dead);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (arrived, is_dead) = (arrived.clone(), Arc::clone(&told));
                tokio::spawn(async move {
                    // A sender that hangs up ends its connection, and nothing else.
                    let _ = serve(stream, &arrived, &is_dead).await;
                });
            }
        });
        Ok(Self {
            port,
            is_dead,
            arrivals,
            serving,
        })
    }

    /// The address of `path` here.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on it listens and never answers.
    pub fn die(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
    }

    /// When the next delivery had arrived as a whole.
    ///
    /// # Errors
    /// When none comes.
    pub async fn next(&mut self) -> Result<Instant> {
        let next = tokio::time::timeout(PATIENCE, self.arrivals.recv());
        next.await
            .context("no delivery came within a minute")?
            .context("the receiver ended")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, arrived: &mpsc::UnboundedSender<Instant>, is_dead: &AtomicBool) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(16 * 1024);
    loop {
        while let Some(end) = whole(&received) {
            received.drain(..end);
            if !is_dead.load(Ordering::Relaxed) {
                arrived.send(now())?;
                stream.write_all(TAKEN).await?;
            }
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
}

/// Where the first request in `bytes` ends, if it is whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let body = find(bytes, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..body]).ok()?.to_ascii_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
    (bytes.len() >= body + length).then_some(body + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_its_body() {
        let request = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}POST";
        assert_eq!(whole(request), Some(request.len() - 4));
        assert_eq!(whole(&request[..request.len() - 5]), None);
    }
}
