//! What there is to do, from the wake-ups that have piled up and from the clock.

use std::sync::Arc;
use std::time::Duration;

use bitpro_base::clock::Clock;
use bitpro_charge::{Place, Timestamp, Txid};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::api::NodeApi;
use super::super::endpoint::Endpoints;
use super::super::port::ChargesPort;
use super::super::status::ZmqState;
use super::super::zmq::{Listener, Shortening, Topic, Wake};
use super::Watcher;

/// Wake-ups that may wait; more of them than a full block has transactions.
const INBOX: usize = 16_384;
/// Wake-ups taken in before something is done about them.
const MOST_AT_ONCE: usize = 4_096;

/// What there is to do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Agenda {
    /// Ask the node whether something was missed.
    pub poll: bool,
    /// Read the whole mempool.
    pub full: bool,
    /// Look for the best block.
    pub chain: bool,
    /// Look at transactions that came by, or left.
    pub pool: bool,
    /// The charges ask for a scan, or watch new scripts.
    pub asked: bool,
    /// With these readings, everything is known up to this instant.
    pub known_until: Option<Timestamp>,
}

impl Agenda {
    pub(super) const fn has_reading(self) -> bool {
        self.full || self.chain || self.pool
    }
}

/// The notifications, and how far they can be trusted.
pub(super) struct Feed {
    wakes: mpsc::Sender<Wake>,
    inbox: mpsc::Receiver<Wake>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    /// Notified when the charges ask for something, or somebody who was sent is back.
    asks: Arc<Notify>,
    /// What is listened to; the tasks end with the token.
    running: Option<(Endpoints, CancellationToken)>,
    rawtx: bool,
    sequence: bool,
    heard: bool,
    doubted: bool,
    silent: bool,
    next_poll: Instant,
}

impl Feed {
    pub(super) fn new(clock: Arc<dyn Clock>, stop: CancellationToken, asks: Arc<Notify>) -> Self {
        let (wakes, inbox) = mpsc::channel(INBOX);
        Self {
            wakes,
            inbox,
            clock,
            stop,
            asks,
            running: None,
            rawtx: false,
            sequence: false,
            heard: false,
            doubted: false,
            silent: false,
            next_poll: Instant::now(),
        }
    }

    /// Listens to these addresses, and to no others any more.
    pub(super) fn listen_to(&mut self, endpoints: Endpoints, shortening: &Shortening, node: &impl NodeApi) {
        if self.running.as_ref().is_some_and(|(running, _)| *running == endpoints) {
            return;
        }
        self.hang_up();
        let stop = self.stop.child_token();
        for (topic, endpoint) in [(Topic::RawTx, &endpoints.rawtx), (Topic::Sequence, &endpoints.sequence)] {
            if let Some(endpoint) = endpoint {
                let listener = Listener {
                    topic,
                    endpoint: endpoint.clone(),
                    wakes: self.wakes.clone(),
                    shortening: Arc::clone(shortening),
                    clock: Arc::clone(&self.clock),
                    stop: stop.clone(),
                };
                node.listen(listener);
            }
        }
        self.running = Some((endpoints, stop));
    }

    /// Drops the connections and makes new ones: a connection that was cut without a word never ends by itself.
    pub(super) fn reconnect(&mut self, shortening: &Shortening, node: &impl NodeApi) {
        if let Some((endpoints, _)) = self.running.clone() {
            self.hang_up();
            self.listen_to(endpoints, shortening, node);
        }
        self.silent = true;
    }

    fn hang_up(&mut self) {
        if let Some((_, stop)) = self.running.take() {
            stop.cancel();
        }
        (self.rawtx, self.sequence) = (false, false);
    }

    /// Whether everything that happens in the mempool is told, as far as we know.
    pub(super) const fn is_trusted(&self) -> bool {
        self.sequence && !self.silent
    }

    /// Whether transactions come by in full; else each has to be asked for.
    pub(super) const fn shows_transactions(&self) -> bool {
        self.rawtx && !self.silent
    }

    /// Whether anything was heard since this was last asked.
    pub(super) const fn take_heard(&mut self) -> bool {
        std::mem::replace(&mut self.heard, false)
    }

    /// Whether silence was suspected before, and nothing was heard since.
    pub(super) const fn doubt(&mut self) -> bool {
        std::mem::replace(&mut self.doubted, true)
    }

    pub(super) fn state(&self) -> ZmqState {
        match &self.running {
            Some((
                Endpoints {
                    rawtx,
                    sequence: Some(_),
                    ..
                },
                _,
            )) => match (self.silent, self.sequence) {
                (true, _) => ZmqState::Silent,
                (false, true) if self.rawtx || rawtx.is_none() => ZmqState::Live,
                (false, _) => ZmqState::Connecting,
            },
            _ => ZmqState::Absent,
        }
    }

    fn note(&mut self, wake: &Wake) {
        let topic = match wake {
            Wake::Up(topic) | Wake::Down(topic) | Wake::Gap(topic) => *topic,
            Wake::Tx { .. } => Topic::RawTx,
            Wake::Added { .. } | Wake::Removed { .. } | Wake::Chain => Topic::Sequence,
        };
        // What is heard is connected, whatever was said of the connection before.
        let is_connected = !matches!(wake, Wake::Down(_));
        match topic {
            Topic::RawTx => self.rawtx = is_connected,
            Topic::Sequence => self.sequence = is_connected,
        }
        if !matches!(wake, Wake::Up(_) | Wake::Down(_)) {
            self.heard = true;
            self.doubted = false;
            self.silent = false;
        }
    }

    async fn next(&mut self, shutdown: &CancellationToken) -> Event {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => Event::Shutdown,
            () = tokio::time::sleep_until(self.next_poll) => Event::Poll,
            () = self.asks.notified() => Event::Asked,
            Some(wake) = self.inbox.recv() => Event::Wake(wake),
        }
    }
}

impl Drop for Feed {
    /// The tasks would go on listening for nobody.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

enum Event {
    Shutdown,
    Poll,
    Asked,
    Wake(Wake),
}

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    /// Waits for something to do; `None` when it is time to stop.
    pub(super) fn next_agenda(&mut self) -> Option<Agenda> {
        let runtime = self.runtime.clone();
        let mut agenda = Agenda::default();
        match runtime.block_on(self.feed.next(&self.shutdown)) {
            Event::Shutdown => return None,
            Event::Poll => {
                agenda.poll = true;
                self.feed.next_poll = Instant::now() + self.config.poll_interval.max(Duration::from_millis(10));
            }
            Event::Asked => agenda.asked = true,
            Event::Wake(wake) => self.take_in(wake, &mut agenda),
        }
        self.take_in_waiting(&mut agenda);
        Some(agenda)
    }

    /// Takes in what waits already.
    pub(super) fn take_in_waiting(&mut self, agenda: &mut Agenda) {
        for _ in 0..MOST_AT_ONCE {
            match self.feed.inbox.try_recv() {
                Ok(wake) => self.take_in(wake, agenda),
                Err(_) => break,
            }
        }
    }

    /// Starts to listen where the node publishes.
    pub(super) fn listen_to(&mut self, endpoints: Endpoints) {
        let shortening = self.shortening();
        self.feed.listen_to(endpoints, &shortening, &*self.node);
    }

    /// Connects anew.
    pub(super) fn reconnect(&mut self) {
        let shortening = self.shortening();
        self.feed.reconnect(&shortening, &*self.node);
    }

    fn shortening(&self) -> Shortening {
        let port = Arc::clone(&self.port);
        Arc::new(move |script| port.fingerprint(script))
    }

    fn take_in(&mut self, wake: Wake, agenda: &mut Agenda) {
        self.feed.note(&wake);
        match wake {
            Wake::Up(_) => agenda.full = true,
            Wake::Gap(topic) => {
                metrics::counter!("bitpro_zmq_gaps_total", "topic" => topic.as_str()).increment(1);
                agenda.full = true;
                agenda.chain = true;
            }
            Wake::Down(_) => {}
            Wake::Chain => agenda.chain = true,
            Wake::Tx { txid, outputs, at } => {
                let pays = outputs.iter().any(|&script| self.port.is_watched(script));
                // Mined payments come by again with their block; the block is read anyway.
                if pays && self.known.get(txid).is_none() {
                    self.mirror.received(txid, outputs, at);
                    agenda.pool = true;
                } else {
                    self.mirror.examined(txid, outputs, false);
                }
            }
            Wake::Added { txid, sequence } => {
                self.mirror.added(txid, sequence);
                agenda.pool |= self.is_missing(txid) || !self.feed.shows_transactions();
            }
            Wake::Removed { txid, sequence } => {
                self.mirror.removed(txid, sequence);
                if self.known.get(txid).is_some_and(|tx| tx.place == Place::Mempool) {
                    self.miss(txid);
                    agenda.pool = true;
                }
            }
        }
    }

    fn is_missing(&self, txid: Txid) -> bool {
        self.missing.contains_key(&txid)
    }
}
