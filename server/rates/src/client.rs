//! Asking an exchange over HTTPS: no redirects, no proxy, no cookies, no more time and bytes than an answer needs.
//!
//! A bare client is safer here than one whose habits would have to be switched off: it asks what it was told to ask, and nothing else.

use std::time::Duration;

use bitpro_base::http_client::{Bounded, NAME, tls, with_causes};
use bitpro_charge::Timestamp;
use bytes::Bytes;
use http::header::{ACCEPT, AGE, DATE, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;

/// The longest answer that is read, in bytes; the longest expected one has less than 2,000.
const MAX_ANSWER: usize = 64 * 1024;
/// The time a whole answer may take.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept: longer than the pause between two questions.
const IDLE: Duration = Duration::from_secs(75);
/// A client for small answers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: legacy::Client<Bounded<HttpsConnector<HttpConnector>>, Empty<Bytes>>,
    timeout: Duration,
}

/// An answer with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its body.
    pub body: Bytes,
    /// When it was made (RFC 9110, section 6.6.1), less the time it lay in caches (RFC 9111, section 5.1).
    pub generated: Option<Timestamp>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    #[error("{}", with_causes(.0))]
    Connection(#[from] legacy::Error),
    /// The connection broke within the answer.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// It is not what was asked for. Redirects are not followed: who is asked is the operator's decision.
    #[error("status {0}")]
    Status(StatusCode),
    /// It is longer than any answer needs to be.
    #[error("the answer is longer than {} KiB", MAX_ANSWER / 1024)]
    TooLong,
}

impl Client {
    /// A client that trusts `roots`.
    #[must_use]
    pub fn new(roots: RootCertStore, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(roots))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(Bounded::new(connector, MAX_ANSWER));
        Self { http, timeout }
    }

    /// Asks for `uri`.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn get(&self, uri: Uri) -> Result<Answer, NoAnswer> {
        tokio::time::timeout(self.timeout, self.get_in_time(uri))
            .await
            .unwrap_or(Err(NoAnswer::Timeout(self.timeout)))
    }

    async fn get_in_time(&self, uri: Uri) -> Result<Answer, NoAnswer> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(uri)
            .header(USER_AGENT, NAME)
            .header(ACCEPT, "application/json")
            .body(Empty::new())
            .expect("the parts are valid by their types");
        let response = self.http.request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(NoAnswer::Status(response.status()));
        }
        let generated = generated(response.headers());
        let limited = Limited::new(response.into_body(), MAX_ANSWER);
        let body = limited.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                NoAnswer::TooLong
            } else {
                NoAnswer::Broken(error.to_string())
            }
        })?;
        Ok(Answer {
            body: body.to_bytes(),
            generated,
        })
    }
}

fn generated(headers: &HeaderMap) -> Option<Timestamp> {
    let text = |name| headers.get(name)?.to_str().ok();
    let date = jiff::fmt::rfc2822::parse(text(DATE)?).ok()?;
    let age: i64 = text(AGE).and_then(|age| age.parse::<u32>().ok()).unwrap_or(0).into();
    Some(Timestamp::from_secs(date.timestamp().as_second() - age))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use axum::Router;
    use axum::response::Redirect;
    use axum::routing::get;
    use futures::StreamExt as _;
    use rustls::ServerConfig;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::testing::serve;

    fn client() -> Client {
        Client::new(RootCertStore::empty(), TIMEOUT)
    }

    async fn asked(router: Router) -> Result<Answer, NoAnswer> {
        let address = serve(router).await;
        client().get(format!("http://{address}/").parse().unwrap()).await
    }

    /// Answers the first connection with `bytes` and closes it.
    async fn asked_raw(bytes: &'static [u8]) -> Result<Answer, NoAnswer> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            assert!(connection.read(&mut head).await.unwrap() > 0);
            connection.write_all(bytes).await.unwrap();
        });
        client().get(format!("http://{address}/").parse().unwrap()).await
    }

    #[tokio::test]
    async fn an_answer_carries_its_time_less_that_in_caches() {
        let headers = [(DATE, "Thu, 01 Jan 2026 00:00:04 GMT"), (AGE, "4")];
        let answer = asked(Router::new().route("/", get(|| async move { (headers, "[1]") })))
            .await
            .unwrap();
        assert_eq!(answer.body.as_ref(), b"[1]");
        assert_eq!(answer.generated, Some(Timestamp::from_secs(1_767_225_600)));

        let timeless = asked_raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            .await
            .unwrap();
        assert_eq!(timeless.generated, None);
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let router = Router::new()
            .route("/", get(|| async { Redirect::temporary("/price") }))
            .route("/price", get(|| async { "50000" }));
        assert!(matches!(
            asked(router).await,
            Err(NoAnswer::Status(StatusCode::TEMPORARY_REDIRECT))
        ));
    }

    #[tokio::test]
    async fn an_answer_without_end_is_not_read_to_its_end() {
        let endless = || async {
            let chunks = futures::stream::repeat(Bytes::from_static(&[b' '; 1024])).map(Ok::<_, Infallible>);
            axum::body::Body::from_stream(chunks)
        };
        assert!(matches!(
            asked(Router::new().route("/", get(endless))).await,
            Err(NoAnswer::TooLong)
        ));
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_none() {
        let outcome = asked_raw(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n[52517,1,525").await;
        assert!(matches!(outcome, Err(NoAnswer::Broken(_))), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_silent_exchange_is_given_up() {
        let address = serve(Router::new().route("/", get(std::future::pending::<()>))).await;
        let hasty = Client::new(RootCertStore::empty(), Duration::from_millis(20));
        let outcome = hasty.get(format!("http://{address}/").parse().unwrap()).await;
        assert!(matches!(outcome, Err(NoAnswer::Timeout(_))), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_refused_connection_tells_its_cause() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = client()
            .get(format!("http://{address}/").parse().unwrap())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("refused"), "{error}");
    }

    struct TlsServer {
        port: u16,
        certificate: CertificateDer<'static>,
    }

    /// Serves one connection over TLS with a certificate for `localhost` that vouches for itself.
    async fn serve_tls() -> (TlsServer, tokio::task::JoinHandle<()>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            let (connection, _) = listener.accept().await.unwrap();
            let Ok(mut connection) = TlsAcceptor::from(Arc::new(config)).accept(connection).await else {
                return;
            };
            let mut head = [0; 1024];
            let _ = connection.read(&mut head).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            let _ = connection.write_all(answer).await;
            let _ = connection.shutdown().await;
        });
        (TlsServer { port, certificate }, serving)
    }

    #[tokio::test]
    async fn only_a_certificate_of_a_trusted_authority_for_the_right_host_is_taken() {
        let (server, serving) = serve_tls().await;
        let mut roots = RootCertStore::empty();
        roots.add(server.certificate).unwrap();
        let trusting = Client::new(roots, TIMEOUT);
        let answer = trusting
            .get(format!("https://localhost:{}/", server.port).parse().unwrap())
            .await;
        assert_eq!(answer.unwrap().body.as_ref(), b"ok");
        serving.await.unwrap();

        let (server, _serving) = serve_tls().await;
        let stranger = format!("https://localhost:{}/", server.port).parse().unwrap();
        let error = client().get(stranger).await.unwrap_err();
        assert!(error.to_string().contains("certificate"), "{error}");

        let (server, _serving) = serve_tls().await;
        let mut roots = RootCertStore::empty();
        roots.add(server.certificate).unwrap();
        let elsewhere = format!("https://127.0.0.1:{}/", server.port).parse().unwrap();
        let error = Client::new(roots, TIMEOUT).get(elsewhere).await.unwrap_err();
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}
