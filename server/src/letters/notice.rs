//! Notices of what was changed, so that nobody changes it unnoticed.

use bitpro_charge::Timestamp;

use super::frame::{Content, moment};
use super::withdrawal::Withdrawal;
use super::{Letter, clean};
use crate::merchant::{Language, Role, Zone};
use crate::words::{Words, role_name, words};

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
    /// He did so no more.
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
        /// The address of him who did.
        member: &'a str,
        /// The addresses that he had invited, whose invitations ended with his part; empty for none.
        invitations: &'a str,
        /// The keys that he made and may know, and that still work; empty for none.
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
    /// The merchant's first wallet takes his money.
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
        figure(words("Merchant", "Marchand"), clean::name(merchant));
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
                    "Their invitations, now withdrawn",
                    "Ses invitations, maintenant retirées",
                );
                figure(label, each(invitations, clean::address));
            }
            if !keys.is_empty() {
                let label = words(
                    "Keys they know, which still work",
                    "Clés qu'il connaît, toujours valables",
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
            words("Open the wallet's page", "Ouvrir la page du portefeuille").of(language),
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
                    "Your account is to move to another address",
                    "Votre compte doit passer à une autre adresse",
                ),
                words(
                    "Somebody who was logged in to your Bitpro account asked to move it to another e-mail address. It moves once the \
                     link that was sent there is opened. A new password makes that link worthless.",
                    "Quelqu'un, connecté à votre compte Bitpro, a demandé de le faire passer à une autre adresse e-mail. Cela se fera dès \
                     que le lien envoyé là-bas sera ouvert. Un nouveau mot de passe rend ce lien sans valeur.",
                ),
                None,
            ),
            Self::EmailChanged { .. } => (
                words("Your e-mail address was changed", "Votre adresse e-mail a été modifiée"),
                words(
                    "Your Bitpro account has a new e-mail address. This one is no longer used.",
                    "Votre compte Bitpro a une nouvelle adresse e-mail. Celle-ci n'est plus utilisée.",
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
                    "New recovery codes were made",
                    "De nouveaux codes de secours ont été créés",
                ),
                words(
                    "New recovery codes were made for your Bitpro account. The old ones no longer work.",
                    "De nouveaux codes de secours ont été créés pour votre compte Bitpro. Les anciens ne fonctionnent plus.",
                ),
                None,
            ),
            Self::RecoveryCodeUsed => (
                words("A recovery code was used", "Un code de secours a été utilisé"),
                words(
                    "Somebody used a recovery code in the place of the second factor of your Bitpro account. Each code works once.",
                    "Quelqu'un a utilisé un code de secours à la place du second facteur de votre compte Bitpro. Chaque code ne sert qu'une fois.",
                ),
                None,
            ),
            Self::FactorReset => (
                words(
                    "Your second factor was reset",
                    "Votre second facteur a été réinitialisé",
                ),
                words(
                    "Whoever runs this Bitpro took all second factors and recovery codes from your account, and ended its sessions. Your password alone lets you in now: log in, and set up a second factor again.",
                    "L'exploitant de ce Bitpro a retiré de votre compte tous les seconds facteurs et codes de secours, et fermé ses sessions. Votre mot de passe suffit désormais : connectez-vous, et configurez de nouveau un second facteur.",
                ),
                None,
            ),
            Self::Disabled => (
                words("Your account was blocked", "Votre compte a été bloqué"),
                words(
                    "Whoever runs this Bitpro blocked your account. Its sessions were ended, and nobody can log in with it.",
                    "L'exploitant de ce Bitpro a bloqué votre compte. Ses sessions ont été fermées, et personne ne peut s'y connecter.",
                ),
                None,
            ),
            Self::Enabled => (
                words("Your account is open again", "Votre compte est de nouveau ouvert"),
                words(
                    "Whoever runs this Bitpro no longer blocks your account: you can log in again.",
                    "L'exploitant de ce Bitpro ne bloque plus votre compte : vous pouvez vous y reconnecter.",
                ),
                None,
            ),
            Self::AccountRemoved => (
                words("Your account was removed", "Votre compte a été supprimé"),
                words(
                    "Whoever runs this Bitpro removed your account, and you belong to no team any more.",
                    "L'exploitant de ce Bitpro a supprimé votre compte, et vous ne faites plus partie d'aucune équipe.",
                ),
                None,
            ),
            Self::FactorRequired { merchant } => (
                words("Set up a second factor", "Configurez un second facteur"),
                words(
                    "The owners require a second factor of everybody in the team, and your account has none. Log in and set one up: until then nothing of the merchant is shown to you.",
                    "Les propriétaires exigent un second facteur de toute l'équipe, et votre compte n'en a pas. Connectez-vous et configurez-en un : d'ici là, rien du marchand ne vous est montré.",
                ),
                Some(merchant),
            ),
            Self::FactorNotRequired { merchant } => (
                words(
                    "A second factor is no longer required",
                    "Le second facteur n'est plus exigé",
                ),
                words(
                    "From now on, members of the team get in without a second factor, too.",
                    "Désormais, les membres de l'équipe entrent aussi sans second facteur.",
                ),
                Some(merchant),
            ),
            Self::NewDevice => (
                words("Log-in from a new browser", "Connexion depuis un nouveau navigateur"),
                words(
                    "Somebody logged in to your Bitpro account with a browser that had not been used for it before, or that forgot it.",
                    "Quelqu'un s'est connecté à votre compte Bitpro avec un navigateur qui n'y avait pas encore servi, ou qui l'a oublié.",
                ),
                None,
            ),
            Self::FactorGuessed => (
                words("Somebody knows your password", "Quelqu'un connaît votre mot de passe"),
                words(
                    "Somebody gave the right password of your Bitpro account, and then wrong codes again and again. Each further one has to wait longer.",
                    "Quelqu'un a donné le bon mot de passe de votre compte Bitpro, puis de faux codes, encore et encore. Chaque nouvel essai doit attendre plus longtemps.",
                ),
                None,
            ),
            Self::KeyAdded { merchant } => (
                words("A key was made", "Une clé a été créée"),
                words(
                    "A new key was made. Whoever has it can act for the merchant by a program.",
                    "Une nouvelle clé a été créée. Qui la possède peut agir pour le marchand par un programme.",
                ),
                Some(merchant),
            ),
            Self::KeyRevoked { merchant } => (
                words("A key was revoked", "Une clé a été révoquée"),
                words(
                    "A key was revoked. Programs that use it no longer get in.",
                    "Une clé a été révoquée. Les programmes qui l'utilisent n'ont plus accès.",
                ),
                Some(merchant),
            ),
            Self::TeamChanged { merchant, .. } => (
                words("The team was changed", "L'équipe a été modifiée"),
                words(
                    "Somebody joined the team, left it, or has another role now.",
                    "Quelqu'un a rejoint l'équipe, l'a quittée, ou y a maintenant un autre rôle.",
                ),
                Some(merchant),
            ),
            Self::MemberDisabled { merchant, .. } => (
                words("A member of the team was blocked", "Un membre de l'équipe a été bloqué"),
                words(
                    "Whoever runs this Bitpro blocked the account of somebody in your team: they cannot log in any more. They still belong to the team.",
                    "L'exploitant de ce Bitpro a bloqué le compte de quelqu'un de votre équipe, qui ne peut plus se connecter. Cette personne fait toujours partie de l'équipe.",
                ),
                Some(merchant),
            ),
            Self::MemberEnabled { merchant, .. } => (
                words(
                    "A member of the team can log in again",
                    "Un membre de l'équipe peut de nouveau se connecter",
                ),
                words(
                    "Whoever runs this Bitpro no longer blocks the account of somebody in your team. They have the role that they had.",
                    "L'exploitant de ce Bitpro ne bloque plus le compte de quelqu'un de votre équipe, qui retrouve le rôle qu'il avait.",
                ),
                Some(merchant),
            ),
            Self::RoleChanged { merchant, .. } => (
                words("You have another role", "Vous avez un autre rôle"),
                words(
                    "From now on this is your role in the merchant's team.",
                    "Voici désormais votre rôle dans l'équipe du marchand.",
                ),
                Some(merchant),
            ),
            Self::Removed { merchant } => (
                words(
                    "You are no longer in the team",
                    "Vous ne faites plus partie de l'équipe",
                ),
                words(
                    "You no longer belong to the merchant's team: an owner removed you, or you left it yourself.",
                    "Vous ne faites plus partie de l'équipe du marchand : un propriétaire vous en a retiré, ou vous l'avez quittée vous-même.",
                ),
                Some(merchant),
            ),
            Self::WalletAsked { merchant, .. } => (
                words(
                    "The money is to go to another wallet",
                    "L'argent doit aller vers un autre portefeuille",
                ),
                words(
                    "An owner asked that new payments go to another wallet. Until it takes effect, every owner can stop it on the wallet's page.",
                    "Un propriétaire a demandé que les nouveaux paiements aillent vers un autre portefeuille. Jusqu'à la prise d'effet, chaque propriétaire peut l'arrêter sur la page du portefeuille.",
                ),
                Some(merchant),
            ),
            Self::WalletStopped { merchant, .. } => (
                words(
                    "The change of wallet was stopped",
                    "Le changement de portefeuille a été arrêté",
                ),
                words(
                    "The money goes where it went before.",
                    "L'argent va toujours là où il allait avant.",
                ),
                Some(merchant),
            ),
            Self::WalletWithdrawn { merchant, why, .. } => (
                words(
                    "The change of wallet was withdrawn",
                    "Le changement de portefeuille a été annulé",
                ),
                why.said(),
                Some(merchant),
            ),
            Self::WalletGiven { merchant, .. } => (
                words("The money has a wallet to go to", "L'argent a un portefeuille où aller"),
                words(
                    "An owner said where the money of new payments goes. From now on, another wallet waits for 24 hours before it takes any.",
                    "Un propriétaire a indiqué où va l'argent des nouveaux paiements. Désormais, tout autre portefeuille attendra 24 heures avant d'en recevoir.",
                ),
                Some(merchant),
            ),
            Self::WalletChanged { merchant, .. } => (
                words(
                    "The money goes to another wallet now",
                    "L'argent va maintenant vers un autre portefeuille",
                ),
                words(
                    "New payments go to another wallet from now on. Payments made before are not concerned.",
                    "Les nouveaux paiements vont désormais vers un autre portefeuille. Les paiements déjà créés ne sont pas concernés.",
                ),
                Some(merchant),
            ),
            Self::NewOwner { merchant, .. } => (
                words("There is a new owner", "Il y a un nouveau propriétaire"),
                words(
                    "Somebody became an owner, who may change where the money goes.",
                    "Quelqu'un est devenu propriétaire, et peut changer où va l'argent.",
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
                "If it was not you, somebody else may be in your account: ask whoever runs this Bitpro for help at once.",
                "Si ce n'était pas vous, quelqu'un d'autre est peut-être dans votre compte : demandez tout de suite de l'aide à qui gère ce Bitpro.",
            ),
            Self::FactorReset | Self::Disabled | Self::Enabled | Self::AccountRemoved => words(
                "If you do not know why, ask whoever runs this Bitpro.",
                "Si vous ne savez pas pourquoi, demandez à qui gère ce Bitpro.",
            ),
            Self::FactorRequired { .. } => words(
                "An authenticator app or a passkey will do: you find both under \"Your account\".",
                "Une application d'authentification ou une clé d'accès suffit : vous trouverez les deux sous « Votre compte ».",
            ),
            Self::RoleChanged { .. } | Self::Removed { .. } => words(
                "If you do not know why, ask the owners of the merchant; if nobody of them knows you, whoever runs this Bitpro.",
                "Si vous ne savez pas pourquoi, demandez aux propriétaires du marchand ; si aucun d'eux ne vous connaît, à qui gère ce Bitpro.",
            ),
            Self::WalletAsked { .. } => words(
                "If you do not know of it, stop it there at once, then change your password.",
                "Si vous n'êtes pas au courant, arrêtez-le tout de suite sur cette page, puis changez votre mot de passe.",
            ),
            Self::MemberEnabled { .. } => words(
                "If they should not belong to the team any more, remove them on the team's page.",
                "Si cette personne ne doit plus faire partie de l'équipe, retirez-la sur la page de l'équipe.",
            ),
            Self::MemberDisabled { keys, .. } if !keys.is_empty() => words(
                "If you do not trust this person, give these keys new secrets, and those of links and webhooks, too. If you do not know why, ask whoever runs this Bitpro.",
                "Si vous ne faites pas confiance à cette personne, donnez de nouveaux secrets à ces clés, ainsi qu'à celles des liens et des webhooks. Si vous ne savez pas pourquoi, demandez à qui gère ce Bitpro.",
            ),
            Self::MemberDisabled { .. } => words(
                "If you do not know why, ask whoever runs this Bitpro.",
                "Si vous ne savez pas pourquoi, demandez à qui gère ce Bitpro.",
            ),
            Self::TeamChanged { keys, .. } if !keys.is_empty() => words(
                "If you do not trust this person, give these keys new secrets, and those of links and webhooks, too. If it was neither you nor somebody of your team, change your password at once and look at the log of changes.",
                "Si vous ne faites pas confiance à cette personne, donnez de nouveaux secrets à ces clés, ainsi qu'à celles des liens et des webhooks. Si ce n'était ni vous ni quelqu'un de votre équipe, changez tout de suite votre mot de passe et consultez le journal des modifications.",
            ),
            Self::WalletWithdrawn {
                why: Withdrawal::AnotherHand,
                ..
            } => words(
                "Ask whoever runs this Bitpro at once: only somebody with access to the server can have done that.",
                "Adressez-vous tout de suite à qui gère ce Bitpro : seul quelqu'un ayant accès au serveur a pu faire cela.",
            ),
            Self::NewDevice => words(
                "If it was not you, choose a new password at once: it ends all sessions. Then add a second factor.",
                "Si ce n'était pas vous, choisissez tout de suite un nouveau mot de passe : cela ferme toutes les sessions. Ajoutez ensuite un second facteur.",
            ),
            _ => words(
                "If it was neither you nor somebody of your team, change your password at once and look at the log of changes.",
                "Si ce n'était ni vous ni quelqu'un de votre équipe, changez tout de suite votre mot de passe et consultez le journal des modifications.",
            ),
        }
    }
}
