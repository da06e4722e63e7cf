//! Why something about accounts is not done.

use bitpro_charge::MerchantId;

use super::password::{FEWEST_CHARS, MOST_CHARS, Weakness};
use crate::limits::RetryAfter;
use crate::seal::SealError;
use crate::store::StoreError;

/// The reason; nothing is changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// Accounts cannot be asked for here.
    #[error("accounts cannot be asked for here")]
    Closed,
    /// The password is not taken.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// Address and password do not belong together.
    #[error("the e-mail address or the password is wrong")]
    WrongPassword,
    /// The code does not count.
    #[error("the code is wrong, or was used before")]
    WrongCode,
    /// The secret of an authenticator app was not shown to this session, or too long ago.
    #[error("the key of the app was shown too long ago")]
    StaleOffer,
    /// The person belongs to as many merchants as one may.
    #[error("somebody who belongs to {0} merchants adds no other")]
    ManyMerchants(u32),
    /// The passkey does not count.
    #[error("the passkey is not known, or answers another question")]
    WrongPasskey,
    /// The account has as many passkeys as it may.
    #[error("an account has at most {} passkeys", super::passkeys::MOST_PASSKEYS)]
    ManyPasskeys,
    /// The link was used, replaced or has run out.
    #[error("the link was used before, or has run out")]
    UnknownLink,
    /// Too many attempts.
    #[error("too many attempts: come back in {0} seconds")]
    TooMany(u32),
    /// There is no such account.
    #[error("there is no account with this address")]
    UnknownAccount,
    /// The account was let in before.
    #[error("the account was approved before")]
    Approved,
    /// The account was not let in yet.
    #[error("this is a request that was not approved yet: approve or reject it")]
    NotApproved,
    /// The operator has blocked the account.
    #[error("the account is blocked")]
    Blocked,
    /// He has not.
    #[error("the account is not blocked")]
    NotBlocked,
    /// It has none.
    #[error("the account has no second factor")]
    NoFactor,
    /// Merchants would be left without an owner who can get in.
    #[error("the only owner of {}: give it another one first, by `bitpro merchant set <id> --owner <email>`", listed(.0))]
    OnlyOwner(Vec<MerchantId>),
    /// The same of an account that is to be blocked.
    #[error(
        "the only owner of {}: give it another one first, by `bitpro merchant set <id> --owner <email>`, or leave it without one by \
         --force",
        listed(.0)
    )]
    OnlyOwnerBlocked(Vec<MerchantId>),
    /// The address has an account.
    #[error("this address has an account")]
    Taken,
    /// A merchant always has an owner.
    #[error("a merchant always has an owner: make somebody else one first")]
    LastOwner,
    /// Nobody of the team is meant.
    #[error("there is no such member")]
    UnknownMember,
    /// The person belongs to the team.
    #[error("this person belongs to the team")]
    Member,
    /// There is no such merchant.
    #[error("there is no such merchant")]
    UnknownMerchant,
    /// The link is for another address than the one logged in.
    #[error("the invitation is for another address")]
    OtherAddress,
    /// Too many people are invited.
    #[error("a team has at most {} people, invited ones included", super::team::MOST_MEMBERS)]
    TeamFull,
    /// Passwords cannot be hashed now.
    #[error("the server is busy")]
    Busy,
    /// A sealed secret does not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RetryAfter> for AccountError {
    fn from(RetryAfter(secs): RetryAfter) -> Self {
        Self::TooMany(secs)
    }
}

impl AccountError {
    /// The same as [`words`](Self::words) for somebody who is logged in: he was asked for no address.
    #[must_use]
    pub fn words_inside(&self) -> (String, String) {
        match self {
            Self::WrongPassword => (
                "The password is wrong.".to_owned(),
                "Le mot de passe est faux.".to_owned(),
            ),
            _ => self.words(),
        }
    }

    /// The same for people, in English and French.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        let (en, fr) = match self {
            Self::Closed => (
                "Accounts cannot be requested here. Ask whoever runs this server.",
                "On ne peut pas demander de compte ici. Adressez-vous à l’exploitant de ce serveur.",
            ),
            Self::Weak(Weakness::Short) => {
                return (
                    format!("Use at least {FEWEST_CHARS} characters."),
                    format!("Utilisez au moins {FEWEST_CHARS} caractères."),
                );
            }
            Self::Weak(Weakness::Long) => {
                return (
                    format!("Use at most {MOST_CHARS} characters."),
                    format!("Utilisez au plus {MOST_CHARS} caractères."),
                );
            }
            Self::Weak(Weakness::Guessable) => (
                "This password would be guessed: it is known from data breaches, follows a pattern, or holds your name. \
                 Four or more random words make a good one.",
                "Ce mot de passe serait deviné : il figure dans des fuites de données, suit un motif ou contient votre nom. \
                 Quatre mots au hasard ou plus en font un bon.",
            ),
            Self::WrongPassword => (
                "The e-mail address or the password is wrong.",
                "L’adresse e-mail ou le mot de passe est faux.",
            ),
            Self::WrongCode => (
                "The code is wrong, or was used before. Wait for the next one.",
                "Le code est faux ou a déjà servi. Attendez le suivant.",
            ),
            Self::StaleOffer => (
                "This page was open too long. Scan the new code below, and remove the entry that you have made in the app.",
                "Cette page est restée ouverte trop longtemps. Scannez le nouveau code ci-dessous, et supprimez l’entrée créée dans \
                 l’application.",
            ),
            Self::ManyMerchants(most) => {
                return (
                    format!("You belong to {most} shops: no more can be added."),
                    format!("Vous faites partie de {most} boutiques : on ne peut pas en ajouter."),
                );
            }
            Self::WrongPasskey => (
                "The passkey was not accepted, or it took longer than five minutes. Try again.",
                "La clé d’accès n’a pas été acceptée, ou cela a pris plus de cinq minutes. Réessayez.",
            ),
            Self::ManyPasskeys => (
                "You have as many passkeys as an account may have. Remove one first.",
                "Vous avez autant de clés d’accès qu’un compte peut en avoir. Retirez-en une d’abord.",
            ),
            Self::UnknownLink => (
                "This link, or one that was sent with it, was used before, or it has expired.",
                "Ce lien, ou un autre envoyé avec lui, a déjà servi, ou il a expiré.",
            ),
            Self::TooMany(secs) => {
                let (en, fr) = wait(*secs);
                return (
                    format!("Too many attempts. Try again in {en}."),
                    format!("Trop de tentatives. Réessayez dans {fr}."),
                );
            }
            Self::LastOwner => (
                "A merchant always has an owner. Make somebody else an owner first.",
                "Un commerce a toujours un propriétaire. Nommez d’abord quelqu’un d’autre.",
            ),
            Self::Taken => ("This address is taken.", "Cette adresse est déjà prise."),
            Self::Member => (
                "This person belongs to the team already.",
                "Cette personne fait déjà partie de l’équipe.",
            ),
            Self::OtherAddress => (
                "This invitation is for another e-mail address. Log out and open the link again.",
                "Cette invitation est pour une autre adresse e-mail. Déconnectez-vous et rouvrez le lien.",
            ),
            Self::TeamFull => (
                "The team is full: remove somebody first.",
                "L’équipe est complète : retirez d’abord quelqu’un.",
            ),
            Self::NotApproved
            | Self::Blocked
            | Self::NotBlocked
            | Self::NoFactor
            | Self::OnlyOwner(_)
            | Self::OnlyOwnerBlocked(_)
            | Self::UnknownAccount
            | Self::UnknownMember
            | Self::UnknownMerchant
            | Self::Approved => ("There is nothing here.", "Il n’y a rien ici."),
            Self::Busy | Self::Sealed(_) | Self::Store(_) => (
                "The server cannot do this now. Try again in a minute.",
                "Le serveur ne peut pas faire cela maintenant. Réessayez dans une minute.",
            ),
        };
        (en.to_owned(), fr.to_owned())
    }
}

fn listed(merchants: &[MerchantId]) -> String {
    let ids: Vec<String> = merchants.iter().map(MerchantId::to_string).collect();
    ids.join(", ")
}

/// How long somebody is to wait, in English and French: in the largest unit of which it is more than one and a half, rounded
/// up.
fn wait(secs: u32) -> (String, String) {
    let (number, en, fr) = match secs {
        0..=90 => (secs.max(1), "second", "seconde"),
        91..=5_400 => (secs.div_ceil(60), "minute", "minute"),
        _ => (secs.div_ceil(3_600), "hour", "heure"),
    };
    let plural = if number > 1 { "s" } else { "" };
    (format!("{number} {en}{plural}"), format!("{number} {fr}{plural}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_reads_well_in_both_languages() {
        for (secs, en, fr) in [
            (1, "1 second", "1 seconde"),
            (2, "2 seconds", "2 secondes"),
            (90, "90 seconds", "90 secondes"),
            (91, "2 minutes", "2 minutes"),
            (5_400, "90 minutes", "90 minutes"),
            (5_401, "2 hours", "2 heures"),
        ] {
            let words = AccountError::TooMany(secs).words();
            let wanted = (
                format!("Too many attempts. Try again in {en}."),
                format!("Trop de tentatives. Réessayez dans {fr}."),
            );
            assert_eq!(words, wanted);
        }
    }
}
