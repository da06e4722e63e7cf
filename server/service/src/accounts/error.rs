//! Why something about accounts is not done.

use bitpro_base::seal::SealError;
use bitpro_charge::MerchantId;
use bitpro_limits::RetryAfter;
use bitpro_store::StoreError;

use super::password::{FEWEST_CHARS, MOST_CHARS, Weakness};

/// The reason; nothing is changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// Accounts cannot be asked for here.
    #[error("accounts cannot be requested here")]
    Closed,
    /// The password is not taken.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// Address and password do not belong together.
    #[error("the e-mail address or the password is wrong")]
    WrongPassword,
    /// The code does not count.
    #[error("the code is wrong or was already used")]
    WrongCode,
    /// The secret of an authenticator app was not shown to this session, or too long ago.
    #[error("the key of the app was shown too long ago")]
    StaleOffer,
    /// The person belongs to as many merchants as one may.
    #[error("this person already belongs to {0} merchants, the maximum")]
    ManyMerchants(u32),
    /// The passkey does not count.
    #[error("the passkey is unknown, or answers another challenge")]
    WrongPasskey,
    /// The account has as many passkeys as it may.
    #[error("an account has at most {} passkeys", super::passkeys::MOST_PASSKEYS)]
    ManyPasskeys,
    /// The link was used, replaced or has run out.
    #[error("the link was already used, or has expired")]
    UnknownLink,
    /// Too many attempts.
    #[error("too many attempts: try again in {0} seconds")]
    TooMany(u32),
    /// There is no such account.
    #[error("there is no account with this address")]
    UnknownAccount,
    /// The account was let in before.
    #[error("the account is already approved")]
    Approved,
    /// The account was not let in yet.
    #[error("this request is not approved yet: approve or reject it")]
    NotApproved,
    /// The operator has blocked the account.
    #[error("the account is blocked")]
    Blocked,
    /// They have not.
    #[error("the account is not blocked")]
    NotBlocked,
    /// It has none.
    #[error("the account has no second factor")]
    NoFactor,
    /// Merchants would be left without an owner who can get in.
    #[error("the only owner of {}: first add another one with `bitpro merchant set <id> --owner <email>`", listed(.0))]
    OnlyOwner(Vec<MerchantId>),
    /// The same of an account that is to be blocked.
    #[error(
        "the only owner of {}: first add another one with `bitpro merchant set <id> --owner <email>`, or leave it without one by \
         --force",
        listed(.0)
    )]
    OnlyOwnerBlocked(Vec<MerchantId>),
    /// The address has an account.
    #[error("this address has an account")]
    Taken,
    /// A merchant always has an owner.
    #[error("a merchant always has an owner: make someone else an owner first")]
    LastOwner,
    /// Nobody of the team is meant.
    #[error("there is no such member")]
    UnknownMember,
    /// The person belongs to the team.
    #[error("this person already belongs to the team")]
    Member,
    /// There is no such merchant.
    #[error("there is no such merchant")]
    UnknownMerchant,
    /// The link is for another address than the one logged in.
    #[error("the invitation is for another address")]
    OtherAddress,
    /// Too many people are invited.
    #[error("a team has at most {} people, including invitations", super::team::MOST_MEMBERS)]
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
    /// The same as [`words`](Self::words) for somebody who is logged in: they were asked for no address.
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
                "You cannot request an account here. Contact the operator of this server.",
                "Vous ne pouvez pas demander de compte ici. Contactez l’exploitant de ce serveur.",
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
                "This password is easy to guess: it appears in data breaches, follows a pattern, or contains your name. Use four or more random words.",
                "Ce mot de passe est facile à deviner\u{a0}: il figure dans des fuites de données, suit un motif ou contient votre nom. Utilisez quatre mots au hasard ou plus.",
            ),
            Self::WrongPassword => (
                "The e-mail address or the password is wrong.",
                "L’adresse e-mail ou le mot de passe est faux.",
            ),
            Self::WrongCode => (
                "The code is wrong or was already used. Wait for the next one.",
                "Le code est faux ou a déjà servi. Attendez le suivant.",
            ),
            Self::StaleOffer => (
                "This page was open too long. Scan the new code below, and remove the previous entry from the app.",
                "Cette page est restée ouverte trop longtemps. Scannez le nouveau code ci-dessous, et supprimez l’entrée précédente de l’application.",
            ),
            Self::ManyMerchants(most) => {
                return (
                    format!("You already belong to {most} shops, the maximum."),
                    format!("Vous faites déjà partie de {most} boutiques, le maximum."),
                );
            }
            Self::WrongPasskey => (
                "The passkey was not accepted, or it took longer than five minutes. Try again.",
                "La clé d’accès n’a pas été acceptée, ou cela a pris plus de cinq minutes. Réessayez.",
            ),
            Self::ManyPasskeys => (
                "You already have the maximum number of passkeys. Remove one first.",
                "Vous avez déjà le nombre maximal de clés d’accès. Retirez-en une d’abord.",
            ),
            Self::UnknownLink => (
                "This link has expired, or it was already used, or a link sent with it was.",
                "Ce lien a expiré, ou il a déjà servi, ou un autre envoyé avec lui a servi.",
            ),
            Self::TooMany(secs) => {
                let (en, fr) = wait(*secs);
                return (
                    format!("Too many attempts. Try again in {en}."),
                    format!("Trop de tentatives. Réessayez dans {fr}."),
                );
            }
            Self::LastOwner => (
                "A shop always has an owner. Make someone else an owner first.",
                "Une boutique a toujours un propriétaire. Nommez d’abord quelqu’un d’autre.",
            ),
            Self::Taken => ("This address is taken.", "Cette adresse est déjà prise."),
            Self::Member => (
                "This person already belongs to the team.",
                "Cette personne fait déjà partie de l’équipe.",
            ),
            Self::OtherAddress => (
                "This invitation is for another e-mail address. Log out and open the link again.",
                "Cette invitation est pour une autre adresse e-mail. Déconnectez-vous et rouvrez le lien.",
            ),
            Self::TeamFull => (
                "The team is full. Remove someone first.",
                "L’équipe est complète. Retirez d’abord quelqu’un.",
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
            | Self::Approved => ("This page does not exist.", "Cette page n’existe pas."),
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

/// How long somebody is to wait, in English and French: in the largest unit that gives more than 1.5, rounded up.
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
