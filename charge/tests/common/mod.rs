//! A charge in a test's hands: a little world with a chain, a clock and a rate, told in short sentences.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "this is test code, outside of a test function")]

use bitpro_charge::{
    Amount, Announcement, BlockHash, BlockRef, Cents, Charge, ChargeId, Context, Event, Found, Gone, Interval,
    LatePolicy, Loss, MerchantId, Observation, Outpoint, Place, Quote, Rate, Reason, Refusal, Sighting, State, Terms,
    Tiers, Timestamp, Txid, decide,
};

/// The rate of the quote: EUR 50,000 a bitcoin.
pub const RATE: u64 = 5_000_000;
/// The amount asked for: EUR 50.00 is 100,000 sat.
pub const AMOUNT: u64 = 100_000;
/// The window's end, in seconds.
pub const EXPIRES: i64 = 1_200;
pub const GRACE: u32 = 90;
pub const SETTLE: u32 = 48 * 3600;
pub const DUST: u64 = 294;

pub fn terms() -> Terms {
    Terms {
        price: Cents(5_000),
        amount: Amount::from_sat(AMOUNT),
        forgiven: Amount::ZERO,
        quote: quote(RATE),
        spread_bps: 0,
        created_at: Timestamp(0),
        expires_at: Timestamp::from_secs(EXPIRES),
        grace_secs: GRACE,
        settle_within_secs: SETTLE,
        extension_secs: 0,
        tiers: Tiers::default(),
        late_policy: LatePolicy::Ask,
        rate_move_limit_bps: 200,
        dust_limit: Amount::from_sat(DUST),
    }
}

pub fn quote(cents_per_btc: u64) -> Quote {
    Quote {
        rate: Rate::from_cents_per_btc(cents_per_btc).unwrap(),
        source: "fixed".into(),
        at: Timestamp(0),
    }
}

pub fn outpoint(n: u8) -> Outpoint {
    Outpoint {
        txid: Txid([n; 32]),
        vout: 0,
    }
}

pub fn block(height: u32) -> BlockRef {
    BlockRef {
        height,
        hash: BlockHash([u8::try_from(height % 251).unwrap(); 32]),
    }
}

/// A charge with its world.
#[derive(Clone)]
pub struct World {
    pub charge: Charge,
    pub log: Vec<Event>,
    pub told: Vec<Announcement>,
    pub now: i64,
    pub observed_until: i64,
    pub tip: u32,
    pub rate: Option<u64>,
    /// The blocks that the view adds.
    pub found: Vec<Found>,
    /// How much later they were found by their miners' word than is certain, in seconds.
    pub claims_later: i64,
}

impl World {
    pub fn new(terms: Terms) -> Self {
        let charge = Charge::new(ChargeId([1; 16]), MerchantId([2; 16]), "bcrt1qtest".into(), terms);
        Self {
            charge,
            log: vec![],
            told: vec![],
            now: 0,
            observed_until: 0,
            tip: 100,
            rate: Some(RATE),
            found: vec![],
            claims_later: 0,
        }
    }

    pub fn context(&self) -> Context {
        Context {
            now: Timestamp::from_secs(self.now),
            tip: self.tip,
            observed_until: Timestamp::from_secs(self.observed_until),
            rate: self.rate.map(quote),
            found: self.found.as_slice().into(),
        }
    }

    pub fn try_observe(&mut self, observation: &Observation) -> Result<(), Refusal> {
        let events = decide(&self.charge, observation, &self.context())?;
        for event in events {
            self.charge.apply(&event);
            if let Event::Announced { announcement, .. } = event {
                self.told.push(announcement);
            }
            self.log.push(event);
        }
        let again = decide(&self.charge, observation, &self.context());
        if matches!(observation, Observation::View { .. }) {
            assert_eq!(again, Ok(vec![]), "deciding twice yields nothing");
        }
        Ok(())
    }

    pub fn view(&mut self, sightings: Vec<Sighting>, gone: Vec<Gone>) -> &mut Self {
        self.try_observe(&Observation::View { sightings, gone }).unwrap();
        self
    }

    /// Time passes; chain and mempool are known up to then.
    pub fn at(&mut self, secs: i64) -> &mut Self {
        self.now = secs;
        self.observed_until = secs;
        self.view(vec![], vec![])
    }

    /// Time passes with the node away.
    pub fn unobserved_at(&mut self, secs: i64) -> &mut Self {
        self.now = secs;
        self.view(vec![], vec![])
    }

    pub fn sighting(&self, n: u8, sats: u64, place: Place) -> Sighting {
        Sighting {
            outpoint: outpoint(n),
            value: Amount::from_sat(sats),
            place,
            first_seen: Interval::at(Timestamp::from_secs(self.now)),
            coinbase: false,
            merchant_total: Amount::from_sat(sats),
            conflicts: [].into(),
            rate: self.rate.map(quote),
        }
    }

    /// A payment appears in the mempool, now.
    pub fn pay(&mut self, n: u8, sats: u64) -> &mut Self {
        let sighting = self.sighting(n, sats, Place::Mempool);
        self.view(vec![sighting], vec![])
    }

    /// The payment is in a new block.
    pub fn mine(&mut self, n: u8) -> &mut Self {
        self.tip += 1;
        let value = self
            .charge
            .payment(outpoint(n))
            .map_or(AMOUNT, |payment| payment.value.to_sat());
        let sighting = self.sighting(n, value, Place::Block(block(self.tip)));
        self.view(vec![sighting], vec![])
    }

    /// The payment is in the first of several new blocks, all read at once. Each is known by its time to have been found after one
    /// of `found_after`, in seconds.
    pub fn mine_before_anybody_looks(&mut self, n: u8, found_after: &[i64]) -> &mut Self {
        let first = self.tip + 1;
        let value = self.charge.payment(outpoint(n)).map_or(AMOUNT, |p| p.value.to_sat());
        let found = (first..).zip(found_after).map(|(height, &secs)| Found {
            height,
            after: Timestamp::from_secs(secs),
            claimed: Timestamp::from_secs(secs + self.claims_later),
        });
        self.found = found.collect();
        self.tip += u32::try_from(found_after.len()).unwrap();
        let sighting = self.sighting(n, value, Place::Block(block(first)));
        self.view(vec![sighting], vec![]);
        self.found.clear();
        self
    }

    /// Blocks without anything for us.
    pub fn blocks(&mut self, count: u32) -> &mut Self {
        self.tip += count;
        self.view(vec![], vec![])
    }

    pub fn lose(&mut self, n: u8, loss: Loss) -> &mut Self {
        self.view(
            vec![],
            vec![Gone {
                outpoint: outpoint(n),
                loss,
            }],
        )
    }

    /// `by` takes the place of `n`, paying `sats` to the same charge.
    pub fn replace(&mut self, n: u8, by: u8, sats: u64) -> &mut Self {
        let mut sighting = self.sighting(by, sats, Place::Mempool);
        sighting.conflicts = [outpoint(n).txid].into();
        self.view(
            vec![sighting],
            vec![Gone {
                outpoint: outpoint(n),
                loss: Loss::Replaced,
            }],
        )
    }

    /// `by` takes the place of `replaced`, which are known, and pays the charge by as many outputs as there are values.
    pub fn replace_by_outputs(&mut self, replaced: &[u8], by: u8, values: &[u64]) -> &mut Self {
        let sightings = (0..).zip(values).map(|(vout, &sats)| {
            let mut sighting = self.sighting(by, sats, Place::Mempool);
            sighting.outpoint.vout = vout;
            sighting.merchant_total = Amount::from_sat(values.iter().sum());
            sighting.conflicts = replaced.iter().map(|&n| outpoint(n).txid).collect();
            sighting
        });
        let sightings = sightings.collect();
        let is_replaced = |outpoint: &Outpoint| replaced.contains(&outpoint.txid.0[0]);
        let known = self.charge.payments.iter().map(|payment| payment.outpoint);
        let gone = known.filter(is_replaced).map(|outpoint| Gone {
            outpoint,
            loss: Loss::Replaced,
        });
        let gone = gone.collect();
        self.view(sightings, gone)
    }

    /// All outputs of a transaction are in a new block.
    pub fn mine_all(&mut self, n: u8) -> &mut Self {
        self.tip += 1;
        let payments = self.charge.payments_of(outpoint(n).txid).iter();
        let sightings = payments.map(|payment| Sighting {
            outpoint: payment.outpoint,
            ..self.sighting(n, payment.value.to_sat(), Place::Block(block(self.tip)))
        });
        let sightings = sightings.collect();
        self.view(sightings, vec![])
    }

    pub fn accept(&mut self, n: u8) -> Result<(), Refusal> {
        let sequence = self.charge.sequence;
        self.try_observe(&Observation::Accept {
            outpoints: vec![outpoint(n)],
            sequence,
        })
    }

    pub fn cancel(&mut self) -> Result<(), Refusal> {
        let sequence = self.charge.sequence;
        self.try_observe(&Observation::Cancel { sequence })
    }

    #[track_caller]
    pub fn is(&mut self, state: State, reason: Option<Reason>) -> &mut Self {
        assert_eq!(
            (self.charge.state, self.charge.reason),
            (state, reason),
            "log: {:#?}",
            self.log
        );
        self
    }

    #[track_caller]
    pub fn told(&mut self, told: &[Announcement]) -> &mut Self {
        assert_eq!(self.told, told, "log: {:#?}", self.log);
        self
    }
}

/// Seconds at which the deadline counts as observed.
pub fn after_deadline() -> i64 {
    EXPIRES + i64::from(GRACE)
}
