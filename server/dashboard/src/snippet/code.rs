//! What a shop pastes: a link, an anchor around it, or the widget. Pure, and escaped for where it is pasted.

use bitpro_base::links::{Covered, Expiry, Signature};
use bitpro_charge::{Cents, MerchantId};
use bitpro_merchant::Language;
use bitpro_merchant::urls;
use bitpro_merchant::urls::LANG;
use bitpro_web::checkout::params::{EMAIL, EXPIRY, ORDER_ID, PRICE, SIGNATURE};
use url::form_urlencoded::Serializer;

/// What is to be paid, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) price: Option<Cents>,
    pub(super) order_id: Option<String>,
    pub(super) buyer_email: Option<String>,
    pub(super) language: Option<Language>,
    /// The words on the button.
    pub(super) label: String,
}

/// Signature and expiry of a link.
pub(super) type Signed = (Expiry, Signature);

impl Wanted {
    /// What a signature covers.
    pub(super) fn covered(&self) -> Covered {
        Covered {
            price: self.price.map(|price| price.0.to_string()),
            currency: None,
            order_id: self.order_id.clone(),
            buyer_email: self.buyer_email.clone(),
        }
    }

    /// Names of attributes and parameters with their values, in one order.
    fn values(&self, signed: Option<&Signed>) -> Vec<(&'static str, &'static str, String)> {
        let price = self.price.map(|price| price.0.to_string());
        let language = self.language.map(|language| language.to_string());
        [
            ("data-fiat-price-cents", PRICE, price),
            ("data-external-order-id", ORDER_ID, self.order_id.clone()),
            ("data-buyer-email", EMAIL, self.buyer_email.clone()),
            ("data-lang", LANG, language),
            ("data-exp", EXPIRY, signed.map(|(expires, _)| expires.to_string())),
            (
                "data-sig",
                SIGNATURE,
                signed.map(|(_, signature)| signature.to_string()),
            ),
        ]
        .into_iter()
        .filter_map(|(attribute, parameter, value)| Some((attribute, parameter, value?)))
        .collect()
    }
}

/// The address of the payment page on the server at `origin`.
pub(super) fn link(origin: &str, merchant: MerchantId, wanted: &Wanted, signed: Option<&Signed>) -> String {
    let values = wanted.values(signed);
    let address = format!("{origin}{}", urls::link(merchant));
    if values.is_empty() {
        return address;
    }
    let mut query = Serializer::new(String::new());
    query.extend_pairs(values.iter().map(|(_, parameter, value)| (*parameter, value)));
    format!("{address}?{}", query.finish())
}

/// An anchor around `link`.
pub(super) fn anchor(link: &str, label: &str) -> String {
    format!(
        "<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer external\">\n  {}\n</a>",
        escaped(link),
        escaped(label)
    )
}

/// The widget: a button that opens the payment page in a frame below it, and the script that does so.
pub(super) fn widget(origin: &str, merchant: MerchantId, wanted: &Wanted, signed: Option<&Signed>) -> String {
    let mut code = format!("<div>\n  <button id=\"bitit-iframe-trigger\"\n          data-merchant-id=\"{merchant}\"");
    for (attribute, _, value) in wanted.values(signed) {
        code.push_str(&format!("\n          {attribute}=\"{}\"", escaped(&value)));
    }
    let label = escaped(&wanted.label);
    code.push_str(&format!(
        ">\n    {label}\n  </button>\n</div>\n<script src=\"{origin}/libs/iframeBuilderV1.min.js\"></script>"
    ));
    code
}

/// `text` as it stands in HTML, between tags and in quoted attributes.
fn escaped(text: &str) -> String {
    maud::html! { (text) }.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://pay.example";
    const MERCHANT: MerchantId = MerchantId([0x11; 16]);
    const PATH: &str = "https://pay.example/app/checkout/11111111-1111-1111-1111-111111111111";

    fn wanted() -> Wanted {
        Wanted {
            price: Some(Cents(4_200)),
            order_id: Some("A&1 \"<é>".to_owned()),
            buyer_email: Some("anna+shop@mail.example".to_owned()),
            language: Some(Language::Fr),
            label: "Payer <vite>".to_owned(),
        }
    }

    #[test]
    fn a_link_holds_what_is_known_and_no_more() {
        assert_eq!(link(ORIGIN, MERCHANT, &Wanted::default(), None), PATH);
        assert_eq!(
            link(ORIGIN, MERCHANT, &wanted(), None),
            format!(
                "{PATH}?fiat_price_cents=4200&external_order_id=A%261+%22%3C%C3%A9%3E&\
                 buyer_email=anna%2Bshop%40mail.example&lang=fr"
            )
        );
    }

    #[test]
    fn what_is_pasted_stays_inside_its_quotes() {
        let code = widget(ORIGIN, MERCHANT, &wanted(), None);
        assert!(
            code.contains("data-external-order-id=\"A&amp;1 &quot;&lt;é&gt;\""),
            "{code}"
        );
        assert!(code.contains("\n    Payer &lt;vite&gt;\n"), "{code}");
        let anchor = anchor(&link(ORIGIN, MERCHANT, &wanted(), None), "x");
        assert!(anchor.contains("4200&amp;external_order_id="), "{anchor}");
    }

    #[test]
    fn the_widget_is_that_of_the_guide() {
        let wanted = Wanted {
            price: Some(Cents(4_200)),
            label: "Pay with Bitcoin".to_owned(),
            ..Wanted::default()
        };
        let signed = (Expiry::from_secs(1_800_000_000).unwrap(), Signature([0xab; 32]));
        assert_eq!(
            widget(ORIGIN, MERCHANT, &wanted, Some(&signed)),
            format!(
                "<div>\n  <button id=\"bitit-iframe-trigger\"\n          \
                 data-merchant-id=\"11111111-1111-1111-1111-111111111111\"\n          \
                 data-fiat-price-cents=\"4200\"\n          data-exp=\"1800000000\"\n          data-sig=\"{}\">\n    \
                 Pay with Bitcoin\n  </button>\n</div>\n\
                 <script src=\"https://pay.example/libs/iframeBuilderV1.min.js\"></script>",
                "ab".repeat(32)
            )
        );
    }
}
