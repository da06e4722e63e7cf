//! What every handler shares.

mod mapi;
mod probe;

use std::ops::Deref;
use std::sync::Arc;

use bitpro_base::clock::Clock;
use bitpro_base::rng::Rng;
use bitpro_checkout_app::ssr::Template;
use bitpro_config::{PublicUrl, WalletChanges};
use bitpro_limits::{Connections, Limits, Presses};
use bitpro_node::NodeStatus;
use bitpro_rates::RateSource;
use bitpro_service::accounts::Accounts;
use bitpro_service::charges::Charges;
use bitpro_service::reconcile::Reconciler;
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::knocks::Knocks;

pub use mapi::Mapi;
pub use probe::Probe;

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
    pub probe: Probe,
    /// What the merchant API keeps between requests.
    pub mapi: Mapi,
    /// The address shoppers and merchants see.
    pub public_url: PublicUrl,
    /// Where a merchant's wallet may be changed.
    pub wallet_changes: WalletChanges,
    /// The address of the dashboard, if it has one of its own.
    pub dashboard_url: Option<PublicUrl>,
    /// The document around pages.
    pub template: Template,
    /// The explorer's address with `{txid}` in it.
    pub explorer: Option<String>,
    /// Who may ask for metrics.
    pub metrics_allow: Vec<IpNet>,
    /// By which names, besides localhost and addresses.
    pub metrics_hosts: Vec<String>,
    /// The metrics; `None` where nobody collects them.
    pub metrics: Option<PrometheusHandle>,
    /// The node's condition.
    pub node: watch::Receiver<NodeStatus>,
    /// Compares what is stored, and knows how that came out.
    pub reconciler: Reconciler,
    /// What `bitpro check` may ask through the public address.
    pub knocks: Knocks,
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
pub const MAX_FORM: usize = 16 * 1024;

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
}
