//! Stored shapes that terms, charges and events share.

use bitpro_charge::{
    Amount, BlockRef, Interval, Judgement, Loss, Outpoint, Payment, Place, Quote, Rate, Timestamp, Txid, Whereabouts,
};
use serde::{Deserialize, Serialize};

use super::BadDocument;

/// A rate with its origin.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredQuote {
    cents_per_btc: u64,
    source: String,
    at: i64,
}

impl From<&Quote> for StoredQuote {
    fn from(quote: &Quote) -> Self {
        Self {
            cents_per_btc: quote.rate.cents_per_btc(),
            source: quote.source.clone(),
            at: quote.at.0,
        }
    }
}

impl TryFrom<StoredQuote> for Quote {
    type Error = BadDocument;

    fn try_from(stored: StoredQuote) -> Result<Self, BadDocument> {
        Ok(Self {
            rate: Rate::from_cents_per_btc(stored.cents_per_btc).map_err(|error| BadDocument(error.to_string()))?,
            source: stored.source,
            at: Timestamp(stored.at),
        })
    }
}

/// `None` stays `None`; a quote is turned or refused.
pub(super) fn optional_quote(stored: Option<StoredQuote>) -> Result<Option<Quote>, BadDocument> {
    stored.map(Quote::try_from).transpose()
}

/// Earliest and latest.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct StoredInterval(i64, i64);

impl From<Interval> for StoredInterval {
    fn from(interval: Interval) -> Self {
        Self(interval.earliest.0, interval.latest.0)
    }
}

impl From<StoredInterval> for Interval {
    fn from(stored: StoredInterval) -> Self {
        Self {
            earliest: Timestamp(stored.0),
            latest: Timestamp(stored.1),
        }
    }
}

/// In a block, in the mempool, or lost: at most one of the two is there.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredWhereabouts {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    block: Option<StoredBlock>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    loss: Option<StoredLoss>,
}

/// A block: its height and its hash as explorers print it.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredBlock {
    height: u32,
    hash: String,
}

impl From<Whereabouts> for StoredWhereabouts {
    fn from(whereabouts: Whereabouts) -> Self {
        let (block, loss) = match whereabouts {
            Whereabouts::Live(Place::Mempool) => (None, None),
            Whereabouts::Live(Place::Block(block)) => (Some(block), None),
            Whereabouts::Gone(loss) => (None, Some(loss.into())),
        };
        Self {
            block: block.map(|block| StoredBlock {
                height: block.height,
                hash: block.hash.to_string(),
            }),
            loss,
        }
    }
}

impl TryFrom<StoredWhereabouts> for Whereabouts {
    type Error = BadDocument;

    fn try_from(stored: StoredWhereabouts) -> Result<Self, BadDocument> {
        Ok(match (stored.block, stored.loss) {
            (None, None) => Self::Live(Place::Mempool),
            (Some(block), None) => Self::Live(Place::Block(BlockRef {
                height: block.height,
                hash: block.hash.parse().map_err(|_| BadDocument("a block hash".to_owned()))?,
            })),
            (None, Some(loss)) => Self::Gone(loss.into()),
            (Some(_), Some(_)) => return Err(BadDocument("a payment is both mined and lost".to_owned())),
        })
    }
}

/// A place is whereabouts that are not a loss.
pub(super) fn place_from(stored: StoredWhereabouts) -> Result<Place, BadDocument> {
    match stored.try_into()? {
        Whereabouts::Live(place) => Ok(place),
        Whereabouts::Gone(_) => Err(BadDocument("a place is a loss".to_owned())),
    }
}

/// How a payment was lost.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredLoss {
    Replaced,
    Dropped,
    Reorged,
}

impl From<Loss> for StoredLoss {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Replaced => Self::Replaced,
            Loss::Dropped => Self::Dropped,
            Loss::Reorged => Self::Reorged,
        }
    }
}

impl From<StoredLoss> for Loss {
    fn from(stored: StoredLoss) -> Self {
        match stored {
            StoredLoss::Replaced => Self::Replaced,
            StoredLoss::Dropped => Self::Dropped,
            StoredLoss::Reorged => Self::Reorged,
        }
    }
}

/// What was decided about a payment.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredJudgement {
    Provisional,
    Taken,
    ByHand,
    Refused,
}

impl From<Judgement> for StoredJudgement {
    fn from(judgement: Judgement) -> Self {
        match judgement {
            Judgement::Provisional => Self::Provisional,
            Judgement::Taken => Self::Taken,
            Judgement::ByHand => Self::ByHand,
            Judgement::Refused => Self::Refused,
        }
    }
}

impl From<StoredJudgement> for Judgement {
    fn from(stored: StoredJudgement) -> Self {
        match stored {
            StoredJudgement::Provisional => Self::Provisional,
            StoredJudgement::Taken => Self::Taken,
            StoredJudgement::ByHand => Self::ByHand,
            StoredJudgement::Refused => Self::Refused,
        }
    }
}

/// A payment.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredPayment {
    outpoint: String,
    value_sat: u64,
    #[serde(flatten)]
    whereabouts: StoredWhereabouts,
    first_seen: StoredInterval,
    /// Transactions; documents of earlier releases have every payment that was replaced, directly or not, as `txid:vout`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    inherits: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    replaced_earlier: bool,
    /// Where nothing says so, a payment's time is trusted less.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    met_in_mempool: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    coinbase: bool,
    merchant_total_sat: u64,
    rate: Option<StoredQuote>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rate_when_found: Option<StoredQuote>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    judgement: Option<StoredJudgement>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    stalled: bool,
}

impl From<&Payment> for StoredPayment {
    fn from(payment: &Payment) -> Self {
        Self {
            outpoint: payment.outpoint.to_string(),
            value_sat: payment.value.to_sat(),
            whereabouts: payment.whereabouts.into(),
            first_seen: payment.first_seen.into(),
            inherits: payment.replaced.iter().map(ToString::to_string).collect(),
            replaced_earlier: payment.replaced_earlier,
            met_in_mempool: payment.met_in_mempool,
            coinbase: payment.coinbase,
            merchant_total_sat: payment.merchant_total.to_sat(),
            rate: payment.rate.as_ref().map(StoredQuote::from),
            rate_when_found: payment.rate_when_found.as_ref().map(StoredQuote::from),
            judgement: payment.judgement.map(StoredJudgement::from),
            stalled: payment.stalled,
        }
    }
}

impl TryFrom<StoredPayment> for Payment {
    type Error = BadDocument;

    fn try_from(stored: StoredPayment) -> Result<Self, BadDocument> {
        Ok(Self {
            outpoint: outpoint_from(&stored.outpoint)?,
            value: Amount::from_sat(stored.value_sat),
            whereabouts: stored.whereabouts.try_into()?,
            first_seen: stored.first_seen.into(),
            replaced: txids_from(&stored.inherits)?,
            replaced_earlier: stored.replaced_earlier,
            met_in_mempool: stored.met_in_mempool,
            coinbase: stored.coinbase,
            merchant_total: Amount::from_sat(stored.merchant_total_sat),
            rate: optional_quote(stored.rate)?,
            rate_when_found: optional_quote(stored.rate_when_found)?,
            judgement: stored.judgement.map(Judgement::from),
            stalled: stored.stalled,
        })
    }
}

/// The transactions in a list of `txid` or `txid:vout`, each once.
fn txids_from(texts: &[String]) -> Result<Vec<Txid>, BadDocument> {
    let txid = |text: &String| {
        let txid = text.split(':').next().unwrap_or_default();
        txid.parse().map_err(|_| BadDocument("a transaction".to_owned()))
    };
    let mut txids = texts.iter().map(txid).collect::<Result<Vec<Txid>, BadDocument>>()?;
    txids.sort_unstable();
    txids.dedup();
    Ok(txids)
}

/// `txid:vout`.
pub(super) fn outpoint_from(text: &str) -> Result<Outpoint, BadDocument> {
    text.parse().map_err(|_| BadDocument("an outpoint".to_owned()))
}

/// A list of `txid:vout`.
pub(super) fn outpoints_from(texts: &[String]) -> Result<Vec<Outpoint>, BadDocument> {
    texts.iter().map(|text| outpoint_from(text)).collect()
}

/// A list of `txid:vout`.
pub(super) fn outpoints_to(outpoints: &[Outpoint]) -> Vec<String> {
    outpoints.iter().map(ToString::to_string).collect()
}
