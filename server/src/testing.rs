//! A whole application for tests: a real database in a temporary folder, a clock that stands still, and no node.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use bitcoin::hashes::Hash as _;
use bitcoin::{ScriptBuf, Transaction, TxIn, TxOut};
use bitpro_charge::{
    Amount, BlockHash, BlockRef, ChargeId, Interval, MerchantId, Network, Outpoint, Place, Rate, Timestamp, Txid,
};
use bitpro_checkout_app::ssr::Template;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::accounts::{Accounts, Email};
use crate::app::{App, Mapi, Parts, Probe};
use crate::charges::{Charges, MerchantChanges, Opening, Role};
use crate::clock::ManualClock;
use crate::config::{Config, Limits as LimitSettings, PublicUrl, Signup, WalletChanges};
use crate::keys::Nonces;
use crate::limits::{Connections, KeyLimit, Limits, Presses};
use crate::merchant::{Merchant, Settings};
use crate::node::view::{PayingOutput, PayingTx, Tip, View};
use crate::node::{ChargesPort as _, Condition, Hold, HoldReason, NodeAuth, NodeConfig, NodeStatus};
use crate::rates::FixedRate;
use crate::reconcile::Reconciler;
use crate::rng::SystemRng;
use crate::seal::{Seal, SealKeys, Secret};
use crate::wallet::WalletText;
use crate::web::edge::Edge;
use crate::web::{Bodies, Peer, RequestIds};

/// The application's own address in tests.
pub const ORIGIN: &str = "http://localhost:8080";
/// Where the clock stands at first.
pub const START: Timestamp = Timestamp(1_800_000_000_000);
/// EUR 50,000 a bitcoin: a cent is 20 satoshis.
const CENTS_PER_BTC: u64 = 5_000_000;
/// The example key of BIP-32's first test vector, in its form for test networks.
pub const WALLET: &str = "wpkh(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/0/*)";

/// A node whose chain leaves the stored one deeper than it may (R6).
#[must_use]
pub fn held() -> Condition {
    let at = |height, byte| BlockRef {
        height,
        hash: BlockHash([byte; 32]),
    };
    Condition::Held(Hold {
        stored: at(100, 1),
        node: at(101, 2),
        reason: HoldReason::DeepReorg { depth: 3, limit: 2 },
    })
}

/// An application with one merchant.
pub struct TestApp {
    /// The charges.
    pub charges: Charges,
    /// The merchant.
    pub merchant: MerchantId,
    /// The clock, which moves only when it is told to.
    pub clock: Arc<ManualClock>,
    /// The application.
    pub app: App,
    /// Ends the application.
    pub closing: CancellationToken,
    /// What is known of the node.
    pub node: watch::Sender<NodeStatus>,
    router: Router,
    folder: TempDir,
}

/// Seals secrets under a key of tests.
pub fn seal() -> Seal {
    Seal::new(&SealKeys::first(Secret([9; 32])))
}

/// A node that is not there.
pub fn nowhere() -> NodeConfig {
    let auth = NodeAuth::Password {
        user: "nobody".to_owned(),
        password: String::new(),
    };
    NodeConfig::new("http://127.0.0.1:1".parse().unwrap(), auth, Network::Regtest)
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
        Self::set_up(settings, change, None, Signup::Approval, None).await
    }

    /// An application whose dashboard has an address of its own.
    pub async fn with_dashboard_at(url: &str) -> Self {
        Self::set_up(&[], |_| {}, Some(url.parse().unwrap()), Signup::Approval, None).await
    }

    /// An application where this becomes of requests for accounts.
    pub async fn with_signup(signup: Signup) -> Self {
        Self::set_up(&[], |_| {}, None, signup, None).await
    }

    /// An application whose operator is told of requests for accounts.
    pub async fn with_operator(email: &str) -> Self {
        Self::set_up(&[], |_| {}, None, Signup::Approval, Some(email)).await
    }

    async fn set_up(
        settings: &[(&str, &str)],
        change: impl FnOnce(&mut LimitSettings),
        dashboard_url: Option<PublicUrl>,
        signup: Signup,
        operator: Option<&str>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let rates = Arc::new(FixedRate(Rate::from_cents_per_btc(CENTS_PER_BTC).unwrap()));
        let charges = Charges::open(Opening {
            database: folder.path().join("bitpro.db"),
            network: Network::Regtest,
            secret: [7; 32],
            seal: seal(),
            webhooks: Default::default(),
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
            rates: rates.clone(),
            role: Role::Server,
        })
        .await
        .unwrap();
        charges.set_first_tip(tip(100)).await.unwrap();
        let merchant = add_merchant(&charges, settings).await;

        let mut limits = default_limits();
        change(&mut limits);
        let closing = CancellationToken::new();
        let database = folder.path().join("bitpro.db");
        let origin = dashboard_url.as_ref().map_or(ORIGIN, PublicUrl::origin);
        let node = watch::Sender::new(NodeStatus::starting());
        let app = App::new(Parts {
            charges: charges.clone(),
            accounts: Accounts::new(charges.clone(), signup, origin, operator.and_then(Email::read)),
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
            rates,
            limits: Limits::new(&limits, limits.max_connections),
            presses: Presses::new([9; 32]),
            probe: Probe::default(),
            connections: Connections::new(limits.max_connections, limits.connections_per_address, Vec::new()),
            mapi: Mapi {
                nonces: Nonces::open(&database, [], false, charges.moment()).unwrap(),
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
            reconciler: Reconciler::new(charges.clone(), nowhere(), &database),
            closing: closing.clone(),
        });
        let edge = Edge {
            public_url: ORIGIN.parse().unwrap(),
            dashboard_url,
            trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
            request_timeout: limits.request_timeout,
            ids: RequestIds::new([0; 16]),
            told_of_proxy: AtomicBool::new(false),
            bodies: Bodies::default(),
            page: app.problem_page(),
        };
        Self {
            charges,
            merchant,
            clock,
            closing,
            app: app.clone(),
            router: app.router(Arc::new(edge)),
            node,
            folder,
        }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("bitpro.db")
    }

    /// Another merchant beside the first.
    pub async fn another_merchant(&self) -> MerchantId {
        add_merchant(&self.charges, &[]).await
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
        self.pay_in(path, 0, None, Place::Mempool).await;
    }

    /// Pays the charge at `path` in the block that is the tip, or finds the payment that is there in it.
    pub async fn confirm(&self, path: &str) {
        self.pay_in(path, 0, None, Place::Block(tip(100).block)).await;
    }

    /// Pays so much beside what the charge at `path` asked for, unconfirmed.
    pub async fn pay_more(&self, path: &str, value: u64) {
        self.pay_in(path, 1, Some(Amount::from_sat(value)), Place::Mempool)
            .await;
    }

    async fn pay_in(&self, path: &str, coin: u32, value: Option<Amount>, place: Place) {
        let id: ChargeId = path.rsplit('/').next().unwrap().parse().unwrap();
        let snapshot = self.charges.snapshot(id).await.unwrap().unwrap();
        let address: bitcoin::Address<bitcoin::address::NetworkUnchecked> = snapshot.charge.address.parse().unwrap();
        let address_script = address.assume_checked().script_pubkey();
        let script = self.charges.script(address_script.as_bytes()).unwrap();
        let value = value.unwrap_or(snapshot.charge.terms.amount);
        let transaction = transaction(id, coin, address_script.clone(), value);
        self.observe(vec![PayingTx {
            txid: Txid(transaction.compute_txid().to_byte_array()),
            raw: bitcoin::consensus::serialize(&transaction),
            inputs: transaction
                .input
                .iter()
                .map(|input| outpoint(input.previous_output))
                .collect(),
            ancestor_inputs: Vec::new(),
            outputs: vec![PayingOutput {
                vout: 0,
                script,
                script_pubkey: address_script,
                value,
            }],
            place,
            first_seen: Interval::at(self.now()),
            coinbase: false,
        }])
        .await;
    }

    /// Time passes, in which nothing comes.
    pub async fn pass(&self, secs: u32) {
        self.clock.advance_secs(secs);
        self.observe(Vec::new()).await;
    }

    async fn observe(&self, transactions: Vec<PayingTx>) {
        let view = View {
            tip: tip(100),
            fork_height: 100,
            connected: Vec::new(),
            transactions,
            gone: Vec::new(),
            observed_until: self.now(),
        };
        self.charges.observe(view).await.unwrap();
    }

    fn now(&self) -> Timestamp {
        use crate::clock::Clock as _;
        self.clock.now()
    }
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

/// The amount in satoshis that `cents` come to.
pub fn sats(cents: u64) -> Amount {
    Rate::from_cents_per_btc(CENTS_PER_BTC)
        .unwrap()
        .amount_for(bitpro_charge::Cents(cents), 0)
        .unwrap()
}

async fn add_merchant(charges: &Charges, settings: &[(&str, &str)]) -> MerchantId {
    let mut all = vec![("name".to_owned(), "Shop".to_owned())];
    all.extend(
        settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let changes = MerchantChanges {
        settings: all,
        wallet: Some(WalletText {
            text: WALLET.to_owned(),
            script_type: None,
        }),
        ..MerchantChanges::default()
    };
    let merchant = charges.add_merchant(changes).await.unwrap();
    for scan in charges.scans_wanted() {
        charges.watch_ahead(scan.id, None).await.unwrap();
        charges.finish_scan(scan.id).await.unwrap();
    }
    merchant
}

/// The limits of a configuration that says nothing of them.
pub fn default_limits() -> LimitSettings {
    let least = [("BITPRO_NETWORK", "regtest"), ("BITPRO_DATA_DIR", "/nowhere")];
    let least = least.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Config::from_sources(least, None, Some("/nowhere".as_ref()))
        .unwrap()
        .limits
}

fn tip(height: u32) -> Tip {
    let mut work = [0; 32];
    work[28..].copy_from_slice(&height.to_be_bytes());
    Tip {
        block: BlockRef {
            height,
            hash: BlockHash([1; 32]),
        },
        work,
    }
}

/// A transaction that pays `amount` to `script` from money of `id`'s own.
fn transaction(id: ChargeId, coin: u32, script: ScriptBuf, amount: Amount) -> Transaction {
    let mut funding = [0; 32];
    funding[..16].copy_from_slice(&id.0);
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: bitcoin::OutPoint::new(bitcoin::Txid::from_byte_array(funding), coin),
            ..TxIn::default()
        }],
        output: vec![TxOut {
            value: amount,
            script_pubkey: script,
        }],
    }
}

fn outpoint(outpoint: bitcoin::OutPoint) -> Outpoint {
    Outpoint {
        txid: Txid(outpoint.txid.to_byte_array()),
        vout: outpoint.vout,
    }
}
