//! Why a webhook's receiver gave no answer, in the reader's language. The causes are the operator's to know, in the log.

use bitpro_merchant::Language;
use bitpro_merchant::words::{Words, words};
use bitpro_service::webhooks::FailureKind;
use maud::{Markup, html};

/// A stored failure, as it is shown.
pub(super) fn failure(text: &str, language: Language) -> Markup {
    let said = FailureKind::read(text).map_or(NO_ANSWER, said);
    html! { (said.of(language)) }
}

/// What is said where not even a failure is known.
pub(super) const NO_ANSWER: Words = words("no response", "pas de réponse");

const fn said(kind: FailureKind) -> Words {
    match kind {
        FailureKind::Slow => words("no response in time", "pas de réponse à temps"),
        FailureKind::UnknownName => words("the host name cannot be resolved", "le nom d’hôte est introuvable"),
        FailureKind::NotPublic => words("the address is not public", "l’adresse n’est pas publique"),
        FailureKind::Refused => words("the connection was refused", "la connexion a été refusée"),
        FailureKind::Unreachable => words("the server cannot be reached", "le serveur est injoignable"),
        FailureKind::Untrusted => words(
            "the certificate is not trusted",
            "le certificat n’est pas digne de confiance",
        ),
        FailureKind::NoTls => words("no secure connection", "pas de connexion sécurisée"),
        FailureKind::BrokenOff => words("the connection broke off", "la connexion a été interrompue"),
        FailureKind::Unreadable => words("the response is not HTTP", "la réponse n’est pas du HTTP"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_the_readers_language_without_what_it_shows_of_the_operators_network() {
        let french = |text: &str| failure(text, Language::Fr).into_string();
        assert_eq!(french("connection refused"), "la connexion a été refusée");
        // Earlier releases stored the causes as well, or nothing else.
        assert_eq!(
            french("no public address: db.internal has 10.0.0.7"),
            "l’adresse n’est pas publique"
        );
        assert_eq!(french("client error (Connect)"), "pas de réponse");
        for kind in FailureKind::ALL {
            let said = said(kind);
            assert!(!said.of(Language::En).is_empty() && said.of(Language::En) != said.of(Language::Fr));
        }
    }
}
