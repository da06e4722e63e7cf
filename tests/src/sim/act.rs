//! Carrying the actions of a history out.

mod money;
mod orders;
mod people;

use bitcoin::hashes::Hash as _;
use bitpro_node::api::Wake;
use bitpro_service::charges::CommitPoint;
use bitpro_service::webhooks::{WebhookId, Webhooks};

use super::Broken;
use super::dice::Dice;
use super::doubles::Doom;
use super::net::{Ambush, Zmq};
use super::peer::Tid;
use super::plot::{Act, Step, Surprise};
use super::world::{CENTS_PER_BTC, START, World, url};

/// Ticks in a long pause.
const TICKS: i64 = 3;

impl World {
    /// Carries out one step; `chance` is its own.
    ///
    /// # Errors
    /// What is broken.
    pub fn step(&mut self, step: &Step, mut chance: Dice) -> Result<(), Broken> {
        let from = self.around.clock.truth();
        let to = (START + step.at * 1_000).max(from);
        // The watcher polls all the time; what it could see meanwhile it sees at a few of its polls.
        if to - from > 90_000 {
            for n in 1..=TICKS {
                let share = (to - from) * n / (TICKS + 1);
                self.go_to(from + share);
                self.tick()?;
            }
        }
        self.go_to(to);
        self.tick()?;
        self.act(&step.act, &mut chance)?;
        self.wake()?;
        self.tick()
    }

    fn act(&mut self, act: &Act, chance: &mut Dice) -> Result<(), Broken> {
        match act {
            Act::Create { .. } | Act::Crowd { .. } | Act::Accept { .. } | Act::Cancel { .. } => self.by_people(act)?,
            Act::Settings { .. } | Act::Wallet { .. } => self.by_people(act)?,
            Act::Pay { .. } | Act::PayAll { .. } | Act::Chain { .. } | Act::Replace { .. } => self.by_money(act),
            Act::Publish(_) | Act::Early { .. } => self.by_money(act),
            Act::Mine { .. } | Act::Reorg { .. } => self.by_miners(act, chance),
            Act::Floor(floor) => {
                let mut net = self.net();
                let super::net::Net { registry, near, .. } = &mut *net;
                near.set_floor(registry, u64::from(*floor));
                net.propagate();
            }
            Act::Peers(has) => {
                self.cut_off = (!has).then(|| self.cut_off.unwrap_or_else(|| self.server_now()));
                let mut net = self.net();
                if *has && !net.has_peers {
                    net.peers_since = (net.now + net.ahead).div_euclid(1_000);
                }
                net.has_peers = *has;
                net.propagate();
            }
            Act::Node(true, loading) => self.net().start_node(*loading),
            Act::Node(false, keeps) => self.net().stop_node(*keeps),
            Act::Zmq(zmq) => self.set_zmq(*zmq),
            Act::Prune => {
                let mut net = self.net();
                let tip = net.near.tip();
                net.kept_from = net.kept_from.max(net.registry.blocks[tip].height.saturating_sub(6));
            }
            Act::Ambush(after, surprise) => self.ambush(*after, *surprise),
            Act::Crash => self.crash(None),
            Act::Stop => self.stop(),
            Act::Start => self.start(None)?,
            Act::Doom { after, dies } => self.doom(*after, *dies),
            Act::Backup => self.back_up(),
            Act::Restore => self.restore()?,
            Act::Vouch => self.vouch()?,
            Act::Rate(permille) => {
                let before = self.around.rates.cents().unwrap_or(CENTS_PER_BTC);
                self.set_rate(before * u64::from(*permille) / 1_000);
            }
            Act::Clock(ahead) => {
                let before = self.around.clock.ahead();
                self.around.clock.set_ahead(ahead * 1_000);
                if self.server.is_some() && ahead * 1_000 < before {
                    self.count("R32");
                }
                self.clock_trouble = self.clock_trouble.max(ahead.abs() * 1_000);
            }
            Act::Mood(number, mood) => {
                if let Some(receiver) = self.receivers.0.get_mut(&url(usize::from(number / 3), number % 3)) {
                    receiver.mood = *mood;
                    receiver.was_gone |= *mood == super::receivers::Mood::Gone;
                }
            }
            Act::Redeliver(number) => self.redeliver(*number),
            Act::Look => {
                self.tick()?;
                self.check_all()?;
            }
        }
        Ok(())
    }

    fn set_zmq(&mut self, zmq: Zmq) {
        let mut net = self.net();
        if net.zmq == zmq {
            return;
        }
        net.zmq = zmq;
        match zmq {
            Zmq::On => net.tell_all(Wake::Up),
            Zmq::Off => net.tell_all(Wake::Down),
            Zmq::Silent => {}
        }
    }

    fn ambush(&mut self, after: u8, surprise: Surprise) {
        let ambush = match surprise {
            Surprise::Block => Ambush::Block,
            Surprise::Reorg => Ambush::Reorg,
            Surprise::Failure => Ambush::Failure,
            Surprise::Publish(name) => match self.tx(name) {
                Some(tid) => Ambush::Publish(tid),
                None => return,
            },
        };
        self.net().ambush = Some((u32::from(after), ambush));
    }

    fn doom(&mut self, after: bool, dies: bool) {
        let grave = dies.then(|| self.fresh_path());
        let Some(server) = &self.server else { return };
        let moment = if after {
            CommitPoint::AfterCommit
        } else {
            CommitPoint::BeforeCommit
        };
        server.faults.arm(Some(Doom { moment, grave }));
        self.doomed = true;
        self.is_armed = true;
    }

    /// The operator looks, believes the node, and restarts the server.
    ///
    /// # Errors
    /// When it does not start.
    pub fn vouch(&mut self) -> Result<(), Broken> {
        if self.awaits_the_operator() {
            self.count("R6");
        }
        self.stop();
        let hash = {
            let net = self.net();
            net.registry.blocks[net.near.tip()].hash
        };
        self.start(Some(hash))
    }

    /// Has everything delivered again that did not arrive.
    pub fn redeliver(&mut self, number: u8) {
        let Some(server) = &self.server else { return };
        let webhooks = Webhooks::of(server.charges.clone());
        let address = url(usize::from(number / 3), number % 3);
        let known = server.run(webhooks.list(None)).unwrap_or_default();
        for webhook in known.into_iter().filter(|webhook| webhook.url == address) {
            if let Ok(id) = webhook.id.parse::<WebhookId>() {
                // A database that fails is asked again later.
                let _ = server.run(webhooks.redeliver(None, id, None));
            }
        }
    }

    /// The transaction of this name.
    #[must_use]
    pub fn tx(&self, name: u16) -> Option<Tid> {
        self.txs.get(&name).copied()
    }
}

/// An outpoint in the domain's words.
#[must_use]
pub fn outpoint(outpoint: bitcoin::OutPoint) -> bitpro_charge::Outpoint {
    bitpro_charge::Outpoint {
        txid: bitpro_charge::Txid(outpoint.txid.to_byte_array()),
        vout: outpoint.vout,
    }
}

/// A transaction's id in the node's words.
#[must_use]
pub fn bitcoin_id(txid: bitpro_charge::Txid) -> bitcoin::Txid {
    bitcoin::Txid::from_byte_array(txid.0)
}

/// An outpoint in the node's words.
#[must_use]
pub fn node_outpoint(outpoint: bitpro_charge::Outpoint) -> bitcoin::OutPoint {
    bitcoin::OutPoint::new(bitcoin::Txid::from_byte_array(outpoint.txid.0), outpoint.vout)
}
