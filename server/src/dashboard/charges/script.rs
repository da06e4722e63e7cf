//! The one script of the dashboard, which works without it.

use axum::response::{IntoResponse as _, Response};
use futures::future::BoxFuture;
use http::{HeaderValue, header};
use maud::{Markup, html};

use crate::checkout::refusal::Refusal;
use crate::dashboard::route::Request;

/// Where it is.
pub(super) const PATH: &str = "/dashboard.js";

const SCRIPT: &str = include_str!("../../../../static/dashboard.js");
/// Long enough for somebody who goes from page to page, short enough for an upgrade.
const LIFETIME: HeaderValue = HeaderValue::from_static("public, max-age=600");

/// `GET /dashboard.js`
pub(super) fn show(_: Request) -> BoxFuture<'static, Result<Response, Refusal>> {
    Box::pin(async {
        let mut response = SCRIPT.into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/javascript; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, LIFETIME);
        Ok(response)
    })
}

/// The element that runs it, under the page's policy.
pub(super) fn element(request: &Request) -> Markup {
    html! { script src=(PATH) nonce=(request.nonce.as_str()) defer {} }
}
