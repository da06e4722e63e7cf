//! Telling the condition of the node: at each change in the log, every few minutes while something is wrong, and always to whoever looks.

use std::sync::Arc;
use std::time::Duration;

use bitpro_base::clock::Clock;
use bitpro_charge::{BlockRef, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::super::port::ChargesPort;
use super::super::status::{Condition, Hearing, NodeStatus, ZmqState};
use super::super::view::Hole;

pub(super) struct Teller<P> {
    port: Arc<P>,
    status: watch::Sender<NodeStatus>,
    reminding: Option<Reminding>,
}

/// When the log says again what has been wrong for long: whoever looks into it later must find it near its end.
const REMIND_AFTER: Duration = Duration::from_secs(5 * 60);

struct Reminding {
    clock: Arc<dyn Clock>,
    told: Mutex<Told>,
}

/// When something was told at last, by the clock that nobody sets.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Duration,
    since: Duration,
}

impl Told {
    const fn at(now: Duration) -> Self {
        Self { at: now, since: now }
    }

    /// For how long it has lasted, if that is to be told again.
    fn again(&mut self, now: Duration) -> Option<Duration> {
        let is_due = now.saturating_sub(self.at) >= REMIND_AFTER;
        is_due.then(|| {
            self.at = now;
            now.saturating_sub(self.since)
        })
    }
}

impl<P: ChargesPort> Teller<P> {
    pub(super) fn new(port: Arc<P>, status: watch::Sender<NodeStatus>, clock: Arc<dyn Clock>) -> Self {
        let told = Mutex::new(Told::at(clock.monotonic()));
        let teller = Self {
            port,
            status,
            reminding: Some(Reminding { clock, told }),
        };
        teller.port.set_node_condition(&Condition::Starting);
        teller.condition(Condition::Starting);
        teller
    }

    /// One that tells what the watcher itself cannot.
    pub(super) const fn beside(port: Arc<P>, status: watch::Sender<NodeStatus>) -> Self {
        Self {
            port,
            status,
            reminding: None,
        }
    }

    pub(super) fn condition(&self, condition: Condition) {
        let before = self.status.borrow().condition.clone();
        let is_news = condition.is_news_after(&before);
        if let Some(text) = self.text(&condition, is_news) {
            match &condition {
                Condition::Ready
                | Condition::Starting
                | Condition::Syncing { .. }
                | Condition::LoadingMempool
                | Condition::CatchingUp { .. } => tracing::info!("node: {text}"),
                Condition::Isolated => tracing::warn!("node: {text}"),
                Condition::Failing(_) | Condition::Held(_) | Condition::StoreFailing(_) | Condition::Stalled => {
                    tracing::error!("node: {text}");
                }
            }
        }
        if before == condition {
            return;
        }
        metrics::gauge!("bitpro_node_ready").set(if condition == Condition::Ready { 1 } else { 0 });
        // Under one lock, for there are two who tell.
        self.status.send_modify(|status| {
            self.port.set_node_condition(&condition);
            status.condition = condition;
        });
    }

    /// What the log is to say of a condition: that it is new, or that it has lasted for long.
    fn text(&self, condition: &Condition, is_news: bool) -> Option<String> {
        let Some(Reminding { clock, told }) = &self.reminding else {
            return is_news.then(|| condition.to_string());
        };
        let now = clock.monotonic();
        let mut told = told.lock();
        if is_news {
            *told = Told::at(now);
            return Some(condition.to_string());
        }
        if *condition == Condition::Ready {
            return None;
        }
        let lasted = told.again(now)?;
        Some(format!("{condition} (for {} minutes now)", lasted.as_secs() / 60))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_told_again_every_five_minutes_with_how_long_it_has_lasted() {
        let secs = Duration::from_secs;
        let mut told = Told::at(secs(100));
        assert_eq!(told.again(secs(100)), None);
        assert_eq!(told.again(secs(399)), None);
        assert_eq!(told.again(secs(400)), Some(secs(300)));
        assert_eq!(told.again(secs(401)), None);
        assert_eq!(told.again(secs(1_000)), Some(secs(900)));
    }
}
