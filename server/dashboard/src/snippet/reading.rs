//! What the form of the snippet builder asks for. Pure.

use bitpro_charge::{Cents, PriceError};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Settings};
use bitpro_web::checkout::params::normalised_email;

use super::code::Wanted;
use crate::field::Errors;
use crate::form::Form;
use crate::settings::Unit;

/// The longest words on a button, in characters.
const LABEL_CHARS: usize = 100;
/// The longest order id, in characters.
const ORDER_ID_CHARS: usize = 200;
/// How long a signed link may be good, in days.
const DAYS: std::ops::RangeInclusive<u32> = 1..=365;

/// What kind of snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Widget,
    Link,
    Signed,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Widget, Self::Link, Self::Signed];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Widget => "widget",
            Self::Link => "link",
            Self::Signed => "signed",
        }
    }

    pub(super) fn of(form: &Form) -> Self {
        let typed = form.text("kind");
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == typed);
        known.unwrap_or(Self::Widget)
    }
}

/// What is wanted; what is wrong is left out of it, and told.
pub(super) fn read(form: &Form, settings: &Settings, lang: Language) -> (Wanted, Errors) {
    let mut errors = Errors::none();
    let present = |name: &str| Some(form.text(name)).filter(|text| !text.is_empty());
    let mut wanted = Wanted {
        label: PAY.of(lang).to_owned(),
        ..Wanted::default()
    };
    if let Some(typed) = present("price") {
        match price(typed, settings.price_limit) {
            Ok(price) => wanted.price = Some(price),
            Err(PriceError::AboveLimit(_)) => {
                let limit = Unit::Euros.shown(&settings.price_limit.0.to_string());
                errors.add("price", ABOVE.of(lang).replace("{limit}", &limit));
            }
            Err(_) => errors.add("price", PRICE_WANTED.of(lang)),
        }
    }
    if let Some(typed) = present("order_id") {
        let fits = typed.chars().count() <= ORDER_ID_CHARS && !typed.chars().any(char::is_control);
        match fits {
            true => wanted.order_id = Some(typed.to_owned()),
            false => errors.add("order_id", ORDER_ID_WANTED.of(lang)),
        }
    }
    if let Some(typed) = present("email") {
        match normalised_email(typed) {
            Some(email) => wanted.buyer_email = Some(email),
            None => errors.add("email", EMAIL_WANTED.of(lang)),
        }
    }
    wanted.language = form.text("page_lang").parse().ok();
    if let Some(typed) = present("label") {
        match typed.chars().count() <= LABEL_CHARS {
            true => typed.clone_into(&mut wanted.label),
            false => errors.add("label", LABEL_WANTED.of(lang)),
        }
    }
    if Kind::of(form) == Kind::Signed && form.has("kind") && wanted.price.is_none() {
        errors.add("price", SIGNED_PRICE.of(lang));
    }
    (wanted, errors)
}

/// How many days a signed link is good; one when nothing right was typed.
pub(super) fn days(form: &Form) -> u32 {
    let typed = form.text("days").parse().ok();
    typed.filter(|days| DAYS.contains(days)).unwrap_or(1)
}

fn price(typed: &str, limit: Cents) -> Result<Cents, PriceError> {
    let cents = Unit::Euros.kept(typed).ok_or(PriceError::NotWhole)?;
    Cents::parse_price(&cents, limit)
}

/// The words on a button.
pub(super) const PAY: Words = words("Pay with Bitcoin", "Payer en Bitcoin");
const PRICE_WANTED: Words = words(
    "Enter an amount in euros, such as 42.50.",
    "Saisissez un montant en euros, comme 42,50.",
);
const ABOVE: Words = words(
    "Your settings allow at most {limit} euros per charge.",
    "Vos réglages autorisent au plus {limit} euros par encaissement.",
);
const SIGNED_PRICE: Words = words(
    "Enter a price: it is what the signature of the link vouches for.",
    "Saisissez un prix\u{a0}: c’est ce que garantit la signature du lien.",
);
const ORDER_ID_WANTED: Words = words(
    "Enter at most 200 characters, on one line.",
    "Saisissez au plus 200 caractères, sur une seule ligne.",
);
const EMAIL_WANTED: Words = words("Enter an e-mail address.", "Saisissez une adresse e-mail.");
const LABEL_WANTED: Words = words("Enter at most 100 characters.", "Saisissez au plus 100 caractères.");

#[cfg(test)]
mod tests {
    use super::*;

    fn read_form(form: &str) -> (Wanted, Errors) {
        let settings = Settings::named("Shop")
            .unwrap()
            .with(&[("price_limit_cents", "100000")])
            .unwrap();
        read(&Form::read(form.as_bytes()), &settings, Language::En)
    }

    #[test]
    fn what_is_left_out_is_not_there() {
        let (wanted, errors) = read_form("");
        assert!(errors.is_empty());
        assert_eq!((wanted.price, wanted.label.as_str()), (None, "Pay with Bitcoin"));
        let (wanted, errors) = read_form("price=42%2C5&order_id=+A-1+&email=Anna%40Mail.example&page_lang=fr&label=Go");
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(wanted.price, Some(Cents(4_250)));
        assert_eq!(wanted.order_id.as_deref(), Some("A-1"));
        assert_eq!(wanted.buyer_email.as_deref(), Some("anna@mail.example"));
        assert_eq!((wanted.language, wanted.label.as_str()), (Some(Language::Fr), "Go"));
    }

    #[test]
    fn what_the_checkout_would_not_take_is_told_here() {
        let long = "x".repeat(201);
        for (form, field) in [
            ("price=0", "price"),
            ("price=x", "price"),
            ("price=1000.01", "price"),
            ("kind=signed", "price"),
            (&format!("order_id={long}"), "order_id"),
            ("order_id=a%0Ab", "order_id"),
            ("email=nobody", "email"),
            (&format!("label={long}"), "label"),
        ] {
            let (_, errors) = read_form(form);
            assert!(errors.get(field).is_some(), "{form}");
        }
    }

    #[test]
    fn a_signed_link_is_good_for_a_day_unless_it_is_said_otherwise() {
        let days = |form: &str| days(&Form::read(form.as_bytes()));
        assert_eq!(
            [days(""), days("days=30"), days("days=0"), days("days=9999")],
            [1, 30, 1, 1]
        );
    }
}
