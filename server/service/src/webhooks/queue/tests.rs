//! Order, overtaking, and receivers that are dead.

mod shares;

use std::collections::VecDeque;

use super::*;

const START: Timestamp = Timestamp(1_000_000);
const SEEN: i64 = 1;
const CONFIRMED: i64 = 2;
const OTHER: i64 = 3;
/// What one merchant alone may have under way at a host.
const ALONE: usize = 32;
const SHOP: MerchantId = MerchantId([1; 16]);
const MIDDLE: u16 = u16::MAX / 2;

/// Two webhooks on one URL, and one on another host.
fn queue() -> Queue {
    let mut queue = Queue::default();
    queue.set_webhook(SEEN, SHOP, "https://a/hook", "a");
    queue.set_webhook(CONFIRMED, SHOP, "https://a/hook", "a");
    queue.set_webhook(OTHER, SHOP, "https://b/hook", "b");
    queue
}

fn due(num: i64, webhook: i64, charge: i64) -> Due {
    Due {
        num,
        webhook,
        outbox: num,
        charge,
        event: [u8::try_from(num % 250).unwrap(); 16],
        attempts: 0,
        at: START,
        superseded_by: None,
        fresh: None,
    }
}

fn numbers(jobs: &[Job]) -> Vec<i64> {
    jobs.iter().map(|job| job.delivery).collect()
}

fn only(mut jobs: Vec<Job>) -> Job {
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs.remove(0)
}

/// Has what is open arrive, and everything else as soon as it may.
fn answer_all(queue: &mut Queue, open: Vec<Job>, mut now: Timestamp) {
    for job in open {
        queue.ended(&job, Ended::Arrived, now, MIDDLE);
    }
    while let Some(at) = queue.next() {
        now = now.max(at);
        for job in queue.take(now) {
            queue.ended(&job, Ended::Arrived, now, MIDDLE);
        }
    }
}

#[test]
fn r19_events_of_a_charge_come_one_after_the_other_also_across_webhooks() {
    let mut queue = queue();
    queue.push(due(1, SEEN, 7));
    queue.push(due(2, CONFIRMED, 7));
    queue.push(due(3, SEEN, 8));
    let jobs = queue.take(START);
    assert_eq!(numbers(&jobs), [1, 3], "other charges do not wait");
    assert!(queue.take(START).is_empty());
    queue.ended(&jobs[0], Ended::Arrived, START, MIDDLE);
    assert_eq!(numbers(&queue.take(START)), [2]);
}

#[test]
fn r19_after_three_failures_a_newer_event_overtakes_and_the_older_one_says_so() {
    let mut queue = queue();
    queue.push(due(1, SEEN, 7));
    queue.push(due(2, CONFIRMED, 7));
    let mut now = START;
    for attempt in 1..=3 {
        let job = only(queue.take(now));
        assert_eq!((job.delivery, job.attempt), (1, attempt), "the newer one waits");
        let follows = queue.ended(&job, Ended::Refused, now, MIDDLE);
        let Next::Retry(at) = follows.next else {
            panic!("{follows:?}")
        };
        if attempt < 3 {
            assert!(queue.take(now).is_empty());
            now = at;
        }
    }
    let newer = only(queue.take(now));
    assert_eq!(newer.delivery, 2);
    let follows = queue.ended(&newer, Ended::Arrived, now, MIDDLE);
    assert_eq!(follows.overtaken, [1]);

    let at = queue.next().unwrap();
    let older = only(queue.take(at));
    assert_eq!(
        (older.delivery, older.attempt, older.superseded_by),
        (1, 4, Some([2; 16]))
    );
    let follows = queue.ended(&older, Ended::Arrived, at, MIDDLE);
    assert!(follows.overtaken.is_empty(), "what is older overtakes nothing");
    assert_eq!(queue.len(), 0);
}

#[test]
fn a_delivery_is_given_up_after_its_last_attempt_and_makes_way() {
    let mut queue = queue();
    queue.push(Due {
        attempts: 14,
        ..due(1, SEEN, 7)
    });
    let job = only(queue.take(START));
    assert_eq!(job.attempt, 15);
    assert_eq!(queue.ended(&job, Ended::Refused, START, 0).next, Next::GivenUp);
    assert_eq!((queue.len(), queue.under_way(), queue.next()), (0, 0, None));
}

#[test]
fn a_dead_receiver_with_a_backlog_delays_nobody_and_is_knocked_at_ever_more_rarely() {
    let mut queue = queue();
    for num in 0..100_000 {
        queue.push(due(num, SEEN, num));
    }
    let first = queue.take(START);
    assert_eq!(first.len(), ALONE);
    queue.push(due(200_000, OTHER, 1));
    assert_eq!(numbers(&queue.take(START)), [200_000], "another host is free at once");
    for job in &first {
        queue.ended(job, Ended::Unreachable, START, MIDDLE);
    }
    // From here on one attempt at a time, and a minute between two.
    let mut now = START;
    let mut attempts = 0;
    while now < START.plus_secs(600) {
        for job in queue.take(now) {
            attempts += 1;
            queue.ended(&job, Ended::Unreachable, now, MIDDLE);
        }
        now = queue.next().unwrap().max(now);
    }
    assert!((9..=11).contains(&attempts), "{attempts} in ten minutes");
    // It lives again: everything goes out as fast as it answers.
    let job = only(queue.take(now));
    queue.ended(&job, Ended::Arrived, now, MIDDLE);
    assert_eq!(queue.take(now).len(), ALONE);
}

#[test]
fn a_receiver_that_answers_with_errors_is_not_taken_for_dead() {
    let mut queue = queue();
    for num in 0..10 {
        queue.push(due(num, SEEN, num));
    }
    for job in queue.take(START) {
        queue.ended(&job, Ended::Refused, START, MIDDLE);
    }
    queue.push(due(20, CONFIRMED, 20));
    assert_eq!(numbers(&queue.take(START)), [20]);
}

#[test]
fn urls_of_one_host_share_its_bound_and_none_starves() {
    let mut queue = queue();
    queue.set_webhook(9, SHOP, "https://a/other", "a");
    for num in 0..1_000 {
        queue.push(due(num, SEEN, num));
        queue.push(due(num + 1_000, 9, num));
    }
    let mut open: VecDeque<Job> = queue.take(START).into();
    assert_eq!(open.len(), ALONE);
    let mut sent = Vec::new();
    while let Some(job) = open.pop_front() {
        queue.ended(&job, Ended::Arrived, START, MIDDLE);
        sent.push(job.delivery);
        open.extend(queue.take(START));
        assert!(open.len() <= ALONE);
    }
    assert_eq!(sent.len(), 2_000);
    let first_of_other = sent.iter().position(|num| *num >= 1_000).unwrap();
    assert!(first_of_other < 2 * ALONE, "{first_of_other}");
}

#[test]
fn r20_a_dropped_webhook_is_told_nothing_more_until_it_is_set_again() {
    let mut queue = queue();
    queue.push(due(1, SEEN, 7));
    queue.push(due(2, CONFIRMED, 7));
    queue.push(due(3, SEEN, 7));
    let under_way = only(queue.take(START));
    queue.drop_webhook(SEEN);
    queue.push(due(4, SEEN, 9));
    assert!(queue.take(START).is_empty(), "an attempt is under way in the lane");
    queue.ended(&under_way, Ended::Refused, START, MIDDLE);
    assert_eq!(numbers(&queue.take(START)), [2]);
    assert_eq!(queue.len(), 1);
    queue.set_webhook(SEEN, SHOP, "https://a/hook", "a");
    queue.push(due(3, SEEN, 9));
    assert_eq!(numbers(&queue.take(START)), [3]);
}

#[test]
fn what_is_redelivered_is_due_at_once_and_only_once() {
    let mut queue = queue();
    queue.push(due(1, SEEN, 7));
    let job = only(queue.take(START));
    queue.ended(&job, Ended::Refused, START, MIDDLE);
    assert!(queue.take(START).is_empty());
    queue.push(due(1, SEEN, 7));
    queue.push(due(1, SEEN, 7));
    let again = only(queue.take(START));
    assert_eq!(again.attempt, 2);
    queue.push(due(1, SEEN, 7));
    assert!(queue.take(START).is_empty(), "it is under way already");
    queue.ended(&again, Ended::Arrived, START, MIDDLE);
    assert_eq!(queue.len(), 0);
}

/// Whatever happens, nothing is sent twice at a time, nothing is lost, and older events of a charge come first unless they have
/// failed three times.
#[test]
fn r19_order_holds_in_any_history() {
    use proptest::prelude::*;
    proptest!(|(steps in prop::collection::vec((0..4_u8, 0..4_i64, 0..3_u8), 1..300))| {
        let mut queue = queue();
        let mut now = START;
        let mut next = 0;
        let mut open: Vec<Job> = Vec::new();
        let mut failures: HashMap<i64, (i64, u32)> = HashMap::new();
        for (what, charge, how) in steps {
            match what {
                0 => {
                    next += 1;
                    let webhook = if how == 0 { SEEN } else { CONFIRMED };
                    failures.insert(next, (charge, 0));
                    queue.push(Due { at: now, ..due(next, webhook, charge) });
                }
                1 => {
                    for job in queue.take(now) {
                        let (lane, _) = failures[&job.delivery];
                        prop_assert!(!open.iter().any(|other| failures[&other.delivery].0 == lane));
                        for (&older, &(its_lane, failed)) in &failures {
                            prop_assert!(its_lane != lane || older >= job.delivery || failed >= OVERTAKEN_AFTER);
                        }
                        open.push(job);
                    }
                }
                2 => {
                    if let Some(job) = open.pop() {
                        let ended = [Ended::Arrived, Ended::Refused, Ended::Unreachable][usize::from(how)];
                        match queue.ended(&job, ended, now, MIDDLE).next {
                            Next::Retry(_) => failures.get_mut(&job.delivery).unwrap().1 += 1,
                            Next::Delivered | Next::GivenUp => {
                                failures.remove(&job.delivery);
                            }
                        }
                    }
                }
                _ => now = queue.next().unwrap_or(now).max(now),
            }
            prop_assert_eq!(queue.len(), failures.len());
            prop_assert_eq!(queue.under_way(), open.len());
        }
        answer_all(&mut queue, open, now);
        prop_assert_eq!(queue.len(), 0);
    });
}
