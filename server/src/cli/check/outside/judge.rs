//! What an answer through the public address says about what stands in front of the server.

use std::net::{IpAddr, SocketAddr};

use bitpro_config::{Config, PublicUrl};
use bitpro_node::{CheckLine, Level};
use http::{HeaderMap, header};
use serde_json::Value;

use super::client::{Got, Trouble};
use super::{Streamed, examples};

/// What every answer of the server carries.
const HEADERS: [&str; 4] = [
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
];

/// Judges one of our addresses.
pub(super) struct Judge<'c> {
    pub config: &'c Config,
    pub url: &'c PublicUrl,
    /// The setting that it comes from.
    pub setting: &'static str,
}

impl Judge<'_> {
    fn line(&self, level: Level, text: String) -> CheckLine {
        CheckLine::new("outside", level, format!("{}: {text}", self.url.origin()))
    }

    /// It does not work, and the address may be wrong.
    pub(super) fn failure(&self, text: String) -> CheckLine {
        self.line(Level::Failure, text).with_setting(self.setting)
    }

    /// Nobody answers.
    pub(super) fn unreachable(&self, trouble: &Trouble) -> CheckLine {
        self.failure(match trouble {
            Trouble::Connection(why) => {
                format!(
                    "nobody can be reached there from this machine ({why}): check the name, the proxy and the firewall"
                )
            }
            Trouble::Tls(why) => format!("no browser would trust it ({why}): check the proxy's certificate"),
            Trouble::Http(why) | Trouble::Late(why) => format!("it gives no answer ({why}): check the proxy"),
        })
    }

    /// Somebody else answers.
    pub(super) fn stranger(&self, got: &Got) -> CheckLine {
        let status = got.status;
        let said = |name: header::HeaderName| got.headers.get(name).and_then(|value| value.to_str().ok());
        let listen = self.config.listen;
        self.failure(if status.is_redirection() {
            let to = said(header::LOCATION).unwrap_or("nowhere");
            format!("it leads on to {to} (HTTP {}): the proxy must pass requests on to {listen}", status.as_u16())
        } else if matches!(status.as_u16(), 502..=504) {
            format!("the proxy cannot reach the server (HTTP {}): it must pass requests on to {listen}", status.as_u16())
        } else {
            let who = said(header::SERVER).map(|name| format!(" by {name}")).unwrap_or_default();
            format!(
                "another server answers there (HTTP {}{who}): the name must lead here, and a proxy must pass requests on to {listen}",
                status.as_u16()
            )
        })
    }

    /// What our own answer tells of how the request came.
    pub(super) fn request(&self, got: &Got, told: &Value, invented: &str) -> Vec<CheckLine> {
        let mut lines = vec![self.line(Level::Fine, "this server answers".to_owned())];
        let host = told["host"].as_str().unwrap_or("none");
        if !self.url.is_authority(host) {
            let text = format!(
                "the proxy passes on the Host {host:?} in place of that of the request, so pages are refused (421): nginx needs \
                 `proxy_set_header Host $http_host;` (examples: {})",
                examples()
            );
            lines.push(self.failure(text));
        }
        let peer = told["peer"].as_str().and_then(|peer| peer.parse::<SocketAddr>().ok());
        let is_direct = peer == Some(got.local);
        lines.push(match is_direct {
            true => self.direct(),
            false => self.client(told, peer.map(|peer| peer.ip().to_canonical()), invented),
        });
        lines.extend(self.headers(&got.headers));
        lines
    }

    /// Without a proxy in between.
    fn direct(&self) -> CheckLine {
        if self.url.is_loopback() || self.config.network.is_sandbox() {
            return self.line(Level::Fine, "no proxy is in between".to_owned());
        }
        let text = "no proxy is in between, and nothing is encrypted: put one in front that ends TLS, and use an https address";
        self.line(Level::Warning, text.to_owned()).with_setting(self.setting)
    }

    fn client(&self, told: &Value, peer: Option<IpAddr>, invented: &str) -> CheckLine {
        let about_proxies = |text: String| self.line(Level::Failure, text).with_setting("trusted_proxies");
        let peer = peer.map_or_else(|| "its address".to_owned(), |peer| peer.to_string());
        let is_trusted = peer.parse::<IpAddr>().is_ok_and(|peer| {
            let mut trusted = self.config.trusted_proxies.iter();
            trusted.any(|network| network.contains(&peer))
        });
        let client = told["client"].as_str().unwrap_or_default();
        let forwarded = told["forwarded_for"].as_str();
        match forwarded {
            None => self.line(
                Level::Failure,
                format!(
                    "the proxy does not say who asks, so all shoppers share one limit: nginx needs `proxy_set_header X-Forwarded-For \
                     $proxy_add_x_forwarded_for;` (examples: {})",
                    examples()
                ),
            ),
            Some(_) if !is_trusted => about_proxies(format!(
                "the proxy at {peer} is not believed, so all shoppers share one limit: add {peer} to trusted_proxies and restart"
            )),
            Some(_) if client == invented => about_proxies(
                "the proxy passes on X-Forwarded-For as the client wrote it, or trusted_proxies lists everybody: anyone can choose \
                 their own address; nginx needs $proxy_add_x_forwarded_for"
                    .to_owned(),
            ),
            Some(_) => self.line(Level::Fine, format!("clients are known by their own address ({client})")),
        }
    }

    fn headers(&self, headers: &HeaderMap) -> Vec<CheckLine> {
        let mut missing: Vec<&str> = HEADERS
            .into_iter()
            .filter(|name| !headers.contains_key(*name))
            .collect();
        if self.url.is_https() && !headers.contains_key(header::STRICT_TRANSPORT_SECURITY) {
            missing.push("strict-transport-security");
        }
        if missing.is_empty() {
            return vec![self.line(Level::Fine, "all security headers arrive".to_owned())];
        }
        let text = format!(
            "the proxy removes {}: it must pass on the server's headers (nginx: no proxy_hide_header)",
            missing.join(", ")
        );
        vec![self.line(Level::Failure, text)]
    }

    /// How a stream came through.
    pub(super) fn stream(&self, streamed: Streamed) -> CheckLine {
        match streamed {
            Streamed::AtOnce => self.line(Level::Fine, "events arrive at once".to_owned()),
            Streamed::AtTheEnd => self.line(
                Level::Failure,
                format!(
                    "the proxy holds events back until a stream ends, so pages do not update: nginx needs `proxy_http_version 1.1;`, and \
                     `proxy_buffering off;` for paths that end in /events (examples: {})",
                    examples()
                ),
            ),
            Streamed::Not(why) => self.line(
                Level::Failure,
                format!("no stream comes through ({why}): pages ask again and again instead"),
            ),
        }
    }

    /// Whether HTTP/2 is offered.
    pub(super) fn http2(&self, speaks: Result<bool, Trouble>) -> CheckLine {
        match speaks {
            Ok(true) => self.line(Level::Fine, "HTTP/2 is spoken".to_owned()),
            Ok(false) => self.line(
                Level::Warning,
                "the proxy speaks no HTTP/2, so a browser has only six connections for all its tabs: turn it on"
                    .to_owned(),
            ),
            Err(trouble) => self.unreachable(&trouble),
        }
    }

    /// What is answered without TLS.
    pub(super) fn plain(&self, answered: Option<Result<Got, Trouble>>) -> Option<CheckLine> {
        let got = match answered? {
            Ok(got) => got,
            // Nobody there: nothing goes out unencrypted, and browsers that know the address do not ask.
            Err(_) => return None,
        };
        let to = got.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
        let leads_to_us = to.is_some_and(|to| to.starts_with(self.url.origin()));
        Some(if got.status.is_redirection() && leads_to_us {
            self.line(Level::Fine, "http leads on to https".to_owned())
        } else {
            self.line(
                Level::Warning,
                format!(
                    "http does not lead on to https (HTTP {}): let the proxy redirect it",
                    got.status.as_u16()
                ),
            )
        })
    }
}
