//! Links read, well-formed and not.

use super::*;

const LIMIT: Cents = Cents(10_000_000);

fn parse(encoded: &str) -> Result<Params, ParamError> {
    Params::parse(encoded, LIMIT)
}

#[test]
fn r22_an_address_is_not_longer_once_it_is_normalised() {
    // A capital with a dot is two bytes, and three in small.
    let long = format!("{}@shop.example", "İ".repeat(120));
    assert!(long.len() <= 254);
    assert_eq!(normalised_email(&long), None);
    let short = format!("{}@shop.example", "İ".repeat(80));
    let normal = normalised_email(&short).unwrap();
    assert_eq!(normalised_email(&normal), Some(normal));
}

#[test]
fn r38_a_whole_link_is_read() {
    let params = parse(
        "fiat_price_cents=4200&fiat_currency=EUR&buyer_email=Ann%40Shop.Example&lang=FR&external_order_id=A%2F1+%C3%A9&utm_source=x",
    )
    .unwrap();
    assert_eq!(
        params,
        Params {
            price: Some(Cents(4200)),
            order_id: Some("A/1 é".to_owned()),
            buyer_email: Some("ann@shop.example".to_owned()),
            language: Some(Language::Fr),
            ..Params::default()
        }
    );
}

#[test]
fn r38_optional_fields_never_lose_a_sale() {
    let params = parse("fiat_price_cents=1&buyer_email=nonsense&lang=de&utm_source=a&utm_source=b&%FF=1").unwrap();
    assert_eq!(params.price, Some(Cents(1)));
    assert_eq!(params.buyer_email, None);
    assert_eq!(params.language, None);
    assert_eq!(params.ignored, [Ignored::Email, Ignored::Language]);
    assert!(parse("buyer_email=%FF%FE").is_ok());
}

#[test]
fn r38_an_empty_field_is_absent() {
    let params = parse("fiat_price_cents=&fiat_currency=&buyer_email=&lang=&external_order_id=").unwrap();
    assert_eq!(params, Params::default());
    assert_eq!(parse(""), Ok(Params::default()));
    assert_eq!(parse("&&"), Ok(Params::default()));
}

#[test]
fn r38_price_currency_order_id_and_repetition_are_strict() {
    let long = format!("external_order_id={}", "é".repeat(201));
    for (encoded, error) in [
        ("fiat_price_cents=-1", ParamError::Price(PriceError::Negative)),
        ("fiat_price_cents=4.2", ParamError::Price(PriceError::NotWhole)),
        ("fiat_price_cents=+42", ParamError::Price(PriceError::NotWhole)),
        ("fiat_price_cents=%FF", ParamError::Malformed(PRICE)),
        ("fiat_price_cents=0", ParamError::Price(PriceError::Zero)),
        (
            "fiat_price_cents=10000001",
            ParamError::Price(PriceError::AboveLimit(10_000_000)),
        ),
        ("fiat_currency=usd", ParamError::UnknownCurrency),
        ("fiat_currency=euro", ParamError::MalformedCurrency),
        (&long, ParamError::OrderIdTooLong),
        ("external_order_id=%FF", ParamError::Malformed(ORDER_ID)),
        ("external_order_id=a%00", ParamError::Malformed(ORDER_ID)),
        ("fiat_price_cents=1&fiat_price_cents=1", ParamError::Repeated(PRICE)),
        ("fiat_price_cents=1&fiat%5Fprice_cents=2", ParamError::Repeated(PRICE)),
        ("buyer_email=&buyer_email=a@b.example", ParamError::Repeated(EMAIL)),
        ("lang=fr&lang=en", ParamError::Repeated(LANG)),
    ] {
        assert_eq!(parse(encoded), Err(error), "{encoded}");
    }
    assert!(parse(&format!("external_order_id={}", "é".repeat(200))).is_ok());
}

#[test]
fn r22_one_shopper_has_one_form_of_his_address() {
    for (text, email) in [
        (" Ann@Shop.Example ", Some("ann@shop.example")),
        ("ann+x@shop.example", Some("ann+x@shop.example")),
        ("ann", None),
        ("@shop.example", None),
        ("ann@", None),
        ("ann@shop", None),
        ("ann@.example", None),
        ("a@b@shop.example", None),
        ("ann <ann@shop.example>", None),
        ("ann@shop.example\nbcc: x", None),
    ] {
        assert_eq!(normalised_email(text).as_deref(), email, "{text}");
    }
    assert_eq!(normalised_email(&format!("{}@shop.example", "a".repeat(250))), None);
}

#[test]
fn a_signed_link_keeps_every_covered_value_as_it_was_sent() {
    let sig = "Ab".repeat(32);
    let link = format!(
        "fiat_price_cents=0042&fiat_currency=EUR&buyer_email=+Ann%40Shop.Example&external_order_id=&lang=fr&exp=1800000000&sig={sig}"
    );
    let params = parse(&link).unwrap();
    assert_eq!(params.price, Some(Cents(42)));
    assert_eq!(params.buyer_email.as_deref(), Some("ann@shop.example"));
    assert_eq!(params.order_id, None);
    let claim = params.claim.clone().unwrap();
    assert_eq!(
        claim.covered,
        Covered {
            price: Some("0042".to_owned()),
            currency: Some("EUR".to_owned()),
            order_id: Some(String::new()),
            buyer_email: Some(" Ann@Shop.Example".to_owned()),
        }
    );
    // What our own forms and links carry on says the same.
    let mut again = url::form_urlencoded::Serializer::new(String::new());
    again.extend_pairs(params.pairs());
    let again = parse(&again.finish()).unwrap();
    assert_eq!((again.claim, again.language), (Some(claim), Some(Language::Fr)));
}

#[test]
fn r38_half_a_signature_and_one_that_is_none_are_told_apart() {
    let sig = "0".repeat(64);
    for (encoded, error) in [
        (format!("sig={sig}"), ParamError::HalfSigned),
        ("exp=1800000000".to_owned(), ParamError::HalfSigned),
        (format!("sig={sig}&exp="), ParamError::HalfSigned),
        (
            format!("sig={}&exp=1800000000", &sig[1..]),
            ParamError::MalformedSignature,
        ),
        ("sig=xyz&exp=1800000000".to_owned(), ParamError::MalformedSignature),
        (format!("sig={sig}&exp=01800000000"), ParamError::MalformedExpiry),
        (format!("sig={sig}&exp=tomorrow"), ParamError::MalformedExpiry),
        (format!("sig={sig}&sig={sig}&exp=1"), ParamError::Repeated(SIGNATURE)),
        (format!("sig={sig}&exp=1&exp=2"), ParamError::Repeated(EXPIRY)),
        ("sig=%FF&exp=1".to_owned(), ParamError::Malformed(SIGNATURE)),
        (format!("sig={sig}&exp=1&buyer_email=%FF"), ParamError::Malformed(EMAIL)),
    ] {
        assert_eq!(parse(&encoded), Err(error), "{encoded}");
    }
    assert_eq!(parse("sig=&exp="), Ok(Params::default()));
}

#[test]
fn the_language_is_found_even_in_a_link_that_is_wrong() {
    assert_eq!(Params::language_of("fiat_price_cents=x&lang=fr"), Some(Language::Fr));
    assert_eq!(Params::language_of("lang=de"), None);
}

#[test]
fn a_percent_sign_that_begins_no_byte_stands_for_itself() {
    assert_eq!(decoded("100%"), b"100%");
    assert_eq!(decoded("%zz%4"), b"%zz%4");
    assert_eq!(decoded("%é"), "%é".as_bytes());
}
