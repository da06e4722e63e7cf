//! The database that histories begin with: its two shops are open, with their wallets and receivers. It is made once and copied
//! then, for making its shape and deriving its first addresses takes longer than many a history.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use bitpro_charge::MerchantId;
use bitpro_merchant::SettingsPatch;
use bitpro_service::charges::MerchantChanges;
use bitpro_service::webhooks::Webhooks;

use super::dice::Dice;
use super::doubles::{SimClock, SimRates, SimRng, mark_of};
use super::net::Net;
use super::node::SimNode;
use super::server::{Server, Surroundings};
use super::world::{CENTS_PER_BTC, START, genesis, subscriptions, url, wallet_text};

/// How many shops there are.
const SHOPS: usize = 2;

struct Opened {
    database: Vec<u8>,
    mark: Vec<u8>,
    shops: Vec<MerchantId>,
}

/// A copy of the database in a folder, and whose shops are in it.
///
/// # Panics
/// When the machine has no room for it, or when it cannot be made.
pub fn new_database(folder: &Path) -> (PathBuf, Vec<MerchantId>) {
    static OPENED: OnceLock<Opened> = OnceLock::new();
    let opened = OPENED.get_or_init(open);
    let path = folder.join("0.db");
    std::fs::write(&path, &opened.database).expect("the temporary folder has room");
    std::fs::write(mark_of(&path), &opened.mark).expect("the temporary folder has room");
    (path, opened.shops.clone())
}

/// What a history lives in beside its server, at the beginning.
#[must_use]
pub fn surroundings(dice: Dice) -> Surroundings {
    Surroundings {
        node: SimNode(Arc::new(Mutex::new(Net::new(genesis(), START)))),
        clock: Arc::new(SimClock::new(START)),
        rates: Arc::new(SimRates::new(CENTS_PER_BTC)),
        rng: Arc::new(SimRng::new(dice)),
    }
}

fn open() -> Opened {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("opened.db");
    // Chance of its own: no history may meet an id again.
    let around = surroundings(Dice::new(0, 9));
    let mut server = Server::start(&around, &path, None).expect("a new database");
    let webhooks = Webhooks::of(server.charges.clone());
    let mut shops = Vec::new();
    for shop in 0..SHOPS {
        let changes = MerchantChanges {
            settings: SettingsPatch {
                name: Some("Shop".to_owned()),
                ..SettingsPatch::default()
            },
            wallet: Some(wallet_text(shop)),
            ..MerchantChanges::default()
        };
        let id = server.run(server.charges.add_merchant(changes));
        let id = id.expect("a new database takes a shop");
        for (number, kinds) in subscriptions() {
            for kind in kinds {
                let added = server.run(webhooks.add(id, kind, &url(shop, number)));
                added.expect("a new shop takes a webhook");
            }
        }
        shops.push(id);
    }
    // The chain is met, and the wallets are scanned.
    for _ in 0..3 {
        server.watcher.poll();
        server.settle();
    }
    server.stop();
    Opened {
        database: std::fs::read(&path).expect("the database was just made"),
        mark: std::fs::read(mark_of(&path)).expect("so was its mark"),
        shops,
    }
}
