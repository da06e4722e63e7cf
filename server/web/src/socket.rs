//! The socket below hyper: looked at before it is known what is spoken on it, and ended when its reader takes nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bitpro_limits::{Rest, refused};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::resting::Resting;

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// The first bytes of HTTP/2 without TLS (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What a reader has to take within each patience, or all that is left: less than the slowest of mobile networks carries.
pub(crate) const LEAST_TAKEN_BYTES: usize = 8 * 1024;

/// A socket that can be taken away from whoever uses it; it is broken for them then.
#[derive(Debug, Clone)]
pub struct Socket(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    stream: Option<TcpStream>,
    /// What was read to learn the protocol, and is still to be read by whoever speaks it.
    beginning: Beginning,
    patience: Duration,
    place: Arc<dyn Resting>,
    stalled: Option<Stalled>,
}

#[derive(Debug, Default)]
struct Beginning {
    bytes: [u8; PREFACE.len()],
    read: usize,
    given: usize,
}

/// A reader who does not keep up.
#[derive(Debug)]
struct Stalled {
    until: Pin<Box<Sleep>>,
    taken: usize,
    /// It counts among those that are waited for, from its last progress on.
    rest: Option<Rest>,
}

impl Socket {
    /// A socket whose reader may take next to nothing for `patience`, and rests at its `place` meanwhile.
    pub fn new(stream: TcpStream, patience: Duration, place: Arc<dyn Resting>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            stream: Some(stream),
            beginning: Beginning::default(),
            patience,
            place,
            stalled: None,
        })))
    }

    /// Takes the stream away.
    pub fn take(&self) -> Option<TcpStream> {
        self.0.lock().stream.take()
    }

    /// Reads the client's first bytes until they tell the protocol. `None` when the client hangs up.
    pub async fn protocol(&self) -> Option<Protocol> {
        std::future::poll_fn(|cx| self.0.lock().poll_protocol(cx)).await
    }
}

impl Inner {
    fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<Option<Protocol>> {
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(None);
        };
        let Beginning { bytes, read, .. } = &mut self.beginning;
        loop {
            let mut rest = ReadBuf::new(&mut bytes[*read..]);
            let had_room = rest.remaining();
            if ready!(Pin::new(&mut *stream).poll_read(cx, &mut rest)).is_err() || rest.remaining() == had_room {
                return Poll::Ready(None);
            }
            *read += rest.filled().len();
            if bytes[..*read] != PREFACE[..*read] {
                return Poll::Ready(Some(Protocol::Http1));
            }
            if *read == PREFACE.len() {
                return Poll::Ready(Some(Protocol::Http2));
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let Beginning { bytes, read, given } = &mut self.beginning;
        if *given < *read {
            let fits = buf.remaining().min(*read - *given);
            buf.put_slice(&bytes[*given..*given + fits]);
            *given += fits;
            return Poll::Ready(Ok(()));
        }
        Pin::new(stream).poll_read(cx, buf)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        if let Poll::Ready(written) = write(Pin::new(stream), cx) {
            if let (Some(stalled), Ok(written)) = (&mut self.stalled, &written) {
                stalled.taken += *written;
                stalled.rest = None;
            }
            return Poll::Ready(written);
        }
        // It was told to end because it takes nothing: what else is to be written would be kept for nobody.
        if self.place.gave_way() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Stalled {
            until: Box::pin(tokio::time::sleep(patience)),
            taken: 0,
            rest: None,
        });
        if stalled.rest.is_none() {
            stalled.rest = self.place.rest();
        }
        while stalled.until.as_mut().poll(cx).is_ready() {
            if stalled.taken < LEAST_TAKEN_BYTES {
                refused("write_stalled");
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            stalled.taken = 0;
            stalled.until.as_mut().reset(Instant::now() + patience);
        }
        Poll::Pending
    }

    /// Whoever writes flushes when nothing is left to write: the reader has kept up.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stalled = None;
        match self.stream.as_mut() {
            Some(stream) => Pin::new(stream).poll_flush(cx),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.lock().poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().poll_write(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .lock()
            .poll_write(cx, |stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0.lock().stream.as_mut() {
            Some(stream) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use bitpro_limits::Connections;
    use futures::FutureExt as _;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_reader_who_gave_way_and_takes_nothing_is_waited_for_no_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _reader = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let connections = Connections::new(100, 100, Vec::new());
        let permit = Arc::new(connections.admit(peer.ip()).unwrap());
        let for_ever = Duration::from_secs(3_600);
        let mut socket = Socket::new(stream, for_ever, Arc::clone(&permit) as Arc<dyn Resting>);
        let piece = [0; 65_536];
        // Until every buffer between here and the reader is full.
        while socket.write(&piece).now_or_never().is_some() {}
        assert_eq!(connections.resting(), 1);
        permit.gives_way().cancel();
        let ended = loop {
            let written = socket.write(&piece).now_or_never();
            if let Err(error) = written.expect("nobody waits for the reader") {
                break error;
            }
        };
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }
}
