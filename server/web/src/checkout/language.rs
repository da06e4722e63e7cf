//! Which language a page speaks: `lang`, then the merchant's default, then the browser's, then English (R40).

use bitpro_merchant::{Language, Settings};
use http::{HeaderMap, header};

/// The language of a page of a merchant with these `settings`; only languages that they offer are chosen.
#[must_use]
pub fn choose(asked: Option<Language>, settings: &Settings, headers: &HeaderMap) -> Language {
    let offered = |language: &Language| settings.languages.contains(language);
    asked
        .filter(offered)
        .or_else(|| settings.default_language.filter(offered))
        .or_else(|| accepted(headers, &settings.languages))
        .or_else(|| settings.languages.contains(&Language::En).then_some(Language::En))
        .or_else(|| settings.languages.first().copied())
        .unwrap_or(Language::En)
}

/// The language of a page without a merchant.
#[must_use]
pub fn of_browser(asked: Option<Language>, headers: &HeaderMap) -> Language {
    asked
        .or_else(|| accepted(headers, &Language::ALL))
        .unwrap_or(Language::En)
}

/// The best of `offered` by `Accept-Language` (RFC 9110, section 12.5.4).
fn accepted(headers: &HeaderMap, offered: &[Language]) -> Option<Language> {
    let value = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(u16, Language)> = None;
    for range in value.split(',') {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let Ok(language) = primary.parse::<Language>() else {
            continue;
        };
        let weight = weight(parameters);
        // The first of equals wins, as browsers list them.
        if weight > 0 && offered.contains(&language) && best.is_none_or(|(best, _)| weight > best) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A quality value in thousandths; what cannot be read is 1, as if it were not there.
fn weight(parameters: &str) -> u16 {
    let Some(value) = parameters.trim().strip_prefix("q=") else {
        return 1_000;
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let thousandths = format!("{fraction:0<3}")
        .get(..3)
        .and_then(|digits| digits.parse::<u16>().ok());
    match (whole, thousandths) {
        ("0", Some(thousandths)) => thousandths,
        _ => 1_000,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn browser(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))])
    }

    fn settings(changes: &[(&str, &str)]) -> Settings {
        Settings::named("Shop").unwrap().with(changes).unwrap()
    }

    #[test]
    fn r40_the_link_then_the_merchant_then_the_browser_then_english() {
        let french = browser("fr-FR,fr;q=0.9,en;q=0.8");
        let plain = settings(&[]);
        assert_eq!(choose(Some(Language::En), &plain, &french), Language::En);
        assert_eq!(choose(None, &plain, &french), Language::Fr);
        let english = settings(&[("default_language", "en")]);
        assert_eq!(choose(None, &english, &french), Language::En);
        assert_eq!(choose(Some(Language::Fr), &english, &HeaderMap::new()), Language::Fr);
        assert_eq!(choose(None, &plain, &HeaderMap::new()), Language::En);
    }

    #[test]
    fn r40_only_what_the_merchant_offers_is_spoken() {
        let french_only = settings(&[("languages", "fr")]);
        assert_eq!(choose(Some(Language::En), &french_only, &browser("en")), Language::Fr);
    }

    #[test]
    fn the_browsers_weights_count() {
        for (value, language) in [
            ("en;q=0.5, fr;q=0.51", Some(Language::Fr)),
            ("de, fr;q=0, en;q=0.1", Some(Language::En)),
            ("fr, en", Some(Language::Fr)),
            ("EN-gb", Some(Language::En)),
            ("de", None),
            ("*", None),
            (";q=x", None),
            ("fr;q=0.x", Some(Language::Fr)),
            // A header that is not ASCII is none.
            ("fr;q=é", None),
        ] {
            assert_eq!(accepted(&browser_bytes(value), &Language::ALL), language, "{value}");
        }
    }

    fn browser_bytes(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            header::ACCEPT_LANGUAGE,
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        )])
    }
}
