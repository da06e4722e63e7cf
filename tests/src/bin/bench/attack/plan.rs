//! What the strangers know and are to do, and what became of them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpSocket, TcpStream};

use super::Door;
use crate::stopwatch::now;

/// The first of the strangers' own addresses: all of 127.0.0.0/8 is this machine.
const FIRST_SOURCE: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 0);
/// The first of the addresses that a proxy tells of them.
const FIRST_TOLD: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 0);

/// What they are to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Where.
    pub door: Door,
    /// The server's port.
    pub port: u16,
    /// How long.
    pub seconds: u64,
    /// So many requests, or new connections, a second.
    pub pace: u32,
    /// So many addresses.
    pub sources: u32,
    /// A merchant with a page.
    pub merchant: String,
    /// Pages of charges.
    pub charges: Vec<String>,
    /// The owner's address.
    pub email: String,
    /// The id of a key of the API.
    pub key: String,
    /// Files that everybody may fetch.
    pub files: Vec<String>,
}

/// What became of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Requests or connections, begun.
    pub begun: u64,
    /// The same by how they ended.
    pub ends: BTreeMap<String, u64>,
    /// Connections or streams, most at once.
    pub most_held: u64,
    /// How long it went on.
    pub seconds: f64,
}

/// Counts what becomes of them.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<(Outcome, u64)>>);

impl Plan {
    /// When it is over.
    pub fn end(&self) -> Instant {
        now() + Duration::from_secs(self.seconds)
    }

    /// Connects from the address of a stranger.
    pub async fn connect(&self, stranger: u32, receive_buffer: Option<u32>) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((address(FIRST_SOURCE, stranger), 0).into())?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.connect(([127, 0, 0, 1], self.port).into()).await
    }

    /// The header by which a proxy tells of a stranger.
    pub fn told_by_proxy(stranger: u32) -> String {
        format!("X-Forwarded-For: {}\r\n", address(FIRST_TOLD, stranger))
    }
}

fn address(first: Ipv4Addr, nth: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits() + nth)
}

impl Tally {
    /// One has begun.
    pub fn begun(&self) {
        self.0.lock().0.begun += 1;
    }

    /// One has ended.
    pub fn ended(&self, how: &str) {
        *self.0.lock().0.ends.entry(how.to_owned()).or_default() += 1;
    }

    /// One holds something from now on.
    pub fn holds(&self) {
        let (outcome, held) = &mut *self.0.lock();
        *held += 1;
        outcome.most_held = outcome.most_held.max(*held);
    }

    /// One holds it no more.
    pub fn lets_go(&self) {
        self.0.lock().1 -= 1;
    }

    /// All of it.
    pub fn outcome(&self, seconds: f64) -> Outcome {
        Outcome {
            seconds,
            ..self.0.lock().0.clone()
        }
    }
}
