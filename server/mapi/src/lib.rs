//! The merchant API: what a shop's server may ask, signed by its key. Shapes and words are those of the API reference.
//!
//! One table of routes builds the router, the OpenAPI document and the page at `/docs`.

#![warn(missing_docs)]

mod accept;
mod authenticate;
mod call;
mod charges;
mod cursor;
mod docs;
mod events;
mod fields;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod guides;
pub mod hmac;
mod openapi;
mod problem;
mod query;
mod rate;
mod route;
mod routes;
#[cfg(test)]
mod tests;
mod webhooks;

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::routing::{any, get};
use axum::{Router, middleware};
use bitpro_web::Fixed;
use bitpro_web::app::App;
use http::HeaderMap;

/// The realm that requests are signed for.
pub const REALM: &str = "Bitpro";
/// The one version of the API so far; who names none gets it for ever.
pub const MEDIA_TYPE: &str = "application/vnd.bitpro-mapi-20180503+json";
/// The largest body of a request, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The API's paths.
pub fn router(app: &App) -> Router<App> {
    let signed = routes::ROUTES
        .iter()
        .fold(Router::new(), |router, entry| {
            router.route(entry.path, entry.method_router())
        })
        .route("/mapi", any(route::unknown))
        .route("/mapi/{*rest}", any(route::unknown))
        .method_not_allowed_fallback(route::wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), authenticate::pass));
    // Our own address stands in it.
    let reference: Arc<OnceLock<Fixed>> = Arc::default();
    let show_reference = async move |State(app): State<App>, headers: HeaderMap| {
        let page = reference.get_or_init(|| docs::page(app.public_url.origin()));
        guides::answer(page, &headers)
    };
    signed
        .route("/mapi/openapi.json", get(openapi::show))
        .route("/docs", get(show_reference))
        .route("/docs/{guide}", get(guides::show))
}
