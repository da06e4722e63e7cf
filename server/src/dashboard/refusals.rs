//! Why there is no page, in words for people who run a shop.

use crate::checkout::refusal::Refusal;
use crate::words::{Words, words};

/// What is said.
pub(super) struct Said {
    pub(super) title: Words,
    pub(super) text: Words,
}

/// What is said of a refusal.
pub(super) fn said_of(refusal: &Refusal) -> Said {
    let said = |title, text| Said { title, text };
    match refusal.code {
        "not-allowed" => said(
            words("Your role does not allow this", "Votre rôle ne le permet pas"),
            words(
                "Ask an owner of the team.",
                "Adressez-vous à un propriétaire de l’équipe.",
            ),
        ),
        "foreign-form" | "stale-form" => said(
            words("This form is out of date", "Ce formulaire n’est plus valable"),
            words(
                "Your session changed after you opened the page. Nothing was changed. Open the page again.",
                "Votre session a changé depuis l’ouverture de la page. Rien n’a été modifié. Rouvrez la page.",
            ),
        ),
        "needs-https" => said(
            words("The dashboard needs https", "Le tableau de bord exige https"),
            words(
                "Bitpro does not accept passwords over a connection that others can read. Set public_url, or dashboard_url, to an https address.",
                "Bitpro n’accepte pas de mot de passe sur une connexion que d’autres peuvent lire. Donnez à public_url, ou à dashboard_url, une adresse https.",
            ),
        ),
        "too-many-requests" => said(
            words("Too many attempts", "Trop de tentatives"),
            words("Wait a minute, then try again.", "Attendez une minute, puis réessayez."),
        ),
        "too-many-exports" => said(
            words("Two exports are still running", "Deux exports sont encore en cours"),
            words(
                "Wait until one of them is complete, then try again.",
                "Attendez que l’un d’eux soit terminé, puis réessayez.",
            ),
        ),
        "malformed-form" => said(
            words("The form cannot be read", "Le formulaire est illisible"),
            words(
                "It is too large or damaged. Nothing was changed.",
                "Il est trop volumineux ou endommagé. Rien n’a été modifié.",
            ),
        ),
        _ if refusal.status.is_server_error() => said(
            words("Temporarily unavailable", "Temporairement indisponible"),
            words(
                "The server cannot do this now. Try again in a minute.",
                "Le serveur ne peut pas faire cela maintenant. Réessayez dans une minute.",
            ),
        ),
        _ => said(
            words("Page not found", "Page introuvable"),
            words(
                "This page does not exist, or you don’t have access to it.",
                "Cette page n’existe pas, ou vous n’y avez pas accès.",
            ),
        ),
    }
}
