//! Letters about accounts: asking for one, getting in, being invited.

use super::frame::{Content, days, hours};
use super::{Letter, clean};
use crate::Language;
use crate::words::{Words, words};

/// The subject of the letter with the first link.
pub const CHOOSE_PASSWORD: Words = words("Choose your password", "Choisissez votre mot de passe");
/// The subject of the letters with a later one.
pub const RESET_PASSWORD: Words = words("Choose a new password", "Choisissez un nouveau mot de passe");
/// Why the operator's letter with such a link was sent.
pub const LINK_OF_OPERATOR: Words = words(
    "The operator of this Bitpro server sent you a link to choose a new password for your account.",
    "L’exploitant de ce serveur Bitpro vous envoie un lien pour choisir un nouveau mot de passe pour votre compte.",
);
/// The subject of the letter to a person whose request the operator rejected.
pub const REJECTED: Words = words("Your request was not accepted", "Votre demande n’a pas été acceptée");

/// The account is there: choose a password by this link, which works once.
#[must_use]
pub fn choose_password(language: Language, to: &str, name: &str, url: &str, valid_hours: u32) -> Letter {
    let subject = CHOOSE_PASSWORD.of(language);
    let paragraph = words(
        "Your Bitpro account is ready. Choose a password to log in for the first time.",
        "Votre compte Bitpro est prêt. Choisissez un mot de passe pour vous connecter la première fois.",
    );
    one_use(language, subject, name, paragraph.of(language), valid_hours)
        .button(words("Choose a password", "Choisir un mot de passe").of(language), url)
        .small(not_asked(language))
        .to(to)
}

/// Somebody asked for a new password.
#[must_use]
pub fn reset_password(language: Language, to: &str, name: &str, url: &str, valid_hours: u32) -> Letter {
    let paragraph = words(
        "You asked for a new password for your Bitpro account.",
        "Vous avez demandé un nouveau mot de passe pour votre compte Bitpro.",
    );
    new_password(language, to, name, url, valid_hours, paragraph)
}

/// The operator sends a link to choose a new password.
#[must_use]
pub fn link_of_operator(language: Language, to: &str, name: &str, url: &str, valid_hours: u32) -> Letter {
    new_password(language, to, name, url, valid_hours, LINK_OF_OPERATOR)
}

fn new_password(language: Language, to: &str, name: &str, url: &str, valid_hours: u32, paragraph: Words) -> Letter {
    let subject = RESET_PASSWORD.of(language);
    let unchanged = words(
        "If you did not ask for it, ignore this e-mail. Your password stays the same.",
        "Si vous n’avez rien demandé, ignorez cet e-mail. Votre mot de passe reste le même.",
    );
    one_use(language, subject, name, paragraph.of(language), valid_hours)
        .button(
            words("Choose a new password", "Choisir un nouveau mot de passe").of(language),
            url,
        )
        .small(unchanged.of(language))
        .to(to)
}

/// Somebody asked for an account with an address that has one.
#[must_use]
pub fn already_here(language: Language, to: &str, name: &str, login_url: &str) -> Letter {
    let subject = words("You already have an account", "Vous avez déjà un compte").of(language);
    let paragraph = words(
        "Someone requested an account with your e-mail address, but you already have one. Log in with it. If you forgot the password, choose a new one on the same page.",
        "Un compte a été demandé avec votre adresse e-mail, mais vous en avez déjà un. Connectez-vous avec celui-ci. Si vous avez oublié le mot de passe, choisissez-en un nouveau sur la même page.",
    );
    Content::new(
        language,
        subject.to_owned(),
        Some(name),
        vec![paragraph.of(language).to_owned()],
    )
    .button(words("Log in", "Se connecter").of(language), login_url)
    .small(not_asked(language))
    .to(to)
}

/// The request for an account was received, and somebody will look at it.
#[must_use]
pub fn asked(language: Language, to: &str, name: &str) -> Letter {
    let subject = words("Your request was received", "Votre demande a été reçue").of(language);
    let paragraph = words(
        "Thank you for requesting a Bitpro account. Each request is reviewed. Once yours is approved, you will get another e-mail with a link to choose your password.",
        "Merci d’avoir demandé un compte Bitpro. Chaque demande est examinée. Une fois la vôtre acceptée, vous recevrez un autre e-mail avec un lien pour choisir votre mot de passe.",
    );
    Content::new(
        language,
        subject.to_owned(),
        Some(name),
        vec![paragraph.of(language).to_owned()],
    )
    .small(not_asked(language))
    .to(to)
}

/// What somebody says who asks for an account.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The person's name.
    pub name: &'a str,
    /// The address.
    pub email: &'a str,
    /// The merchant's name.
    pub company: &'a str,
    /// The merchant's site.
    pub site: &'a str,
}

/// Tells the operator that `count` people asked for an account, and what the first of them say.
#[must_use]
pub fn operator_asked(to: &str, count: i64, requests: &[Asking<'_>]) -> Letter {
    let (subject, text) = match count {
        1 => (
            "New account request".to_owned(),
            "Someone requested a Bitpro account. Nothing of what they entered has been verified:".to_owned(),
        ),
        count => (
            format!("{count} new account requests"),
            format!("{count} people requested a Bitpro account. Nothing of what they entered has been verified:"),
        ),
    };
    let mut content = Content::new(Language::En, subject, None, vec![text]);
    for asking in requests {
        let figures = [
            ("Name", asking.name),
            ("E-mail", asking.email),
            ("Company", asking.company),
            ("Site", asking.site),
        ];
        let figures = figures.map(|(label, value)| (label.to_owned(), clean::line(value, 200)));
        content.figures.extend(figures);
    }
    content
        .small(
            "On the server, \"bitpro account list\" shows all requests; \"bitpro account approve\" and \"bitpro account reject\" with \
             the e-mail address answer one. Unanswered requests are deleted after 30 days.",
        )
        .to(to)
}

/// The request for an account was refused.
#[must_use]
pub fn rejected(language: Language, to: &str, name: &str) -> Letter {
    let subject = REJECTED.of(language);
    let paragraph = words(
        "You requested a Bitpro account here. The operator of this server did not accept your request. What you entered was deleted.",
        "Vous aviez demandé un compte Bitpro ici. L’exploitant de ce serveur n’a pas accepté votre demande. Ce que vous aviez saisi a été supprimé.",
    );
    Content::new(
        language,
        subject.to_owned(),
        Some(name),
        vec![paragraph.of(language).to_owned()],
    )
    .to(to)
}

/// Somebody, by name and address, invites the reader to work for a merchant. `role` is the role in the words of `language`.
#[must_use]
pub fn invitation(
    language: Language,
    to: &str,
    merchant: &str,
    inviter: (&str, &str),
    role: &str,
    url: &str,
    valid_days: u32,
) -> Letter {
    let (merchant, role) = (clean::name(merchant), clean::name(role));
    let inviter = match inviter {
        // Who was made an owner on the command line has no name yet; an account's address was proven.
        (name, address) if name.trim().is_empty() => address.to_owned(),
        (name, _) => clean::name(name),
    };
    let valid = days(language, valid_days);
    let (subject, paragraph, once, ignore) = match language {
        Language::En => (
            format!("Invitation to {merchant}"),
            format!("{inviter} invites you to {merchant} on Bitpro, as: {role}."),
            format!("The link works once, within {valid}."),
            "If you do not know the sender, ignore this e-mail. Nothing will happen.",
        ),
        Language::Fr => (
            format!("Invitation à rejoindre {merchant}"),
            format!("{inviter} vous invite à rejoindre {merchant} sur Bitpro, en tant que : {role}."),
            format!("Le lien fonctionne une seule fois, pendant {valid}."),
            "Si vous ne connaissez pas l’expéditeur, ignorez cet e-mail. Il ne se passera rien.",
        ),
    };
    Content::new(language, subject, Some(""), vec![paragraph, once])
        .button(words("View the invitation", "Voir l’invitation").of(language), url)
        .small(ignore)
        .to(to)
}

/// The new address of an account is to be confirmed.
#[must_use]
pub fn confirm_email(language: Language, to: &str, name: &str, url: &str, valid_hours: u32) -> Letter {
    let subject = words("Confirm your e-mail address", "Confirmez votre adresse e-mail").of(language);
    let paragraph = words(
        "You asked to use this address for your Bitpro account. Confirm that it is yours.",
        "Vous avez demandé à utiliser cette adresse pour votre compte Bitpro. Confirmez que c’est la vôtre.",
    );
    one_use(language, subject, name, paragraph.of(language), valid_hours)
        .button(words("Confirm the address", "Confirmer l’adresse").of(language), url)
        .small(not_asked(language))
        .to(to)
}

/// A letter by which the operator sees that letters arrive.
#[must_use]
pub fn test(to: &str) -> Letter {
    Content::new(
        Language::En,
        "Bitpro test e-mail".to_owned(),
        None,
        vec!["This e-mail was sent by \"bitpro mail test\". E-mail works.".to_owned()],
    )
    .to(to)
}

/// A letter with a link that works once.
fn one_use<'a>(language: Language, subject: &str, name: &'a str, paragraph: &str, valid_hours: u32) -> Content<'a> {
    let valid = hours(language, valid_hours);
    let once = match language {
        Language::En => format!("The link works once, within {valid}."),
        Language::Fr => format!("Le lien fonctionne une seule fois, pendant {valid}."),
    };
    Content::new(
        language,
        subject.to_owned(),
        Some(name),
        vec![paragraph.to_owned(), once],
    )
}

const fn not_asked(language: Language) -> &'static str {
    words(
        "If you did not ask for this, ignore this e-mail. Nothing will happen.",
        "Si vous n’avez rien demandé, ignorez cet e-mail. Il ne se passera rien.",
    )
    .of(language)
}
