//! What the world tells a charge: one whole change of view at a time (R2).

use std::sync::Arc;

use bitcoin_units::Amount;

use crate::{Interval, Loss, Outpoint, Place, Quote, Timestamp, Txid};

/// One reason to decide anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A new view of chain and mempool, as far as it concerns this charge. Both lists may be empty: then only the tip
    /// or the time has moved. The order within the lists does not matter.
    View {
        /// Outpoints that pay the charge, where they are in the new view.
        sightings: Vec<Sighting>,
        /// Payments that are proven lost in the new view.
        gone: Vec<Gone>,
    },
    /// The merchant takes what is there, whatever its amount and time (R14).
    Accept {
        /// The payments meant; each must be live.
        outpoints: Vec<Outpoint>,
        /// The sequence of the charge as the merchant saw it.
        sequence: u64,
    },
    /// The merchant withdraws the charge (R15).
    Cancel {
        /// The sequence of the charge as the merchant saw it.
        sequence: u64,
    },
    /// The operator took back a time that had run ahead, perhaps behind the creation of the charge (R32).
    ClockTakenBack {
        /// Our time from now on.
        to: Timestamp,
    },
}

/// An outpoint that pays the charge, seen in the mempool or in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its identity.
    pub outpoint: Outpoint,
    /// Its value.
    pub value: Amount,
    /// Where it is.
    pub place: Place,
    /// When it was first seen, by this report (R5).
    pub first_seen: Interval,
    /// Whether it is an output of a coinbase transaction.
    pub coinbase: bool,
    /// What the whole transaction pays this merchant (R9).
    pub merchant_total: Amount,
    /// Other transactions that spend an outpoint which its transaction spends too; those that do not pay the charge do not
    /// matter. All outputs of a transaction share the list.
    pub conflicts: Arc<[Txid]>,
    /// The rate at its first sight, when there was a fresh one (R44).
    pub rate: Option<Quote>,
}

/// A payment that is proven lost (R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub outpoint: Outpoint,
    /// How.
    pub loss: Loss,
}

/// What a decision depends on beside the charge and the observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The time of the decision.
    pub now: Timestamp,
    /// Height of the tip that the view belongs to.
    pub tip: u32,
    /// The instant up to which chain and mempool were fully read (R4).
    pub observed_until: Timestamp,
    /// The rate now, when it is fresh.
    pub rate: Option<Quote>,
    /// The blocks that the view adds to the chain, or tells the times of, ascending.
    pub found: Arc<[Found]>,
}

/// A block that a view adds to the chain, or that stood in it and whose time it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its height.
    pub height: u32,
    /// It was certainly not found before this.
    pub after: Timestamp,
    /// By its miner's word it was found then.
    pub claimed: Timestamp,
}

impl Context {
    /// The height of the highest tip that may have stood at `instant`: of the blocks that the view tells of, one that was found later did not
    /// count then, and no block on it. Where its miner's time alone says later, `in_doubt` says whether it counts as found by then.
    pub(crate) fn tip_by(&self, instant: Timestamp, in_doubt: bool) -> u32 {
        let is_later = |found: &&Found| found.after > instant || !in_doubt && found.claimed > instant;
        let later = self.found.iter().find(is_later);
        later.map_or(self.tip, |found| found.height.saturating_sub(1).min(self.tip))
    }
}
