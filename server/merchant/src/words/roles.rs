//! What the parts in a team are called, and what each may do.

use super::{Words, words};
use crate::Role;

/// The part's name.
pub const fn role_name(role: Role) -> Words {
    match role {
        Role::Owner => words("Owner", "Propriétaire"),
        Role::Manager => words("Manager", "Gérant"),
        Role::Developer => words("Developer", "Développeur"),
        Role::Accountant => words("Accountant", "Comptable"),
        Role::Viewer => words("Viewer", "Lecteur"),
    }
}

/// What it may do.
pub const fn role_powers(role: Role) -> Words {
    match role {
        Role::Owner => words(
            "everything, including the wallet and the team",
            "tout, y compris le portefeuille et l’équipe",
        ),
        Role::Manager => words(
            "settings, accepting and cancelling payments, export",
            "réglages, acceptation et annulation des paiements, export",
        ),
        Role::Developer => words(
            "API keys, link signing and webhooks",
            "clés d’API, signature des liens et webhooks",
        ),
        Role::Accountant => words(
            "views and exports, changes nothing",
            "consulte et exporte, ne modifie rien",
        ),
        Role::Viewer => words(
            "views, without the shoppers’ e-mail addresses",
            "consulte, sans les adresses e-mail des clients",
        ),
    }
}
