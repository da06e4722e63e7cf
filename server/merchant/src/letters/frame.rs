//! What all letters have in common: greeting, paragraphs, figures, one button, a last word.

use bitpro_charge::Timestamp;
use maud::{DOCTYPE, PreEscaped, html};

use super::{Letter, clean};
use crate::times::Times;
use crate::{Language, Zone};

/// The look of the checkout, as far as mail programs go along.
const STYLES: &str = "\
body{margin:0;padding:24px 12px;background:#f3f5f8;color:#1a2330;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
.card{width:100%;max-width:520px;margin:0 auto;background:#ffffff;border-radius:12px;border-collapse:separate}\
.card td{padding:28px}\
.brand{margin:0 0 20px;font-weight:700;color:#1f5aa6}\
p{margin:0 0 16px}\
.button{display:inline-block;padding:12px 22px;border-radius:8px;background:#1f5aa6;color:#ffffff;font-weight:600;text-decoration:none}\
.figures{width:100%;margin:0 0 16px;border-collapse:collapse}\
.figures th,.figures td{padding:6px 0;border-bottom:1px solid #e3e8ef;text-align:left;vertical-align:top;font-weight:400}\
.figures td{overflow-wrap:anywhere}\
.figures th{padding-right:16px;color:#5a6675;white-space:nowrap}\
.small{font-size:14px;color:#5a6675}\
.url{word-break:break-all}";

/// The content of a letter.
pub(super) struct Content<'a> {
    pub(super) language: Language,
    pub(super) subject: String,
    /// Whom it greets, uncleaned; nobody when nothing is known of them.
    pub(super) name: Option<&'a str>,
    pub(super) paragraphs: Vec<String>,
    /// Label and value.
    pub(super) figures: Vec<(String, String)>,
    /// Label and address.
    pub(super) button: Option<(String, String)>,
    /// What is said in small letters below.
    pub(super) small: Vec<String>,
}

impl<'a> Content<'a> {
    /// A content with nothing but paragraphs.
    pub(super) fn new(language: Language, subject: String, name: Option<&'a str>, paragraphs: Vec<String>) -> Self {
        Self {
            language,
            subject,
            name,
            paragraphs,
            figures: Vec::new(),
            button: None,
            small: Vec::new(),
        }
    }

    pub(super) fn button(mut self, label: &str, url: &str) -> Self {
        self.button = Some((label.to_owned(), url.to_owned()));
        self
    }

    pub(super) fn small(mut self, text: impl Into<String>) -> Self {
        self.small.push(text.into());
        self
    }

    /// The letter to `to`.
    pub(super) fn to(self, to: &str) -> Letter {
        Letter {
            to: to.to_owned(),
            subject: clean::line(&self.subject, 150),
            text: self.text(),
            html: self.html(),
        }
    }

    fn greeting(&self) -> Option<String> {
        let name = clean::name(self.name?);
        Some(match (self.language, name.is_empty()) {
            (Language::En, true) => "Hello,".to_owned(),
            (Language::En, false) => format!("Hello {name},"),
            (Language::Fr, true) => "Bonjour,".to_owned(),
            (Language::Fr, false) => format!("Bonjour {name},"),
        })
    }

    fn text(&self) -> String {
        let mut parts: Vec<String> = self.greeting().into_iter().collect();
        parts.extend(self.paragraphs.iter().cloned());
        if !self.figures.is_empty() {
            let colon = match self.language {
                Language::En => ":",
                Language::Fr => " :",
            };
            let lines: Vec<String> = (self.figures.iter())
                .map(|(label, value)| format!("{label}{colon} {value}"))
                .collect();
            parts.push(lines.join("\n"));
        }
        if let Some((_, url)) = &self.button {
            parts.push(url.clone());
        }
        parts.extend(self.small.iter().cloned());
        parts.push("-- \nBitpro".to_owned());
        parts.join("\n\n") + "\n"
    }

    fn html(&self) -> String {
        let document = html! {
            (DOCTYPE)
            html lang=(self.language.as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light";
                    title { (self.subject) }
                    style { (PreEscaped(STYLES)) }
                }
                body {
                    table.card role="presentation" align="center" { tr { td {
                        p.brand { "Bitpro" }
                        @if let Some(greeting) = self.greeting() { p { (greeting) } }
                        @for paragraph in &self.paragraphs { p { (paragraph) } }
                        @if !self.figures.is_empty() {
                            table.figures {
                                @for (label, value) in &self.figures {
                                    tr { th scope="row" { (label) } td { (value) } }
                                }
                            }
                        }
                        @if let Some((label, url)) = &self.button {
                            p { a.button href=(url) { (label) } }
                            p.small.url { (url) }
                        }
                        @for text in &self.small { p.small { (text) } }
                    } } }
                }
            }
        };
        document.into_string()
    }
}

/// The figures of a letter as they are read in `language`: a number of hours.
pub(super) fn hours(language: Language, hours: u32) -> String {
    match (language, hours) {
        (Language::En, 1) => "one hour".to_owned(),
        (Language::En, _) => format!("{hours} hours"),
        (Language::Fr, 1) => "une heure".to_owned(),
        (Language::Fr, _) => format!("{hours} heures"),
    }
}

/// A number of days.
pub(super) fn days(language: Language, days: u32) -> String {
    match (language, days) {
        (Language::En, 1) => "one day".to_owned(),
        (Language::En, _) => format!("{days} days"),
        (Language::Fr, 1) => "un jour".to_owned(),
        (Language::Fr, _) => format!("{days} jours"),
    }
}

/// An instant to the minute, by the clock of `zone`. The spaces are plain ones: a letter's text is read by many programs.
pub(super) fn moment(language: Language, at: Timestamp, zone: &Zone) -> String {
    Times::new(zone, language).minute(at).replace('\u{a0}', " ")
}
