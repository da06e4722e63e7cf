//! Logging in with address and password, and logging out.

use bitpro_config::Signup;
use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::AccountError;
use maud::{Markup, html};

use super::{Answer, EMAIL, PASSWORD, form_page, lang_query, reason};
use crate::cookie::SessionCookie;
use crate::field::{Errors, Field};
use crate::guard::{with_entered, without_session};
use crate::layout;
use crate::redirect::{next_page, percent_encoded};
use crate::route::{Request, see_other};

pub(crate) const TITLE: Words = words("Log in", "Se connecter");
const FORGOT: Words = words("Forgot your password?", "Mot de passe oublié\u{202f}?");
const NO_ACCOUNT: Words = words("No account yet?", "Pas encore de compte ?");
const ASK: Words = words("Request one", "Demandez-en un");
pub(crate) const SHOPPER: Words = words(
    "Here to pay? Go back to the shop and press its button again.",
    "Vous vouliez payer\u{202f}? Retournez à la boutique et appuyez de nouveau sur son bouton.",
);

/// `GET /login`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        if request.person.is_some() {
            return Ok(see_other(&next_page(request.query.text("then"))));
        }
        let then = request.query.text("then").to_owned();
        let content = form(&request, &then, "", &Errors::none());
        Ok(form_page::shown(&request, TITLE, &content))
    })
}

/// `POST /login`
pub(super) fn enter(request: Request) -> Answer {
    Box::pin(async move {
        let app = &request.app;
        let (email, then) = (request.form.text("email"), request.form.text("then"));
        let former = SessionCookie::at(app.dashboard_url()).and_then(|cookie| cookie.read(&request.headers));
        let password = request.form.raw("password").to_owned();
        match app.accounts.enter(email, password, former, request.visitor()).await {
            Ok(entered) => {
                let next = next_page(then);
                let page = match entered.needs_code {
                    true => format!("/login/code?then={}", percent_encoded(&next)),
                    false => next,
                };
                Ok(with_entered(app, see_other(&page), &entered))
            }
            Err(error @ (AccountError::WrongPassword | AccountError::TooMany(_))) => {
                let errors = Errors::of("password", reason(&error, request.language));
                let content = form(&request, then, email, &errors);
                Ok(form_page::refused(&request, TITLE, &content, &error))
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// `POST /logout`
pub(super) fn leave(request: Request) -> Answer {
    Box::pin(async move {
        request.app.accounts.leave(&request.person()?.token).await?;
        Ok(without_session(&request.app, see_other("/login")))
    })
}

fn form(request: &Request, then: &str, email: &str, errors: &Errors) -> Markup {
    let lang = request.language;
    html! {
        form.panel method="post" action={ "/login" (lang_query(lang)) } {
            (layout::csrf(request))
            input type="hidden" name="then" value=(then);
            (Field::new("email", EMAIL.of(lang)).kind("email").autocomplete("username").value(email).required().input())
            (Field::new("password", PASSWORD.of(lang)).kind("password").autocomplete("current-password").required()
                .errors(errors).input())
            div.actions {
                button.main type="submit" { (TITLE.of(lang)) }
                a href={ "/password/forgot" (lang_query(lang)) } { (FORGOT.of(lang)) }
            }
        }
        @if request.app.accounts.signup() != Signup::Closed {
            p { (NO_ACCOUNT.of(lang)) " " a href={ "/signup" (lang_query(lang)) } { (ASK.of(lang)) } }
        }
        p.hint { (SHOPPER.of(lang)) }
    }
}
