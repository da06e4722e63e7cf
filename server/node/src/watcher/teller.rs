//! Telling the condition of the node: once at each change in the log, and always to whoever looks.

use std::sync::Arc;

use bitpro_charge::{BlockRef, Timestamp};
use tokio::sync::watch;

use super::super::port::ChargesPort;
use super::super::status::{Condition, Hearing, NodeStatus, ZmqState};
use super::super::view::Hole;

pub(super) struct Teller<P> {
    port: Arc<P>,
    status: watch::Sender<NodeStatus>,
}

impl<P: ChargesPort> Teller<P> {
    pub(super) fn new(port: Arc<P>, status: watch::Sender<NodeStatus>) -> Self {
        let teller = Self { port, status };
        teller.port.set_node_condition(&Condition::Starting);
        teller.condition(Condition::Starting);
        teller
    }

    /// One that tells what the watcher itself cannot.
    pub(super) const fn beside(port: Arc<P>, status: watch::Sender<NodeStatus>) -> Self {
        Self { port, status }
    }

    pub(super) fn condition(&self, condition: Condition) {
        let before = self.status.borrow().condition.clone();
        if before == condition {
            return;
        }
        if condition.is_news_after(&before) {
            match &condition {
                Condition::Ready => tracing::info!("node: {condition}"),
                Condition::Starting
                | Condition::Syncing { .. }
                | Condition::LoadingMempool
                | Condition::CatchingUp { .. } => tracing::info!("node: {condition}"),
                Condition::Isolated => tracing::warn!("node: {condition}"),
                Condition::Failing(_) | Condition::Held(_) | Condition::StoreFailing(_) | Condition::Stalled => {
                    tracing::error!("node: {condition}");
                }
            }
        }
        metrics::gauge!("bitpro_node_ready").set(if condition == Condition::Ready { 1 } else { 0 });
        // Under one lock, for there are two who tell.
        self.status.send_modify(|status| {
            self.port.set_node_condition(&condition);
            status.condition = condition;
        });
    }

    pub(super) fn node_height(&self, height: u32) {
        metrics::gauge!("bitpro_node_height").set(height);
        self.status
            .send_if_modified(|status| status.node_height.replace(height) != Some(height));
    }

    pub(super) fn hearing(&self, hearing: Hearing, tip_time: Option<Timestamp>) {
        let before = self.status.borrow().hearing;
        if before != hearing {
            match hearing {
                Hearing::Everything => tracing::info!("{hearing}"),
                // The condition tells of it.
                Hearing::Nothing => {}
                Hearing::Again | Hearing::BlocksOnly => tracing::warn!("{hearing}"),
            }
        }
        self.status.send_if_modified(|status| {
            let has_changed = (status.hearing, status.tip_time) != (hearing, tip_time);
            (status.hearing, status.tip_time) = (hearing, tip_time);
            has_changed
        });
    }

    pub(super) fn position(
        &self,
        tip: Option<BlockRef>,
        observed_until: Option<Timestamp>,
        zmq: ZmqState,
        hole: Option<Hole>,
    ) {
        let before = self.status.borrow().clone();
        if before.zmq != zmq {
            match zmq {
                ZmqState::Live => tracing::info!("{zmq}"),
                ZmqState::Absent | ZmqState::Connecting | ZmqState::Silent => tracing::warn!("{zmq}"),
            }
        }
        match (before.hole, hole) {
            (None, Some(hole)) => tracing::error!(
                from = hole.from,
                to = hole.to,
                "the node has pruned blocks that were not read: charges that were open then neither time out nor fail until \
                 `accept_block` names a block above them"
            ),
            (Some(_), None) => tracing::info!("the operator vouches for the blocks that were not read"),
            _ => {}
        }
        self.status.send_if_modified(|status| {
            let after = NodeStatus {
                tip,
                observed_until,
                zmq,
                hole,
                ..status.clone()
            };
            let has_changed = *status != after;
            *status = after;
            has_changed
        });
    }
}
