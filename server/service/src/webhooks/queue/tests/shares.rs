//! Merchants share the places at a host, and all places.

use super::*;

/// A charge of somebody else is to be told at the host that [`flood`] uses.
const NEWCOMER: i64 = 999_999;

fn merchant(number: u8) -> MerchantId {
    MerchantId([number; 16])
}

/// Each merchant has so many webhooks, each to a URL of its own at one host; of so many charges each is to be told.
fn flood(queue: &mut Queue, merchants: u8, webhooks: i64, charges: i64) {
    let mut num = 0;
    for shop in 0..merchants {
        for webhook in 0..webhooks {
            let webhook = 1_000 * (1 + i64::from(shop)) + webhook;
            queue.set_webhook(webhook, merchant(shop), &format!("https://shared/{webhook}"), "shared");
            for charge in 0..charges {
                num += 1;
                queue.push(due(num, webhook, 1_000 * i64::from(shop) + charge));
            }
        }
    }
}

fn push_newcomer(queue: &mut Queue) {
    queue.set_webhook(NEWCOMER, merchant(200), "https://shared/newcomer", "shared");
    queue.push(due(NEWCOMER, NEWCOMER, NEWCOMER));
}

#[test]
fn a_merchant_whose_receivers_are_slow_leaves_places_at_the_host_to_others() {
    let mut queue = Queue::default();
    flood(&mut queue, 1, 40, 12);
    assert_eq!(queue.take(START).len(), ALONE, "and all of these hang");
    assert!(queue.take(START).is_empty());
    push_newcomer(&mut queue);
    assert_eq!(numbers(&queue.take(START)), [NEWCOMER], "nobody was waited for");
}

#[test]
fn twenty_merchants_with_fifty_slow_receivers_each_do_not_delay_the_next_one() {
    let mut queue = Queue::default();
    flood(&mut queue, 20, 50, 4);
    let hanging = queue.take(START).len();
    assert!((64..PER_HOST).contains(&hanging), "{hanging}");
    push_newcomer(&mut queue);
    assert_eq!(numbers(&queue.take(START)), [NEWCOMER]);
}

#[test]
fn with_more_merchants_than_places_whoever_has_none_gets_the_next() {
    let mut queue = Queue::default();
    flood(&mut queue, 100, 2, 4);
    let hanging = queue.take(START);
    assert_eq!(hanging.len(), PER_HOST);
    push_newcomer(&mut queue);
    assert!(queue.take(START).is_empty());
    // Others who have none either may be served before, each once.
    let mut served: Vec<i64> = hanging.iter().map(|job| job.webhook / 1_000).collect();
    served.sort_unstable();
    served.dedup();
    let have_none = 100 - served.len();
    let ended = hanging.iter().position(|job| {
        queue.ended(job, Ended::Refused, START, MIDDLE);
        numbers(&queue.take(START)) == [NEWCOMER]
    });
    assert!(ended.is_some_and(|ended| ended <= have_none), "{ended:?}, {have_none}");
}

#[test]
fn a_merchant_with_receivers_at_many_hosts_leaves_places_to_others() {
    let mut queue = Queue::default();
    let mut num = 0;
    for webhook in 0..50 {
        let host = format!("host-{webhook}");
        queue.set_webhook(webhook, SHOP, &format!("https://{host}/"), &host);
        for charge in 0..100 {
            num += 1;
            queue.push(due(num, webhook, charge));
        }
    }
    let hanging = queue.take(START);
    assert_eq!(hanging.len(), 410);
    push_newcomer(&mut queue);
    assert_eq!(numbers(&queue.take(START)), [NEWCOMER]);
    queue.ended(&hanging[0], Ended::Arrived, START, MIDDLE);
    assert_eq!(queue.take(START).len(), 1, "a place that is given back is taken again");
}

#[test]
fn two_merchants_with_one_url_do_not_answer_for_each_other() {
    let mut queue = queue();
    queue.set_webhook(9, merchant(9), "https://a/hook", "a");
    for num in 0..100 {
        queue.push(due(num, SEEN, num));
    }
    for job in queue.take(START) {
        queue.ended(&job, Ended::Unreachable, START, MIDDLE);
    }
    queue.push(due(200, 9, 200));
    assert_eq!(numbers(&queue.take(START)), [200]);
}

/// Whatever happens, nobody holds more than what one has alone, no place stays free while somebody waits who may have it, and everything is told.
#[test]
fn no_place_is_lost_in_any_history() {
    use proptest::prelude::*;
    proptest!(|(steps in prop::collection::vec((0..5_u8, 0..60_i64, 0..3_u8), 1..200), shops in 1..5_u8)| {
        let mut queue = Queue::default();
        flood(&mut queue, shops, 3, 40);
        let mut now = START;
        let mut open: Vec<Job> = Vec::new();
        for (what, which, how) in steps {
            match what {
                0 | 1 => {
                    for job in open.drain(..open.len().min(usize::try_from(which).unwrap())) {
                        let ended = [Ended::Arrived, Ended::Refused, Ended::Unreachable][usize::from(how)];
                        queue.ended(&job, ended, now, MIDDLE);
                    }
                }
                2 => {
                    if let Some(job) = open.pop() {
                        queue.put_back(&job, now.plus_secs(5), now);
                    }
                }
                3 => now = queue.next().unwrap_or(now).max(now),
                _ => queue.drop_webhook(1_000 * (1 + which % i64::from(shops)) + which % 3),
            }
            open.extend(queue.take(now));
            prop_assert_eq!(queue.under_way(), open.len());
            for shop in 0..shops {
                let urls = queue.urls.iter().filter(|url| url.merchant == merchant(shop));
                prop_assert!(urls.map(|url| url.under_way).sum::<usize>() <= ALONE);
            }
            for url in queue.urls.iter().filter(|url| url.waits_for.is_some()) {
                prop_assert!(!queue.hosts[url.host].is_open_to(url.merchant), "{:?}", url);
            }
        }
        answer_all(&mut queue, open, now);
        prop_assert_eq!(queue.len(), 0);
    });
}
