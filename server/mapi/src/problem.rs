//! Problems of the API: RFC 9457 with a stable code.

use axum::response::{IntoResponse, Response};
use bitpro_service::charges::{AuthorityError, CommandError, CreateError};
use bitpro_store::{KeptAnswer, StoreError};
use bitpro_web::RequestId;
use bitpro_web::refusal::Refusal;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

/// Why a request was not carried out. The code is stable; the title may change.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// What is wrong, in kebab-case.
    pub code: &'static str,
    /// The same in English.
    pub title: String,
    /// When to come back, in seconds.
    pub retry_after: Option<u32>,
    /// Further members.
    pub more: Map<String, Value>,
}

/// When to come back to something that the operator has to mend, in seconds.
const SOON: u32 = 30;

impl Problem {
    /// A problem.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self {
            status,
            code,
            title: title.into(),
            retry_after: None,
            more: Map::new(),
        }
    }

    /// 400.
    #[must_use]
    pub fn malformed(code: &'static str, title: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, title)
    }

    /// 422.
    #[must_use]
    pub fn refused(code: &'static str, title: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title)
    }

    /// 401: the caller is not known. It says no more than the code.
    #[must_use]
    pub fn unauthorized(code: &'static str, title: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, title)
    }

    /// The same, naming the field or parameter that is meant.
    #[must_use]
    pub fn about(self, field: &str) -> Self {
        self.with("field", json!(field))
    }

    /// The same, with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The same, to be tried again.
    #[must_use]
    pub const fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after = Some(secs);
        self
    }

    /// The document.
    #[must_use]
    pub fn body(&self, request: RequestId) -> Bytes {
        let mut document = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "code": self.code,
            "request_id": request.to_string(),
        });
        let members = document.as_object_mut().expect("it was made as an object");
        members.extend(self.more.clone());
        document.to_string().into()
    }

    /// The response.
    #[must_use]
    pub fn response(&self, request: RequestId) -> Response {
        let mut response = problem_response(self.status, self.body(request));
        if let Some(secs) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, secs.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("acquia-http-hmac realm=\"Bitpro\",version=\"2.0\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }

    /// The answer that is kept for the same request.
    #[must_use]
    pub fn kept(&self, request: RequestId) -> KeptAnswer {
        KeptAnswer {
            status: self.status.as_u16(),
            body: self.body(request),
        }
    }
}

/// A response with a problem's document.
pub(super) fn problem_response(status: StatusCode, body: Bytes) -> Response {
    let problem = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, problem)], body).into_response()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let same = refusal.into_problem(RequestId(0));
        Self {
            retry_after: same.retry_after,
            ..Self::new(same.status, same.code, same.title)
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Refusal::from(error).into()
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        Refusal::from(error).into()
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        use bitpro_charge::Refusal as Refused;
        let conflict = |code, title: String| Self::new(StatusCode::CONFLICT, code, title);
        match error {
            CommandError::UnknownCharge => Refusal::UnknownCharge.into(),
            CommandError::ChainHeld => conflict("chain-held", error.to_string()),
            CommandError::Refused(refused) => match refused {
                Refused::Stale(sequence) => {
                    conflict("stale-sequence", refused.to_string()).with("sequence", json!(sequence))
                }
                Refused::NoLiveMoney => conflict("no-live-payment", refused.to_string()),
                Refused::NothingToAccept => conflict("nothing-to-accept", refused.to_string()),
                Refused::NotPending => conflict("not-pending", refused.to_string()),
            },
            CommandError::Store(error) => error.into(),
        }
    }
}

impl From<AuthorityError> for Problem {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Replayed => replayed(),
            AuthorityError::OtherRequest => Self::new(
                StatusCode::CONFLICT,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request within 24 hours.",
            ),
            AuthorityError::Store(error) => error.into(),
        }
    }
}

/// The nonce was used.
pub(super) fn replayed() -> Problem {
    Problem::unauthorized(
        "nonce-replayed",
        "The nonce was already used. Sign each request with a fresh one.",
    )
}

/// Something that the operator has to mend.
pub(super) fn unavailable(code: &'static str, title: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, title).retry_after(SOON)
}
