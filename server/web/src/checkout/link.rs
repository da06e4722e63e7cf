//! The payment link: from parameters to a charge, to a question, or to the outcome of a charge that is paid (R22 to R26).

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bitpro_base::client::Client;
use bitpro_charge::{Cents, MerchantId, PriceError, Timestamp};
use bitpro_checkout_app::page::{AmountForm, AmountRefused, Confirm, FrameNotice, Outcome, PageInput, PaidOutcome};
use bitpro_checkout_app::price;
use bitpro_limits::{Press, Spent};
use bitpro_merchant::Merchant;
use bitpro_merchant::urls;
use bitpro_service::charges::{CreateError, Follower, LinkOutcome, NewCharge};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::document::{Visit, merchant_view};
use super::navigation::{self, Admission};
use super::params::{PRESS, Params};
use super::signature::is_signed;
use crate::Context;
use crate::app::App;
use crate::refusal::Refusal;

/// `GET /app/checkout/{merchant}`
pub async fn show(
    State(app): State<App>,
    Path(merchant): Path<String>,
    context: Context,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    answer(
        &app,
        context,
        headers,
        &method,
        &merchant,
        uri.query().unwrap_or_default(),
    )
    .await
}

/// `POST /app/checkout/{merchant}`: our own button and amount form.
pub async fn press(
    State(app): State<App>,
    Path(merchant): Path<String>,
    context: Context,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = body
        .map_err(|rejection| Refusal::MalformedForm(rejection.status()))
        .and_then(|body| form(&headers, &body));
    match form {
        Ok(form) => answer(&app, context, headers, &Method::POST, &merchant, &form).await,
        Err(refusal) => app.refuse(&Visit::new(context, headers, None), refusal),
    }
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    // A button without fields sends none; anything else must say that it is a form.
    if !body.is_empty() && !essence.is_some_and(|it| it.eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        return Err(Refusal::MalformedForm(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    // Encoded as it is, a form is ASCII; whoever sends other bytes means no form.
    String::from_utf8(body.to_vec()).map_err(|_| Refusal::MalformedForm(StatusCode::BAD_REQUEST))
}

async fn answer(
    app: &App,
    context: Context,
    headers: HeaderMap,
    method: &Method,
    merchant: &str,
    encoded: &str,
) -> Response {
    let mut visit = Visit::new(context, headers, Params::language_of(encoded));
    match follow(app, &mut visit, context.client.into(), method, merchant, encoded).await {
        Ok(response) => response,
        Err(refusal) => app.refuse(&visit, refusal),
    }
}

async fn follow(
    app: &App,
    visit: &mut Visit,
    client: Client,
    method: &Method,
    merchant: &str,
    encoded: &str,
) -> Result<Response, Refusal> {
    let id: MerchantId = merchant.parse().map_err(|_| Refusal::MalformedMerchant)?;
    let merchant = app.charges.merchant(id).ok_or(Refusal::UnknownMerchant)?;
    visit.enter(&merchant, Params::language_of(encoded));
    let now = app.clock.now();
    let params = Params::parse(encoded, merchant.settings.price_limit);
    let token = params.as_ref().ok().and_then(|params| params.press.as_deref());
    let press = app.presses.read(token, id, client, now);

    // Before anything else is told: a page of the merchant must not appear where they have not allowed it (R24).
    let admission = navigation::admission(method, &visit.headers, &merchant, press != Press::Nothing);
    if let Admission::Refused(origin) = admission {
        return Ok(notice(app, visit, origin));
    }
    let mut params = params?;
    let signed = is_signed(app, &merchant, &params)?;
    let pages = Pages {
        app,
        visit,
        merchant: &merchant,
        client,
        now,
    };
    let price = match (params.price, params.amount.take()) {
        (Some(price), _) => price,
        (None, None) => return Ok(pages.amount_form(&params, String::new(), None)),
        (None, Some(typed)) => match typed_price(&typed, merchant.settings.price_limit) {
            Ok(price) => price,
            Err(refused) => return Ok(pages.amount_form(&params, typed, Some(refused))),
        },
    };
    let asked_for_amount = params.price.is_none();
    params.price = Some(price);
    if admission == Admission::Button {
        return Ok(pages.confirm(&params));
    }
    let budgets = app.limits.links(signed, params.order_id.is_some());
    let waited = matches!(press, Press::Waited(_));
    // Given back by itself wherever this ends before the charge is asked for.
    let Some(taken) = budgets.reserve(client, id, waited, now)? else {
        return Ok(pages.confirm(&params));
    };
    let terms = (&params.order_id, price.0, &params.buyer_email, signed);
    let spent = match press.token() {
        Some(token) => Some(app.presses.spend(token, &terms).await),
        None => None,
    };
    let spending = match spent {
        Some(Spent::Before(charge)) => {
            return Ok(see_other(&urls::charge_in(id, charge, visit.language)));
        }
        // What was spent already proves nothing any more: not that somebody waited, and not that our page was shown.
        Some(Spent::Void) => {
            let bare = navigation::admission(method, &visit.headers, &merchant, false);
            if waited || bare != Admission::Real {
                return Ok(pages.confirm(&params));
            }
            None
        }
        Some(Spent::Now(spending)) => Some(spending),
        None => None,
    };
    let new = NewCharge {
        order_id: params.order_id.clone(),
        buyer_email: params.buyer_email.clone(),
        language: Some(visit.language),
        follower: Some(Follower {
            client,
            signed,
            pressed: waited,
        }),
        ignored: params.ignored.clone(),
        ..NewCharge::of(id, price)
    };
    // From here on the charge may be made even if nobody waits for the answer any more, and then it costs what was taken.
    let taken = taken.spend();
    let outcome = app.charges.for_link(new).await;
    if !matches!(outcome, Ok(LinkOutcome::Made(_))) {
        // Budgets are for charges that are made: looking at one again costs nothing.
        budgets.give_back(taken);
    }
    if let Some(spending) = spending {
        match outcome {
            Ok(LinkOutcome::Made(charge) | LinkOutcome::Reused(charge)) => spending.made(charge),
            _ => spending.give_back(),
        }
    }
    match outcome {
        Ok(LinkOutcome::Made(charge) | LinkOutcome::Reused(charge)) => {
            Ok(see_other(&urls::charge_in(id, charge, visit.language)))
        }
        Ok(LinkOutcome::NeedsButton) => Ok(pages.confirm(&params)),
        Ok(LinkOutcome::Paid(charge)) => {
            let snapshot = app.charges.snapshot(charge).await?.ok_or(Refusal::UnknownCharge)?;
            let may_see = signed || snapshot.maker == Some(client);
            Ok(pages.paid_outcome(&params, &snapshot, may_see))
        }
        Err(CreateError::Terms(bitpro_charge::TermsError::Dust { .. })) if asked_for_amount => {
            let typed = format!("{}.{:02}", price.0 / 100, price.0 % 100);
            params.price = None;
            Ok(pages.amount_form(&params, typed, Some(AmountRefused::TooSmall)))
        }
        Err(error) => {
            visit.retry_url = Some(urls::link_with(id, &params.pairs(), visit.language));
            visit.order_id = params.order_id;
            Err(error.into())
        }
    }
}

fn typed_price(typed: &str, limit: Cents) -> Result<Cents, AmountRefused> {
    let cents = price::cents(typed).ok_or(AmountRefused::NotAnAmount)?;
    Cents(cents).checked_as_price(limit).map_err(|error| match error {
        PriceError::AboveLimit(limit) => AmountRefused::AboveLimit(limit),
        PriceError::Zero => AmountRefused::TooSmall,
        PriceError::NotWhole | PriceError::Negative => AmountRefused::NotAnAmount,
    })
}

/// 303, so that the charge's own URL is what a refresh, a bookmark and the history hold (R23).
fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::try_from(location).expect("paths are made of ids and codes, all ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The notice for a place that is not on the list. No charge is made, and nothing of the merchant is told.
pub(super) fn notice(app: &App, visit: &mut Visit, origin: Option<String>) -> Response {
    visit.language = super::language::of_browser(None, &visit.headers);
    let page = PageInput::FrameNotice(FrameNotice {
        lang: visit.lang(),
        origin,
    });
    app.show_to_any_frame(visit, StatusCode::FORBIDDEN, &page)
}

/// The pages that a link can lead to instead of a charge.
struct Pages<'a> {
    app: &'a App,
    visit: &'a Visit,
    merchant: &'a Merchant,
    client: Client,
    now: Timestamp,
}

impl Pages<'_> {
    fn amount_form(&self, params: &Params, typed: String, refused: Option<AmountRefused>) -> Response {
        let status = match refused {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let page = PageInput::AmountForm(AmountForm {
            merchant: merchant_view(self.merchant),
            lang: self.visit.lang(),
            other_lang_url: self.other_language(params),
            action: urls::link(self.merchant.id),
            hidden: self.hidden(params),
            typed,
            refused,
            order_id: params.order_id.clone(),
        });
        self.app.show(self.visit, status, &page)
    }

    fn confirm(&self, params: &Params) -> Response {
        let page = PageInput::Confirm(Confirm {
            merchant: merchant_view(self.merchant),
            lang: self.visit.lang(),
            other_lang_url: self.other_language(params),
            action: urls::link(self.merchant.id),
            hidden: self.hidden(params),
            fiat_price_cents: params.price.map(|price| price.0),
            order_id: params.order_id.clone(),
        });
        self.app.show(self.visit, StatusCode::OK, &page)
    }

    /// What became of a charge with money; without `may_see` only that there is some. An unsigned link can be guessed, and what
    /// became of a stranger's order is nobody's business (R22).
    fn paid_outcome(&self, params: &Params, snapshot: &bitpro_service::charges::Snapshot, may_see: bool) -> Response {
        let charge = &snapshot.charge;
        let page = PageInput::PaidOutcome(PaidOutcome {
            merchant: merchant_view(self.merchant),
            lang: self.visit.lang(),
            other_lang_url: self.other_language(params),
            outcome: may_see.then(|| Outcome {
                state: charge.state.as_str().to_owned(),
                reason: charge.reason.map(|reason| reason.as_str().to_owned()),
            }),
            fiat_price_cents: charge.terms.price.0,
            order_id: snapshot.order_id.clone(),
        });
        self.app.show(self.visit, StatusCode::OK, &page)
    }

    /// What goes along with a form: the link's parameters, the language in which it is filled in, and the proof of waiting.
    fn hidden(&self, params: &Params) -> Vec<(String, String)> {
        let mut hidden = params.pairs();
        hidden.retain(|(name, _)| name != urls::LANG);
        hidden.push((urls::LANG.to_owned(), self.visit.language.to_string()));
        let random = self.app.rng.bytes();
        let token = self.app.presses.token(self.merchant.id, self.client, random, self.now);
        hidden.push((PRESS.to_owned(), token));
        hidden
    }

    fn other_language(&self, params: &Params) -> Option<String> {
        let mut offered = self.merchant.settings.languages.iter();
        let other = offered.find(|language| **language != self.visit.language)?;
        Some(urls::link_with(self.merchant.id, &params.pairs(), *other))
    }
}
