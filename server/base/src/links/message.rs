//! The bytes that are signed: a list in which no two links look alike (docs/signed-links.md).

use bitpro_charge::MerchantId;

use super::Expiry;

/// The first element: a signature of another form, or for another purpose, never fits.
const FORM: &str = "bitpro-link-1";

/// What a signature covers beside merchant and expiry. Each value is exactly what stands in the link once it is URL-decoded,
/// so that whoever signs needs to know none of our normal forms; `None` is a parameter that the link does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered {
    /// `fiat_price_cents`
    pub price: Option<String>,
    /// `fiat_currency`
    pub currency: Option<String>,
    /// `external_order_id`
    pub order_id: Option<String>,
    /// `buyer_email`
    pub buyer_email: Option<String>,
}

/// The message of a link: form, merchant, price, currency, order id, e-mail, expiry. A value is written as a netstring (its
/// length in bytes, a colon, the value, a comma), an absent one as `-,`: so an empty value is not an absent one, and no value
/// can pass for another or for two.
#[must_use]
pub fn message(merchant: MerchantId, covered: &Covered, expires: Expiry) -> Vec<u8> {
    let merchant = merchant.to_string();
    let expires = expires.to_string();
    let elements = [
        Some(FORM),
        Some(merchant.as_str()),
        covered.price.as_deref(),
        covered.currency.as_deref(),
        covered.order_id.as_deref(),
        covered.buyer_email.as_deref(),
        Some(expires.as_str()),
    ];
    let mut message = Vec::new();
    for element in elements {
        match element {
            Some(value) => message.extend_from_slice(format!("{}:{value},", value.len()).as_bytes()),
            None => message.extend_from_slice(b"-,"),
        }
    }
    message
}
