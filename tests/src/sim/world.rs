//! A world: everybody who takes part in a history, and what is truly known of it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use bitcoin::hashes::Hash as _;
use bitcoin::{Block, OutPoint, ScriptBuf};
use bitpro_charge::{ChargeId, MerchantId};
use bitpro_server::charges::MerchantChanges;
use bitpro_server::clock::Clock as _;
use bitpro_server::node::{Condition, Hearing};
use bitpro_server::wallet::WalletText;
use bitpro_server::webhooks::Webhooks;
use tempfile::TempDir;

use super::dice::Dice;
use super::doubles::{SimClock, SimRates, SimRng, copy_database, copy_mark};
use super::net::Net;
use super::node::SimNode;
use super::peer::Tid;
use super::plot::Plot;
use super::receivers::Receivers;
use super::server::{Server, Surroundings, new_database};
use super::{Broken, broken, wallets};

/// When histories begin.
pub const START: i64 = 1_800_000_000_000;
/// What a bitcoin costs at first, in cents.
pub const CENTS_PER_BTC: u64 = 5_000_000;

/// A charge that somebody got.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: ChargeId,
    /// Of which shop.
    pub shop: usize,
    /// Where it is paid.
    pub script: ScriptBuf,
    /// The amount asked for.
    pub amount: u64,
    /// When it was asked for, by the server's clock.
    pub made: i64,
    /// The wallet and the index of its address.
    pub place: (usize, u32),
    /// What the merchant's hand took, each time.
    pub accepted: Vec<Accepted>,
    /// Whether it was cancelled.
    pub cancelled: Option<i64>,
    /// How its order is called.
    pub order: u16,
    /// Whether a restored backup knows nothing of it.
    pub lost: bool,
}

/// Payments that the merchant's hand took.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// When, by the server's clock.
    pub at: i64,
    /// Which.
    pub outpoints: Vec<OutPoint>,
    /// Whether there was not enough before.
    pub was_short: bool,
}

/// What is truly known of a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// Until then, by the server's clock, everything was seen, and this was not.
    pub after: i64,
    /// By then it was seen.
    pub by: i64,
    /// By then it was first seen in a block.
    pub mined: Option<i64>,
    /// When it was last known to be in no block.
    pub unmined: Option<i64>,
}

/// How far what is stored of the knowledge of the chain may lag behind what was known, in milliseconds.
const STORED_LATE: i64 = 30_000;

/// A world.
pub struct World {
    /// What is to happen.
    pub plot: Plot,
    /// What outlives the server.
    pub around: Surroundings,
    /// The server, when it runs.
    pub server: Option<Server>,
    /// The shops.
    pub shops: Vec<MerchantId>,
    /// The wallet that each shop has connected.
    pub wallets: Vec<usize>,
    /// The charges, by their name in the history.
    pub charges: BTreeMap<u16, Made>,
    /// The transactions, by their name in the history.
    pub txs: BTreeMap<u16, Tid>,
    /// Every address that was ever given out.
    pub addresses: HashMap<String, ChargeId>,
    /// The merchants' servers.
    pub receivers: Receivers,
    /// What was seen of each transaction.
    pub sights: HashMap<Tid, Sight>,
    /// Outputs of all transactions, by script.
    pub paying: HashMap<ScriptBuf, Vec<(Tid, u32, u64)>>,
    /// How many transactions are in `paying`.
    pub indexed: usize,
    /// The last instant, by the server's clock, up to which everything was seen.
    pub sighted: i64,
    /// The last instant, by the server's clock, at which our node had peers and the watcher was in step.
    pub heard: i64,
    /// True time and the server's at the last look at both, while the process lives.
    pub before: Option<(i64, i64)>,
    /// When the server last stored its time, in true time.
    pub noted: i64,
    /// When the present tip was first seen, and the one before it.
    pub tip_seen: (i64, i64),
    /// The heights of the tip, and when each was first seen.
    pub heights: Vec<(i64, u32)>,
    /// How far the clock was ever off, in milliseconds.
    pub clock_trouble: i64,
    /// Whether something was done that makes a failed commit expected.
    pub doomed: bool,
    /// The database as it was copied, and when.
    pub backup: Option<(PathBuf, i64)>,
    /// How often things happened.
    pub tally: BTreeMap<String, u64>,
    /// Chance of what is not in the plot.
    pub dice: Dice,
    database: PathBuf,
    folder: TempDir,
    generation: u32,
}

/// The first block of the simulation's network.
#[must_use]
pub fn genesis() -> Block {
    bitcoin::constants::genesis_block(bitcoin::Network::Signet)
}

/// A folder that no disk is asked for, where the machine has one.
fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a temporary folder")
}

impl World {
    /// The world of a plot, with its server started and its shops open.
    ///
    /// # Errors
    /// What is broken already.
    ///
    /// # Panics
    /// When the machine has no room.
    pub fn new(plot: Plot, number: u64) -> Result<Self, Broken> {
        let folder = folder();
        let database = new_database(folder.path());
        let mut net = Net::new(genesis(), START);
        net.ahead = plot.node_ahead;
        let around = Surroundings {
            node: SimNode(Arc::new(Mutex::new(net))),
            clock: Arc::new(SimClock::new(START)),
            rates: Arc::new(SimRates::new(CENTS_PER_BTC)),
            rng: Arc::new(SimRng::new(Dice::new(number, 2))),
        };
        let mut world = Self {
            plot,
            around,
            server: None,
            shops: Vec::new(),
            wallets: vec![0, 1],
            charges: BTreeMap::new(),
            txs: BTreeMap::new(),
            addresses: HashMap::new(),
            receivers: Receivers::default(),
            sights: HashMap::new(),
            paying: HashMap::new(),
            indexed: 0,
            sighted: START,
            heard: START,
            before: None,
            noted: START,
            tip_seen: (START, START),
            heights: Vec::new(),
            clock_trouble: 0,
            doomed: false,
            backup: None,
            tally: BTreeMap::new(),
            dice: Dice::new(number, 3),
            database,
            folder,
            generation: 0,
        };
        world.start(None)?;
        world.open_shops()?;
        world.tick()?;
        world.tick()?;
        Ok(world)
    }

    fn open_shops(&mut self) -> Result<(), Broken> {
        let server = self.server.as_ref().expect("it was just started");
        for (shop, choices) in self.plot.shops.iter().enumerate() {
            let settings = choices
                .settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            let changes = MerchantChanges {
                settings: settings.collect(),
                wallet: Some(wallet_text(shop)),
                ..MerchantChanges::default()
            };
            let id = server.run(server.charges.add_merchant(changes));
            let id = id.map_err(|error| Broken {
                what: "a shop cannot be opened",
                how: error.to_string(),
            })?;
            self.shops.push(id);
            let webhooks = Webhooks::of(server.charges.clone());
            for (number, kinds) in subscriptions() {
                let url = url(shop, number);
                self.receivers.add(&url);
                for kind in kinds {
                    let added = server.run(webhooks.add(id, kind, &url));
                    added.map_err(|error| Broken {
                        what: "a webhook cannot be added",
                        how: error.to_string(),
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Starts the server, if it does not run.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&mut self, vouched: Option<bitcoin::BlockHash>) -> Result<(), Broken> {
        if self.server.is_some() {
            return Ok(());
        }
        self.before = None;
        match Server::start(&self.around, &self.database, vouched) {
            Ok(server) => self.server = Some(server),
            Err(error) => return broken("the server does not start", error.to_string()),
        }
        self.look_at_wallets();
        Ok(())
    }

    /// Which wallet each shop has now: after a restored backup it is an old one.
    pub fn look_at_wallets(&mut self) {
        let Some(server) = &self.server else { return };
        for (shop, &id) in self.shops.iter().enumerate() {
            let report = server.run(server.charges.merchant_report(id));
            let receive = report.ok().and_then(|report| report.receive);
            if let Some(wallet) = receive.and_then(|text| wallets::wallet_of(&text)) {
                self.wallets[shop] = wallet;
            }
        }
    }

    /// Stops the server in order.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    /// The server dies: what the disk holds is what `image` has, or what it holds now.
    pub fn crash(&mut self, image: Option<PathBuf>) {
        let Some(server) = self.server.take() else { return };
        let next = match image {
            Some(image) => image,
            None => {
                let next = self.fresh_path();
                copy_database(&self.database, &next);
                next
            }
        };
        copy_mark(&self.database, &next);
        drop(server);
        self.database = next;
    }

    /// Copies the database as it is.
    pub fn back_up(&mut self) {
        if self.server.is_none() {
            return;
        }
        let image = self.fresh_path();
        copy_database(&self.database, &image);
        let now = self.server_now();
        self.backup = Some((image, now));
    }

    /// Puts the copy in the place of the database; the issuance mark stays.
    ///
    /// # Errors
    /// When the server does not start.
    pub fn restore(&mut self) -> Result<(), Broken> {
        let Some((image, at)) = self.backup.take() else {
            return Ok(());
        };
        self.stop();
        let next = self.fresh_path();
        copy_database(&image, &next);
        copy_mark(&self.database, &next);
        self.database = next;
        for made in self.charges.values_mut() {
            made.lost |= made.made >= at;
            made.accepted.retain(|accepted| accepted.at < at);
            made.cancelled = made.cancelled.filter(|when| *when < at);
        }
        // What happened since is met again, as if it had not been seen.
        self.sights.retain(|_, sight| sight.by < at);
        self.sighted = self.sighted.min(at - STORED_LATE);
        self.heard = self.heard.min(at);
        for receiver in self.receivers.0.values_mut() {
            receiver.heard.retain(|heard| heard.at < at);
        }
        self.count("act: a backup was restored");
        self.start(None)
    }

    /// A path for another image of the database.
    pub fn fresh_path(&mut self) -> PathBuf {
        self.generation += 1;
        self.folder.path().join(format!("{}.db", self.generation))
    }

    /// The network.
    pub fn net(&self) -> MutexGuard<'_, Net> {
        self.around.node.net()
    }

    /// The server's time; the machine's, when it does not run.
    #[must_use]
    pub fn server_now(&self) -> i64 {
        match &self.server {
            Some(server) => server.charges.now().0,
            None => self.around.clock.now().0,
        }
    }

    /// Counts that something happened.
    pub fn count(&mut self, what: &str) {
        match self.tally.get_mut(what) {
            Some(count) => *count += 1,
            None => {
                self.tally.insert(what.to_owned(), 1);
            }
        }
    }

    /// True time goes on.
    pub fn go_to(&mut self, truth: i64) {
        self.around.clock.go_to(truth);
        self.net().now = truth;
    }

    /// The server takes a step: it polls its node, and tells its webhooks.
    ///
    /// # Errors
    /// What is broken.
    pub fn tick(&mut self) -> Result<(), Broken> {
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        server.watcher.poll();
        self.after_step()?;
        self.note_time()?;
        self.deliver()?;
        self.check_clock()?;
        self.look();
        Ok(())
    }

    /// The node has told something.
    ///
    /// # Errors
    /// What is broken.
    pub fn wake(&mut self) -> Result<(), Broken> {
        if let Some(server) = &mut self.server {
            server.watcher.wake();
        }
        self.after_step()
    }

    /// Lets the step end, and the server, if that was its last.
    ///
    /// # Errors
    /// When it does not start again.
    pub fn after_step(&mut self) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        if let Some(grave) = server.faults.buried() {
            self.crash(Some(grave));
            self.count("the server died at a commit");
            return Ok(());
        }
        server.settle();
        Ok(())
    }

    /// The chore of the minute, which goes by real time in a server.
    fn note_time(&mut self) -> Result<(), Broken> {
        let truth = self.around.clock.truth();
        let Some(server) = self.server.as_ref().filter(|_| truth - self.noted >= 60_000) else {
            return Ok(());
        };
        server.run(server.charges.is_writable());
        self.noted = truth;
        self.after_step()
    }

    fn deliver(&mut self) -> Result<(), Broken> {
        for _ in 0..50 {
            let Some(server) = &mut self.server else { break };
            let attempts = server.attempts();
            if attempts.is_empty() {
                break;
            }
            for attempt in attempts {
                let answer = self.receivers.answer(&attempt, &mut self.dice);
                server.sender.answered(attempt, answer);
            }
            self.after_step()?;
        }
        Ok(())
    }

    /// While a process lives, its time does not stand still (R32).
    fn check_clock(&mut self) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let (truth, now) = (self.around.clock.truth(), server.charges.now().0);
        if let Some((truth_before, before)) = self.before
            && now - before < truth - truth_before - 2_000
        {
            return broken(
                "r32 time stands still",
                format!(
                    "{} s went by, and {} s by the server",
                    (truth - truth_before) / 1_000,
                    (now - before) / 1_000
                ),
            );
        }
        self.before = Some((truth, now));
        Ok(())
    }

    /// Whether the server is in step with a node that is in step with the network.
    #[must_use]
    pub fn is_in_step(&self) -> bool {
        let hearing = self.server.as_ref().map(|server| server.watcher.status().hearing);
        hearing == Some(Hearing::Everything) && self.is_reading()
    }

    /// Whether the server has read all that its node has, whatever that may have missed.
    fn is_reading(&self) -> bool {
        let Some(server) = &self.server else { return false };
        let status = server.watcher.status();
        let net = self.net();
        let tip = |block: usize| bitpro_charge::BlockHash(net.registry.blocks[block].hash.to_byte_array());
        net.is_up
            && net.has_peers
            && !net.is_loading
            && net.far.tip() == net.near.tip()
            && status.condition == Condition::Ready
            && status.hole.is_none()
            && status.tip.is_some_and(|at| at.hash == tip(net.near.tip()))
    }

    /// Notes what was truly seen.
    fn look(&mut self) {
        self.index();
        if !self.is_reading() {
            return;
        }
        let now = self.server_now();
        let after = self.sighted;
        let mut sights = std::mem::take(&mut self.sights);
        let height = {
            let net = self.net();
            net.registry.blocks[net.near.tip()].height
        };
        if self.heights.last().is_none_or(|(_, last)| *last != height) {
            self.heights.push((now, height));
            self.tip_seen = (now, self.tip_seen.0);
        }
        // What is first met in a block may be as old as the block before (R5).
        let parent = self.tip_seen.1;
        {
            let net = self.net();
            for (tid, sight) in &mut sights {
                if !net.near.mined.contains_key(tid) {
                    sight.unmined = Some(now);
                }
            }
            let pool = net.near.pool.keys().map(|&tid| (tid, false));
            let mined = net.near.mined.keys().map(|&tid| (tid, true));
            for (tid, is_mined) in pool.chain(mined) {
                let sight = sights.entry(tid).or_insert(Sight {
                    after: if is_mined { after.min(parent) } else { after },
                    by: now,
                    mined: None,
                    unmined: (!is_mined).then_some(now),
                });
                if is_mined {
                    sight.mined.get_or_insert(now);
                }
            }
        }
        self.sights = sights;
        if self.is_in_step() {
            self.sighted = now;
            self.heard = now;
        }
    }

    /// Takes up which transactions pay which scripts.
    pub fn index(&mut self) {
        let mut found = Vec::new();
        {
            let net = self.net();
            for (tid, tx) in net.registry.txs.iter().enumerate().skip(self.indexed) {
                for (vout, output) in (0..).zip(&tx.tx.output) {
                    found.push((output.script_pubkey.clone(), (tid, vout, output.value.to_sat())));
                }
            }
        }
        let indexed = self.net().registry.txs.len();
        self.indexed = indexed;
        for (script, output) in found {
            self.paying.entry(script).or_default().push(output);
        }
    }
}

/// A wallet as a merchant types it in.
#[must_use]
pub fn wallet_text(wallet: usize) -> WalletText {
    WalletText {
        text: wallets::descriptor(wallet),
        script_type: None,
    }
}

/// The address of a shop's receiver.
#[must_use]
pub fn url(shop: usize, number: u8) -> String {
    format!("https://1.1.1.{}/{number}", shop + 1)
}

/// Which receiver is told of what: two of everything, one as the old integrations, one of three.
#[must_use]
pub fn subscriptions() -> [(u8, Vec<&'static str>); 3] {
    let old = ["charge:seen", "charge:timedout", "charge:confirmed", "charge:failed"];
    let all = [&old[..], &["charge:reverted", "charge:updated"]].concat();
    [(0, all.clone()), (1, old.to_vec()), (2, all)]
}
