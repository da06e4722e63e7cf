//! Open streams, counted by client and by what they follow.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Client;

/// The client, or what it wants to follow, has as many streams as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyStreams;

/// What a stream follows: a charge by its id, or everything that one account may see.
pub type Topic = [u8; 16];

/// The counters. Clones share them.
#[derive(Debug, Clone)]
pub struct Streams(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    per_client: u32,
    per_topic: u32,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    clients: HashMap<Client, u32>,
    topics: HashMap<Topic, u32>,
    total: usize,
}

/// The right to one open stream, given back when it is dropped.
#[derive(Debug)]
pub struct StreamPermit {
    shared: Arc<Shared>,
    client: Client,
    topic: Topic,
}

impl Streams {
    /// Counters with their limits.
    #[must_use]
    pub fn new(per_client: u32, per_topic: u32) -> Self {
        Self(Arc::new(Shared {
            per_client,
            per_topic,
            open: Mutex::default(),
        }))
    }

    /// Counts a stream in.
    ///
    /// # Errors
    /// [`TooManyStreams`].
    pub fn open(&self, client: Client, topic: Topic) -> Result<StreamPermit, TooManyStreams> {
        let mut open = self.0.open.lock();
        let held = |count: Option<&u32>| count.copied().unwrap_or(0);
        if held(open.clients.get(&client)) >= self.0.per_client || held(open.topics.get(&topic)) >= self.0.per_topic {
            return Err(TooManyStreams);
        }
        *open.clients.entry(client).or_default() += 1;
        *open.topics.entry(topic).or_default() += 1;
        open.total += 1;
        Ok(StreamPermit {
            shared: Arc::clone(&self.0),
            client,
            topic,
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
    }
}

fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
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
        let streams = Streams::new(3, 2);
        let first = streams.open(client(1), charge(1)).unwrap();
        let second = streams.open(client(1), charge(1)).unwrap();
        assert_eq!(streams.open(client(2), charge(1)).unwrap_err(), TooManyStreams);
        let third = streams.open(client(1), charge(2)).unwrap();
        assert_eq!(streams.open(client(1), charge(3)).unwrap_err(), TooManyStreams);
        assert_eq!(streams.total(), 3);
        drop(first);
        assert!(streams.open(client(2), charge(1)).is_ok());
        drop((second, third));
        assert_eq!(streams.total(), 0);
        let open = streams.0.open.lock();
        assert!(open.clients.is_empty() && open.topics.is_empty());
    }
}
