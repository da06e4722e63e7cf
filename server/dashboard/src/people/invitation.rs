//! Joining a team by the link of a letter.

use bitpro_merchant::words::{Words, role_name, role_powers, words};
use bitpro_service::accounts::{AccountError, Joining, Newcomer, Token};
use http::StatusCode;
use maud::{Markup, html};

use super::{Answer, EMAIL, NAME, NAME_ERROR, PASSWORD, PASSWORD_HINT, is_name, lang_query, reason};
use crate::field::{Errors, Field};
use crate::guard::with_entered;
use crate::layout;
use crate::redirect::percent_encoded;
use crate::refusals::Refusal;
use crate::route::{Request, see_other};

const TITLE: Words = words("Join", "Rejoindre");
const AS: Words = words("You are invited as", "Vous êtes invité en tant que");
const JOIN: Words = words("Join the team", "Rejoindre l’équipe");
pub(crate) const LOG_IN: Words = words("Log in to join", "Se connecter pour rejoindre");
const OVER: Words = words(
    "This invitation is no longer valid",
    "Cette invitation n’est plus valable",
);

/// `GET /invitation`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        let token = Token::from(request.query.text("token"));
        page(&request, &token, StatusCode::OK, &Errors::none()).await
    })
}

/// `POST /invitation`, by somebody who is logged in.
pub(super) fn join(request: Request) -> Answer {
    Box::pin(async move {
        let token = Token::from(request.form.text("token"));
        let login = &request.person()?.login;
        match request.app.accounts.join(token, login, request.client).await {
            Ok(merchant) => Ok(see_other(&format!("/dashboard/{merchant}"))),
            Err(error @ (AccountError::OtherAddress | AccountError::UnknownLink | AccountError::Member)) => {
                Ok(refused(&request, &error))
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// `POST /invitation/new`, by somebody who has no account.
pub(super) fn join_newly(request: Request) -> Answer {
    Box::pin(async move {
        let lang = request.language;
        let token = Token::from(request.form.text("token"));
        let name = request.form.text("name");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        if !is_name(name) {
            return page(&request, &token, status, &Errors::of("name", NAME_ERROR.of(lang))).await;
        }
        let newcomer = Newcomer {
            name: name.to_owned(),
            password: request.form.raw("password").to_owned(),
            language: lang,
        };
        let joined = request
            .app
            .accounts
            .join_newly(token.clone(), newcomer, request.visitor());
        match joined.await {
            Ok((merchant, entered)) => {
                let response = see_other(&format!("/dashboard/{merchant}"));
                Ok(with_entered(&request.app, response, &entered))
            }
            Err(error @ AccountError::Weak(_)) => {
                page(&request, &token, status, &Errors::of("password", reason(&error, lang))).await
            }
            Err(error @ (AccountError::UnknownLink | AccountError::Taken | AccountError::Member)) => {
                Ok(refused(&request, &error))
            }
            Err(error) => Err(error.into()),
        }
    })
}

fn refused(request: &Request, error: &AccountError) -> crate::route::Reply {
    let content = html! { p { (reason(error, request.language)) } };
    layout::narrow(request, StatusCode::GONE, OVER.of(request.language), &content)
}

async fn page(
    request: &Request,
    token: &Token,
    status: StatusCode,
    errors: &Errors,
) -> Result<crate::route::Reply, Refusal> {
    let joining = match request.app.accounts.joining(token).await {
        Ok(joining) => joining,
        Err(error @ AccountError::UnknownLink) => return Ok(refused(request, &error)),
        Err(error) => return Err(error.into()),
    };
    let lang = request.language;
    let title = format!("{} {}", TITLE.of(lang), joining.merchant);
    let content = html! {
        p {
            (AS.of(lang)) " " strong { (role_name(joining.role).of(lang)) } " ("
            (role_powers(joining.role).of(lang)) ")."
        }
        (form(request, token, &joining, errors))
    };
    Ok(layout::narrow(request, status, &title, &content))
}

fn form(request: &Request, token: &Token, joining: &Joining, errors: &Errors) -> Markup {
    let lang = request.language;
    if request.person.is_some() {
        return html! {
            form.panel method="post" action="/invitation" {
                (layout::csrf(request))
                input type="hidden" name="token" value=(token.as_str());
                div.actions { button.main type="submit" { (JOIN.of(lang)) } }
            }
        };
    }
    if joining.has_account {
        let then = percent_encoded(&format!("/invitation?token={}", token.as_str()));
        return html! {
            p { a.button.main href={ "/login?lang=" (lang.as_str()) "&then=" (then) } { (LOG_IN.of(lang)) } }
        };
    }
    html! {
        form.panel method="post" action={ "/invitation/new" (lang_query(lang)) } {
            input type="hidden" name="token" value=(token.as_str());
            (Field::new("username", EMAIL.of(lang)).kind("email").autocomplete("username").value(&joining.email)
                .locked(true).input())
            (Field::new("name", NAME.of(lang)).autocomplete("name").value(request.form.text("name")).longest(60).required()
                .errors(errors).input())
            (Field::new("password", PASSWORD.of(lang)).kind("password").autocomplete("new-password")
                .hint(PASSWORD_HINT.of(lang)).required().errors(errors).input())
            div.actions { button.main type="submit" { (JOIN.of(lang)) } }
        }
    }
}
