//! Which of the exchanges' prices are believed, case by case.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn bounds() -> Bounds {
    Bounds {
        least: Rate::from_cents_per_btc(100_000).unwrap(),
        most: Rate::from_cents_per_btc(1_000_000_000).unwrap(),
    }
}

/// Offers of these prices, made just now by as many exchanges.
fn offers(prices: &[&str]) -> Vec<Offer> {
    Exchange::ALL
        .into_iter()
        .zip(prices)
        .map(|(exchange, text)| Offer {
            exchange,
            mid: price(text),
            at: NOW,
        })
        .collect()
}

fn after(recent: &[(Timestamp, Price)], prices: &[&str]) -> Result<String, NoQuorum> {
    let outcome = quorum(&offers(prices), recent, bounds(), NOW).outcome;
    outcome.map(|agreement| agreement.price.to_string())
}

fn agreed(prices: &[&str]) -> Result<String, NoQuorum> {
    after(&[], prices)
}

fn secs_ago(secs: i64) -> Timestamp {
    Timestamp(NOW.0 - secs * 1000)
}

#[test]
fn r29_the_price_is_the_median() {
    assert_eq!(agreed(&["50000", "50100", "50400"]).as_deref(), Ok("50100.00"));
    assert_eq!(agreed(&["50400", "50000", "50100"]).as_deref(), Ok("50100.00"));
    assert_eq!(agreed(&["50000", "50100", "50200", "50400"]).as_deref(), Ok("50150.00"));
    assert_eq!(
        agreed(&["50000", "50100", "50150", "50200", "50400"]).as_deref(),
        Ok("50150.00")
    );
}

#[test]
fn r29_one_exchange_is_no_quorum() {
    assert_eq!(agreed(&[]), Err(NoQuorum::TooFew(0)));
    assert_eq!(agreed(&["50000"]), Err(NoQuorum::TooFew(1)));
}

#[test]
fn r29_two_must_agree_within_one_percent() {
    assert_eq!(agreed(&["50000", "50500"]).as_deref(), Ok("50250.00"));
    assert_eq!(agreed(&["50500", "50000"]).as_deref(), Ok("50250.00"));
    assert_eq!(agreed(&["50000", "50500.01"]), Err(NoQuorum::Apart));
    assert_eq!(agreed(&["50500.01", "50000"]), Err(NoQuorum::Apart));
}

#[test]
fn r29_two_that_are_left_of_three_must_agree_as_well() {
    assert_eq!(agreed(&["50000", "50400", "60000"]).as_deref(), Ok("50200.00"));
    assert_eq!(agreed(&["50000", "50600", "60000"]), Err(NoQuorum::Apart));
}

#[test]
fn r29_an_offer_more_than_three_percent_from_the_median_is_dropped() {
    let quorum = quorum(&offers(&["50000", "50000", "51500", "51500.01"]), &[], bounds(), NOW);
    // The median of the four is 50750: both of the higher ones lie within 3 % of it.
    assert!(
        quorum
            .standings
            .iter()
            .all(|(_, standing)| *standing == Standing::Taken)
    );

    let quorum = super::quorum(
        &offers(&["50000", "50000", "50000", "51500", "51500.01"]),
        &[],
        bounds(),
        NOW,
    );
    let standings: Vec<Standing> = quorum.standings.iter().map(|(_, standing)| *standing).collect();
    assert_eq!(standings[3], Standing::Taken);
    assert_eq!(standings[4], Standing::Outlier);
    assert_eq!(quorum.outcome.unwrap().taken.len(), 4);
}

#[test]
fn r29_one_liar_of_three_changes_nothing_wherever_it_stands() {
    for lie in ["0.01", "49000.01", "55000", "5000000", "9000000"] {
        for prices in [
            [lie, "52000", "52100"],
            ["52000", lie, "52100"],
            ["52000", "52100", lie],
        ] {
            let price = agreed(&prices);
            // Within bounds a lie may pull the median to another honest offer, never beyond.
            assert!(
                matches!(price.as_deref(), Ok("52000.00" | "52050.00" | "52100.00")),
                "{prices:?}: {price:?}"
            );
        }
    }
}

#[test]
fn r29_exchanges_that_contradict_each_other_give_no_price() {
    assert_eq!(agreed(&["50000", "60000"]), Err(NoQuorum::Scattered));
    assert_eq!(agreed(&["50000", "50000", "60000", "60000"]), Err(NoQuorum::Scattered));
    // Two agree, but as many or more say otherwise.
    assert_eq!(
        agreed(&["40000", "50000", "50100", "60000", "70000"]),
        Err(NoQuorum::Scattered)
    );
    assert_eq!(agreed(&["40000", "50000", "60000"]), Err(NoQuorum::Scattered));
}

#[test]
fn r29_an_offer_counts_for_two_minutes_by_its_own_time() {
    let mut offers = offers(&["50000", "50100", "50200"]);
    offers[0].at = secs_ago(120);
    assert_eq!(quorum(&offers, &[], bounds(), NOW).outcome.unwrap().taken.len(), 3);
    offers[0].at = Timestamp(secs_ago(120).0 - 1);
    let quorum = quorum(&offers, &[], bounds(), NOW);
    assert_eq!(quorum.standings[0].1, Standing::Stale);
    assert_eq!(quorum.outcome.unwrap().taken.len(), 2);

    offers[1].at = secs_ago(500);
    let quorum = super::quorum(&offers, &[], bounds(), NOW);
    assert_eq!(quorum.outcome, Err(NoQuorum::TooFew(1)));
}

#[test]
fn r29_impossible_prices_count_for_nothing_however_many_they_are() {
    let quorum = quorum(&offers(&["999.99", "999.98", "999.99"]), &[], bounds(), NOW);
    assert!(
        quorum
            .standings
            .iter()
            .all(|(_, standing)| *standing == Standing::OutOfBounds)
    );
    assert_eq!(quorum.outcome, Err(NoQuorum::TooFew(0)));
    assert_eq!(agreed(&["10000000.01", "10000000.01"]), Err(NoQuorum::TooFew(0)));
    assert_eq!(agreed(&["1000", "1000"]).as_deref(), Ok("1000.00"));
    assert_eq!(agreed(&["10000000", "10000000"]).as_deref(), Ok("10000000.00"));
}

#[test]
fn r29_a_jump_of_more_than_five_percent_in_a_minute_needs_three() {
    let recent = [(secs_ago(30), price("50000"))];
    assert_eq!(after(&recent, &["52500", "52500"]).as_deref(), Ok("52500.00"));
    assert_eq!(after(&recent, &["52500.01", "52500.01"]), Err(NoQuorum::Jump));
    assert_eq!(after(&recent, &["47499.99", "47499.99"]), Err(NoQuorum::Jump));
    assert_eq!(after(&recent, &["60000", "60000", "60000"]).as_deref(), Ok("60000.00"));
    // A third that says otherwise does not help the two.
    assert_eq!(after(&recent, &["60000", "60000", "50000"]), Err(NoQuorum::Jump));
}

#[test]
fn r29_a_movement_in_more_than_a_minute_is_no_jump() {
    let two = ["60000", "60000"];
    assert_eq!(after(&[(secs_ago(60), price("50000"))], &two), Err(NoQuorum::Jump));
    let older = Timestamp(secs_ago(60).0 - 1);
    assert_eq!(after(&[(older, price("50000"))], &two).as_deref(), Ok("60000.00"));
}

#[test]
fn r29_a_jump_cannot_be_taken_in_small_steps() {
    let recent = [(secs_ago(50), price("50000")), (secs_ago(20), price("52000"))];
    assert_eq!(after(&recent, &["53000", "53000"]), Err(NoQuorum::Jump));
}

#[test]
fn r29_the_price_is_as_old_as_the_oldest_offer_taken() {
    let mut offers = offers(&["50000", "50100", "50200", "90000"]);
    offers[1].at = secs_ago(70);
    offers[3].at = secs_ago(100);
    let agreement = quorum(&offers, &[], bounds(), NOW).outcome.unwrap();
    assert_eq!(agreement.at(), Some(secs_ago(70)));
    let taken: Vec<Exchange> = agreement.exchanges().collect();
    assert_eq!(taken, [Exchange::Kraken, Exchange::Coinbase, Exchange::Bitstamp]);
    assert_eq!(agreement.width_bps(), 40);
}

/// Up to five offers, most of them near each other, some anywhere, some old; with one agreed price before.
fn histories() -> impl Strategy<Value = (Vec<Offer>, Vec<(Timestamp, Price)>)> {
    let cents = prop_oneof![4 => 4_900_000_u64..5_100_000, 1 => 1_u64..2_000_000_000];
    let to_price = |cents| Price::from(Rate::from_cents_per_btc(cents).unwrap());
    let offer = (cents.clone(), 0_i64..150_000);
    let recent = (cents, 0_i64..90_000);
    (
        prop::collection::vec(offer, 0..=5),
        prop::collection::vec(recent, 0..=2),
    )
        .prop_map(move |(offers, recent)| {
            let offers = Exchange::ALL
                .into_iter()
                .zip(offers)
                .map(|(exchange, (cents, age))| Offer {
                    exchange,
                    mid: to_price(cents),
                    at: Timestamp(NOW.0 - age),
                });
            let recent = recent
                .into_iter()
                .map(|(cents, age)| (Timestamp(NOW.0 - age), to_price(cents)));
            (offers.collect(), recent.collect())
        })
}

proptest! {
    #[test]
    fn r29_a_price_always_keeps_every_law((offers, recent) in histories()) {
        let quorum = quorum(&offers, &recent, bounds(), NOW);
        prop_assert_eq!(quorum.standings.len(), offers.len());
        let Ok(agreement) = quorum.outcome else { return Ok(()) };
        let Agreement { price, taken } = &agreement;
        prop_assert!(taken.len() >= 2);
        prop_assert!(taken.iter().all(|offer| NOW <= offer.at.plus_secs(120)));
        prop_assert!(taken.iter().all(|offer| offer.mid >= bounds().least.into() && offer.mid <= bounds().most.into()));
        let lowest = taken.iter().map(|offer| offer.mid).min().unwrap();
        let highest = taken.iter().map(|offer| offer.mid).max().unwrap();
        prop_assert!(lowest <= *price && *price <= highest);
        if taken.len() == 2 {
            prop_assert!(!lowest.is_further_than(100, highest));
        }
        let last_minute = recent.iter().filter(|(at, _)| NOW <= at.plus_secs(60));
        for (_, before) in last_minute {
            prop_assert!(taken.len() >= 3 || !before.is_further_than(500, *price));
        }
        // Taken offers are more than those dropped as outliers.
        let outliers = quorum.standings.iter().filter(|(_, standing)| *standing == Standing::Outlier).count();
        prop_assert!(taken.len() > outliers);
    }

    #[test]
    fn r29_the_order_of_the_offers_does_not_matter((offers, recent) in histories(), turn in 0_usize..5) {
        let mut turned = offers.clone();
        turned.rotate_left(turn % offers.len().max(1));
        let price = |offers: &[Offer]| quorum(offers, &recent, bounds(), NOW).outcome.map(|agreement| agreement.price);
        prop_assert_eq!(price(&offers), price(&turned));
    }
}
