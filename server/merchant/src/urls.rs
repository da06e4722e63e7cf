//! The addresses of the checkout, as they are written into pages and redirects.

use bitpro_charge::{ChargeId, MerchantId};

use crate::Language;

/// The parameter for the language of a page.
pub const LANG: &str = "lang";

/// The link of a merchant, without parameters: where forms post to.
#[must_use]
pub fn link(merchant: MerchantId) -> String {
    format!("/app/checkout/{merchant}")
}

/// The link with `pairs` as its parameters, in `language`.
#[must_use]
pub fn link_with(merchant: MerchantId, pairs: &[(String, String)], language: Language) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(name, _)| name != LANG));
    query.append_pair(LANG, language.as_str());
    format!("{}?{}", link(merchant), query.finish())
}

/// The path of a charge, without a query.
#[must_use]
pub fn charge(merchant: MerchantId, charge: ChargeId) -> String {
    format!("/app/checkout/{merchant}/{charge}")
}

/// The page of a charge in `language` (R23, R37, R40).
#[must_use]
pub fn charge_in(merchant: MerchantId, id: ChargeId, language: Language) -> String {
    format!("{}?{LANG}={language}", charge(merchant, id))
}

/// The logo of a merchant whose bytes hash to `name`.
#[must_use]
pub fn logo(merchant: MerchantId, name: &str) -> String {
    format!("/app/logo/{merchant}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded_and_the_language_stands_there_once() {
        let pairs = [
            ("external_order_id".to_owned(), "A&B=é".to_owned()),
            ("lang".to_owned(), "en".to_owned()),
        ];
        assert_eq!(
            link_with(MerchantId([0; 16]), &pairs, Language::Fr),
            "/app/checkout/00000000-0000-0000-0000-000000000000?external_order_id=A%26B%3D%C3%A9&lang=fr"
        );
    }
}
