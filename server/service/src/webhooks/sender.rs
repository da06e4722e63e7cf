//! The sender: takes in what is to be told, makes the attempts, and goes on with what came of them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bitpro_base::http_client::system_roots;
use bitpro_charge::Timestamp;
use bitpro_store::webhook::AttemptRow;
use bitpro_store::{Fresh, Store, StoreError, WebhookMap};
use bytes::Bytes;
use quick_cache::unsync::Cache;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::WebhookId;
use super::client::{Answered, Client};
use super::queue::{Ended, Job, Queue};
use super::ready::{Ready, ready};
use super::recorder::{Record, Recorder};
use super::tidy::forget_old;
use crate::charges::{Charges, Sending};
use crate::wire::delivery_body;

/// Events that are kept from the moment of their decision until they are first sent.
const FRESH: usize = 5_000;
/// With more results waiting for their commit, nothing more is sent.
const UNRECORDED: usize = 10_000;
/// Deliveries read at once at the start.
const PAGE: u32 = 5_000;
/// The clock is looked at this often: it may have been set.
const LOOK: Duration = Duration::from_secs(1);
/// How long something that the server itself could not do is put off, in seconds.
const PUT_OFF_SECS: u32 = 5;
/// How often what is too old is forgotten.
const TIDY: Duration = Duration::from_secs(3_600);
/// The sender, before it runs.
pub struct Sender {
    charges: Charges,
    client: Client,
    public_url: Arc<str>,
    news: mpsc::UnboundedReceiver<Sending>,
}

/// What an attempt task reports.
pub(super) enum Report {
    Ended(Job, Timestamp, Answered),
    /// The attempt was not made, for a reason of our own.
    NotMade(Job),
}

/// How attempts are made, and where their ends are told.
struct Way {
    client: Client,
    reports: mpsc::UnboundedSender<Report>,
}

/// What is to be sent, and what came of it.
pub(super) struct Running {
    pub(super) charges: Charges,
    store: Arc<Store>,
    public_url: Arc<str>,
    pub(super) queue: Queue,
    webhooks: HashMap<i64, Arc<Ready>>,
    fresh: Cache<i64, Arc<Fresh>>,
    pub(super) recorder: Recorder,
    /// The last delivery that was read at the start: news of it is none.
    loaded: i64,
}

/// Jobs, each with its webhook, if that is still there.
pub(super) type Attempts = Vec<(Job, Option<Arc<Ready>>)>;

impl Sender {
    /// A sender of what the store of `charges` holds. `public_url` is the server's own address.
    #[must_use]
    pub fn new(charges: Charges, public_url: &str) -> Self {
        // Listening begins before anything is read: nothing falls between.
        let news = charges.listen_to_deliveries();
        let policy = Arc::new(charges.webhook_policy().clone());
        Self {
            client: Client::new(policy, system_roots()),
            charges,
            public_url: public_url.into(),
            news,
        }
    }

    /// Sends until `closing` is cancelled, and waits for the attempts that are under way then.
    pub async fn run(self, closing: CancellationToken) {
        let Self {
            charges,
            client,
            public_url,
            mut news,
        } = self;
        let (reports, mut reported) = mpsc::unbounded_channel();
        let way = Way { client, reports };
        let mut running = Running::new(charges, public_url);
        running.load().await;
        let mut tidy = tokio::time::interval(TIDY);
        tidy.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_closing = closing.is_cancelled();
            if is_closing && running.queue.under_way() == 0 {
                break;
            }
            let pause = if is_closing { LOOK } else { running.send(&way) };
            tokio::select! {
                Some(first) = news.recv() => {
                    running.take_in(first).await;
                    while let Ok(more) = news.try_recv() {
                        running.take_in(more).await;
                    }
                }
                Some(first) = reported.recv() => {
                    running.go_on(first);
                    while let Ok(more) = reported.try_recv() {
                        running.go_on(more);
                    }
                }
                _ = tidy.tick(), if !is_closing => {
                    tokio::spawn(forget_old(Arc::clone(&running.store), running.charges.moment().outside));
                }
                () = tokio::time::sleep(pause) => {}
                () = closing.cancelled(), if !is_closing => {}
            }
            gauge(&running.queue);
        }
        running.recorder.finish().await;
    }
}

impl Running {
    /// Nothing is known yet of what is to be sent.
    pub(super) fn new(charges: Charges, public_url: Arc<str>) -> Self {
        Self {
            recorder: Recorder::start(Arc::clone(charges.store())),
            store: Arc::clone(charges.store()),
            charges,
            public_url,
            queue: Queue::default(),
            webhooks: HashMap::new(),
            fresh: Cache::new(FRESH),
            loaded: 0,
        }
    }

    /// Starts the attempts that are due. How long until the next.
    fn send(&mut self, way: &Way) -> Duration {
        if self.recorder.waiting() >= UNRECORDED {
            return Duration::from_millis(5);
        }
        let now = self.charges.now();
        let jobs = self.queue.take(now);
        if !jobs.is_empty() {
            self.launch(jobs, way);
        }
        let Some(next) = self.queue.next() else {
            return LOOK;
        };
        let millis = u64::try_from(next.0 - now.0).unwrap_or(0).max(1);
        Duration::from_millis(millis).min(LOOK)
    }

    /// The attempts of `jobs`, and what reads the events that they tell, by row of the outbox.
    pub(super) fn attempts(
        &self,
        jobs: Vec<Job>,
    ) -> (Attempts, impl Future<Output = HashMap<i64, Bytes>> + Send + use<>) {
        let attempts: Attempts = jobs
            .into_iter()
            .map(|job| {
                let ready = self.webhooks.get(&job.webhook).cloned();
                (job, ready)
            })
            .collect();
        let wanted: Vec<(i64, Option<Arc<Fresh>>)> = attempts
            .iter()
            .map(|(job, _)| (job.outbox, self.fresh.get(&job.outbox).cloned()))
            .collect();
        let charges = self.charges.clone();
        let public_url = Arc::clone(&self.public_url);
        let events = async move {
            charges
                .events_to_send(wanted, &public_url)
                .await
                .unwrap_or_else(|error| {
                    tracing::error!(%error, "cannot read the events to send");
                    HashMap::new()
                })
        };
        (attempts, events)
    }

    fn launch(&self, jobs: Vec<Job>, way: &Way) {
        let (attempts, events) = self.attempts(jobs);
        let charges = self.charges.clone();
        let client = way.client.clone();
        let reports = way.reports.clone();
        tokio::spawn(async move {
            let events = events.await;
            for (job, ready) in attempts {
                let (Some(event), Some(ready)) = (events.get(&job.outbox).cloned(), ready) else {
                    let _ = reports.send(Report::NotMade(job));
                    continue;
                };
                let (charges, client, reports) = (charges.clone(), client.clone(), reports.clone());
                tokio::spawn(async move {
                    let moment = charges.moment();
                    let at = moment.now;
                    let body = delivery_body(job.attempt, &event, job.superseded_by);
                    // The receiver compares it with a clock of its own.
                    let event = WebhookId(job.event).to_string();
                    let headers = ready.headers(&event, moment.outside, &body);
                    let answered = client.post(&ready.url, headers, body).await;
                    let _ = reports.send(Report::Ended(job, at, answered));
                });
            }
        });
    }

    /// Goes on after an attempt.
    pub(super) fn go_on(&mut self, report: Report) {
        let now = self.charges.now();
        let (job, at, answered) = match report {
            Report::Ended(job, at, answered) => (job, at, answered),
            Report::NotMade(job) => {
                self.queue.put_back(&job, now.plus_secs(PUT_OFF_SECS), now);
                return;
            }
        };
        let ended = match answered.outcome {
            Ok(200..=299) => Ended::Arrived,
            Ok(_) => Ended::Refused,
            Err(_) => Ended::Unreachable,
        };
        let random = self.charges.random();
        let jitter = u16::from_be_bytes([random[0], random[1]]);
        let follows = self.queue.ended(&job, ended, now, jitter);
        let is_gone = answered.outcome == Ok(410);
        if is_gone {
            self.queue.drop_webhook(job.webhook);
        }
        count(ended, &job, answered.took);
        let (status, failure) = match answered.outcome {
            Ok(status) => (Some(status), None),
            Err(failure) => (None, Some(failure)),
        };
        if ended != Ended::Arrived
            && let Some(ready) = self.webhooks.get(&job.webhook)
        {
            tracing::info!(
                webhook = %WebhookId(ready.id),
                event = %WebhookId(job.event),
                attempt = job.attempt,
                status,
                failure = failure.as_ref().map(tracing::field::display),
                "a webhook was not delivered"
            );
        }
        self.recorder.put(Record {
            attempt: AttemptRow {
                delivery: job.delivery,
                attempt: job.attempt,
                at,
                took_ms: u64::try_from(answered.took.as_millis()).unwrap_or(u64::MAX),
                status,
                failure: failure.map(|failure| failure.kind.as_str().to_owned()),
                excerpt: answered.excerpt,
                next: follows.next,
            },
            overtaken: follows.overtaken.iter().map(|older| (*older, job.event)).collect(),
            gone: is_gone.then_some(job.webhook),
        });
    }

    pub(super) async fn take_in(&mut self, sending: Sending) {
        match sending {
            Sending::Webhooks(webhooks) => self.set_webhooks(&webhooks),
            Sending::Due(due) => {
                for due in due {
                    if let Some(fresh) = &due.fresh {
                        if due.num <= self.loaded {
                            continue;
                        }
                        self.fresh.insert(due.outbox, Arc::clone(fresh));
                    }
                    self.queue.push(due);
                }
            }
            Sending::Reload => self.load().await,
        }
    }

    /// Reads everything that is still to be sent. A failure is tried again with the next news or restart; nothing is lost.
    pub(super) async fn load(&mut self) {
        self.set_webhooks(&self.charges.webhook_map());
        let mut after = 0;
        loop {
            match self.store.pending_deliveries(after, PAGE).await {
                Ok(page) => {
                    let Some(last) = page.last() else { break };
                    after = last.num;
                    for due in page {
                        self.queue.push(due);
                    }
                }
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "cannot read the events to send; will retry");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
        self.loaded = self.loaded.max(after);
        if self.queue.len() > 0 {
            tracing::info!(deliveries = self.queue.len(), "deliveries are pending");
        }
    }

    /// Takes over the webhooks as they are now.
    fn set_webhooks(&mut self, map: &WebhookMap) {
        let mut told = HashMap::new();
        let mut paused = 0_u32;
        for webhook in map.values().flatten() {
            if webhook.paused_at.is_some() {
                paused += 1;
                continue;
            }
            // The URL was allowed when it was added; the operator may have become stricter.
            match ready(self.charges.seal(), webhook) {
                Ok(ready) => match self.charges.webhook_policy().target(&webhook.url) {
                    Ok(target) => {
                        self.queue
                            .set_webhook(webhook.num, webhook.merchant, &target.url, &target.host);
                        told.insert(webhook.num, Arc::new(ready));
                    }
                    Err(error) => {
                        tracing::error!(webhook = %WebhookId(webhook.id), %error, "a webhook gets no more deliveries");
                    }
                },
                Err(error) => {
                    tracing::error!(webhook = %WebhookId(webhook.id), %error, "a webhook's secret does not open");
                }
            }
        }
        for num in self.webhooks.keys() {
            if !told.contains_key(num) {
                self.queue.drop_webhook(*num);
            }
        }
        self.webhooks = told;
        metrics::gauge!("bitpro_webhooks_paused").set(paused);
    }
}

fn count(ended: Ended, job: &Job, took: Duration) {
    let outcome = match ended {
        Ended::Arrived => "delivered",
        Ended::Refused => "refused",
        Ended::Unreachable => "unreachable",
    };
    metrics::counter!("bitpro_webhook_attempts_total", "outcome" => outcome).increment(1);
    if job.attempt == 1 {
        metrics::histogram!("bitpro_webhook_attempt_seconds").record(took.as_secs_f64());
    }
}

fn gauge(queue: &Queue) {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    metrics::gauge!("bitpro_webhook_deliveries_pending").set(number(queue.len()));
    metrics::gauge!("bitpro_webhook_attempts_open").set(number(queue.under_way()));
}
