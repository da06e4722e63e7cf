//! Asking for an account.

use bitpro_config::Signup;
use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::{AccountError, Application, Email};
use http::StatusCode;
use maud::{Markup, html};

use super::{Answer, EMAIL, EMAIL_ERROR, NAME, NAME_ERROR, SITE_ERROR, form_page, is_name, lang_query, reason};
use crate::field::{Errors, Field};
use crate::layout;
use crate::route::{Reply, Request};

pub(crate) const TITLE: Words = words("Request an account", "Demander un compte");
const COMPANY: Words = words("Company or shop", "Entreprise ou boutique");
const COMPANY_HINT: Words = words("Shoppers will see this name.", "Vos clients verront ce nom.");
const SITE: Words = words("Website (optional)", "Site web (facultatif)");
const SEND: Words = words("Request the account", "Demander le compte");
const SENT: Words = words("Check your inbox", "Consultez votre boîte de réception");
const SENT_OPEN: Words = words(
    "An e-mail with a link to choose your password is on its way. The link works for 48 hours.",
    "Un e-mail avec un lien pour choisir votre mot de passe est en route. Le lien est valable 48 heures.",
);
const SENT_APPROVAL: Words = words(
    "The operator of this server reviews each request. Once yours is approved, you get an e-mail with a link to choose your password.",
    "L’exploitant de ce serveur examine chaque demande. Une fois la vôtre acceptée, vous recevrez un e-mail avec un lien pour choisir votre mot de passe.",
);
const HAVE_ONE: Words = words("Already have an account?", "Vous avez déjà un compte\u{202f}?");
const LOG_IN: Words = words("Log in", "Connectez-vous");

/// The longest site that is kept, in characters.
const SITE_CHARS: usize = 200;

/// `GET /signup`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        if request.app.accounts.signup() == Signup::Closed {
            return Ok(closed(&request));
        }
        let content = form(&request, &Errors::none());
        Ok(form_page::shown(&request, TITLE, &content))
    })
}

/// `POST /signup`
pub(super) fn ask(request: Request) -> Answer {
    Box::pin(async move {
        if request.app.accounts.signup() == Signup::Closed {
            return Ok(closed(&request));
        }
        let lang = request.language;
        let mut errors = Errors::none();
        let application = read(&request, &mut errors);
        let Some(application) = application else {
            let content = form(&request, &errors);
            return Ok(form_page::again(&request, TITLE, &content));
        };
        request.app.accounts.ask(application, request.client).await?;
        let text = match request.app.accounts.signup() {
            Signup::Open => SENT_OPEN,
            Signup::Approval | Signup::Closed => SENT_APPROVAL,
        };
        let content = html! { p.note.good role="status" data-done="requested" { (text.of(lang)) } };
        Ok(form_page::shown(&request, SENT, &content))
    })
}

fn closed(request: &Request) -> Reply {
    let lang = request.language;
    let content = html! { p { (reason(&AccountError::Closed, lang)) } };
    layout::narrow(request, StatusCode::FORBIDDEN, TITLE.of(lang), &content)
}

fn read(request: &Request, errors: &mut Errors) -> Option<Application> {
    let (lang, form) = (request.language, &request.form);
    for field in ["name", "company"] {
        if !is_name(form.text(field)) {
            errors.add(field, NAME_ERROR.of(lang));
        }
    }
    let email = Email::read(form.text("email"));
    if email.is_none() {
        errors.add("email", EMAIL_ERROR.of(lang));
    }
    let site = form.text("site");
    if !site.is_empty() && !is_site(site) {
        errors.add("site", SITE_ERROR.of(lang));
    }
    let email = email.filter(|_| errors.is_empty())?;
    Some(Application {
        email,
        name: form.text("name").to_owned(),
        company: form.text("company").to_owned(),
        site: site.to_owned(),
        language: lang,
    })
}

/// Whether this is the address of a site, with its scheme or without; nobody's name or password stands in it.
pub(super) fn is_site(text: &str) -> bool {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = url::Url::parse(&with_scheme).ok();
    text.chars().count() <= SITE_CHARS
        && url.is_some_and(|url| {
            let is_web =
                matches!(url.scheme(), "https" | "http") && url.host_str().is_some_and(|host| !host.is_empty());
            is_web && url.username().is_empty() && url.password().is_none()
        })
}

fn form(request: &Request, errors: &Errors) -> Markup {
    let (lang, typed) = (request.language, &request.form);
    html! {
        (errors.summary(lang))
        form.panel method="post" action={ "/signup" (lang_query(lang)) } {
            (layout::csrf(request))
            (Field::new("name", NAME.of(lang)).autocomplete("name").value(typed.text("name")).longest(60).required()
                .errors(errors).input())
            (Field::new("email", EMAIL.of(lang)).kind("email").autocomplete("email").value(typed.text("email")).required()
                .errors(errors).input())
            (Field::new("company", COMPANY.of(lang)).autocomplete("organization").hint(COMPANY_HINT.of(lang))
                .value(typed.text("company")).longest(60).required().errors(errors).input())
            (Field::new("site", SITE.of(lang)).autocomplete("url").inputmode("url").value(typed.text("site"))
                .errors(errors).input())
            div.actions { button.main type="submit" { (SEND.of(lang)) } }
        }
        p { (HAVE_ONE.of(lang)) " " a href={ "/login" (lang_query(lang)) } { (LOG_IN.of(lang)) } }
    }
}
