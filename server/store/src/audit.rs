//! Everything that is stored, part by part and unchecked, for the comparison of the parts with each other and with the chain.
//!
//! What cannot be read is a finding, not an error: one damaged row must not hide the others. Each answer is read in one
//! transaction, so that what it holds belongs together.

use std::collections::HashMap;

use bitpro_charge::{Amount, BlockHash, ChargeId, Event, Interval, MerchantId, Outpoint, Timestamp, Txid};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::{ScriptId, Tip};

use super::engine::operations;
use super::{Snapshot, Store, StoreError, StoredTx};

/// A charge with all that is stored of it.
pub struct StoredCharge {
    /// Its row.
    pub num: i64,
    /// Its id.
    pub id: ChargeId,
    /// The charge as its row has it; or why it cannot be read.
    pub row: Result<Snapshot, String>,
    /// What its row repeats of it.
    pub columns: StoredColumns,
    /// Every event, oldest first; or why they cannot be read.
    pub log: Result<Vec<Event>, String>,
    /// Its rows in the table of payments, by outpoint.
    pub payments: Vec<StoredPayment>,
    /// The transactions of its payments, as far as they are stored.
    pub transactions: HashMap<Txid, StoredTransaction>,
    /// What stands of it in the outbox: sequence and announcement, ascending.
    pub outbox: Vec<(i64, String)>,
}

/// What the row of a charge repeats of the charge, for those who look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredColumns {
    /// The state, by its code.
    pub state: String,
    /// The reason, by its code.
    pub reason: Option<String>,
    /// How many events it has.
    pub sequence: i64,
    /// Whether its order is closed to others by what came (R22).
    pub is_paid: bool,
    /// Whether chain or clock can still move it.
    pub is_open: bool,
}

/// A row of the table of payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPayment {
    /// Which output pays.
    pub outpoint: Outpoint,
    /// Its value.
    pub value: Amount,
    /// The block it is in.
    pub height: Option<u32>,
    /// Why it was lost, by the code of the reason.
    pub loss: Option<String>,
    /// When it was first seen (R5).
    pub first_seen: Interval,
}

/// The row of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTransaction {
    /// Its bytes; none where it was found in a deleted block.
    pub raw: Vec<u8>,
    /// What it spends; `None` of what cannot be read.
    pub inputs: Option<Vec<Outpoint>>,
    /// Whether it is a coinbase transaction.
    pub coinbase: bool,
    /// The block it is in: its height and its hash.
    pub block: (Option<i64>, Option<Vec<u8>>),
    /// Why it was lost, by the code of the reason.
    pub loss: Option<String>,
    /// The height of the tip when it was lost.
    pub lost_at: Option<u32>,
    /// Whether it is followed still (R34).
    pub followed: bool,
}

/// A script that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredScript {
    /// Its row.
    pub id: ScriptId,
    /// The descriptor that it follows from.
    pub descriptor: DescriptorId,
    /// Its derivation index.
    pub index: u32,
    /// The script itself.
    pub script_pubkey: Vec<u8>,
    /// The counter has not come to it yet.
    pub is_ahead: bool,
    /// It received money before it was given out, and never will be (R27).
    pub is_skipped: bool,
    /// The charge that it was given out for.
    pub charge: Option<(i64, ChargeId)>,
}

/// A descriptor's counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDescriptor {
    /// Its row.
    pub id: DescriptorId,
    /// The receive descriptor in its normal form.
    pub text: String,
    /// Shows that it was written by a server with our key.
    pub mac: Vec<u8>,
    /// The index that is given out next.
    pub next_index: u32,
}

/// Where a merchant's money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWallet {
    /// Whose money.
    pub merchant: MerchantId,
    /// Where it goes.
    pub descriptor: DescriptorId,
    /// Shows that the choice was written by a server with our key.
    pub mac: Vec<u8>,
}

/// Charges, and the tip that they stand on.
pub struct StoredPage {
    /// `None` before the first block was stored.
    pub tip: Option<Tip>,
    /// The last row that was asked for.
    pub last: Option<i64>,
    /// By row, ascending.
    pub charges: Vec<StoredCharge>,
}

/// What is stored of some scripts and transactions.
pub struct StoredAt {
    /// The stored chain, at the heights that were asked for, as far as it is kept.
    pub blocks: HashMap<u32, BlockHash>,
    /// The rows of the scripts that were asked for, as far as there are any.
    pub scripts: Vec<StoredScript>,
    /// The charges that these scripts were given out for or these transactions pay, as far as their rows can be read.
    pub charges: Vec<Snapshot>,
}

impl Store {
    operations! {
        /// Charges after the row `after`, in the order of their rows.
        pub async fn audited_after(&self, after: i64, limit: u32) -> Result<StoredPage, StoreError>;

        /// The charges in these rows, in the order of their rows.
        pub async fn audited(&self, nums: &[i64]) -> Result<StoredPage, StoreError>;

        /// What is stored of these scripts, of the payments of these transactions, and of the chain at these heights.
        pub async fn stored_at(
            &self,
            scripts: &[Vec<u8>],
            txids: &[Txid],
            heights: &[u32],
        ) -> Result<StoredAt, StoreError>;

        /// Watched scripts after the row `after`, in the order of their rows.
        pub async fn scripts_after(&self, after: ScriptId, limit: u32) -> Result<Vec<StoredScript>, StoreError>;

        /// Every descriptor's counter, and every merchant's wallet.
        pub async fn wallets(&self) -> Result<(Vec<StoredDescriptor>, Vec<StoredWallet>), StoreError>;

        /// Charges that share their script with another one.
        pub async fn charges_sharing_scripts(&self, limit: u32) -> Result<Vec<ChargeId>, StoreError>;

        /// The states in which there are not as many charges as were counted: how many were counted, and how many there are.
        pub async fn wrong_counts(&self) -> Result<Vec<(String, i64, i64)>, StoreError>;

        /// Rows that belong to rows which are not there: the table, and the one that it refers to.
        pub async fn orphans(&self, limit: usize) -> Result<Vec<(String, Option<i64>, String)>, StoreError>;

        /// A transaction that pays us, followed or not.
        pub async fn paying_tx(&self, txid: Txid) -> Result<Option<StoredTx>, StoreError>;

        /// When the oldest charge was made that chain or clock can still move; and the oldest of all.
        pub async fn oldest(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError>;
    }
}
