//! Open streams, counted by client, by what they follow, and all together.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_base::client::Client;
use parking_lot::Mutex;

use super::connections::give_back;
use super::refused;

/// The client, what it wants to follow, or the whole instance has as many streams as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyStreams;

/// What a stream follows: a charge by its id, or everything that one account may see.
pub type Topic = [u8; 16];

/// Who can have made what a stream follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// Anybody, by an unsigned link.
    Anybody,
    /// The merchant, whose signature or key made it.
    Merchant,
}

/// This part of all streams is kept for charges that merchants made.
const KEPT_PART: usize = 4;

/// The counters. Clones share them.
#[derive(Debug, Clone)]
pub struct Streams(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    per_client: u32,
    per_topic: u32,
    most: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    clients: HashMap<Client, u32>,
    topics: HashMap<Topic, u32>,
    total: usize,
    /// Those of charges that anybody made.
    anybodys: usize,
}

/// The right to one open stream, given back when it is dropped.
#[derive(Debug)]
pub struct StreamPermit {
    shared: Arc<Shared>,
    client: Client,
    topic: Topic,
    maker: Maker,
}

impl Streams {
    /// Counters with their limits, the last one for the whole instance.
    #[must_use]
    pub fn new(per_client: u32, per_topic: u32, most: usize) -> Self {
        Self(Arc::new(Shared {
            per_client,
            per_topic,
            most,
            open: Mutex::default(),
        }))
    }

    /// Counts a stream of a shopper in. Strangers make charges and streams to them as they like, so that a part is kept for the
    /// others.
    ///
    /// # Errors
    /// [`TooManyStreams`].
    pub fn open(&self, client: Client, topic: Topic, maker: Maker) -> Result<StreamPermit, TooManyStreams> {
        self.open_within(client, topic, maker, self.0.most)
    }

    /// Counts a stream of somebody in who has logged in. However many streams strangers have, it finds its place.
    ///
    /// # Errors
    /// [`TooManyStreams`].
    pub fn open_for_member(&self, client: Client, account: Topic) -> Result<StreamPermit, TooManyStreams> {
        self.open_within(client, account, Maker::Merchant, usize::MAX)
    }

    fn open_within(
        &self,
        client: Client,
        topic: Topic,
        maker: Maker,
        most: usize,
    ) -> Result<StreamPermit, TooManyStreams> {
        let mut open = self.0.open.lock();
        let held = |count: Option<&u32>| count.copied().unwrap_or(0);
        if held(open.clients.get(&client)) >= self.0.per_client {
            refused("stream_client");
            return Err(TooManyStreams);
        }
        if held(open.topics.get(&topic)) >= self.0.per_topic {
            refused("stream_topic");
            return Err(TooManyStreams);
        }
        if open.total >= most {
            refused("stream_instance");
            return Err(TooManyStreams);
        }
        if maker == Maker::Anybody {
            if open.anybodys >= most - most / KEPT_PART {
                refused("stream_anybody");
                return Err(TooManyStreams);
            }
            open.anybodys += 1;
        }
        *open.clients.entry(client).or_default() += 1;
        *open.topics.entry(topic).or_default() += 1;
        open.total += 1;
        Ok(StreamPermit {
            shared: Arc::clone(&self.0),
            client,
            topic,
            maker,
        })
    }

    /// How many streams are open.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.open.lock().total
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock();
        give_back(&mut open.clients, &self.client);
        give_back(&mut open.topics, &self.topic);
        open.total -= 1;
        if self.maker == Maker::Anybody {
            open.anybodys -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn client(n: u8) -> Client {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)).into()
    }

    const fn charge(n: u8) -> Topic {
        [n; 16]
    }

    #[test]
    fn a_client_and_a_charge_have_their_own_limits_and_get_back_what_they_close() {
        let streams = Streams::new(3, 2, 100);
        let first = streams.open(client(1), charge(1), Maker::Anybody).unwrap();
        let second = streams.open(client(1), charge(1), Maker::Anybody).unwrap();
        assert_eq!(
            streams.open(client(2), charge(1), Maker::Anybody).unwrap_err(),
            TooManyStreams
        );
        let third = streams.open(client(1), charge(2), Maker::Anybody).unwrap();
        assert_eq!(
            streams.open(client(1), charge(3), Maker::Anybody).unwrap_err(),
            TooManyStreams
        );
        assert_eq!(streams.total(), 3);
        drop(first);
        assert!(streams.open(client(2), charge(1), Maker::Anybody).is_ok());
        drop((second, third));
        assert_eq!(streams.total(), 0);
        let open = streams.0.open.lock();
        assert!(open.clients.is_empty() && open.topics.is_empty() && open.anybodys == 0);
    }

    #[test]
    fn all_clients_together_have_no_more_streams_than_the_instance_may() {
        let streams = Streams::new(10, 10, 5);
        let held: Vec<_> = (0..9)
            .filter_map(|n| streams.open(client(n), charge(n), Maker::Anybody).ok())
            .collect();
        assert_eq!(held.len(), 4, "a quarter is not for charges that anybody makes");
        let vouched = streams.open(client(9), charge(10), Maker::Merchant);
        assert!(vouched.is_ok(), "the merchant's own charges have it");
        assert_eq!(
            streams.open(client(9), charge(11), Maker::Merchant).unwrap_err(),
            TooManyStreams
        );
        assert!(
            streams.open_for_member(client(9), charge(9)).is_ok(),
            "whoever has logged in finds a place"
        );
        drop((held, vouched));
        assert!(streams.open(client(9), charge(9), Maker::Anybody).is_ok());
    }
}
