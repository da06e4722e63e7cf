//! How long a former secret goes on beside the new one: the same choice for keys, webhooks and links.

use bitpro_merchant::Language;
use bitpro_merchant::words::{Words, words};
use maud::Markup;

use crate::field::Field;
use crate::form::Form;

const CHOICES: [(&str, Words); 5] = [
    ("0", words("expires now", "expire aussitôt")),
    ("3600", words("stays valid for 1 hour", "reste valable 1 heure")),
    ("86400", words("stays valid for 1 day", "reste valable 1 jour")),
    ("604800", words("stays valid for 1 week", "reste valable 1 semaine")),
    ("2592000", words("stays valid for 30 days", "reste valable 30 jours")),
];
const USUAL: &str = "86400";
const LABEL: Words = words("The current one", "L’actuel");

/// The choice, under an `id` that is unique on the page.
pub(super) fn choice(id: &str, lang: Language) -> Markup {
    let options = CHOICES.map(|(secs, said)| (secs, said.of(lang)));
    Field::new("overlap", LABEL.of(lang))
        .id(id)
        .value(USUAL)
        .select(&options)
}

/// What was chosen, in seconds; what is none of the choices is the usual one, which harms nobody.
pub(super) fn chosen(form: &Form) -> u32 {
    let typed = form.text("overlap");
    let known = CHOICES.iter().map(|(secs, _)| *secs).find(|secs| *secs == typed);
    known.unwrap_or(USUAL).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bitpro_service::charges::LONGEST_OVERLAP_SECS;

    use super::*;

    #[test]
    fn every_choice_can_be_taken_and_nothing_else() {
        for (secs, _) in CHOICES {
            let form = Form::read(format!("overlap={secs}").as_bytes());
            assert_eq!(chosen(&form).to_string(), secs);
            assert!(chosen(&form) <= LONGEST_OVERLAP_SECS);
        }
        assert_eq!(chosen(&Form::read(b"overlap=1")), 86_400);
        assert_eq!(chosen(&Form::default()), 86_400);
    }
}
