//! What the watcher hands to the charges: one whole change of view at a time (R2).
//!
//! The watcher knows scripts and transactions; it knows nothing of charges. The charges know nothing of the node.

use bitcoin::ScriptBuf;
use bitpro_charge::{Amount, BlockRef, Interval, Loss, Outpoint, Place, Timestamp, Txid};

/// What is in a block is left alone once it is this deep: far below every reorg that is ever followed (R34).
const FOLLOWED_DEPTH: u32 = 144;

/// How far the stored instant of full knowledge may lag behind the one in memory. Each storing is a commit, and what lies in
/// between is read from the node again at a start.
pub const UNTIL_LAG_MILLIS: i64 = 30_000;

/// Whether what happened in the block at height `since` is as deep under a tip at height `tip` that it is not followed any more
/// (R34). The block itself counts, as it does among confirmations.
#[must_use]
pub const fn is_settled(since: u32, tip: u32) -> bool {
    (tip + 1).saturating_sub(since) >= FOLLOWED_DEPTH
}

/// The row of a watched script in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptId(pub i64);

/// A short hash of a script. Scripts of transactions that were looked at are kept as such, to find what pays a script that is
/// watched only later. Two scripts may have the same one; whether a transaction pays is decided by the whole script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// The tip of the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// The block.
    pub block: BlockRef,
    /// Total work of the chain up to it, big-endian (`chainwork` of the node): only more work moves the chain (R6).
    pub work: [u8; 32],
}

/// A change of view: from what the store knows to what the node says now. It is applied in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The tip of the new view.
    pub tip: Tip,
    /// The highest block that old and new chain share; stored hashes above it are forgotten.
    pub fork_height: u32,
    /// The blocks of the new chain above `fork_height`, ascending; the last is the tip. Empty when only the mempool moved.
    pub connected: Vec<Connected>,
    /// Transactions that pay watched scripts and are new, or are somewhere else than before, in this view.
    pub transactions: Vec<PayingTx>,
    /// Known paying transactions that are proven lost (R3).
    pub gone: Vec<LostTx>,
    /// The instant up to which chain and mempool were fully read (R4). It stands still while either is not.
    pub observed_until: Timestamp,
}

/// A block of the new chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// The block.
    pub block: BlockRef,
    /// It was certainly not found before this, by our time: what was deep by when can still be told long after (R12).
    pub found_after: Timestamp,
    /// When it was found by its miner's word.
    pub claimed: Timestamp,
}

impl From<BlockRef> for Connected {
    /// A block of whose time nothing is known.
    fn from(block: BlockRef) -> Self {
        Self {
            block,
            found_after: Timestamp(0),
            claimed: Timestamp(0),
        }
    }
}

/// A transaction that pays at least one watched script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayingTx {
    /// Its id.
    pub txid: Txid,
    /// The whole transaction, consensus-encoded, kept for resubmission (R3). Empty, as `inputs`, for a transaction in a block that
    /// the node has deleted: only its outputs are known then, by the scan of the UTXO set that found them.
    pub raw: Vec<u8>,
    /// The outpoints that it spends.
    pub inputs: Vec<Outpoint>,
    /// The outpoints that its unconfirmed ancestors spend, as recorded at first sight (R3).
    pub ancestor_inputs: Vec<Outpoint>,
    /// The outputs to watched scripts.
    pub outputs: Vec<PayingOutput>,
    /// Where it is.
    pub place: Place,
    /// When it was first seen, by this report (R5).
    pub first_seen: Interval,
    /// Whether it is a coinbase transaction.
    pub coinbase: bool,
}

/// An output to a watched script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayingOutput {
    /// Its index in the transaction.
    pub vout: u32,
    /// The row of the script, as the watch map has it.
    pub script: ScriptId,
    /// The script itself: the watch map compares 64 bits only (R34), so the charges compare the whole.
    pub script_pubkey: ScriptBuf,
    /// Its value.
    pub value: Amount,
}

/// A paying transaction that is proven lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostTx {
    /// Its id.
    pub txid: Txid,
    /// How it was lost.
    pub loss: Loss,
    /// The conflicting transaction, where one is known.
    pub replaced_by: Option<Txid>,
}

/// Blocks that the node had deleted before we could read them (R6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The lowest of them.
    pub from: u32,
    /// The highest of them.
    pub to: u32,
    /// Until then everything is known.
    pub since: Timestamp,
    /// From then on everything is known again.
    pub until: Timestamp,
}

impl Hole {
    /// Whether money for a charge that was made at `created_at` may have come in these blocks: then nothing is concluded from
    /// its absence (R6).
    #[must_use]
    pub fn may_concern(&self, created_at: Timestamp) -> bool {
        created_at <= self.until
    }
}
