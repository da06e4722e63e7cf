//! The cookies, which only the dashboard reads: one holds the session's secret, the other one says in which accounts this browser
//! was before.

use bitpro_config::PublicUrl;
use bitpro_service::accounts::{MARK_SECS, SESSION_SECS, Token};
use http::{HeaderMap, HeaderValue, header};

/// The name where the address is https: browsers then take it from this host only, for this host only (RFC 6265bis,
/// section 4.1.3.2).
const NAME: &str = "__Host-bitpro";
/// The name on a loopback address without TLS, where browsers refuse the prefix.
const LOOPBACK_NAME: &str = "bitpro";

/// The name of the other one, in both places.
const DEVICE_NAME: &str = "__Host-bitpro-device";
const LOOPBACK_DEVICE_NAME: &str = "bitpro-device";

/// How the session's cookie is written and read.
#[derive(Debug, Clone, Copy)]
pub struct SessionCookie {
    is_https: bool,
}

/// The same for the marks of a browser that is known; see [`bitpro_service::accounts`].
#[derive(Debug, Clone, Copy)]
pub struct DeviceCookie {
    is_https: bool,
}

impl DeviceCookie {
    /// For a dashboard at `url`; `None` where people cannot log in.
    #[must_use]
    pub fn at(url: &PublicUrl) -> Option<Self> {
        SessionCookie::at(url).map(|SessionCookie { is_https }| Self { is_https })
    }

    const fn name(self) -> &'static str {
        if self.is_https {
            DEVICE_NAME
        } else {
            LOOPBACK_DEVICE_NAME
        }
    }

    /// The marks that a request carries.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> Option<String> {
        read(headers, self.name()).map(str::to_owned)
    }

    /// Gives a browser its marks.
    #[must_use]
    pub fn give(self, marks: &str) -> HeaderValue {
        written(self.name(), marks, MARK_SECS, self.is_https)
    }
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
        read(headers, self.name()).map(Token::from)
    }

    /// Gives a browser a session.
    #[must_use]
    pub fn give(self, token: &Token) -> HeaderValue {
        written(self.name(), token.as_str(), SESSION_SECS, self.is_https)
    }

    /// Takes it back.
    #[must_use]
    pub fn take(self) -> HeaderValue {
        written(self.name(), "", 0, self.is_https)
    }
}

fn read<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let values = headers.get_all(header::COOKIE).iter();
    let mut pairs = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted).then_some(value)
    })
}

fn written(name: &str, value: &str, secs: u32, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).expect("tokens and marks of our own are hexadecimal digits and dots")
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
        let device = DeviceCookie::at(&"https://pay.example".parse().unwrap()).unwrap();
        assert_eq!(
            device.give("ab.cd"),
            "__Host-bitpro-device=ab.cd; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure"
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
