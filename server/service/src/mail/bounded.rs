//! What a mail server says, up to a bound. The client of SMTP reads an answer until its end, wherever that is, and looks at all of
//! it again with each of its lines: so the bound has to lie below it, in the stream that it reads.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop::poll_proceed;
use tokio_rustls::client::TlsStream;

/// The longest answer, in bytes. RFC 5321 (4.5.3.1.5) allows 512 in a line, and an answer has a few lines.
pub const LONGEST_ANSWER: usize = 64 * 1024;
/// The lines of the longest answer: what a mail server is able to do is one line each, which are ten or twenty.
pub const MOST_LINES: usize = 128;
/// What is read before others may have their turn.
const AT_ONCE: usize = 512;

/// A stream that fails when it brings more than an answer between two writes, and stays so.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    /// What is read first, before anything of the stream.
    ahead: &'static [u8],
    most_lines: usize,
    bytes: usize,
    lines: usize,
}

impl<S> Bounded<S> {
    /// A stream of bytes, in which lines mean nothing.
    pub(super) const fn bytes(stream: S) -> Self {
        Self {
            stream,
            ahead: b"",
            most_lines: usize::MAX,
            bytes: 0,
            lines: 0,
        }
    }

    /// A stream of answers, before which stands `ahead`.
    pub(super) const fn answers(stream: S, ahead: &'static [u8]) -> Self {
        Self {
            ahead,
            stream,
            most_lines: MOST_LINES,
            bytes: 0,
            lines: 0,
        }
    }

    /// The stream without its bound.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// Whether the answer is still within its bounds.
    fn checked(&self) -> io::Result<()> {
        if self.bytes <= LONGEST_ANSWER && self.lines <= self.most_lines {
            return Ok(());
        }
        let most = LONGEST_ANSWER / 1024;
        Err(io::Error::other(format!(
            "the mail server's answer is longer than {most} KiB or {MOST_LINES} lines"
        )))
    }

    fn count(&mut self, read: &[u8]) -> io::Result<()> {
        let lines = read.iter().filter(|byte| **byte == b'\n').count();
        self.bytes = self.bytes.saturating_add(read.len());
        self.lines = self.lines.saturating_add(lines);
        self.checked()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.checked()?;
        // What TLS has opened already lies in memory and is there at once, so it has to be counted here.
        let turn = ready!(poll_proceed(cx));
        if !this.ahead.is_empty() {
            let (now, later) = this.ahead.split_at(this.ahead.len().min(buf.remaining()));
            buf.put_slice(now);
            this.ahead = later;
            turn.made_progress();
            return Poll::Ready(Ok(()));
        }
        let mut piece = [0; AT_ONCE];
        let room = buf.remaining().min(AT_ONCE);
        let mut piece = ReadBuf::new(&mut piece[..room]);
        ready!(Pin::new(&mut this.stream).poll_read(cx, &mut piece))?;
        turn.made_progress();
        this.count(piece.filled())?;
        buf.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // After an answer without an end there is nothing more to say, not even "QUIT".
        this.checked()?;
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, buf))?;
        if written > 0 {
            (this.bytes, this.lines) = (0, 0);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Bounded<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncTokioStream for Bounded<TlsStream<Bounded<TcpStream>>> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.stream.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Says one and the same for ever, and is always ready.
    #[derive(Debug)]
    struct Endless(&'static [u8]);

    impl AsyncRead for Endless {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            while buf.remaining() > 0 {
                buf.put_slice(&self.0[..self.0.len().min(buf.remaining())]);
            }
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Endless {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn an_answer_of_too_many_bytes_or_lines_ends_there_and_nothing_is_said_after_it() {
        for (said, most) in [(&b"x"[..], LONGEST_ANSWER), (b"250-XYZ\r\n", 9 * MOST_LINES)] {
            let mut stream = Bounded::answers(Endless(said), b"");
            let mut read = Vec::new();
            let error = stream.read_to_end(&mut read).await.unwrap_err().to_string();
            assert!(error.contains("64 KiB or 128 lines"), "{error}");
            assert!(read.len() <= most && read.len() + AT_ONCE >= most, "{}", read.len());
            stream.write_all(b"QUIT\r\n").await.unwrap_err();
            stream.read_u8().await.unwrap_err();
        }
    }

    #[tokio::test]
    async fn each_answer_has_the_whole_bound_and_what_stands_ahead_is_read_first() {
        let mut stream = Bounded::answers(Endless(b"x"), b"220 ready\r\n");
        let mut greeting = [0; 11];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"220 ready\r\n");
        for _ in 0..3 {
            stream.read_exact(&mut vec![0; LONGEST_ANSWER]).await.unwrap();
            stream.write_all(b"NOOP\r\n").await.unwrap();
        }
        // Bytes of TLS are no lines.
        let mut stream = Bounded::bytes(Endless(b"\n"));
        stream.read_exact(&mut vec![0; LONGEST_ANSWER]).await.unwrap();
        stream.read_u8().await.unwrap_err();
    }

    #[tokio::test]
    async fn others_have_their_turn_while_answers_are_read() {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let reading = tokio::spawn(async move {
            let mut stream = Bounded::answers(Endless(b"x"), b"");
            for _ in 0..100 {
                stream.read_exact(&mut vec![0; LONGEST_ANSWER]).await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                stream.write_all(b"NOOP\r\n").await.unwrap();
            }
        });
        for turn in 0..10 {
            tokio::task::yield_now().await;
            assert!(read.load(Ordering::Relaxed) <= turn + 1);
        }
        reading.abort();
    }
}
