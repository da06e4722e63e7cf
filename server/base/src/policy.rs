//! Where webhooks may go: to public servers over TLS, and never into the operator's own network.
//!
//! A merchant chooses the URL and the server calls it, so the URL is a stranger's (OWASP: server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

const LONGEST: usize = 2_000;
/// The ports of https and of its usual alternative.
const PORTS: [u16; 2] = [443, 8443];

/// What the operator allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether plain http and any port are taken: in sandboxes only.
    pub allow_http: bool,
    /// Networks that are allowed although they are not public.
    pub allow_private: Vec<IpNet>,
}

/// A URL that the policy allows, as far as can be said before its name is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL in its normal form.
    pub url: String,
    /// Scheme, host and port: what connections are shared by.
    pub host: String,
}

/// Why a URL is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be read.
    #[error("the url is not an absolute URL of at most {LONGEST} characters")]
    Malformed,
    /// It is not https.
    #[error("the url is not https")]
    NotHttps,
    /// The port is another one.
    #[error("the url's port is {0}: wanted 443 or 8443")]
    Port(u16),
    /// A user name or password would be stored and sent in the clear.
    #[error("the url contains a user name or password: verify the signature instead")]
    Credentials,
    /// What follows `#` is never sent.
    #[error("the url has a part after #, which is never sent")]
    Fragment,
    /// It leads into a network that is not public.
    #[error("the url leads to {0}, which is not a public address")]
    Special(IpAddr),
}

impl UrlError {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "url-malformed",
            Self::NotHttps => "url-not-https",
            Self::Port(_) => "url-port",
            Self::Credentials => "url-credentials",
            Self::Fragment => "url-fragment",
            Self::Special(_) => "url-not-public",
        }
    }
}

impl Policy {
    /// The target that `text` names.
    ///
    /// # Errors
    /// [`UrlError`]. A name may still turn out to lead to an address that is not public: see [`Policy::allows`].
    pub fn target(&self, text: &str) -> Result<Target, UrlError> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| text.len() <= LONGEST && url.as_str().len() <= LONGEST)
            .ok_or(UrlError::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ => return Err(UrlError::NotHttps),
        }
        let port = url.port_or_known_default().ok_or(UrlError::Malformed)?;
        if !self.allow_http && !PORTS.contains(&port) {
            return Err(UrlError::Port(port));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        let host = url.host().ok_or(UrlError::Malformed)?;
        // The client that connects reads it once more, and takes fewer names for hosts.
        let read: http::Uri = url.as_str().parse().map_err(|_| UrlError::Malformed)?;
        if read.host() != url.host_str() || read.port_u16() != url.port() {
            return Err(UrlError::Malformed);
        }
        let literal = match host {
            Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
            Host::Domain(_) => None,
        };
        if let Some(ip) = literal.filter(|ip| !self.allows(*ip)) {
            return Err(UrlError::Special(ip));
        }
        Ok(Target {
            host: format!("{}://{host}:{port}", url.scheme()),
            url: url.into(),
        })
    }

    /// Whether a connection to `ip` may be made.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        // `::ffff:10.0.0.1` is 10.0.0.1 to the operating system.
        let ip = ip.to_canonical();
        is_public(ip) || self.allow_private.iter().any(|network| network.contains(&ip))
    }
}

/// Whether `ip` belongs to the public Internet, by the special-purpose registries of RFC 6890 and what clouds have put beside
/// them.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    static SPECIAL: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| {
        let networks = [
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            // A cloud's metadata at an address that looks public.
            "168.63.129.16/32",
        ];
        networks
            .iter()
            .map(|network| network.parse().expect("written as a network"))
            .collect()
    });
    !SPECIAL.iter().any(|network| network.contains(&ip))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Only 2000::/3 is given out to the public (RFC 4291); within it these are special. Addresses that are translated to IPv4
    // (6to4, Teredo) would lead around the rules for IPv4.
    static SPECIAL: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| {
        let networks = [
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
        ];
        networks
            .iter()
            .map(|network| network.parse().expect("written as a network"))
            .collect()
    });
    ip.segments()[0] & 0xe000 == 0x2000 && !SPECIAL.iter().any(|network| network.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict() -> Policy {
        Policy::default()
    }

    #[test]
    fn only_https_on_its_usual_ports_is_taken() {
        let target = strict().target("https://Shop.Example/hooks?x=1").unwrap();
        assert_eq!(target.url, "https://shop.example/hooks?x=1");
        assert_eq!(target.host, "https://shop.example:443");
        assert!(strict().target("https://shop.example:8443/").is_ok());
        for (url, error) in [
            ("", UrlError::Malformed),
            ("/hooks", UrlError::Malformed),
            ("https://", UrlError::Malformed),
            ("http://shop.example/", UrlError::NotHttps),
            ("ftp://shop.example/", UrlError::NotHttps),
            ("file:///etc/passwd", UrlError::NotHttps),
            ("https://shop.example:444/", UrlError::Port(444)),
            ("https://shop.example:22/", UrlError::Port(22)),
            ("https://anna@shop.example/", UrlError::Credentials),
            ("https://:secret@shop.example/", UrlError::Credentials),
            ("https://shop.example/#part", UrlError::Fragment),
        ] {
            assert_eq!(strict().target(url), Err(error), "{url}");
        }
        let long = format!("https://shop.example/{}", "a".repeat(2_000));
        assert_eq!(strict().target(&long), Err(UrlError::Malformed));
    }

    #[test]
    fn what_the_client_that_connects_reads_otherwise_is_refused() {
        for host in ["a{b.example", "a\"b.example", "a`b.example", "a}b.example"] {
            let url = format!("https://{host}/");
            assert_eq!(strict().target(&url), Err(UrlError::Malformed), "{url}");
        }
        // What is kept counts, not what was typed.
        let long = format!("https://shop.example/{}", "é".repeat(900));
        assert_eq!(strict().target(&long), Err(UrlError::Malformed));
        let wide = strict().target("https://ｓhop.example:443/é").unwrap();
        assert_eq!(wide.url, "https://shop.example/%C3%A9");
    }

    #[test]
    fn special_addresses_are_refused_however_they_are_written() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://0/",
            "https://10.1.2.3/",
            "https://100.64.0.1/",
            "https://100.100.100.200/",
            "https://169.254.169.254/latest/meta-data",
            "https://168.63.129.16/",
            "https://172.31.0.1/",
            "https://192.168.0.1/",
            "https://198.18.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a00:1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001::1]/",
            "https://[2001:db8::1]/",
            "https://[fc00::1]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
        ] {
            assert!(matches!(strict().target(url), Err(UrlError::Special(_))), "{url}");
        }
        for url in ["https://1.1.1.1/", "https://172.32.0.1/", "https://[2606:4700::1111]/"] {
            assert!(strict().target(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_sandbox_may_allow_http_and_its_own_network() {
        let lenient = Policy {
            allow_http: true,
            allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        };
        assert!(lenient.target("http://127.0.0.1:8080/").is_ok());
        assert!(lenient.target("http://[::ffff:127.0.0.1]:8080/").is_ok());
        assert!(matches!(lenient.target("http://10.0.0.1/"), Err(UrlError::Special(_))));
        assert_eq!(lenient.target("http://anna@127.0.0.1/"), Err(UrlError::Credentials));
    }
}
