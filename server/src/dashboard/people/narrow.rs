//! Pages of one form: as they are asked for, and once more with what was wrong.

use axum::response::Response;
use http::{StatusCode, header};
use maud::Markup;

use crate::accounts::AccountError;
use crate::dashboard::layout;
use crate::dashboard::route::Request;
use crate::words::Words;

/// The page as it was asked for.
pub(super) fn shown(request: &Request, title: Words, content: &Markup) -> Response {
    layout::narrow(request, StatusCode::OK, title.of(request.language), content)
}

/// The form once more, with what was typed and what was wrong about it.
pub(super) fn again(request: &Request, title: Words, content: &Markup) -> Response {
    layout::narrow(
        request,
        StatusCode::UNPROCESSABLE_ENTITY,
        title.of(request.language),
        content,
    )
}

/// The same after the accounts have refused it, which may be for being tried too often.
pub(super) fn refused(request: &Request, title: Words, content: &Markup, error: &AccountError) -> Response {
    waiting(again(request, title, content), error)
}

/// A page with what was wrong; where that is that it came too often, the status says so, and when to come back.
pub(super) fn waiting(mut response: Response, error: &AccountError) -> Response {
    if let AccountError::TooMany(secs) = *error {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(header::RETRY_AFTER, secs.into());
    }
    response
}
