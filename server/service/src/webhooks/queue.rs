//! Which delivery is attempted when: pure, without clock, randomness or I/O.
//!
//! - Order is kept for each charge and URL, also across the webhooks of several states (R19): a lane. One attempt at a time is
//!   under way in a lane. A newer event waits for an older one until that has failed three times.
//! - Lanes do not wait for each other, so that a dead receiver delays nobody else. A URL that cannot be reached gets one attempt
//!   at a time, with rests between; attempts at one host are bounded together, and so are all. Merchants share these places.

mod attempt;
mod lanes;
mod places;

use std::collections::{BTreeSet, HashMap};

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_store::webhook::{Due, Next};
use lanes::{Pending, Room, Url};
use places::Places;

use super::schedule::{OVERTAKEN_AFTER, rest_after, retry_at};

/// Attempts under way at one host, of which one merchant alone has 32.
pub(super) const PER_HOST: usize = 80;
/// Attempts under way altogether: each holds a file. One merchant alone has 410.
pub(super) const ALTOGETHER: usize = 1_024;

pub(super) use attempt::{Ended, Follows, Job};

/// The deliveries that are still to be made.
#[derive(Debug)]
pub(super) struct Queue {
    pending: HashMap<i64, Pending>,
    /// URL and charge of each attempt that is under way.
    flying: HashMap<i64, (usize, i64)>,
    urls: Vec<Url>,
    /// The places at each host.
    hosts: Vec<Places>,
    /// The places altogether.
    all: Places,
    url_numbers: HashMap<(MerchantId, String), usize>,
    host_numbers: HashMap<String, usize>,
    /// The URL of each webhook.
    of_webhook: HashMap<i64, usize>,
    /// When each URL is looked at next; of those whose time has come, the one first that was served the longest ago.
    wakes: BTreeSet<(Timestamp, u64, usize)>,
    served: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            pending: HashMap::new(),
            flying: HashMap::new(),
            urls: Vec::new(),
            hosts: Vec::new(),
            all: Places::new(ALTOGETHER),
            url_numbers: HashMap::new(),
            host_numbers: HashMap::new(),
            of_webhook: HashMap::new(),
            wakes: BTreeSet::new(),
            served: 0,
        }
    }
}

impl Queue {
    /// Says whose a webhook is and where it leads. `host` is what connections are shared by.
    pub(super) fn set_webhook(&mut self, webhook: i64, merchant: MerchantId, url: &str, host: &str) {
        if self.of_webhook.contains_key(&webhook) {
            return;
        }
        let key = (merchant, url.to_owned());
        let number = match self.url_numbers.get(&key) {
            Some(&number) => number,
            None => {
                let host = self.host(host);
                self.urls.push(Url::of(merchant, host));
                self.url_numbers.insert(key, self.urls.len() - 1);
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
        while let Some(&(at, served, url)) = self.wakes.first().filter(|(at, ..)| *at <= now) {
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
        self.wakes.first().map(|(at, ..)| *at)
    }

    /// How many deliveries are still to be made.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// How many attempts are under way.
    pub(super) const fn under_way(&self) -> usize {
        self.all.taken()
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
        self.note_reached(url, ended, now);
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
        self.release(url, now);
        Follows { next, overtaken }
    }

    /// An attempt was not made after all: it is due at `at`.
    pub(super) fn put_back(&mut self, job: &Job, at: Timestamp, now: Timestamp) {
        let Some((url, charge)) = self.flying.remove(&job.delivery) else {
            return;
        };
        if let Some(lane) = self.urls[url].lanes.get_mut(&charge) {
            lane.under_way = None;
            if let Some(pending) = self.pending.get_mut(&job.delivery) {
                pending.due.at = at;
                lane.waiting.insert(job.delivery);
            }
        }
        self.sort_out(url, charge);
        self.release(url, now);
    }

    fn host(&mut self, host: &str) -> usize {
        if let Some(&number) = self.host_numbers.get(host) {
            return number;
        }
        self.hosts.push(Places::new(PER_HOST));
        self.host_numbers.insert(host.to_owned(), self.hosts.len() - 1);
        self.hosts.len() - 1
    }

    /// Starts what is ready at `url`, if there is room for its merchant.
    fn start(&mut self, url: usize, now: Timestamp) -> Option<Job> {
        let place = &mut self.urls[url];
        let &(due, delivery) = place.ready.first().filter(|(due, _)| *due <= now)?;
        let merchant = place.merchant;
        for (room, places) in [
            (Room::Host(place.host), &mut self.hosts[place.host]),
            (Room::All, &mut self.all),
        ] {
            if !places.is_open_to(merchant) {
                places.wait(merchant, place.served.map_or(0, |(_, number)| number), url);
                place.waits_for = Some(room);
                return None;
            }
        }
        place.ready.remove(&(due, delivery));
        let pending = self.pending.get_mut(&delivery)?;
        pending.ready_at = None;
        self.hosts[place.host].take(merchant);
        self.all.take(merchant);
        place.under_way += 1;
        self.served += 1;
        place.served = Some((now, self.served));
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
            Some((due, _)) if place.under_way < limit && place.waits_for.is_none() => {
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

    /// Gives the places of an attempt at `url` back, and lets those try who wait for them.
    fn release(&mut self, url: usize, now: Timestamp) {
        let place = &mut self.urls[url];
        place.under_way -= 1;
        let (merchant, host) = (place.merchant, place.host);
        self.hosts[host].give_back(merchant);
        self.all.give_back(merchant);
        self.wake(url);
        self.call(Room::Host(host), now);
        self.call(Room::All, now);
    }

    /// Calls as many of those who wait as there is room for. One that cannot go after all leaves its place to the next.
    fn call(&mut self, room: Room, now: Timestamp) {
        let mut called = Vec::new();
        while let Some((merchant, url)) = self.places(room).next() {
            self.urls[url].waits_for = None;
            self.wake(url);
            let place = &self.urls[url];
            let is_open = self.hosts[place.host].is_open_to(merchant) && self.all.is_open_to(merchant);
            if is_open && place.wake.is_some_and(|(at, _)| at <= now) {
                // Promised, so that no more are called than can go.
                self.places(room).take(merchant);
                called.push(merchant);
            }
        }
        for merchant in called {
            self.places(room).give_back(merchant);
        }
    }

    fn places(&mut self, room: Room) -> &mut Places {
        match room {
            Room::Host(host) => &mut self.hosts[host],
            Room::All => &mut self.all,
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
