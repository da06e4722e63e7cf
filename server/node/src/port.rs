//! What the watcher needs of the charges, and no more.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use bitpro_charge::{BlockHash, Interval, Outpoint, Place, Timestamp, Txid};
use tokio::sync::Notify;

use super::status::Condition;
use super::view::{Fingerprint, Hole, PayingOutput, ScriptId, Tip, View};

/// The charges, as the watcher sees them.
pub trait ChargesPort: Send + Sync + 'static {
    /// Why the charges could not be read or written.
    type Error: Error + Send + Sync + 'static;

    /// The row of a script, if it is watched. Called for every output of every block: it must be a look-up in memory.
    fn script(&self, script_pubkey: &[u8]) -> Option<ScriptId>;

    /// The short hash of a script, watched or not.
    fn fingerprint(&self, script_pubkey: &[u8]) -> Fingerprint;

    /// Whether a script with this short hash is watched.
    fn is_watched(&self, fingerprint: Fingerprint) -> bool;

    /// The scripts that are watched since this was asked last. Whoever looked at a transaction before has to look for them in it
    /// again: they may be given out next (R27).
    fn newly_watched(&self) -> Vec<Fingerprint>;

    /// Notified when a scan is wanted, or scripts are newly watched: neither waits for a poll.
    fn asks(&self) -> Arc<Notify>;

    /// The tip that the charges stand on; `None` in a fresh database.
    fn stored_tip(&self) -> Option<Tip>;

    /// The instant up to which chain and mempool were fully read (R4).
    fn observed_until(&self) -> Option<Timestamp>;

    /// When the first script was given out; `None` when none was. A fresh database starts before it.
    fn first_issued(&self) -> Option<Timestamp>;

    /// The earliest instant whose observation would change a charge: deadlines with their grace, settlement deadlines.
    fn next_deadline(&self) -> Option<Timestamp>;

    /// Blocks that could not be read and that nobody has vouched for.
    fn hole(&self) -> Option<Hole>;

    /// The node's condition.
    fn set_node_condition(&self, condition: &Condition);

    /// The hash of the stored chain at `height`, as far back as it is kept (R6: at least 2,016 blocks).
    fn stored_hash(&self, height: u32) -> impl Future<Output = Result<Option<BlockHash>, Self::Error>> + Send;

    /// The paying transactions that can still be lost: in the mempool, or less than 144 blocks deep (R34).
    fn known_txs(&self) -> impl Future<Output = Result<Vec<KnownTx>, Self::Error>> + Send;

    /// Rises whenever somebody else than the watcher has told of payments: what it knows of them is to be loaded anew then.
    fn told_by_others(&self) -> u64 {
        0
    }

    /// Starts a fresh database at `tip`.
    fn set_first_tip(&self, tip: Tip) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Applies a whole change of view in one transaction (R2).
    fn observe(&self, view: View) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Remembers blocks that cannot be read, or that somebody has vouched for them (`None`). While a hole is open, nothing is
    /// concluded from absence for the charges that were open in it (R6): for them `observed_until` stands at its start.
    fn set_hole(&self, hole: Option<Hole>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Every receive descriptor with the highest index that was given out: what a hole is searched for.
    fn issued(&self) -> impl Future<Output = Result<Vec<IssuedRange>, Self::Error>> + Send;

    /// Descriptors that wait for a scan of the UTXO set (R27, R28).
    fn scans_wanted(&self) -> Vec<ScanRequest>;

    /// Takes over what a scan found: `highest_used` is the highest index that has money in the UTXO set. The addresses above it
    /// are watched from here on, and none is given out yet.
    fn watch_ahead(
        &self,
        descriptor: i64,
        highest_used: Option<u32>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Ends a scan: what is in the mempool, and in the blocks since the scan, was looked at with these addresses watched, so
    /// they may be given out (R27).
    fn finish_scan(&self, descriptor: i64) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A live paying transaction, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTx {
    /// Its id.
    pub txid: Txid,
    /// Consensus-encoded, for resubmission (R3); empty, as `inputs`, when only its outputs were found (R6).
    pub raw: Vec<u8>,
    /// The outputs that pay charges, when there are no bytes to read them from.
    pub outputs: Vec<PayingOutput>,
    /// The outpoints that it spends.
    pub inputs: Vec<Outpoint>,
    /// The outpoints that its unconfirmed ancestors spent at first sight.
    pub ancestor_inputs: Vec<Outpoint>,
    /// Where it is.
    pub place: Place,
    /// When it was first seen.
    pub first_seen: Interval,
    /// Whether it is a coinbase transaction.
    pub coinbase: bool,
}

/// A descriptor and how far it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedRange {
    /// The normalised receive descriptor.
    pub descriptor: String,
    /// The highest index to look at.
    pub highest: u32,
}

/// A descriptor to be looked for in the UTXO set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequest {
    /// Its row.
    pub id: i64,
    /// What to look for.
    pub range: IssuedRange,
}
