//! Making a charge: every field of the direct link, and what only the merchant's server may decide.

use bitpro_charge::Cents;
use bitpro_merchant::Merchant;
use bitpro_merchant::urls::LANG;
use bitpro_service::charges::{ChargeOptions, Ignored, NewCharge};
use bitpro_service::wire;
use bitpro_store::KeptAnswer;
use bitpro_web::checkout::params::{
    CURRENCY, EMAIL, ORDER_ID, PRICE, ParamError, check_currency, checked_order_id, normalised_email,
};
use bitpro_web::refusal::Refusal;
use futures::future::BoxFuture;
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::call::{Call, Reply};
use crate::fields::{Fields, malformed, missing};
use crate::problem::Problem;

/// The most that metadata may be, in bytes of JSON.
pub(crate) const MAX_METADATA: usize = 4 * 1024;
/// The longest success URL, in bytes.
const MAX_URL: usize = 2_000;
/// The shortest window, in seconds: a shopper has to open their wallet.
const LEAST_WINDOW_SECS: u32 = 300;
/// The most confirmations that can be asked for.
const MOST_CONFIRMATIONS: u32 = 100;

/// `POST /mapi/charges`
pub(crate) fn create(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let new = read(call.fields()?, &call.caller.merchant)?;
        let authority = call.authority()?;
        let (url, request) = (call.app.public_url.origin().to_owned(), call.request);
        let answer = call
            .app
            .charges
            .create_once(authority, new, url, move |made| match made {
                Ok(object) => KeptAnswer {
                    status: 201,
                    body: wire::json(&object),
                },
                Err(error) => Problem::from(error).kept(request),
            });
        Ok(located(Reply::of(answer.await?)))
    })
}

/// The reply, with the address of what it shows.
fn located(reply: Reply) -> Reply {
    #[derive(Deserialize)]
    struct Made {
        id: String,
    }
    let made = serde_json::from_slice::<Made>(&reply.body).ok();
    let path = made.and_then(|made| HeaderValue::try_from(format!("/mapi/charges/{}", made.id)).ok());
    match path {
        Some(path) if reply.status.is_success() => reply.header(header::LOCATION, path),
        _ => reply,
    }
}

pub(crate) fn read(mut fields: Fields, merchant: &Merchant) -> Result<NewCharge, Problem> {
    let param = |error: ParamError| Problem::from(Refusal::from(error));
    let price = price(fields.take(PRICE), merchant)?;
    if let Some(currency) = fields.text(CURRENCY)? {
        check_currency(&currency).map_err(|error| param(error).about(CURRENCY))?;
    }
    let order_id = fields.text(ORDER_ID)?;
    let order_id = order_id.map(checked_order_id).transpose();
    let mut options = ChargeOptions::default();
    let mut ignored = Vec::new();
    let new = NewCharge {
        order_id: order_id.map_err(|error| param(error).about(ORDER_ID))?,
        buyer_email: optional(&mut fields, EMAIL, &mut ignored, Ignored::Email, normalised_email)?,
        language: optional(&mut fields, LANG, &mut ignored, Ignored::Language, |text| {
            text.parse().ok()
        })?,
        metadata: metadata(fields.take("metadata"))?,
        ..NewCharge::of(merchant.id, price)
    };
    if let Some(url) = fields.text("success_url")? {
        options.success_url = Some(success_url(url, merchant)?);
    }
    options.window_secs = within(
        &mut fields,
        "window_secs",
        LEAST_WINDOW_SECS,
        merchant.settings.longest_window_secs(),
    )?;
    // Fewer than the merchant's own number for such a price would let a key give away their caution.
    let least = merchant.settings.tiers.required_for(price);
    options.confirmations = within(&mut fields, "confirmations", least, MOST_CONFIRMATIONS)?;
    fields.end()?;
    Ok(NewCharge {
        options,
        ignored,
        ..new
    })
}

fn price(value: Option<Value>, merchant: &Merchant) -> Result<Cents, Problem> {
    let refused = |error| Problem::from(Refusal::from(ParamError::Price(error))).about(PRICE);
    match value {
        None => Err(missing(PRICE)),
        // The digits as they were written, so that a price is read here as it is in a link.
        Some(Value::Number(number)) => {
            Cents::parse_price(&number.to_string(), merchant.settings.price_limit).map_err(refused)
        }
        Some(_) => Err(malformed(PRICE, "a whole number of cents")),
    }
}

/// A field that never loses a sale (R38): a wrong value is noted for the merchant and otherwise absent.
fn optional<T>(
    fields: &mut Fields,
    name: &str,
    ignored: &mut Vec<Ignored>,
    fault: Ignored,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    let value = parse(&text);
    if value.is_none() {
        ignored.push(fault);
    }
    Ok(value)
}

fn metadata(value: Option<Value>) -> Result<Option<String>, Problem> {
    let Some(value) = value else { return Ok(None) };
    if !value.is_object() {
        return Err(malformed("metadata", "an object"));
    }
    let text = value.to_string();
    if text.len() > MAX_METADATA {
        let title = format!("metadata has more than {MAX_METADATA} bytes of JSON.");
        return Err(Problem::refused("metadata-too-large", title).about("metadata"));
    }
    Ok(Some(text))
}

/// An address on a listed domain: an open redirect would lend the merchant's good name to strangers.
fn success_url(text: String, merchant: &Merchant) -> Result<String, Problem> {
    let wanted = "an http or https address of at most 2000 bytes without a user name";
    let url = Url::parse(&text).ok().filter(|url| {
        text.len() <= MAX_URL
            && url.as_str().len() <= MAX_URL
            && matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
    });
    let url = url.ok_or_else(|| malformed("success_url", wanted))?;
    let origin = url.origin().ascii_serialization();
    let is_site = merchant
        .settings
        .site
        .as_deref()
        .and_then(|site| Url::parse(site).ok())
        .is_some_and(|site| site.origin() == url.origin());
    if !is_site && !merchant.allows(&origin) {
        let title = format!("{origin} is not one of the merchant's allowed_origins.");
        return Err(Problem::refused("unlisted-domain", title).about("success_url"));
    }
    Ok(url.into())
}

fn within(fields: &mut Fields, name: &str, least: u32, most: u32) -> Result<Option<u32>, Problem> {
    let Some(number) = fields.number(name)? else {
        return Ok(None);
    };
    match u32::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => {
            let title = format!("{name} must be from {least} to {most}.");
            let refused = Problem::refused("out-of-bounds", title).about(name);
            Err(refused.with("least", json!(least)).with("most", json!(most)))
        }
    }
}
