//! Following the market, against local servers that answer as the exchanges do.

use bitpro_base::clock::ManualClock;
use bitpro_base::rng::CountingRng;
use bitpro_charge::Rate;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::*;
use crate::testing::{ANSWERED, Conduct, Exchanges, body, until};

const REFRESH: Duration = Duration::from_millis(5);

struct Market {
    exchanges: Exchanges,
    clock: Arc<ManualClock>,
    rates: Arc<LiveRates>,
    closing: CancellationToken,
}

/// All five exchanges with these prices, and rates that look at the `looked_at` first of them.
async fn market(looked_at: usize, bid: &str, ask: &str) -> Market {
    let exchanges = Exchanges::open(bid, ask).await;
    let clock = Arc::new(ManualClock::new(ANSWERED.plus_secs(1)));
    let config = LiveConfig {
        questions: Exchange::ALL
            .into_iter()
            .take(looked_at)
            .map(|exchange| (exchange, exchanges.question(exchange)))
            .collect(),
        bounds: Bounds {
            least: Rate::from_cents_per_btc(100_000).unwrap(),
            most: Rate::from_cents_per_btc(1_000_000_000).unwrap(),
        },
        refresh: REFRESH,
    };
    Market {
        rates: Arc::new(LiveRates::new(config, clock.clone()).unwrap()),
        exchanges,
        clock,
        closing: CancellationToken::new(),
    }
}

impl Market {
    fn follow(&self) -> tokio::task::JoinHandle<()> {
        let rng = Arc::new(CountingRng::default());
        tokio::spawn(Arc::clone(&self.rates).follow(rng, self.closing.clone()))
    }

    fn fresh(&self) -> Option<Quote> {
        self.rates.fresh(self.clock.now())
    }
}

#[tokio::test]
async fn r29_every_exchange_is_understood_in_its_own_shape() {
    let market = market(5, "52520.17", "52521.5").await;
    let outcomes = market.rates.ask_all().await;
    assert_eq!(outcomes.len(), 5);
    for (exchange, outcome) in outcomes {
        let offer = outcome.unwrap_or_else(|failure| panic!("{exchange}: {failure}"));
        assert_eq!(offer.mid.to_string(), "52520.83", "{exchange}");
        let age = offer.at.secs_until(market.clock.now());
        assert!((1..=3).contains(&age), "{exchange}: {age} s");
    }
}

#[tokio::test]
async fn r32_the_exchanges_are_believed_after_a_wrong_moment_of_our_own_clock() {
    let market = market(5, "52520.17", "52521.5").await;
    let right = market.clock.now();
    market.clock.turn_to(right.plus_secs(7_200));
    assert_eq!(market.clock.now(), right.plus_secs(7_200));
    market.clock.turn_to(right);
    for (exchange, outcome) in market.rates.ask_all().await {
        let offer = outcome.unwrap_or_else(|failure| panic!("{exchange}: {failure}"));
        let age = offer.at.secs_until(market.clock.now());
        assert!((1..=3).contains(&age), "{exchange}: {age} s");
    }
}

#[tokio::test]
async fn r29_what_the_exchanges_agree_on_is_the_rate_until_they_fall_silent() {
    let market = market(5, "52520", "52521").await;
    assert_eq!(market.fresh(), None);
    let following = market.follow();
    until(|| {
        market
            .fresh()
            .is_some_and(|quote| quote.source.matches('Z').count() == 5)
    })
    .await;
    let quote = market.fresh().unwrap();
    assert_eq!(quote.rate.cents_per_btc(), 5_252_050);
    assert_eq!(quote.at, Timestamp(ANSWERED.0 - 2_000));
    assert!(!market.rates.is_fixed());

    for exchange in Exchange::ALL {
        market
            .exchanges
            .set(exchange, Conduct::Status(http::StatusCode::BAD_GATEWAY));
    }
    market.clock.advance_secs(110);
    assert!(market.fresh().is_some());
    market.clock.advance_secs(30);
    assert_eq!(market.fresh(), None);

    market.closing.cancel();
    following.await.unwrap();
}

#[tokio::test]
async fn r29_a_silent_a_broken_and_a_lying_exchange_do_not_disturb_the_others() {
    let market = market(5, "52520", "52521").await;
    market.exchanges.set(Exchange::Kraken, Conduct::Silence);
    market
        .exchanges
        .set(Exchange::Coinbase, Conduct::Answer("<html>".to_owned()));
    let lie = body(Exchange::Bitstamp, "99000", "99001");
    market.exchanges.set(Exchange::Bitstamp, Conduct::Answer(lie));
    let following = market.follow();
    until(|| market.fresh().is_some()).await;
    let quote = market.fresh().unwrap();
    assert_eq!(quote.rate.cents_per_btc(), 5_252_050);
    assert_eq!(quote.source, "bitfinex 00:00:03Z, binance 00:00:04Z");
    market.closing.cancel();
    following.await.unwrap();
}

#[tokio::test]
async fn r29_two_that_do_not_agree_are_no_rate() {
    let market = market(2, "52520", "52521").await;
    let other = body(Exchange::Coinbase, "53100", "53101");
    market.exchanges.set(Exchange::Coinbase, Conduct::Answer(other));
    let offers = market.rates.ask_all().await.into_values().map(Result::unwrap);
    assert_eq!(market.rates.quorum_of(offers).outcome, Err(NoQuorum::Apart));
}

#[tokio::test]
async fn r29_an_exchange_that_answers_again_is_heard_again() {
    let market = market(2, "52520", "52521").await;
    market
        .exchanges
        .set(Exchange::Kraken, Conduct::Status(http::StatusCode::TOO_MANY_REQUESTS));
    let following = market.follow();
    until(|| {
        market
            .rates
            .known
            .lock()
            .failures
            .get(&Exchange::Kraken)
            .is_some_and(|failures| *failures >= 2)
    })
    .await;
    assert_eq!(market.fresh(), None);
    let works = body(Exchange::Kraken, "52520", "52521");
    market.exchanges.set(Exchange::Kraken, Conduct::Answer(works));
    until(|| market.fresh().is_some()).await;
    market.closing.cancel();
    following.await.unwrap();
}

#[tokio::test]
async fn the_metrics_tell_age_spread_and_failures() {
    let market = market(4, "52520", "52521").await;
    let higher = body(Exchange::Coinbase, "52570", "52571");
    market.exchanges.set(Exchange::Coinbase, Conduct::Answer(higher));
    market
        .exchanges
        .set(Exchange::Bitfinex, Conduct::Status(http::StatusCode::FORBIDDEN));
    let outcomes = market.rates.ask_all().await;

    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        for (exchange, outcome) in outcomes {
            market.rates.note(exchange, outcome);
        }
        market.rates.record_metrics(ANSWERED.plus_secs(40));
    });
    let told = recorder.handle().render();
    for line in [
        "bitpro_rate_sources 3",
        "bitpro_rate_age_seconds 42",
        "bitpro_rate_source_spread_bps 10",
        "bitpro_rate_cents_per_btc 5252050",
        "bitpro_rate_source_failures_total{source=\"bitfinex\"} 1",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
}

#[test]
fn the_pause_doubles_with_each_failure_and_never_keeps_step() {
    let refresh = Duration::from_secs(15);
    let secs = |failures, chance| pause(refresh, failures, chance).as_secs();
    assert_eq!(secs(0, 0), 12);
    assert_eq!(secs(0, 255), 18);
    assert_eq!((secs(1, 255), secs(2, 255), secs(3, 255)), (36, 72, 144));
    assert_eq!(secs(5, 0), 240);
    assert_eq!(secs(u32::MAX, 255), 360);
}
