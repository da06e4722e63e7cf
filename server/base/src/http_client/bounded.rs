//! Connections that do not read without end. HTTP bounds neither how many interim answers (1xx) come before the real one nor what they
//! hold (RFC 9110, section 15.2), and the client reads on through all of them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower::Service;

/// What an answer may take beside its body: its head, interim answers, the marks of its pieces.
const AROUND_A_BODY: usize = 64 * 1024;

/// A connector whose connections end where an answer is longer than any that is wanted.
#[derive(Debug, Clone)]
pub struct Bounded<C> {
    connector: C,
    most: usize,
}

impl<C> Bounded<C> {
    /// For answers whose bodies are of interest up to `longest_body` bytes.
    pub const fn new(connector: C, longest_body: usize) -> Self {
        Self {
            connector,
            most: longest_body.saturating_add(AROUND_A_BODY),
        }
    }
}

impl<C> Service<Uri> for Bounded<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = TokioIo<Counted<C::Response>>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, most) = (self.connector.call(uri), self.most);
        Box::pin(async move {
            let connection = TokioIo::new(connecting.await?);
            Ok(TokioIo::new(Counted {
                connection,
                left: most,
                most,
            }))
        })
    }
}

/// A connection that counts what it has read since it last wrote: that is one answer, for here a request is answered before the next.
pub struct Counted<T> {
    connection: TokioIo<T>,
    left: usize,
    most: usize,
}

impl<T> Connection for Counted<T>
where
    TokioIo<T>: Connection,
{
    fn connected(&self) -> Connected {
        self.connection.connected()
    }
}

impl<T> AsyncRead for Counted<T>
where
    TokioIo<T>: AsyncRead + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.connection).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => {
                let text = format!("the answer is longer than {} KiB", self.most / 1024);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> AsyncWrite for Counted<T>
where
    TokioIo<T>: AsyncWrite + Unpin,
{
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.left = self.most;
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.left = self.most;
        Pin::new(&mut self.connection).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }
}
