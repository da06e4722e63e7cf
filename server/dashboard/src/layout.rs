//! The frame of every page of the dashboard: head, navigation, and the policy of its response.

use axum::response::{IntoResponse as _, Response};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission};
use bitpro_web::RequestId;
use bitpro_web::app::App;
use bitpro_web::headers::{Framing, Nonce, Running, page_policy};
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::refusals::{self, Refusal};
use super::route::{Reply, Request};

const STYLES: &str = include_str!("../../../static/dashboard.css");

const TRANSACTIONS: Words = words("Charges", "Encaissements");
const SETTINGS: Words = words("Settings", "Réglages");
const LOG_OUT: Words = words("Log out", "Se déconnecter");
pub(crate) const SANDBOX: Words = words(
    "Test network: these coins have no value.",
    "Réseau de test\u{a0}: ces bitcoins n’ont aucune valeur.",
);
pub(crate) const TO_DASHBOARD: Words = words("Go to the dashboard", "Aller au tableau de bord");
const TEAM: Words = words("Team", "Équipe");
const ACCOUNT: Words = words("Your account", "Votre compte");
const SKIP: Words = words("Skip to the content", "Aller au contenu");

/// The response with a page: `title` is plain text, `content` is what stands below the navigation.
#[must_use]
pub fn page(request: &Request, status: StatusCode, title: &str, content: &Markup) -> Reply {
    let frame = Frame {
        app: &request.app,
        language: request.language,
        nonce: &request.nonce,
        is_narrow: false,
    };
    frame.response(status, title, &navigation(request), content).into()
}

/// The same in a narrow column: a form by itself, as that of the login.
#[must_use]
pub fn narrow(request: &Request, status: StatusCode, title: &str, content: &Markup) -> Reply {
    let frame = Frame {
        app: &request.app,
        language: request.language,
        nonce: &request.nonce,
        is_narrow: true,
    };
    let bar = match request.person {
        Some(_) => navigation(request),
        None => anonymous(Some(request)),
    };
    frame.response(status, title, &bar, content).into()
}

/// The page that says why there is no other.
#[must_use]
pub fn refusal(app: &App, id: RequestId, language: Language, nonce: &Nonce, refusal: &Refusal) -> Response {
    let said = refusals::said_of(refusal);
    let frame = Frame {
        app,
        language,
        nonce,
        is_narrow: true,
    };
    let content = html! {
        p { (said.text.of(language)) }
        p { a href="/dashboard" { (TO_DASHBOARD.of(language)) } }
        p.hint { (refusal.code()) " · " (id) }
    };
    let mut response = frame.response(refusal.status(), said.title.of(language), &anonymous(None), &content);
    if let Some(secs) = refusal.retry_after() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

/// What is around the content of a page.
struct Frame<'a> {
    app: &'a App,
    language: Language,
    nonce: &'a Nonce,
    is_narrow: bool,
}

impl Frame<'_> {
    fn response(&self, status: StatusCode, title: &str, bar: &Markup, content: &Markup) -> Response {
        let lang = self.language;
        let class = self.is_narrow.then_some("narrow");
        let document = html! {
            (DOCTYPE)
            html lang=(lang.as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    title { (title) " · Bitpro" }
                    link rel="icon" href="/favicon.ico";
                    style nonce=(self.nonce.as_str()) { (PreEscaped(STYLES)) }
                }
                body {
                    a.skip href="#content" { (SKIP.of(lang)) }
                    (bar)
                    @if self.app.charges.network().is_sandbox() {
                        aside.sandbox { (SANDBOX.of(lang)) }
                    }
                    main #content class=[class] {
                        h1 { (title) }
                        (content)
                    }
                }
            }
        };
        let mut response = (status, document.into_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.as_str()));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            page_policy(self.nonce, &Framing::nobody(), Running::Scripts, true),
        );
        // Our own forms say where they come from; no other site learns it.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }
}

/// The bar above pages for people who have not logged in, with the other language.
fn anonymous(request: Option<&Request>) -> Markup {
    html! {
        header.bar {
            a.brand href="/" { "Bitpro" }
            @if let Some(request) = request {
                @let other = match request.language { Language::En => Language::Fr, Language::Fr => Language::En };
                a.leave lang=(other.as_str()) hreflang=(other.as_str()) href=(in_language(request, other)) {
                    (match other { Language::En => "English", Language::Fr => "Français" })
                }
            }
        }
    }
}

/// The same page in another language.
fn in_language(request: &Request, language: Language) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.query.pairs().filter(|(name, _)| *name != "lang") {
        query.append_pair(name, value);
    }
    query.append_pair("lang", language.as_str());
    format!("{}?{}", request.path, query.finish())
}

/// The hidden field that every form that changes something carries.
#[must_use]
pub fn csrf(request: &Request) -> Markup {
    let token = request.person.as_ref().map_or("", |person| person.csrf.as_str());
    html! { input type="hidden" name="csrf" value=(token); }
}

/// Hidden fields that are sent along with a form.
#[must_use]
pub fn kept(fields: &[(&str, &str)]) -> Markup {
    html! {
        @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
    }
}

/// The parts of a merchant's dashboard, in their order.
const PARTS: [(&str, Words, Permission); 5] = [
    ("/charges", TRANSACTIONS, Permission::Read),
    ("/settings", SETTINGS, Permission::Read),
    ("/snippet", words("Snippet", "Intégration"), Permission::Read),
    ("/team", TEAM, Permission::Read),
    ("/log", words("Audit log", "Journal d’audit"), Permission::Log),
];

fn navigation(request: &Request) -> Markup {
    let lang = request.language;
    html! {
        header.bar {
            a.brand href="/dashboard" { "Bitpro" }
            @if let Some(member) = &request.member {
                @let base = format!("/dashboard/{}", member.merchant.id);
                nav aria-label=(member.merchant.settings.name) {
                    a.merchant href=(base) aria-current=[(request.path == base).then_some("page")] {
                        (member.merchant.settings.name)
                    }
                    @for (part, words, permission) in PARTS {
                        @if member.role.may(permission) {
                            a href={ (base) (part) } aria-current=[current(request, &base, part)] { (words.of(lang)) }
                        }
                    }
                }
            }
            @if let Some(person) = &request.person {
                form.leave method="post" action="/logout" {
                    (csrf(request))
                    a.who href="/account" aria-label={ (ACCOUNT.of(lang)) " " (person.email) } { (person.email) }
                    button type="submit" { (LOG_OUT.of(lang)) }
                }
            }
        }
    }
}

/// What belongs to a part of the dashboard without standing below its path.
const BELONGS: [(&str, &str); 1] = [("/figures", "/charges")];

fn current(request: &Request, base: &str, part: &str) -> Option<&'static str> {
    current_at(request.path.strip_prefix(base)?, part)
}

/// The mark of a part's link on the page at `path`: the page itself, or one of its pages (WAI-ARIA 1.2, `aria-current`).
fn current_at(path: &str, part: &str) -> Option<&'static str> {
    if path == part {
        return Some("page");
    }
    let is_below = path.strip_prefix(part).is_some_and(|rest| rest.starts_with('/'));
    (is_below || BELONGS.contains(&(path, part))).then_some("true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_at_most_is_the_current_one() {
        for (path, part, mark) in [
            ("/charges", "/charges", "page"),
            ("/charges/7/receipt", "/charges", "true"),
            ("/figures", "/charges", "true"),
            ("/settings", "/settings", "page"),
            ("/settings/look", "/settings", "true"),
            ("/log", "/log", "page"),
        ] {
            for (other, ..) in PARTS {
                let expected = (other == part).then_some(mark);
                assert_eq!(current_at(path, other), expected, "{other} on {path}");
            }
        }
        assert!(PARTS.iter().all(|(part, ..)| current_at("/logo", part).is_none()));
    }
}
