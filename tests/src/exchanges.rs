//! Three exchanges on this machine that answer in the shapes of the real ones, by the clock of the test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Clock, Setup};

/// The names of the exchanges.
pub const NAMES: [&str; 3] = ["kraken", "bitstamp", "binance"];

/// The exchanges; they close when this is dropped.
#[derive(Debug)]
pub struct Exchanges {
    address: SocketAddr,
    market: Market,
    serving: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Market {
    clock: Clock,
    /// What each exchange is asked to say; one without an entry is away.
    prices: Arc<Mutex<BTreeMap<&'static str, Price>>>,
}

#[derive(Debug, Clone, Copy)]
struct Price {
    /// The middle of bid and ask, in whole euros.
    euros: u64,
    /// The time at which the exchange stands still; `None` while it goes on.
    frozen_at: Option<i64>,
}

impl Exchanges {
    /// Opens all three, where a bitcoin costs `euros`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn open(clock: &Clock, euros: u64) -> Result<Self> {
        let market = Market {
            clock: clock.clone(),
            prices: Arc::default(),
        };
        let router = Router::new()
            .route("/0/public/Depth", get(kraken))
            .route("/api/v2/ticker/btceur/", get(bitstamp))
            .route("/api/v3/ticker/24hr", get(binance))
            .with_state(market.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let exchanges = Self {
            address: listener.local_addr()?,
            market,
            serving: tokio::spawn(async move {
                // It ends only with its task.
                let _ = axum::serve(listener, router).await;
            }),
        };
        for name in NAMES {
            exchanges.set(name, euros);
        }
        Ok(exchanges)
    }

    /// `setup` with rates that come from here.
    #[must_use]
    pub fn feed(&self, setup: Setup) -> Setup {
        let asked: Vec<String> = NAMES
            .iter()
            .map(|name| format!("{name}=http://{}", self.address))
            .collect();
        setup
            .with("BITPRO_RATE_SOURCE", "live")
            .with("BITPRO_RATE_EXCHANGES", &asked.join(", "))
            .with("BITPRO_RATE_REFRESH_SECS", "5")
    }

    /// Sets the price at one exchange, in whole euros.
    pub fn set(&self, name: &'static str, euros: u64) {
        let price = Price { euros, frozen_at: None };
        self.market.locked().insert(name, price);
    }

    /// Lets the time stand still at all exchanges: they go on answering, with ever older prices.
    pub fn freeze(&self) {
        let now = self.market.clock.now_millis();
        for price in self.market.locked().values_mut() {
            price.frozen_at = Some(now);
        }
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Market {
    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Price>> {
        self.prices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bid, ask and time in milliseconds.
    fn said(&self, name: &str) -> Result<(u64, u64, i64), StatusCode> {
        let price = self.locked().get(name).copied().ok_or(StatusCode::BAD_GATEWAY)?;
        let now = price.frozen_at.unwrap_or_else(|| self.clock.now_millis());
        Ok((price.euros - 1, price.euros + 1, now))
    }
}

async fn kraken(State(market): State<Market>) -> Result<String, StatusCode> {
    let (bid, ask, now) = market.said("kraken")?;
    let secs = now / 1000;
    Ok(format!(
        r#"{{"error":[],"result":{{"XXBTZEUR":{{"asks":[["{ask}.00000","1.2",{secs}]],"bids":[["{bid}.00000","0.3",{secs}]]}}}}}}"#
    ))
}

async fn bitstamp(State(market): State<Market>) -> Result<String, StatusCode> {
    let (bid, ask, now) = market.said("bitstamp")?;
    let secs = now / 1000;
    Ok(format!(
        r#"{{"timestamp":"{secs}","bid":"{bid}","ask":"{ask}","last":"{ask}"}}"#
    ))
}

async fn binance(State(market): State<Market>) -> Result<String, StatusCode> {
    let (bid, ask, now) = market.said("binance")?;
    Ok(format!(
        r#"{{"symbol":"BTCEUR","bidPrice":"{bid}.00000000","askPrice":"{ask}.00000000","closeTime":{now}}}"#
    ))
}
