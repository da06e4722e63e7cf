//! What a shop's server sends: its signature, what it accepts, bodies, queries and cursors.

use bitpro_base::fuzzing::{Memory, Target, assert_fit_to_show, header_values, text};
use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::{Merchant, Settings};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::value::RawValue;

use super::hmac::{Credentials, SignedRequest, sign};
use super::{MEDIA_TYPE, accept, charges, cursor, fields, query};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[
    Target::new(
        "hmac-header",
        4_200,
        &[
            "acquia-http-hmac ",
            "realm=\"",
            "id=\"",
            "nonce=\"",
            "version=\"2.0\"",
            "headers=\"",
            "signature=\"",
            "\",",
            "%0a",
            "%22",
            "%20",
            ";",
            "d1954337-5319-4821-8427-115542e08d10",
            "MRlPr/Z1WQY2sMthcaEqETRMw4gPYXlPcTpaLWS2gcc=",
            "x-a",
            "X-B",
        ],
        hmac_header,
    ),
    Target::new(
        "accept",
        600,
        &[
            "application/json",
            "application/vnd.bitpro-mapi-20180503+json",
            "application/*",
            "*/*",
            ";q=0",
            ";q=0.5",
            ";q=1.000",
            ", ",
            "\n",
            ";Q=0",
            "text/html",
        ],
        accept_header,
    ),
    Target::new(
        "json-body",
        4_000,
        &[
            "{\"fiat_price_cents\":",
            "4200",
            "1e3",
            "-0",
            "4200.0",
            "18446744073709551616",
            "1e400",
            "\"external_order_id\":",
            "\"buyer_email\":",
            "\"metadata\":{",
            "\"success_url\":\"https://shop.example/",
            "\"window_secs\":",
            "\"confirmations\":",
            "\"lang\":\"fr\"",
            "null",
            "\\u0000",
            "\\ud800",
            "[[[[[[[[",
            "}",
            ",",
            "\"fiat_price_c\\u0065nts\":",
        ],
        json_body,
    )
    .within(Memory {
        base: 128 * 1024,
        per_byte: 256,
        times: 16,
    }),
    Target::new(
        "api-query",
        1_000,
        &[
            "page=",
            "per_page=",
            "+1",
            "cursor=",
            "&",
            "%00",
            "%ff",
            "2018-05-10T12:12:35Z",
            "created_from=",
        ],
        api_query,
    ),
    Target::new(
        "api-cursor",
        200,
        &["Yy5hYS43LjI", "Yy5hYS4rNy4y", "=", "-", "_"],
        api_cursor,
    ),
];

/// What is read is what the specification says, and is read again as the same when it is written by the specification.
fn hmac_header(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let read = match Credentials::parse(text) {
        Ok(read) => read,
        Err(error) => return assert_fit_to_show(&error.to_string()),
    };
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let Credentials {
        realm,
        id,
        nonce,
        version,
        signed_headers,
        signature,
    } = &read;
    let signature = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(signature)
    };
    let written = format!(
        "acquia-http-hmac realm=\"{}\",id=\"{}\",nonce=\"{nonce}\",version=\"{}\",headers=\"{}\",signature=\"{}\"",
        encoded(realm),
        encoded(id),
        encoded(version),
        encoded(&signed_headers.join(";")),
        encoded(&signature),
    );
    if written.len() <= 4_096 {
        assert_eq!(Credentials::parse(&written).as_ref(), Ok(&read), "{written}");
    }
    // A second reader, written from the specification alone.
    for (name, value) in [("realm", realm), ("id", id), ("nonce", nonce), ("version", version)] {
        let quoted = text.match_indices(&format!("{name}=\"")).any(|(at, before)| {
            let rest = &text[at + before.len()..];
            let raw = rest.split('"').next().unwrap_or_default();
            percent_decode_str(raw)
                .decode_utf8()
                .is_ok_and(|decoded| decoded == value.as_str())
        });
        assert!(quoted, "{name} is {value:?}");
    }
    let mut sorted = signed_headers.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(&sorted, signed_headers);
    // Nothing in the header can add a line to what is signed, or be taken for another part of it.
    if signed_headers.iter().any(|name| HeaderName::try_from(name).is_err()) {
        return;
    }
    let values: Vec<String> = signed_headers.iter().map(|_| "value".to_owned()).collect();
    let request = SignedRequest {
        method: "post",
        host: "Pay.Example:8443",
        path: "/mapi/charges",
        query: "a=b",
        headers: &values,
        timestamp: "1432075982",
        body: Some(("Application/JSON", "hash")),
    };
    let signed = request.string_to_sign(&read);
    let lines: Vec<&str> = signed.split('\n').collect();
    assert_eq!(lines.len(), 8 + signed_headers.len(), "{signed}");
    let by_spec = format!(
        "id={}&nonce={nonce}&realm={}&version={}",
        spec_encoded(id),
        spec_encoded(realm),
        spec_encoded(version)
    );
    assert_eq!(
        lines[..5],
        ["POST", "pay.example:8443", "/mapi/charges", "a=b", by_spec.as_str()]
    );
    assert_eq!(lines[lines.len() - 3..], ["1432075982", "application/json", "hash"]);
    let mut genuine = read.clone();
    genuine.signature = sign(b"secret", &signed);
    assert!(request.is_signed_by(b"secret", &genuine));
    assert!(!request.is_signed_by(b"another", &genuine));
}

/// RFC 3986, section 2.3, by another library.
fn spec_encoded(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

/// A type is answered only when it was offered and not refused: by the most specific range that fits (RFC 9110, section 12.5.1).
fn accept_header(input: &[u8]) {
    let headers: HeaderMap = header_values(input).map(|value| (header::ACCEPT, value)).collect();
    let Ok(answer) = accept::content_type(&headers) else {
        return;
    };
    let answer = answer.to_str().expect("one of ours");
    assert!([MEDIA_TYPE, "application/json"].contains(&answer), "{answer}");
    let mut ranges: Vec<(String, u32)> = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { return };
        for range in value.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            // Only what the grammar gives one meaning.
            let (name, weight) = match range.split_once(";q=") {
                None => (range, Some(1_000)),
                Some((name, weight)) => (name, thousandths(weight)),
            };
            let is_plain = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/.+-*".contains(&byte));
            let Some(weight) = weight.filter(|_| is_plain && !name.is_empty()) else {
                return;
            };
            ranges.push((name.to_ascii_lowercase(), weight));
        }
    }
    let fitting = [answer, "application/*", "*/*"].into_iter().find_map(|name| {
        ranges
            .iter()
            .filter(|(range, _)| range == name)
            .map(|(_, weight)| *weight)
            .max()
    });
    assert!(
        ranges.is_empty() || fitting.is_some_and(|weight| weight > 0),
        "{answer} for {headers:?}"
    );
}

fn thousandths(weight: &str) -> Option<u32> {
    match weight.split_once('.') {
        None => match weight {
            "0" => Some(0),
            "1" => Some(1_000),
            _ => None,
        },
        Some((whole, places)) if places.len() <= 3 && places.bytes().all(|byte| byte.is_ascii_digit()) => match whole {
            "0" => format!("{places:0<3}").parse().ok(),
            "1" if places.bytes().all(|byte| byte == b'0') => Some(1_000),
            _ => None,
        },
        Some(_) => None,
    }
}

/// A price that is taken stands in the body as whole cents in plain digits, once; what is refused is named by a stable code.
fn json_body(input: &[u8]) {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let merchant = merchant();
    let read = fields::Fields::read(&headers, input).and_then(|fields| charges::create::read(fields, &merchant));
    let new = match read {
        Ok(new) => new,
        Err(problem) => return assert_problem(&problem),
    };
    let mut prices = Vec::new();
    let written: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(input).expect("what was read is an object");
    if let Some(price) = written.get("fiat_price_cents") {
        prices.push(price.get().to_owned());
    }
    assert_eq!(prices, [new.price.0.to_string()]);
    assert!((1..=merchant.settings.price_limit.0).contains(&new.price.0));
    if let Some(order_id) = &new.order_id {
        assert!(order_id.chars().count() <= 200 && !order_id.chars().any(char::is_control));
    }
    if let Some(metadata) = &new.metadata {
        assert!(metadata.len() <= charges::create::MAX_METADATA);
        assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(metadata).is_ok());
    }
    if let Some(url) = &new.options.success_url {
        let host = url::Url::parse(url).expect("it was parsed before");
        assert_eq!(host.origin().ascii_serialization(), "https://shop.example");
        assert!(url.len() <= 2_000, "{} bytes", url.len());
    }
    assert!(
        new.options
            .window_secs
            .is_none_or(|secs| (300..=86_400).contains(&secs))
    );
    assert!(
        new.options
            .confirmations
            .is_none_or(|number| (1..=100).contains(&number))
    );
}

fn merchant() -> Merchant {
    let settings = Settings::named("Shop")
        .and_then(|settings| settings.with(&[("allowed_origins", "shop.example")]))
        .expect("a test's own settings");
    Merchant {
        id: MerchantId([1; 16]),
        settings,
        logo: None,
        descriptor: None,
        link_keys: Vec::new(),
        created_at: Timestamp(0),
    }
}

fn assert_problem(problem: &super::problem::Problem) {
    let is_code = |code: &str| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    assert!(is_code(problem.code), "{}", problem.code);
}

/// A number that is taken stands in the query in plain digits.
fn api_query(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let known = ["page", "per_page", "cursor", "created_from"];
    let query = match query::Query::read(text, &known) {
        Ok(query) => query,
        Err(problem) => return assert_problem(&problem),
    };
    for name in known {
        if let Some(value) = query.text(name) {
            assert!(!value.is_empty() && !value.chars().any(char::is_control));
        }
    }
    if let Ok(Some(page)) = query.number("page", 1, u32::MAX) {
        let written = query.text("page").unwrap_or_default();
        assert_eq!(written.trim_start_matches('0'), page.to_string());
    }
    if let Ok(size) = query.per_page() {
        assert!((1..=100).contains(&size));
    }
}

/// A cursor that is taken is one that we wrote, to the letter (R31).
fn api_cursor(input: &[u8]) {
    let Some(text) = text(input) else { return };
    match cursor::read('c', "aa", text) {
        Ok((place, page)) => assert_eq!(cursor::write('c', "aa", place, page), text, "R31"),
        Err(problem) => assert_problem(&problem),
    }
}
