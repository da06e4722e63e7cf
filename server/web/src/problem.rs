//! Problems for machines: RFC 9457, with a stable code.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::RequestId;

/// What is wrong with a request whose answer is JSON or a stream. The code is stable; the title may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// What is wrong, in kebab-case.
    pub code: &'static str,
    /// The same in English.
    pub title: String,
    /// When to come back, in seconds.
    pub retry_after: Option<u32>,
    /// The request's name.
    pub request: RequestId,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    request_id: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: &self.title,
            status: self.status.as_u16(),
            code: self.code,
            request_id: self.request.to_string(),
        };
        let body = serde_json::to_vec(&document).expect("texts and numbers always serialize");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(secs) = self.retry_after {
            headers.insert(header::RETRY_AFTER, secs.into());
        }
        response
    }
}
