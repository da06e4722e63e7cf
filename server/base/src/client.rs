//! Who a request comes from, as far as limits are concerned.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, header};
use ipnet::IpNet;

/// One client: an IPv4 address, or the /64 of an IPv6 address, for a household gets that many (R25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

impl Client {
    /// Its address as bytes, of one length for both kinds.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        }
    }
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        })
    }
}

/// The client's address: the peer's, or what trusted proxies say about it.
///
/// `X-Forwarded-For` grows to the right, so the last entry that is no trusted proxy was written by a trusted one; what
/// stands before it, the client could have written itself.
#[must_use]
pub fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer.to_canonical();
    if trusted.is_empty() || !is_trusted(client) {
        return client;
    }
    let values = headers.get_all(FORWARDED_FOR).iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    for entry in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Some(address) = address_of(entry) else {
            return client;
        };
        client = address;
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

/// Whether the request was passed on by somebody, trusted or not.
#[must_use]
pub fn is_proxied(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED_FOR) || headers.contains_key(header::FORWARDED) || headers.contains_key(header::VIA)
}

const FORWARDED_FOR: &str = "x-forwarded-for";

fn address_of(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map_or(entry, |(inside, _)| inside);
    let address = bare
        .parse::<IpAddr>()
        .ok()
        // Some proxies append the port of an IPv4 client.
        .or_else(|| Some(bare.parse::<std::net::SocketAddrV4>().ok()?.ip().to_owned().into()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn trusted() -> Vec<IpNet> {
        vec!["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]
    }

    #[test]
    fn r25_an_ipv6_household_is_one_client() {
        let a = Client::from(ip("2001:db8:1:2:aaaa::1"));
        assert_eq!(a, Client::from(ip("2001:db8:1:2:bbbb::2")));
        assert_ne!(a, Client::from(ip("2001:db8:1:3::1")));
        assert_ne!(Client::from(ip("192.0.2.1")), Client::from(ip("192.0.2.2")));
        assert_eq!(Client::from(ip("::ffff:192.0.2.1")), Client::from(ip("192.0.2.1")));
    }

    #[test]
    fn a_client_cannot_name_himself() {
        let headers = forwarded(&["203.0.113.9"]);
        assert_eq!(client_of(ip("192.0.2.1"), &headers, &trusted()), ip("192.0.2.1"));
        assert_eq!(client_of(ip("127.0.0.1"), &headers, &[]), ip("127.0.0.1"));
    }

    #[test]
    fn behind_trusted_proxies_the_last_stranger_is_the_client() {
        for (values, client) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            (&["198.51.100.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
            (&["198.51.100.1", "203.0.113.9", "10.1.2.3"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["[2001:db8::1]:443"], "2001:db8::1"),
            (&["203.0.113.9, nonsense"], "127.0.0.1"),
            (&["10.1.2.3"], "10.1.2.3"),
            (&[], "127.0.0.1"),
        ] {
            assert_eq!(
                client_of(ip("127.0.0.1"), &forwarded(values), &trusted()),
                ip(client),
                "{values:?}"
            );
        }
    }
}
