//! The log of events, for whoever missed webhooks (R31, R36): the same objects that webhooks carry, oldest first.

use bitpro_service::wire::EventObject;
use futures::future::BoxFuture;
use serde::Serialize;

use super::call::{Call, Reply};
use super::cursor;
use super::problem::Problem;

#[derive(Serialize)]
struct Page {
    events: Vec<EventObject>,
    /// Where to go on; it is there also at the end, for later.
    next_cursor: String,
    has_more: bool,
}

/// `GET /mapi/events`
pub(super) fn list(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let query = call.query(&["after", "per_page"])?;
        let epoch = call.app.charges.epoch();
        let per_page = query.per_page()?;
        let after = query
            .text("after")
            .map(|text| cursor::read('e', &epoch, text))
            .transpose()?;
        let after = after.map_or(0, |(place, _)| place);
        let url = call.app.public_url.origin();
        let merchant = call.caller.merchant.id;
        let mut told = call
            .app
            .charges
            .events_after(merchant, after, per_page + 1, url)
            .await?;
        let fits = usize::try_from(per_page).unwrap_or(usize::MAX);
        let has_more = told.len() > fits;
        told.truncate(fits);
        let place = told.last().map_or(after, |last| last.num);
        Ok(Reply::ok(&Page {
            events: told.into_iter().map(|told| told.event).collect(),
            next_cursor: cursor::write('e', &epoch, place, 1),
            has_more,
        }))
    })
}
