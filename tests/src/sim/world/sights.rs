//! What was truly seen, and when.

use bitcoin::hashes::Hash as _;
use bitpro_node::{Condition, Hearing};

use super::World;
use crate::sim::net::Zmq;

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

impl World {
    /// Whether nothing goes on before the operator has vouched for what the node says.
    #[must_use]
    pub fn awaits_the_operator(&self) -> bool {
        let status = self.server.as_ref().map(|server| server.watcher.status());
        status.is_some_and(|status| status.hole.is_some() || matches!(status.condition, Condition::Held(_)))
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
    pub(super) fn look(&mut self) {
        self.index();
        if !self.is_reading() {
            self.glimpse();
            return;
        }
        let now = self.server_now();
        let is_in_step = self.is_in_step();
        let after = self.sighted;
        let mut sights = std::mem::take(&mut self.sights);
        let glimpsed = std::mem::take(&mut self.glimpsed);
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
        let mut unheard = 0_u64;
        {
            let net = self.net();
            for (tid, sight) in &mut sights {
                // A node that may have missed something proves nothing by what it lacks (R3, R12).
                if is_in_step && !net.near.mined.contains_key(tid) {
                    sight.unmined = Some(now);
                }
            }
            let pool = net.near.pool.keys().map(|&tid| (tid, false));
            let mined = net.near.mined.keys().map(|&tid| (tid, true));
            for (tid, is_mined) in pool.chain(mined) {
                unheard += u64::from(net.zmq != Zmq::On && !sights.contains_key(&tid));
                let after = glimpsed.get(&tid).map_or(after, |&since| after.min(since));
                let sight = sights.entry(tid).or_insert(Sight {
                    after: if is_mined { after.min(parent) } else { after },
                    by: now,
                    mined: None,
                    unmined: (is_in_step && !is_mined).then_some(now),
                });
                if is_mined {
                    sight.mined.get_or_insert(now);
                }
            }
        }
        self.sights = sights;
        self.glimpsed = glimpsed;
        for _ in 0..unheard {
            self.count("R7");
        }
        if is_in_step {
            self.sighted = now;
            self.heard = now;
        }
    }

    /// A server that waits for the operator, or reads blocks still, hears of transactions all the same.
    fn glimpse(&mut self) {
        if self.server.is_none() {
            return;
        }
        let since = self.sighted;
        let mut glimpsed = std::mem::take(&mut self.glimpsed);
        {
            let net = self.net();
            for &tid in net.near.pool.keys().filter(|_| net.is_up) {
                glimpsed.entry(tid).or_insert(since);
            }
        }
        self.glimpsed = glimpsed;
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
