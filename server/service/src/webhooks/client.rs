//! Calling a receiver: no redirects, no proxy, no cookies, no address that the policy forbids, no more time and bytes than an
//! answer needs.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bitpro_base::http_client::{Bounded, NAME, tls};
use bitpro_base::policy::Policy;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::{self};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use tokio::time::Instant;

use super::failure::{self, Failure, FailureKind};
use super::queue::PER_HOST;

/// The time until the head of an answer is there.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// The time for an answer's body after its head: what it says is of interest only to people.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest body that is read to its end, so that the connection can be used again.
const MAX_BODY: usize = 64 * 1024;
/// What is kept of a body, in bytes.
pub(super) const EXCERPT: usize = 1_024;
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    /// From the beginning to the answer's head, or to the failure.
    pub(super) took: Duration,
    /// The status, or why there is none.
    pub(super) outcome: Result<u16, Failure>,
    /// The beginning of the answer, printable.
    pub(super) excerpt: Option<String>,
}

/// A client for all receivers. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: legacy::Client<Bounded<HttpsConnector<HttpConnector<Resolver>>>, Full<Bytes>>,
    timeout: Duration,
}

impl Client {
    /// A client under `policy` that trusts `roots`.
    pub(super) fn new(policy: Arc<Policy>, roots: RootCertStore) -> Self {
        let schemes = HttpsConnectorBuilder::new().with_tls_config(tls(roots));
        let schemes = if policy.allow_http {
            schemes.https_or_http()
        } else {
            schemes.https_only()
        };
        let mut tcp = HttpConnector::new_with_resolver(Resolver(policy));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(TIMEOUT));
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(PER_HOST)
            .build(Bounded::new(schemes.enable_http1().wrap_connector(tcp), MAX_BODY));
        Self { http, timeout: TIMEOUT }
    }

    /// Posts `body` to `url`, whose host, when it is an address, the policy has allowed.
    pub(super) async fn post(&self, url: &str, headers: HeaderMap, body: Bytes) -> Answered {
        let request = Request::builder().method(Method::POST).uri(url).body(Full::new(body));
        let mut request = match request {
            Ok(request) => request,
            Err(error) => {
                return Answered {
                    took: Duration::ZERO,
                    outcome: Err(FailureKind::Unreachable.by(error.to_string())),
                    excerpt: None,
                };
            }
        };
        *request.headers_mut() = headers;
        let named = request.headers_mut();
        named.insert(USER_AGENT, http::HeaderValue::from_static(NAME));
        named.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        answered(&self.http, request, self.timeout).await
    }
}

/// Makes a request by `http`, and reads what came of it.
pub(super) async fn answered<C>(
    http: &legacy::Client<C, Full<Bytes>>,
    request: Request<Full<Bytes>>,
    timeout: Duration,
) -> Answered
where
    C: legacy::connect::Connect + Clone + Send + Sync + 'static,
{
    let begun = Instant::now();
    let (outcome, body) = match tokio::time::timeout(timeout, http.request(request)).await {
        Err(_) => {
            let why = format!("no answer within {} s", timeout.as_secs());
            (Err(FailureKind::Slow.by(why)), None)
        }
        Ok(Err(error)) => (Err(failure::why(&error)), None),
        Ok(Ok(response)) => (Ok(response.status().as_u16()), Some(response.into_body())),
    };
    let took = begun.elapsed();
    let excerpt = match body {
        Some(body) => excerpt(body).await,
        None => None,
    };
    Answered { took, outcome, excerpt }
}

/// The beginning of a body. One that is too long, or comes too slowly, costs its connection.
async fn excerpt(mut body: Incoming) -> Option<String> {
    let mut kept = Vec::new();
    let mut read = 0;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(bytes) = frame.into_data() {
                read += bytes.len();
                let room = EXCERPT.saturating_sub(kept.len()).min(bytes.len());
                kept.extend_from_slice(&bytes[..room]);
                if read > MAX_BODY {
                    break;
                }
            }
        }
    };
    let _ = tokio::time::timeout(BODY_TIMEOUT, reading).await;
    let text: String = String::from_utf8_lossy(&kept)
        .chars()
        .map(|letter| {
            if letter.is_control() && letter != '\n' {
                ' '
            } else {
                letter
            }
        })
        .collect();
    // What is no UTF-8 is shown by a sign that is longer than the byte in whose place it stands.
    let text = text[..text.floor_char_boundary(EXCERPT)].trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Resolves names to the addresses that the policy allows. The connection is made to one of exactly these: a name that answers
/// differently when it is asked again gains nothing.
#[derive(Clone)]
struct Resolver(Arc<Policy>);

impl tower::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let policy = Arc::clone(&self.0);
        Box::pin(async move { allowed(&policy, name.as_str()).await.map(Vec::into_iter) })
    }
}

/// The addresses of `name` that the policy allows.
///
/// # Errors
/// When there are none.
pub(super) async fn allowed(policy: &Policy, name: &str) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await;
    let found = found.map_err(|error| io::Error::new(io::ErrorKind::NotFound, error.to_string()))?;
    let found: Vec<SocketAddr> = found.collect();
    let (allowed, forbidden): (Vec<SocketAddr>, Vec<SocketAddr>) =
        found.into_iter().partition(|address| policy.allows(address.ip()));
    match forbidden.first() {
        Some(address) if allowed.is_empty() => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{name} leads to {}, which is not a public address", address.ip()),
        )),
        _ => Ok(allowed),
    }
}

#[cfg(test)]
mod tests;
