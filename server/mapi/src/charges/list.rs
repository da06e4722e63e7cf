//! The list of charges: newest first, by page or by cursor (R36).

use bitpro_base::instants::read_instant;
use bitpro_charge::State;
use bitpro_service::charges::{Cursor, Filter, Snapshot};
use bitpro_service::wire::ChargeObject;
use futures::future::BoxFuture;
use http::{HeaderValue, header};
use serde::Serialize;

use crate::call::{Call, Reply};
use crate::cursor;
use crate::problem::Problem;
use crate::query::Query;

/// The parameters.
const KNOWN: [&str; 7] = [
    "page",
    "per_page",
    "cursor",
    "state",
    "external_order_id",
    "created_from",
    "created_to",
];

#[derive(Serialize)]
struct Page {
    charges: Vec<ChargeObject>,
    /// Ids of charges that belong here and cannot be read.
    unreadable: Vec<String>,
    page: u32,
    next_cursor: Option<String>,
}

/// `GET /mapi/charges`
pub(crate) fn list(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let query = call.query(&KNOWN)?;
        let epoch = call.app.charges.epoch();
        let asked = query.number("page", 1, u32::MAX)?;
        let per_page = query.per_page()?;
        let cursor = query
            .text("cursor")
            .map(|text| cursor::read('c', &epoch, text))
            .transpose()?;
        let (after, page) = match cursor {
            // A cursor knows its page; another one beside it would contradict it.
            Some((_, page)) if asked.is_some_and(|asked| asked != page) => {
                let title = format!("The cursor already names page {page}. Leave page out.");
                return Err(Problem::malformed("contradicting-page", title).about("page"));
            }
            Some((place, page)) => (Some(Cursor(place)), page),
            None => (None, asked.unwrap_or(1)),
        };
        let mut filter = filter(&call, &query)?;
        if after.is_none() {
            filter.skip = u64::from(page - 1) * u64::from(per_page);
        }
        let found = call.app.charges.list(filter, after, per_page).await?;
        let snapshots: Vec<&Snapshot> = found.charges.iter().collect();
        let url = call.app.public_url.origin();
        let next = found
            .next
            .map(|Cursor(place)| cursor::write('c', &epoch, place, page.saturating_add(1)));
        let links = links(&format!("{url}/mapi/charges"), &query, page, next.as_deref());
        let document = Page {
            charges: call.app.charges.charge_objects(&snapshots, url).await?,
            unreadable: found.unreadable.iter().map(ToString::to_string).collect(),
            page,
            next_cursor: next,
        };
        Ok(Reply::ok(&document).header(header::LINK, links))
    })
}

fn filter(call: &Call, query: &Query) -> Result<Filter, Problem> {
    let instant = |name: &str| {
        let wanted = format!("{name} is not a time such as 2018-05-10T12:12:35Z.");
        query.parsed(name, &wanted, read_instant)
    };
    Ok(Filter {
        merchant: Some(call.caller.merchant.id),
        state: query.parsed(
            "state",
            "state is not one of pending, seen, confirmed, timedout, failed.",
            |text| text.parse::<State>().ok(),
        )?,
        order_id: query.text("external_order_id").map(str::to_owned),
        created_from: instant("created_from")?,
        created_to: instant("created_to")?,
        skip: 0,
    })
}

/// RFC 8288: where the other pages are. The next one is named by its cursor, so that charges made meanwhile shift nothing.
fn links(url: &str, query: &Query, page: u32, next: Option<&str>) -> HeaderValue {
    let link = |more: Option<(&str, String)>, rel: &str| {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(query.iter().filter(|(name, _)| !["page", "cursor"].contains(name)));
        if let Some((name, value)) = more {
            pairs.append_pair(name, &value);
        }
        let pairs = pairs.finish();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("<{url}{mark}{pairs}>; rel=\"{rel}\"")
    };
    let mut links = vec![link(None, "first")];
    if page > 1 {
        links.push(link(Some(("page", (page - 1).to_string())), "prev"));
    }
    if let Some(next) = next {
        links.push(link(Some(("cursor", next.to_owned())), "next"));
    }
    HeaderValue::try_from(links.join(", ")).expect("what is percent-encoded makes a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_filters_and_name_the_next_page_by_its_cursor() {
        let query = Query::read("page=2&state=seen&external_order_id=a%26b", &KNOWN).unwrap();
        assert_eq!(
            links("https://pay.example/mapi/charges", &query, 2, Some("abc")),
            "<https://pay.example/mapi/charges?external_order_id=a%26b&state=seen>; rel=\"first\", \
             <https://pay.example/mapi/charges?external_order_id=a%26b&state=seen&page=1>; rel=\"prev\", \
             <https://pay.example/mapi/charges?external_order_id=a%26b&state=seen&cursor=abc>; rel=\"next\""
        );
    }
}
