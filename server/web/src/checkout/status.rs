//! The poll: the charge as JSON, for a browser whose stream does not open, and for scripts.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bitpro_charge::wire::NodeView;
use bitpro_service::charges::Snapshot;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::named;
use crate::Context;
use crate::app::App;

/// `GET /app/checkout/{merchant}/{charge}/status`
pub async fn read(
    State(app): State<App>,
    Path((merchant, charge)): Path<(String, String)>,
    context: Context,
    headers: HeaderMap,
) -> Response {
    let snapshot = match named(&app, &merchant, &charge).await {
        Ok((_, snapshot)) => snapshot,
        Err(refusal) => return refusal.into_problem(context.id).into_response(),
    };
    let etag = etag(&app, &snapshot);
    let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == etag);
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        app.charges.view_json(&snapshot).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ETAG, etag);
    response
}

/// Everything that a view depends on but the clock itself: the log, the tip, the node, and whether the window is open.
fn etag(app: &App, snapshot: &Snapshot) -> HeaderValue {
    let charge = &snapshot.charge;
    let tip = app.charges.stored_tip().map_or(0, |tip| tip.block.height);
    let node = match app.charges.node_condition() {
        NodeView::Ready => 'r',
        NodeView::Syncing => 's',
        NodeView::Away => 'a',
    };
    let open = if charge.is_payable(app.clock.now()) { 'o' } else { 'c' };
    let tag = format!("\"{}.{}.{tip}{node}{open}\"", app.charges.epoch(), charge.sequence);
    HeaderValue::try_from(tag).expect("epochs are hexadecimal, the rest is digits and letters")
}
