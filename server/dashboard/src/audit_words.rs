//! The actions of the audit log in words. The log itself keeps the paths of forms, which outlive every wording.

use bitpro_merchant::words::{Words, words};

/// The words for `action`; `None` for one of another version of the server.
pub(super) fn action_words(action: &str) -> Option<Words> {
    Some(match action {
        "charges.csv" => words("Exported charges", "Encaissements exportés"),
        "charges/accept" | "charges/{charge}/accept" => words("Accepted money", "Argent accepté"),
        "charges/cancel" | "charges/{charge}/cancel" => words("Cancelled a charge", "Encaissement annulé"),
        "charges/{charge}/note" => words("Edited a note", "Note modifiée"),
        "charges/{charge}/erase" => words("Erased a shopper’s data", "Données d’un client effacées"),
        "charges/{charge}/redeliver" => words("Redelivered a webhook event", "Événement de webhook livré de nouveau"),
        "team/invite" => words("Invited someone to the team", "Invitation dans l’équipe"),
        "team/invitations/{invitation}" => words("Revoked an invitation", "Invitation révoquée"),
        "team/invitations/withdrawn" => words(
            "Revoked the invitations of someone who may no longer invite",
            "Invitations révoquées, leur auteur n’ayant plus le droit d’inviter",
        ),
        "team/members/{member}" => words("Changed a member’s role", "Rôle d’un membre modifié"),
        "team/members/{member}/remove" => words("Removed a member from the team", "Membre retiré de l’équipe"),
        "team/factor" => words(
            "Changed whether the team needs a second factor",
            "Obligation d’un second facteur dans l’équipe modifiée",
        ),
        "team/leave" => words("Left the team", "Départ de l’équipe"),
        "account/reset-factor" => words(
            "The operator reset a member’s second factor",
            "L’exploitant a réinitialisé le second facteur d’un membre",
        ),
        "account/link" => words(
            "The operator sent a member a link to choose a password",
            "L’exploitant a envoyé à un membre un lien pour choisir un mot de passe",
        ),
        "account/disable" => words("The operator blocked a member", "L’exploitant a bloqué un membre"),
        "account/enable" => words("The operator unblocked a member", "L’exploitant a débloqué un membre"),
        "account/remove" => words("The operator removed a member", "L’exploitant a supprimé un membre"),
        "settings" => words("Changed settings", "Réglages modifiés"),
        "settings/look" => words("Changed the colour", "Couleur modifiée"),
        "settings/look/try" => words("Previewed a colour", "Couleur prévisualisée"),
        "settings/look/logo" => words("Uploaded a logo", "Logo envoyé"),
        "settings/look/remove-logo" => words("Removed the logo", "Logo supprimé"),
        "settings/domains" => words("Changed the allowed domains", "Domaines autorisés modifiés"),
        "settings/domains/add" => words("Allowed a domain", "Domaine autorisé"),
        "settings/webhooks" => words("Added a webhook", "Webhook ajouté"),
        "settings/webhooks/{webhook}/test" => words("Tested a webhook", "Webhook testé"),
        "settings/webhooks/rotate" | "settings/webhooks/{webhook}/rotate" => {
            words("Gave a webhook a new secret", "Nouveau secret d’un webhook")
        }
        "settings/webhooks/redeliver" | "settings/webhooks/{webhook}/redeliver" => words(
            "Redelivered a webhook’s events",
            "Événements d’un webhook livrés de nouveau",
        ),
        "settings/webhooks/remove" | "settings/webhooks/{webhook}/remove" => {
            words("Removed a webhook", "Webhook supprimé")
        }
        "settings/keys" => words("Created an API key", "Clé d’API créée"),
        "settings/keys/rotate" | "settings/keys/{key}/rotate" => {
            words("Gave an API key a new secret", "Nouveau secret d’une clé d’API")
        }
        "settings/keys/revoke" | "settings/keys/{key}/revoke" => words("Revoked an API key", "Clé d’API révoquée"),
        "settings/links" => words(
            "Changed whether links must be signed",
            "Obligation de signer les liens modifiée",
        ),
        "settings/links/rotate" => words("Created a link key", "Clé de signature des liens créée"),
        "settings/links/revoke" | "settings/links/{key}/remove" => {
            words("Removed a link key", "Clé de signature des liens supprimée")
        }
        "settings/wallet" => words("Checked another wallet", "Autre portefeuille vérifié"),
        "settings/wallet/confirm" => words("Chose another wallet", "Autre portefeuille choisi"),
        "settings/wallet/stop" => words("Cancelled the wallet change", "Changement de portefeuille annulé"),
        "settings/wallet/due" => words(
            "The pending wallet change took effect",
            "Le changement de portefeuille en attente a pris effet",
        ),
        "settings/wallet/withdrawn" => words(
            "The server cancelled a wallet change",
            "Changement de portefeuille annulé par le serveur",
        ),
        "settings/wallet/anew" => words(
            "The waiting time of a wallet change restarted",
            "Le délai d’un changement de portefeuille a recommencé",
        ),
        "settings/wallet/waits" => words(
            "A wallet change was pending when the server started",
            "Un changement de portefeuille était en attente au démarrage du serveur",
        ),
        _ => return None,
    })
}

/// What the server does by itself.
#[cfg(test)]
const BY_ITSELF: [&str; 5] = [
    "settings/wallet/due",
    "settings/wallet/withdrawn",
    "settings/wallet/anew",
    "settings/wallet/waits",
    "team/invitations/withdrawn",
];

#[cfg(test)]
mod tests {
    use bitpro_operator::admin::ACTIONS;

    use super::*;
    use crate::routes;

    #[test]
    fn all_that_is_noted_has_words() {
        let noted = routes().filter(|route| route.is_noted && route.access.permission().is_some());
        let noted = noted.map(|route| route.path.strip_prefix("/dashboard/{merchant}/").unwrap());
        let mut count = 0;
        for action in noted.chain(ACTIONS).chain(BY_ITSELF) {
            let words = action_words(action).unwrap_or_else(|| panic!("{action} has no words"));
            assert!(!words.en.is_empty() && !words.fr.is_empty() && words.en != words.fr);
            count += 1;
        }
        assert!(count > 40, "{count}");
        assert_eq!(action_words("settings/of-another-version"), None);
    }
}
