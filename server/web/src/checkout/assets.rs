//! The files that are built into the binary: the page's script and WASM, and the loader.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::document::Visit;
use crate::Context;
use crate::app::App;
use crate::encoding::accepts_brotli;
use crate::refusal::Refusal;

/// A file in the binary, plain and in brotli.
#[derive(Debug)]
pub struct Embedded {
    /// Its name; it holds a hash of the content, unless the file is the loader's newest.
    pub name: &'static str,
    /// Its media type.
    pub mime: &'static str,
    /// Its entity tag, with the quotes.
    pub etag: &'static str,
    /// The content.
    pub plain: &'static [u8],
    /// The content in brotli, at the highest quality.
    pub brotli: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The loader under the address that every integration has: always the newest.
const LOADER_NAME: &str = "iframeBuilderV1.min.js";

/// A name with a hash or a version in it never changes its content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Old integrations get a new loader within minutes; while nothing changes, a look costs one small answer.
const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300, must-revalidate");
/// Robots have nothing to find here, and every link they follow could ask for a charge.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// `GET /app/assets/{file}`
pub async fn page_file(
    State(app): State<App>,
    Path(name): Path<String>,
    context: Context,
    headers: HeaderMap,
) -> Response {
    let Some(file) = PAGE.iter().find(|file| file.name == name) else {
        return app.refuse(&Visit::new(context, headers, None), Refusal::UnknownPage);
    };
    serve(file, &headers, FOR_EVER)
}

/// `GET /libs/{file}`: for every site, also with an integrity hash and under `Cross-Origin-Embedder-Policy`.
pub async fn loader_file(
    State(app): State<App>,
    Path(name): Path<String>,
    context: Context,
    headers: HeaderMap,
) -> Response {
    let Some(file) = LOADER.iter().find(|file| file.name == name) else {
        return app.refuse(&Visit::new(context, headers, None), Refusal::UnknownPage);
    };
    let lifetime = if name == LOADER_NAME { FIVE_MINUTES } else { FOR_EVER };
    let mut response = serve(file, &headers, lifetime);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// `GET /app/logo/{merchant}/{tag}`: a merchant's logo by the hash of its content.
pub async fn logo(
    State(app): State<App>,
    Path((merchant, name)): Path<(String, String)>,
    context: Context,
    headers: HeaderMap,
) -> Response {
    let merchant = merchant.parse().ok().and_then(|id| app.charges.merchant(id));
    let logo = merchant.and_then(|merchant| merchant.logo.clone());
    // An address with an old hash gets nothing, rather than a new picture that is then kept for ever under the old name.
    let Some(logo) = logo.filter(|logo| logo_name(&logo.bytes) == name) else {
        return app.refuse(&Visit::new(context, headers, None), Refusal::UnknownPage);
    };
    let mut response = logo.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(logo.mime));
    headers.insert(header::CACHE_CONTROL, FOR_EVER);
    response
}

/// `GET /robots.txt`
pub async fn robots() -> Response {
    let mut response = ROBOTS.into_response();
    let day = HeaderValue::from_static("public, max-age=86400");
    response.headers_mut().insert(header::CACHE_CONTROL, day);
    response
}

/// `GET /favicon.ico`: pages name their icons themselves; browsers that ask all the same learn at once that there is none.
pub async fn favicon() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let day = HeaderValue::from_static("public, max-age=86400");
    response.headers_mut().insert(header::CACHE_CONTROL, day);
    response
}

/// The last part of a logo's address. It only tells one version from the next, so the key may be known.
pub fn logo_name(bytes: &[u8]) -> String {
    let hash = siphasher::sip128::SipHasher24::new().hash(bytes);
    hex::encode(hash.as_bytes())
}

fn serve(file: &Embedded, headers: &HeaderMap, lifetime: HeaderValue) -> Response {
    let unchanged = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        // A cache may have weakened the tag when it stored the compressed form.
        .any(|tag| tag.trim().trim_start_matches("W/") == file.etag);
    let compressed = accepts_brotli(headers) && file.brotli.len() < file.plain.len();
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Bytes::from_static(if compressed { file.brotli } else { file.plain }).into_response()
    };
    let headers = response.headers_mut();
    if unchanged {
        headers.remove(header::CONTENT_TYPE);
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.mime));
        if compressed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
    }
    headers.insert(header::ETAG, HeaderValue::from_static(file.etag));
    headers.insert(header::CACHE_CONTROL, lifetime);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}
