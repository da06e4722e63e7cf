//! Which delivery is attempted when: pure, without clock, randomness or I/O.
//!
//! - Order is kept for each charge and URL, also across the webhooks of several states (R19): a lane. One attempt at a time is
//!   under way in a lane. A newer event waits for an older one until that has failed three times.
//! - Lanes do not wait for each other, so that a dead receiver delays nobody else. A URL that cannot be reached gets one attempt
//!   at a time, with rests between; attempts at one host are bounded together.

mod attempt;

use std::collections::{BTreeSet, HashMap, VecDeque};

use bitpro_charge::Timestamp;

use super::schedule::{OVERTAKEN_AFTER, rest_after, retry_at};
use crate::store::webhook::{Due, Next};

/// Attempts under way at one host.
pub(super) const PER_HOST: usize = 32;
/// Attempts under way altogether: each holds a file.
pub(super) const ALTOGETHER: usize = 1_024;

pub(super) use attempt::{Ended, Follows, Job};

/// The deliveries that are still to be made.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pending: HashMap<i64, Pending>,
    /// URL and charge of each attempt that is under way.
    flying: HashMap<i64, (usize, i64)>,
    urls: Vec<Url>,
    hosts: Vec<Host>,
    url_numbers: HashMap<String, usize>,
    host_numbers: HashMap<String, usize>,
    /// The URL of each webhook.
    of_webhook: HashMap<i64, usize>,
    /// When each URL is looked at next; of those whose time has come, the one first that was served the longest ago.
    wakes: BTreeSet<(Timestamp, u64, usize)>,
    served: u64,
    under_way: usize,
}

#[derive(Debug)]
struct Pending {
    due: Due,
    url: usize,
    /// Where it stands in the URL's `ready`.
    ready_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Url {
    host: usize,
    /// By charge.
    lanes: HashMap<i64, Lane>,
    /// Those that only wait for their time.
    ready: BTreeSet<(Timestamp, i64)>,
    /// In a row, without an answer.
    failures: u32,
    rests_until: Option<Timestamp>,
    under_way: usize,
    /// When an attempt was last begun, and the how manieth of all it was.
    served: Option<(Timestamp, u64)>,
    wake: Option<(Timestamp, u64)>,
    waits_for_host: bool,
}

#[derive(Debug, Default)]
struct Lane {
    /// In the order of the events.
    waiting: BTreeSet<i64>,
    under_way: Option<i64>,
}

#[derive(Debug, Default)]
struct Host {
    under_way: usize,
    /// URLs that have something to send when there is room.
    waiting: VecDeque<usize>,
}

impl Queue {
    /// Says where a webhook leads. `host` is what connections are shared by.
    pub(super) fn set_webhook(&mut self, webhook: i64, url: &str, host: &str) {
        if self.of_webhook.contains_key(&webhook) {
            return;
        }
        let number = match self.url_numbers.get(url) {
            Some(&number) => number,
            None => {
                let host = self.host(host);
                self.urls.push(Url { host, ..Url::default() });
                self.url_numbers.insert(url.to_owned(), self.urls.len() - 1);
                self.urls.len() - 1
            }
        };
        self.of_webhook.insert(webhook, number);
    }

    /// Forgets what a webhook was still to be told: it is paused or removed.
    pub(super) fn drop_webhook(&mut self, webhook: i64) {
        if self.of_webhook.remove(&webhook).is_none() {
            return;
        }
        let gone: Vec<i64> = self
            .pending
            .values()
            .filter(|pending| pending.due.webhook == webhook)
            .map(|pending| pending.due.num)
            .collect();
        for delivery in gone {
            self.take_out(delivery);
        }
    }

    /// Takes in a delivery; one that is known already becomes due when `due` says. A webhook that is not known is not told.
    pub(super) fn push(&mut self, due: Due) {
        let Some(&url) = self.of_webhook.get(&due.webhook) else {
            return;
        };
        let (num, charge) = (due.num, due.charge);
        if let Some(known) = self.pending.get_mut(&num) {
            known.due.at = known.due.at.min(due.at);
        } else {
            self.pending.insert(
                num,
                Pending {
                    due: Due { fresh: None, ..due },
                    url,
                    ready_at: None,
                },
            );
        }
        let lane = self.urls[url].lanes.entry(charge).or_default();
        if lane.under_way != Some(num) {
            lane.waiting.insert(num);
        }
        self.sort_out(url, charge);
    }

    /// The attempts to be made now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Job> {
        let mut jobs = Vec::new();
        while self.under_way < ALTOGETHER {
            let Some(&(at, served, url)) = self.wakes.first().filter(|(at, ..)| *at <= now) else {
                break;
            };
            self.wakes.remove(&(at, served, url));
            self.urls[url].wake = None;
            if let Some(job) = self.start(url, now) {
                jobs.push(job);
                self.wake(url);
            }
        }
        jobs
    }

    /// When something is due next, unless an attempt ends before.
    pub(super) fn next(&self) -> Option<Timestamp> {
        if self.under_way >= ALTOGETHER {
            return None;
        }
        self.wakes.first().map(|(at, ..)| *at)
    }

    /// How many deliveries are still to be made.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// How many attempts are under way.
    pub(super) const fn under_way(&self) -> usize {
        self.under_way
    }

    /// The attempt at `job` has ended. `jitter` is random.
    pub(super) fn ended(&mut self, job: &Job, ended: Ended, now: Timestamp, jitter: u16) -> Follows {
        let next = match ended {
            Ended::Arrived => Next::Delivered,
            Ended::Refused | Ended::Unreachable => {
                retry_at(job.attempt, now, jitter).map_or(Next::GivenUp, Next::Retry)
            }
        };
        let Some((url, charge)) = self.flying.remove(&job.delivery) else {
            return Follows {
                next,
                overtaken: Vec::new(),
            };
        };
        self.under_way -= 1;
        self.note_reached(url, ended, now);
        self.release(url);
        let overtaken = match next {
            Next::Delivered => self.overtake(url, charge, job),
            Next::Retry(_) | Next::GivenUp => Vec::new(),
        };
        if let Some(lane) = self.urls[url].lanes.get_mut(&charge) {
            lane.under_way = None;
            // One whose webhook was dropped meanwhile is not there any more.
            if let Next::Retry(at) = next
                && let Some(pending) = self.pending.get_mut(&job.delivery)
            {
                pending.due.attempts = job.attempt;
                pending.due.at = at;
                lane.waiting.insert(job.delivery);
            }
        }
        if !matches!(next, Next::Retry(_)) {
            self.pending.remove(&job.delivery);
        }
        self.sort_out(url, charge);
        self.wake(url);
        Follows { next, overtaken }
    }

    /// An attempt was not made after all: it is due at `at`.
    pub(super) fn put_back(&mut self, job: &Job, at: Timestamp) {
        let Some((url, charge)) = self.flying.remove(&job.delivery) else {
            return;
        };
        self.under_way -= 1;
        self.release(url);
        if let Some(lane) = self.urls[url].lanes.get_mut(&charge) {
            lane.under_way = None;
            if let Some(pending) = self.pending.get_mut(&job.delivery) {
                pending.due.at = at;
                lane.waiting.insert(job.delivery);
            }
        }
        self.sort_out(url, charge);
    }

    fn host(&mut self, host: &str) -> usize {
        if let Some(&number) = self.host_numbers.get(host) {
            return number;
        }
        self.hosts.push(Host::default());
        self.host_numbers.insert(host.to_owned(), self.hosts.len() - 1);
        self.hosts.len() - 1
    }

    /// Starts what is ready at `url`, if its host has room.
    fn start(&mut self, url: usize, now: Timestamp) -> Option<Job> {
        let place = &mut self.urls[url];
        let &(due, delivery) = place.ready.first().filter(|(due, _)| *due <= now)?;
        let host = &mut self.hosts[place.host];
        if host.under_way >= PER_HOST {
            if !place.waits_for_host {
                place.waits_for_host = true;
                host.waiting.push_back(url);
            }
            return None;
        }
        place.ready.remove(&(due, delivery));
        let pending = self.pending.get_mut(&delivery)?;
        pending.ready_at = None;
        host.under_way += 1;
        place.under_way += 1;
        self.served += 1;
        place.served = Some((now, self.served));
        self.under_way += 1;
        let charge = pending.due.charge;
        self.flying.insert(delivery, (url, charge));
        let job = Job {
            delivery,
            webhook: pending.due.webhook,
            outbox: pending.due.outbox,
            event: pending.due.event,
            attempt: pending.due.attempts + 1,
            superseded_by: pending.due.superseded_by,
        };
        if let Some(lane) = place.lanes.get_mut(&charge) {
            lane.waiting.remove(&delivery);
            lane.under_way = Some(delivery);
        }
        self.sort_out(url, charge);
        Some(job)
    }

    /// Makes the lane's part of `ready` right: nothing while an attempt is under way, else each delivery before which all older
    /// ones have failed often enough.
    fn sort_out(&mut self, url: usize, charge: i64) {
        let place = &mut self.urls[url];
        let Some(lane) = place.lanes.get(&charge) else {
            return;
        };
        let mut may_go = lane.under_way.is_none();
        for delivery in &lane.waiting {
            let Some(pending) = self.pending.get_mut(delivery) else {
                continue;
            };
            let ready_at = may_go.then_some(pending.due.at);
            if pending.ready_at != ready_at {
                if let Some(before) = pending.ready_at {
                    place.ready.remove(&(before, *delivery));
                }
                if let Some(at) = ready_at {
                    place.ready.insert((at, *delivery));
                }
                pending.ready_at = ready_at;
            }
            may_go &= pending.due.attempts >= OVERTAKEN_AFTER;
        }
        if lane.waiting.is_empty() && lane.under_way.is_none() {
            place.lanes.remove(&charge);
        }
        self.wake(url);
    }

    /// Says when `url` is looked at next.
    fn wake(&mut self, url: usize) {
        let place = &mut self.urls[url];
        let limit = if rest_after(place.failures) > 0 { 1 } else { PER_HOST };
        let at = match place.ready.first() {
            Some((due, _)) if place.under_way < limit && !place.waits_for_host => {
                let at = place.rests_until.map_or(*due, |rests| rests.max(*due));
                // However old its backlog is, a URL takes turns with others.
                Some(place.served.map_or((at, 0), |(last, number)| (at.max(last), number)))
            }
            _ => None,
        };
        if place.wake == at {
            return;
        }
        if let Some(before) = place.wake {
            self.wakes.remove(&(before.0, before.1, url));
        }
        place.wake = at;
        if let Some(at) = at {
            self.wakes.insert((at.0, at.1, url));
        }
    }

    fn note_reached(&mut self, url: usize, ended: Ended, now: Timestamp) {
        let place = &mut self.urls[url];
        place.failures = match ended {
            Ended::Arrived | Ended::Refused => 0,
            Ended::Unreachable => place.failures.saturating_add(1),
        };
        let rest = rest_after(place.failures);
        place.rests_until = (rest > 0).then(|| now.plus_secs(rest));
    }

    /// Gives a place at the host back, and lets who waits for it try.
    fn release(&mut self, url: usize) {
        self.urls[url].under_way -= 1;
        let host = self.urls[url].host;
        self.hosts[host].under_way -= 1;
        if let Some(waiting) = self.hosts[host].waiting.pop_front() {
            self.urls[waiting].waits_for_host = false;
            self.wake(waiting);
        }
    }

    /// Marks what is older in the lane than a delivery that arrived.
    fn overtake(&mut self, url: usize, charge: i64, job: &Job) -> Vec<i64> {
        let Some(lane) = self.urls[url].lanes.get(&charge) else {
            return Vec::new();
        };
        let older: Vec<i64> = lane.waiting.range(..job.delivery).copied().collect();
        for delivery in &older {
            if let Some(pending) = self.pending.get_mut(delivery) {
                pending.due.superseded_by = Some(job.event);
            }
        }
        older
    }

    /// Takes a delivery out; an attempt of it that is under way is waited for.
    fn take_out(&mut self, delivery: i64) {
        let Some(Pending { due, url, ready_at }) = self.pending.remove(&delivery) else {
            return;
        };
        let place = &mut self.urls[url];
        if let Some(at) = ready_at {
            place.ready.remove(&(at, delivery));
        }
        if let Some(lane) = place.lanes.get_mut(&due.charge) {
            lane.waiting.remove(&delivery);
        }
        self.sort_out(url, due.charge);
    }
}

#[cfg(test)]
mod tests;
