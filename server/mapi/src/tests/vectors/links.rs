//! Signed links, whole.

use bitpro_base::links::{Covered, LinkKey, message};
use serde_json::{Value, json};

use super::hold;

/// What the guide publishes: a key, and links signed with it.
const PUBLISHED: &str = include_str!("../../../../../docs/signed-links.json");
const NAMES: [&str; 4] = ["fiat_price_cents", "fiat_currency", "external_order_id", "buyer_email"];

/// Everything but the unreserved characters is escaped.
fn escaped(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, SET).to_string()
}

fn vector(key: &LinkKey, published: &Value, lang: Option<&str>) -> Value {
    let text = |name: &str| published[name].as_str().filter(|text| !text.is_empty());
    let owned = |name: &str| text(name).map(str::to_owned);
    let covered = Covered {
        price: owned(NAMES[0]),
        currency: owned(NAMES[1]),
        order_id: owned(NAMES[2]),
        buyer_email: owned(NAMES[3]),
    };
    let (merchant, exp) = (text("merchant_id").unwrap(), text("exp").unwrap());
    let signed = message(merchant.parse().unwrap(), &covered, exp.parse().unwrap());
    let sig = key.sign(&signed).to_string();
    let given = NAMES.into_iter().filter_map(|name| Some((name, text(name)?)));
    let more = [("lang", lang), ("exp", Some(exp)), ("sig", Some(sig.as_str()))];
    let pairs = given.chain(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let query: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    json!({
        "says": published["says"],
        "merchant_id": merchant,
        "fiat_price_cents": text(NAMES[0]).unwrap().parse::<u64>().unwrap(),
        "fiat_currency": covered.currency,
        "external_order_id": covered.order_id,
        "buyer_email": published[NAMES[3]],
        "lang": lang,
        "exp": exp.parse::<u64>().unwrap(),
        "message": String::from_utf8(signed).unwrap(),
        "sig": sig,
        "url": format!("https://pay.example/app/checkout/{merchant}?{}", query.join("&")),
    })
}

#[test]
fn links_are_signed_as_the_vectors_say() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let key: LinkKey = published["key"].as_str().unwrap().parse().unwrap();
    let mut vectors = Vec::new();
    for one in published["vectors"].as_array().unwrap() {
        let made = vector(&key, one, None);
        if one["buyer_email"] == "" {
            // The SDKs leave out what is empty, as the widget does.
            assert_ne!(made["sig"], one["sig"]);
        } else {
            assert_eq!((&made["sig"], &made["message"]), (&one["sig"], &one["message"]));
        }
        vectors.push(made);
    }
    let mut in_french = vector(&key, &published["vectors"][0], Some("fr"));
    in_french["says"] = json!("the language is not signed");
    vectors.push(in_french);
    hold(
        "links.json",
        &json!({"server": "https://pay.example", "key": published["key"], "vectors": vectors}),
    );
}
