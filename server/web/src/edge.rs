//! What every request passes: its name, the client's address, the host it asks for, a limit of time, panics, headers,
//! the log and the metrics.

use std::iter;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bitpro_base::client::{client_of, is_proxied};
use bitpro_config::PublicUrl;
use bitpro_limits::{self as limits};
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ipnet::IpNet;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::noted::{Noted, Outcome};
use super::{Bodies, Context, Peer, Problem, RequestId, RequestIds, headers, knocks};

/// Says a problem to a browser, which wants a page.
pub type Page = Box<dyn Fn(Problem, HeaderMap) -> Response + Send + Sync>;

/// What the edge needs to know.
pub struct Edge {
    /// Our own address: requests for another host are refused.
    pub public_url: PublicUrl,
    /// The dashboard's own address, if it has one. Nothing of shoppers is served there, so that nothing that stands on their
    /// pages comes near a session.
    pub dashboard_url: Option<PublicUrl>,
    /// Proxies whose word is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long an answer may take to begin.
    pub request_timeout: Duration,
    /// Names for requests.
    pub ids: RequestIds,
    /// Whether the log has told of a proxy that is not trusted.
    pub told_of_proxy: AtomicBool,
    /// What the log says of requests.
    pub noted: Noted,
    /// Bodies that are still to come.
    pub bodies: Bodies,
    /// How a browser is told of a problem.
    pub page: Page,
}

/// The longest path and query that is looked at.
pub(crate) const LONGEST_URI: usize = 8 * 1024;
/// The longest head that is looked at, in bytes: its first line and its fields.
pub const LONGEST_HEAD: usize = 16 * 1024;
/// Asked by machines that know our address, not our name.
const UNDER_ANY_HOST: [&str; 2] = ["/healthz", "/readyz"];

/// What is never served under the dashboard's own address.
const FOR_SHOPPERS: [&str; 4] = ["/app/checkout/", "/libs/", "/mapi/", "/docs"];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer.
pub async fn pass(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let asked = edge.asked(&request);
    let context = Context {
        id: edge.ids.next(),
        client: client(&edge, &request),
        is_dashboards: asked.is_some() && asked == edge.dashboard_url.as_ref(),
    };
    request.extensions_mut().insert(context);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    // The request is gone when its handler fails, so what a page of it would need is kept.
    let browser = wants_page(request.headers()).then(|| request.headers().clone());
    let is_https = asked.unwrap_or(&edge.public_url).is_https();
    let answer = match refused(&request, asked, context) {
        Some(problem) => Err(problem),
        None => answered(&edge, request, next, context.id).await,
    };
    let mut response = match (answer, browser) {
        (Ok(response), _) => response,
        (Err(problem), Some(headers)) => (edge.page)(problem, headers),
        (Err(problem), None) => problem.into_response(),
    };
    headers::add_common(response.headers_mut(), is_https);
    let id = HeaderValue::try_from(context.id.to_string()).expect("hexadecimal digits make a header");
    response.headers_mut().insert(REQUEST_ID, id);

    // The route and not the path: the path holds the charge's id, which is a capability, and the query an e-mail (R37).
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status().as_u16();
    let taken = started.elapsed();
    metrics::histogram!("bitpro_http_request_seconds", "route" => route.to_owned(), "status" => status.to_string())
        .record(taken.as_secs_f64());
    edge.noted.note(Outcome {
        context,
        method: &method,
        route,
        status,
        taken,
    });
    response
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn answered(edge: &Edge, request: Request, next: Next, id: RequestId) -> Result<Response, Problem> {
    let (request, gave_way) = edge.bodies.admit(request);
    let answer = answered_in_time(edge, request, next, id).await;
    // What its handler made of half a body is no answer.
    if gave_way.is_some_and(|gave_way| gave_way.is_cancelled()) {
        return Err(Problem {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "busy",
            title: "Too many requests are on their way, and this one took longest.".to_owned(),
            retry_after: Some(5),
            request: id,
        });
    }
    answer
}

async fn answered_in_time(edge: &Edge, request: Request, next: Next, id: RequestId) -> Result<Response, Problem> {
    // Whatever is told on the way is told with the request's name.
    let span = tracing::error_span!("request", %id);
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span);
    let problem = match tokio::time::timeout(edge.request_timeout, handled).await {
        Ok(Ok(response)) => return Ok(response),
        // The panic's own message and place were told by the hook of telemetry.
        Ok(Err(_)) => Problem {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal",
            title: "Something went wrong on the server.".to_owned(),
            retry_after: None,
            request: id,
        },
        Err(_) => Problem {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "timeout",
            title: "The answer took too long.".to_owned(),
            retry_after: Some(5),
            request: id,
        },
    };
    tracing::error!(request = %id, code = problem.code, "a request failed");
    Err(problem)
}

fn client(edge: &Edge, request: &Request) -> IpAddr {
    let peer = request
        .extensions()
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip().to_canonical());
    let client = client_of(peer, request.headers(), &edge.trusted_proxies);
    let is_unknown_proxy = is_proxied(request.headers()) && !is_trusted(&edge.trusted_proxies, peer);
    if is_unknown_proxy && !edge.told_of_proxy.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            %peer,
            "requests come through a proxy that is not in trusted_proxies: all its clients share one limit"
        );
    }
    client
}

fn is_trusted(trusted: &[IpNet], peer: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(&peer))
}

/// Why nothing is served here; `asked` is the address of ours that the request was sent to.
fn refused(request: &Request, asked: Option<&PublicUrl>, context: Context) -> Option<Problem> {
    let refuse = |status, code, title: &str| {
        Some(Problem {
            status,
            code,
            title: title.to_owned(),
            retry_after: None,
            request: context.id,
        })
    };
    let uri = request.uri();
    if uri
        .path_and_query()
        .is_some_and(|text| text.as_str().len() > LONGEST_URI)
    {
        limits::refused("request_uri");
        return refuse(StatusCode::URI_TOO_LONG, "uri-too-long", "The address is too long.");
    }
    if head_bytes(request) > LONGEST_HEAD {
        limits::refused("request_head");
        let (status, title) = (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "The head of the request is too long.",
        );
        return refuse(status, "head-too-long", title);
    }
    if names_two_hosts(request) {
        return refuse(
            StatusCode::BAD_REQUEST,
            "conflicting-host",
            "The request is for one host in its first line and for another in its Host field.",
        );
    }
    if UNDER_ANY_HOST.contains(&uri.path()) || uri.path().starts_with(knocks::PATH) {
        return None;
    }
    if asked.is_none() {
        return refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown-host",
            "This server does not answer for that host: see public_url in its configuration.",
        );
    }
    if context.is_dashboards && FOR_SHOPPERS.iter().any(|path| uri.path().starts_with(path)) {
        return refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown-host",
            "This is served at the checkout's address only, not at the dashboard's.",
        );
    }
    None
}

/// The size of a head as HTTP/1.1 writes it. What reads it stops somewhere above its own limit, depending on how the bytes come in.
fn head_bytes(request: &Request) -> usize {
    let fields = request.headers().iter();
    let fields: usize = fields.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let line = request.uri().path_and_query().map_or(1, |path| path.as_str().len());
    request.method().as_str().len() + line + fields
}

/// Whether the authority of the first line (that of HTTP/2, or an absolute address) and the field `Host` are not the same: what
/// stands in front of us may have judged by the other one.
fn names_two_hosts(request: &Request) -> bool {
    let Some(authority) = request.uri().authority() else {
        return false;
    };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    hosts.any(|host| !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()))
}

/// The one host that a request is for, with its port. HTTP/2 has it in the URI, HTTP/1.1 in the header; two of the latter are a smuggler's
/// trick.
pub fn authority(request: &Request) -> Option<&str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (request.uri().authority(), hosts.next(), hosts.next()) {
        (_, _, Some(_)) => None,
        (Some(authority), _, None) => Some(authority.as_str()),
        (None, host, None) => host.and_then(|host| host.to_str().ok()),
    }
}

impl Edge {
    /// The address of ours that a request was sent to, if it was sent to one.
    fn asked(&self, request: &Request) -> Option<&PublicUrl> {
        let authority = authority(request)?;
        let mut ours = iter::once(&self.public_url).chain(&self.dashboard_url);
        ours.find(|url| url.is_authority(authority))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    fn router() -> Router {
        let edge = Edge {
            public_url: "http://localhost".parse().unwrap(),
            dashboard_url: None,
            trusted_proxies: Vec::new(),
            request_timeout: Duration::from_millis(20),
            ids: RequestIds::new([1; 16]),
            told_of_proxy: AtomicBool::new(false),
            noted: Noted::new(false),
            bodies: Bodies::default(),
            page: Box::new(|problem, _| (problem.status, "a page").into_response()),
        };
        Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/healthz", get(|| async { "ok" }))
            .route("/panic", get(|| async { panic!("on purpose") as &str }))
            .route("/hang", get(std::future::pending::<&str>))
            .layer(axum::middleware::from_fn_with_state(Arc::new(edge), pass))
    }

    async fn asked(path: &str, accept: &str) -> Response {
        let request = Request::get(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, accept);
        router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn whoever_names_two_hosts_is_refused_also_where_any_host_is_served() {
        for (uri, host, status) in [
            ("http://localhost/", None, 200),
            ("http://localhost/", Some("localhost"), 200),
            ("http://localhost/", Some("LOCALHOST"), 200),
            ("http://localhost/", Some("evil.example"), 400),
            ("http://evil.example/", Some("localhost"), 400),
            ("http://localhost/healthz", Some("evil.example"), 400),
            ("http://evil.example/", Some("evil.example"), 421),
            ("/", Some("evil.example"), 421),
        ] {
            let mut request = Request::get(uri);
            if let Some(host) = host {
                request = request.header(header::HOST, host);
            }
            let answer = router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{uri} with {host:?}");
        }
    }

    #[tokio::test]
    async fn a_head_is_taken_up_to_its_limit_and_no_further() {
        // "GET", "/", and the field for the host with what HTTP writes around it.
        let else_in_it = 3 + 1 + "hostlocalhost".len() + 4 + "x-long".len() + 4;
        for (size, status) in [(LONGEST_HEAD, 200), (LONGEST_HEAD + 1, 431)] {
            let long = "x".repeat(size - else_in_it);
            let request = Request::get("/")
                .header(header::HOST, "localhost")
                .header("x-long", long);
            let answer = router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), status);
        }
    }

    #[tokio::test]
    async fn a_panic_and_a_handler_that_hangs_are_answered() {
        for (path, status) in [("/panic", 500), ("/hang", 503)] {
            let problem = asked(path, "*/*").await;
            assert_eq!(problem.status(), status);
            assert_eq!(problem.headers()[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(problem.headers()[header::CACHE_CONTROL], "no-store");
            assert_eq!(problem.headers()[REQUEST_ID].len(), 16);
            let page = asked(path, "text/html,*/*").await;
            assert_eq!(page.status(), status);
            assert!(
                page.headers()[header::CONTENT_TYPE]
                    .to_str()
                    .unwrap()
                    .starts_with("text/plain")
            );
        }
    }
}
