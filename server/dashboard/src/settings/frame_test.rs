//! Whether a page may show the checkout in a frame, told from its address. Pure.

use bitpro_merchant::{AllowedOrigin, Merchant, OriginError};
use url::Url;

/// What is to be said of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may.
    Allowed {
        /// The page's origin.
        origin: String,
        /// The entry of the list that allows it.
        by: String,
    },
    /// It may not, until this origin is added.
    Missing(String),
    /// No entry could allow it.
    Impossible(OriginError),
}

/// Judges the page at `address`, as it stands in the browser or as somebody remembers it: without a scheme, https is meant.
pub(super) fn judge(address: &str, merchant: &Merchant) -> Verdict {
    let whole = if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    };
    let Ok(url) = Url::parse(&whole) else {
        return Verdict::Impossible(OriginError::Malformed);
    };
    let origin = url.origin();
    if !origin.is_tuple() {
        return Verdict::Impossible(OriginError::Malformed);
    }
    let origin = origin.ascii_serialization();
    let mut listed = merchant.settings.allowed_origins.iter();
    match listed.find(|entry| entry.allows(&origin)) {
        Some(entry) => Verdict::Allowed {
            by: entry.to_string(),
            origin,
        },
        None => match origin.parse::<AllowedOrigin>() {
            Ok(missing) => Verdict::Missing(missing.to_string()),
            Err(error) => Verdict::Impossible(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use bitpro_web::testing::merchant_framed_by;

    use super::*;

    #[test]
    fn a_page_is_judged_by_its_origin() {
        let merchant = merchant_framed_by("shop.example *.shop.example http://localhost:3000");
        for (page, by) in [
            ("https://shop.example/cart?x=1#top", "https://shop.example"),
            ("SHOP.example/cart", "https://shop.example"),
            ("https://www.shop.example", "https://*.shop.example"),
            ("http://localhost:3000/", "http://localhost:3000"),
        ] {
            assert!(
                matches!(judge(page, &merchant), Verdict::Allowed { by: entry, .. } if entry == by),
                "{page}"
            );
        }
    }

    #[test]
    fn what_is_missing_is_named_as_it_would_be_added() {
        let merchant = merchant_framed_by("shop.example");
        for (page, missing) in [
            ("https://www.shop.example/cart", "https://www.shop.example"),
            ("https://shop.example:8443/", "https://shop.example:8443"),
            ("bücher.example", "https://xn--bcher-kva.example"),
            ("https://user@other.example/", "https://other.example"),
        ] {
            assert_eq!(judge(page, &merchant), Verdict::Missing(missing.to_owned()), "{page}");
        }
    }

    #[test]
    fn some_pages_never_may() {
        let merchant = merchant_framed_by("shop.example");
        for (page, error) in [
            ("http://shop.example/", OriginError::Insecure),
            ("file:///home/me/shop.html", OriginError::Malformed),
            ("https://", OriginError::Malformed),
            ("not a page", OriginError::Malformed),
        ] {
            assert_eq!(judge(page, &merchant), Verdict::Impossible(error), "{page}");
        }
    }
}
