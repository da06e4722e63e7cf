//! What the node hears of the network: what it does not hear is no evidence (R3, R4, R5).

use bitpro_charge::{Interval, Timestamp};

use super::super::api::NodeApi;
use super::super::first_seen::Sight;
use super::super::port::ChargesPort;
use super::super::rpc::answers::ChainState;
use super::super::status::{Condition, Hearing};
use super::{Stand, Trouble, Watcher};

/// A gap in what we saw that is shorter than this is none: a poll more or less.
const BLIND_MILLIS: i64 = 5_000;

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    /// Asks whether the node hears of anything. Where it did not, or may not have, everything is known again only after a block
    /// that was found when it heard again: its mempool was told the rest, but nobody tells it twice what it has missed.
    pub(super) fn judge_hearing(&mut self, chain: &ChainState) -> Result<(), Trouble> {
        self.notice_sleep();
        let network = self.node.network_state()?;
        let requires_peers = self.config.requires_peers;
        self.hearing = if requires_peers && network.connections == 0 {
            Hearing::Nothing
        } else if !network.relays {
            Hearing::BlocksOnly
        } else if requires_peers && !self.has_heard_all && self.may_have_missed(chain)? {
            Hearing::Again
        } else {
            Hearing::Everything
        };
        self.has_heard_all = self.hearing == Hearing::Everything;
        if self.has_heard_all {
            self.woke_at = None;
        }
        let tip_time = requires_peers.then(|| Timestamp::from_secs(chain.time));
        self.teller.hearing(self.hearing, tip_time);
        Ok(())
    }

    /// Notes that much more time went by than lies between two looks. A machine that was suspended took its node along: connected all the
    /// time, it heard of nothing. It is told by a clock that nobody sets, so that a wrong moment of the other is no sleep (R32).
    fn notice_sleep(&mut self) {
        let (now, running) = (self.clock.now(), self.clock.with_sleep());
        let before = self.looked_at.replace(running).unwrap_or(running);
        if running.saturating_sub(before) > self.config.asleep_after {
            self.woke_at = Some(now);
            self.has_heard_all = false;
        }
        // Our time may have been taken back since.
        self.woke_at = self.woke_at.map(|woke| woke.min(now));
    }

    /// Whether transactions may have been told since the last full knowledge that neither reached the node nor had to be in its
    /// best block. Only peers that were connected all the time have told it everything.
    fn may_have_missed(&self, chain: &ChainState) -> Result<bool, Trouble> {
        // Before anything was known, the first address was given out.
        let known = self.stand()?.observed_until.filter(|until| until.0 > 0);
        let Some(until) = known.or_else(|| self.port.first_issued()) else {
            return Ok(false);
        };
        // A block that was found since holds what was told meanwhile, or could have held it.
        if self.woke_at.is_some_and(|woke| chain.time < woke.as_secs()) {
            return Ok(true);
        }
        let peers = self.node.peers()?;
        let telling = peers.iter().filter(|peer| peer.tells_transactions());
        let Some(since) = telling.map(|peer| peer.since).min() else {
            return Ok(true);
        };
        let ours = |secs: i64| Timestamp(Timestamp::from_secs(secs).0.saturating_add(self.offset_millis));
        Ok(ours(since) > until && chain.time < since)
    }

    /// Whether everything up to now is known once chain and mempool are read.
    pub(super) fn knows_up_to_now(&self) -> bool {
        !self.is_node_behind && self.hearing == Hearing::Everything
    }

    /// How far a new block takes the knowledge of a node that hears of blocks only: who had paid when its parent came has had the
    /// time of a block to be mined.
    pub(super) fn known_by_blocks(&self, stand: Stand, has_moved: bool) -> Option<Timestamp> {
        let tells = self.hearing == Hearing::BlocksOnly && !self.is_node_behind && has_moved;
        tells.then_some(stand.tip_received)
    }

    /// Since when a block may hold payments that others have seen before. A node that hears of blocks only knows nothing before the
    /// first one that it was asked for.
    fn start_of_gap(&self, stand: Stand) -> Option<Timestamp> {
        let has_begun = stand.observed_until.is_some_and(|until| until.0 > 0);
        match self.hearing {
            Hearing::BlocksOnly if !has_begun => Some(stand.tip_received),
            _ => stand.observed_until,
        }
    }

    /// A first sight by our receipt or the node's record. While the node did not hear everything, others may have seen it before.
    pub(super) fn as_heard(&self, stand: Stand, seen: Interval) -> Interval {
        let since = stand.observed_until.filter(|_| self.hearing != Hearing::Everything);
        Interval {
            earliest: since.map_or(seen.earliest, |since| since.min(seen.earliest)),
            ..seen
        }
    }

    /// Payments first seen before this may stand in blocks that were not read, or that the node has not heard of.
    pub(super) fn unread_until(&self) -> Option<Timestamp> {
        if self.hearing == Hearing::Everything {
            return self.port.hole().map(|hole| hole.until);
        }
        Some(Timestamp(i64::MAX))
    }

    /// What the mempool's records are judged by (R5): what we did not know at the last full knowledge came later.
    pub(super) fn sight_of_mempool(&self, stand: Stand) -> Sight {
        self.sight(stand.observed_until)
    }

    /// Whether blocks may have been found, or payments told, that nobody here saw at once.
    pub(super) fn is_blind(&self, stand: Stand) -> bool {
        let now = self.clock.now();
        self.hearing != Hearing::Everything || stand.observed_until.is_none_or(|until| now.0 - until.0 > BLIND_MILLIS)
    }

    /// What a block's time is judged by (R5): the receipt of its parent, or the start of the gap in which both were missed.
    pub(super) fn sight_of_blocks(&self, stand: Stand) -> Sight {
        self.sight(if self.is_blind(stand) {
            self.start_of_gap(stand)
        } else {
            Some(stand.tip_received)
        })
    }

    fn sight(&self, since: Option<Timestamp>) -> Sight {
        let moment = self.clock.moment();
        Sight {
            now: moment.now,
            since,
            offset_millis: self.offset_millis,
            lead_millis: moment.lead_ms(),
            aligned_from: moment.aligned_from,
        }
    }

    /// The condition of a node that answers and is in step.
    pub(super) const fn condition(&self) -> Condition {
        match self.hearing {
            Hearing::Nothing => Condition::Isolated,
            Hearing::Everything | Hearing::Again | Hearing::BlocksOnly => Condition::Ready,
        }
    }
}
