//! Notices of what was changed, so that nobody changes it unnoticed.

use bitpro_charge::Timestamp;

use super::frame::{Content, moment};
use super::withdrawal::Withdrawal;
use super::{Letter, clean};
use crate::words::{Words, role_name, words};
use crate::{Language, Role, Zone};

/// What was changed. `merchant` is the merchant's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The account's password.
    PasswordChanged,
    /// Somebody wants to move the account to another address; this letter goes to the present one.
    EmailAsked {
        /// The new one.
        new: &'a str,
    },
    /// The account's address; this letter goes to the old one.
    EmailChanged {
        /// The new one.
        new: &'a str,
    },
    /// A second factor was added.
    SecondFactorAdded,
    /// A second factor was removed.
    SecondFactorRemoved,
    /// New recovery codes were made; the old ones no longer work.
    RecoveryCodesMade,
    /// A recovery code was used in the place of the second factor.
    RecoveryCodeUsed,
    /// The operator took all second factors from the account.
    FactorReset,
    /// The operator blocked the account.
    Disabled,
    /// The operator unblocked the account.
    Enabled,
    /// The operator removed the account.
    AccountRemoved,
    /// The owners require a second factor of the whole team, and the one who reads this has none.
    FactorRequired {
        /// Whose team.
        merchant: &'a str,
    },
    /// They do so no more.
    FactorNotRequired {
        /// Whose team.
        merchant: &'a str,
    },
    /// Somebody logged in with a browser that was not there before.
    NewDevice,
    /// Somebody who knows the password gave wrong second factors again and again.
    FactorGuessed,
    /// A key of the merchant API, or of signed links, was made.
    KeyAdded {
        /// Whose.
        merchant: &'a str,
    },
    /// A key was revoked.
    KeyRevoked {
        /// Whose.
        merchant: &'a str,
    },
    /// Somebody joined, left, or has another role.
    TeamChanged {
        /// Whose team.
        merchant: &'a str,
        /// The address of the member.
        member: &'a str,
        /// The addresses that they had invited, whose invitations ended with their part; empty for none.
        invitations: &'a str,
        /// The keys that they made and may know, and that still work; empty for none.
        keys: &'a str,
    },
    /// The operator blocked the account of somebody in the team.
    MemberDisabled {
        /// Whose team.
        merchant: &'a str,
        /// The account's address.
        member: &'a str,
        /// The addresses that they had invited, whose invitations ended with it; empty for none.
        invitations: &'a str,
        /// The keys that they made and may know, and that still work; empty for none.
        keys: &'a str,
    },
    /// The operator does so no more.
    MemberEnabled {
        /// Whose team.
        merchant: &'a str,
        /// The account's address.
        member: &'a str,
    },
    /// The one who reads this has another role.
    RoleChanged {
        /// In whose team.
        merchant: &'a str,
        /// Which.
        role: Role,
    },
    /// The one who reads this belongs to the team no more.
    Removed {
        /// Whose team.
        merchant: &'a str,
    },
    /// Another wallet is to take the merchant's money.
    WalletAsked {
        /// Whose.
        merchant: &'a str,
        /// The address of the page where it is shown, and stopped.
        page: &'a str,
        /// From when on, unless somebody stops it.
        due: Timestamp,
    },
    /// The change of the wallet was stopped.
    WalletStopped {
        /// Whose.
        merchant: &'a str,
        /// The address of the wallet's page.
        page: &'a str,
    },
    /// The change of the wallet was withdrawn by the server.
    WalletWithdrawn {
        /// Whose.
        merchant: &'a str,
        /// The address of the wallet's page.
        page: &'a str,
        /// Why.
        why: Withdrawal,
    },
    /// The merchant's first wallet takes their money.
    WalletGiven {
        /// Whose.
        merchant: &'a str,
        /// The address of the wallet's page.
        page: &'a str,
    },
    /// Another wallet takes the merchant's money now.
    WalletChanged {
        /// Whose.
        merchant: &'a str,
        /// The address of the wallet's page.
        page: &'a str,
    },
    /// The merchant has a new owner.
    NewOwner {
        /// Which.
        merchant: &'a str,
        /// The owner's address.
        owner: &'a str,
    },
}

/// When something was changed, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// When.
    pub when: Timestamp,
    /// The zone to tell it in.
    pub zone: &'a Zone,
    /// The client: its address, its browser.
    pub client: &'a str,
}

/// Tells that something was changed.
#[must_use]
pub fn notice(language: Language, to: &str, name: &str, what: Notice<'_>, occasion: Occasion<'_>) -> Letter {
    let Occasion { when, zone, client } = occasion;
    let (subject, sentence, merchant) = what.said();
    let mut content = Content::new(
        language,
        subject.of(language).to_owned(),
        Some(name),
        vec![sentence.of(language).to_owned()],
    );
    let mut figure = |label: Words, value: String| content.figures.push((label.of(language).to_owned(), value));
    if let Some(merchant) = merchant {
        figure(words("Shop", "Boutique"), clean::name(merchant));
    }
    if let Notice::EmailAsked { new } | Notice::EmailChanged { new } = what {
        figure(words("New address", "Nouvelle adresse"), clean::line(new, 254));
    }
    match what {
        Notice::MemberEnabled { member, .. } => figure(PERSON, clean::address(member)),
        Notice::TeamChanged {
            member,
            invitations,
            keys,
            ..
        }
        | Notice::MemberDisabled {
            member,
            invitations,
            keys,
            ..
        } => {
            figure(PERSON, clean::address(member));
            if !invitations.is_empty() {
                let label = words(
                    "Their invitations, now revoked",
                    "Ses invitations, maintenant révoquées",
                );
                figure(label, each(invitations, clean::address));
            }
            if !keys.is_empty() {
                let label = words(
                    "Keys they know, which still work",
                    "Clés connues de cette personne, toujours valables",
                );
                figure(label, each(keys, clean::name));
            }
        }
        Notice::NewOwner { owner, .. } => figure(role_name(Role::Owner), clean::address(owner)),
        Notice::RoleChanged { role, .. } => figure(words("Role", "Rôle"), role_name(role).of(language).to_owned()),
        _ => {}
    }
    if let Notice::WalletAsked { due, .. } = what {
        figure(words("Takes effect", "Prend effet"), moment(language, due, zone));
    }
    figure(words("When", "Quand"), moment(language, when, zone));
    let client = clean::client(client);
    if !client.is_empty() {
        figure(words("From", "Depuis"), client);
    }
    if let Some(page) = what.page() {
        content = content.button(
            words("Open the wallet page", "Ouvrir la page du portefeuille").of(language),
            page,
        );
    }
    content.small(what.advice().of(language)).to(to)
}

const PERSON: Words = words("Person", "Personne");

/// Each of a list, cleaned by itself.
fn each(list: &str, clean: fn(&str) -> String) -> String {
    let cleaned: Vec<String> = list.split(", ").map(clean).collect();
    cleaned.join(", ")
}

impl<'a> Notice<'a> {
    /// The subject of its letter. It says nothing of what the notice is about.
    #[must_use]
    pub const fn subject(self) -> Words {
        self.said().0
    }

    /// Subject, sentence, and the merchant that it is about.
    const fn said(self) -> (Words, Words, Option<&'a str>) {
        match self {
            Self::PasswordChanged => (
                words("Your password was changed", "Votre mot de passe a été modifié"),
                words(
                    "The password of your Bitpro account was changed. All other sessions were ended.",
                    "Le mot de passe de votre compte Bitpro a été modifié. Toutes les autres sessions ont été fermées.",
                ),
                None,
            ),
            Self::EmailAsked { .. } => (
                words(
                    "Someone asked to change your e-mail address",
                    "Changement demandé pour votre adresse e-mail",
                ),
                words(
                    "Someone logged in to your Bitpro account asked to change its e-mail address. The change happens once they open the link \
                     that was sent to the new address. To stop it, choose a new password.",
                    "Une personne connectée à votre compte Bitpro a demandé à changer son adresse e-mail. Le changement aura lieu dès \
                     qu’elle ouvrira le lien envoyé à la nouvelle adresse. Pour l’empêcher, choisissez un nouveau mot de passe.",
                ),
                None,
            ),
            Self::EmailChanged { .. } => (
                words("Your e-mail address was changed", "Votre adresse e-mail a été modifiée"),
                words(
                    "Your Bitpro account has a new e-mail address. This one is no longer used.",
                    "Votre compte Bitpro a une nouvelle adresse e-mail. Celle-ci n’est plus utilisée.",
                ),
                None,
            ),
            Self::SecondFactorAdded => (
                words("A second factor was added", "Un second facteur a été ajouté"),
                words(
                    "A second factor was added to your Bitpro account.",
                    "Un second facteur a été ajouté à votre compte Bitpro.",
                ),
                None,
            ),
            Self::SecondFactorRemoved => (
                words("A second factor was removed", "Un second facteur a été retiré"),
                words(
                    "A second factor was removed from your Bitpro account.",
                    "Un second facteur a été retiré de votre compte Bitpro.",
                ),
                None,
            ),
            Self::RecoveryCodesMade => (
                words(
                    "New recovery codes were created",
                    "De nouveaux codes de secours ont été créés",
                ),
                words(
                    "New recovery codes were created for your Bitpro account. The old ones no longer work.",
                    "De nouveaux codes de secours ont été créés pour votre compte Bitpro. Les anciens ne fonctionnent plus.",
                ),
                None,
            ),
            Self::RecoveryCodeUsed => (
                words("A recovery code was used", "Un code de secours a été utilisé"),
                words(
                    "Someone used a recovery code instead of the second factor of your Bitpro account. Each code works once.",
                    "Quelqu’un a utilisé un code de secours à la place du second facteur de votre compte Bitpro. Chaque code ne sert qu’une fois.",
                ),
                None,
            ),
            Self::FactorReset => (
                words(
                    "Your second factor was reset",
                    "Votre second facteur a été réinitialisé",
                ),
                words(
                    "The operator of this Bitpro server removed all second factors and recovery codes from your account, and ended its sessions. You can now log in with your password alone. Log in, and set up a second factor again.",
                    "L’exploitant de ce serveur Bitpro a retiré de votre compte tous les seconds facteurs et codes de secours, et fermé ses sessions. Votre mot de passe suffit désormais. Connectez-vous, et configurez de nouveau un second facteur.",
                ),
                None,
            ),
            Self::Disabled => (
                words("Your account was blocked", "Votre compte a été bloqué"),
                words(
                    "The operator of this Bitpro server blocked your account. Its sessions were ended, and nobody can log in to it.",
                    "L’exploitant de ce serveur Bitpro a bloqué votre compte. Ses sessions ont été fermées, et personne ne peut s’y connecter.",
                ),
                None,
            ),
            Self::Enabled => (
                words("Your account was unblocked", "Votre compte a été débloqué"),
                words(
                    "The operator of this Bitpro server unblocked your account. You can log in again.",
                    "L’exploitant de ce serveur Bitpro a débloqué votre compte. Vous pouvez vous y reconnecter.",
                ),
                None,
            ),
            Self::AccountRemoved => (
                words("Your account was removed", "Votre compte a été supprimé"),
                words(
                    "The operator of this Bitpro server removed your account. You no longer belong to any team.",
                    "L’exploitant de ce serveur Bitpro a supprimé votre compte. Vous ne faites plus partie d’aucune équipe.",
                ),
                None,
            ),
            Self::FactorRequired { merchant } => (
                words("Set up a second factor", "Configurez un second facteur"),
                words(
                    "The owners require a second factor for everyone in the team, and your account has none. Log in and set one up. Until then, you cannot see anything of the shop.",
                    "Les propriétaires exigent un second facteur de toute l’équipe, et votre compte n’en a pas. Connectez-vous et configurez-en un. D’ici là, vous ne pouvez rien voir de la boutique.",
                ),
                Some(merchant),
            ),
            Self::FactorNotRequired { merchant } => (
                words(
                    "A second factor is no longer required",
                    "Le second facteur n’est plus exigé",
                ),
                words(
                    "Members of the team can now log in without a second factor.",
                    "Les membres de l’équipe peuvent désormais se connecter sans second facteur.",
                ),
                Some(merchant),
            ),
            Self::NewDevice => (
                words("Login from a new browser", "Connexion depuis un nouveau navigateur"),
                words(
                    "Someone logged in to your Bitpro account with a new browser, or with one whose cookies were deleted.",
                    "Quelqu’un s’est connecté à votre compte Bitpro avec un nouveau navigateur, ou avec un navigateur dont les cookies ont été supprimés.",
                ),
                None,
            ),
            Self::FactorGuessed => (
                words("Someone knows your password", "Quelqu’un connaît votre mot de passe"),
                words(
                    "Someone entered the right password for your Bitpro account, then several wrong codes. Each further attempt has to wait longer.",
                    "Quelqu’un a saisi le bon mot de passe de votre compte Bitpro, puis plusieurs codes faux. Chaque nouvel essai doit attendre plus longtemps.",
                ),
                None,
            ),
            Self::KeyAdded { merchant } => (
                words("Key created", "Clé créée"),
                words(
                    "A new key was created. Anyone with this key can act for the shop through the API.",
                    "Une nouvelle clé a été créée. Toute personne qui la possède peut agir pour la boutique via l’API.",
                ),
                Some(merchant),
            ),
            Self::KeyRevoked { merchant } => (
                words("Key revoked", "Clé révoquée"),
                words(
                    "A key was revoked. Programs that use it no longer have access.",
                    "Une clé a été révoquée. Les programmes qui l’utilisent n’ont plus accès.",
                ),
                Some(merchant),
            ),
            Self::TeamChanged { merchant, .. } => (
                words("The team changed", "L’équipe a changé"),
                words(
                    "Someone joined the team, left it, or has a new role.",
                    "Quelqu’un a rejoint l’équipe, l’a quittée, ou y a un nouveau rôle.",
                ),
                Some(merchant),
            ),
            Self::MemberDisabled { merchant, .. } => (
                words("A member of the team was blocked", "Un membre de l’équipe a été bloqué"),
                words(
                    "The operator of this Bitpro server blocked the account of someone in your team. They can no longer log in, but still belong to the team.",
                    "L’exploitant de ce serveur Bitpro a bloqué le compte d’un membre de votre équipe. Cette personne ne peut plus se connecter, mais fait toujours partie de l’équipe.",
                ),
                Some(merchant),
            ),
            Self::MemberEnabled { merchant, .. } => (
                words(
                    "A member of the team can log in again",
                    "Un membre de l’équipe peut de nouveau se connecter",
                ),
                words(
                    "The operator of this Bitpro server unblocked the account of someone in your team. They have the same role as before.",
                    "L’exploitant de ce serveur Bitpro a débloqué le compte d’un membre de votre équipe. Cette personne a le même rôle qu’avant.",
                ),
                Some(merchant),
            ),
            Self::RoleChanged { merchant, .. } => (
                words("Your role changed", "Votre rôle a changé"),
                words(
                    "You have a new role in the shop’s team.",
                    "Vous avez un nouveau rôle dans l’équipe de la boutique.",
                ),
                Some(merchant),
            ),
            Self::Removed { merchant } => (
                words(
                    "You are no longer in the team",
                    "Vous ne faites plus partie de l’équipe",
                ),
                words(
                    "You no longer belong to the shop’s team. An owner removed you, or you left it yourself.",
                    "Vous ne faites plus partie de l’équipe de la boutique. Un propriétaire vous en a retiré, ou vous l’avez quittée vous-même.",
                ),
                Some(merchant),
            ),
            Self::WalletAsked { merchant, .. } => (
                words("Wallet change requested", "Changement de portefeuille demandé"),
                words(
                    "An owner asked for new payments to go to another wallet. Until the change takes effect, every owner can cancel it on the wallet page.",
                    "Un propriétaire a demandé que les nouveaux paiements aillent vers un autre portefeuille. Jusqu’à la prise d’effet, chaque propriétaire peut annuler ce changement sur la page du portefeuille.",
                ),
                Some(merchant),
            ),
            Self::WalletStopped { merchant, .. } => (
                words("Wallet change cancelled", "Changement de portefeuille annulé"),
                words(
                    "Payments still go to the same wallet as before.",
                    "Les paiements vont toujours au même portefeuille qu’avant.",
                ),
                Some(merchant),
            ),
            Self::WalletWithdrawn { merchant, why, .. } => (
                words(
                    "Wallet change cancelled by the server",
                    "Changement de portefeuille annulé par le serveur",
                ),
                why.said(),
                Some(merchant),
            ),
            Self::WalletGiven { merchant, .. } => (
                words("Your payout wallet is set", "Votre portefeuille est configuré"),
                words(
                    "An owner connected the wallet that receives new payments. From now on, any change of wallet takes effect after 24 hours.",
                    "Un propriétaire a connecté le portefeuille qui reçoit les nouveaux paiements. Désormais, tout changement de portefeuille prend effet après 24 heures.",
                ),
                Some(merchant),
            ),
            Self::WalletChanged { merchant, .. } => (
                words("Wallet changed", "Portefeuille changé"),
                words(
                    "New charges are now paid to another wallet. Existing charges are not affected.",
                    "Les nouveaux encaissements vont désormais vers un autre portefeuille. Les encaissements existants ne sont pas concernés.",
                ),
                Some(merchant),
            ),
            Self::NewOwner { merchant, .. } => (
                words("New owner", "Nouveau propriétaire"),
                words(
                    "Someone became an owner, and can change the wallet.",
                    "Quelqu’un est devenu propriétaire, et peut changer de portefeuille.",
                ),
                Some(merchant),
            ),
        }
    }

    /// The address of the page that it is about.
    const fn page(self) -> Option<&'a str> {
        match self {
            Self::WalletAsked { page, .. }
            | Self::WalletStopped { page, .. }
            | Self::WalletWithdrawn { page, .. }
            | Self::WalletGiven { page, .. }
            | Self::WalletChanged { page, .. } => Some(page),
            _ => None,
        }
    }

    const fn advice(self) -> Words {
        match self {
            Self::PasswordChanged | Self::EmailChanged { .. } => words(
                "If it was not you, someone else may be using your account. Contact the operator of this Bitpro server at once.",
                "Si ce n’était pas vous, quelqu’un d’autre utilise peut-être votre compte. Contactez tout de suite l’exploitant de ce serveur Bitpro.",
            ),
            Self::FactorReset | Self::Disabled | Self::Enabled | Self::AccountRemoved => words(
                "If you do not know why, contact the operator of this Bitpro server.",
                "Si vous ne savez pas pourquoi, contactez l’exploitant de ce serveur Bitpro.",
            ),
            Self::FactorRequired { .. } => words(
                "Use an authenticator app or a passkey. Both are under “Your account”.",
                "Utilisez une application d’authentification ou une clé d’accès. Les deux se trouvent sous « Votre compte ».",
            ),
            Self::RoleChanged { .. } | Self::Removed { .. } => words(
                "If you do not know why, ask the owners of the shop. If none of them knows you, contact the operator of this Bitpro server.",
                "Si vous ne savez pas pourquoi, demandez aux propriétaires de la boutique. Si aucun d’eux ne vous connaît, contactez l’exploitant de ce serveur Bitpro.",
            ),
            Self::WalletAsked { .. } => words(
                "If you did not request this, cancel it there at once, then change your password.",
                "Si vous n’avez rien demandé, annulez tout de suite ce changement sur cette page, puis changez votre mot de passe.",
            ),
            Self::MemberEnabled { .. } => words(
                "If they should no longer belong to the team, remove them on the team page.",
                "Si cette personne ne doit plus faire partie de l’équipe, retirez-la sur la page de l’équipe.",
            ),
            Self::MemberDisabled { keys, .. } if !keys.is_empty() => words(
                "If you do not trust this person, create new secrets for these keys, for links and for webhooks. If you do not know why, contact the operator of this Bitpro server.",
                "Si vous ne faites pas confiance à cette personne, créez de nouveaux secrets pour ces clés, pour les liens et pour les webhooks. Si vous ne savez pas pourquoi, contactez l’exploitant de ce serveur Bitpro.",
            ),
            Self::MemberDisabled { .. } => words(
                "If you do not know why, contact the operator of this Bitpro server.",
                "Si vous ne savez pas pourquoi, contactez l’exploitant de ce serveur Bitpro.",
            ),
            Self::TeamChanged { keys, .. } if !keys.is_empty() => words(
                "If you do not trust this person, create new secrets for these keys, for links and for webhooks. If it was neither you nor someone in your team, change your password at once and check the audit log.",
                "Si vous ne faites pas confiance à cette personne, créez de nouveaux secrets pour ces clés, pour les liens et pour les webhooks. Si ce n’était ni vous ni quelqu’un de votre équipe, changez tout de suite votre mot de passe et consultez le journal d’audit.",
            ),
            Self::WalletWithdrawn {
                why: Withdrawal::AnotherHand,
                ..
            } => words(
                "Contact the operator of this Bitpro server at once. Only someone with access to the server can have done this.",
                "Contactez tout de suite l’exploitant de ce serveur Bitpro. Seul quelqu’un ayant accès au serveur a pu faire cela.",
            ),
            Self::NewDevice => words(
                "If it was not you, choose a new password at once. This ends all sessions. Then add a second factor.",
                "Si ce n’était pas vous, choisissez tout de suite un nouveau mot de passe. Cela ferme toutes les sessions. Ajoutez ensuite un second facteur.",
            ),
            _ => words(
                "If it was neither you nor someone in your team, change your password at once and check the audit log.",
                "Si ce n’était ni vous ni quelqu’un de votre équipe, changez tout de suite votre mot de passe et consultez le journal d’audit.",
            ),
        }
    }
}
