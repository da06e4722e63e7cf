//! One call of the API, as its handler sees it, and what the handler gives back.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use bitpro_charge::ChargeId;
use bitpro_service::charges::{Authority, Snapshot};
use bitpro_service::wire;
use bitpro_store::KeptAnswer;
use bitpro_web::RequestId;
use bitpro_web::app::App;
use bitpro_web::refusal::Refusal;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::authenticate::Caller;
use super::fields::Fields;
use super::problem::{Problem, problem_response};
use super::query::Query;

/// An authenticated request.
pub(super) struct Call {
    pub(super) app: App,
    pub(super) caller: Caller,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// The id in the path, if the route has one.
    pub(super) id: Option<String>,
    pub(super) body: Bytes,
    pub(super) request: RequestId,
}

/// What a handler gives back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// 200 with a document.
    pub(super) fn ok(document: &impl Serialize) -> Self {
        Self::of(KeptAnswer {
            status: 200,
            body: wire::json(document),
        })
    }

    /// An answer, fresh or kept.
    pub(super) fn of(answer: KeptAnswer) -> Self {
        Self {
            status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: answer.body,
            headers: Vec::new(),
        }
    }

    /// The same with one more header.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The response in the version that was asked for.
    pub(super) fn response(self, content_type: HeaderValue) -> Response {
        let mut response = if self.status.is_client_error() || self.status.is_server_error() {
            problem_response(self.status, self.body)
        } else {
            (self.status, [(header::CONTENT_TYPE, content_type)], self.body).into_response()
        };
        response.headers_mut().extend(self.headers);
        response
    }
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest Idempotency-Key, in characters.
const LONGEST_NAME: usize = 255;

impl Call {
    /// The query's parameters, of which these are known.
    pub(super) fn query(&self, known: &[&'static str]) -> Result<Query, Problem> {
        Query::read(self.uri.query().unwrap_or_default(), known)
    }

    /// The body's fields.
    pub(super) fn fields(&self) -> Result<Fields, Problem> {
        Fields::read(&self.headers, &self.body)
    }

    /// The charge that the path names. One of another merchant is as unknown here as one that never was.
    pub(super) async fn charge(&self) -> Result<Arc<Snapshot>, Problem> {
        let text = self.id.as_deref().unwrap_or_default();
        let id: ChargeId = text.parse().map_err(|_| Refusal::MalformedCharge)?;
        let found = self.app.charges.snapshot(id).await?;
        let own = found.filter(|snapshot| snapshot.charge.merchant == self.caller.merchant.id);
        Ok(own.ok_or(Refusal::UnknownCharge)?)
    }

    /// The right to change something, once.
    pub(super) fn authority(&self) -> Result<Authority, Problem> {
        Ok(Authority {
            key: self.caller.key.num,
            nonce: self.caller.nonce,
            idempotency: self.idempotency_key()?.map(|name| (name, self.fingerprint())),
        })
    }

    /// The `Idempotency-Key`, with or without the quotes of a structured header.
    fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        let mut values = self.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim();
        let bare = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text);
        let fits = (1..=LONGEST_NAME).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits || values.next().is_some() {
            return Err(Problem::malformed(
                "malformed-idempotency-key",
                "Send Idempotency-Key once, with 1 to 255 visible ASCII characters.",
            ));
        }
        Ok(Some(bare.to_owned()))
    }

    /// What is asked for: the same for the same request, whoever sends it and whenever.
    fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let path = self.uri.path_and_query().map_or("", |path| path.as_str());
        for part in [self.method.as_str().as_bytes(), path.as_bytes(), &self.body] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}
