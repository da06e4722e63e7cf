//! Pages with one form and nothing else: as first shown, and again with what was wrong.

use bitpro_merchant::words::Words;
use bitpro_service::accounts::AccountError;
use http::{StatusCode, header};
use maud::Markup;

use crate::layout;
use crate::route::{Reply, Request};

/// The page as it was asked for.
pub(super) fn shown(request: &Request, title: Words, content: &Markup) -> Reply {
    layout::narrow(request, StatusCode::OK, title.of(request.language), content)
}

/// The form once more, with what was typed and what was wrong about it.
pub(super) fn again(request: &Request, title: Words, content: &Markup) -> Reply {
    layout::narrow(
        request,
        StatusCode::UNPROCESSABLE_ENTITY,
        title.of(request.language),
        content,
    )
}

/// The same after the accounts have refused it, which may be for being tried too often.
pub(super) fn refused(request: &Request, title: Words, content: &Markup, error: &AccountError) -> Reply {
    waiting(again(request, title, content), error)
}

/// A page with what was wrong; where that is that it came too often, the status says so, and when to come back.
pub(super) fn waiting(mut reply: Reply, error: &AccountError) -> Reply {
    if let AccountError::TooMany(secs) = *error {
        *reply.response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        reply.headers_mut().insert(header::RETRY_AFTER, secs.into());
    }
    reply
}
