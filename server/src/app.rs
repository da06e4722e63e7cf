//! What every handler shares, and the paths that lead to handlers.

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};
use bitpro_checkout_app::ssr::Template;
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::charges::Charges;
use crate::checkout::document::Visit;
use crate::checkout::refusal::Refusal;
use crate::checkout::{assets, link, page, status, stream};
use crate::clock::Clock;
use crate::config::{PublicUrl, WalletChanges};
use crate::limits::{Connections, Limits, Presses};
use crate::mapi::{self, Mapi};
use crate::node::NodeStatus;
use crate::rates::RateSource;
use crate::reconcile::Reconciler;
use crate::rng::Rng;
use crate::web::Context;
use crate::web::edge::{self, Edge};
use crate::{dashboard, health};

/// The application, as handlers see it. A cheap handle.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the application consists of.
pub struct Parts {
    /// The charges and merchants.
    pub charges: Charges,
    /// The people who log in.
    pub accounts: Accounts,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Exchange rates, for `/readyz`.
    pub rates: Arc<dyn RateSource>,
    /// What anonymous clients may do.
    pub limits: Limits,
    /// Who holds connections.
    pub connections: Connections,
    /// Our own button.
    pub presses: Presses,
    /// Whether charges can be stored, asked now and then.
    pub probe: health::Probe,
    /// What the merchant API keeps between requests.
    pub mapi: Mapi,
    /// The address shoppers and merchants see.
    pub public_url: PublicUrl,
    /// Where it can be changed to where a merchant's money goes.
    pub wallet_changes: WalletChanges,
    /// The address of the dashboard, if it has one of its own.
    pub dashboard_url: Option<PublicUrl>,
    /// The document around pages.
    pub template: Template,
    /// The explorer's address with `{txid}` in it.
    pub explorer: Option<String>,
    /// Who may ask for metrics.
    pub metrics_allow: Vec<IpNet>,
    /// The metrics; `None` where nobody collects them.
    pub metrics: Option<PrometheusHandle>,
    /// The node's condition.
    pub node: watch::Receiver<NodeStatus>,
    /// Compares what is stored, and knows how that came out.
    pub reconciler: Reconciler,
    /// Cancelled when the server is to end.
    pub closing: CancellationToken,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The most that a form may be, in bytes: our longest has an order id of 200 characters, percent-encoded.
pub(crate) const MAX_FORM: usize = 16 * 1024;

impl App {
    /// The application made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Where the dashboard is: on an origin of its own, or on that of the checkout.
    #[must_use]
    pub fn dashboard_url(&self) -> &PublicUrl {
        self.dashboard_url.as_ref().unwrap_or(&self.public_url)
    }

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
