//! The paths that lead to handlers: the shoppers' and the monitors' own, and those of the surfaces above.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};
use futures::future::BoxFuture;
use http::request::Parts;

use crate::app::{App, MAX_FORM};
use crate::checkout::document::Visit;
use crate::checkout::{assets, link, page, status, stream};
use crate::edge::{self, Edge};
use crate::refusal::Refusal;
use crate::{Context, health, outside};

/// The page of a surface that says that nothing is at an address; `None` when the address is not one of its own.
pub type NotFoundPage = for<'a> fn(&'a App, Context, &'a Parts, &'a Refusal) -> BoxFuture<'a, Option<Response>>;

/// What there is beside the shoppers' pages.
#[derive(Default)]
pub struct Surfaces {
    /// Pages: what is asked of them in a wrong way is answered by a page.
    pub pages: Router<App>,
    /// Paths that have answers of their own to that.
    pub api: Router<App>,
    /// What the pages say of addresses that do not exist.
    pub not_found: Option<NotFoundPage>,
}

/// How the edge tells a browser of a problem: by a page like all others.
#[must_use]
pub fn problem_page(app: &App) -> edge::Page {
    let app = app.clone();
    Box::new(move |problem, headers| {
        let context = Context {
            id: problem.request,
            client: Ipv4Addr::UNSPECIFIED.into(),
            is_dashboards: false,
        };
        app.refuse(&Visit::new(context, headers, None), problem.into())
    })
}

/// All paths, behind `edge`.
pub fn router(app: App, edge: Arc<Edge>, surfaces: Surfaces) -> Router {
    let link = || get(link::show).post(link::press);
    let not_found = surfaces.not_found;
    let unknown = async move |State(app): State<App>, context: Context, request: Request| {
        nothing(&app, context, request, not_found, Refusal::UnknownPage).await
    };
    let wrong_method = async move |State(app): State<App>, context: Context, request: Request| {
        nothing(&app, context, request, not_found, Refusal::WrongMethod).await
    };
    Router::new()
        .route("/app/checkout/{merchant}", link())
        .route("/app/checkout/{merchant}/", link())
        .route("/app/checkout/{merchant}/{charge}", get(page::show))
        .route("/app/checkout/{merchant}/{charge}/events", get(stream::open))
        .route("/app/checkout/{merchant}/{charge}/status", get(status::read))
        .route("/app/assets/{file}", get(assets::page_file))
        .route("/app/logo/{merchant}/{name}", get(assets::logo))
        .route("/libs/{file}", get(assets::loader_file))
        .route("/robots.txt", get(assets::robots))
        .route("/favicon.ico", get(assets::favicon))
        .route("/app/check/{token}", get(outside::request))
        .route("/app/check/{token}/events", get(outside::events))
        .route("/app/check/{token}/arrived", get(outside::arrived))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(surfaces.pages)
        .method_not_allowed_fallback(wrong_method)
        .merge(surfaces.api)
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(edge, edge::pass))
        .with_state(app)
}

/// Says that nothing is here: to merchants by a page of theirs, to shoppers by one of the checkout's.
async fn nothing(
    app: &App,
    context: Context,
    request: Request,
    not_found: Option<NotFoundPage>,
    refusal: Refusal,
) -> Response {
    let (parts, _) = request.into_parts();
    let visit = Visit::new(context, parts.headers.clone(), None);
    let page = match not_found {
        Some(not_found) if !visit.wants_json() => not_found(app, context, &parts, &refusal).await,
        _ => None,
    };
    page.unwrap_or_else(|| app.refuse(&visit, refusal))
}
