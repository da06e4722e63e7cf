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
            words("Not for your role", "Pas pour votre rôle"),
            words(
                "Your role in this team does not allow this. Ask an owner.",
                "Votre rôle dans cette équipe ne permet pas cela. Adressez-vous à un propriétaire.",
            ),
        ),
        "foreign-form" | "stale-form" => said(
            words("This form is out of date", "Ce formulaire n’est plus valable"),
            words(
                "Your session has changed since the page was opened. Nothing was changed: open the page again.",
                "Votre session a changé depuis l’ouverture de la page. Rien n’a été modifié : rouvrez la page.",
            ),
        ),
        "needs-https" => said(
            words("The dashboard needs https", "Le tableau de bord exige https"),
            words(
                "Passwords are not taken over a connection that others can read. Set public_url, or dashboard_url, to an https address.",
                "Les mots de passe ne passent pas par une connexion lisible par d’autres. Donnez à public_url, ou à dashboard_url, une adresse https.",
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
                "Il est trop grand ou abîmé. Rien n’a été modifié.",
            ),
        ),
        _ if refusal.status.is_server_error() => said(
            words("Not now", "Pas maintenant"),
            words(
                "The server cannot do this now. Try again in a minute.",
                "Le serveur ne peut pas faire cela maintenant. Réessayez dans une minute.",
            ),
        ),
        _ => said(
            words("There is nothing here", "Il n’y a rien ici"),
            words(
                "The address is wrong, or the thing is not yours.",
                "L’adresse est fausse, ou la chose n’est pas à vous.",
            ),
        ),
    }
}
