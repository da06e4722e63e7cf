//! Content coding: brotli, or nothing. Every browser of the last eight years takes brotli over https and on localhost.

use http::{HeaderMap, header};

/// Quality for what is made anew at each response: where brotli still runs at tens of megabytes a second.
const DYNAMIC_QUALITY: i32 = 5;

/// Whether the client takes brotli (RFC 9110, section 12.5.3).
#[must_use]
pub fn accepts_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let parameters = parameters.trim();
            let weight = parameters.strip_prefix("q=").or_else(|| parameters.strip_prefix("Q="));
            let refused = weight.is_some_and(is_zero);
            name.trim().eq_ignore_ascii_case("br") && !refused
        })
}

/// `text` in brotli.
#[must_use]
pub fn brotli(text: &[u8]) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: DYNAMIC_QUALITY,
        lgwin: 18,
        size_hint: text.len(),
        ..Default::default()
    };
    let mut compressed = Vec::with_capacity(text.len() / 3);
    brotli::BrotliCompress(&mut &*text, &mut compressed, &params).expect("compressing memory into memory cannot fail");
    compressed
}

fn is_zero(weight: &str) -> bool {
    weight.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn brotli_is_taken_where_it_is_named_and_not_refused() {
        for (value, takes) in [
            ("gzip, deflate, br, zstd", true),
            ("BR;q=0.5", true),
            ("br;Q=0", false),
            ("br;q=0", false),
            ("br; q=0.000", false),
            ("gzip", false),
            ("brotli", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(accepts_brotli(&headers), takes, "{value}");
        }
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let text = "abc ".repeat(1_000);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut brotli(text.as_bytes()).as_slice(), &mut back).unwrap();
        assert_eq!(back, text.as_bytes());
    }
}
