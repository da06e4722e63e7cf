//! The tokens with which `bitpro check` may ask through the public address.

use std::sync::Arc;
use std::time::Duration;

use bitpro_base::clock::Clock;
use bitpro_base::rng::Rng;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What the paths begin with that it asks. They answer under any host: which one arrives is among what is asked.
pub(crate) const PATH: &str = "/app/check/";
/// How long a token is good, in time that nobody sets.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// Tokens at once; the oldest goes for a new one.
pub(crate) const MOST: usize = 8;

/// The tokens that were given to `bitpro check`.
#[derive(Clone)]
pub struct Knocks {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    open: Arc<Mutex<Vec<Knock>>>,
}

struct Knock {
    token: String,
    until: Duration,
    arrived: Arc<Notify>,
}

impl Knocks {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self {
            clock,
            rng,
            open: Arc::default(),
        }
    }

    /// A new token, of 32 hexadecimal digits.
    #[must_use]
    pub fn give(&self) -> String {
        let token = hex::encode(self.rng.bytes());
        let now = self.clock.monotonic();
        let mut open = self.open.lock();
        open.retain(|knock| knock.until > now);
        if open.len() >= MOST {
            open.remove(0);
        }
        open.push(Knock {
            token: token.clone(),
            until: now.saturating_add(GOOD_FOR),
            arrived: Arc::default(),
        });
        token
    }

    /// What tells the stream of `token` that its first event has arrived; `None` for what was never given or is no longer good.
    pub(crate) fn arrived(&self, token: &str) -> Option<Arc<Notify>> {
        let now = self.clock.monotonic();
        let open = self.open.lock();
        let known = open.iter().find(|knock| knock.token == token && knock.until > now)?;
        Some(Arc::clone(&known.arrived))
    }
}
