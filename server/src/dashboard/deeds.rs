//! What was done, in words for the log of changes. The log itself keeps the paths of forms, which outlive every wording.

use crate::words::{Words, words};

/// The words for `action`; `None` for one of another version of the server.
pub(super) fn deed(action: &str) -> Option<Words> {
    Some(match action {
        "charges.csv" => words("Exported transactions", "Transactions exportées"),
        "charges/accept" | "charges/{charge}/accept" => words("Accepted money", "Argent accepté"),
        "charges/cancel" | "charges/{charge}/cancel" => words("Cancelled a transaction", "Transaction annulée"),
        "charges/{charge}/note" => words("Wrote a note", "Note écrite"),
        "charges/{charge}/erase" => words("Erased a buyer’s data", "Données d’un acheteur effacées"),
        "charges/{charge}/redeliver" => words("Sent a webhook’s event again", "Événement de webhook renvoyé"),
        "team/invite" => words("Invited somebody to the team", "Invitation dans l’équipe"),
        "team/invitations/{invitation}" => words("Took an invitation back", "Invitation retirée"),
        "team/invitations/withdrawn" => words(
            "Took back what somebody had invited who may no longer invite",
            "Invitations retirées, leur auteur n’ayant plus le droit d’inviter",
        ),
        "team/members/{member}" => words("Changed somebody’s role", "Rôle modifié"),
        "team/members/{member}/remove" => words("Removed somebody from the team", "Membre retiré de l’équipe"),
        "team/factor" => words(
            "Changed whether a second factor is required of the team",
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
        "account/enable" => words(
            "The operator opened a member’s account again",
            "L’exploitant a rouvert le compte d’un membre",
        ),
        "account/remove" => words("The operator removed a member", "L’exploitant a supprimé un membre"),
        "settings" => words("Changed settings", "Réglages modifiés"),
        "settings/look" => words("Changed the colour", "Couleur modifiée"),
        "settings/look/try" => words("Tried a colour", "Couleur essayée"),
        "settings/look/logo" => words("Uploaded a logo", "Logo envoyé"),
        "settings/look/remove-logo" => words("Removed the logo", "Logo supprimé"),
        "settings/domains" => words("Changed the allowed domains", "Domaines autorisés modifiés"),
        "settings/domains/add" => words("Allowed a domain", "Domaine autorisé"),
        "settings/webhooks" => words("Added a webhook", "Webhook ajouté"),
        "settings/webhooks/{webhook}/test" => words("Tested a webhook", "Webhook testé"),
        "settings/webhooks/rotate" | "settings/webhooks/{webhook}/rotate" => {
            words("Gave a webhook a new secret", "Nouveau secret d’un webhook")
        }
        "settings/webhooks/redeliver" | "settings/webhooks/{webhook}/redeliver" => {
            words("Sent events of a webhook again", "Événements d’un webhook renvoyés")
        }
        "settings/webhooks/remove" | "settings/webhooks/{webhook}/remove" => {
            words("Removed a webhook", "Webhook supprimé")
        }
        "settings/keys" => words("Made an API key", "Clé d’API créée"),
        "settings/keys/rotate" | "settings/keys/{key}/rotate" => {
            words("Gave an API key a new secret", "Nouveau secret d’une clé d’API")
        }
        "settings/keys/revoke" | "settings/keys/{key}/revoke" => words("Revoked an API key", "Clé d’API révoquée"),
        "settings/links" => words(
            "Changed whether links must be signed",
            "Obligation de signer les liens modifiée",
        ),
        "settings/links/rotate" => words("Made a link key", "Clé de signature des liens créée"),
        "settings/links/revoke" | "settings/links/{key}/remove" => {
            words("Removed a link key", "Clé de signature des liens supprimée")
        }
        "settings/wallet" => words("Looked at another wallet", "Autre portefeuille examiné"),
        "settings/wallet/confirm" => words("Chose another wallet", "Autre portefeuille choisi"),
        "settings/wallet/stop" => words("Stopped the change of wallet", "Changement de portefeuille arrêté"),
        "settings/wallet/due" => words(
            "The wallet that was waited for was taken",
            "Le portefeuille en attente a été adopté",
        ),
        "settings/wallet/withdrawn" => words(
            "The server withdrew a change of wallet",
            "Changement de portefeuille annulé par le serveur",
        ),
        "settings/wallet/anew" => words(
            "The wait for another wallet began anew",
            "L’attente d’un autre portefeuille a recommencé",
        ),
        "settings/wallet/waits" => words(
            "Another wallet was waiting when the server started",
            "Un autre portefeuille attendait au démarrage du serveur",
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
    use super::*;
    use crate::admin::ACTIONS;
    use crate::dashboard::routes;

    #[test]
    fn all_that_is_noted_has_words() {
        let noted = routes().filter(|route| route.is_noted && route.access.permission().is_some());
        let noted = noted.map(|route| route.path.strip_prefix("/dashboard/{merchant}/").unwrap());
        let mut count = 0;
        for action in noted.chain(ACTIONS).chain(BY_ITSELF) {
            let words = deed(action).unwrap_or_else(|| panic!("{action} has no words"));
            assert!(!words.en.is_empty() && !words.fr.is_empty() && words.en != words.fr);
            count += 1;
        }
        assert!(count > 40, "{count}");
        assert_eq!(deed("settings/of-another-version"), None);
    }
}
