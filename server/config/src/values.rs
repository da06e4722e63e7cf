//! The types of configured values that have rules of their own.

use std::str::FromStr;

use ipnet::IpNet;
use url::Url;

/// The address shoppers see: scheme and host, no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: String,
    port: u16,
    https: bool,
}

impl PublicUrl {
    /// As in `https://pay.example`, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host without its port, as in `pay.example`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether shoppers come over TLS, which then ends at a proxy in front.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Whether only this machine can come by this address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Whether an authority has our host, at whatever port. What only this machine can come by is no name of the public.
    #[must_use]
    pub fn is_named_by(&self, authority: &str) -> bool {
        !self.is_loopback() && host_of(authority).eq_ignore_ascii_case(&self.host)
    }

    /// Whether the authority of a request (its `Host`, or `:authority` in HTTP/2) is ours.
    #[must_use]
    pub fn is_authority(&self, authority: &str) -> bool {
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address without a port are no separators of one.
            Some((host, port)) if !port.ends_with(']') => match port.parse::<u16>() {
                // Digits alone: a sign is read as a part of the number, and by nobody else.
                Ok(number) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, number),
                _ => return false,
            },
            _ => (authority, if self.https { 443 } else { 80 }),
        };
        port == self.port && host.eq_ignore_ascii_case(&self.host)
    }
}

impl FromStr for PublicUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let url = Url::parse(text).map_err(|_| ())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let (Some(host), Some(port), true, true) = (
            url.host_str(),
            url.port_or_known_default(),
            bare,
            matches!(url.scheme(), "http" | "https"),
        ) else {
            return Err(());
        };
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            host: host.to_owned(),
            port,
            https: url.scheme() == "https",
        })
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The host of an authority, without its port. A name may end in the dot of the root, and leads to the same place.
pub fn host_of(authority: &str) -> &str {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host)
}

/// Names of hosts separated by commas or spaces.
pub(super) fn hosts(text: &str) -> Option<Vec<String>> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    text.split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| word.bytes().all(is_part).then(|| host_of(word).to_owned()))
        .collect()
}

/// Networks separated by commas or spaces; a bare address is a network of one.
pub(super) fn networks(text: &str) -> Option<Vec<IpNet>> {
    text.split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse::<IpNet>()
                .ok()
                .or_else(|| word.parse::<std::net::IpAddr>().ok().map(IpNet::from))
        })
        .collect()
}

/// An explorer's address with `{txid}` in it.
pub(super) fn explorer(text: &str) -> Option<String> {
    let url = Url::parse(&text.replace("{txid}", "0")).ok()?;
    let secure = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
    (secure && text.matches("{txid}").count() == 1).then(|| text.to_owned())
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(domain)) => domain == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_has_no_path() {
        let url: PublicUrl = "https://Pay.Example/".parse().unwrap();
        assert_eq!(url.origin(), "https://pay.example");
        assert!(url.is_https());
        for bad in [
            "pay.example",
            "ftp://pay.example",
            "https://pay.example/shop",
            "https://pay.example?x",
            "https://user@pay.example",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn r33_only_the_public_host_is_ours() {
        let url: PublicUrl = "https://pay.example".parse().unwrap();
        for ours in ["pay.example", "PAY.example", "pay.example:443"] {
            assert!(url.is_authority(ours), "{ours}");
        }
        for other in [
            "",
            "pay.example:80",
            "pay.example:8443",
            "pay.example.evil.example",
            "evil.example",
            "pay.example:x",
            "pay.example:+443",
            "pay.example:443:443",
        ] {
            assert!(!url.is_authority(other), "{other}");
        }
        let local: PublicUrl = "http://[::1]:8080".parse().unwrap();
        assert!(local.is_authority("[::1]:8080"));
        assert!(!local.is_authority("[::1]"));
        let plain: PublicUrl = "http://[::1]".parse().unwrap();
        assert!(plain.is_authority("[::1]"));
    }

    #[test]
    fn networks_and_bare_addresses_are_read() {
        let read = networks("10.0.0.0/8, 192.0.2.1 ::1").unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[1].to_string(), "192.0.2.1/32");
        assert_eq!(networks("10.0.0.0/33"), None);
    }

    #[test]
    fn names_of_hosts_are_read_without_ports() {
        assert_eq!(
            hosts("bitpro, Metrics.internal. a_b"),
            Some(vec![
                "bitpro".to_owned(),
                "Metrics.internal".to_owned(),
                "a_b".to_owned()
            ])
        );
        for bad in ["bitpro:9464", "http://bitpro", "*"] {
            assert_eq!(hosts(bad), None, "{bad}");
        }
        for (authority, host) in [
            ("pay.example:80", "pay.example"),
            ("pay.example.", "pay.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(host_of(authority), host);
        }
    }

    #[test]
    fn an_explorer_has_one_place_for_the_transaction() {
        assert!(explorer("https://mempool.space/tx/{txid}").is_some());
        assert!(explorer("https://mempool.space/tx/").is_none());
        assert!(explorer("javascript:alert('{txid}')").is_none());
        assert!(explorer("http://explorer.example/{txid}").is_none());
        assert!(explorer("http://localhost:3000/{txid}").is_some());
    }
}
