//! How many payments and replacements were looked at: what a decision costs, counted where a clock would tell of the machine.

/// So many were looked at.
#[cfg(not(test))]
pub(crate) const fn count(_looks: usize) {}

#[cfg(test)]
pub(crate) use counted::{count, of};

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static LOOKS: Cell<usize> = const { Cell::new(0) };
    }

    /// So many were looked at.
    pub(crate) fn count(looks: usize) {
        LOOKS.set(LOOKS.get() + looks);
    }

    /// How many looks `what` takes.
    pub(crate) fn of(what: impl FnOnce()) -> usize {
        LOOKS.set(0);
        what();
        LOOKS.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Amount, BlockHash, BlockRef, Cents, Charge, ChargeId, Context, Event, Interval, Judgement, LatePolicy, Loss,
        MerchantId, Observation, Outpoint, Payment, Place, Quote, Rate, Sighting, Terms, Tiers, Timestamp, Txid,
        Whereabouts, decide,
    };

    const AMOUNT: u64 = 100_000_000;
    const LATE: i64 = 2_000;

    fn charge() -> Charge {
        let terms = Terms {
            price: Cents(5_000_000),
            amount: Amount::from_sat(AMOUNT),
            forgiven: Amount::ZERO,
            quote: Quote {
                rate: Rate::from_cents_per_btc(5_000_000).unwrap(),
                source: "fixed".into(),
                at: Timestamp(0),
            },
            spread_bps: 0,
            created_at: Timestamp(0),
            expires_at: Timestamp::from_secs(1_200),
            grace_secs: 90,
            settle_within_secs: 172_800,
            extension_secs: 600,
            tiers: Tiers::default(),
            late_policy: LatePolicy::Ask,
            rate_move_limit_bps: 200,
            dust_limit: Amount::from_sat(294),
        };
        Charge::new(ChargeId([1; 16]), MerchantId([2; 16]), "bcrt1qtest".into(), terms)
    }

    fn txid(number: usize) -> Txid {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Txid(bytes)
    }

    fn pay(charge: &mut Charge, number: usize, sats: u64, secs: i64, replaced: &[usize]) {
        charge.apply(&Event::PaymentFound(Payment {
            outpoint: Outpoint {
                txid: txid(number),
                vout: 0,
            },
            value: Amount::from_sat(sats),
            whereabouts: Whereabouts::Live(Place::Mempool),
            first_seen: Interval::at(Timestamp::from_secs(secs)),
            replaced: replaced.iter().copied().map(txid).collect(),
            replaced_earlier: false,
            met_in_mempool: true,
            coinbase: false,
            merchant_total: Amount::from_sat(sats),
            rate: None,
            rate_when_found: None,
            judgement: None,
            stalled: false,
        }));
        for &before in replaced {
            charge.apply(&Event::PaymentLost {
                outpoint: Outpoint {
                    txid: txid(before),
                    vout: 0,
                },
                loss: Loss::Replaced,
            });
        }
    }

    /// How many looks it takes to decide about a block that holds one of its payments, and to see what follows from that.
    fn looks(charge: &Charge) -> usize {
        let known = charge.payments.iter().rfind(|payment| payment.is_live()).unwrap();
        let block = BlockRef {
            height: 101,
            hash: BlockHash([1; 32]),
        };
        let sighting = Sighting {
            outpoint: known.outpoint,
            value: known.value,
            place: Place::Block(block),
            first_seen: known.first_seen,
            coinbase: false,
            merchant_total: known.merchant_total,
            conflicts: known.replaced.clone().into(),
            rate: None,
        };
        let observation = Observation::View {
            sightings: vec![sighting],
            gone: vec![],
        };
        let context = Context {
            now: Timestamp::from_secs(LATE + 1),
            tip: 101,
            observed_until: Timestamp::from_secs(LATE + 1),
            rate: None,
            found: [].into(),
        };
        of(|| {
            let mut after = charge.clone();
            for event in decide(charge, &observation, &context).unwrap() {
                after.apply(&event);
            }
            assert_ne!(after, *charge);
            assert!(after.is_paid_into() && !after.is_untouched());
            assert_eq!(
                after.settlement_due(101).is_some(),
                charge.settlement_due(100).is_some()
            );
        })
    }

    /// Twice as many payments cost twice as much, and each costs a bounded number of looks.
    #[track_caller]
    fn grows_linearly(charge_of: impl Fn(usize) -> Charge) {
        let [few, many] = [1_000, 2_000].map(|count| looks(&charge_of(count)));
        assert!(
            many <= 2 * few + 100,
            "{few} looks, and {many} for twice as many payments"
        );
        assert!(many <= 2_000 * 150, "{many} looks for 2,000 payments");
    }

    #[test]
    fn r34_a_change_of_one_payment_costs_as_much_as_there_are_payments() {
        grows_linearly(|count| {
            let mut charge = charge();
            for number in 0..count {
                pay(&mut charge, number, 1_000, 60, &[]);
            }
            charge
        });
    }

    #[test]
    fn r34_so_it_does_with_a_payment_that_was_replaced_again_and_again() {
        for late_from in [1, usize::MAX] {
            grows_linearly(|count| {
                let mut charge = charge();
                pay(&mut charge, 0, AMOUNT, 60, &[]);
                for number in 1..count {
                    let secs = if number >= late_from { LATE } else { 60 };
                    pay(&mut charge, number, AMOUNT, secs, &[number - 1]);
                }
                charge
            });
        }
    }

    #[test]
    fn r34_so_it_does_when_many_took_the_place_of_the_last_of_many() {
        for is_by_hand in [false, true] {
            grows_linearly(|count| {
                let chain = count / 2;
                let mut charge = charge();
                pay(&mut charge, 0, AMOUNT, if is_by_hand { LATE } else { 60 }, &[]);
                if is_by_hand {
                    charge.apply(&Event::Judged {
                        outpoint: charge.payments[0].outpoint,
                        judgement: Judgement::ByHand,
                        compared: None,
                    });
                }
                for number in 1..chain {
                    pay(&mut charge, number, AMOUNT, LATE, &[number - 1]);
                }
                for number in chain..count {
                    pay(&mut charge, number, 1_000, LATE, &[chain - 1]);
                }
                charge
            });
        }
    }

    #[test]
    fn r34_so_it_does_when_one_took_the_place_of_many() {
        grows_linearly(|count| {
            let mut charge = charge();
            for number in 0..count - 1 {
                pay(&mut charge, number, 60_000, 60, &[]);
            }
            let all: Vec<usize> = (0..count - 1).collect();
            pay(&mut charge, count, AMOUNT, LATE, &all);
            let before = 60_000 * u64::try_from(count - 1).unwrap();
            assert_eq!(charge.counted(), Amount::from_sat(before.min(AMOUNT)));
            charge
        });
    }
}
