//! The way in: to the login, to a merchant, or to a new one.

use bitpro_merchant::words::{Words, role_name, words};
use bitpro_service::accounts::AccountError;
use maud::{Markup, html};

use super::signup::is_site;
use super::{Answer, NAME_ERROR, SITE_ERROR, form_page, is_name, reason};
use crate::field::{Errors, Field};
use crate::layout;
use crate::route::{Request, see_other};

const TITLE: Words = words("Your shops", "Vos boutiques");
const NONE: Words = words(
    "You don’t belong to a shop yet.",
    "Vous ne faites encore partie d’aucune boutique.",
);
const ADD: Words = words("Add a shop", "Ajouter une boutique");
const NAME: Words = words("Name, as shoppers will see it", "Nom, tel que vos clients le verront");
const SITE: Words = words("Website (optional)", "Site web (facultatif)");

/// `GET /` (R37)
pub(super) fn front(request: Request) -> Answer {
    Box::pin(async move {
        let page = if request.person.is_some() {
            "/dashboard"
        } else {
            "/login"
        };
        Ok(see_other(page))
    })
}

/// `GET /dashboard`: the one merchant, or a choice.
pub(super) fn choose(request: Request) -> Answer {
    Box::pin(async move {
        let lang = request.language;
        let parts = request
            .app
            .accounts
            .memberships(request.person()?.login.account.num)
            .await?;
        if let [only] = parts[..] {
            return Ok(see_other(&format!("/dashboard/{}", only.merchant)));
        }
        let content = html! {
            @if parts.is_empty() { p { (NONE.of(lang)) } }
            ul.shops {
                @for part in &parts {
                    @if let Some(merchant) = request.app.charges.merchant(part.merchant) {
                        li.panel {
                            a href={ "/dashboard/" (part.merchant) } { (merchant.settings.name) }
                            span.hint { (role_name(part.role).of(lang)) }
                        }
                    }
                }
            }
            p { a.button href="/dashboard/new" { (ADD.of(lang)) } }
        };
        Ok(form_page::shown(&request, TITLE, &content))
    })
}

/// `GET /dashboard/merchant`: the settings of the current merchant, where the API reference says that their id is shown.
pub(super) fn current(request: Request) -> Answer {
    Box::pin(async move {
        let parts = request
            .app
            .accounts
            .memberships(request.person()?.login.account.num)
            .await?;
        Ok(match parts[..] {
            [only] => see_other(&format!("/dashboard/{}/settings", only.merchant)),
            _ => see_other("/dashboard"),
        })
    })
}

/// `GET /dashboard/new`
pub(super) fn new_merchant(request: Request) -> Answer {
    Box::pin(async move {
        let content = form(&request, &Errors::none());
        Ok(form_page::shown(&request, ADD, &content))
    })
}

/// `POST /dashboard/new`
pub(super) fn add_merchant(request: Request) -> Answer {
    Box::pin(async move {
        let (lang, typed) = (request.language, &request.form);
        let account = &request.person()?.login.account;
        let mut errors = Errors::none();
        let (name, site) = (typed.text("name"), typed.text("site"));
        if !is_name(name) {
            errors.add("name", NAME_ERROR.of(lang));
        }
        if !site.is_empty() && !is_site(site) {
            errors.add("site", SITE_ERROR.of(lang));
        }
        if !errors.is_empty() {
            return Ok(form_page::again(&request, ADD, &form(&request, &errors)));
        }
        let added = request
            .app
            .accounts
            .add_merchant(account.num, name.to_owned(), site.to_owned());
        match added.await {
            Ok(merchant) => Ok(see_other(&format!("/dashboard/{merchant}"))),
            Err(error @ AccountError::ManyMerchants(_)) => {
                errors.add("name", reason(&error, lang));
                Ok(form_page::again(&request, ADD, &form(&request, &errors)))
            }
            Err(error) => Err(error.into()),
        }
    })
}

fn form(request: &Request, errors: &Errors) -> Markup {
    let (lang, typed) = (request.language, &request.form);
    html! {
        (errors.summary(lang))
        form.panel method="post" action="/dashboard/new" {
            (layout::csrf(request))
            (Field::new("name", NAME.of(lang)).autocomplete("organization").value(typed.text("name")).longest(60).required()
                .errors(errors).input())
            (Field::new("site", SITE.of(lang)).autocomplete("url").inputmode("url").value(typed.text("site"))
                .errors(errors).input())
            div.actions { button.main type="submit" { (ADD.of(lang)) } }
        }
    }
}
