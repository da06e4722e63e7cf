//! What is measured on: a node, a server with its limits out of the way, and merchants.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, anyhow, ensure};
use bitcoin::bip32::{DerivationPath, Xpriv, Xpub};
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{Address, NetworkKind, ScriptBuf};
use bitpro_charge::wire::ChargeView;
use bitpro_tests::{App, Clock, Setup, eventually, merchant};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use url::Url;

use crate::chain::Chain;
use crate::http::{Connection, EventSocket, NAVIGATION};

/// EUR 5.00, which is 10,000 satoshis at the fixed rate.
pub const CENTS: u64 = 500;
/// So many unpaid addresses in a row one merchant may have before links need a button; the setting's highest value.
pub const CHARGES_PER_MERCHANT: usize = 9_500;

/// A running server and its surroundings. The server is dropped before its node.
pub struct Stage {
    /// The server.
    pub app: App,
    /// Its node.
    pub chain: Chain,
    /// The merchants' ids.
    pub merchants: Vec<String>,
    port: u16,
}

/// A charge, and what is needed to pay it.
#[derive(Debug, Clone)]
pub struct Charge {
    /// Its page.
    pub path: String,
    /// Where to pay.
    pub script: ScriptBuf,
    /// How much.
    pub sats: u64,
}

impl Stage {
    /// Starts a node with `coins` coins, and a server with `merchants` merchants.
    ///
    /// # Errors
    /// When anything does not start.
    pub async fn start(coins: usize, merchants: usize) -> Result<Self> {
        Self::on(Chain::start(coins).await?, merchants, &[]).await
    }

    /// Starts a server beside a chain, with more settings.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn on(chain: Chain, merchants: usize, settings: &[(&str, &str)]) -> Result<Self> {
        let mut stage = Self::prepared(chain, merchants, settings).await?;
        stage.app.start().await?;
        stage.await_scans().await?;
        Ok(stage)
    }

    /// The same, not started yet.
    ///
    /// # Errors
    /// When the server refuses a merchant.
    pub async fn prepared(chain: Chain, merchants: usize, settings: &[(&str, &str)]) -> Result<Self> {
        let mut setup = Setup::beside(&chain.node, &Clock::new()?);
        // The machine's own clock: what moves it costs time.
        setup.clock = None;
        let out_of_the_way = [
            ("BITPRO_CREATE_PER_MINUTE", "1000000"),
            ("BITPRO_CREATE_BURST", "1000000"),
            ("BITPRO_MERCHANT_CREATE_PER_MINUTE", "1000000"),
            ("BITPRO_INSTANCE_CREATE_PER_MINUTE", "10000000"),
            ("BITPRO_API_PER_MINUTE", "10000000"),
            ("BITPRO_API_BURST", "10000000"),
            ("BITPRO_STREAMS_PER_ADDRESS", "100000"),
            ("BITPRO_STREAMS_PER_CHARGE", "100000"),
            ("BITPRO_MAX_STREAMS", "100000"),
            ("BITPRO_MAX_CONNECTIONS", "19000"),
            // All load comes from here, as it would from a proxy.
            ("BITPRO_TRUSTED_PROXIES", "127.0.0.1, ::1"),
        ];
        for (name, value) in out_of_the_way.iter().chain(settings) {
            setup = setup.with(name, value);
        }
        let app = App::prepare(setup)?;
        let port = app
            .url()
            .parse::<Url>()?
            .port()
            .context("the server's address has no port")?;
        let mut ids = Vec::new();
        for index in 0..merchants {
            let descriptor = descriptor(&chain, index).await?;
            let settings = [("gap_button", "10000"), ("window_secs", "86400")];
            let name = format!("Merchant {index}");
            ids.push(merchant::register(&app, &name, &descriptor, &settings).await?);
        }
        Ok(Self {
            app,
            chain,
            merchants: ids,
            port,
        })
    }

    /// The server's port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pid(&mut self) -> Result<u32> {
        Ok(self.app.process()?.id())
    }

    /// A connection to the server.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.port).await
    }

    /// The link of a merchant, with a price in cents.
    pub fn link(&self, merchant: usize, cents: u64) -> String {
        let id = &self.merchants[merchant % self.merchants.len()];
        format!("/app/checkout/{id}?fiat_price_cents={cents}")
    }

    /// Makes one charge of the first merchant.
    ///
    /// # Errors
    /// When the link does not lead to one.
    pub async fn charge(&self, cents: u64) -> Result<Charge> {
        let mut connection = self.connect().await?;
        let path = create(&mut connection, &self.link(0, cents)).await?;
        read(&mut connection, path).await
    }

    /// Makes `count` charges over `clients` connections, spread over the merchants, and gives their paths.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn create_many(&self, count: usize, clients: usize) -> Result<Vec<String>> {
        let begun = Arc::new(AtomicUsize::new(0));
        let links: Arc<[String]> = (0..self.merchants.len())
            .map(|merchant| self.link(merchant, CENTS))
            .collect();
        let mut at_work = JoinSet::new();
        for _ in 0..clients {
            let mut connection = self.connect().await?;
            let (begun, links) = (Arc::clone(&begun), Arc::clone(&links));
            at_work.spawn(async move {
                let mut paths = Vec::new();
                loop {
                    let index = begun.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return Ok::<_, anyhow::Error>(paths);
                    }
                    paths.push(create(&mut connection, &links[index % links.len()]).await?);
                }
            });
        }
        let mut paths = Vec::with_capacity(count);
        while let Some(made) = at_work.join_next().await {
            paths.extend(made??);
        }
        ensure!(paths.len() == count, "{} charges instead of {count}", paths.len());
        Ok(paths)
    }

    /// Reads what is needed to pay the charges at `paths`.
    ///
    /// # Errors
    /// When a status cannot be read.
    pub async fn read_many(&self, paths: impl IntoIterator<Item = String>) -> Result<Vec<Charge>> {
        let mut connection = self.connect().await?;
        let mut charges = Vec::new();
        for path in paths {
            charges.push(read(&mut connection, path).await?);
        }
        Ok(charges)
    }

    /// Opens the stream of a charge and waits for its first event.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn listen(&self, charge: &Charge) -> Result<EventSocket> {
        let path = format!("{}/events", charge.path);
        self.connect().await?.into_events(&path).await
    }

    fn last_line(&self) -> String {
        self.app.log().lines().last().unwrap_or_default().to_owned()
    }

    /// Waits until every merchant can give out addresses: a new wallet is looked for in the chain first.
    ///
    /// # Errors
    /// When one cannot.
    pub async fn await_scans(&self) -> Result<()> {
        for merchant in 0..self.merchants.len() {
            eventually("a merchant to be open for charges", async || {
                create(&mut self.connect().await?, &self.link(merchant, CENTS)).await
            })
            .await
            .with_context(|| self.last_line())?;
        }
        Ok(())
    }
}

/// Follows `link` and gives the path of the charge that it makes.
///
/// # Errors
/// When it makes none.
pub async fn create(connection: &mut Connection, link: &str) -> Result<String> {
    let answer = connection.get(link, NAVIGATION).await?.expect(303)?;
    let location = answer.header("location").context("a redirect without a location")?;
    let path = location.split('?').next().unwrap_or(location);
    Ok(path.to_owned())
}

/// Reads what is needed to pay the charge at `path`.
///
/// # Errors
/// When its status cannot be read.
pub async fn read(connection: &mut Connection, path: String) -> Result<Charge> {
    let answer = connection.get(&format!("{path}/status"), "").await?.expect(200)?;
    let view: ChargeView = serde_json::from_slice(&answer.body)?;
    let address: Address<_> = view.address.parse()?;
    Ok(Charge {
        path,
        script: address.assume_checked().script_pubkey(),
        sats: view.amount_sat,
    })
}

/// A P2WPKH descriptor of nobody's wallet, different for each `index`, with the checksum that the node computes.
async fn descriptor(chain: &Chain, index: usize) -> Result<String> {
    let secp = Secp256k1::new();
    let master = Xpriv::new_master(NetworkKind::Test, b"figures are not money")?;
    let path = format!("84'/1'/{index}'");
    let account = master.derive_priv(&secp, &path.parse::<DerivationPath>()?)?;
    let public = Xpub::from_priv(&secp, &account);
    let origin = master.fingerprint(&secp);
    let text = format!("wpkh([{origin}/{path}]{public}/0/*)");
    let known: Value = chain.node.rpc().call("getdescriptorinfo", json!([text])).await?;
    let checked = known["descriptor"].as_str();
    checked
        .map(str::to_owned)
        .ok_or_else(|| anyhow!("the node knows no descriptor in {text}"))
}
