//! The security headers, tried in a browser: a page that obeys them can still run WASM, stream, and stand in a frame.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use sha2::{Digest as _, Sha256};

/// A nonce for one response's scripts and styles, in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// A nonce of 128 random bits.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        Self(STANDARD_NO_PAD.encode(random))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who may show a page in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// The sources of this `frame-ancestors`.
    Ancestors(String),
    /// Anyone: only for a page that says nothing (R24).
    Anyone,
}

impl Framing {
    /// Nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self::Ancestors("'none'".to_owned())
    }
}

/// What a page's scripts may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// Themselves only.
    Scripts,
    /// WASM as well.
    Wasm,
}

/// The policy of a page.
#[must_use]
pub fn page_policy(nonce: &Nonce, framing: &Framing, running: Running, has_form: bool) -> HeaderValue {
    let nonce = nonce.as_str();
    let wasm = match running {
        Running::Scripts => "",
        Running::Wasm => " 'wasm-unsafe-eval'",
    };
    let form = if has_form { "'self'" } else { "'none'" };
    let mut policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'{wasm}; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action {form}"
    );
    if let Framing::Ancestors(sources) = framing {
        policy.push_str("; frame-ancestors ");
        policy.push_str(sources);
    }
    HeaderValue::try_from(policy).expect("nonces are base64, and allowed origins are parsed into printable ASCII")
}

/// The policy of a page that is the same for everybody, with one style sheet in it and no script: a nonce would make each answer
/// another one, and the style's hash names it as well.
#[must_use]
pub fn fixed_policy(style: &str) -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 makes a header")
}

/// The policy of everything that is no page: nothing may be loaded, run or framed, and an uploaded file that is opened by
/// itself stands in an origin of its own.
const BARE_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// What the page needs of the browser's powers: none but writing to the clipboard, which is its own by default.
const PERMISSIONS: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-read=()");

/// `Permissions-Policy`.
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Two years. Other names below this one are not ours to speak for.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Adds what every response carries; what a handler set itself stays.
pub fn add_common(headers: &mut HeaderMap, https: bool) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The charge's address is a capability: no other site may learn it (R23).
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    headers.insert(PERMISSIONS_POLICY, PERMISSIONS);
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
    let is_page = headers.contains_key(header::CONTENT_SECURITY_POLICY);
    if !is_page {
        headers.insert(header::CONTENT_SECURITY_POLICY, BARE_POLICY);
        // A page has none of these: a frame whose embedder asks for isolation would be refused for it.
        let resource_policy = headers.entry(HeaderName::from_static("cross-origin-resource-policy"));
        resource_policy.or_insert(HeaderValue::from_static("same-origin"));
    }
    // Whatever does not say how long it lives is never stored.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r24_the_policy_names_exactly_the_merchants_origins() {
        let nonce = Nonce::new([0xff; 16]);
        let listed = Framing::Ancestors("https://shop.example".to_owned());
        let policy = page_policy(&nonce, &listed, Running::Wasm, false);
        let policy = policy.to_str().unwrap();
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; script-src 'nonce-{0}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'nonce-{0}'; connect-src \
                 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors https://shop.example",
                nonce.as_str()
            )
        );
        for weak in ["unsafe-inline", " 'unsafe-eval'", "http:", "*"] {
            assert!(!policy.contains(weak), "{policy}");
        }
        let notice = page_policy(&nonce, &Framing::Anyone, Running::Wasm, true);
        let notice = notice.to_str().unwrap();
        assert!(
            !notice.contains("frame-ancestors") && notice.contains("form-action 'self'"),
            "{notice}"
        );
    }

    #[test]
    fn a_page_without_wasm_may_run_none() {
        let policy = page_policy(&Nonce::new([1; 16]), &Framing::nobody(), Running::Scripts, true);
        let policy = policy.to_str().unwrap();
        assert!(
            policy.contains("'strict-dynamic'; ") && !policy.contains("unsafe"),
            "{policy}"
        );
    }

    #[test]
    fn what_is_no_page_is_stored_framed_and_read_by_nobody_else() {
        let mut headers = HeaderMap::new();
        add_common(&mut headers, false);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        add_common(&mut headers, true);
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
