//! The world that faults happen to: two nodes, a server, a merchant, their receiver of webhooks, and what shoppers were promised.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result, ensure};
use bitcoin::Transaction;
use bitpro_charge::Announcement;
use bitpro_tests::coins::{self, Coin};
use bitpro_tests::receiver::Receiver;
use bitpro_tests::{Api, App, Charge, Checkout, Clock, Coins, Merchant, Pair, Relay, Role, Setup, eventually};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;

use crate::disk::Disk;
use crate::faults::Stage;
use crate::invariants::{Book, Told};

/// The URL that is told everything.
pub const ALL: &str = "/all";
/// The URL of an old integration, which knows four events.
pub const FOUR: &str = "/four";

/// Requests of shoppers at once.
const AT_ONCE: usize = 16;

/// A charge as a shopper was promised it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The charge.
    pub charge: Charge,
    /// Where to pay.
    pub address: String,
    /// How much.
    pub sats: u64,
}

/// The world. The server is dropped before its nodes and its disk.
pub struct World {
    /// The server.
    pub app: App,
    /// The merchant.
    pub merchant: Merchant,
    /// A shopper's browser.
    pub checkout: Checkout,
    /// A key of the merchant.
    pub api: Api,
    /// The merchant's receiver of webhooks.
    pub receiver: Receiver,
    /// The server's clock; the nodes have another one.
    pub clock: Clock,
    /// Between the server and the node's notifications.
    pub notices: [Relay; 2],
    /// Coins for transactions of any shape.
    pub coins: Coins,
    /// What was promised: it has to be kept whatever happens.
    pub promised: Vec<Order>,
    /// Addresses that were ever given out, with their charge: none for another one, ever.
    pub given_out: HashMap<String, String>,
    /// What is random in the present fault.
    pub rng: StdRng,
    /// The chain, as the suite itself reads it.
    pub book: Book,
    /// What the merchant was told, as the suite itself remembers it.
    pub told: Told,
    /// The nodes.
    pub pair: Pair,
    /// Where the database lies, or why it has no disk of its own.
    pub disk: Result<Disk, String>,
}

impl World {
    /// Starts a world for faults of `stage`.
    ///
    /// # Errors
    /// When anything does not start.
    pub async fn start(stage: Stage) -> Result<Self> {
        let role = match stage {
            Stage::Usual => Role::Server,
            Stage::Pruned => Role::PrunedServer,
        };
        let pair = Pair::start_with(role).await?;
        let clock = Clock::new()?;
        let disk = Disk::mount().map_err(|error| format!("{error:#}"));
        let [rawtx, sequence] = pair.server.zmq_ports();
        let notices = [Relay::to(rawtx).await?, Relay::to(sequence).await?];
        let [rawtx, sequence] = notices
            .each_ref()
            .map(|relay| format!("tcp://127.0.0.1:{}", relay.port()));
        let mut setup = Setup {
            clock: Some(clock.clone()),
            ..Setup::beside(&pair.server, &pair.clock)
        }
        .with("BITPRO_NODE_ZMQ", &format!("{rawtx}, {sequence}"));
        for (name, value) in SETTINGS {
            setup = setup.with(name, value);
        }
        if let Ok(disk) = &disk {
            let database = disk.folder().join("bitpro.db");
            setup = setup.with("BITPRO_DATABASE", &database.to_string_lossy());
        }
        let mut app = App::prepare(setup)?;
        let settings = [("grace_secs", "0"), ("gap_button", "10000")];
        let merchant = Merchant::add(&app, &pair.shopper, "merchant", &settings).await?;
        app.start().await?;
        app.is_well().await?;
        let receiver = Receiver::start().await?;
        for announcement in Announcement::ALL {
            receiver.add(&app, &merchant.id, announcement.as_str(), ALL).await?;
        }
        for announcement in ["charge:seen", "charge:confirmed", "charge:timedout", "charge:failed"] {
            receiver.add(&app, &merchant.id, announcement, FOUR).await?;
        }
        let scopes = "charges:read charges:write charges:accept webhooks:write";
        Ok(Self {
            api: Api::add(&app, &merchant.id, scopes).await?,
            checkout: Checkout::of(&app)?,
            app,
            merchant,
            receiver,
            clock,
            notices,
            coins: Coins::default(),
            promised: Vec::new(),
            given_out: HashMap::new(),
            rng: StdRng::seed_from_u64(0),
            book: Book::default(),
            told: Told::default(),
            pair,
            disk,
        })
    }

    /// Opens a charge of `cents` by a link.
    ///
    /// # Errors
    /// When the link does not lead to a charge, or its address was given out before.
    pub async fn open(&mut self, cents: u64) -> Result<Order> {
        let order = open(&self.checkout, &self.merchant, cents).await?;
        self.promise(order.clone())?;
        Ok(order)
    }

    /// Opens many charges at once.
    ///
    /// # Errors
    /// As [`World::open`].
    pub async fn open_many(&mut self, count: usize, cents: u64) -> Result<Vec<Order>> {
        let orders: Vec<Order> = stream::iter(0..count)
            .map(|_| open(&self.checkout, &self.merchant, cents))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for order in &orders {
            self.promise(order.clone())?;
        }
        Ok(orders)
    }

    /// Remembers what a shopper was promised.
    ///
    /// # Errors
    /// When the address was given out before, to anybody.
    pub fn promise(&mut self, order: Order) -> Result<()> {
        let before = self.given_out.insert(order.address.clone(), order.charge.id.clone());
        ensure!(
            before.as_ref().is_none_or(|before| *before == order.charge.id),
            "the address of {order:?} was given out before, for the charge {before:?}"
        );
        self.promised.push(order);
        Ok(())
    }

    /// A transaction that pays the whole of each of `orders`, at `rate` satoshis a virtual byte, told to nobody yet.
    ///
    /// # Errors
    /// When too few coins were provided.
    pub fn payment_of(&mut self, orders: &[Order], rate: u64) -> Result<Transaction> {
        let coin = self.coins.take()?;
        payment(coin, orders, rate)
    }

    /// Waits until each of `orders` is in `state`, for `reason` if one is given.
    ///
    /// # Errors
    /// When one does not come to it.
    pub async fn become_all(&self, orders: &[Order], state: &str, reason: Option<&str>) -> Result<()> {
        for order in orders {
            self.checkout.becomes(&order.charge, state, reason).await?;
        }
        Ok(())
    }

    /// Moves the time of the server and of both nodes.
    ///
    /// # Errors
    /// When a node is away.
    pub async fn advance_secs(&self, secs: u64) -> Result<()> {
        self.clock.advance_secs(secs)?;
        self.pair.advance_secs(secs).await
    }

    /// Kills the server and starts it again.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn kill_and_restart(&mut self) -> Result<()> {
        self.app.kill()?;
        self.app.start().await
    }

    /// Tells each node what only the other has in its mempool: nodes that were parted do not do so by themselves.
    ///
    /// # Errors
    /// When the mempools do not become the same.
    pub async fn share_mempools(&self) -> Result<()> {
        let (server, shopper) = (&self.pair.server, &self.pair.shopper);
        eventually("the same mempool in both nodes", async || {
            let theirs: HashSet<_> = server.mempool().await?.into_iter().collect();
            let ours: HashSet<_> = shopper.mempool().await?.into_iter().collect();
            for (from, to, missing) in [(server, shopper, &theirs - &ours), (shopper, server, &ours - &theirs)] {
                for txid in missing {
                    // It may be gone again, wait for a parent, or be outbid: what counts is the outcome.
                    if let Ok(raw) = from.rpc().value("getrawtransaction", json!([txid])).await {
                        let _ = to.rpc().value("sendrawtransaction", json!([raw])).await;
                    }
                }
            }
            ensure!(theirs == ours, "{} and {} transactions", theirs.len(), ours.len());
            Ok(())
        })
        .await
    }

    /// Brings everything to rest, and `order`, paid as asked for, with it.
    ///
    /// # Errors
    /// When it does not come to rest, or the order is not confirmed.
    pub async fn settles_paid(&mut self, order: &Order) -> Result<()> {
        self.settle().await?;
        self.checkout.becomes(&order.charge, "confirmed", Some("exact")).await?;
        Ok(())
    }

    /// Brings everything to rest: nodes joined, all that can be mined is mined, and the server knows it.
    ///
    /// # Errors
    /// When it does not come to rest.
    pub async fn settle(&mut self) -> Result<()> {
        self.pair.join().await?;
        self.share_mempools().await?;
        self.pair.mine(1).await?;
        eventually("an empty mempool", async || {
            let left = self.pair.shopper.mempool().await?;
            if !left.is_empty() {
                self.share_mempools().await?;
                self.pair.mine(1).await?;
            }
            ensure!(left.is_empty(), "{} transactions are not mined", left.len());
            Ok(())
        })
        .await?;
        self.app.sees_height(self.pair.server.tip().await?.height).await?;
        self.app.is_well().await
    }

    /// Keeps what the server logged, and the end of what its node did, beyond the end of this world, and says where.
    pub fn keep_log(&self, fault: &str) -> String {
        let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{fault}.log"));
        let logs = format!("{}\n\nThe node:\n{}\n", self.app.log(), self.pair.server.log());
        match std::fs::write(&place, logs) {
            Ok(()) => place.display().to_string(),
            Err(error) => format!("could not be kept: {error}"),
        }
    }
}

/// Nothing here is about limits, and a receiver on this machine may be told.
const SETTINGS: [(&str, &str); 8] = [
    // As on every network but regtest.
    ("BITPRO_NODE_REQUIRES_PEERS", "true"),
    ("BITPRO_CREATE_PER_MINUTE", "1000000"),
    ("BITPRO_CREATE_BURST", "1000000"),
    ("BITPRO_MERCHANT_CREATE_PER_MINUTE", "1000000"),
    ("BITPRO_API_PER_MINUTE", "10000000"),
    ("BITPRO_API_BURST", "10000000"),
    ("BITPRO_WEBHOOK_ALLOW_HTTP", "true"),
    ("BITPRO_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1"),
];

/// Opens a charge as a shopper does, and reads what it asks for.
///
/// # Errors
/// When the link does not lead to a charge.
pub async fn open(checkout: &Checkout, merchant: &Merchant, cents: u64) -> Result<Order> {
    let charge = checkout.open(merchant, cents).await?;
    let view = checkout.view(&charge).await.context("a charge that was just made")?;
    Ok(Order {
        charge,
        address: view.address,
        sats: view.amount_sat,
    })
}

/// A transaction that pays the whole of each of `orders` from `coin`, at `rate` satoshis a virtual byte.
///
/// # Errors
/// When the coin is not worth it.
pub fn payment(coin: Coin, orders: &[Order], rate: u64) -> Result<Transaction> {
    let outputs: Vec<_> = orders
        .iter()
        .map(|order| coins::output(&order.address, order.sats))
        .collect::<Result<_>>()?;
    coins::spend(&[coin], &outputs, rate)
}
