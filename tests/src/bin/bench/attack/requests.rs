//! Strangers who ask and go: half of them come by themselves, each request on a connection of its own, and half through a proxy.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use super::Door;
use super::plan::{Outcome, Plan, Tally};
use crate::http::{Connection, NAVIGATION};
use crate::stopwatch::{now, since};

/// So many at once wait for answers; who comes beyond stays away.
const AT_ONCE: usize = 512;
const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(10);
const TICKS_PER_SECOND: u32 = 100;

struct Strangers {
    plan: Plan,
    tally: Tally,
    /// Connections of the proxy that wait to be used again.
    proxy: Mutex<Vec<Connection>>,
}

/// Carries out the plan.
pub(super) async fn carry_out(plan: Plan) -> Outcome {
    let (begun, end, pace) = (now(), plan.end(), plan.pace);
    let tally = Tally::default();
    let strangers = Arc::new(Strangers {
        plan,
        tally: tally.clone(),
        proxy: Mutex::default(),
    });
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut ticks = tokio::time::interval(TICK);
    // Who was late stays late: a burst to make up for it would be another attack than the one that is told.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut nth = 0;
    while now() < end {
        ticks.tick().await;
        for _ in 0..pace / TICKS_PER_SECOND {
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                break;
            };
            nth += 1;
            tally.begun();
            let strangers = Arc::clone(&strangers);
            tokio::spawn(async move {
                let how = match tokio::time::timeout(PATIENCE, strangers.one(nth)).await {
                    Ok(Ok(status)) => status.to_string(),
                    Ok(Err(_)) => "cut".to_owned(),
                    Err(_) => "no answer".to_owned(),
                };
                strangers.tally.ended(&how);
                drop(place);
            });
        }
    }
    tally.outcome(since(begun) / 1_000.0)
}

impl Strangers {
    /// One request, and the status of its answer.
    async fn one(&self, nth: u32) -> Result<u16> {
        let stranger = nth % self.plan.sources;
        // Each address comes now by itself and now through the proxy.
        let is_direct = (nth / self.plan.sources + nth).is_multiple_of(2);
        if is_direct {
            let request = self.plan.request(nth, "Connection: close\r\n")?;
            let mut stream = self.plan.connect(stranger, None).await?;
            stream.write_all(&request).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            let head = String::from_utf8_lossy(&answer);
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            return status.context("no answer");
        }
        let request = self.plan.request(nth, &Plan::told_by_proxy(stranger))?;
        let kept = self.proxy.lock().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => Connection::open(self.plan.port).await?,
        };
        let answer = connection.exchange(&request).await?;
        if answer.header("connection") != Some("close") {
            self.proxy.lock().push(connection);
        }
        Ok(answer.status)
    }
}

impl Plan {
    /// The bytes of a request, with more lines for its head.
    fn request(&self, nth: u32, more: &str) -> Result<Vec<u8>> {
        let charge = &self.charges[usize::try_from(nth)? % self.charges.len()];
        let somebody = format!("stranger-{nth}@street.example");
        // Half of what strangers try is aimed at the owner.
        let email = if (nth / 2).is_multiple_of(2) {
            &self.email
        } else {
            &somebody
        };
        Ok(match self.door {
            Door::Creations => {
                let path = format!("/app/checkout/{}?fiat_price_cents=500", self.merchant);
                self.get(&path, &format!("{NAVIGATION}{more}"))
            }
            Door::LogIn => self.post("/login", &[("email", email), ("password", "three wrong words")], more),
            Door::SignUp => {
                let form = [
                    ("name", "Stranger"),
                    ("email", somebody.as_str()),
                    ("company", "Street"),
                    ("site", "street.example"),
                ];
                self.post("/signup", &form, more)
            }
            Door::Letters => self.post("/password/forgot", &[("email", email)], more),
            Door::Passkeys => {
                let session = format!("Cookie: bitpro={nth:064x}\r\n{more}");
                self.post("/login/passkey/begin", &[], &session)
            }
            Door::Assets => {
                let file = &self.files[usize::try_from(nth / 2)? % self.files.len()];
                self.get(file, more)
            }
            Door::Signatures => {
                let key = if (nth / 2).is_multiple_of(2) {
                    self.key.clone()
                } else {
                    uuid()
                };
                let (nonce, signature) = (uuid(), STANDARD.encode([7; 32]));
                let timestamp = bitpro_tests::clock::machine_millis() / 1_000;
                let signed = format!(
                    "X-Authorization-Timestamp: {timestamp}\r\nAuthorization: acquia-http-hmac realm=\"Bitpro\",id=\"{key}\",\
                     nonce=\"{nonce}\",version=\"2.0\",headers=\"\",signature=\"{signature}\"\r\n{more}"
                );
                self.get("/mapi/charges", &signed)
            }
            _ => self.get(&format!("{charge}/status"), more),
        })
    }

    fn get(&self, path: &str, more: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n{more}\r\n", self.port).into_bytes()
    }

    fn post(&self, path: &str, form: &[(&str, &str)], more: &str) -> Vec<u8> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        let (port, length) = (self.port, body.len());
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n{more}\r\n{body}"
        )
        .into_bytes()
    }
}

fn uuid() -> String {
    bitpro_charge::ChargeId(bitpro_base::rng::uuid(&bitpro_base::rng::SystemRng)).to_string()
}
