//! A sender without a network: it makes its attempts when it is told to, and is told what came of them.

use std::sync::Arc;
use std::time::Duration;

use bitpro_charge::Timestamp;
use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::mpsc;

use super::WebhookId;
use super::client::Answered;
use super::failure::{Failure, FailureKind};
use super::queue::Job;
use super::sender::{Report, Running};
use crate::charges::{Charges, Sending};
use crate::wire::delivery_body;

/// A sender that is driven by its owner: by the simulation, whose receivers are not there.
pub struct SteppedSender {
    running: Running,
    news: mpsc::UnboundedReceiver<Sending>,
}

/// An attempt to tell a receiver.
pub struct Attempt {
    /// Where.
    pub url: Arc<str>,
    /// With which headers.
    pub headers: HeaderMap,
    /// What.
    pub body: Bytes,
    /// When.
    pub at: Timestamp,
    job: Job,
}

impl SteppedSender {
    /// A sender of what the store of `charges` holds.
    pub async fn new(charges: Charges, public_url: &str) -> Self {
        let news = charges.listen_to_deliveries();
        let mut running = Running::new(charges, public_url.into());
        running.load().await;
        Self { running, news }
    }

    /// The attempts that are due. Each must be answered.
    pub async fn take(&mut self) -> Vec<Attempt> {
        while let Ok(sending) = self.news.try_recv() {
            self.running.take_in(sending).await;
        }
        let at = self.running.charges.now();
        let jobs = self.running.queue.take(at);
        if jobs.is_empty() {
            return Vec::new();
        }
        let (attempts, events) = self.running.attempts(jobs);
        let events = events.await;
        let mut taken = Vec::with_capacity(attempts.len());
        for (job, ready) in attempts {
            let (Some(event), Some(ready)) = (events.get(&job.outbox), ready) else {
                self.running.go_on(Report::NotMade(job));
                continue;
            };
            let body = delivery_body(job.attempt, event, job.superseded_by);
            taken.push(Attempt {
                url: Arc::clone(&ready.url),
                headers: ready.headers(&WebhookId(job.event).to_string(), at, &body),
                body,
                at,
                job,
            });
        }
        taken
    }

    /// When something is due next, as far as is known.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.running.queue.next()
    }

    /// The receiver of `attempt` answered with a status, or did not.
    pub fn answered(&mut self, attempt: Attempt, outcome: Result<u16, FailureKind>) {
        let answered = Answered {
            took: Duration::ZERO,
            outcome: outcome.map_err(Failure::of),
            excerpt: None,
        };
        self.running.go_on(Report::Ended(attempt.job, attempt.at, answered));
    }

    /// How many results of attempts are not stored yet.
    #[must_use]
    pub fn unrecorded(&self) -> usize {
        self.running.recorder.waiting()
    }
}
