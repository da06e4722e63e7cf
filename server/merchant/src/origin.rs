//! The origins that may frame a merchant's checkout (R41).

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// An origin, or all sub-domains of one: `https://shop.example`, `https://*.shop.example:8443`.
///
/// https is implied; http is allowed for `localhost` and loopback addresses, where browsers treat it as secure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedOrigin {
    scheme: &'static str,
    /// Whether `host` itself is meant, or everything below it.
    below: bool,
    host: String,
    /// `None` for the scheme's own port.
    port: Option<u16>,
}

/// Why a text is not an origin that can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginError {
    /// Not a host with an optional port.
    Malformed,
    /// http for a host that is not this machine.
    Insecure,
    /// A path, a query or a user name: an origin has none.
    NotOnlyAnOrigin,
    /// The star stands somewhere else than in front of a domain.
    Wildcard,
    /// The star stands in front of a domain below which anybody can have one of their own (the Public Suffix List).
    Public,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "an origin is a host with an optional port, such as shop.example or shop.example:8443",
            Self::Insecure => "an origin is https; http only for localhost",
            Self::NotOnlyAnOrigin => "an origin has no path, query or user name",
            Self::Wildcard => "a star stands for subdomains, such as *.shop.example",
            Self::Public => {
                "other people own domains below this one: put the star before your own, such as *.shop.example"
            }
        })
    }
}

impl std::error::Error for OriginError {}

impl AllowedOrigin {
    /// Whether a page of `origin` (as browsers send it: `scheme://host[:port]`) is meant.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        let Ok(url) = Url::parse(origin) else {
            return false;
        };
        let Some(host) = url.host_str() else {
            return false;
        };
        let host_fits = if self.below {
            host.strip_suffix(&self.host)
                .is_some_and(|prefix| prefix.len() > 1 && prefix.ends_with('.'))
        } else {
            host == self.host
        };
        host_fits && url.scheme() == self.scheme && url.port() == self.port
    }

    /// The sibling that shoppers also arrive under, `www.shop.example` for `shop.example` and back: the form offers both,
    /// for one does not cover the other.
    #[must_use]
    pub fn sibling(&self) -> Option<Self> {
        if self.below || self.host.parse::<std::net::IpAddr>().is_ok() || !self.host.contains('.') {
            return None;
        }
        let host = match self.host.strip_prefix("www.") {
            Some(bare) => bare.to_owned(),
            None => format!("www.{}", self.host),
        };
        // The sibling of a longest name would be too long, and that of `www.example` is a word that stands alone.
        is_on_the_web(&host).then(|| Self { host, ..self.clone() })
    }
}

/// The value of the directive `frame-ancestors` for `origins`: `'none'` when there are none.
#[must_use]
pub fn frame_ancestors(origins: &[AllowedOrigin]) -> String {
    if origins.is_empty() {
        return "'none'".to_owned();
    }
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    origins.join(" ")
}

impl fmt::Display for AllowedOrigin {
    /// The form of a source expression in a Content-Security-Policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*." } else { "" };
        write!(f, "{}://{star}{}", self.scheme, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl FromStr for AllowedOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            None => ("https", text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", rest),
            Some(_) => return Err(OriginError::Malformed),
        };
        let (below, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        if rest.contains('*') {
            return Err(OriginError::Wildcard);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() || rest.chars().any(|c| c.is_whitespace() || ",;'\"\\".contains(c)) {
            return Err(OriginError::Malformed);
        }
        if rest.contains(['/', '?', '#', '@']) {
            return Err(OriginError::NotOnlyAnOrigin);
        }
        let url = Url::parse(&format!("{scheme}://{rest}/")).map_err(|_| OriginError::Malformed)?;
        let host = url.host().ok_or(OriginError::Malformed)?;
        if scheme == "http" && !is_this_machine(&host) {
            return Err(OriginError::Insecure);
        }
        match &host {
            Host::Domain(domain) if below && !domain.contains('.') => return Err(OriginError::Wildcard),
            Host::Domain(domain) if is_this_machine(&host) && is_plain(domain) => {}
            Host::Domain(domain) if !is_on_the_web(domain) || !is_plain(domain) => return Err(OriginError::Malformed),
            Host::Domain(domain) if below && psl::domain_str(domain).is_none() => return Err(OriginError::Public),
            Host::Ipv4(_) | Host::Ipv6(_) if below => return Err(OriginError::Wildcard),
            _ => {}
        }
        Ok(Self {
            scheme,
            below,
            host: host.to_string(),
            port: url.port(),
        })
    }
}

/// Whether a name can be one of the web: labels within the bounds of RFC 1035, section 2.3.4, and more than one of them, since
/// a word that stands alone is a slip.
fn is_on_the_web(domain: &str) -> bool {
    let is_label = |label: &str| (1..=63).contains(&label.len());
    domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label)
}

/// Whether a name has the characters of host names only. Others have a wide form that is read as them, `；` as `;`, and it stands in
/// a header that has a language of its own.
fn is_plain(domain: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    domain.bytes().all(is_plain)
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(domain) => *domain == "localhost" || domain.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> AllowedOrigin {
        text.parse().unwrap()
    }

    #[test]
    fn r41_no_wide_character_becomes_one_of_the_headers_own() {
        for text in [
            "shop.example；sandbox",
            "shop.example，evil.example",
            "shop.example＇",
            "*.shop.example；sandbox",
            "a！b.example",
            "a；b.localhost",
        ] {
            assert_eq!(text.parse::<AllowedOrigin>(), Err(OriginError::Malformed), "{text}");
        }
        assert_eq!(origin("ｓhop.example"), origin("shop.example"));
        assert_eq!(origin("bücher.example").to_string(), "https://xn--bcher-kva.example");
    }

    #[test]
    fn r41_https_is_implied_and_the_port_counts() {
        let shop = origin("Shop.Example");
        assert_eq!(shop.to_string(), "https://shop.example");
        assert!(shop.allows("https://shop.example"));
        assert!(!shop.allows("http://shop.example"));
        assert!(!shop.allows("https://shop.example:8443"));
        assert!(!shop.allows("https://shop.example.evil.example"));
        assert!(!shop.allows("null"));
        assert!(origin("shop.example:8443").allows("https://shop.example:8443"));
        assert_eq!(origin("https://shop.example:443"), shop);
        assert_eq!(origin("https://shop.example/"), shop);
    }

    #[test]
    fn r41_a_domain_does_not_cover_its_www_and_a_star_covers_only_what_is_below() {
        assert!(!origin("shop.example").allows("https://www.shop.example"));
        assert_eq!(origin("shop.example").sibling(), Some(origin("www.shop.example")));
        assert_eq!(origin("www.shop.example").sibling(), Some(origin("shop.example")));
        let all = origin("*.shop.example");
        assert!(all.allows("https://www.shop.example"));
        assert!(all.allows("https://a.b.shop.example"));
        assert!(!all.allows("https://shop.example"));
        assert!(!all.allows("https://evilshop.example"));
        assert_eq!(all.to_string(), "https://*.shop.example");
    }

    #[test]
    fn r41_a_domain_in_another_script_is_compared_in_its_ascii_form() {
        assert!(origin("bücher.example").allows("https://xn--bcher-kva.example"));
    }

    #[test]
    fn r41_http_is_for_this_machine_only() {
        assert!(origin("http://localhost:8080").allows("http://localhost:8080"));
        assert!(origin("http://127.0.0.1:4000").allows("http://127.0.0.1:4000"));
        assert_eq!(origin("http://[::1]:4000").to_string(), "http://[::1]:4000");
        assert_eq!(
            "http://shop.example".parse::<AllowedOrigin>(),
            Err(OriginError::Insecure)
        );
    }

    #[test]
    fn r41_nothing_but_an_origin_is_taken() {
        for (text, error) in [
            ("", OriginError::Malformed),
            ("ftp://shop.example", OriginError::Malformed),
            ("shop.example/path", OriginError::NotOnlyAnOrigin),
            ("user@shop.example", OriginError::NotOnlyAnOrigin),
            ("shop.example?x", OriginError::NotOnlyAnOrigin),
            ("shop.example; script-src *", OriginError::Wildcard),
            ("shop.example; report-uri x", OriginError::Malformed),
            ("shop.example other.example", OriginError::Malformed),
            ("*", OriginError::Wildcard),
            ("*.example", OriginError::Wildcard),
            ("*.co.uk", OriginError::Public),
            ("*.github.io", OriginError::Public),
            ("null", OriginError::Malformed),
            ("shop", OriginError::Malformed),
            ("shop..example", OriginError::Malformed),
            ("*.10.0.0.1", OriginError::Wildcard),
            ("a.*.example", OriginError::Wildcard),
            ("shop.example:99999", OriginError::Malformed),
        ] {
            assert_eq!(text.parse::<AllowedOrigin>(), Err(error), "{text}");
        }
    }

    #[test]
    fn r41_names_are_as_long_as_names_can_be() {
        let label = "a".repeat(63);
        assert!(format!("{label}.example").parse::<AllowedOrigin>().is_ok());
        for text in [
            format!("{label}a.example"),
            format!("{}example", format!("{label}.").repeat(4)),
        ] {
            assert_eq!(text.parse::<AllowedOrigin>(), Err(OriginError::Malformed), "{text}");
        }
        assert!(origin("*.me.github.io").allows("https://shop.me.github.io"));
        assert!(origin("me.github.io").allows("https://me.github.io"));
    }

    #[test]
    fn r41_the_directive_lists_exactly_the_origins() {
        assert_eq!(frame_ancestors(&[]), "'none'");
        assert_eq!(
            frame_ancestors(&[origin("a.example"), origin("*.b.example:1")]),
            "https://a.example https://*.b.example:1"
        );
    }
}
