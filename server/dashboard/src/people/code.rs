//! The second step of logging in: a code of the authenticator app, or a recovery code.

use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::AccountError;
use maud::{Markup, html};

use super::{Answer, form_page, passkey, reason};
use crate::field::{Errors, Field};
use crate::guard::with_entered;
use crate::layout;
use crate::redirect::next_page;
use crate::refusals::Refusal;
use crate::route::{Reply, Request, see_other};

const TITLE: Words = words("Two-step verification", "Vérification en deux étapes");
const CODE: Words = words("Code", "Code");
const HINT: Words = words(
    "Enter the six digits from your authenticator app. Lost it? Enter one of your recovery codes.",
    "Saisissez les six chiffres de votre application d’authentification. Perdue\u{202f}? Saisissez l’un de vos codes de secours.",
);
const RECOVERY_HINT: Words = words(
    "No passkey at hand? Enter one of your recovery codes.",
    "Pas de clé d’accès sous la main\u{202f}? Saisissez l’un de vos codes de secours.",
);
const GO_ON: Words = words("Continue", "Continuer");

/// `GET /login/code`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        let content = form(&request, request.query.text("then"), &Errors::none())?;
        Ok(form_page::shown(&request, TITLE, &content))
    })
}

/// `POST /login/code`
pub(super) fn enter(request: Request) -> Answer {
    Box::pin(async move {
        let app = &request.app;
        let (login, then) = (&request.person()?.login, request.form.text("then"));
        let entered = app
            .accounts
            .enter_code(login, request.form.text("code"), request.visitor())
            .await;
        match entered {
            Ok(entered) => Ok(with_entered(app, see_other(&next_page(then)), &entered)),
            Err(error @ (AccountError::WrongCode | AccountError::TooMany(_))) => refused(&request, then, &error),
            Err(error) => Err(error.into()),
        }
    })
}

/// The page once more, with the reason.
pub(super) fn refused(request: &Request, then: &str, error: &AccountError) -> Result<Reply, Refusal> {
    let errors = Errors::of("code", reason(error, request.language));
    let content = form(request, then, &errors)?;
    Ok(form_page::refused(request, TITLE, &content, error))
}

fn form(request: &Request, then: &str, errors: &Errors) -> Result<Markup, Refusal> {
    let lang = request.language;
    let has_app = request.person()?.login.account.totp.is_some();
    Ok(html! {
        (passkey::button(request, "/login/passkey", &[("then", then)])?)
        form.panel method="post" action="/login/code" {
            (layout::csrf(request))
            input type="hidden" name="then" value=(then);
            (Field::new("code", CODE.of(lang)).autocomplete("one-time-code").hint(if has_app { HINT } else { RECOVERY_HINT }.of(lang)).required()
                .errors(errors).input())
            div.actions { button.main type="submit" { (GO_ON.of(lang)) } }
        }
    })
}
