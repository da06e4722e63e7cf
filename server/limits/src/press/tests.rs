use std::net::IpAddr;

use bitpro_charge::ChargeId;
use futures::FutureExt as _;

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const LATER: Timestamp = Timestamp(NOW.0 + DELAY_MS);
const SHOP: MerchantId = MerchantId([1; 16]);
const CHARGE: ChargeId = ChargeId([3; 16]);

fn client(text: &str) -> Client {
    text.parse::<IpAddr>().unwrap().into()
}

fn shopper() -> Client {
    client("192.0.2.1")
}

fn token(presses: &Presses, nth: u8) -> Token {
    let text = presses.token(SHOP, shopper(), [nth; 16], NOW);
    presses.read(Some(&text), SHOP, shopper(), LATER).token().unwrap()
}

async fn spend<'a>(presses: &'a Presses, token: Token, terms: &str) -> Spent<'a> {
    presses.spend(token, &terms.to_owned()).await
}

#[test]
fn r25_a_press_counts_after_the_delay_and_not_for_ever() {
    let presses = Presses::new([7; 32]);
    let text = presses.token(SHOP, shopper(), [0; 16], NOW);
    let at = |ms: i64| presses.read(Some(&text), SHOP, shopper(), Timestamp(NOW.0 + ms));
    assert!(matches!(at(0), Press::Early(_)));
    assert!(matches!(at(DELAY_MS - 1), Press::Early(_)));
    assert!(matches!(at(DELAY_MS), Press::Waited(_)));
    assert!(matches!(at(LIFETIME_MS), Press::Waited(_)));
    assert_eq!(at(LIFETIME_MS + 1), Press::Nothing);
}

#[test]
fn r25_a_token_is_good_for_one_client_and_one_merchant() {
    let presses = Presses::new([7; 32]);
    let text = presses.token(SHOP, shopper(), [0; 16], NOW);
    let by = |merchant, client| presses.read(Some(&text), merchant, client, LATER);
    assert!(matches!(by(SHOP, shopper()), Press::Waited(_)));
    assert_eq!(by(SHOP, client("192.0.2.2")), Press::Nothing);
    assert_eq!(by(SHOP, client("2001:db8::1")), Press::Nothing);
    assert_eq!(by(MerchantId([2; 16]), shopper()), Press::Nothing);
    let other = Presses::new([8; 32]).read(Some(&text), SHOP, shopper(), LATER);
    assert_eq!(other, Press::Nothing);
    let older = format!("{:x}-{}", NOW.0 - 10_000, text.split_once('-').unwrap().1);
    for bad in [Some(older.as_str()), Some(""), Some("-"), Some("zz-00"), None] {
        assert_eq!(presses.read(bad, SHOP, shopper(), LATER), Press::Nothing, "{bad:?}");
    }
}

#[tokio::test]
async fn r25_a_token_makes_one_charge_and_leads_to_it_from_then_on() {
    let presses = Presses::new([7; 32]);
    let token = token(&presses, 0);
    let Spent::Now(spending) = spend(&presses, token, "A-1").await else {
        panic!("a fresh token is spent");
    };
    // Pressed again while the first charge is being made: it waits for that one.
    let mut again = Box::pin(spend(&presses, token, "A-1"));
    assert!(again.as_mut().now_or_never().is_none());
    spending.made(CHARGE);
    assert!(matches!(again.await, Spent::Before(CHARGE)));
    assert!(matches!(spend(&presses, token, "A-1").await, Spent::Before(CHARGE)));
    assert!(matches!(spend(&presses, token, "A-2").await, Spent::Void));
}

#[tokio::test]
async fn a_token_that_is_given_back_can_be_spent_later() {
    let presses = Presses::new([7; 32]);
    let token = token(&presses, 0);
    let Spent::Now(spending) = spend(&presses, token, "A-1").await else {
        panic!("a fresh token is spent");
    };
    spending.give_back();
    assert!(matches!(spend(&presses, token, "A-1").await, Spent::Now(_)));
}

#[tokio::test]
async fn a_token_that_made_nothing_is_spent_all_the_same() {
    let presses = Presses::new([7; 32]);
    let token = token(&presses, 0);
    drop(spend(&presses, token, "A-1").await);
    assert!(matches!(spend(&presses, token, "A-1").await, Spent::Void));
}

#[tokio::test]
async fn r25_when_too_many_are_spent_older_tokens_are_void_rather_than_good_again() {
    let presses = Presses::new([7; 32]);
    let token = |nth: usize| Token {
        key: nth.to_be_bytes(),
        made_at: NOW.0 + i64::try_from(nth).unwrap(),
    };
    for nth in 0..3 * SPENT_TOKENS {
        assert!(matches!(spend(&presses, token(nth), "").await, Spent::Now(_)), "{nth}");
        assert!(presses.spent.len() <= SPENT_TOKENS);
    }
    // None of those that were spent, remembered or not, can be spent again; a fresh one can.
    for nth in (0..3 * SPENT_TOKENS).step_by(997) {
        assert!(matches!(spend(&presses, token(nth), "").await, Spent::Void), "{nth}");
    }
    let fresh = token(3 * SPENT_TOKENS);
    assert!(matches!(spend(&presses, fresh, "").await, Spent::Now(_)));
}
