//! Listening to the node's notifications. They wake the watcher and say nothing that it believes (R7).

use std::sync::Arc;
use std::time::Duration;

use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash as _;
use bitpro_base::clock::Clock;
use bitpro_charge::{Timestamp, Txid};
use bytes::Bytes;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::convert;
use super::view::Fingerprint;
use super::zmtp::Subscription;

/// How long the node may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause before a lost connection is tried again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// A topic of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Every transaction that enters the mempool, and those of every block that is connected or disconnected.
    RawTx,
    /// Every change of mempool and chain, by id.
    Sequence,
}

impl Topic {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::RawTx => "rawtx",
            Self::Sequence => "sequence",
        }
    }

    /// The name in `getzmqnotifications`.
    pub(super) const fn notification(self) -> &'static str {
        match self {
            Self::RawTx => "pubrawtx",
            Self::Sequence => "pubsequence",
        }
    }
}

/// A reason to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// A transaction came by.
    Tx {
        /// Its id, computed from its bytes.
        txid: Txid,
        /// The scripts that it pays, in short. Whether one of them is watched is looked up when this is taken in: scripts that
        /// are watched while it is under way would be missed otherwise (R27).
        outputs: Box<[Fingerprint]>,
        /// When it came: the watcher may be waiting for the node meanwhile, and get to it much later (R5).
        at: Timestamp,
    },
    /// A transaction entered the mempool.
    Added {
        /// Which.
        txid: Txid,
        /// The mempool's number of this change.
        sequence: u64,
    },
    /// A transaction left the mempool, and not into a block.
    Removed {
        /// Which.
        txid: Txid,
        /// The mempool's number of this change.
        sequence: u64,
    },
    /// A block was connected or disconnected.
    Chain,
    /// Something was or may have been missed.
    Gap(Topic),
    /// The topic is connected, or begins to speak: what was said before is unknown.
    Up(Topic),
    /// The topic is not connected any more.
    Down(Topic),
}

/// Makes the short hash of a script.
pub type Shortening = Arc<dyn Fn(&[u8]) -> Fingerprint + Send + Sync>;

/// Where one topic is listened to, and who is told.
pub struct Listener {
    /// Which topic.
    pub topic: Topic,
    /// Where it is published.
    pub endpoint: String,
    /// Who is told.
    pub wakes: Sender<Wake>,
    /// How scripts are told.
    pub shortening: Shortening,
    /// When something came.
    pub clock: Arc<dyn Clock>,
    /// When nobody wants to hear any more.
    pub stop: CancellationToken,
}

impl Listener {
    /// Listens until it is stopped, connecting again as often as needed.
    pub(super) async fn run(self) {
        let mut outlet = Outlet {
            topic: self.topic,
            wakes: self.wakes.clone(),
            is_behind: false,
        };
        let listening = async {
            loop {
                if let Err(error) = self.listen(&mut outlet).await {
                    tracing::debug!(topic = self.topic.as_str(), endpoint = %self.endpoint, %error, "ZMQ connection ended");
                }
                outlet.put(Wake::Down(self.topic));
                metrics::counter!("bitpro_zmq_reconnects_total", "topic" => self.topic.as_str()).increment(1);
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
        };
        // Stopping drops the socket, and with it the connection.
        self.stop.run_until_cancelled(listening).await;
    }

    async fn listen(&self, outlet: &mut Outlet) -> std::io::Result<()> {
        let connecting = Subscription::connect(&self.endpoint, self.topic.as_str());
        let mut subscription = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await??;
        outlet.put(Wake::Up(self.topic));
        let mut counter = Counter::default();
        loop {
            let message = subscription.next().await?;
            match number_of(&message).map(|number| counter.step(number)) {
                // What was published while we subscribed is unknown.
                Some(Step::First) => outlet.put(Wake::Up(self.topic)),
                Some(Step::Gap) => outlet.put(Wake::Gap(self.topic)),
                Some(Step::Next) | None => {}
            }
            if let Some(wake) = self.understand(&message) {
                outlet.put(wake);
            }
        }
    }

    pub(super) fn understand(&self, message: &[Bytes]) -> Option<Wake> {
        let body = message.get(1)?;
        match self.topic {
            Topic::Sequence => sequence_wake(body),
            Topic::RawTx => {
                let tx: bitcoin::Transaction = deserialize(body).ok()?;
                Some(self.came_by(&tx))
            }
        }
    }

    /// What is told of a transaction that comes by now.
    #[must_use]
    pub fn came_by(&self, tx: &bitcoin::Transaction) -> Wake {
        let outputs = tx.output.iter();
        Wake::Tx {
            at: self.clock.now(),
            txid: convert::txid(tx.compute_txid()),
            outputs: outputs
                .map(|output| (self.shortening)(output.script_pubkey.as_bytes()))
                .collect(),
        }
    }
}

/// Hands wake-ups over without ever waiting: a watcher that is behind reads everything anew when it gets there.
struct Outlet {
    topic: Topic,
    wakes: Sender<Wake>,
    is_behind: bool,
}

impl Outlet {
    fn put(&mut self, wake: Wake) {
        if self.is_behind && self.wakes.try_send(Wake::Gap(self.topic)).is_ok() {
            self.is_behind = false;
        }
        if let Err(TrySendError::Full(_)) = self.wakes.try_send(wake) {
            self.is_behind = true;
        }
    }
}

/// The counter that the node puts on every message of a topic: the only thing that tells a loss. (The mempool's own sequence has
/// holes at every block.)
#[derive(Debug, Default)]
struct Counter {
    last: Option<u32>,
}

/// How a message follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    First,
    Next,
    Gap,
}

impl Counter {
    fn step(&mut self, number: u32) -> Step {
        match self.last.replace(number) {
            None => Step::First,
            Some(last) if last.wrapping_add(1) == number => Step::Next,
            Some(_) => Step::Gap,
        }
    }
}

fn number_of(message: &[Bytes]) -> Option<u32> {
    let frame = message.get(2)?;
    Some(u32::from_le_bytes(frame.as_ref().try_into().ok()?))
}

/// `<32-byte hash>C`, `<hash>D`, `<hash>A<8-byte sequence>` or `<hash>R<8-byte sequence>`; hashes in the order in which they are
/// printed, sequences little-endian (Bitcoin Core, `doc/zmq.md`).
fn sequence_wake(body: &[u8]) -> Option<Wake> {
    let (hash, rest) = body.split_at_checked(32)?;
    let (&label, rest) = rest.split_first()?;
    let mut bytes: [u8; 32] = hash.try_into().ok()?;
    bytes.reverse();
    let txid = convert::txid(bitcoin::Txid::from_byte_array(bytes));
    let sequence = || Some(u64::from_le_bytes(rest.try_into().ok()?));
    match label {
        b'C' | b'D' => Some(Wake::Chain),
        b'A' => Some(Wake::Added {
            txid,
            sequence: sequence()?,
        }),
        b'R' => Some(Wake::Removed {
            txid,
            sequence: sequence()?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(label: u8, sequence: Option<u64>) -> Vec<u8> {
        let mut body: Vec<u8> = (0..32).rev().collect();
        body.push(label);
        body.extend(sequence.map(u64::to_le_bytes).into_iter().flatten());
        body
    }

    #[test]
    fn the_sequence_topic_is_understood() {
        let txid = Txid(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert_eq!(sequence_wake(&body(b'C', None)), Some(Wake::Chain));
        assert_eq!(sequence_wake(&body(b'D', None)), Some(Wake::Chain));
        assert_eq!(
            sequence_wake(&body(b'A', Some(7))),
            Some(Wake::Added { txid, sequence: 7 })
        );
        assert_eq!(
            sequence_wake(&body(b'R', Some(8))),
            Some(Wake::Removed { txid, sequence: 8 })
        );
        assert_eq!(sequence_wake(&body(b'A', None)), None);
        assert_eq!(sequence_wake(b"short"), None);
    }

    #[test]
    fn r07_gaps_are_judged_by_the_counter_of_the_topic() {
        let mut counter = Counter::default();
        assert_eq!(counter.step(41), Step::First);
        assert_eq!(counter.step(42), Step::Next);
        assert_eq!(counter.step(44), Step::Gap);
        assert_eq!(counter.step(45), Step::Next);
        assert_eq!(counter.step(0), Step::Gap, "the node was restarted");
        assert_eq!(counter.step(u32::MAX), Step::Gap);
        assert_eq!(counter.step(0), Step::Next, "the counter goes round");
    }

    #[tokio::test]
    async fn a_watcher_that_is_behind_is_told_that_something_was_missed() {
        let (wakes, mut inbox) = tokio::sync::mpsc::channel(1);
        let mut outlet = Outlet {
            topic: Topic::Sequence,
            wakes,
            is_behind: false,
        };
        outlet.put(Wake::Chain);
        outlet.put(Wake::Chain);
        assert_eq!(inbox.try_recv(), Ok(Wake::Chain));
        outlet.put(Wake::Chain);
        assert_eq!(inbox.try_recv(), Ok(Wake::Gap(Topic::Sequence)));
    }
}
