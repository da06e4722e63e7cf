//! The one loop that owns what is known of the node: woken by ZMQ or by the clock, it reads, compares, and hands whole changes of
//! view to the charges.

mod absence;
mod agenda;
mod chain;
mod greeting;
mod hearing;
mod hole;
mod mempool;
mod opening;
mod polling;
mod stepped;
mod storing;
mod teller;
#[cfg(test)]
mod tests;
mod watchdog;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bitpro_base::clock::Clock;
use bitpro_charge::{BlockRef, Timestamp, Txid};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::absence::Missing;
use self::agenda::{Agenda, Feed};
use self::chain::Stretch;
use self::opening::Opening;
use self::teller::Teller;
use super::api::{NodeApi, RealNode, Waiter};
use super::config::NodeConfig;
use super::diff::{ChainReading, PoolReading, Rules, contradicts_itself, diff};
use super::error::NodeError;
use super::known::Known;
use super::mirror::Mirror;
use super::port::ChargesPort;
use super::rpc::answers::MempoolState;
use super::rpc::{Asking, Pulse};
use super::scan::Scanner;
use super::status::{Condition, Hearing, Hold, NodeStatus};
use super::view::{Tip, View};

pub use self::stepped::Stepped;

/// How often a view is read again because the node moved meanwhile, before the next poll takes over.
const ATTEMPTS: u32 = 20;
/// Pause before a watcher that has failed starts anew.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// A watcher that has neither begun a turn nor got an answer, or a failure, of the node for so long is stalled: no call takes half of it.
const STALLED_AFTER: Duration = Duration::from_secs(60);
/// A watcher at work.
#[derive(Debug)]
pub struct Watching {
    /// The condition of the node, always the latest.
    pub status: watch::Receiver<NodeStatus>,
    /// Answers when the watcher has stopped, after it was asked to and has stored how far everything was known.
    pub stopped: oneshot::Receiver<()>,
}

/// Starts to watch the node for `port`, until `shutdown` is cancelled. A call to a node that is under way is broken off then.
///
/// # Errors
/// When the operating system refuses a thread.
///
/// # Panics
/// When it is called outside a Tokio runtime.
pub fn watch<P: ChargesPort>(
    config: NodeConfig,
    port: Arc<P>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> std::io::Result<Watching> {
    let (status, receiver) = watch::channel(NodeStatus::starting());
    let runtime = Handle::current();
    let (stopping, stopped) = oneshot::channel();
    let asking = Asking {
        stop: shutdown.clone(),
        ..Asking::alone()
    };
    let beside = Teller::beside(Arc::clone(&port), status.clone());
    let patience = STALLED_AFTER.saturating_add(config.poll_interval);
    runtime.spawn(watchdog::keep(
        asking.pulse.clone(),
        patience,
        shutdown.clone(),
        move || {
            beside.condition(Condition::Stalled);
        },
    ));
    let watching = move || {
        let start = || {
            let (port, clock) = (Arc::clone(&port), Arc::clone(&clock));
            Watcher::new(
                config.clone(),
                port,
                Arc::new(RealNode::asked_by(&config, runtime.clone(), asking.clone())),
                clock,
                Waiter::Others(runtime.clone()),
                shutdown.clone(),
                status.clone(),
            )
            .run(&asking.pulse);
        };
        // A defect must not end the watching in silence; all that the loop knows can be had again from the charges and the node.
        while catch_unwind(AssertUnwindSafe(start)).is_err() && !shutdown.is_cancelled() {
            tracing::error!("the watcher has failed; it restarts from what is stored");
            metrics::counter!("bitpro_watcher_failures_total").increment(1);
            std::thread::sleep(RESTART_PAUSE);
        }
        // Nobody needs to wait for the end.
        let _ = stopping.send(());
    };
    // The calls to the node block, so the loop has a thread of its own; one of the runtime's would hold up the end of the process.
    std::thread::Builder::new()
        .name("node-watcher".to_owned())
        .spawn(watching)?;
    Ok(Watching {
        status: receiver,
        stopped,
    })
}

struct Watcher<P: ChargesPort, N: NodeApi> {
    config: NodeConfig,
    port: Arc<P>,
    clock: Arc<dyn Clock>,
    runtime: Waiter,
    shutdown: CancellationToken,
    node: Arc<N>,
    feed: Feed,
    teller: Teller<P>,
    scanner: Scanner<N>,
    openings: Vec<Opening>,
    known: Known,
    mirror: Mirror,
    missing: HashMap<Txid, Missing>,
    /// The ancestors of unconfirmed payments, to send them again together.
    ancestors: HashMap<Txid, Vec<Vec<u8>>>,
    /// Where the charges stand; `None` before they were asked or given a first tip.
    stand: Option<Stand>,
    /// The latest tip that the charges were given, and when we learned of it: known also when it is open whether they stored it.
    tip_given: Option<(BlockRef, Timestamp)>,
    /// How often others had told of payments when the known ones were loaded.
    told_by_others: u64,
    /// The node was found to be the right one, and able, since the last failure.
    is_acquainted: bool,
    /// Something failed: wake-ups have to wait for the next poll.
    awaits_poll: bool,
    /// Something may be half done or missed: everything is to be read at the next poll.
    owes_reading: bool,
    mempool_before: Option<MempoolState>,
    /// By the clock that nobody sets.
    last_full_reading: Duration,
    /// The node is behind the headers that it knows: a payment may stand in a block that it lacks (R3).
    is_node_behind: bool,
    /// What reaches the node.
    hearing: Hearing,
    /// It has heard everything since the last full knowledge, as far as that was found out.
    has_heard_all: bool,
    /// When it was last looked at, by a clock that nobody sets.
    looked_at: Option<Duration>,
    /// When the machine woke up, until all is known again that was told while it slept.
    woke_at: Option<Timestamp>,
    offset_millis: i64,
    held: Option<(bitcoin::BlockHash, Hold)>,
}

#[derive(Debug, Clone, Copy)]
struct Stand {
    tip: Tip,
    /// When we learned of the tip: the "parent's receipt" of the next block (R5).
    tip_received: Timestamp,
    /// The instant up to which everything was read.
    observed_until: Option<Timestamp>,
    /// The same, as the charges have stored it.
    stored_until: Option<Timestamp>,
}

/// Why a view was not made.
#[derive(Debug)]
enum Trouble {
    Node(NodeError),
    /// The node moved while it was read.
    Moved,
    /// The node is not ready: this is its condition.
    NotReady(Condition),
    /// The charges could not be read or written.
    Store(String),
}

impl From<NodeError> for Trouble {
    fn from(error: NodeError) -> Self {
        match error {
            // A block of the best chain that is gone was pruned between two calls: what is left shows at the next reading.
            NodeError::Pruned(_) => Self::Moved,
            other => Self::Node(other),
        }
    }
}

fn store_trouble(error: impl std::error::Error) -> Trouble {
    Trouble::Store(error.to_string())
}

/// Whether there is more of the same to do.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Done,
    /// A long way is gone in stretches.
    More,
}

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    fn new(
        config: NodeConfig,
        port: Arc<P>,
        node: Arc<N>,
        clock: Arc<dyn Clock>,
        runtime: Waiter,
        shutdown: CancellationToken,
        status: watch::Sender<NodeStatus>,
    ) -> Self {
        Self {
            feed: Feed::new(Arc::clone(&clock), shutdown.child_token(), port.asks()),
            teller: Teller::new(Arc::clone(&port), status, Arc::clone(&clock)),
            scanner: Scanner::new(Arc::clone(&node), port.asks()),
            openings: Vec::new(),
            known: Known::default(),
            mirror: Mirror::default(),
            missing: HashMap::new(),
            ancestors: HashMap::new(),
            stand: None,
            tip_given: None,
            told_by_others: 0,
            is_acquainted: false,
            awaits_poll: true,
            owes_reading: true,
            mempool_before: None,
            last_full_reading: clock.monotonic(),
            is_node_behind: false,
            hearing: Hearing::Everything,
            has_heard_all: false,
            looked_at: None,
            woke_at: None,
            offset_millis: 0,
            held: None,
            config,
            port,
            node,
            clock,
            runtime,
            shutdown,
        }
    }

    fn run(mut self, pulse: &Pulse) {
        while let Some(agenda) = self.next_agenda() {
            pulse.beat();
            match self.work(agenda) {
                // The call was broken off; the node may be well.
                Err(Trouble::Node(_)) if self.shutdown.is_cancelled() => {}
                Err(trouble) => self.endure(trouble),
                Ok(()) => {}
            }
        }
        self.farewell();
    }

    fn work(&mut self, mut agenda: Agenda) -> Result<(), Trouble> {
        if agenda.poll {
            if !self.is_acquainted {
                self.greet()?;
                self.is_acquainted = true;
                self.owes_reading = true;
            }
            self.poll(&mut agenda)?;
            self.awaits_poll = false;
        } else if self.awaits_poll {
            // A node that is away or not able is not asked at every message that is still under way; the poll reads everything.
            return Ok(());
        }
        // Before every reading, for a block that comes first would be read without what is now known.
        if self.port.told_by_others() != self.told_by_others {
            self.load()?;
            agenda.chain = true;
            agenda.full = true;
        }
        self.meet_new_scripts(&mut agenda)?;
        if agenda.has_reading() {
            self.settle(agenda)?;
        } else if let Some(instant) = agenda.known_until {
            self.know_until(instant)?;
        }
        self.teller.condition(self.condition());
        self.tell_position();
        if agenda.poll || agenda.asked {
            self.scan_if_wanted();
        }
        Ok(())
    }

    /// Reads until old and new view are the same.
    fn settle(&mut self, mut agenda: Agenda) -> Result<(), Trouble> {
        let mut attempts = 0;
        loop {
            match self.pass(&agenda) {
                Ok(Progress::Done) => return Ok(()),
                Ok(Progress::More) | Err(Trouble::Moved) if self.shutdown.is_cancelled() => return Ok(()),
                Ok(Progress::More) => attempts = 0,
                Err(Trouble::Moved) if attempts < ATTEMPTS => {
                    attempts += 1;
                    agenda.chain = true;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// One reading of chain and mempool under one tip, and the change of view that comes of it.
    fn pass(&mut self, agenda: &Agenda) -> Result<Progress, Trouble> {
        let started = self.clock.now();
        let stand = self.stand()?;
        let mut stretch = if agenda.chain {
            self.read_chain(stand)?
        } else {
            Stretch::unchanged(stand.tip)
        };
        if !stretch.is_whole {
            let view = self.view(stretch.reading.clone(), PoolReading::default(), stand.observed_until);
            self.store(view, &stretch, started)?;
            // The operator may have vouched for a hole before it was met.
            self.close_hole_if_accepted()?;
            return Ok(Progress::More);
        }
        if agenda.full {
            let mut mined = self.read_overlooked(stand, stretch.reading.fork_height)?;
            mined.append(&mut stretch.reading.mined);
            stretch.reading.mined = mined;
        }
        let pool = self.read_pool(agenda.full, &stretch.reading)?;
        if contradicts_itself(&pool) || self.node.best()? != stretch.node_tip() {
            return Err(Trouble::Moved);
        }
        // Less than a full reading proves nothing about what did not come by: only a poll can vouch for that.
        let known_until = if agenda.full {
            Some(started)
        } else {
            agenda.known_until.filter(|_| self.mirror.is_complete())
        };
        let by_blocks = self.known_by_blocks(stand, !stretch.reading.connected.is_empty());
        let known_until = known_until.filter(|_| self.knows_up_to_now()).max(by_blocks);
        let observed_until = stand.observed_until.max(known_until);
        let view = self.view(stretch.reading.clone(), pool, observed_until);
        self.store(view, &stretch, started)?;
        self.mirror.reported();
        if agenda.full {
            self.last_full_reading = self.clock.monotonic();
            self.owes_reading = false;
            self.give_out()?;
        }
        Ok(Progress::Done)
    }

    fn view(&self, chain: ChainReading, pool: PoolReading, observed_until: Option<Timestamp>) -> View {
        let rules = Rules {
            now: self.clock.now(),
            dropped_after_secs: self.config.dropped_after_secs,
            unread_until: self.unread_until(),
            observed_until: observed_until.unwrap_or(Timestamp(0)),
        };
        diff(&self.known, chain, pool, rules)
    }

    fn stand(&self) -> Result<Stand, Trouble> {
        self.stand.ok_or(Trouble::NotReady(Condition::Starting))
    }

    fn endure(&mut self, trouble: Trouble) {
        self.owes_reading = true;
        self.awaits_poll = true;
        let condition = match trouble {
            // The node never stood still long enough; the next poll tries again, and nothing is wrong.
            Trouble::Moved => return,
            Trouble::NotReady(condition) => condition,
            Trouble::Store(error) => {
                // It may have been stored nevertheless, with only the answer lost.
                self.forget_position();
                Condition::StoreFailing(error)
            }
            Trouble::Node(error) => {
                // Whoever answers next may be another node, or the same with another cookie; it may have been away from others.
                self.is_acquainted = false;
                self.has_heard_all = false;
                Condition::Failing(error)
            }
        };
        self.teller.condition(condition);
        self.tell_position();
    }

    /// Forgets where the charges stand and what they know: it is loaded again before anything else is done.
    fn forget_position(&mut self) {
        self.stand = None;
        self.known = Known::default();
        self.held = None;
        self.is_acquainted = false;
    }

    fn tell_position(&mut self) {
        let hole = self.port.hole();
        let zmq = self.feed.state();
        let stand = self.stand;
        self.teller.position(
            stand.map(|stand| stand.tip.block),
            stand.and_then(|stand| stand.observed_until),
            zmq,
            hole,
        );
    }
}
