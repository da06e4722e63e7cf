//! The page's state and the stream's frames, read back from the JSON that the server's `Serialize` wrote.

use bitpro_charge::wire::{ChargeView, GoneView, NodeView, PaymentView, ProgressView, QuoteView};

use crate::copy::Lang;
use crate::json::Json;
use crate::page::{ChargePage, MerchantView, PageState};

/// The state that the server put into the document.
#[must_use]
pub fn page_state(text: &str) -> Option<PageState> {
    let json = Json::parse(text)?;
    Some(PageState {
        page: page(json.get("page")?)?,
        framed: json.get("framed") == Some(&Json::Bool(true)),
    })
}

/// A charge as the stream and the poll send it.
#[must_use]
pub fn charge_view(text: &str) -> Option<ChargeView> {
    view(&Json::parse(text)?)
}

fn page(json: &Json) -> Option<ChargePage> {
    Some(ChargePage {
        view: view(json.get("view")?)?,
        merchant: merchant(json.get("merchant")?)?,
        lang: Lang::of_tag(&json.text("lang")?)?,
        epoch: json.text("epoch")?,
        path: json.text("path")?,
        start_again: json.text("start_again"),
        explorer: json.text("explorer"),
        success_url: json.text("success_url"),
        back_url: json.text("back_url"),
        languages: json.list("languages", |item| match item {
            Json::Text(tag) => Lang::of_tag(tag),
            _ => None,
        })?,
    })
}

fn merchant(json: &Json) -> Option<MerchantView> {
    Some(MerchantView {
        id: json.text("id")?,
        name: json.text("name")?,
        logo_url: json.text("logo_url"),
        // Only the server needs it: it has made the style sheet of it.
        colour: None,
        site: json.text("site"),
    })
}

fn view(json: &Json) -> Option<ChargeView> {
    Some(ChargeView {
        id: json.text("id")?,
        sequence: json.unsigned("sequence")?,
        state: json.text("state")?,
        reason: json.text("reason"),
        network: json.text("network")?,
        now: json.number("now")?,
        created_at: json.number("created_at")?,
        expires_at: json.number("expires_at")?,
        fiat_price_cents: json.unsigned("fiat_price_cents")?,
        fiat_currency: json.text("fiat_currency")?,
        amount_sat: json.unsigned("amount_sat")?,
        received_sat: json.unsigned("received_sat")?,
        confirmed_sat: json.unsigned("confirmed_sat")?,
        remaining_sat: json.unsigned("remaining_sat")?,
        address: json.text("address")?,
        uri: json.text("uri"),
        progress: json.get("progress").and_then(|progress| {
            Some(ProgressView {
                have: small(progress, "have")?,
                required: small(progress, "required")?,
            })
        }),
        payments: json.list("payments", |payment| {
            Some(PaymentView {
                txid: payment.text("txid")?,
                vout: small(payment, "vout")?,
                value_sat: payment.unsigned("value_sat")?,
                confirmations: small(payment, "confirmations")?,
                seen_at: payment.number("seen_at")?,
            })
        })?,
        gone_payments: json.list("gone_payments", |payment| {
            Some(GoneView {
                txid: payment.text("txid")?,
                vout: small(payment, "vout")?,
                value_sat: payment.unsigned("value_sat")?,
                loss: payment.text("loss")?,
            })
        })?,
        quote: {
            let quote = json.get("quote")?;
            QuoteView {
                cents_per_btc: quote.unsigned("cents_per_btc")?,
                source: quote.text("source")?,
                at: quote.number("at")?,
            }
        },
        node: match json.text("node")?.as_str() {
            "ready" => NodeView::Ready,
            "syncing" => NodeView::Syncing,
            _ => NodeView::Away,
        },
        order_id: json.text("order_id"),
    })
}

fn small(json: &Json, name: &str) -> Option<u32> {
    u32::try_from(json.number(name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_view_is_read_back_as_it_was_written() {
        for (name, view) in sample::all() {
            let text = serde_json::to_string(&view).unwrap();
            assert_eq!(charge_view(&text), Some(view), "{name}");
        }
    }

    #[test]
    fn a_page_with_everything_and_one_with_nothing_optional_are_read_back() {
        let mut page = sample::page();
        page.merchant.colour = None;
        page.merchant.name = "L’été <\"\u{1f355}\\ \u{7}".to_owned();
        page.merchant.logo_url = Some("/logo".to_owned());
        page.success_url = Some("https://shop.example/ok".to_owned());
        page.back_url = Some("https://shop.example/no".to_owned());
        for framed in [false, true] {
            let state = PageState {
                page: page.clone(),
                framed,
            };
            let text = serde_json::to_string(&state).unwrap();
            assert_eq!(page_state(&text), Some(state));
            page.merchant.logo_url = None;
            page.merchant.site = None;
            page.start_again = None;
            page.explorer = None;
            page.success_url = None;
            page.back_url = None;
            page.view.order_id = None;
        }
    }

    #[test]
    fn a_frame_that_lacks_something_is_none_and_one_with_more_is_read() {
        let mut value = serde_json::to_value(sample::view()).unwrap();
        value["newer"] = serde_json::json!({"x": [1, null]});
        assert_eq!(charge_view(&value.to_string()), Some(sample::view()));
        value.as_object_mut().unwrap().remove("address");
        assert_eq!(charge_view(&value.to_string()), None);
    }
}
