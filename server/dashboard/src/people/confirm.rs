//! Giving the password again before something sensitive.
//!
//! A page that is sensitive to look at is come to by `/confirm`. A form that was sent too late is kept in the page that asks:
//! it goes on to where it was sent, once the answer is right.

use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::AccountError;
use maud::{Markup, html};

use super::{Answer, PASSWORD, form_page, passkey, reason_inside as reason};
use crate::field::{Errors, Field};
use crate::layout;
use crate::redirect::next_page;
use crate::refusals::Refusal;
use crate::route::{Reply, Request, see_other};

pub(crate) const TITLE: Words = words("Confirm that it is you", "Confirmez que c’est vous");
const WHY: Words = words(
    "Confirm your password. You won’t be asked again for 15 minutes.",
    "Confirmez votre mot de passe. Il ne vous sera plus demandé pendant 15 minutes.",
);
const KEPT: Words = words("Your entries are kept.", "Votre saisie est conservée.");
const CODE: Words = words("Code", "Code");
const CODE_HINT: Words = words(
    "From your authenticator app, or a recovery code.",
    "De votre application d’authentification, ou un code de secours.",
);
const GO_ON: Words = words("Confirm", "Confirmer");

/// The names of our own fields, which no form has that is kept.
const OWN_PASSWORD: &str = "own_password";
const OWN_CODE: &str = "own_code";

/// Where the answer is sent, and what is sent along.
struct Onward<'r> {
    action: &'r str,
    fields: Vec<(&'r str, &'r str)>,
    keeps: bool,
}

impl<'r> Onward<'r> {
    /// To the page that was to be looked at.
    fn page(then: &'r str) -> Self {
        Self {
            action: "/confirm",
            fields: vec![("then", then)],
            keeps: false,
        }
    }

    /// To where a form was sent, with its fields.
    fn form(request: &'r Request) -> Self {
        let is_ours = |name: &str| ["csrf", OWN_PASSWORD, OWN_CODE, passkey::OWN_CREDENTIAL].contains(&name);
        Self {
            action: &request.path,
            fields: request.form.pairs().filter(|(name, _)| !is_ours(name)).collect(),
            keeps: true,
        }
    }
}

/// `GET /confirm`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        let onward = Onward::page(request.query.text("then"));
        let content = form(&request, &onward, &Errors::none())?;
        Ok(form_page::shown(&request, TITLE, &content))
    })
}

/// `POST /confirm`
pub(super) fn confirm(request: Request) -> Answer {
    Box::pin(async move {
        let then = request.form.text("then");
        match ask(&request, &Onward::page(then)).await? {
            Some(page) => Ok(page),
            None => Ok(see_other(&next_page(then))),
        }
    })
}

/// Asks the sender of a form who they are, with all that they have sent kept in the page. `None` once they have shown it.
pub(crate) async fn before(request: &Request) -> Result<Option<Reply>, Refusal> {
    ask(request, &Onward::form(request)).await
}

async fn ask(request: &Request, onward: &Onward<'_>) -> Result<Option<Reply>, Refusal> {
    let (accounts, login) = (&request.app.accounts, &request.person()?.login);
    let credential = request.form.raw(passkey::OWN_CREDENTIAL);
    let shown = if !credential.is_empty() {
        accounts.confirm_passkey(login, credential, request.client).await
    } else if request.form.has(OWN_PASSWORD) {
        let password = request.form.raw(OWN_PASSWORD).to_owned();
        accounts
            .confirm(login, password, request.form.text(OWN_CODE), request.client)
            .await
    } else {
        let content = form(request, onward, &Errors::none())?;
        return Ok(Some(form_page::again(request, TITLE, &content)));
    };
    let error = match shown {
        Ok(()) => return Ok(None),
        Err(error) => error,
    };
    let field = match error {
        AccountError::WrongPassword | AccountError::WrongPasskey | AccountError::TooMany(_) => OWN_PASSWORD,
        AccountError::WrongCode => OWN_CODE,
        error => return Err(error.into()),
    };
    let errors = Errors::of(field, reason(&error, request.language));
    let content = form(request, onward, &errors)?;
    Ok(Some(form_page::refused(request, TITLE, &content, &error)))
}

fn form(request: &Request, onward: &Onward<'_>, errors: &Errors) -> Result<Markup, Refusal> {
    let lang = request.language;
    let person = request.person()?;
    Ok(html! {
        p { (WHY.of(lang)) @if onward.keeps { " " (KEPT.of(lang)) } }
        (passkey::button(request, onward.action, &onward.fields)?)
        form.panel method="post" action=(onward.action) {
            (layout::csrf(request))
            (layout::kept(&onward.fields))
            // Password managers fill in the password of the account that is named.
            input type="hidden" autocomplete="username" value=(person.email);
            (Field::new(OWN_PASSWORD, PASSWORD.of(lang)).kind("password").autocomplete("current-password").required()
                .errors(errors).input())
            @if person.login.account.has_factor() {
                (Field::new(OWN_CODE, CODE.of(lang)).hint(CODE_HINT.of(lang)).autocomplete("one-time-code").required()
                    .errors(errors).input())
            }
            div.actions { button.main type="submit" { (GO_ON.of(lang)) } }
        }
    })
}
