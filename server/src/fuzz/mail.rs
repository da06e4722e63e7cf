//! E-mail: addresses, and letters around texts that others chose.

use bitpro_base::fuzzing::{Target, first_line, text};
use bitpro_charge::Timestamp;
use bitpro_merchant::letters::Letter;
use bitpro_service::accounts::Email;
use bitpro_service::mail::fuzz as fuzzed;
use bitpro_web::checkout::params::normalised_email;

pub(super) const TARGETS: &[Target] = &[
    Target::new(
        "email",
        600,
        &[
            "ada@shop.example",
            "@",
            "\r\nBcc: x@y.example",
            "\u{130}",
            "\"a b\"",
            "<",
            ">",
            ",",
            "[127.0.0.1]",
            "\u{200b}",
            "xn--",
            "é",
            ".",
            "localhost",
        ],
        email,
    ),
    Target::new(
        "letter",
        1_000,
        &[
            "\r\n",
            "\r\nBcc: x@y.example\r\n",
            "=?utf-8?b?",
            "<script>",
            "http://",
            "evil.example",
            "\u{202e}",
            "\u{2028}",
            "\\",
            "@",
        ],
        letter,
    ),
];

/// An address has one form, fits a letter, and brings no header of its own into it.
fn email(input: &[u8]) {
    let Some(text) = text(input) else { return };
    if let Some(email) = Email::read(text) {
        assert_eq!(Email::read(email.as_str()).as_ref(), Some(&email), "one form");
        assert!(email.as_str().len() <= 254);
        assert_one_letter(email.as_str(), "Hello");
    }
    if let Some(address) = normalised_email(text) {
        assert_eq!(
            normalised_email(&address).as_deref(),
            Some(address.as_str()),
            "R22: one form"
        );
        assert!(address.len() <= 254, "{} bytes", address.len());
        assert!(!address.chars().any(|c| c.is_control() || c.is_whitespace()));
        assert_one_letter(&address, "Hello");
    }
}

/// Whatever a shop, a person or an order is called, a letter has our headers and no others, and links that are ours.
fn letter(input: &[u8]) {
    let (name, subject) = first_line(input);
    let (name, subject) = (String::from_utf8_lossy(name), String::from_utf8_lossy(subject));
    assert_one_letter("ada@shop.example", &subject);
    for cleaned in fuzzed::cleaned(&name).into_iter().chain(fuzzed::cleaned(&subject)) {
        assert!(!cleaned.chars().any(char::is_control), "{cleaned:?}");
        assert!(cleaned.chars().count() <= 600, "{cleaned:?}");
        assert!(!cleaned.contains("://"), "{cleaned:?}");
    }
}

fn assert_one_letter(to: &str, subject: &str) {
    let letter = Letter {
        to: to.to_owned(),
        subject: subject.to_owned(),
        text: "Text".to_owned(),
        html: "<p>Text</p>".to_owned(),
    };
    let Ok(written) = fuzzed::written(&letter, Timestamp(1_795_577_580_000)) else {
        return;
    };
    let written = String::from_utf8_lossy(&written);
    let head = written.split("\r\n\r\n").next().unwrap_or_default();
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default())
        .collect();
    let ours = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ];
    assert_eq!(names, ours, "{head}");
    assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head:?}");
}
