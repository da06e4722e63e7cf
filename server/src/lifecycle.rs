//! One run of the server: everything is opened, started, and closed again in the opposite order.

mod machine;
mod stranger;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bitpro_base::rng;
use bitpro_checkout_app::ssr::{Template, TemplateError};
use bitpro_config::{Config, PublicUrl};
use bitpro_limits as limits;
use bitpro_limits::{Connections, KeyLimit, Limits, Presses};
use bitpro_merchant::keys::{Nonces, NoncesError};
use bitpro_node as node;
use bitpro_node::NodeError;
use bitpro_operator::admin::{AdminSocket, Knock};
use bitpro_operator::backup::leftovers;
use bitpro_operator::instance::{Instance, InstanceError};
use bitpro_service::accounts::{Accounts, Email};
use bitpro_service::charges::{Charges, CommandError, Role};
use bitpro_service::mail::{MailSetupError, Postman};
use bitpro_service::reconcile::Reconciler;
use bitpro_service::webhooks::Sender;
use bitpro_store::StoreError;
use bitpro_web::app::{App, Mapi, Parts, Probe};
use bitpro_web::checkout::assets::INDEX_HTML;
use bitpro_web::edge::Edge;
use bitpro_web::health;
use bitpro_web::knocks::Knocks;
use bitpro_web::listener::{self, Treatment};
use bitpro_web::router::{problem_page, router};
use bitpro_web::{Bodies, Noted, RequestIds};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::router::surfaces;

use machine::connections;
pub(crate) use machine::{FILES_FOR_ELSE, listen, open_files};
use stranger::end_at_stranger;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Real money is not sold at a rate that somebody wrote down once (R42).
    #[error("network = \"mainnet\" with rate_source = \"fixed\": a fixed rate is for test money only")]
    FixedRateOnMainnet,
    /// The instance cannot be opened.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The address cannot be listened on.
    #[error("listen = \"{address}\": {cause}")]
    Listen {
        address: SocketAddr,
        /// What the operating system says.
        cause: std::io::Error,
    },
    /// The address of the metrics cannot be listened on.
    #[error("metrics_listen = \"{address}\": {cause}")]
    MetricsListen {
        address: SocketAddr,
        /// What the operating system says.
        cause: std::io::Error,
    },
    /// The admin socket cannot be made.
    #[error("admin_socket {path}: {cause}")]
    AdminSocket {
        path: String,
        /// What the operating system says.
        cause: std::io::Error,
    },
    /// The node that was met first is of another network: it does not become the right one by itself.
    #[error("{0}: check network, node_rpc_url and the node's own configuration")]
    WrongNetwork(NodeError),
    /// The operating system refuses a thread.
    #[error("cannot start a thread for the watcher: {0}")]
    NoThread(std::io::Error),
    /// Letters have no way out.
    #[error(transparent)]
    Mail(#[from] MailSetupError),
    /// The journal of nonces cannot be opened.
    #[error(transparent)]
    Nonces(#[from] NoncesError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The binary carries a page that is not its own.
    #[error(transparent)]
    Page(#[from] TemplateError),
}

/// Connections to `metrics_listen` at once.
pub(crate) const METRICS_CONNECTIONS: usize = 64;
/// The watcher's calls are broken off at once; what it has to do then is one commit.
const WATCHER_ENDS: Duration = Duration::from_secs(10);

/// Serves until `closing` is cancelled, and returns when everything is stored and closed.
///
/// # Errors
/// [`ServeError`], before anything is served.
pub async fn serve(
    config: Config,
    metrics: Option<PrometheusHandle>,
    closing: CancellationToken,
) -> Result<(), ServeError> {
    refuse_fixed_rate_for_real_money(&config)?;
    let template = template()?;
    loop {
        let instance = Instance::open(&config, Role::Server).await?;
        leftovers::clear(&config.database);
        let charges = instance.charges.clone();
        let begins_anew = charges.begins_anew();
        let run = closing.child_token();
        let ending = tokio::spawn(end_with(begins_anew.clone(), run.clone()));
        let served = serve_instance(config.clone(), instance, template.clone(), metrics.clone(), run).await;
        charges.close().await;
        ending.abort();
        served?;
        if closing.is_cancelled() || !begins_anew.is_cancelled() {
            return Ok(());
        }
        drop(charges);
        accept_clock(&config).await?;
    }
}

/// Ends a run of the server when the next one is to begin.
async fn end_with(begins_anew: CancellationToken, run: CancellationToken) {
    begins_anew.cancelled().await;
    tracing::info!("the server restarts its work");
    run.cancel();
}

/// Takes the machine's clock as right, between two runs: nothing in memory stands on the time before it (R32).
async fn accept_clock(config: &Config) -> Result<(), ServeError> {
    let instance = Instance::open(config, Role::Tool).await?;
    let accepted = instance.charges.accept_clock().await;
    instance.charges.close().await;
    match accepted {
        Ok(_) => Ok(()),
        Err(CommandError::Store(error)) => Err(ServeError::Store(error)),
        // Nothing else can come of it: what it withdraws was pending in the same unit.
        Err(error) => {
            tracing::error!(%error, "the machine's clock was not accepted");
            Ok(())
        }
    }
}

fn refuse_fixed_rate_for_real_money(config: &Config) -> Result<(), ServeError> {
    if config.rates.is_fixed && !config.network.is_sandbox() {
        return Err(ServeError::FixedRateOnMainnet);
    }
    Ok(())
}

async fn serve_instance(
    config: Config,
    instance: Instance,
    template: Template,
    metrics: Option<PrometheusHandle>,
    closing: CancellationToken,
) -> Result<(), ServeError> {
    let Instance {
        charges,
        clock,
        rng,
        rates,
        market,
    } = instance;
    // Whatever may fail is done before anything is begun that would have to be ended again.
    let nonces = nonces(&config.database, &charges).await?;
    let socket = AdminSocket::bind(&config.admin_socket).map_err(|cause| ServeError::AdminSocket {
        path: config.admin_socket.display().to_string(),
        cause,
    })?;
    let postman = Postman::new(&charges, &config.mail)?;
    let listener = listen(config.listen).map_err(|cause| ServeError::Listen {
        address: config.listen,
        cause,
    })?;
    let inside = match config.metrics_listen {
        Some(address) => {
            let bound = listen(address).map_err(|cause| ServeError::MetricsListen { address, cause })?;
            Some(bound)
        }
        None => None,
    };
    let address = listener.local_addr().map_or(config.listen, |address| address);
    let public_url = config.public_url.unwrap_or_else(|| local_url(address));

    let reconciler = Reconciler::new(charges.clone(), config.node.clone(), &config.database);
    // The watcher ends after the requests: what they still make is watched.
    let watching_ends = CancellationToken::new();
    let watching = node::watch(
        config.node,
        Arc::new(charges.clone()),
        Arc::clone(&clock),
        watching_ends.clone(),
    )
    .map_err(ServeError::NoThread)?;
    let stranger = Arc::new(OnceLock::new());
    tokio::spawn(end_at_stranger(
        watching.status.clone(),
        Arc::clone(&stranger),
        closing.clone(),
    ));
    let comparing = config
        .reconcile_every
        .map(|every| tokio::spawn(reconciler.clone().keep(every, closing.clone())));
    let following = market.map(|market| tokio::spawn(market.follow(Arc::clone(&rng), closing.clone())));

    let sender = Sender::new(charges.clone(), public_url.origin());
    let sending = tokio::spawn(sender.run(closing.clone()));

    let posting = tokio::spawn(postman.run(closing.clone()));

    let key = rng::key(&*rng);
    let dashboard_url = config.dashboard_url.as_ref().unwrap_or(&public_url);
    let operator = config.operator_email.as_deref().and_then(Email::read);
    let accounts = Accounts::new(charges.clone(), config.signup, dashboard_url.origin(), operator);
    let accounts = accounts.within(&config.ceilings);
    let knocks = Knocks::new(Arc::clone(&clock), Arc::clone(&rng));
    let knock: Knock = {
        let knocks = knocks.clone();
        Arc::new(move || knocks.give())
    };
    let commands = tokio::spawn(socket.serve(accounts.clone(), reconciler.clone(), knock, closing.clone()));
    let forgetting = tokio::spawn(accounts.clone().forget(watching_ends.clone()));
    tracing::info!(%address, public_url = public_url.origin(), network = %config.network, "serving");
    let ids = RequestIds::new(rng.bytes());
    let mapi = Mapi {
        nonces: nonces.clone(),
        limit: KeyLimit::new(config.limits.api_per_minute, config.limits.api_burst),
        patience: config.limits.request_timeout.mul_f32(0.9),
    };
    let tidying = tokio::spawn(Mapi::tidy(charges.clone(), watching_ends.clone()));
    let max_connections = connections(config.limits.max_connections);
    let connections = Connections::new(
        max_connections,
        config.limits.connections_per_address,
        config.trusted_proxies.clone(),
    );
    limits::begin_at_zero();
    let app = App::new(Parts {
        charges,
        accounts,
        clock,
        rng,
        rates,
        limits: Limits::new(&config.limits, max_connections),
        presses: Presses::new(key),
        probe: Probe::default(),
        connections: connections.clone(),
        mapi,
        public_url: public_url.clone(),
        wallet_changes: config.wallet_changes,
        dashboard_url: config.dashboard_url.clone(),
        template,
        explorer: config.explorer,
        metrics_allow: config.metrics_allow.clone(),
        metrics_hosts: config.metrics_hosts,
        metrics,
        node: watching.status,
        reconciler,
        knocks,
        closing: closing.clone(),
    });
    let edge = Edge {
        public_url,
        dashboard_url: config.dashboard_url,
        trusted_proxies: config.trusted_proxies,
        request_timeout: config.limits.request_timeout,
        ids,
        told_of_proxy: AtomicBool::new(false),
        noted: Noted::new(config.access_log),
        bodies: Bodies::default(),
        page: problem_page(&app),
    };
    let treatment = Treatment {
        header_timeout: config.limits.header_timeout,
        write_timeout: config.limits.write_timeout,
        max_connections,
        connections,
        grace: config.shutdown_grace,
    };
    let telling = inside.map(|listener| {
        let treatment = Treatment {
            max_connections: METRICS_CONNECTIONS,
            connections: Connections::new(METRICS_CONNECTIONS, u32::MAX, config.metrics_allow.clone()),
            ..treatment.clone()
        };
        tokio::spawn(listener::serve(
            listener,
            health::inside(app.clone()),
            treatment,
            closing.clone(),
        ))
    });
    listener::serve(
        listener,
        router(app.clone(), Arc::new(edge), surfaces(&app)),
        treatment,
        closing,
    )
    .await;

    if let Some(Err(error)) = futures::future::OptionFuture::from(telling).await {
        tracing::error!(%error, "metrics were no longer served");
    }
    watching_ends.cancel();
    if let Err(error) = nonces.close() {
        tracing::warn!(%error, "the journal of nonces was not closed: it is not trusted after a restart of the machine");
    }
    if let Err(error) = forgetting.await {
        tracing::error!(%error, "expired sessions were no longer deleted");
    }
    if let Err(error) = tidying.await {
        tracing::error!(%error, "old API requests were no longer deleted");
    }
    match tokio::time::timeout(WATCHER_ENDS, watching.stopped).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => tracing::error!("the watcher had died"),
        Err(_) => tracing::error!(
            "the watcher does not end, and is waited for no longer; the next start reads what it leaves"
        ),
    }
    if let Err(error) = sending.await {
        tracing::error!(%error, "the webhook sender had died");
    }
    if let Err(error) = posting.await {
        tracing::error!(%error, "the postman had died");
    }
    if let Err(error) = commands.await {
        tracing::error!(%error, "the command socket had died");
    }
    if let Some(Err(error)) = futures::future::OptionFuture::from(comparing).await {
        tracing::error!(%error, "the comparison with the chain had stopped");
    }
    if let Some(Err(error)) = futures::future::OptionFuture::from(following).await {
        tracing::error!(%error, "the exchanges were no longer asked");
    }
    tracing::info!("closed");
    match stranger.get() {
        Some(error) => Err(ServeError::WrongNetwork(error.clone())),
        None => Ok(()),
    }
}

/// The journal of nonces. A database that never had a key has none to miss.
async fn nonces(database: &Path, charges: &Charges) -> Result<Nonces, ServeError> {
    let known = charges.stored_nonces().await?;
    let had_keys = !charges.keys(None).is_empty();
    Ok(Nonces::open(database, known, had_keys, charges.moment())?)
}

/// The document around pages, with the browser's part that was built into the binary.
fn template() -> Result<Template, TemplateError> {
    if INDEX_HTML.is_empty() {
        tracing::warn!("this binary was built without the page's script: pages reload instead of updating live");
        return Ok(Template::without_script());
    }
    Template::parse(INDEX_HTML)
}

fn local_url(address: SocketAddr) -> PublicUrl {
    format!("http://localhost:{}", address.port())
        .parse()
        .expect("localhost with a port is an address")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn r42_real_money_is_taken_at_the_markets_rate_only() {
        for (network, source, may_start) in [
            ("regtest", "fixed", true),
            ("signet", "fixed", true),
            ("testnet4", "fixed", true),
            ("mainnet", "fixed", false),
            ("mainnet", "live", true),
        ] {
            let written = [
                ("BITPRO_NETWORK", network),
                ("BITPRO_DATA_DIR", "/nowhere"),
                ("BITPRO_RATE_SOURCE", source),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
            let config = Config::from_sources(written, None, Some(Path::new("/home/op"))).unwrap();
            let outcome = refuse_fixed_rate_for_real_money(&config);
            assert_eq!(outcome.is_ok(), may_start, "{network}, {source}");
        }
    }

    #[tokio::test]
    async fn what_may_fail_at_a_start_is_tried_before_anything_is_begun() {
        let folder = tempfile::tempdir().unwrap();
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let config = || {
            let written = [
                ("BITPRO_NETWORK", "regtest".to_owned()),
                ("BITPRO_RATE_SOURCE", "fixed".to_owned()),
                ("BITPRO_DATA_DIR", folder.path().display().to_string()),
                ("BITPRO_LISTEN", taken.local_addr().unwrap().to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value));
            Config::from_sources(written, None, Some(folder.path())).unwrap()
        };
        // As on a full disk, the journal of nonces cannot be written.
        let journal = folder.path().join("bitpro.db.nonces");
        std::fs::create_dir(&journal).unwrap();
        let refused = serve(config(), None, CancellationToken::new()).await.unwrap_err();
        assert!(matches!(refused, ServeError::Nonces(_)), "{refused}");
        std::fs::remove_dir(&journal).unwrap();
        let refused = serve(config(), None, CancellationToken::new()).await.unwrap_err();
        assert!(matches!(refused, ServeError::Listen { .. }), "{refused}");
    }
}
