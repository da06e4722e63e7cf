//! Moving an account to another address, by the link of a letter that was sent there.

use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::{AccountError, Token};
use http::StatusCode;
use maud::html;

use super::{Answer, form_page, lang_query, reason};
use crate::layout;
use crate::route::{Request, see_other};

const TITLE: Words = words("Confirm your new address", "Confirmez votre nouvelle adresse");
const TEXT: Words = words(
    "Log in with this address from now on:",
    "Connectez-vous désormais avec cette adresse\u{a0}:",
);
const CONFIRM: Words = words("Use this address", "Utiliser cette adresse");

/// `GET /email`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        let lang = request.language;
        let token = Token::from(request.query.text("token"));
        match request.app.accounts.email_of(&token).await {
            // A button, for mail programs open links by themselves.
            Ok(email) => {
                let content = html! {
                    form.panel method="post" action={ "/email" (lang_query(lang)) } {
                        (layout::csrf(&request))
                        input type="hidden" name="token" value=(token.as_str());
                        p { (TEXT.of(lang)) }
                        p { strong { (email) } }
                        div.actions { button.main type="submit" { (CONFIRM.of(lang)) } }
                    }
                };
                Ok(form_page::shown(&request, TITLE, &content))
            }
            Err(error) => refused(&request, error),
        }
    })
}

/// `POST /email`
pub(super) fn change(request: Request) -> Answer {
    Box::pin(async move {
        let token = Token::from(request.form.text("token"));
        match request.app.accounts.change_email(token, request.client).await {
            Ok(_) => Ok(see_other("/account?done=email")),
            Err(error) => refused(&request, error),
        }
    })
}

fn refused(request: &Request, error: AccountError) -> Result<crate::route::Reply, crate::refusals::Refusal> {
    if !matches!(error, AccountError::UnknownLink | AccountError::Taken) {
        return Err(error.into());
    }
    let lang = request.language;
    let content = html! { p { (reason(&error, lang)) } };
    Ok(layout::narrow(request, StatusCode::GONE, TITLE.of(lang), &content))
}
