//! The one cookie: it holds the session's secret, and only the dashboard reads it.

use http::{HeaderMap, HeaderValue, header};

use crate::accounts::{SESSION_SECS, Token};
use crate::config::PublicUrl;

/// The name where the address is https: browsers then take it from this host only, for this host only (RFC 6265bis,
/// section 4.1.3.2).
const NAME: &str = "__Host-bitpro";
/// The name on a loopback address without TLS, where browsers refuse the prefix.
const LOOPBACK_NAME: &str = "bitpro";

/// How the session's cookie is written and read.
#[derive(Debug, Clone, Copy)]
pub struct SessionCookie {
    is_https: bool,
}

impl SessionCookie {
    /// For a dashboard at `url`; `None` where a cookie could be read on its way: people cannot log in there.
    #[must_use]
    pub fn at(url: &PublicUrl) -> Option<Self> {
        (url.is_https() || url.is_loopback()).then(|| Self {
            is_https: url.is_https(),
        })
    }

    const fn name(self) -> &'static str {
        if self.is_https { NAME } else { LOOPBACK_NAME }
    }

    /// The session that a request names.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> Option<Token> {
        let values = headers.get_all(header::COOKIE).iter();
        let mut pairs = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'));
        let value = pairs.find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.name()).then_some(value)
        })?;
        Some(Token::from(value))
    }

    /// Gives a browser a session.
    #[must_use]
    pub fn give(self, token: &Token) -> HeaderValue {
        self.written(token.as_str(), SESSION_SECS)
    }

    /// Takes it back.
    #[must_use]
    pub fn take(self) -> HeaderValue {
        self.written("", 0)
    }

    fn written(self, value: &str, secs: u32) -> HeaderValue {
        let secure = if self.is_https { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Strict{secure}",
            self.name()
        );
        HeaderValue::try_from(text).expect("tokens of our own are hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Option<SessionCookie> {
        SessionCookie::at(&url.parse().unwrap())
    }

    #[test]
    fn a_cookie_is_the_hosts_own_and_goes_over_tls_only() {
        let cookie = at("https://pay.example").unwrap();
        assert_eq!(
            cookie.give(&Token::from("ab")),
            "__Host-bitpro=ab; Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict; Secure"
        );
        let loopback = at("http://localhost:8080").unwrap();
        assert_eq!(loopback.take(), "bitpro=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
        assert!(at("http://127.0.0.1:1").is_some() && at("http://[::1]:1").is_some());
        assert!(at("http://pay.example").is_none() && at("http://192.168.1.5:8080").is_none());
    }

    #[test]
    fn only_our_own_cookie_is_read() {
        let cookie = at("https://pay.example").unwrap();
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; bitpro=x"));
        assert!(cookie.read(&headers).is_none());
        headers.append(header::COOKIE, HeaderValue::from_static("c=d; __Host-bitpro=0a"));
        assert_eq!(cookie.read(&headers).unwrap().as_str(), "0a");
    }
}
