//! What is known of a request before anything of it is believed.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::FromRequestParts;
use http::request::Parts;

/// The other end of the connection; put there by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The name of a request, for the log, for problems and for whoever reports one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Names for requests: a count from a random start, so that names of two runs do not meet.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl RequestIds {
    /// Names from `random` on.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        let (start, _) = random.split_at(8);
        Self(AtomicU64::new(
            start.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)),
        ))
    }

    /// The next name.
    #[must_use]
    pub fn next(&self) -> RequestId {
        // An odd step visits every number and keeps neighbours apart for the eye.
        RequestId(self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed))
    }
}

/// What the edge found out, for handlers.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The request's name.
    pub id: RequestId,
    /// The client's address, by trusted proxies only.
    pub client: IpAddr,
    /// Whether it was sent to `dashboard_url`: an address at which all is the dashboard's.
    pub is_dashboards: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Context {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(of(parts.extensions.get()))
    }
}

/// The context, or that of nobody: handlers are never reached past the edge, but need not know that.
const fn of(context: Option<&Context>) -> Context {
    match context {
        Some(context) => *context,
        None => Context {
            id: RequestId(0),
            client: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            is_dashboards: false,
        },
    }
}
