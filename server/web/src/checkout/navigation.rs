//! What kind of request this is: a person going somewhere, a frame, a guess of the browser, a robot (R22, R24).
//!
//! It is told by the `Sec-Fetch-*` headers, which no page can forge (W3C Fetch Metadata), and by the Referer's origin.

use bitpro_merchant::Merchant;
use http::{HeaderMap, Method, header};
use url::Url;

/// What a request for a page may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// A person is really going there: a charge may be made.
    Real,
    /// It cannot be told, or is a guess: a button, by which a person shows that they are one.
    Button,
    /// Framed by a page that is not on the merchant's list; its origin, where the browser told it.
    Refused(Option<String>),
}

/// Whether the page will be shown inside another one.
#[must_use]
pub fn is_framed(headers: &HeaderMap) -> bool {
    matches!(
        text(headers, "sec-fetch-dest"),
        Some("iframe" | "frame" | "embed" | "object" | "fencedframe")
    )
}

/// Whether a script reads the page, as ours does for the QR code of another amount.
#[must_use]
pub fn is_by_script(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-dest") == Some("empty")
}

/// What a request for the page of `merchant` may get. `pressed`: it carries a token of our own button, which is shown only
/// where the list allows it.
#[must_use]
pub fn admission(method: &Method, headers: &HeaderMap, merchant: &Merchant, pressed: bool) -> Admission {
    let real = match *method {
        Method::GET => text(headers, "sec-fetch-mode") == Some("navigate") && !is_prefetch(headers) && is_page(headers),
        // A form that was sent is a deed; a browser too old to say how is believed, a script is not.
        Method::POST => matches!(text(headers, "sec-fetch-mode"), None | Some("navigate")) && is_page(headers),
        _ => false,
    };
    let admitted = if real { Admission::Real } else { Admission::Button };
    if !is_framed(headers) {
        return admitted;
    }
    match framer(headers) {
        Framer::Ourselves => admitted,
        Framer::Origin(origin) if merchant.allows(&origin) => admitted,
        Framer::Origin(origin) => Admission::Refused(Some(origin)),
        Framer::Unknown if merchant.settings.allowed_origins.is_empty() => Admission::Refused(None),
        Framer::Unknown if pressed => admitted,
        // `frame-ancestors` of the button's page is what protects it then.
        Framer::Unknown => Admission::Button,
    }
}

enum Framer {
    /// A page of ours went on to another one; that it was in the frame at all, the list allowed.
    Ourselves,
    Origin(String),
    Unknown,
}

fn framer(headers: &HeaderMap) -> Framer {
    if text(headers, "sec-fetch-site") == Some("same-origin") {
        return Framer::Ourselves;
    }
    let Some(referer) = text(headers, header::REFERER.as_str()) else {
        return Framer::Unknown;
    };
    match Url::parse(referer).map(|url| url.origin()) {
        Ok(origin) if origin.is_tuple() => Framer::Origin(origin.ascii_serialization()),
        _ => Framer::Unknown,
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    matches!(text(headers, "sec-fetch-dest"), None | Some("document")) || is_framed(headers)
}

/// Prefetching and prerendering say so in one of these, depending on the browser and its age.
fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .into_iter()
        .filter_map(|name| text(headers, name))
        .any(|value| value.contains("prefetch") || value.contains("prerender") || value.contains("preview"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::testing::merchant_framed_by;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn get(pairs: &[(&'static str, &'static str)]) -> Admission {
        admission(
            &Method::GET,
            &headers(pairs),
            &merchant_framed_by("shop.example"),
            false,
        )
    }

    fn framed(more: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut all = vec![
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-site", "cross-site"),
        ];
        all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        all.extend(more);
        headers(&all)
    }

    #[test]
    fn r22_only_a_real_navigation_makes_a_charge() {
        let navigate = ("sec-fetch-mode", "navigate");
        let document = ("sec-fetch-dest", "document");
        assert_eq!(get(&[navigate, document]), Admission::Real);
        assert_eq!(get(&[navigate]), Admission::Real);
        for request in [
            &[][..],
            &[("sec-fetch-mode", "no-cors"), document],
            &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
            &[navigate, ("sec-fetch-dest", "image")],
            &[navigate, document, ("sec-purpose", "prefetch")],
            &[navigate, document, ("sec-purpose", "prefetch;prerender")],
            &[navigate, document, ("purpose", "prefetch")],
            &[navigate, document, ("x-moz", "prefetch")],
        ] {
            assert_eq!(get(request), Admission::Button, "{request:?}");
        }
    }

    #[test]
    fn r24_head_makes_nothing() {
        let real = headers(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]);
        assert_eq!(
            admission(&Method::HEAD, &real, &merchant_framed_by(""), true),
            Admission::Button
        );
    }

    #[test]
    fn r24_a_frame_is_real_only_under_a_listed_origin() {
        let shop = merchant_framed_by("shop.example");
        let by = |referer| admission(&Method::GET, &framed(&[("referer", referer)]), &shop, false);
        assert_eq!(by("https://shop.example/"), Admission::Real);
        assert_eq!(by("https://shop.example/cart?x=1"), Admission::Real);
        for (referer, origin) in [
            ("https://evil.example/", "https://evil.example"),
            ("http://shop.example/", "http://shop.example"),
            (
                "https://shop.example.evil.example/",
                "https://shop.example.evil.example",
            ),
            ("https://shop.example@evil.example/", "https://evil.example"),
        ] {
            assert_eq!(by(referer), Admission::Refused(Some(origin.to_owned())));
        }
    }

    #[test]
    fn r24_a_frame_without_a_referer_gets_a_button_under_the_list() {
        let shop = merchant_framed_by("shop.example");
        assert_eq!(admission(&Method::GET, &framed(&[]), &shop, false), Admission::Button);
        assert_eq!(admission(&Method::POST, &framed(&[]), &shop, false), Admission::Button);
        assert_eq!(admission(&Method::POST, &framed(&[]), &shop, true), Admission::Real);
        let ours = framed(&[("sec-fetch-site", "same-origin")]);
        assert_eq!(admission(&Method::POST, &ours, &shop, false), Admission::Real);
        assert_eq!(
            admission(&Method::GET, &framed(&[("referer", "data:,x")]), &shop, false),
            Admission::Button
        );
    }

    #[test]
    fn r24_nobody_frames_a_merchant_without_a_list() {
        assert_eq!(
            admission(&Method::GET, &framed(&[]), &merchant_framed_by(""), false),
            Admission::Refused(None)
        );
        let by = framed(&[("referer", "https://shop.example/")]);
        assert_eq!(
            admission(&Method::GET, &by, &merchant_framed_by(""), false),
            Admission::Refused(Some("https://shop.example".to_owned()))
        );
    }

    #[test]
    fn r22_a_form_is_a_deed_and_a_script_is_not() {
        let post = |pairs: &[(&'static str, &'static str)]| {
            admission(&Method::POST, &headers(pairs), &merchant_framed_by(""), false)
        };
        assert_eq!(post(&[]), Admission::Real);
        assert_eq!(
            post(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]),
            Admission::Real
        );
        assert_eq!(
            post(&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")]),
            Admission::Button
        );
    }
}
