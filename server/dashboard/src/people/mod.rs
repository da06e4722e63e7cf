//! People's own pages: how they get in, their account, their team, and who changed what.

mod account;
mod audit_log;
mod code;
pub(super) mod confirm;
mod email;
mod factor;
mod form_page;
mod home;
mod invitation;
mod login;
mod passkey;
mod password;
mod signup;
mod team;

use bitpro_base::name::is_name;
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission};
use bitpro_service::accounts::AccountError;
use futures::future::BoxFuture;

use super::route::{Access, Route, get, post};

/// Every page of people.
pub static ROUTES: &[Route] = &[
    get("/", Access::Anyone, home::front),
    get("/login", Access::Anyone, login::show),
    post("/login", Access::Anyone, login::enter),
    get("/login/code", Access::Half, code::show),
    post("/login/code", Access::Half, code::enter),
    post("/login/passkey/begin", Access::Half, passkey::begin),
    post("/login/passkey", Access::Half, passkey::enter),
    post("/logout", Access::Half, login::leave),
    get("/signup", Access::Anyone, signup::show),
    post("/signup", Access::Anyone, signup::ask),
    get("/password", Access::Anyone, password::show),
    post("/password", Access::Anyone, password::choose),
    get("/password/forgot", Access::Anyone, password::forgotten),
    post("/password/forgot", Access::Anyone, password::forgot),
    get("/email", Access::Anyone, email::show),
    post("/email", Access::Anyone, email::change),
    get("/invitation", Access::Anyone, invitation::show),
    post("/invitation", Access::Person, invitation::join),
    post("/invitation/new", Access::Anyone, invitation::join_newly),
    get("/confirm", Access::Person, confirm::show),
    post("/confirm", Access::Person, confirm::confirm),
    get("/dashboard", Access::Person, home::choose),
    get("/dashboard/merchant", Access::Person, home::current),
    get("/dashboard/new", Access::Person, home::new_merchant),
    post("/dashboard/new", Access::Person, home::add_merchant),
    get("/account", Access::Person, account::show),
    post("/account", Access::Person, account::change),
    post("/account/password", Access::FreshPerson, account::change_password),
    post("/account/email", Access::FreshPerson, account::change_email),
    post("/account/sessions/others", Access::Person, account::end_others),
    post("/account/sessions/{session}", Access::Person, account::end_session),
    get("/account/factor", Access::FreshPerson, factor::show),
    post("/account/factor", Access::FreshPerson, factor::add),
    post("/account/factor/codes", Access::FreshPerson, factor::renew),
    post("/account/factor/remove", Access::FreshPerson, factor::remove),
    post(
        "/account/factor/passkeys/begin",
        Access::FreshPerson,
        passkey::begin_new,
    ),
    post("/account/factor/passkeys", Access::FreshPerson, passkey::add),
    post(
        "/account/factor/passkeys/{passkey}/remove",
        Access::FreshPerson,
        passkey::remove,
    ),
    get(
        "/dashboard/{merchant}/team",
        Access::Member(Permission::Read),
        team::show,
    ),
    post(
        "/dashboard/{merchant}/team/invite",
        Access::FreshMember(Permission::Team),
        team::invite,
    ),
    post(
        "/dashboard/{merchant}/team/invitations/{invitation}",
        Access::FreshMember(Permission::Team),
        team::uninvite,
    ),
    post(
        "/dashboard/{merchant}/team/members/{member}",
        Access::FreshMember(Permission::Team),
        team::set_role,
    ),
    post(
        "/dashboard/{merchant}/team/members/{member}/remove",
        Access::FreshMember(Permission::Team),
        team::remove,
    ),
    post(
        "/dashboard/{merchant}/team/factor",
        Access::FreshMember(Permission::Team),
        team::require_factor,
    ),
    post(
        "/dashboard/{merchant}/team/leave",
        Access::Member(Permission::Read),
        team::leave,
    ),
    get(
        "/dashboard/{merchant}/log",
        Access::Member(Permission::Log),
        audit_log::show,
    ),
];

/// What a handler of this module is.
type Answer = BoxFuture<'static, Result<crate::route::Reply, crate::refusals::Refusal>>;

const EMAIL: Words = words("E-mail address", "Adresse e-mail");
pub(crate) const PASSWORD: Words = words("Password", "Mot de passe");
const NEW_PASSWORD: Words = words("New password", "Nouveau mot de passe");
const PASSWORD_HINT: Words = words(
    "At least 10 characters. A few random words are easy to remember and hard to guess.",
    "Au moins 10 caractères. Quelques mots au hasard se retiennent bien et se devinent mal.",
);
const NAME: Words = words("Your name", "Votre nom");

const NAME_ERROR: Words = words(
    "Enter 1 to 60 visible characters.",
    "Saisissez de 1 à 60 caractères visibles.",
);
const EMAIL_ERROR: Words = words(
    "Enter an address such as ada@shop.example.",
    "Saisissez une adresse comme ada@boutique.example.",
);
const SITE_ERROR: Words = words(
    "Enter an address such as https://shop.example.",
    "Saisissez une adresse comme https://boutique.example.",
);

/// The reason in the reader's language.
fn reason(error: &AccountError, language: Language) -> String {
    in_language(error.words(), language)
}

/// The same for somebody who is logged in.
fn reason_inside(error: &AccountError, language: Language) -> String {
    in_language(error.words_inside(), language)
}

fn in_language((en, fr): (String, String), language: Language) -> String {
    match language {
        Language::En => en,
        Language::Fr => fr,
    }
}

/// The query part that keeps the language of pages without a person.
fn lang_query(language: Language) -> String {
    format!("?lang={}", language.as_str())
}

/// What pages say, for tests that look for it in them: the words are free to change.
#[cfg(test)]
pub(crate) mod said {
    pub(crate) use super::PASSWORD;
    pub(crate) use super::account::{CODES_LEFT, FACTOR_OFF};
    pub(crate) use super::confirm::TITLE as CONFIRM;
    pub(crate) use super::invitation::LOG_IN as LOG_IN_TO_JOIN;
    pub(crate) use super::login::{SHOPPER, TITLE as LOG_IN};
    pub(crate) use super::passkey::USE as USE_A_PASSKEY;
    pub(crate) use super::password::TITLE as CHOOSE_PASSWORD;
    pub(crate) use super::signup::TITLE as SIGN_UP;
}
