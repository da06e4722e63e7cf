//! The page for an address of the dashboard that does not exist: merchants get one of their own instead of the shoppers’.

use axum::response::Response;
use bitpro_merchant::Language;
use bitpro_service::accounts::language_of;
use bitpro_web::Context;
use bitpro_web::app::App;
use bitpro_web::checkout::language::of_browser;
use bitpro_web::headers::Nonce;
use bitpro_web::refusal::Refusal;
use futures::future::BoxFuture;
use http::HeaderMap;
use http::request::Parts;

use super::cookie::SessionCookie;
use super::{layout, routes};

/// The page that says why nothing is at an address; `None` when the address is not the dashboard's.
#[must_use]
pub fn not_found_page<'a>(
    app: &'a App,
    context: Context,
    parts: &'a Parts,
    refusal: &'a Refusal,
) -> BoxFuture<'a, Option<Response>> {
    Box::pin(page(app, context, parts, refusal))
}

async fn page(app: &App, context: Context, parts: &Parts, refusal: &Refusal) -> Option<Response> {
    if !is_ours(parts.uri.path()) && !context.is_dashboards {
        return None;
    }
    let language = match of_person(app, &parts.headers).await {
        Some(language) => language,
        None => of_browser(None, &parts.headers),
    };
    let nonce = Nonce::new(app.rng.bytes());
    Some(layout::refusal(
        app,
        context.id,
        language,
        &nonce,
        &refusal.clone().into(),
    ))
}

/// Whether a path begins like one of the dashboard's.
fn is_ours(path: &str) -> bool {
    routes().any(|route| first_part(route.path) == first_part(path))
}

fn first_part(path: &str) -> Option<&str> {
    path.split('/').nth(1)
}

/// The language of whoever has logged in.
async fn of_person(app: &App, headers: &HeaderMap) -> Option<Language> {
    let token = SessionCookie::at(app.dashboard_url())?.read(headers)?;
    let login = app.accounts.session(&token).await.ok()??;
    Some(language_of(&login.account.language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_told_by_its_first_part() {
        for path in [
            "/dashboard/x/nothing",
            "/dashboard/",
            "/account/nothing",
            "/login/x",
            "/",
        ] {
            assert!(is_ours(path), "{path}");
        }
        for path in ["/app/checkout/x", "/dashboards", "/docs/x", "/nothing", "/libs/x", ""] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
