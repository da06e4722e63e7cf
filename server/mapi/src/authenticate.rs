//! The door of the API: every request is authenticated here, and every answer to a known caller is signed (http-hmac-spec
//! 2.0; R32, R33).
//!
//! Nothing but a stable code tells what was wrong. An unknown key, a revoked one and a wrong signature have the same code and
//! cost the same work.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bitpro_charge::Timestamp;
use bitpro_limits::Standing;
use bitpro_merchant::Merchant;
use bitpro_merchant::keys::{ApiKey, KeyId, NonceError, SKEW_SECS};
use bitpro_web::app::App;
use bitpro_web::{Context, RequestId};
use bytes::Bytes;
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::hmac::{Credentials, SignedRequest, body_hash, response_signature};
use super::problem::{Problem, replayed, unavailable};
use super::{MAX_BODY, REALM, accept};

const TIMESTAMP: HeaderName = HeaderName::from_static("x-authorization-timestamp");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-authorization-content-sha256");
/// Set by proxies that have authenticated a request; a client that sends it pretends to be one.
const AUTHENTICATED_ID: HeaderName = HeaderName::from_static("x-authenticated-id");
const SERVER_SIGNATURE: HeaderName = HeaderName::from_static("x-server-authorization-hmac-sha256");

/// How far a timestamp may be from our clock, in milliseconds.
const SKEW_MS: i64 = SKEW_SECS as i64 * 1_000;
/// A key has at most two secrets; so many signatures are computed for every request.
const SECRETS: usize = 2;
/// In the place of a secret that is not there.
const NO_SECRET: [u8; 32] = [0; 32];

/// Who asks, and how.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) key: Arc<ApiKey>,
    pub(super) merchant: Arc<Merchant>,
    pub(super) nonce: [u8; 16],
    /// The content type of the answer.
    pub(super) content_type: HeaderValue,
}

/// The body, read to its end and checked.
#[derive(Debug, Clone)]
pub(super) struct ReadBody(pub(super) Bytes);

/// What the answer is signed with.
struct Signer {
    secret: Arc<[u8]>,
    nonce: String,
    timestamp: String,
}

/// A request that is what it says.
struct Known {
    key: Arc<ApiKey>,
    signed_at: Timestamp,
    nonce: [u8; 16],
    signer: Signer,
}

/// The API's layer.
pub(super) async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let id = parts
        .extensions
        .get::<Context>()
        .map_or(RequestId(0), |context| context.id);
    let is_head = parts.method == Method::HEAD;
    let known = match authenticated(&app, &parts, body).await {
        Ok((known, body)) => {
            parts.extensions.insert(ReadBody(body));
            known
        }
        Err(problem) => return problem.response(id),
    };
    let (response, standing) = match admitted(&app, &mut parts, &known).await {
        Ok(standing) => {
            let request = Request::from_parts(parts, Body::empty());
            (handled(&app, request, next, id).await, Some(standing))
        }
        Err(problem) => (problem.response(id), None),
    };
    let mut response = if is_head {
        response
    } else {
        signed(response, &known.signer).await
    };
    if let Some(standing) = standing {
        app.mapi.limit.tell(response.headers_mut(), standing);
    }
    response
}

/// A panic and a lack of time are answered here and not at the edge, so that the answer to a known caller is signed.
async fn handled(app: &App, request: Request, next: Next, id: RequestId) -> Response {
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
    let problem = match tokio::time::timeout(app.mapi.patience, handled).await {
        Ok(Ok(response)) => return response,
        Ok(Err(_)) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on the server.",
        ),
        Err(_) => unavailable("timeout", "The answer took too long."),
    };
    tracing::error!(request = %id, code = problem.code, "a request failed");
    problem.response(id)
}

/// Who sent the request, and its body.
async fn authenticated(app: &App, parts: &Parts, body: Body) -> Result<(Known, Bytes), Problem> {
    let headers = &parts.headers;
    if headers.contains_key(AUTHENTICATED_ID) {
        return Err(malformed());
    }
    let authorization = only(headers, &header::AUTHORIZATION)?.ok_or_else(malformed)?;
    let credentials = Credentials::parse(authorization).map_err(|error| {
        tracing::debug!(%error, "a request is not authenticated");
        malformed()
    })?;
    let timestamp = only(headers, &TIMESTAMP)?.ok_or_else(malformed)?;
    let signed_at = seconds(timestamp).ok_or_else(malformed)?;
    if credentials.realm != REALM || credentials.version != "2.0" {
        return Err(malformed());
    }
    // Neither reading steps back behind what was steadily seen, so that a clock set back opens no door to old requests; and a
    // moment that was wrong does not lock out those whose clocks are right (R32).
    let moment = app.charges.moment();
    let now = moment.now;
    if (moment.closest(signed_at).0 - signed_at.0).abs() > SKEW_MS {
        return Err(Problem::unauthorized(
            "timestamp-skew",
            "The timestamp is more than 900 seconds away from the server's clock.",
        ));
    }
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-encoding",
            "Send the body without Content-Encoding.",
        ));
    }
    let body = read(body).await?;
    let hash = only(headers, &CONTENT_HASH)?;
    let content_type = only(headers, &header::CONTENT_TYPE)?.unwrap_or_default();
    let is_whole = match (body.is_empty(), hash) {
        (true, None) => true,
        (false, None) => return Err(malformed()),
        (_, Some(hash)) => hash == body_hash(&body),
    };
    let signed_headers = values(headers, &credentials)?;
    let request = SignedRequest {
        method: parts.method.as_str(),
        host: host(parts).ok_or_else(malformed)?,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &signed_headers,
        timestamp,
        body: hash.filter(|_| !body.is_empty()).map(|hash| (content_type, hash)),
    };
    let key = credentials.id.parse::<KeyId>().ok().and_then(|id| app.charges.key(id));
    let (key, secret) = signed_by(&request, &credentials, key, now).ok_or_else(unknown)?;
    if !is_whole {
        return Err(unknown());
    }
    let nonce = credentials.nonce.parse::<KeyId>().map_err(|_| malformed())?.0;
    let signer = Signer {
        secret,
        nonce: credentials.nonce,
        timestamp: timestamp.to_owned(),
    };
    let known = Known {
        key,
        signed_at,
        nonce,
        signer,
    };
    Ok((known, body))
}

/// The key and the secret that signed the request. As many signatures are computed whether the key is there or not.
fn signed_by(
    request: &SignedRequest<'_>,
    credentials: &Credentials,
    key: Option<Arc<ApiKey>>,
    now: Timestamp,
) -> Option<(Arc<ApiKey>, Arc<[u8]>)> {
    let live: Vec<Arc<[u8]>> = key
        .iter()
        .flat_map(|key| key.live_secrets(now))
        .map(|secret| Arc::clone(&secret.bytes))
        .take(SECRETS)
        .collect();
    let mut found = None;
    for i in 0..SECRETS {
        let secret = live.get(i);
        let fits = request.is_signed_by(secret.map_or(&NO_SECRET[..], |secret| secret), credentials);
        if let Some(secret) = secret.filter(|_| fits) {
            found = Some(Arc::clone(secret));
        }
    }
    key.zip(found)
}

/// Lets a known caller in: once for each nonce, within their limit, in a version that there is.
async fn admitted(app: &App, parts: &mut Parts, known: &Known) -> Result<Standing, Problem> {
    let moment = app.charges.moment();
    let now = moment.now;
    let taken = app
        .mapi
        .nonces
        .take(known.key.num, known.nonce, known.signed_at, moment)
        .await;
    taken.map_err(|error| match error {
        NonceError::Replayed => replayed(),
        NonceError::Forgotten { until } => {
            let secs = moment.closest(known.signed_at).secs_until(until).saturating_add(1);
            unavailable(
                "restarted",
                "The server was restarted and cannot tell yet whether this request is a replay. Sign it again.",
            )
            .retry_after(secs)
        }
        NonceError::NotKept => unavailable("storage-unavailable", "Requests cannot be admitted now."),
    })?;
    known.key.note_used(now);
    let standing = app.mapi.limit.take(known.key.num, now).map_err(|wait| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many requests with this key. See Retry-After.",
        )
        .retry_after(wait.0)
    })?;
    let merchant = app.charges.merchant(known.key.merchant).ok_or_else(unknown)?;
    parts.extensions.insert(Caller {
        key: Arc::clone(&known.key),
        merchant,
        nonce: known.nonce,
        content_type: accept::content_type(&parts.headers)?,
    });
    Ok(standing)
}

async fn signed(response: Response, signer: &Signer) -> Response {
    let (mut parts, body) = response.into_parts();
    // Answers of the API are whole in memory already.
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be read");
            Bytes::new()
        }
    };
    let signature = response_signature(&signer.secret, &signer.nonce, &signer.timestamp, &body);
    let signature = HeaderValue::try_from(signature).expect("base64 makes a header");
    parts.headers.insert(SERVER_SIGNATURE, signature);
    Response::from_parts(parts, Body::from(body))
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            format!("The body has more than {MAX_BODY} bytes."),
        )),
        Err(_) => Err(Problem::malformed("body-cut-off", "The request body was truncated.")),
    }
}

/// The host that was asked for: in HTTP/2 the authority, in HTTP/1.1 the header. The edge has seen that it is ours.
fn host(parts: &Parts) -> Option<&str> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => parts.headers.get(header::HOST)?.to_str().ok(),
    }
}

/// The values of the headers that are signed too. One that is missing has no line of its own, so the signature cannot fit.
fn values(headers: &HeaderMap, credentials: &Credentials) -> Result<Vec<String>, Problem> {
    let value = |name: &String| {
        let name = HeaderName::try_from(name).map_err(|_| malformed())?;
        only(headers, &name)?.map(str::to_owned).ok_or_else(malformed)
    };
    credentials.signed_headers.iter().map(value).collect()
}

/// The value of a header that stands there at most once: of two, nobody knows which one was signed.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| malformed()),
        (Some(_), Some(_)) => Err(malformed()),
    }
}

/// Unix seconds in plain digits.
fn seconds(text: &str) -> Option<Timestamp> {
    let is_plain = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let secs: i64 = text.parse().ok().filter(|_| is_plain)?;
    Some(Timestamp(secs * 1_000))
}

fn malformed() -> Problem {
    Problem::unauthorized(
        "authorization-malformed",
        "The request is not signed as http-hmac-spec 2.0 requires, or one of its headers is missing.",
    )
}

fn unknown() -> Problem {
    Problem::unauthorized(
        "signature-invalid",
        "The key is unknown, or the signature does not match it.",
    )
}
