//! Connections, and HTTP/2 streams within them, counted by whoever is at the other end.
//!
//! A trusted proxy carries everybody, so it is counted by nobody's bound but that of all connections: its clients are counted by
//! request, where the address that it tells is known. Whoever else connects is a stranger, and no stranger, nor all strangers
//! together, can hold the places that are kept for proxies.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use bitpro_base::client::Client;
use ipnet::IpNet;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::refused;

/// One stranger has at most this part of all connections, whatever is configured for an address.
const PART_OF_ALL: u32 = 4;
/// This part of all connections is kept for trusted proxies.
const KEPT_PART: u32 = 16;
/// At most this part of strangers' connections may rest: nothing is asked on them.
const RESTING_PART: u32 = 8;
/// HTTP/2 streams that one stranger may have open, over all its connections.
pub(crate) const HTTP2_STREAMS_PER_ADDRESS: u32 = 64;
/// HTTP/2 streams that all strangers together may have open. What an unread answer holds is up to some 60 KB.
pub(crate) const HTTP2_STREAMS: u32 = 1_024;

/// HTTP/2 connections of all strangers together. Browsers speak it only through TLS, which is a proxy's.
pub(crate) const HTTP2_CONNECTIONS: u32 = 1_024;
/// From so many on the one that has been open longest gives way to the next.
const HTTP2_CONNECTIONS_KEPT: usize = 768;

/// The counters of one listener. Clones share them.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    per_address: u32,
    strangers: u32,
    resting: usize,
    trusted: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    connections: Counts,
    streams: Counts,
    trusted: u32,
    /// Those that rest, the one that has rested longest first.
    resting: BTreeMap<u64, CancellationToken>,
    /// Those that speak HTTP/2 and did not have to give way, the one that has been open longest first.
    http2: BTreeMap<u64, CancellationToken>,
    /// All of those that speak HTTP/2.
    http2_total: u32,
    /// The number of the next entry in either.
    next: u64,
}

#[derive(Debug, Default)]
struct Counts {
    clients: HashMap<Client, u32>,
    total: u32,
}

/// The right to one connection, given back when it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    shared: Arc<Shared>,
    /// `None` for a trusted proxy.
    stranger: Option<Client>,
    gives_way: CancellationToken,
}

/// That a connection rests, until this is dropped.
#[derive(Debug)]
pub struct Rest {
    shared: Arc<Shared>,
    nth: u64,
}

/// That a connection speaks HTTP/2, until this is dropped.
#[derive(Debug)]
pub struct Http2Connection {
    shared: Arc<Shared>,
    /// `None` for a trusted proxy's.
    nth: Option<u64>,
}

/// The right to one HTTP/2 stream, given back when it is dropped.
#[derive(Debug)]
pub struct Http2Permit {
    shared: Arc<Shared>,
    stranger: Option<Client>,
}

impl Connections {
    /// Counters for `max` connections in all, of which an address may hold `per_address`; `trusted` are the proxies.
    #[must_use]
    pub fn new(max: usize, per_address: u32, trusted: Vec<IpNet>) -> Self {
        let max = u32::try_from(max).unwrap_or(u32::MAX).max(2);
        let strangers = (max - (max / KEPT_PART).max(1)).max(1);
        Self(Arc::new(Shared {
            per_address: per_address.min(max / PART_OF_ALL).max(1),
            strangers,
            resting: usize::try_from(strangers / RESTING_PART).unwrap_or(usize::MAX).max(1),
            trusted,
            open: Mutex::default(),
        }))
    }

    /// Counts a connection from `peer` in. `None`, and counted as refused, when it has no place.
    #[must_use]
    pub fn admit(&self, peer: IpAddr) -> Option<ConnectionPermit> {
        let shared = &self.0;
        let peer = peer.to_canonical();
        let mut open = shared.open.lock();
        let stranger = if shared.trusted.iter().any(|network| network.contains(&peer)) {
            open.trusted += 1;
            None
        } else {
            let client = Client::from(peer);
            if open.connections.of(&client) >= shared.per_address {
                refused("connection_address");
                return None;
            }
            if open.connections.total >= shared.strangers && !open.longest_rest_ends() {
                refused("connection_instance");
                return None;
            }
            open.connections.add(client);
            Some(client)
        };
        drop(open);
        Some(ConnectionPermit {
            shared: Arc::clone(shared),
            stranger,
            gives_way: CancellationToken::new(),
        })
    }

    /// Whether strangers hold so many connections that those who are slow have to hurry.
    #[must_use]
    pub fn is_tight(&self) -> bool {
        self.0.open.lock().connections.total >= self.0.strangers - self.0.strangers / 8
    }

    /// How many of strangers' connections rest.
    #[cfg(any(test, feature = "testing"))]
    pub fn resting(&self) -> usize {
        self.0.open.lock().resting.len()
    }

    /// How many connections are open.
    #[must_use]
    pub fn total(&self) -> u32 {
        let open = self.0.open.lock();
        open.connections.total + open.trusted
    }
}

impl ConnectionPermit {
    /// Whether it is a trusted proxy's.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.stranger.is_none()
    }

    /// Cancelled when the connection is to be closed, for it rests and others need its place.
    #[must_use]
    pub const fn gives_way(&self) -> &CancellationToken {
        &self.gives_way
    }

    /// Nothing is asked on it, until what is returned is dropped. `None` for a trusted proxy's: they may rest as they like. When
    /// too many rest, the one that has rested longest gives way.
    #[must_use]
    pub fn rests(&self) -> Option<Rest> {
        self.stranger?;
        let mut open = self.shared.open.lock();
        if open.resting.len() >= self.shared.resting {
            open.longest_rest_ends();
        }
        let nth = open.next();
        open.resting.insert(nth, self.gives_way.clone());
        drop(open);
        Some(Rest {
            shared: Arc::clone(&self.shared),
            nth,
        })
    }

    /// It speaks HTTP/2, until what is returned is dropped. Of too many of strangers the one that has been open longest gives way;
    /// `None`, and counted as refused, when those that do so are not gone yet.
    #[must_use]
    pub fn speaks_http2(&self) -> Option<Http2Connection> {
        let shared = Arc::clone(&self.shared);
        if self.stranger.is_none() {
            return Some(Http2Connection { shared, nth: None });
        }
        let mut open = self.shared.open.lock();
        if open.http2.len() >= HTTP2_CONNECTIONS_KEPT
            && let Some((_, gives_way)) = open.http2.pop_first()
        {
            refused("http2_connection");
            gives_way.cancel();
        }
        if open.http2_total >= HTTP2_CONNECTIONS {
            refused("http2_connection");
            return None;
        }
        open.http2_total += 1;
        let nth = open.next();
        open.http2.insert(nth, self.gives_way.clone());
        drop(open);
        Some(Http2Connection { shared, nth: Some(nth) })
    }

    /// Counts an HTTP/2 stream of this connection in. `None`, and counted as refused, when it has no place.
    #[must_use]
    pub fn stream(&self) -> Option<Http2Permit> {
        if let Some(client) = self.stranger {
            let mut open = self.shared.open.lock();
            if open.streams.of(&client) >= HTTP2_STREAMS_PER_ADDRESS {
                refused("http2_address");
                return None;
            }
            if open.streams.total >= HTTP2_STREAMS {
                refused("http2_instance");
                return None;
            }
            open.streams.add(client);
        }
        Some(Http2Permit {
            shared: Arc::clone(&self.shared),
            stranger: self.stranger,
        })
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.shared.open.lock().resting.remove(&self.nth);
    }
}

impl Drop for Http2Connection {
    fn drop(&mut self) {
        if let Some(nth) = &self.nth {
            let mut open = self.shared.open.lock();
            open.http2.remove(nth);
            open.http2_total -= 1;
        }
    }
}

impl Open {
    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Ends the connection that has rested longest; whether there is one.
    fn longest_rest_ends(&mut self) -> bool {
        let Some((_, gives_way)) = self.resting.pop_first() else {
            return false;
        };
        refused("connection_resting");
        gives_way.cancel();
        true
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock();
        match self.stranger {
            Some(client) => open.connections.remove(&client),
            None => open.trusted -= 1,
        }
    }
}

impl Drop for Http2Permit {
    fn drop(&mut self) {
        if let Some(client) = self.stranger {
            self.shared.open.lock().streams.remove(&client);
        }
    }
}

impl Counts {
    fn of(&self, client: &Client) -> u32 {
        self.clients.get(client).copied().unwrap_or(0)
    }

    fn add(&mut self, client: Client) {
        *self.clients.entry(client).or_default() += 1;
        self.total += 1;
    }

    fn remove(&mut self, client: &Client) {
        give_back(&mut self.clients, client);
        self.total -= 1;
    }
}

/// Takes one off a count, and the count away when it is the last.
pub(super) fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_or_household_holds_no_more_than_its_part_and_gets_back_what_it_closes() {
        let connections = Connections::new(1_000, 3, Vec::new());
        for addresses in [
            ["192.0.2.1"; 4],
            ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"],
        ] {
            let mut held: Vec<_> = addresses.iter().map(|address| connections.admit(ip(address))).collect();
            assert!(
                held[..3].iter().all(Option::is_some) && held[3].is_none(),
                "{addresses:?}"
            );
            held.truncate(2);
            assert!(connections.admit(ip(addresses[0])).is_some());
        }
        assert_eq!(connections.total(), 0);
        assert!(connections.0.open.lock().connections.clients.is_empty());
    }

    #[test]
    fn one_address_never_holds_more_than_a_quarter_whatever_is_configured() {
        let connections = Connections::new(50, 100_000, Vec::new());
        let held: Vec<_> = (0..50).filter_map(|_| connections.admit(ip("192.0.2.1"))).collect();
        assert_eq!(held.len(), 12);
        assert!(connections.admit(ip("192.0.2.2")).is_some());
    }

    #[test]
    fn all_strangers_together_leave_places_for_trusted_proxies() {
        let connections = Connections::new(160, 1, vec!["10.0.0.0/8".parse().unwrap()]);
        let strangers: Vec<_> = (0..200)
            .filter_map(|nth| connections.admit(ip(&format!("192.0.2.{nth}"))))
            .collect();
        assert_eq!(strangers.len(), 150);
        assert!(connections.is_tight());
        let proxies: Vec<_> = (0..300).filter_map(|_| connections.admit(ip("10.0.0.1"))).collect();
        assert_eq!(
            proxies.len(),
            300,
            "a proxy carries everybody and is not counted by address"
        );
    }

    #[test]
    fn of_too_many_that_rest_the_longest_gives_way_and_none_that_is_at_work() {
        let connections = Connections::new(160, 200, vec!["10.0.0.0/8".parse().unwrap()]);
        let mut strangers: Vec<_> = (0..150)
            .map(|nth| connections.admit(ip(&format!("192.0.2.{nth}"))).unwrap())
            .collect();
        let closed = |permits: &[ConnectionPermit]| {
            permits
                .iter()
                .filter(|permit| permit.gives_way().is_cancelled())
                .count()
        };
        // All places are taken, and all are at work.
        assert!(connections.admit(ip("198.51.100.1")).is_none());
        let resting: Vec<_> = strangers.iter().map(|permit| permit.rests().unwrap()).collect();
        assert_eq!(closed(&strangers), 150 - 18, "an eighth may rest");
        assert!(strangers[131].gives_way().is_cancelled() && !strangers[132].gives_way().is_cancelled());
        // One more finds a place at the cost of who has rested longest.
        let late = connections.admit(ip("198.51.100.1")).unwrap();
        assert!(strangers[132].gives_way().is_cancelled() && !strangers[133].gives_way().is_cancelled());
        let proxy = connections.admit(ip("10.0.0.1")).unwrap();
        assert!(proxy.rests().is_none());
        drop((resting, late));
        strangers.clear();
        let open = connections.0.open.lock();
        assert!(open.resting.is_empty() && open.connections.total == 0);
    }

    #[test]
    fn of_too_many_connections_of_http_2_the_oldest_gives_way_and_none_is_over_the_bound() {
        let connections = Connections::new(16_000, 20, vec!["10.0.0.0/8".parse().unwrap()]);
        let permit = |nth: u32| {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(0xC633_0000 + nth));
            connections.admit(address).unwrap()
        };
        let permits: Vec<_> = (0..1_100).map(permit).collect();
        let mut held: Vec<_> = permits.iter().map(ConnectionPermit::speaks_http2).collect();
        let asked_to_go = permits.iter().take_while(|permit| permit.gives_way().is_cancelled());
        assert_eq!(asked_to_go.count(), 1_024 - 768 + 1);
        assert_eq!(
            held.iter().flatten().count(),
            1_024,
            "those that are asked to go are there still"
        );
        let proxy = connections.admit(ip("10.0.0.1")).unwrap();
        assert!(proxy.speaks_http2().is_some());
        // One that is gone makes room.
        held.remove(0);
        assert!(permit(2_000).speaks_http2().is_some());
        held.clear();
        let open = connections.0.open.lock();
        assert!(open.http2.is_empty() && open.http2_total == 0);
    }

    #[test]
    fn http_2_streams_are_counted_over_all_connections_of_an_address_and_over_all_strangers() {
        let connections = Connections::new(100_000, 2, vec!["10.0.0.0/8".parse().unwrap()]);
        let first = connections.admit(ip("192.0.2.1")).unwrap();
        let second = connections.admit(ip("192.0.2.1")).unwrap();
        let mut held: Vec<_> = (0..40).filter_map(|_| first.stream()).collect();
        held.extend((0..40).filter_map(|_| second.stream()));
        assert_eq!(held.len(), 64);
        let others: Vec<_> = (2..40)
            .map(|nth| connections.admit(ip(&format!("192.0.2.{nth}"))).unwrap())
            .collect();
        held.extend(others.iter().flat_map(|other| (0..64).filter_map(|_| other.stream())));
        assert_eq!(held.len(), 1_024);
        let proxy = connections.admit(ip("10.0.0.1")).unwrap();
        assert!(proxy.stream().is_some());
        drop(held);
        assert!(first.stream().is_some());
        assert_eq!(connections.0.open.lock().streams.total, 0);
    }
}
