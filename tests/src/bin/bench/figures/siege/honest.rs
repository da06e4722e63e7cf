//! Honest people: a shopper who pays, a merchant's server, and the owner. Each comes by itself and through the proxy in turns,
//! with a connection of its own for each request, as people come whose connections are not there yet.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bitpro_base::links::{Covered, Expiry, LinkKey, message};
use bitpro_charge::MerchantId;
use bitpro_tests::Api;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use super::end_of;
use super::people::{self, Browser};
use crate::samples::Samples;
use crate::stage::{CENTS, Stage};
use crate::stopwatch::{now, since};

/// A shopper comes so often.
const SHOPS_EVERY: Duration = Duration::from_millis(500);
/// A merchant's server asks so often: less than a key may.
const CALLS_EVERY: Duration = Duration::from_millis(250);
/// The owner looks at a page so often.
const LOOKS_EVERY: Duration = Duration::from_millis(330);
/// The owner logs in anew with each so many-th page: with four browsers in turns, as often as each of them may.
const LOG_IN_AT: u32 = 15;
const BROWSERS: usize = 4;
/// Addresses from which shoppers come by themselves.
const SHOPPERS: u8 = 64;
const HOUR_SECS: i64 = 3_600;

/// Who they are and where they go.
pub struct World {
    url: String,
    merchant: String,
    link_key: LinkKey,
    api: Api,
    charge: String,
    files: Vec<String>,
    by_proxy: Client,
    shoppers: Vec<Client>,
    server: Client,
    desk: Client,
    browsers: Mutex<Vec<Browser>>,
    visits: AtomicU32,
}

/// What one of them saw.
#[derive(Debug, Default)]
pub struct Seen {
    who: &'static str,
    millis: Vec<f64>,
    failures: BTreeMap<String, usize>,
}

impl World {
    /// Gives the merchant of the stage a key for links, one for the API, and an owner.
    ///
    /// # Errors
    /// When the server refuses any of it.
    pub async fn prepare(stage: &Stage, charges: &[String]) -> Result<Self> {
        let (app, port, merchant) = (&stage.app, stage.port(), &stage.merchants[0]);
        let made: Value = serde_json::from_str(&app.run(&["link", "key", "rotate", merchant, "--json"]).await?)?;
        let link_key = made["key"].as_str().context("no key is shown")?;
        app.run(&["merchant", "set", merchant, "--gap-button", "100"]).await?;
        let by_proxy = people::client([127, 0, 0, 1], port)?;
        let page = charges.first().context("no charge")?;
        let mut world = Self {
            url: app.url(),
            merchant: merchant.clone(),
            link_key: link_key.parse()?,
            api: Api::add(app, merchant, "charges:read charges:write").await?,
            charge: page.rsplit('/').next().unwrap_or_default().to_owned(),
            files: vec!["/libs/iframeBuilderV1.min.js".to_owned(), "/favicon.ico".to_owned()],
            shoppers: (1..=SHOPPERS)
                .map(|nth| people::client([127, 32, 0, nth], port))
                .collect::<Result<_>>()?,
            server: people::client([127, 33, 0, 1], port)?,
            desk: people::client([127, 34, 0, 1], port)?,
            browsers: Mutex::new(people::owner(app, merchant, &by_proxy, BROWSERS).await?),
            by_proxy,
            visits: AtomicU32::new(0),
        };
        let shown = world
            .by_proxy
            .get(format!("{}{page}", world.url))
            .send()
            .await?
            .text()
            .await?;
        world.files.extend(files_of(&shown));
        Ok(world)
    }

    /// The id of the merchant's key.
    pub fn key(&self) -> &str {
        &self.api.id
    }

    /// Files that everybody may fetch.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Lets all three go on for so long.
    ///
    /// # Errors
    /// When one of them could not even ask.
    pub async fn go_on(self: &Arc<Self>, duration: Duration) -> Result<[Seen; 3]> {
        let end = end_of(duration);
        let (one, two, three) = (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        let (shopper, merchant, owner) = tokio::try_join!(
            tokio::spawn(async move { one.shop(end).await }),
            tokio::spawn(async move { two.call(end).await }),
            tokio::spawn(async move { three.look(end).await }),
        )?;
        Ok([shopper, merchant?, owner?])
    }

    /// A shopper for each visit: follows a signed link, opens the page, listens to its stream, asks for the state.
    async fn shop(&self, end: Instant) -> Seen {
        let mut seen = Seen::of("shopper");
        let mut turns = turns(SHOPS_EVERY);
        while now() < end {
            turns.tick().await;
            let nth = self.visits.fetch_add(1, Ordering::Relaxed);
            self.visit(nth, &mut seen).await;
        }
        seen
    }

    async fn visit(&self, nth: u32, seen: &mut Seen) {
        let by_proxy = nth.is_multiple_of(2);
        let own = usize::try_from(nth / 2).unwrap_or_default() % self.shoppers.len();
        let client = if by_proxy { &self.by_proxy } else { &self.shoppers[own] };
        let get = |path: &str| {
            let request = client.get(format!("{}{path}", self.url));
            let [.., high, low] = nth.to_be_bytes();
            match by_proxy {
                true => request.header("x-forwarded-for", format!("10.200.{high}.{low}")),
                false => request,
            }
        };
        let following = async {
            let link = self.signed_link(nth)?;
            let request = get(&link)
                .header("sec-fetch-mode", "navigate")
                .header("sec-fetch-dest", "document");
            let answer = request.send().await?;
            ensure!(answer.status() == 303, "a link answers {}", answer.status());
            let location = answer.headers().get("location").context("it leads nowhere")?.to_str()?;
            Ok(location.split('?').next().unwrap_or_default().to_owned())
        };
        let Some(page) = seen.timed(following).await else {
            return;
        };
        seen.timed(async { answered(get(&page), 200, "a page").await }).await;
        let listening = async {
            let mut stream = get(&format!("{page}/events")).send().await?;
            ensure!(stream.status() == 200, "a stream answers {}", stream.status());
            let mut told = Vec::new();
            while let Some(piece) = stream.chunk().await? {
                told.extend_from_slice(&piece);
                if crate::http::find(&told, b"\n\n").is_some() {
                    return Ok(());
                }
            }
            bail!("a stream ended")
        };
        seen.timed(listening).await;
        seen.timed(async { answered(get(&format!("{page}/status")), 200, "a status").await })
            .await;
    }

    fn signed_link(&self, nth: u32) -> Result<String> {
        let covered = Covered {
            price: Some(CENTS.to_string()),
            order_id: Some(format!("S-{nth}")),
            ..Covered::default()
        };
        let secs = bitpro_tests::clock::machine_millis() / 1_000 + HOUR_SECS;
        let expires = Expiry::from_secs(u64::try_from(secs)?).context("no such time")?;
        let merchant: MerchantId = self.merchant.parse().ok().context("no merchant's id")?;
        let signature = self.link_key.sign(&message(merchant, &covered, expires));
        Ok(format!(
            "/app/checkout/{}?fiat_price_cents={CENTS}&external_order_id=S-{nth}&exp={expires}&sig={signature}",
            self.merchant
        ))
    }

    /// A merchant's server: three reads, then a charge.
    async fn call(&self, end: Instant) -> Result<Seen> {
        let mut seen = Seen::of("merchant");
        let mut turns = turns(CALLS_EVERY);
        let body = json!({ "fiat_price_cents": CENTS }).to_string();
        let read = format!("/mapi/charges/{}", self.charge);
        for nth in 0_u32.. {
            turns.tick().await;
            if now() >= end {
                break;
            }
            let secs = bitpro_tests::clock::machine_millis() / 1_000;
            let (signed, wanted) = match nth % 4 {
                3 => (self.api.sign(Method::POST, "/mapi/charges", &body, secs)?, 201),
                _ => (self.api.sign(Method::GET, &read, "", secs)?, 200),
            };
            let (client, address) = if (nth / 4).is_multiple_of(2) {
                (&self.by_proxy, Some("198.51.100.7"))
            } else {
                (&self.server, None)
            };
            let mut request = client.request(signed.method.clone(), format!("{}{}", self.url, signed.target));
            for (name, value) in &signed.headers {
                request = request.header(*name, value);
            }
            if let Some(address) = address {
                request = request.header("x-forwarded-for", address);
            }
            seen.timed(async { answered(request.body(signed.body.clone()), wanted, "a call").await })
                .await;
        }
        Ok(seen)
    }

    /// The owner: pages of the dashboard, and now and then a log-in with a browser that is known.
    async fn look(&self, end: Instant) -> Result<Seen> {
        let mut seen = Seen::of("owner");
        let mut turns = turns(LOOKS_EVERY);
        let mut browsers = self.browsers.lock().await;
        let pages = [
            format!("/dashboard/{}", self.merchant),
            format!("/dashboard/{}/charges", self.merchant),
            format!("/dashboard/{}/charges/{}", self.merchant, self.charge),
            "/account".to_owned(),
        ];
        for nth in 0_u32.. {
            turns.tick().await;
            if now() >= end {
                break;
            }
            let (client, by_proxy) = if nth.is_multiple_of(2) {
                (&self.by_proxy, true)
            } else {
                (&self.desk, false)
            };
            let told = |request: RequestBuilder| match by_proxy {
                true => request.header("x-forwarded-for", "198.51.100.8"),
                false => request,
            };
            let turn = usize::try_from(nth / LOG_IN_AT)? % BROWSERS;
            let browser = &mut browsers[turn];
            if nth % LOG_IN_AT == LOG_IN_AT - 1 {
                let answer = seen
                    .timed(async {
                        let answer = told(browser.log_in(client, &self.url)).send().await?;
                        ensure!(answer.status() == 303, "a log-in answers {}", answer.status());
                        Ok(answer)
                    })
                    .await;
                if let Some(answer) = answer {
                    browser.keep(&answer)?;
                }
                continue;
            }
            let page = &pages[usize::try_from(nth)? % pages.len()];
            let request = browser.asks(told(client.get(format!("{}{page}", self.url))));
            seen.timed(async { answered(request, 200, "the dashboard").await })
                .await;
        }
        Ok(seen)
    }
}

impl Seen {
    fn of(who: &'static str) -> Self {
        Self { who, ..Self::default() }
    }

    /// Does something and keeps how long it took; nothing where it failed.
    async fn timed<T>(&mut self, doing: impl Future<Output = Result<T>>) -> Option<T> {
        let begun = now();
        match doing.await {
            Ok(done) => {
                self.millis.push(since(begun));
                Some(done)
            }
            Err(error) => {
                *self.failures.entry(short(&error)).or_default() += 1;
                None
            }
        }
    }

    /// How often something was asked.
    pub fn asked(&self) -> usize {
        self.millis.len() + self.failures.values().sum::<usize>()
    }

    /// How much of it was answered well, in percent.
    pub fn served(&self) -> f64 {
        let count = |count: usize| u32::try_from(count).map_or(0.0, f64::from);
        100.0 * count(self.millis.len()) / count(self.asked()).max(1.0)
    }

    /// How long nearly all of it took at most.
    pub fn p99(&self) -> Option<f64> {
        Samples::of(self.millis.clone()).map(|samples| samples.p99())
    }

    /// The same in words.
    pub fn told(&self) -> String {
        let times = Samples::of(self.millis.clone()).map_or_else(String::new, |samples| {
            format!(", p50 {:.1} ms, p99 {:.1} ms", samples.median(), samples.p99())
        });
        let failures: Vec<String> = self
            .failures
            .iter()
            .map(|(why, count)| format!("{count} x {why}"))
            .collect();
        let failures = if failures.is_empty() {
            String::new()
        } else {
            format!(" ({})", failures.join(", "))
        };
        format!(
            "{} {:.1} % of {}{times}{failures}",
            self.who,
            self.served(),
            self.asked()
        )
    }
}

/// Asks, and takes the whole answer.
async fn answered(request: RequestBuilder, wanted: u16, what: impl Display) -> Result<()> {
    let answer = request.send().await?;
    ensure!(answer.status() == wanted, "{what} answers {}", answer.status());
    answer.bytes().await?;
    Ok(())
}

/// What went wrong, without what differs from one time to the next.
fn short(error: &anyhow::Error) -> String {
    match error.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_timeout() => "no answer in time".to_owned(),
        Some(error) if error.is_connect() => "no connection".to_owned(),
        Some(_) => "cut off".to_owned(),
        None => error.to_string(),
    }
}

fn turns(every: Duration) -> tokio::time::Interval {
    let mut turns = tokio::time::interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    turns
}

/// The files that a page fetches.
fn files_of(page: &str) -> Vec<String> {
    let quoted = page.split('"');
    let files = quoted.filter(|text| text.starts_with("/app/assets/"));
    let mut files: Vec<String> = files
        .map(|text| text.split('?').next().unwrap_or_default().to_owned())
        .collect();
    files.sort();
    files.dedup();
    files
}
