//! The server's life in a world: it starts, stops, dies, and is put back as it was.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use bitpro_charge::MerchantId;

use super::{Made, Sight, World};
use crate::sim::doubles::{copy_database, copy_mark};
use crate::sim::peer::Tid;
use crate::sim::server::Server;
use crate::sim::{Broken, broken, wallets};

/// How far what is stored of the knowledge of the chain may lag behind what was known, in milliseconds.
const STORED_LATE: i64 = 30_000;

/// A copy of the database, and what was known when it was made.
#[derive(Debug)]
pub struct Backup {
    image: PathBuf,
    charges: BTreeMap<u16, Made>,
    /// What was seen of each transaction.
    sights: HashMap<Tid, Sight>,
    /// The heights of the tip.
    heights: Vec<(i64, u32)>,
    /// How much each receiver had been sent.
    told: BTreeMap<String, usize>,
    /// Up to when everything was seen.
    sighted: i64,
    /// Up to when our node heard of everything.
    heard: i64,
}

impl World {
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

    /// The shop has this wallet from now on.
    pub fn take_wallet(&mut self, shop: usize, wallet: usize) {
        if std::mem::replace(&mut self.wallets[shop], wallet) != wallet {
            self.forget_what_nobody_asked_for();
        }
    }

    /// What paid no address of a charge, and is not with our node any more when a wallet is connected, nobody has seen for this server.
    fn forget_what_nobody_asked_for(&mut self) {
        self.index();
        let asked = self.charges.values().filter_map(|made| self.paying.get(&made.script));
        let asked: HashSet<Tid> = asked.flatten().map(|&(tid, ..)| tid).collect();
        let mut sights = std::mem::take(&mut self.sights);
        {
            let net = self.net();
            sights.retain(|tid, _| {
                asked.contains(tid) || net.near.pool.contains_key(tid) || net.near.mined.contains_key(tid)
            });
        }
        self.sights = sights;
    }

    /// Which wallet each shop has now: after a restored backup it is an old one.
    pub fn look_at_wallets(&mut self) {
        let Some(server) = &self.server else { return };
        let wallet_of = |&id: &MerchantId| {
            let report = server.run(server.charges.merchant_report(id)).ok()?;
            wallets::wallet_of(&report.receive?)
        };
        let known: Vec<Option<usize>> = self.shops.iter().map(wallet_of).collect();
        for (shop, wallet) in known.into_iter().enumerate() {
            if let Some(wallet) = wallet {
                self.take_wallet(shop, wallet);
            }
        }
    }

    /// What is known of the chain is taken from what is stored of it, which may lag behind.
    pub(super) fn forget(&mut self) {
        self.sighted -= STORED_LATE;
    }

    /// Stops the server in order.
    pub fn stop(&mut self) {
        if std::mem::take(&mut self.is_armed) {
            self.forget();
        }
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    /// The server dies: what the disk holds is what `image` has, or what it holds now.
    pub fn crash(&mut self, image: Option<PathBuf>) {
        let Some(server) = self.server.take() else { return };
        self.is_armed = false;
        self.forget();
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
        let told = self.receivers.0.iter();
        self.backup = Some(Backup {
            image,
            charges: self.charges.clone(),
            sights: self.sights.clone(),
            heights: self.heights.clone(),
            told: told
                .map(|(url, receiver)| (url.clone(), receiver.heard.len()))
                .collect(),
            sighted: self.sighted,
            heard: self.heard,
        });
    }

    /// Puts the copy in the place of the database; the issuance mark stays.
    ///
    /// # Errors
    /// When the server does not start.
    pub fn restore(&mut self) -> Result<(), Broken> {
        let Some(Backup {
            image,
            charges,
            sights,
            heights,
            told,
            sighted,
            heard,
        }) = self.backup.take()
        else {
            return Ok(());
        };
        self.stop();
        let next = self.fresh_path();
        copy_database(&image, &next);
        copy_mark(&self.database, &next);
        self.database = next;
        for (slot, made) in &mut self.charges {
            match charges.get(slot) {
                Some(before) => *made = before.clone(),
                None => made.lost = true,
            }
        }
        // What happened since is met again, as if it had not been seen.
        self.sights = sights;
        self.heights = heights;
        self.sighted = sighted - STORED_LATE;
        self.heard = heard;
        for (url, receiver) in &mut self.receivers.0 {
            receiver.heard.truncate(told.get(url).copied().unwrap_or(0));
        }
        self.count("act: a backup was restored");
        self.start(None)
    }
}
