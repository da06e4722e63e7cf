//! A payment: one outpoint that pays a charge, where it is now, and since when it is known.

use bitcoin_units::Amount;

use crate::{BlockRef, Interval, Outpoint, Quote, Txid};

/// Where a live payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Known to our node, in no block.
    Mempool,
    /// In this block of the best chain.
    Block(BlockRef),
}

/// How a payment was lost (R3): each is proven, never concluded from mere absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// A conflicting spend of one of its inputs, or of an unconfirmed ancestor's, is known.
    Replaced,
    /// The node refused it when it was sent again, and a grace period went by.
    Dropped,
    /// Its block left the best chain and it cannot come back, as with a coinbase payment.
    Reorged,
}

/// Live or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// In the mempool or in the chain.
    Live(Place),
    /// Gone, for this reason.
    Gone(Loss),
}

impl Loss {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
            Self::Reorged => "reorged",
        }
    }
}

/// What was decided about money that is not simply in time (R12 to R14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Late, taken by the merchant's policy for now; the rate is compared again when it is deep.
    Provisional,
    /// Taken by the merchant's policy for good.
    Taken,
    /// Taken by the merchant's own hand.
    ByHand,
    /// Not taken; the merchant is asked.
    Refused,
}

/// One outpoint paying a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its identity.
    pub outpoint: Outpoint,
    /// Its value.
    pub value: Amount,
    /// Where it is.
    pub whereabouts: Whereabouts,
    /// When it was first seen, by all reports together (R5).
    pub first_seen: Interval,
    /// Transactions whose payments of this charge its own transaction replaced, and whose first sight it inherits up to their
    /// value (R5). What these had replaced themselves is found through them. It stands with one payment of a transaction and
    /// holds for all.
    pub replaced: Vec<Txid>,
    /// What it replaced was seen before the charge was made: the same money is somebody else's (R27).
    pub replaced_earlier: bool,
    /// It was first met in the mempool: that it was seen is known from ourselves or our node, not from a miner's clock.
    pub met_in_mempool: bool,
    /// A coinbase output, which can be spent only 100 blocks later.
    pub coinbase: bool,
    /// What the whole transaction pays this merchant, over all their charges (R9).
    pub merchant_total: Amount,
    /// The rate when it was first seen (R44); `None` when there was no fresh one.
    pub rate: Option<Quote>,
    /// The rate when it was found, where that was too long after its first sight for the rate to be that of then.
    pub rate_when_found: Option<Quote>,
    /// What was decided about it beyond its time.
    pub judgement: Option<Judgement>,
    /// It, or what it replaced, was in time but not deep when the settlement deadline passed (R12).
    pub stalled: bool,
}

impl Payment {
    /// Whether it is in the mempool or in the chain.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.whereabouts, Whereabouts::Live(_))
    }

    /// Whether the merchant's own hand took it (R14).
    #[must_use]
    pub const fn is_by_hand(&self) -> bool {
        matches!(self.judgement, Some(Judgement::ByHand))
    }

    /// The block it is in, if any.
    #[must_use]
    pub const fn block(&self) -> Option<BlockRef> {
        match self.whereabouts {
            Whereabouts::Live(Place::Block(block)) => Some(block),
            _ => None,
        }
    }

    /// Confirmations under a tip at height `tip`: `tip − height + 1`, zero outside the chain (R31: derived, never stored).
    #[must_use]
    pub fn confirmations(&self, tip: u32) -> u32 {
        self.block().map_or(0, |block| (tip + 1).saturating_sub(block.height))
    }
}
