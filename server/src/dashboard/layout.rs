//! The frame of every page of the dashboard: head, navigation, and the policy of its response.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::route::Request;
use super::words::{Words, words};
use crate::accounts::Permission;
use crate::web::headers::{Framing, page_policy};

const STYLES: &str = include_str!("../../../static/dashboard.css");

const TRANSACTIONS: Words = words("Transactions", "Transactions");
const SETTINGS: Words = words("Settings", "Réglages");
const LOG_OUT: Words = words("Log out", "Se déconnecter");
const SANDBOX: Words = words(
    "Sandbox: coins of this network are worth nothing.",
    "Bac à sable : les pièces de ce réseau ne valent rien.",
);
const SKIP: Words = words("Skip to the content", "Aller au contenu");

/// The response with a page: `title` is plain text, `content` is what stands below the navigation.
#[must_use]
pub fn page(request: &Request, status: StatusCode, title: &str, content: &Markup) -> Response {
    let lang = request.language;
    let document = html! {
        (DOCTYPE)
        html lang=(lang.as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · Bitpro" }
                link rel="icon" href="/favicon.ico";
                style nonce=(request.nonce.as_str()) { (PreEscaped(STYLES)) }
            }
            body {
                a.skip href="#content" { (SKIP.of(lang)) }
                (navigation(request))
                @if request.app.charges.network().is_sandbox() {
                    p.sandbox { (SANDBOX.of(lang)) }
                }
                main #content {
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
        page_policy(&request.nonce, &Framing::nobody(), true),
    );
    response
}

/// The hidden field that every form that changes something carries.
#[must_use]
pub fn csrf(request: &Request) -> Markup {
    let token = request.person.as_ref().map_or("", |person| person.csrf.as_str());
    html! { input type="hidden" name="csrf" value=(token); }
}

fn navigation(request: &Request) -> Markup {
    let lang = request.language;
    html! {
        header.bar {
            a.brand href="/dashboard" { "Bitpro" }
            @if let Some(member) = &request.member {
                @let base = format!("/dashboard/{}", member.merchant.id);
                nav aria-label=(member.merchant.settings.name) {
                    span.merchant { (member.merchant.settings.name) }
                    a href={ (base) "/charges" } aria-current=[current(request, "/charges")] { (TRANSACTIONS.of(lang)) }
                    @if member.role.may(Permission::Read) {
                        a href={ (base) "/settings" } aria-current=[current(request, "/settings")] { (SETTINGS.of(lang)) }
                    }
                }
            }
            @if let Some(person) = &request.person {
                form.leave method="post" action="/logout" {
                    (csrf(request))
                    span.who { (person.email) }
                    button type="submit" { (LOG_OUT.of(lang)) }
                }
            }
        }
    }
}

fn current(request: &Request, part: &str) -> Option<&'static str> {
    request.path.contains(part).then_some("page")
}
