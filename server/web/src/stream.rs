//! The response around a stream of events.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderName, HeaderValue, header};

use super::LongLived;

/// A response of server-sent events (HTML, section 9.2) that lasts as long as `chunks` do.
pub fn event_stream(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let chunks = futures::StreamExt::map(chunks, Ok::<_, Infallible>);
    let mut response = Body::from_stream(chunks).into_response();
    response.extensions_mut().insert(LongLived);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back until its buffer is full.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}
