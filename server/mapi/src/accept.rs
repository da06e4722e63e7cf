//! Which version of the API is asked for (RFC 9110, section 12.5.1).

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::MEDIA_TYPE;
use super::problem::Problem;

const JSON: &str = "application/json";

/// The content type of the answer: the version if it is named, plain JSON where anything else is taken.
pub(super) fn content_type(headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    let values: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .map(|value| value.to_str().unwrap_or("?"))
        .collect();
    let ranges: Vec<(String, bool)> = values
        .iter()
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect();
    if ranges.is_empty() {
        return Ok(HeaderValue::from_static(JSON));
    }
    // Whether it is taken, as far as a range of this name says anything.
    let says = |wanted: &str| {
        let named = ranges.iter().filter(|(name, _)| name == wanted);
        named.map(|(_, taken)| *taken).reduce(|one, other| one || other)
    };
    if says(MEDIA_TYPE) == Some(true) {
        return Ok(HeaderValue::from_static(MEDIA_TYPE));
    }
    // The most specific range decides, whatever the wider ones say.
    if [JSON, "application/*", "*/*"].into_iter().find_map(says) == Some(true) {
        return Ok(HeaderValue::from_static(JSON));
    }
    let problem = Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "unknown-version",
        "Accept names no known version of the API.",
    );
    Err(problem.with("supported", json!([MEDIA_TYPE, JSON])))
}

/// The media range in lower case without its parameters, and whether it is taken at all.
fn range(text: &str) -> Option<(String, bool)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let is_refused = parts.any(|parameter| {
        let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
        weight.is_some_and(|weight| weight.bytes().all(|byte| matches!(byte, b'0' | b'.')))
    });
    Some((name, !is_refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(accept: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]);
        Some(content_type(&headers).ok()?.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_version_is_answered_as_it_is_named() {
        for (accept, answer) in [
            (MEDIA_TYPE, Some(MEDIA_TYPE)),
            (
                "Application/VND.bitpro-mapi-20180503+JSON; q=0.5, */*",
                Some(MEDIA_TYPE),
            ),
            ("", Some(JSON)),
            ("*/*", Some(JSON)),
            ("application/json", Some(JSON)),
            ("text/html, application/*;q=0.1", Some(JSON)),
            ("application/vnd.bitpro-mapi-20190101+json", None),
            (
                "application/vnd.bitpro-mapi-20190101+json, application/json",
                Some(JSON),
            ),
            ("text/html", None),
            ("*/*;q=0", None),
            ("application/json;q=0, */*", None),
            ("application/*;q=0, */*", None),
            ("application/*;q=0, application/json", Some(JSON)),
        ] {
            assert_eq!(answered(accept).as_deref(), answer, "{accept}");
        }
        assert_eq!(content_type(&HeaderMap::new()).unwrap(), JSON);
    }
}
