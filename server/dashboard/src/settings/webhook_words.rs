//! Words about webhooks: what is told, why an address is not taken, what became of a delivery.

use bitpro_base::policy::UrlError;
use bitpro_charge::Announcement;
use bitpro_merchant::Language;
use bitpro_merchant::words::{Words, words};
use bitpro_service::webhooks::{MAX_WEBHOOKS, WebhookError};

/// What `announcement` means.
pub(super) fn event(announcement: Announcement) -> Words {
    match announcement {
        Announcement::Seen => words("Paid, not confirmed yet", "Payé, pas encore confirmé"),
        Announcement::TimedOut => words("Timed out, not paid", "Expiré, non payé"),
        Announcement::Confirmed => words("Confirmed: you can ship", "Confirmé\u{a0}: vous pouvez expédier"),
        Announcement::Failed => words(
            "Failed: wrong amount, too late or lost",
            "Échec\u{a0}: montant inexact, trop tard ou perdu",
        ),
        Announcement::Reverted => words(
            "Reversed: the money is gone again",
            "Revenu en arrière\u{a0}: l’argent a disparu",
        ),
        Announcement::Updated => words(
            "Updates: more money arrived, or a payment is stuck",
            "Nouvelles\u{a0}: complément reçu, ou paiement bloqué",
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
        "pending" => words("pending", "en attente"),
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
            "Enter a full address, such as https://shop.example/webhooks.",
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
            "Port {port} is not allowed. Use 443 or 8443.",
            "Le port {port} n’est pas autorisé. Utilisez 443 ou 8443.",
        )
        .of(lang)
        .replace("{port}", &port.to_string()),
        UrlError::Credentials => words(
            "Leave out the user name and password. Verify the signature instead.",
            "Retirez le nom d’utilisateur et le mot de passe\u{a0}: vérifiez plutôt la signature.",
        )
        .of(lang)
        .to_owned(),
        UrlError::Fragment => words(
            "Leave out the part after #, which is never sent.",
            "Retirez la partie après #, qui n’est jamais transmise.",
        )
        .of(lang)
        .to_owned(),
        UrlError::Special(_) => NOT_PUBLIC.of(lang).to_owned(),
    }
}

const CHOOSE: Words = words("Choose one from the list.", "Choisissez dans la liste.");
const NOT_PUBLIC: Words = words(
    "The address is in a network that is not public.",
    "L’adresse se trouve dans un réseau qui n’est pas public.",
);
const DUPLICATE: Words = words(
    "This address already receives this event.",
    "Cette adresse reçoit déjà cet événement.",
);
const TOO_MANY: Words = words(
    "You can have up to {most} webhooks.",
    "Vous pouvez avoir jusqu’à {most} webhooks.",
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
            ("url", "Port 25 is not allowed. Use 443 or 8443.")
        );
        assert_eq!(told(WebhookError::State("x".to_owned())).unwrap().0, "state");
        assert!(told(WebhookError::TooMany).unwrap().1.contains("50"));
        assert_eq!(told(WebhookError::Unknown), None);
    }
}
