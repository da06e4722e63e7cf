//! Exchanges on this machine that answer in the shapes of the real ones.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bitpro_charge::Timestamp;
use http::header::{AGE, DATE};
use http::{StatusCode, Uri};
use parking_lot::Mutex;

use super::exchange::Exchange;

/// The time at which the exchanges' answers were made: 2026-01-01T00:00:04Z.
pub const ANSWERED: Timestamp = Timestamp::from_secs(1_767_225_604);
const ANSWERED_DATE: &str = "Thu, 01 Jan 2026 00:00:04 GMT";

/// What an exchange on this machine does when it is asked.
#[derive(Debug, Clone)]
pub enum Conduct {
    /// It answers with this body.
    Answer(String),
    /// It answers with this status.
    Status(StatusCode),
    /// It never answers.
    Silence,
}

/// All exchanges, behind one address: each is known by the path and query that it is asked with.
#[derive(Clone)]
pub struct Exchanges {
    address: SocketAddr,
    conduct: Arc<Mutex<BTreeMap<Exchange, Conduct>>>,
}

impl Exchanges {
    /// Opens them all, with these prices: bid and ask.
    pub async fn open(bid: &str, ask: &str) -> Self {
        let exchanges = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            conduct: Arc::new(Mutex::new(BTreeMap::new())),
        };
        for exchange in Exchange::ALL {
            exchanges.set(exchange, Conduct::Answer(body(exchange, bid, ask)));
        }
        let router = Router::new().fallback(answer).with_state(exchanges.clone());
        let address = serve(router).await;
        Self { address, ..exchanges }
    }

    /// Where they all are.
    pub fn home(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes `exchange` behave otherwise.
    pub fn set(&self, exchange: Exchange, conduct: Conduct) {
        self.conduct.lock().insert(exchange, conduct);
    }

    /// What `exchange` is asked here.
    pub fn question(&self, exchange: Exchange) -> Uri {
        format!("{}{}", self.home(), exchange.path()).parse().unwrap()
    }
}

async fn answer(State(exchanges): State<Exchanges>, uri: Uri) -> Response {
    let asked = uri.path_and_query().map(|asked| asked.as_str()).unwrap_or_default();
    let Some(exchange) = Exchange::ALL.into_iter().find(|exchange| exchange.path() == asked) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let conduct = exchanges.conduct.lock()[&exchange].clone();
    match conduct {
        Conduct::Answer(body) => ([(DATE, ANSWERED_DATE), (AGE, "1")], body).into_response(),
        Conduct::Status(status) => status.into_response(),
        Conduct::Silence => std::future::pending().await,
    }
}

/// The body of an answer in the shape of `exchange`, made at [`ANSWERED`] or up to two seconds before.
pub fn body(exchange: Exchange, bid: &str, ask: &str) -> String {
    let secs = ANSWERED.as_secs();
    match exchange {
        Exchange::Kraken => format!(
            r#"{{"error":[],"result":{{"XXBTZEUR":{{"asks":[["{ask}","1.199",{secs}]],"bids":[["{bid}","0.3",{}]]}}}}}}"#,
            secs - 9
        ),
        Exchange::Coinbase => format!(
            r#"{{"bids":[["{bid}","0.03",2]],"asks":[["{ask}","0.2",1]],"sequence":7,"auction_mode":false,"auction":null,"time":"2026-01-01T00:00:03.596119Z"}}"#
        ),
        Exchange::Bitstamp => format!(
            r#"{{"timestamp":"{}","open":"1","high":"1","low":"1","last":"1","volume":"9","vwap":"1","bid":"{bid}","ask":"{ask}"}}"#,
            secs - 2
        ),
        Exchange::Bitfinex => format!("[{bid},6.3,{ask},4.7,121,0.0023,1,31.7,1,1]"),
        Exchange::Binance => format!(
            r#"{{"symbol":"BTCEUR","bidPrice":"{bid}","bidQty":"0.8","askPrice":"{ask}","askQty":"1.2","closeTime":{}}}"#,
            secs * 1000
        ),
    }
}

/// Serves `router` on a free port for as long as the test runs.
pub async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Waits until `holds`, for at most ten seconds.
pub async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("what was waited for did not come");
}
