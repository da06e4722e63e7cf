//! The scripts of the dashboard, which works without them.

use axum::response::{IntoResponse as _, Response};
use futures::future::BoxFuture;
use http::{HeaderValue, header};
use maud::{Markup, html};

use super::route::{self, Access, Reply, Request, Route};
use crate::refusals::Refusal;

/// The script of lists and receipts.
pub(super) const LISTS: &str = "/dashboard.js";
/// The script of passkeys.
pub(super) const PASSKEYS: &str = "/passkeys.js";

/// Where they are.
pub(super) static ROUTES: &[Route] = &[
    route::get(LISTS, Access::Anyone, lists),
    route::get(PASSKEYS, Access::Anyone, passkeys),
];

/// Long enough for somebody who goes from page to page, short enough for an upgrade.
const LIFETIME: HeaderValue = HeaderValue::from_static("public, max-age=600");

fn lists(_: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async { Ok(served(include_str!("../../../static/dashboard.js")).into()) })
}

fn passkeys(_: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async { Ok(served(include_str!("../../../static/passkeys.js")).into()) })
}

fn served(script: &'static str) -> Response {
    let mut response = script.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/javascript; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, LIFETIME);
    response
}

/// The element that runs one, under the page's policy.
pub(super) fn element(request: &Request, script: &str) -> Markup {
    html! { script src=(script) nonce=(request.nonce.as_str()) defer {} }
}
