//! Giving the password again before something sensitive.

use axum::response::Response;
use maud::{Markup, html};

use super::{Answer, PASSWORD, narrow, passkey, reason};
use crate::accounts::AccountError;
use crate::checkout::refusal::Refusal;
use crate::dashboard::field::{Errors, Field};
use crate::dashboard::guard::next_page;
use crate::dashboard::layout;
use crate::dashboard::route::{Request, see_other};
use crate::dashboard::words::{Words, words};

const TITLE: Words = words("Confirm that it is you", "Confirmez que c’est vous");
const WHY: Words = words(
    "What you are about to do is sensitive: give your password again. It counts for 15 minutes.",
    "Ce que vous allez faire est sensible : redonnez votre mot de passe. Il vaut pour 15 minutes.",
);
const CODE: Words = words("Code", "Code");
const CODE_HINT: Words = words(
    "Of your authenticator app, or a recovery code.",
    "De votre application d’authentification, ou un code de secours.",
);
const GO_ON: Words = words("Confirm", "Confirmer");

/// `GET /confirm`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        let content = form(&request, request.query.text("then"), &Errors::none())?;
        Ok(narrow::shown(&request, TITLE, &content))
    })
}

/// `POST /confirm`
pub(super) fn confirm(request: Request) -> Answer {
    Box::pin(async move {
        let login = &request.person()?.login;
        let (then, password) = (request.form.text("then"), request.form.raw("password").to_owned());
        let code = request.form.text("code");
        let confirmed = request
            .app
            .accounts
            .confirm(login, password, code, request.client)
            .await;
        let error = match confirmed {
            Ok(()) => return Ok(see_other(&next_page(then))),
            Err(error) => error,
        };
        let field = match error {
            AccountError::WrongPassword | AccountError::TooMany(_) => "password",
            AccountError::WrongCode => "code",
            error => return Err(error.into()),
        };
        refused(&request, then, field, &error)
    })
}

/// The page once more, with the reason at a field.
pub(super) fn refused(request: &Request, then: &str, field: &str, error: &AccountError) -> Result<Response, Refusal> {
    let errors = Errors::of(field, reason(error, request.language));
    let content = form(request, then, &errors)?;
    Ok(narrow::refused(request, TITLE, &content, error))
}

fn form(request: &Request, then: &str, errors: &Errors) -> Result<Markup, Refusal> {
    let lang = request.language;
    let person = request.person()?;
    Ok(html! {
        p { (WHY.of(lang)) }
        (passkey::button(request, "/confirm/passkey", then)?)
        form.panel method="post" action="/confirm" {
            (layout::csrf(request))
            input type="hidden" name="then" value=(then);
            // Password managers fill in the password of the account that is named.
            input type="hidden" name="username" autocomplete="username" value=(person.email);
            (Field::new("password", PASSWORD.of(lang)).kind("password").autocomplete("current-password").required()
                .errors(errors).input())
            @if person.login.account.has_factor() {
                (Field::new("code", CODE.of(lang)).hint(CODE_HINT.of(lang)).autocomplete("one-time-code").required().errors(errors).input())
            }
            div.actions { button.main type="submit" { (GO_ON.of(lang)) } }
        }
    })
}
