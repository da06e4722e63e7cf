//! `bitpro rate`: the rate as the configuration has it now, and with `--probe` what each exchange says.
//!
//! The exchanges are asked by this process, not by the server: so it can be tried before anything is served.

use std::collections::BTreeMap;
use std::sync::Arc;

use bitpro_base::clock::Clock;
use bitpro_charge::Timestamp;
use bitpro_config::Config;
use bitpro_rates::{Agreement, Exchange, Failure, LiveRates, NoQuorum, NoTrust, Offer, Quorum, Standing};
use serde_json::{Value, json};

pub(super) struct Report {
    /// The fixed price in cents, when that is what counts.
    pub fixed_cents: Option<u64>,
    /// The market, when it was asked.
    pub market: Option<Market>,
}

/// What the exchanges say.
pub(super) struct Market {
    /// When they were asked.
    pub now: Timestamp,
    /// Each of them.
    pub lines: Vec<Line>,
    /// What is decided about them.
    pub outcome: Result<Agreement, NoQuorum>,
}

/// What one exchange says.
pub(super) struct Line {
    /// The exchange.
    pub exchange: Exchange,
    /// Its price and what becomes of it, or why there is none.
    pub said: Result<(Offer, Standing), String>,
}

/// Asks the exchanges if `probe` or the configuration wants them.
///
/// # Errors
/// [`NoTrust`].
pub(super) async fn report(config: &Config, probe: bool, clock: Arc<dyn Clock>) -> Result<Report, NoTrust> {
    let is_fixed = config.rates.is_fixed;
    let market = if probe || !is_fixed {
        Some(ask(config, clock).await?)
    } else {
        None
    };
    Ok(Report {
        fixed_cents: is_fixed.then(|| config.rates.fixed.cents_per_btc()),
        market,
    })
}

/// Asks the exchanges.
///
/// # Errors
/// [`NoTrust`].
pub(super) async fn ask(config: &Config, clock: Arc<dyn Clock>) -> Result<Market, NoTrust> {
    let rates = LiveRates::new(config.rates.live.clone(), Arc::clone(&clock))?;
    let answers = rates.ask_all().await;
    let offers = answers.values().filter_map(|answer| answer.as_ref().ok()).copied();
    let quorum = rates.quorum_of(offers);
    Ok(Market {
        now: clock.now(),
        lines: lines(answers, &quorum),
        outcome: quorum.outcome,
    })
}

fn lines(answers: BTreeMap<Exchange, Result<Offer, Failure>>, quorum: &Quorum) -> Vec<Line> {
    let standing_of = |offer: Offer| {
        let found = quorum.standings.iter().find(|(judged, _)| *judged == offer);
        let (_, standing) = found.expect("every offer was judged");
        (offer, *standing)
    };
    let line = |(exchange, answer): (Exchange, Result<Offer, Failure>)| Line {
        exchange,
        said: answer.map(standing_of).map_err(|failure| failure.to_string()),
    };
    answers.into_iter().map(line).collect()
}

impl Report {
    /// Whether what was looked at would do.
    pub(super) fn is_fine(&self) -> bool {
        self.market.as_ref().is_none_or(|market| market.outcome.is_ok())
    }

    pub(super) fn to_json(&self) -> Value {
        let market = self.market.as_ref().map(Market::to_json);
        let source = if self.fixed_cents.is_some() { "fixed" } else { "live" };
        json!({"rate_source": source, "fixed_cents_per_btc": self.fixed_cents, "market": market})
    }

    /// For people: first what each exchange says, last what counts.
    pub(super) fn to_text(&self) -> Vec<String> {
        let mut text = self.market.as_ref().map(Market::to_text).unwrap_or_default();
        if let Some(cents) = self.fixed_cents {
            let (euros, cents) = (cents / 100, cents % 100);
            text.push(format!(
                "fixed     EUR {euros}.{cents:02}; this one counts: rate_source is fixed"
            ));
        }
        text
    }
}

impl Market {
    fn to_json(&self) -> Value {
        let agreement = self.outcome.as_ref().ok();
        let rate = agreement.and_then(|agreement| agreement.price.rate());
        let exchanges: Vec<Value> = self.lines.iter().map(|line| line.to_json(self.now)).collect();
        json!({
            "cents_per_btc": rate.map(|rate| rate.cents_per_btc()),
            "source_spread_bps": agreement.map(Agreement::width_bps),
            "doubt": self.outcome.as_ref().err().map(ToString::to_string),
            "exchanges": exchanges,
        })
    }

    fn to_text(&self) -> Vec<String> {
        let lines = self.lines.iter().map(|line| line.to_text(self.now));
        let last = match &self.outcome {
            Ok(agreement) => {
                let (taken, all) = (agreement.taken.len(), self.lines.len());
                format!("market    EUR {} by {taken} of {all} exchanges", agreement.price)
            }
            Err(doubt) => format!("market    no rate: {doubt}"),
        };
        lines.chain([last]).collect()
    }
}

impl Line {
    fn to_json(&self, now: Timestamp) -> Value {
        match &self.said {
            Ok((offer, standing)) => json!({
                "exchange": self.exchange.name(),
                "eur_per_btc": offer.mid.to_string(),
                "age_secs": offer.at.secs_until(now),
                "standing": word(*standing),
            }),
            Err(failure) => json!({
                "exchange": self.exchange.name(),
                "standing": "failed",
                "failure": failure,
            }),
        }
    }

    fn to_text(&self, now: Timestamp) -> String {
        let name = self.exchange.name();
        match &self.said {
            Ok((offer, standing)) => {
                let price = offer.mid.to_string();
                let age = offer.at.secs_until(now);
                format!("{name:<9} EUR {price:<11}  {age:>3} s old  {}", word(*standing))
            }
            Err(failure) => format!("{name:<9} no price: {failure}"),
        }
    }
}

const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Taken => "taken",
        Standing::Stale => "stale",
        Standing::OutOfBounds => "out-of-bounds",
        Standing::Outlier => "outlier",
    }
}

#[cfg(test)]
mod tests {
    use bitpro_base::clock::ManualClock;
    use bitpro_rates::testing::{ANSWERED, Conduct, Exchanges, body};

    use super::*;

    /// The configuration of an instance whose exchanges are these.
    fn config(exchanges: &Exchanges, source: &str) -> Config {
        let asked: Vec<String> = Exchange::ALL
            .iter()
            .map(|exchange| format!("{exchange}={}", exchanges.home()))
            .collect();
        let written = [
            ("BITPRO_NETWORK", "regtest"),
            ("BITPRO_DATA_DIR", "/nowhere"),
            ("BITPRO_RATE_SOURCE", source),
            ("BITPRO_RATE_EXCHANGES", &asked.join(",")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Config::from_sources(written, None, Some("/home/op".as_ref())).unwrap()
    }

    #[tokio::test]
    async fn a_probe_shows_what_becomes_of_each_exchange() {
        let exchanges = Exchanges::open("52520", "52521").await;
        let lie = body(Exchange::Coinbase, "60000", "60001");
        exchanges.set(Exchange::Coinbase, Conduct::Answer(lie));
        exchanges.set(
            Exchange::Binance,
            Conduct::Status(http::StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS),
        );
        let clock = Arc::new(ManualClock::new(ANSWERED.plus_secs(1)));
        let report = report(&config(&exchanges, "live"), true, clock).await.unwrap();
        assert!(report.is_fine());
        let text = report.to_text();
        assert_eq!(text.len(), 6, "{text:#?}");
        assert!(
            text[0].starts_with("kraken    EUR 52520.50") && text[0].ends_with("taken"),
            "{text:#?}"
        );
        assert!(
            text[1].starts_with("coinbase  EUR 60000.50") && text[1].ends_with("outlier"),
            "{text:#?}"
        );
        assert_eq!(text[4], "binance   no price: status 451 Unavailable For Legal Reasons");
        assert_eq!(text[5], "market    EUR 52520.50 by 3 of 5 exchanges");
        let json = report.to_json();
        assert_eq!(json["rate_source"], "live");
        assert_eq!(json["market"]["cents_per_btc"], 5_252_050);
        assert_eq!(json["market"]["exchanges"][4]["standing"], "failed");
    }

    #[tokio::test]
    async fn a_fixed_rate_asks_nobody_unless_it_is_told_to_probe() {
        let exchanges = Exchanges::open("52520", "52521").await;
        let config = config(&exchanges, "fixed");
        let clock = || Arc::new(ManualClock::new(ANSWERED.plus_secs(200)));
        let quiet = report(&config, false, clock()).await.unwrap();
        assert!(quiet.is_fine() && quiet.market.is_none());
        assert_eq!(
            quiet.to_text(),
            ["fixed     EUR 50000.00; this one counts: rate_source is fixed"]
        );

        let probed = report(&config, true, clock()).await.unwrap();
        assert!(!probed.is_fine());
        let text = probed.to_text();
        assert!(text[0].ends_with("200 s old  stale"), "{text:#?}");
        assert!(
            text[5].starts_with("market    no rate: exchanges with a fresh price: 0"),
            "{text:#?}"
        );
    }
}
