//! Instants on these pages: by the merchant's clock.

use bitpro_charge::Timestamp;
use bitpro_merchant::Zone;
use bitpro_merchant::times::{Times, machine};
use maud::{Markup, html};

use crate::route::Request;

/// An instant, to the minute.
pub(crate) fn when(request: &Request, at: Timestamp) -> Markup {
    let utc = Zone::default();
    let member = request.member.as_ref();
    let zone = member.map_or(&utc, |member| &member.merchant.settings.time_zone);
    html! { time datetime=(machine(at)) { (Times::new(zone, request.language).minute(at)) } }
}

/// An instant that is written already, as in `2018-05-10T12:12:35Z`.
pub(super) fn when_written(request: &Request, iso: &str) -> Markup {
    match iso.parse::<jiff::Timestamp>() {
        Ok(at) => when(request, Timestamp(at.as_millisecond())),
        Err(_) => html! { (iso) },
    }
}
