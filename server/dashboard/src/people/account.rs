//! The person's own account: name, language, password, address, sessions.

use bitpro_merchant::times::Times;
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Zone};
use bitpro_service::accounts::{AccountError, Email, Factor, SessionRow};
use http::StatusCode;
use maud::{Markup, html};

use super::{Answer, EMAIL_ERROR, NAME, NAME_ERROR, NEW_PASSWORD, PASSWORD_HINT, is_name, reason};
use crate::field::{Errors, Field};
use crate::guard::{with_entered, with_marks};
use crate::layout;
use crate::refusals::Refusal;
use crate::route::{Request, see_other};

const TITLE: Words = words("Your account", "Votre compte");
const LANGUAGE: Words = words("Language", "Langue");
const SAVE: Words = words("Save", "Enregistrer");
const PASSWORD_TITLE: Words = words("Password", "Mot de passe");
const CHANGE_PASSWORD: Words = words("Change the password", "Changer le mot de passe");
const PASSWORD_TEXT: Words = words(
    "Changing it ends all your other sessions.",
    "Le changer met fin à toutes vos autres sessions.",
);
const EMAIL_TITLE: Words = words("E-mail address", "Adresse e-mail");
const CHANGE_EMAIL: Words = words(
    "Send a link to the new address",
    "Envoyer un lien à la nouvelle adresse",
);
const PRESENT_EMAIL: Words = words("E-mail address:", "Adresse e-mail\u{a0}:");
const NEW_EMAIL: Words = words("New address", "Nouvelle adresse");
const FACTOR_TITLE: Words = words("Second factor", "Second facteur");
pub(crate) const FACTOR_OFF: Words = words(
    "Off. With an authenticator app or a passkey, a stolen password is not enough to log in. Owners need one to change the wallet.",
    "Inactif. Avec une application d’authentification ou une clé d’accès, un mot de passe volé ne suffit pas. Un propriétaire en \
     a besoin pour changer de portefeuille.",
);
const FACTOR_ON: Words = words("On:", "Actif :");
const APP: Words = words("authenticator app", "application d’authentification");
const PASSKEY: Words = words("passkey", "clé d’accès");
const PASSKEYS: Words = words("passkeys", "clés d’accès");
pub(crate) const CODES_LEFT: Words = words("recovery codes left", "codes de secours restants");
const MANAGE: Words = words("Manage", "Gérer");
const SET_UP: Words = words("Set up", "Configurer");
const SESSIONS: Words = words("Sessions", "Sessions");
const THIS: Words = words("this one", "celle-ci");
const END: Words = words("End", "Terminer");
const END_OTHERS: Words = words("End all other sessions", "Terminer toutes les autres sessions");
const BROWSER: Words = words("Browser", "Navigateur");
const FROM: Words = words("From", "Depuis");
const LAST_USED: Words = words("Last used", "Dernier usage");

const DONE: [(&str, Words); 5] = [
    ("saved", words("Saved.", "Enregistré.")),
    ("password", words("Password changed.", "Mot de passe changé.")),
    (
        "asked",
        words(
            "We sent a link to the new address. Nothing changes until you open it.",
            "Nous avons envoyé un lien à la nouvelle adresse. Rien ne change tant que vous ne l’ouvrez pas.",
        ),
    ),
    ("email", words("E-mail address changed.", "Adresse e-mail changée.")),
    ("ended", words("Session ended.", "Session terminée.")),
];

/// `GET /account`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move { page(&request, StatusCode::OK, &Errors::none()).await })
}

/// `POST /account`
pub(super) fn change(request: Request) -> Answer {
    Box::pin(async move {
        let name = request.form.text("name");
        let language = request.form.text("language").parse().unwrap_or(request.language);
        if !is_name(name) {
            let errors = Errors::of("name", NAME_ERROR.of(request.language));
            return page(&request, StatusCode::UNPROCESSABLE_ENTITY, &errors).await;
        }
        let login = &request.person()?.login;
        request
            .app
            .accounts
            .change_name(login, name.to_owned(), language)
            .await?;
        Ok(see_other("/account?done=saved"))
    })
}

/// `POST /account/password`
pub(super) fn change_password(request: Request) -> Answer {
    Box::pin(async move {
        let login = &request.person()?.login;
        let password = request.form.raw("password").to_owned();
        let changed = request.app.accounts.change_password(login, password, request.visitor());
        match changed.await {
            Ok(entered) => Ok(with_entered(
                &request.app,
                see_other("/account?done=password"),
                &entered,
            )),
            Err(error @ AccountError::Weak(_)) => {
                let errors = Errors::of("password", reason(&error, request.language));
                page(&request, StatusCode::UNPROCESSABLE_ENTITY, &errors).await
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// `POST /account/email`
pub(super) fn change_email(request: Request) -> Answer {
    Box::pin(async move {
        let Some(email) = Email::read(request.form.text("email")) else {
            let errors = Errors::of("email", EMAIL_ERROR.of(request.language));
            return page(&request, StatusCode::UNPROCESSABLE_ENTITY, &errors).await;
        };
        let login = &request.person()?.login;
        request.app.accounts.ask_email(login, &email, request.client).await?;
        Ok(see_other("/account?done=asked"))
    })
}

/// `POST /account/sessions/{session}`
pub(super) fn end_session(request: Request) -> Answer {
    Box::pin(async move {
        let named = request.params.first().map(String::as_str).unwrap_or_default();
        let mut id = [0; 16];
        hex::decode_to_slice(named, &mut id).map_err(|_| Refusal::UNKNOWN_PAGE)?;
        if !request.app.accounts.end_session(&request.person()?.login, id).await? {
            return Err(Refusal::UNKNOWN_PAGE);
        }
        Ok(see_other("/account?done=ended"))
    })
}

/// `POST /account/sessions/others`
pub(super) fn end_others(request: Request) -> Answer {
    Box::pin(async move {
        let login = &request.person()?.login;
        let visitor = request.visitor();
        let marks = request.app.accounts.end_other_sessions(login, &visitor).await?;
        Ok(with_marks(&request.app, see_other("/account?done=ended"), Some(&marks)))
    })
}

async fn page(request: &Request, status: StatusCode, errors: &Errors) -> Result<crate::route::Reply, Refusal> {
    let login = &request.person()?.login;
    let factor = request.app.accounts.factor(&login.account).await?;
    let sessions = request.app.accounts.sessions(login).await?;
    let zone = request.app.accounts.account_zone(login.account.num).await?;
    let done = DONE.iter().find(|(word, _)| *word == request.query.text("done"));
    let lang = request.language;
    let content = html! {
        @if let Some((word, words)) = done { p.note.good role="status" data-done=(word) { (words.of(lang)) } }
        (own_form(request, errors)?)
        (password_form(request, errors)?)
        (email_form(request, errors)?)
        (factor_part(lang, &factor))
        (session_list(request, &sessions, &zone)?)
    };
    Ok(layout::page(request, status, TITLE.of(lang), &content))
}

fn own_form(request: &Request, errors: &Errors) -> Result<Markup, Refusal> {
    let lang = request.language;
    let name = if request.form.has("name") {
        request.form.text("name")
    } else {
        &request.person()?.name
    };
    Ok(html! {
        form.panel method="post" action="/account" {
            (layout::csrf(request))
            (Field::new("name", NAME.of(lang)).autocomplete("name").value(name).longest(60).required().errors(errors).input())
            (Field::new("language", LANGUAGE.of(lang)).value(lang.as_str())
                .select(&[(Language::En.as_str(), "English"), (Language::Fr.as_str(), "Français")]))
            div.actions { button.main type="submit" { (SAVE.of(lang)) } }
        }
    })
}

fn password_form(request: &Request, errors: &Errors) -> Result<Markup, Refusal> {
    let lang = request.language;
    let email = &request.person()?.email;
    Ok(html! {
        h2 { (PASSWORD_TITLE.of(lang)) }
        form.panel method="post" action="/account/password" {
            (layout::csrf(request))
            p { (PASSWORD_TEXT.of(lang)) }
            input type="hidden" name="username" autocomplete="username" value=(email);
            (Field::new("password", NEW_PASSWORD.of(lang)).kind("password").autocomplete("new-password")
                .hint(PASSWORD_HINT.of(lang)).required().errors(errors).input())
            div.actions { button type="submit" { (CHANGE_PASSWORD.of(lang)) } }
        }
    })
}

fn email_form(request: &Request, errors: &Errors) -> Result<Markup, Refusal> {
    let lang = request.language;
    let email = &request.person()?.email;
    Ok(html! {
        h2 { (EMAIL_TITLE.of(lang)) }
        form.panel method="post" action="/account/email" {
            (layout::csrf(request))
            p { (PRESENT_EMAIL.of(lang)) " " strong { (email) } }
            (Field::new("email", NEW_EMAIL.of(lang)).kind("email").autocomplete("email").value(request.form.text("email"))
                .required().errors(errors).input())
            div.actions { button type="submit" { (CHANGE_EMAIL.of(lang)) } }
        }
    })
}

fn factor_part(lang: Language, factor: &Factor) -> Markup {
    let is_on = factor.has_app || !factor.passkeys.is_empty();
    html! {
        h2 { (FACTOR_TITLE.of(lang)) }
        div.panel {
            @if is_on {
                p {
                    (FACTOR_ON.of(lang)) " "
                    @if factor.has_app { (APP.of(lang)) ". " }
                    @match factor.passkeys.len() {
                        0 => {}
                        1 => { "1 " (PASSKEY.of(lang)) ". " }
                        count => { (count) " " (PASSKEYS.of(lang)) ". " }
                    }
                    (factor.recovery_codes) " " (CODES_LEFT.of(lang)) "."
                }
            } @else {
                p { (FACTOR_OFF.of(lang)) }
            }
            p { a.button href="/account/factor" { (if is_on { MANAGE } else { SET_UP }.of(lang)) } }
        }
    }
}

fn session_list(request: &Request, sessions: &[SessionRow], zone: &Zone) -> Result<Markup, Refusal> {
    let lang = request.language;
    let own = request.person()?.session;
    let times = Times::new(zone, lang);
    Ok(html! {
        h2 { (SESSIONS.of(lang)) }
        div.panel {
            div.scroll {
                table.stack role="table" {
                    thead role="rowgroup" { tr role="row" {
                        th scope="col" role="columnheader" { (BROWSER.of(lang)) }
                        th scope="col" role="columnheader" { (FROM.of(lang)) }
                        th scope="col" role="columnheader" { (LAST_USED.of(lang)) }
                        th scope="col" role="columnheader" { (END.of(lang)) }
                    } }
                    tbody role="rowgroup" {
                        @for session in sessions {
                            tr role="row" {
                                td role="cell" { (session.agent) }
                                td role="cell" { (session.client) }
                                td role="cell" { (times.minute(session.seen_at)) }
                                td role="cell" {
                                    @if session.id == own {
                                        (THIS.of(lang))
                                    } @else {
                                        form method="post" action={ "/account/sessions/" (hex::encode(session.id)) } {
                                            (layout::csrf(request))
                                            button type="submit" { (END.of(lang)) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if sessions.len() > 1 {
                form method="post" action="/account/sessions/others" {
                    (layout::csrf(request))
                    button type="submit" { (END_OTHERS.of(lang)) }
                }
            }
        }
    })
}
