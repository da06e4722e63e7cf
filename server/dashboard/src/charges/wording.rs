//! States, reasons and origins in plain words, and what of a buyer is shown to whom.

use bitpro_charge::{Charge, Loss, Reason, State};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission, Role};
use bitpro_rates::FixedRate;
use bitpro_service::charges::{ChargeOrigin, Ignored};
use maud::{Markup, html};

/// A state in a word or two.
#[must_use]
pub const fn state_word(state: State) -> Words {
    match state {
        State::Pending => words("Waiting", "En attente"),
        State::Seen => words("Received", "Reçu"),
        State::Confirmed => words("Confirmed", "Confirmé"),
        State::TimedOut => words("Timed out", "Expiré"),
        State::Failed => words("Failed", "Échoué"),
    }
}

/// Why a charge is in its state; nothing where there is nothing to say.
#[must_use]
pub const fn reason_word(reason: Reason) -> Option<Words> {
    Some(match reason {
        Reason::Exact => return None,
        Reason::Underpaid => words("too little", "montant insuffisant"),
        Reason::Overpaid => words("too much", "trop-perçu"),
        Reason::Late => words("too late", "trop tard"),
        Reason::Replaced => words("replaced", "remplacé"),
        Reason::Dropped => words("dropped by the network", "abandonné par le réseau"),
        Reason::Reorged => words("removed from the blockchain", "retiré de la blockchain"),
        Reason::Manual => words("accepted manually", "accepté manuellement"),
        Reason::Cancelled => words("cancelled", "annulé"),
        Reason::Stuck => words("not confirmed in time", "pas confirmé à temps"),
    })
}

/// How a payment was lost.
#[must_use]
pub const fn loss_word(loss: Loss) -> Words {
    match loss {
        Loss::Replaced => words(
            "another transaction spent the same coins",
            "une autre transaction a dépensé les mêmes fonds",
        ),
        Loss::Dropped => words("the network dropped it", "le réseau l’a abandonnée"),
        Loss::Reorged => words(
            "its block was removed from the blockchain",
            "son bloc a été retiré de la blockchain",
        ),
    }
}

/// Who asked for a charge.
#[must_use]
pub const fn origin_word(origin: ChargeOrigin) -> Words {
    match origin {
        ChargeOrigin::Link => words("link, price not verified", "lien, prix non vérifié"),
        ChargeOrigin::SignedLink => words("signed link", "lien signé"),
        ChargeOrigin::Api => words("your server (API)", "votre serveur (API)"),
    }
}

/// So many confirmations, of which so many are waited for.
#[must_use]
pub fn confirmations(have: u32, required: u32, language: Language) -> String {
    match (language, have, required) {
        (Language::En, 0 | 1, 1) => format!("{have} of 1 confirmation"),
        (Language::En, ..) => format!("{have} of {required} confirmations"),
        // French takes nought for a singular.
        (Language::Fr, 0 | 1, _) => format!("{have} confirmation sur {required}"),
        (Language::Fr, ..) => format!("{have} confirmations sur {required}"),
    }
}

/// Who says a rate: names of exchanges with their times, as they are, or a word.
#[must_use]
pub fn source_word(source: &str, language: Language) -> &str {
    match source {
        FixedRate::SOURCE => words("fixed rate", "cours fixe").of(language),
        exchanges => exchanges,
    }
}

/// The state as a chip with its word, and the reason beside it.
#[must_use]
pub fn state_chip(charge: &Charge, language: Language) -> Markup {
    let reason = charge.reason.and_then(reason_word);
    html! {
        span class={ "state " (charge.state) } { (state_word(charge.state).of(language)) }
        @if let Some(reason) = reason {
            " " span.hint { (reason.of(language)) }
        }
    }
}

/// The buyer's e-mail, as far as `role` may see it.
#[must_use]
pub fn email_for(role: Role, email: &str) -> String {
    if role.may(Permission::SeeBuyers) {
        return email.to_owned();
    }
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

/// What was ignored in a link or call (R38). A line that nobody has written here is shown as it is.
pub(super) fn ignored(line: &str, language: Language) -> &str {
    match Ignored::read(line) {
        Some(Ignored::Email) => BAD_EMAIL.of(language),
        Some(Ignored::Language) => BAD_LANGUAGE.of(language),
        None => line,
    }
}

const BAD_EMAIL: Words = words(
    "buyer_email was ignored: not an e-mail address",
    "buyer_email a été ignoré\u{a0}: ce n’est pas une adresse e-mail",
);
const BAD_LANGUAGE: Words = words(
    "lang was ignored: not one of en, fr",
    "lang a été ignoré\u{a0}: ni en, ni fr",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_sees_only_where_an_address_begins_and_ends() {
        assert_eq!(email_for(Role::Viewer, "anna@shop.example"), "a…@shop.example");
        assert_eq!(email_for(Role::Viewer, "é@x.example"), "é…@x.example");
        assert_eq!(email_for(Role::Accountant, "anna@shop.example"), "anna@shop.example");
    }

    #[test]
    fn what_the_checkout_notes_is_told_in_french_too() {
        use bitpro_charge::Cents;
        use bitpro_web::checkout::params::Params;

        let read = Params::parse("buyer_email=x&lang=xx", Cents(100)).unwrap();
        assert_eq!(read.ignored.len(), 2);
        for (note, words) in read.ignored.into_iter().zip([BAD_EMAIL, BAD_LANGUAGE]) {
            // As it is kept now, and as it was kept once.
            for line in [note.code(), note.said()] {
                assert_eq!(ignored(line, Language::En), words.en);
                assert_eq!(ignored(line, Language::Fr), words.fr);
            }
        }
        assert_eq!(ignored("another", Language::Fr), "another");
    }

    #[test]
    fn one_confirmation_is_no_plural() {
        let said = |language| [(0, 1), (1, 1), (2, 1), (1, 6)].map(|(have, of)| confirmations(have, of, language));
        assert_eq!(
            said(Language::En),
            [
                "0 of 1 confirmation",
                "1 of 1 confirmation",
                "2 of 1 confirmations",
                "1 of 6 confirmations"
            ]
        );
        assert_eq!(
            said(Language::Fr),
            [
                "0 confirmation sur 1",
                "1 confirmation sur 1",
                "2 confirmations sur 1",
                "1 confirmation sur 6"
            ]
        );
    }

    #[test]
    fn a_fixed_rate_is_said_in_words_and_exchanges_by_their_names() {
        let fixed = FixedRate::SOURCE;
        assert_eq!(source_word(fixed, Language::En), "fixed rate");
        assert_eq!(source_word(fixed, Language::Fr), "cours fixe");
        let exchanges = "kraken 09:15:04Z, bitstamp 09:15:06Z";
        assert_eq!(source_word(exchanges, Language::Fr), exchanges);
    }

    #[test]
    fn every_word_is_there_in_both_languages() {
        let states = State::ALL.map(state_word);
        let reasons = Reason::ALL.into_iter().filter_map(reason_word);
        for word in states.into_iter().chain(reasons) {
            assert!(!word.en.is_empty() && !word.fr.is_empty() && word.en != word.fr);
        }
    }
}
