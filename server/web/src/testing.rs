//! A whole application for tests: [`TestShop`] behind its pages and paths.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use bitpro_base::rng::SystemRng;
use bitpro_charge::{ChargeId, MerchantId, Timestamp};
use bitpro_checkout_app::ssr::Template;
use bitpro_config::testing::default_limits;
use bitpro_config::{Limits as LimitSettings, PublicUrl, Signup, WalletChanges};
use bitpro_limits::{Connections, KeyLimit, Limits, Presses};
use bitpro_merchant::keys::Nonces;
use bitpro_merchant::{Merchant, Settings};
use bitpro_node::NodeStatus;
use bitpro_service::accounts::{Accounts, Email};
use bitpro_service::testing::TestShop;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::app::{App, Mapi, Parts, Probe};
use crate::edge::Edge;
use crate::knocks::Knocks;
use crate::router::{Surfaces, problem_page, router};
use crate::{Bodies, Noted, Peer, RequestIds};

pub use bitpro_service::testing::{START, WALLET, sats};

/// The application's own address in tests.
pub const ORIGIN: &str = "http://localhost:8080";

/// An application with one merchant.
pub struct TestApp {
    shop: TestShop,
    /// The application.
    pub app: App,
    /// Ends the application.
    pub closing: CancellationToken,
    /// What is known of the node.
    pub node: watch::Sender<NodeStatus>,
    router: Router,
}

impl Deref for TestApp {
    type Target = TestShop;

    fn deref(&self) -> &TestShop {
        &self.shop
    }
}

impl DerefMut for TestApp {
    fn deref_mut(&mut self) -> &mut TestShop {
        &mut self.shop
    }
}

/// What an application for tests may have that others have not.
pub struct Setup<'a> {
    /// The merchant's settings beside their name.
    pub settings: &'a [(&'a str, &'a str)],
    /// Other limits.
    pub limits: LimitSettings,
    /// An address of the dashboard's own.
    pub dashboard_url: Option<&'a str>,
    /// What becomes of requests for accounts.
    pub signup: Signup,
    /// Who is told of them.
    pub operator: Option<&'a str>,
    /// What is there beside the shoppers' pages.
    pub surfaces: fn(&App) -> Surfaces,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            settings: &[],
            limits: default_limits(),
            dashboard_url: None,
            signup: Signup::Approval,
            operator: None,
            surfaces: |_| Surfaces::default(),
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What a browser sends when a person follows a link.
pub const NAVIGATION: [(&str, &str); 3] = [
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "cross-site"),
];

impl TestApp {
    /// An application whose merchant has these settings beside their name.
    pub async fn with_merchant(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, |_| {}).await
    }

    /// The same, with other limits.
    pub async fn with(settings: &[(&str, &str)], change: impl FnOnce(&mut LimitSettings)) -> Self {
        let mut setup = Setup {
            settings,
            ..Setup::default()
        };
        change(&mut setup.limits);
        Self::set_up(setup).await
    }

    /// An application as it is wanted.
    pub async fn set_up(setup: Setup<'_>) -> Self {
        let shop = TestShop::with_merchant(setup.settings).await;
        let limits = setup.limits;
        let closing = CancellationToken::new();
        let database = shop.database();
        let dashboard_url: Option<PublicUrl> = setup.dashboard_url.map(|url| url.parse().unwrap());
        let origin = dashboard_url.as_ref().map_or(ORIGIN, PublicUrl::origin);
        let node = watch::Sender::new(NodeStatus::starting());
        let app = App::new(Parts {
            charges: shop.charges.clone(),
            accounts: Accounts::new(
                shop.charges.clone(),
                setup.signup,
                origin,
                setup.operator.and_then(Email::read),
            ),
            clock: shop.clock.clone(),
            rng: Arc::new(SystemRng),
            rates: shop.rates.clone(),
            limits: Limits::new(&limits, limits.max_connections),
            presses: Presses::new([9; 32]),
            probe: Probe::default(),
            connections: Connections::new(limits.max_connections, limits.connections_per_address, Vec::new()),
            mapi: Mapi {
                nonces: Nonces::open(&database, [], false, shop.charges.moment()).unwrap(),
                limit: KeyLimit::new(limits.api_per_minute, limits.api_burst),
                patience: limits.request_timeout.mul_f32(0.9),
            },
            public_url: ORIGIN.parse().unwrap(),
            wallet_changes: WalletChanges::Dashboard,
            dashboard_url: dashboard_url.clone(),
            template: Template::without_script(),
            explorer: None,
            metrics_allow: vec!["127.0.0.0/8".parse().unwrap()],
            metrics_hosts: vec!["bitpro".to_owned()],
            metrics: None,
            node: node.subscribe(),
            reconciler: shop.reconciler.clone(),
            knocks: Knocks::new(shop.clock.clone(), Arc::new(SystemRng)),
            closing: closing.clone(),
        });
        let edge = Edge {
            public_url: ORIGIN.parse().unwrap(),
            dashboard_url,
            trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
            request_timeout: limits.request_timeout,
            ids: RequestIds::new([0; 16]),
            told_of_proxy: AtomicBool::new(false),
            noted: Noted::new(false),
            bodies: Bodies::default(),
            page: problem_page(&app),
        };
        Self {
            router: router(app.clone(), Arc::new(edge), (setup.surfaces)(&app)),
            shop,
            app,
            closing,
            node,
        }
    }

    /// The path of the merchant's link with `query`.
    pub fn link(&self, query: &str) -> String {
        format!("/app/checkout/{}?{query}", self.merchant)
    }

    /// Sends a request and gives the answer as it begins.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, "localhost:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        let request = request.extension(Peer(peer)).body(Body::from(body.to_owned())).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request and reads the answer to its end.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let response = self.send(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Reads `path` like a script.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    /// Goes to `path` like a person.
    pub async fn navigate(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &NAVIGATION, "").await
    }

    /// Posts a form like a person who presses its button.
    pub async fn press(&self, form: &str, more: &[(&str, &str)]) -> Answer {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(NAVIGATION);
        headers.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        headers.extend(more);
        let path = format!("/app/checkout/{}", self.merchant);
        self.ask(Method::POST, &path, &headers, form).await
    }

    /// Opens a charge by a link, and gives its path without the query.
    pub async fn open(&self, query: &str) -> String {
        let answer = self.navigate(&self.link(query)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.header("location").split('?').next().unwrap().to_owned()
    }

    /// Pays what the charge at `path` asks for, as the node would tell it.
    pub async fn pay(&self, path: &str) {
        self.shop.pay(charge_at(path)).await;
    }

    /// Pays the charge at `path` in the block that is the tip, or finds the payment that is there in it.
    pub async fn confirm(&self, path: &str) {
        self.shop.confirm(charge_at(path)).await;
    }

    /// Pays so much beside what the charge at `path` asked for, unconfirmed.
    pub async fn pay_more(&self, path: &str, value: u64) {
        self.shop.pay_more(charge_at(path), value).await;
    }
}

fn charge_at(path: &str) -> ChargeId {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

/// A merchant whose pages these origins may frame, without a database around them.
pub fn merchant_framed_by(origins: &str) -> Merchant {
    Merchant {
        id: MerchantId([1; 16]),
        settings: Settings::named("Shop")
            .unwrap()
            .with(&[("allowed_origins", origins)])
            .unwrap(),
        logo: None,
        descriptor: None,
        link_keys: Vec::new(),
        created_at: Timestamp(0),
    }
}
