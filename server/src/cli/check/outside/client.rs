//! A client that shows what a browser would not: what is spoken, what comes when, and every header.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bitpro_base::http_client::{NAME, system_roots, tls};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use url::Url;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read: ours has less than 1,000 bytes.
const LONGEST: usize = 64 * 1024;

/// A client of one address.
pub(super) struct Client {
    url: Url,
    tls: Arc<ClientConfig>,
}

/// An answer.
pub(super) struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Our own end of the connection.
    pub local: SocketAddr,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The name leads nowhere, or nobody is there.
    Connection(String),
    /// There is somebody, and they cannot show that they are who they should be.
    Tls(String),
    /// They say nothing, or no HTTP.
    Http(String),
    /// They have said nothing for as long as we wait.
    Late(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(why) | Self::Tls(why) | Self::Http(why) | Self::Late(why) => f.write_str(why),
        }
    }
}

/// A connection, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An answer that goes on.
pub(super) struct Stream {
    body: Incoming,
}

impl Client {
    /// A client of `origin`, with the certificate authorities of this machine.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(origin: &str) -> Result<Self, String> {
        let url = Url::parse(origin).map_err(|error| error.to_string())?;
        let tls = Arc::new(tls(system_roots()));
        Ok(Self { url, tls })
    }

    /// Asks for `path` with `headers`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Got, Trouble> {
        in_time(async {
            let (wire, local) = self.connect().await?;
            let (head, body) = ask(wire, &self.url, path, headers).await?.into_parts();
            let body = Limited::new(body, LONGEST).collect().await;
            let body = body.map_err(|error| Trouble::Http(error.to_string()))?;
            Ok(Got {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
                local,
            })
        })
        .await
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn stream(&self, path: &str) -> Result<Stream, Trouble> {
        in_time(async {
            let (wire, _) = self.connect().await?;
            // As a browser asks: compression is another way of holding events back.
            let headers = [
                ("accept", "text/event-stream"),
                ("accept-encoding", "gzip, deflate, br"),
            ];
            let answer = ask(wire, &self.url, path, &headers).await?;
            if answer.status() != StatusCode::OK {
                let status = answer.status();
                return Err(Trouble::Http(format!("it is answered with HTTP {}", status.as_u16())));
            }
            Ok(Stream {
                body: answer.into_body(),
            })
        })
        .await
    }

    /// Whether HTTP/2 is offered.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn speaks_http2(&self) -> Result<bool, Trouble> {
        let mut tls = (*self.tls).clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        in_time(async {
            let (tcp, _) = self.tcp(&self.url).await?;
            let stream = encrypted(Arc::new(tls), &self.url, tcp).await?;
            let (_, connection) = stream.get_ref();
            Ok(connection.alpn_protocol() == Some(&b"h2"[..]))
        })
        .await
    }

    /// What is answered without TLS, at the same name; `None` when the address has a port of its own, to which no other belongs.
    pub(super) async fn plain(&self) -> Option<Result<Got, Trouble>> {
        if self.url.port().is_some() {
            return None;
        }
        let mut url = self.url.clone();
        url.set_scheme("http").ok()?;
        let asked = in_time(async {
            let (tcp, local) = self.tcp(&url).await?;
            let answer = ask(tcp, &url, "/healthz", &[]).await?;
            Ok(Got {
                status: answer.status(),
                headers: answer.headers().clone(),
                body: Bytes::new(),
                local,
            })
        });
        Some(asked.await)
    }

    async fn connect(&self) -> Result<(Box<dyn Wire>, SocketAddr), Trouble> {
        let (tcp, local) = self.tcp(&self.url).await?;
        if self.url.scheme() != "https" {
            return Ok((Box::new(tcp), local));
        }
        let tls = Arc::clone(&self.tls);
        Ok((Box::new(encrypted(tls, &self.url, tcp).await?), local))
    }

    async fn tcp(&self, url: &Url) -> Result<(TcpStream, SocketAddr), Trouble> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(443);
        let failed = |error: std::io::Error| Trouble::Connection(error.to_string());
        let tcp = connected(host, port).await.map_err(failed)?;
        let local = tcp.local_addr().map_err(failed)?;
        Ok((tcp, local))
    }
}

/// Where the name leads to this machine, we come from an address of it that is no proxy's: from the proxy's own, nobody could tell a
/// client from the proxy.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0);

/// A connection to the first address of the name that answers.
async fn connected(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let mut failure = std::io::Error::other("the name has no address");
    for address in tokio::net::lookup_host((host, port)).await? {
        let connecting = match address {
            SocketAddr::V4(v4) if v4.ip().is_loopback() => from_elsewhere(address).await,
            _ => TcpStream::connect(address).await,
        };
        match connecting {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn from_elsewhere(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Where only one loopback address exists, we come from that one.
    let _ = socket.bind(ELSEWHERE);
    socket.connect(address).await
}

impl Stream {
    /// Waits until more has come, compressed or not.
    ///
    /// # Errors
    /// When the stream ends or breaks before.
    pub(super) async fn more(&mut self) -> Result<(), String> {
        loop {
            match self.body.frame().await {
                Some(Ok(frame)) if frame.data_ref().is_some_and(|bytes| !bytes.is_empty()) => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("it ended without an event".to_owned()),
            }
        }
    }
}

async fn in_time<T>(asking: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answered) => answered,
        Err(_) => Err(Trouble::Late(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn encrypted(
    tls: Arc<ClientConfig>,
    url: &Url,
    tcp: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Trouble> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(|error| Trouble::Tls(error.to_string()))?;
    let connecting = TlsConnector::from(tls).connect(name, tcp);
    connecting.await.map_err(|error| Trouble::Tls(error.to_string()))
}

async fn ask(
    wire: impl Wire + 'static,
    url: &Url,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<http::Response<Incoming>, Trouble> {
    let failed = |error: hyper::Error| Trouble::Http(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(wire)).await.map_err(failed)?;
    // It ends with the answer, or with whoever waits for it.
    tokio::spawn(connection);
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, NAME);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(|error| Trouble::Http(error.to_string()))?;
    sender.send_request(request).await.map_err(failed)
}
