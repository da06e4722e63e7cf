//! The market's rate: every exchange is asked again and again, and what they agree on is the rate.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bitpro_base::clock::Clock;
use bitpro_base::http_client::system_roots;
use bitpro_base::rng::Rng;
use bitpro_charge::{Quote, Timestamp};
use http::Uri;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::RateSource;
use super::board::Board;
use super::client::{self, Client, NoAnswer};
use super::exchange::{Exchange, Malformed, Ticker};
use super::offer::{NoOffer, Offer};
use super::quorum::{Bounds, NoQuorum, Quorum};

/// Which exchanges are asked, and what is believed of them.
#[derive(Debug, Clone)]
pub struct LiveConfig {
    /// The exchanges, each with what is asked.
    pub questions: BTreeMap<Exchange, Uri>,
    /// What a bitcoin can cost.
    pub bounds: Bounds,
    /// The pause between two questions to the same exchange.
    pub refresh: Duration,
}

/// The rate of the market.
pub struct LiveRates {
    config: LiveConfig,
    client: Client,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

struct Known {
    board: Board,
    /// Consecutive failures of each exchange; absent is none.
    failures: BTreeMap<Exchange, u32>,
    /// Why there was no rate at the last look; `None` when there was one.
    doubt: Option<NoQuorum>,
    /// When the log said at last that there is no rate, or when the first exchange was asked.
    told: Option<Timestamp>,
}

/// Why an exchange's answer counts for nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// None came.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// It cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is read but not believed.
    #[error(transparent)]
    NoOffer(#[from] NoOffer),
}

/// Why no exchange can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this machine trusts no certificate authority, so exchanges cannot be reached: install the package ca-certificates"
)]
pub struct NoTrust;

/// The longest pause after failures. Longer than that, a market that works again would go unheard.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl LiveRates {
    /// The market as `config` looks at it; nobody is asked before [`follow`](Self::follow).
    ///
    /// # Errors
    /// [`NoTrust`].
    pub fn new(config: LiveConfig, clock: Arc<dyn Clock>) -> Result<Self, NoTrust> {
        let roots = system_roots();
        let needs_trust = config.questions.values().any(|uri| uri.scheme_str() == Some("https"));
        if needs_trust && roots.is_empty() {
            return Err(NoTrust);
        }
        let known = Known {
            board: Board::new(config.bounds),
            failures: BTreeMap::new(),
            doubt: Some(NoQuorum::TooFew(0)),
            told: None,
        };
        Ok(Self {
            config,
            client: Client::new(roots, client::TIMEOUT),
            clock,
            known: Mutex::new(known),
        })
    }

    /// Asks every exchange, each at its own pace, until `closing` is cancelled.
    pub async fn follow(self: Arc<Self>, rng: Arc<dyn Rng>, closing: CancellationToken) {
        let mut tasks = JoinSet::new();
        for exchange in self.config.questions.keys().copied() {
            let rates = Arc::clone(&self);
            let rng = Arc::clone(&rng);
            let asking = async move { rates.follow_one(exchange, rng.as_ref()).await };
            tasks.spawn(closing.clone().run_until_cancelled_owned(asking));
        }
        tasks.join_all().await;
    }

    async fn follow_one(&self, exchange: Exchange, rng: &dyn Rng) {
        loop {
            let outcome = self.ask(exchange).await;
            let failures = self.note(exchange, outcome);
            let [chance, ..] = rng.bytes();
            tokio::time::sleep(pause(self.config.refresh, failures, chance)).await;
        }
    }

    /// Asks every exchange once, at the same time.
    pub async fn ask_all(&self) -> BTreeMap<Exchange, Result<Offer, Failure>> {
        let asked = self.config.questions.keys().map(|exchange| async {
            let outcome = self.ask(*exchange).await;
            (*exchange, outcome)
        });
        futures::future::join_all(asked).await.into_iter().collect()
    }

    /// What would be decided about these `offers` alone.
    #[must_use]
    pub fn quorum_of(&self, offers: impl IntoIterator<Item = Offer>) -> Quorum {
        let mut board = Board::new(self.config.bounds);
        for offer in offers {
            board.put(offer);
        }
        board.quorum(self.clock.now())
    }

    async fn ask(&self, exchange: Exchange) -> Result<Offer, Failure> {
        let question = self.config.questions[&exchange].clone();
        let answer = self.client.get(question).await?;
        let ticker = exchange.read(&answer.body)?;
        // The exchange's clock knows nothing of ours, which may have run ahead (R32).
        let moment = self.clock.moment();
        let ticker = Ticker {
            at: ticker.at.map(|at| moment.ours(at)),
            ..ticker
        };
        let generated = answer.generated.map(|at| moment.ours(at));
        Ok(Offer::new(exchange, ticker, generated, moment.now)?)
    }

    /// Writes down how an exchange answered, and returns how often in a row it has failed.
    fn note(&self, exchange: Exchange, outcome: Result<Offer, Failure>) -> u32 {
        let now = self.clock.now();
        let mut known = self.known.lock();
        let before = known.failures.get(&exchange).copied().unwrap_or(0);
        let failures = match outcome {
            Ok(offer) => {
                known.board.put(offer);
                if before > 0 {
                    tracing::info!(%exchange, "the exchange answers again");
                }
                0
            }
            Err(failure) => {
                metrics::counter!("bitpro_rate_source_failures_total", "source" => exchange.name()).increment(1);
                if before == 0 {
                    tracing::warn!(%exchange, %failure, "an exchange gave no price");
                } else {
                    tracing::debug!(%exchange, %failure, "an exchange still gives no price");
                }
                before.saturating_add(1)
            }
        };
        known.failures.insert(exchange, failures);
        known.review(now);
        failures
    }
}

/// When the log says again that there is no rate, in milliseconds: whoever looks into it later must find it near its end.
const REMIND_AFTER_MS: i64 = 5 * 60 * 1_000;

impl Known {
    /// Decides anew, and tells the operator when a rate came or went.
    fn review(&mut self, now: Timestamp) {
        let outcome = self.board.review(now);
        let told = *self.told.get_or_insert(now);
        let is_long_ago = now.0.saturating_sub(told.0) >= REMIND_AFTER_MS;
        match (&outcome, self.doubt) {
            (Ok(agreement), Some(_)) => {
                tracing::info!(rate = %agreement.price, sources = agreement.taken.len(), "an exchange rate is available");
            }
            (Err(reason), None) => {
                self.told = Some(now);
                tracing::warn!(%reason, "no exchange rate is available: no charge can be created");
            }
            // Another number of exchanges is the same reason.
            (Err(reason), Some(before)) if is_long_ago || mem::discriminant(reason) != mem::discriminant(&before) => {
                self.told = Some(now);
                tracing::warn!(%reason, "still no exchange rate is available");
            }
            _ => {}
        }
        self.doubt = outcome.err();
    }
}

impl RateSource for LiveRates {
    fn fresh(&self, now: Timestamp) -> Option<Quote> {
        self.known.lock().board.quote(now)
    }

    fn is_fixed(&self) -> bool {
        false
    }

    fn record_metrics(&self, now: Timestamp) {
        let outcome = self.known.lock().board.quorum(now).outcome;
        let sources = outcome.as_ref().map_or(0, |agreement| agreement.taken.len());
        metrics::gauge!("bitpro_rate_sources").set(u32::try_from(sources).unwrap_or(u32::MAX));
        // Without a rate the last figures stay: that there is none is told by the number of sources.
        let Ok(agreement) = outcome else { return };
        metrics::gauge!("bitpro_rate_source_spread_bps").set(agreement.width_bps());
        if let Some(at) = agreement.at() {
            metrics::gauge!("bitpro_rate_age_seconds").set(at.secs_until(now));
        }
        if let Some(rate) = agreement.price.rate() {
            let cents = u32::try_from(rate.cents_per_btc()).unwrap_or(u32::MAX);
            metrics::gauge!("bitpro_rate_cents_per_btc").set(cents);
        }
    }
}

/// The pause before the next question: `refresh`, doubled with each failure in a row up to [`LONGEST_PAUSE`], and a fifth shorter or
/// longer by `chance`, so that many servers do not ask in step.
fn pause(refresh: Duration, failures: u32, chance: u8) -> Duration {
    let doubled = refresh
        .saturating_mul(1 << failures.min(16))
        .min(LONGEST_PAUSE.max(refresh));
    // From 80 % at 0 to 120 % at 255.
    doubled * (u32::from(chance) * 40 / 255 + 80) / 100
}
