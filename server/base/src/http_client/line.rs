//! One connection to a server, asked by threads that work without Tokio: one question at a time, each with one deadline for all of its
//! answer, and with a bound for everything that is read.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::client::legacy::connect::HttpConnector;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{Bounded, with_causes};

/// The longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// Interim answers (1xx) before the real one; nobody we ask has a reason to send even one.
const MOST_INTERIM: u32 = 16;
/// The room that is made for a body because its length was promised; more is made as it comes.
const PROMISED_ROOM: usize = 4 * 1024 * 1024;

/// A connection that is kept between questions, and made anew when it is gone.
pub struct Line {
    server: Uri,
    host: HeaderValue,
    longest_body: usize,
    stop: CancellationToken,
    kept: Mutex<Kept>,
}

/// The thread that asks also drives the connection, in a runtime of its own: nothing has to be handed from thread to thread, and whatever
/// holds up the server's other threads does not hold up an answer.
#[derive(Default)]
struct Kept {
    runtime: Option<Runtime>,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    connection: Connection,
}

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// Goes on until the connection has ended; one that has been dropped ends no more.
async fn end_of(connection: &mut Option<Connection>) {
    match connection {
        Some(connection) => drop(connection.await),
        None => std::future::pending().await,
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// Whoever asked was told to stop.
    #[error("the question was broken off, for the server is closing")]
    Stopped,
    /// The whole answer was not there in time.
    #[error("no whole answer within {} s", .0.as_secs())]
    Slow(Duration),
    /// The connection ended before the head of an answer was whole.
    #[error("the connection ended before an answer: {0}")]
    HungUp(String),
    /// There is no connection, or it ended within a body.
    #[error("{0}")]
    Broken(String),
    /// What came is no answer, or longer than any that is wanted.
    #[error("{0}")]
    Strange(String),
}

impl Line {
    /// A line to the server of `server`, an address with scheme, host and port. Nothing is connected yet. `stop` breaks off whatever is
    /// asked.
    pub fn new(server: Uri, longest_body: usize, stop: CancellationToken) -> Self {
        let host = server.authority().map_or("", |authority| authority.as_str());
        Self {
            host: HeaderValue::from_str(host).expect("an authority has only visible letters"),
            server,
            longest_body,
            stop,
            kept: Mutex::default(),
        }
    }

    /// Sends a request, whose address is a path, and waits for its whole answer. A connection that was kept and turns out to be gone is
    /// made anew once, within the same `patience`: servers end those that nobody uses.
    ///
    /// # Errors
    /// [`Silence`].
    ///
    /// # Panics
    /// Within Tokio, whose threads must not be blocked.
    pub fn ask(&self, mut request: Request<Full<Bytes>>, patience: Duration) -> Result<Response<Vec<u8>>, Silence> {
        request.headers_mut().insert(HOST, self.host.clone());
        let mut kept = self.kept.lock();
        // What happens is open until an answer is whole; only then the connection is good for another one.
        let open = kept.open.take();
        let runtime = match kept.runtime.take() {
            Some(runtime) => runtime,
            None => Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Silence::Broken(error.to_string()))?,
        };
        let runtime = kept.runtime.insert(runtime);
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Silence::Stopped),
                outcome = tokio::time::timeout(patience, self.ask_anew(open, request)) => {
                    outcome.unwrap_or(Err(Silence::Slow(patience)))
                }
            }
        });
        let (response, open) = outcome?;
        kept.open = open;
        Ok(response)
    }

    async fn ask_anew(
        &self,
        kept: Option<Open>,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Vec<u8>>, Option<Open>), Silence> {
        if let Some(open) = kept {
            match self.ask_on(open, request.clone()).await {
                Err(Silence::HungUp(_)) => {}
                outcome => return outcome,
            }
        }
        let open = self.connect().await?;
        self.ask_on(open, request).await
    }

    async fn connect(&self) -> Result<Open, Silence> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        let connecting = Bounded::new(tcp, self.longest_body).oneshot(self.server.clone());
        let stream = connecting.await.map_err(|error| Silence::Broken(with_causes(&error)))?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(LONGEST_HEAD)
            .handshake(stream)
            .await
            .map_err(|error| Silence::Broken(with_causes(&error)))?;
        Ok(Open {
            sender,
            connection: Box::pin(connection),
        })
    }

    /// Gives the connection back when it can be used once more.
    async fn ask_on(
        &self,
        open: Open,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Vec<u8>>, Option<Open>), Silence> {
        let too_many = CancellationToken::new();
        let (interim, enough) = (AtomicU32::new(0), too_many.clone());
        hyper::ext::on_informational(&mut request, move |_| {
            if interim.fetch_add(1, Ordering::Relaxed) >= MOST_INTERIM {
                enough.cancel();
            }
        });
        let Open { mut sender, connection } = open;
        let mut connection = Some(connection);
        let response = {
            let mut asking = pin!(async {
                sender.ready().await.map_err(|error| before_head(&error))?;
                let response = sender.send_request(request).await;
                self.read(response.map_err(|error| before_head(&error))?).await
            });
            loop {
                tokio::select! {
                    biased;
                    () = too_many.cancelled() => {
                        return Err(Silence::Strange(format!("more than {MOST_INTERIM} interim answers")));
                    }
                    // Whatever went wrong is told to the one who asks, too, once the connection is dropped; what was read before is still there.
                    () = end_of(&mut connection) => connection = None,
                    response = &mut asking => break response?,
                }
            }
        };
        let open = connection.map(|connection| Open { sender, connection });
        Ok((response, open))
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Response<Vec<u8>>, Silence> {
        let too_long = || Silence::Strange(format!("the answer is longer than {} KiB", self.longest_body / 1024));
        let (head, mut body) = response.into_parts();
        let promised = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if promised > self.longest_body {
            return Err(too_long());
        }
        let mut bytes = Vec::with_capacity(promised.min(PROMISED_ROOM));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match before_head(&error) {
                Silence::HungUp(why) => Silence::Broken(format!("the answer broke off: {why}")),
                other => other,
            })?;
            if let Some(piece) = frame.data_ref() {
                if bytes.len() + piece.len() > self.longest_body {
                    return Err(too_long());
                }
                bytes.extend_from_slice(piece);
            }
        }
        Ok(Response::from_parts(head, bytes))
    }
}

impl Drop for Line {
    /// A runtime that waits for its end must not be dropped within Tokio; there is nothing to wait for.
    fn drop(&mut self) {
        let kept = self.kept.get_mut();
        kept.open = None;
        if let Some(runtime) = kept.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What an error means before the head of an answer is whole.
fn before_head(error: &hyper::Error) -> Silence {
    let text = with_causes(error);
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    let is_too_long = cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::InvalidData);
    if error.is_parse() || is_too_long {
        Silence::Strange(text)
    } else {
        Silence::HungUp(text)
    }
}

#[cfg(test)]
mod tests;
