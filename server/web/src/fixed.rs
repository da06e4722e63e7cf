//! Texts that are the same for everybody: made and compressed once, and shared by all answers, so that no number of readers, nor
//! their slowness, costs more than the connections they hold.

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::encoding::{accepts_brotli, brotli};

/// A copy may be kept, and is asked about each time: a new version of the server has new texts.
const ASKED_ABOUT: HeaderValue = HeaderValue::from_static("no-cache");

/// Such a text, plain and in brotli.
#[derive(Debug, Clone)]
pub struct Fixed {
    mime: HeaderValue,
    etag: HeaderValue,
    plain: Bytes,
    brotli: Bytes,
}

impl Fixed {
    /// Keeps a text.
    #[must_use]
    pub fn new(mime: &'static str, text: String) -> Self {
        let hash = hex::encode(&Sha256::digest(&text)[..16]);
        Self {
            mime: HeaderValue::from_static(mime),
            etag: HeaderValue::try_from(format!("\"{hash}\"")).expect("hexadecimal digits make a header"),
            brotli: brotli(text.as_bytes()).into(),
            plain: text.into(),
        }
    }

    /// The answer to a request with these headers.
    #[must_use]
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        let known = asked.get_all(header::IF_NONE_MATCH).iter();
        let is_known = known
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == self.etag.as_bytes());
        let mut response = match (is_known, accepts_brotli(asked)) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, true) => ([(header::CONTENT_ENCODING, "br")], self.brotli.clone()).into_response(),
            (false, false) => self.plain.clone().into_response(),
        };
        let headers = response.headers_mut();
        match is_known {
            true => headers.remove(header::CONTENT_TYPE),
            false => headers.insert(header::CONTENT_TYPE, self.mime.clone()),
        };
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, ASKED_ABOUT);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn body(response: Response) -> Bytes {
        to_bytes(response.into_body(), usize::MAX).await.unwrap()
    }

    #[tokio::test]
    async fn all_answers_share_the_bytes_of_one() {
        let text = "abc ".repeat(1_000);
        let fixed = Fixed::new("text/html", text.clone());
        let mut asked = HeaderMap::new();
        let (one, two) = (body(fixed.answer(&asked)).await, body(fixed.answer(&asked)).await);
        assert_eq!(one, text);
        assert_eq!(one.as_ptr(), two.as_ptr());
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br"));
        let compressed = fixed.answer(&asked);
        assert_eq!(compressed.headers()[header::CONTENT_ENCODING], "br");
        let etag = compressed.headers()[header::ETAG].clone();
        let (one, two) = (body(compressed).await, body(fixed.answer(&asked)).await);
        assert!(one.len() < 100 && one.as_ptr() == two.as_ptr());
        asked.insert(header::IF_NONE_MATCH, etag);
        let known = fixed.answer(&asked);
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert!(body(known).await.is_empty());
    }
}
