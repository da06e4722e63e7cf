//! The paths that lead to handlers.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};

use crate::app::{App, MAX_FORM};
use crate::checkout::document::Visit;
use crate::checkout::refusal::Refusal;
use crate::checkout::{assets, link, page, status, stream};
use crate::web::Context;
use crate::web::edge::{self, Edge};
use crate::{dashboard, health, mapi};

impl App {
    /// How the edge tells a browser of a problem: by a page like all others.
    #[must_use]
    pub fn problem_page(&self) -> edge::Page {
        let app = self.clone();
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
    pub fn router(self, edge: Arc<Edge>) -> Router {
        let link = || get(link::show).post(link::press);
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
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .merge(dashboard::router())
            .method_not_allowed_fallback(wrong_method)
            .merge(mapi::router(&self))
            .fallback(unknown)
            .layer(DefaultBodyLimit::max(MAX_FORM))
            .layer(middleware::from_fn_with_state(edge, edge::pass))
            .with_state(self)
    }
}

async fn unknown(State(app): State<App>, context: Context, request: Request) -> Response {
    nothing(&app, context, request, Refusal::unknown_page()).await
}

async fn wrong_method(State(app): State<App>, context: Context, request: Request) -> Response {
    nothing(&app, context, request, Refusal::wrong_method()).await
}

/// Says that nothing is here: to merchants by a page of the dashboard's, to shoppers by one of theirs.
async fn nothing(app: &App, context: Context, request: Request, refusal: Refusal) -> Response {
    let (parts, _) = request.into_parts();
    let visit = Visit::new(context, parts.headers.clone(), None);
    let page = match visit.wants_json() {
        true => None,
        false => dashboard::nowhere(app, context, &parts, &refusal).await,
    };
    page.unwrap_or_else(|| app.refuse(&visit, refusal))
}
