//! The page of one charge: complete in its first response.

use axum::extract::{Path, State};
use axum::response::Response;
use bitpro_checkout_app::page::{ChargePage, PageInput};
use bitpro_merchant::Merchant;
use bitpro_merchant::urls;
use bitpro_merchant::words::lang;
use bitpro_service::charges::{ChargeOrigin, Snapshot};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::document::{Visit, merchant_view};
use super::navigation::{self, Admission};
use super::params::{ORDER_ID, PRICE, Params};
use super::{link, named};
use crate::Context;
use crate::app::App;
use crate::refusal::Refusal;

/// `GET /app/checkout/{merchant}/{charge}`
pub async fn show(
    State(app): State<App>,
    Path((merchant, charge)): Path<(String, String)>,
    context: Context,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Params::language_of(uri.query().unwrap_or_default());
    let mut visit = Visit::new(context, headers, asked);
    let (merchant, snapshot) = match named(&app, &merchant, &charge).await {
        Ok(found) => found,
        Err(refusal) => return app.refuse(&visit, refusal),
    };
    visit.enter(&merchant, asked.or(snapshot.language));
    // Nothing is made here, so only a frame that is known to be foreign is told so; the policy keeps out the rest.
    if let Admission::Refused(origin) = navigation::admission(&Method::GET, &visit.headers, &merchant, true) {
        return link::notice(&app, &mut visit, origin);
    }
    let Some(view) = app.charges.view(&snapshot) else {
        return app.refuse(&visit, Refusal::UnknownCharge);
    };
    let success_url = match app.charges.success_url(&snapshot).await {
        Ok(url) => url.or_else(|| merchant.settings.site.clone()),
        Err(error) => return app.refuse(&visit, error.into()),
    };
    let page = ChargePage {
        view,
        merchant: merchant_view(&merchant),
        lang: visit.lang(),
        epoch: app.charges.epoch(),
        path: urls::charge(merchant.id, snapshot.charge.id),
        start_again: start_again(&merchant, &snapshot, &visit),
        explorer: app.explorer.clone(),
        success_url,
        back_url: merchant.settings.site.clone(),
        languages: merchant.settings.languages.iter().copied().map(lang).collect(),
    };
    app.show(&visit, StatusCode::OK, &PageInput::Charge(Box::new(page)))
}

/// The link that makes a charge for the same order. Only a link's own charge can be made again by a link, and only while no
/// payment is known (R22), a stranger's dust that came and went aside; the page looks at the latter again whenever something happens.
fn start_again(merchant: &Merchant, snapshot: &Snapshot, visit: &Visit) -> Option<String> {
    if snapshot.origin != ChargeOrigin::Link || snapshot.charge.is_paid_into() {
        return None;
    }
    let mut pairs = vec![(PRICE.to_owned(), snapshot.charge.terms.price.0.to_string())];
    pairs.extend(snapshot.order_id.clone().map(|order| (ORDER_ID.to_owned(), order)));
    Some(urls::link_with(merchant.id, &pairs, visit.language))
}
