//! Headers by which a browser says what it would like, and cursors that it brings back.

use bitpro_base::fuzzing::{Target, header_values, text};
use bitpro_merchant::{Language, Settings};
use bitpro_web::checkout::language;
use bitpro_web::checkout::sse::Cursor;
use bitpro_web::encoding::accepts_brotli;
use http::{HeaderMap, header};

pub(super) const TARGETS: &[Target] = &[
    Target::new(
        "last-event-id",
        200,
        &[
            "e1.",
            "e1.7",
            "18446744073709551615",
            "18446744073709551616",
            "+",
            "-1",
            ".",
        ],
        last_event_id,
    ),
    Target::new(
        "accept-language",
        500,
        &["fr", "en-GB", ";q=", "0.5", "1.000", "*", ", ", "q=0", "\n"],
        accept_language,
    ),
    Target::new(
        "accept-encoding",
        500,
        &["br", "gzip", ";q=", "0.0", "1", "*", ", ", "\n", "identity"],
        accept_encoding,
    ),
];

/// A cursor that is taken is one that we wrote, to the letter (R31).
fn last_event_id(input: &[u8]) {
    let Some(text) = text(input) else { return };
    for epoch in ["e1", "e.1", ""] {
        if let Cursor::After(sequence) = Cursor::read(Some(text), epoch) {
            assert_eq!(Cursor::text(epoch, sequence), text, "R31");
        }
    }
}

/// Only a language that the merchant offers is chosen (R40).
fn accept_language(input: &[u8]) {
    let headers: HeaderMap = header_values(input)
        .map(|value| (header::ACCEPT_LANGUAGE, value))
        .collect();
    for offered in ["en", "fr", "en fr", "fr en"] {
        let settings = Settings::named("Shop").and_then(|settings| settings.with(&[("languages", offered)]));
        let settings = settings.expect("a test's own settings");
        for asked in [None, Some(Language::Fr)] {
            let chosen = language::choose(asked, &settings, &headers);
            assert!(settings.languages.contains(&chosen), "R40");
        }
    }
    let _ = language::of_browser(None, &headers);
}

/// Brotli is sent only to who names it.
fn accept_encoding(input: &[u8]) {
    let headers: HeaderMap = header_values(input)
        .map(|value| (header::ACCEPT_ENCODING, value))
        .collect();
    if accepts_brotli(&headers) {
        assert!(input.to_ascii_lowercase().windows(2).any(|pair| pair == b"br"));
        let refusals = ["br;q=0", "br; q=0", "br;q=0.0", "br ;q=0.000"];
        for value in headers.values().filter_map(|value| value.to_str().ok()) {
            let is_refusal = refusals
                .iter()
                .any(|refusal| value.trim().eq_ignore_ascii_case(refusal));
            assert!(headers.len() > 1 || !is_refusal, "{value}");
        }
    }
}
