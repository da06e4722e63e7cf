//! A world: everybody who takes part in a history, and what is truly known of it.

mod life;
mod sights;
mod steps;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::MutexGuard;

use bitcoin::{Block, OutPoint, ScriptBuf};
use bitpro_base::clock::Clock as _;
use bitpro_charge::{ChargeId, MerchantId};
use bitpro_merchant::SettingsPatch;
use bitpro_merchant::wallet::WalletText;
use bitpro_service::charges::MerchantChanges;
use tempfile::TempDir;

use super::dice::Dice;
use super::net::Net;
use super::opened::{new_database, surroundings};
use super::peer::Tid;
use super::plot::Plot;
use super::receivers::Receivers;
use super::server::{Server, Surroundings};
use super::{Broken, wallets};

pub use life::Backup;
pub use sights::Sight;

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
    /// The number of the last event of each charge at which was looked at what it takes.
    pub weighed: HashMap<ChargeId, u64>,
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
    /// What our node had while the server was not in step: since when it may have been seen.
    pub glimpsed: BTreeMap<Tid, i64>,
    /// The last instant, by the server's clock, at which our node had peers and the watcher was in step.
    pub heard: i64,
    /// Since when, by the server's clock, our node has no peers.
    pub cut_off: Option<i64>,
    /// True time and the server's at the last look at both, while the process lives.
    pub before: Option<(i64, i64)>,
    /// What a bitcoin cost since when, in cents.
    pub market: Vec<(i64, u64)>,
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
    /// At so many polls in a row the watcher said that the charges cannot be stored.
    pub failing: u32,
    /// A commit is to fail that has not come yet.
    pub is_armed: bool,
    /// The database as it was copied, if it was.
    pub backup: Option<Backup>,
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
        let (database, shops) = new_database(folder.path());
        let around = surroundings(Dice::new(number, 2));
        around.node.net().ahead = plot.node_ahead;
        let mut world = Self {
            plot,
            around,
            server: None,
            shops,
            wallets: vec![0, 1],
            charges: BTreeMap::new(),
            txs: BTreeMap::new(),
            addresses: HashMap::new(),
            weighed: HashMap::new(),
            receivers: Receivers::default(),
            sights: HashMap::new(),
            paying: HashMap::new(),
            indexed: 0,
            sighted: START,
            glimpsed: BTreeMap::new(),
            heard: START,
            cut_off: None,
            before: None,
            market: vec![(START, CENTS_PER_BTC)],
            noted: START,
            tip_seen: (START, START),
            heights: Vec::new(),
            clock_trouble: 0,
            doomed: false,
            failing: 0,
            is_armed: false,
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

    /// The shops choose what this history wants of them.
    fn open_shops(&mut self) -> Result<(), Broken> {
        let server = self.server.as_ref().expect("it was just started");
        for (shop, (choices, &id)) in self.plot.shops.iter().zip(&self.shops).enumerate() {
            let settings = SettingsPatch::read(&choices.settings).map_err(|error| Broken {
                what: "a shop cannot be opened",
                how: error.to_string(),
            })?;
            let changes = MerchantChanges {
                settings,
                ..MerchantChanges::default()
            };
            server
                .run(server.charges.change_merchant(id, changes))
                .map_err(|error| Broken {
                    what: "a shop cannot be opened",
                    how: error.to_string(),
                })?;
            for (number, _) in subscriptions() {
                self.receivers.add(&url(shop, number));
            }
        }
        Ok(())
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
