//! Choosing a password by the link of a letter, and asking for that letter.

use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::{AccountError, Email, Token};
use http::StatusCode;
use maud::{Markup, html};

use super::{Answer, EMAIL, EMAIL_ERROR, NEW_PASSWORD, PASSWORD_HINT, form_page, lang_query, reason};
use crate::field::{Errors, Field};
use crate::guard::with_entered;
use crate::layout;
use crate::route::{Request, see_other};

pub(crate) const TITLE: Words = words("Choose your password", "Choisissez votre mot de passe");
const SAVE: Words = words("Save and log in", "Enregistrer et se connecter");
const OVER: Words = words("This link no longer works", "Ce lien ne fonctionne plus");
const AGAIN: Words = words("Send a new link", "Envoyer un nouveau lien");
const FORGOTTEN: Words = words("Choose a new password", "Choisir un nouveau mot de passe");
const FORGOTTEN_TEXT: Words = words(
    "Enter the e-mail address of your account. If the account exists, we will e-mail you a link.",
    "Saisissez l’adresse e-mail de votre compte. Si ce compte existe, nous vous enverrons un lien par e-mail.",
);
const SEND: Words = words("Send the link", "Envoyer le lien");
const SENT: Words = words("Check your inbox", "Consultez votre boîte de réception");
const SENT_TEXT: Words = words(
    "If this address has an account, an e-mail with a link is on its way. The link works for 48 hours.",
    "Si un compte existe à cette adresse, un e-mail avec un lien est en route. Le lien est valable 48 heures.",
);

/// `GET /password`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        let token = Token::from(request.query.text("token"));
        match request.app.accounts.chooser(&token).await {
            Ok(account) => {
                let content = form(&request, token.as_str(), &account.email, &Errors::none());
                Ok(form_page::shown(&request, TITLE, &content))
            }
            Err(AccountError::UnknownLink) => Ok(over(&request)),
            Err(error) => Err(error.into()),
        }
    })
}

/// `POST /password`
pub(super) fn choose(request: Request) -> Answer {
    Box::pin(async move {
        let (app, lang) = (&request.app, request.language);
        let token = Token::from(request.form.text("token"));
        let password = request.form.raw("password").to_owned();
        match app.accounts.choose(token.clone(), password, request.visitor()).await {
            Ok(entered) => {
                let page = if entered.needs_code {
                    "/login/code"
                } else {
                    "/dashboard"
                };
                Ok(with_entered(app, see_other(page), &entered))
            }
            Err(AccountError::UnknownLink) => Ok(over(&request)),
            Err(error @ AccountError::Weak(_)) => {
                let errors = Errors::of("password", reason(&error, lang));
                let content = form(&request, token.as_str(), request.form.text("username"), &errors);
                Ok(form_page::again(&request, TITLE, &content))
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// `GET /password/forgot`
pub(super) fn forgotten(request: Request) -> Answer {
    Box::pin(async move {
        let content = ask(&request, &Errors::none());
        Ok(form_page::shown(&request, FORGOTTEN, &content))
    })
}

/// `POST /password/forgot`
pub(super) fn forgot(request: Request) -> Answer {
    Box::pin(async move {
        let lang = request.language;
        let Some(email) = Email::read(request.form.text("email")) else {
            let content = ask(&request, &Errors::of("email", EMAIL_ERROR.of(lang)));
            return Ok(form_page::again(&request, FORGOTTEN, &content));
        };
        request.app.accounts.forgot(&email, &request.visitor()).await?;
        let content = html! { p.note.good role="status" { (SENT_TEXT.of(lang)) } };
        Ok(form_page::shown(&request, SENT, &content))
    })
}

fn over(request: &Request) -> crate::route::Reply {
    let lang = request.language;
    let content = html! {
        p { (reason(&AccountError::UnknownLink, lang)) }
        p { a.button.main href={ "/password/forgot" (lang_query(lang)) } { (AGAIN.of(lang)) } }
    };
    layout::narrow(request, StatusCode::GONE, OVER.of(lang), &content)
}

fn form(request: &Request, token: &str, email: &str, errors: &Errors) -> Markup {
    let lang = request.language;
    html! {
        form.panel method="post" action={ "/password" (lang_query(lang)) } {
            (layout::csrf(request))
            input type="hidden" name="token" value=(token);
            (Field::new("username", EMAIL.of(lang)).kind("email").autocomplete("username").value(email).locked(true).input())
            (Field::new("password", NEW_PASSWORD.of(lang)).kind("password").autocomplete("new-password")
                .hint(PASSWORD_HINT.of(lang)).required().errors(errors).input())
            div.actions { button.main type="submit" { (SAVE.of(lang)) } }
        }
    }
}

fn ask(request: &Request, errors: &Errors) -> Markup {
    let lang = request.language;
    html! {
        p { (FORGOTTEN_TEXT.of(lang)) }
        form.panel method="post" action={ "/password/forgot" (lang_query(lang)) } {
            (layout::csrf(request))
            (Field::new("email", EMAIL.of(lang)).kind("email").autocomplete("username").value(request.form.text("email"))
                .required().errors(errors).input())
            div.actions { button.main type="submit" { (SEND.of(lang)) } }
        }
    }
}
