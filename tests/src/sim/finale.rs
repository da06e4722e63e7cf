//! The end of a history: everything heals.

use super::Broken;
use super::net::Zmq;
use super::receivers::Mood;
use super::world::{CENTS_PER_BTC, World};

/// How often the sender is asked at most until nothing is to be told any more.
const ROUNDS: usize = 400;

impl World {
    /// Node, network, clock, market and receivers are well again, and the server runs.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn heal(&mut self) -> Result<(), Broken> {
        self.cut_off = None;
        {
            let mut net = self.net();
            net.ambush = None;
            if !net.has_peers {
                net.peers_since = (net.now + net.ahead).div_euclid(1_000);
            }
            net.has_peers = true;
            let super::net::Net { registry, near, .. } = &mut *net;
            near.set_floor(registry, 1);
            net.zmq = Zmq::On;
            if net.is_up {
                net.is_loading = false;
            }
            net.start_node(false);
        }
        self.around.clock.set_ahead(0);
        if self.around.rates.cents().is_none() {
            self.set_rate(CENTS_PER_BTC);
        }
        if let Some(server) = &self.server {
            server.faults.arm(None);
        }
        self.is_armed = false;
        self.start(None)?;
        for receiver in self.receivers.0.values_mut() {
            receiver.mood = Mood::Well;
        }
        // A node that was cut off knows everything again with the next block.
        let truth = self.around.clock.truth() + 10_000 + self.plot.node_ahead.abs();
        self.go_to(truth);
        self.mine_one();
        self.tick()?;
        self.tick()
    }

    fn mine_one(&mut self) {
        let mut net = self.net();
        let secs = (net.now + net.ahead.abs()) / 1_000;
        let tip = net.far.tip();
        let block = net.make_block(tip, &[], None, secs, 1);
        net.take_block(block);
    }

    /// What is still waiting is mined, and deep.
    pub(super) fn mine_out(&mut self) {
        let mut net = self.net();
        let tids = net.candidates();
        let secs = net.now / 1_000;
        let tip = net.far.tip();
        let mut block = net.make_block(tip, &tids, None, secs, 1);
        net.take_block(block);
        for _ in 0..6 {
            block = net.make_block(block, &[], None, secs, 1);
            net.take_block(block);
        }
    }

    /// Everything that is to be told is told, however long that takes.
    pub(super) fn tell_all(&mut self) -> Result<(), Broken> {
        for number in 0..6 {
            self.redeliver(number);
        }
        for _ in 0..ROUNDS {
            self.tick()?;
            let Some(next) = self.server.as_ref().and_then(|server| server.sender.next()) else {
                return Ok(());
            };
            let wait = (next.0 - self.server_now()).max(0) + 1_000;
            let truth = self.around.clock.truth() + wait;
            self.go_to(truth);
        }
        super::broken(
            "r19 deliveries never end",
            "the receivers are well, and still there is something to be told",
        )
    }
}
