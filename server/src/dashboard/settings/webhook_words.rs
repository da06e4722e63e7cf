//! Words about webhooks: what is told, why an address is not taken, what became of a delivery.

use bitpro_charge::Announcement;

use crate::merchant::Language;
use crate::policy::UrlError;
use crate::webhooks::{MAX_WEBHOOKS, WebhookError};
use crate::words::{Words, words};

/// What `announcement` means.
pub(super) fn event(announcement: Announcement) -> Words {
    match announcement {
        Announcement::Seen => words("Paid, not confirmed yet", "Payé, pas encore confirmé"),
        Announcement::TimedOut => words("Timed out without money", "Expiré sans paiement"),
        Announcement::Confirmed => words("Confirmed: ship", "Confirmé : livrez"),
        Announcement::Failed => words(
            "Failed: wrong amount, late, lost",
            "Échec : montant faux, tardif, perdu",
        ),
        Announcement::Reverted => words(
            "Fallen back: the money is gone again",
            "Revenu en arrière : l’argent a disparu",
        ),
        Announcement::Updated => words(
            "News on the way: more money, stuck",
            "Du nouveau en route : complément, blocage",
        ),
    }
}

/// The field that an error belongs to, and what to say there; `None` for what the merchant cannot mend.
pub(super) fn fault(error: &WebhookError, lang: Language) -> Option<(&'static str, String)> {
    let said = match error {
        WebhookError::State(_) => return Some(("state", CHOOSE.of(lang).to_owned())),
        WebhookError::Url(error) => return Some(("url", url(error, lang))),
        WebhookError::Resolved(_) => NOT_PUBLIC.of(lang).to_owned(),
        WebhookError::Duplicate(_) => DUPLICATE.of(lang).to_owned(),
        WebhookError::TooMany => TOO_MANY.of(lang).replace("{most}", &MAX_WEBHOOKS.to_string()),
        _ => return None,
    };
    Some(("url", said))
}

/// The word for the state of a delivery.
pub(super) fn delivery(state: &str) -> Words {
    match state {
        "pending" => words("to be delivered", "à livrer"),
        "delivered" => words("delivered", "livré"),
        "given_up" => words("given up", "abandonné"),
        _ => words("cancelled", "annulé"),
    }
}

/// The class of the mark for the state of a delivery.
pub(super) fn class(state: &str) -> &'static str {
    match state {
        "delivered" => "chip good",
        "pending" => "chip busy",
        "given_up" => "chip bad",
        _ => "chip",
    }
}

fn url(error: &UrlError, lang: Language) -> String {
    match error {
        UrlError::Malformed => words(
            "Write a whole address, as in https://shop.example/webhooks.",
            "Saisissez une adresse complète, comme https://boutique.example/webhooks.",
        )
        .of(lang)
        .to_owned(),
        UrlError::NotHttps => words(
            "The address must begin with https://.",
            "L’adresse doit commencer par https://.",
        )
        .of(lang)
        .to_owned(),
        UrlError::Port(port) => words(
            "Port {port} is not taken: 443 and 8443 are.",
            "Le port {port} n’est pas accepté : 443 et 8443 le sont.",
        )
        .of(lang)
        .replace("{port}", &port.to_string()),
        UrlError::Credentials => words(
            "Leave out the user name and password: verify the signature instead.",
            "Retirez le nom d’utilisateur et le mot de passe : vérifiez plutôt la signature.",
        )
        .of(lang)
        .to_owned(),
        UrlError::Fragment => words(
            "Leave out the part behind #, which is never sent.",
            "Retirez la partie après #, qui n’est jamais transmise.",
        )
        .of(lang)
        .to_owned(),
        UrlError::Special(_) => NOT_PUBLIC.of(lang).to_owned(),
    }
}

const CHOOSE: Words = words("Choose one of the list.", "Choisissez dans la liste.");
const NOT_PUBLIC: Words = words(
    "The address leads into a network that is not public.",
    "L’adresse mène à un réseau qui n’est pas public.",
);
const DUPLICATE: Words = words(
    "This address is told of this event already.",
    "Cette adresse reçoit déjà cet événement.",
);
const TOO_MANY: Words = words(
    "There may be at most {most} webhooks.",
    "Au plus {most} webhooks sont possibles.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_mended_is_told_at_its_field() {
        let told = |error| fault(&error, Language::En);
        let (field, said) = told(WebhookError::Url(UrlError::Port(25))).unwrap();
        assert_eq!(
            (field, said.as_str()),
            ("url", "Port 25 is not taken: 443 and 8443 are.")
        );
        assert_eq!(told(WebhookError::State("x".to_owned())).unwrap().0, "state");
        assert!(told(WebhookError::TooMany).unwrap().1.contains("50"));
        assert_eq!(told(WebhookError::Unknown), None);
    }
}
